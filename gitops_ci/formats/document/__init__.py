"""What all formats share: the text of a file, its nodes, and the fields that name an image."""
