"""Commands that people know from other programs, and what they are called here."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["advice_for_command"]

# (the group, "" for the program; the word that was typed) -> what to use.
_ADVICE: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        **dict.fromkeys(
            [("", name) for name in ("deploy", "apply", "sync", "upgrade", "install")],
            "gitops-ci deploys nothing: it opens a pull request. Use 'gitops-ci release' for an image that was built, "
            "'gitops-ci bump' for one in a registry.",
        ),
        **dict.fromkeys(
            [("", name) for name in ("update", "set", "edit", "pr", "create-pr", "propose")],
            "Use 'gitops-ci bump ghcr.io/acme/shop:1.5.0' to propose an image.",
        ),
        **dict.fromkeys([("", name) for name in ("lint", "check", "test", "verify")], "Use 'gitops-ci validate'."),
        **dict.fromkeys([("", name) for name in ("render", "template", "build", "preview")], "Use 'gitops-ci diff'."),
        **dict.fromkeys(
            [("", name) for name in ("push", "publish")], "Use 'gitops-ci image push' or 'gitops-ci release'."
        ),
        **dict.fromkeys(
            [("", name) for name in ("tag", "tags", "retag")], "Use 'gitops-ci image tags' or 'image retag'."
        ),
        **dict.fromkeys(
            [("", name) for name in ("copy", "inspect", "digest", "prune", "labels")],
            "It is a command of 'gitops-ci image'.",
        ),
        **dict.fromkeys([("", name) for name in ("list", "ls", "get")], "Use 'gitops-ci status'."),
        **dict.fromkeys([("", name) for name in ("undo", "revert")], "Use 'gitops-ci rollback'."),
        **dict.fromkeys([("", name) for name in ("log", "logs")], "Use 'gitops-ci history'."),
        **dict.fromkeys([("", name) for name in ("freeze", "lock", "pin")], "Use 'gitops-ci hold'."),
        **dict.fromkeys([("", name) for name in ("explain", "rules")], "Use 'gitops-ci rule'."),
        ("", "login"): "Use 'docker login', or set GITOPS_CI_REGISTRY_USER and GITOPS_CI_REGISTRY_PASSWORD.",
        ("", "version"): "Use 'gitops-ci --version'.",
        ("", "schema"): "Use 'gitops-ci config schema'.",
        **dict.fromkeys([("config", name) for name in ("validate", "lint", "test")], "Use 'gitops-ci config check'."),
        **dict.fromkeys(
            [("config", name) for name in ("get", "view", "list", "print")], "Use 'gitops-ci config show'."
        ),
        ("config", "init"): "Use 'gitops-ci init'.",
        **dict.fromkeys([("image", name) for name in ("ls", "tag-list")], "Use 'gitops-ci image list'."),
        **dict.fromkeys([("image", name) for name in ("cp", "pull", "sync", "mirror")], "Use 'gitops-ci image copy'."),
        **dict.fromkeys([("image", name) for name in ("rm", "delete", "gc")], "Use 'gitops-ci image prune'."),
        ("image", "tag"): "Use 'gitops-ci image retag'.",
        ("image", "sign"): "Sign with cosign, for example by release --after-push.",
        ("image", "build"): "Build with docker or buildah, and push with 'gitops-ci image push'.",
    }
)


def advice_for_command(group: str, name: str) -> str:
    """What to use instead of another program's command, or an empty text."""
    return _ADVICE.get((group, name), "")
