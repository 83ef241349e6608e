"""YAML read fast, wherever that is certainly what go-yaml reads."""
