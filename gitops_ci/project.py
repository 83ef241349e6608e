"""Where this project is published: the one place with its owner. `scripts/set_home.py` writes it into documents."""

from __future__ import annotations

from gitops_ci import __version__

__all__ = ["HOME", "REPOSITORY", "SCHEMA_URL", "TEMPLATES_URL"]

REPOSITORY = "acme/gitops-ci"
HOME = f"https://github.com/{REPOSITORY}"
_FILES = f"https://raw.githubusercontent.com/{REPOSITORY}/v{__version__}"
SCHEMA_URL = f"{_FILES}/gitops_ci/config.schema.json"
TEMPLATES_URL = f"{_FILES}/templates"
