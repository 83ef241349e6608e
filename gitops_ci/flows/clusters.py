"""The clusters of a file, for the generators of ApplicationSets that ask for them."""

from __future__ import annotations

from typing import Any

from gitops_ci.errors import UsageError
from gitops_ci.rendering.deployment import Cluster
from gitops_ci.rendering.documents import load_any, text_of
from gitops_ci.yamltext import YamlError

__all__ = ["read_clusters"]

_FORM = "A list of {name: ..., server: ..., labels: {...}, annotations: {...}}."


def read_clusters(path: str) -> tuple[Cluster, ...]:
    """The clusters of a file.

    Raises:
        UsageError: it cannot be read, or holds something else.
    """
    try:
        with open(path, encoding="utf-8") as file:
            value = load_any(file.read())
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}", hint=_FORM) from error
    except YamlError as error:
        raise UsageError(f"{path}:{error.line}: not YAML: {error.reason}", hint=_FORM) from error
    if not isinstance(value, list):
        raise UsageError(f"{path} is not a list of clusters", hint=_FORM)
    return tuple(_cluster(one, path) for one in value)


def _cluster(value: Any, path: str) -> Cluster:
    if not isinstance(value, dict) or not text_of(value.get("name")):
        raise UsageError(f"{path} has a cluster without a name", hint=_FORM)
    return Cluster(
        text_of(value["name"]),
        text_of(value.get("server")),
        _texts(value.get("labels")),
        _texts(value.get("annotations")),
    )


def _texts(value: Any) -> dict[str, str]:
    return {str(key): text_of(one) for key, one in value.items()} if isinstance(value, dict) else {}
