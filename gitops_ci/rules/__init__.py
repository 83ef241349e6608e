"""The rules of `validate`: their ids, and the page of each."""
