"""What Go's standard library does, where it differs from Python's."""
