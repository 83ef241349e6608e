"""Kubernetes' own kinds against the bundled OpenAPI definitions."""
