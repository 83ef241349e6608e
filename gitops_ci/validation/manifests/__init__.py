"""The text of a manifest to documents, as go-yaml reads it."""
