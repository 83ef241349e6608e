"""Values of Secrets in plain text. SealedSecrets and ExternalSecrets hold none; SOPS leaves its mark."""

from __future__ import annotations

from collections.abc import Iterator

from gitops_ci.model import Finding
from gitops_ci.validation.lint.base import at
from gitops_ci.validation.manifests.documents import Document

__all__ = ["plain_secrets"]

_HINT = "Encrypt it (SOPS, SealedSecret) or refer to a vault (ExternalSecret). What was pushed must be replaced."


def plain_secrets(document: Document) -> Iterator[Finding]:
    if document.kind != "Secret" or document.api_version != "v1" or document.is_encrypted:
        return
    for key in ("data", "stringData"):
        values = document.value.get(key)
        for name, value in values.items() if isinstance(values, dict) else ():
            if isinstance(value, str) and value and not _is_placeholder(value):
                # The value itself is never repeated in a report.
                said = f"the value of '{name}' lies in Git in plain text"
                yield at(document, (key, name), "repo/plain-secret", said, hint=_HINT, severity="warning", key=True)


def _is_placeholder(value: str) -> bool:
    encrypted = value.startswith("ENC[") and value.endswith("]")
    return encrypted or (value.startswith("${") and value.endswith("}")) or value.startswith(("<path:", "vault:"))
