"""Values of Secrets in plain text. SealedSecrets and ExternalSecrets hold none; SOPS leaves its mark."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gitops_ci.lazy import lazy_pattern
from gitops_ci.model import Finding
from gitops_ci.validation.lint.base import at
from gitops_ci.validation.manifests.documents import Document

__all__ = ["plain_secrets"]

_HINT = "Encrypt it (SOPS, SealedSecret) or refer to a vault (ExternalSecret). What was pushed must be replaced."
# Entries that stand beside a password and are none: user names, ids, hosts, switches.
_PUBLIC = lazy_pattern(
    r"(?:.*[-_.])?(?:user(?:_?name)?|login|email|(?:client|tenant|subscription|account|project|app)[-_]?id|db|database"
    r"|(?:db|database)[-_]?name|host(?:name)?|port|region|bucket|enabled|realm|issuer|scopes?)",
    re.IGNORECASE,
)
_SWITCHES = frozenset({"true", "false", "yes", "no", "dHJ1ZQ==", "ZmFsc2U="})


def _is_public(name: str, value: str) -> bool:
    return value in _SWITCHES or _PUBLIC.fullmatch(name) is not None


def plain_secrets(document: Document) -> Iterator[Finding]:
    if document.kind != "Secret" or document.api_version != "v1" or document.is_encrypted:
        return
    for key in ("data", "stringData"):
        values = document.value.get(key)
        for name, value in values.items() if isinstance(values, dict) else ():
            if isinstance(value, str) and value and not (_is_public(str(name), value) or _is_placeholder(value)):
                # The value itself is never repeated in a report.
                said = f"the value of '{name}' is in Git in plain text"
                yield at(document, (key, name), "repo/plain-secret", said, hint=_HINT, severity="warning", key=True)


def _is_placeholder(value: str) -> bool:
    encrypted = value.startswith("ENC[") and value.endswith("]")
    return encrypted or (value.startswith("${") and value.endswith("}")) or value.startswith(("<path:", "vault:"))
