"""The push-to-Git half of GitOps: tag and push an image, bump it in the config repository, validate, propose."""

__version__ = "0.2.0"
