"""ConfigMaps and Secrets.

Source: k8s.io/kubernetes pkg/apis/core/validation/validation.go, ValidateConfigMap, ValidateSecret.
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

from gitops_ci.validation.apimachinery import formats
from gitops_ci.validation.apimachinery.field import Field, shown

__all__ = ["config_map", "secret"]

LARGEST = 1024 * 1024
_SERVICE_ACCOUNT = "kubernetes.io/service-account.name"
# Which keys a type of Secret must have: any of the names of a line is enough.
_REQUIRED = {
    "kubernetes.io/dockercfg": ((".dockercfg",),),
    "kubernetes.io/dockerconfigjson": ((".dockerconfigjson",),),
    "kubernetes.io/basic-auth": (("username", "password"),),
    "kubernetes.io/ssh-auth": (("ssh-privatekey",),),
    "kubernetes.io/tls": (("tls.crt",), ("tls.key",)),
}


def config_map(document: Field) -> None:
    total = 0
    for key in ("data", "binaryData"):
        for name, value in document.pairs(key):
            _key(name, value)
            total += len(_encoded(value.value) if key == "data" else _decoded(value.value))
            if key == "data" and name in document.mapping("binaryData"):
                value.bad_key("config-key", f"'{shown(name)}' is in binaryData as well")
    _size(document, total)


def _key(name: str, value: Field) -> None:
    if why := formats.config_key(name):
        value.bad_key("config-key", f"the key '{shown(name)}' {why}")


def _size(document: Field, total: int) -> None:
    if total > LARGEST:
        document.at("data").bad("config-size", f"may not be more than {LARGEST} bytes, is {total}")


def _encoded(value: Any) -> bytes:
    return value.encode("utf-8", "replace") if isinstance(value, str) else b""


def _decoded(value: Any) -> bytes:
    """The bytes that are given in base64, or one by one as numbers."""
    if isinstance(value, list):
        return bytes(item if isinstance(item, int) else 0 for item in value)
    try:
        return base64.b64decode(_encoded(value))
    except binascii.Error:
        return b""


def secret(document: Field) -> None:
    merged: dict[str, bytes] = {}
    for key in ("data", "stringData"):
        for name, value in document.pairs(key):
            _key(name, value)
            # What stringData holds is merged over data before anything is validated.
            merged[name] = _decoded(value.value) if key == "data" else _encoded(value.value)
    _size(document, sum(map(len, merged.values())))
    kind = document.text("type")
    for names in _REQUIRED.get(kind, ()):
        present = [name for name in names if name in merged]
        empty_key = names == ("ssh-privatekey",) and not merged.get("ssh-privatekey")
        if not present or empty_key:
            place = document.at("data") if document.has("data") else document
            place.bad_key("secret", f"a Secret of type {kind} needs {' or '.join(names)}")
    for name in (".dockercfg", ".dockerconfigjson"):
        if (name,) in _REQUIRED.get(kind, ()) and name in merged:
            _json(document, name, merged[name])
    if kind == "kubernetes.io/service-account-token" and not document.at("metadata", "annotations").text(
        _SERVICE_ACCOUNT
    ):
        document.at("metadata").bad("secret", f"the annotation {_SERVICE_ACCOUNT} is required for this type")


def _json(document: Field, name: str, content: bytes) -> None:
    place = document.at("data", name) if document.at("data").has(name) else document.at("stringData", name)
    try:
        read = json.loads(content.decode("utf-8", "replace"), parse_constant=_no_constant)
    except RecursionError:
        return  # the server goes deeper
    except ValueError:
        read = ()
    if not isinstance(read, dict | None):
        place.bad("secret", "must be a JSON object")


def _no_constant(name: str) -> None:
    raise ValueError(name)  # JSON has no NaN and no Infinity
