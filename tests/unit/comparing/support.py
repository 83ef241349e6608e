"""Objects for tests of the comparison."""

from __future__ import annotations

from typing import Any

from gitops_ci.comparing import Comparison, Settings, Side, compare

__all__ = ["change", "config_map", "deployment", "one"]


def deployment(image: str = "ghcr.io/acme/web:1.0.0", **spec: Any) -> dict[str, Any]:
    """A Deployment `web`; keywords are fields of the pod's spec, `replicas` of its own."""
    replicas = spec.pop("replicas", 2)
    labels = spec.pop("labels", {"app": "web"})
    annotations = spec.pop("annotations", {})
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": labels, "annotations": annotations},
                "spec": {"containers": [{"name": "web", "image": image}], **spec},
            },
        },
    }


def config_map(name: str = "cm", **data: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def change(before: Any, after: Any, settings: Settings | None = None, **facts: Any) -> Comparison:
    """What differs between objects of one unit; a single object, or a list."""
    sides = [[Side("application:shop", one if isinstance(one, list) else [one], **facts)] for one in (before, after)]
    return compare(*sides, settings)


def one(before: Any, after: Any, settings: Settings | None = None, **facts: Any) -> Any:
    """The only object that differs."""
    [found] = change(before, after, settings, **facts).objects
    return found
