"""Compute tags, push and copy images, and tell which of two is older."""
