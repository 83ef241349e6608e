"""Code hosts: where pull requests are opened. A kind is a file here and a line below."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from gitops_ci.errors import UsageError
from gitops_ci.lazy import LazyModules
from gitops_ci.text import nearest

if TYPE_CHECKING:
    from gitops_ci.forges.base import ForgeKind
    from gitops_ci.repourl import RepoUrl

__all__ = ["FORGES", "check_api_url", "check_kind", "choose"]

FORGES: Mapping[str, ForgeKind] = LazyModules(
    "forges",
    {
        "github": "github:KIND",
        "gitlab": "gitlab:KIND",
        "gitea": "gitea:KIND",
        "bitbucket": "bitbucket:KIND",
        "bitbucket-dc": "bitbucket_dc:KIND",
        "azure-devops": "azure_devops:KIND",
        "gerrit": "gerrit:KIND",
        "git": "plain_git:KIND",
    },
)


def choose(kind: str, url: RepoUrl, api_url: str | None) -> ForgeKind:
    """The kind of code host by its name, or by the repository's address where `kind` is `auto`.

    Raises:
        UsageError: no such kind, a host that does not tell its kind, or an API address that is not safe.
    """
    if api_url:
        check_api_url(api_url)
    if kind != "auto":
        return _named(kind)
    for known in FORGES.values():
        if known.hosts(url.code_host):
            return known
    from gitops_ci.repourl import is_loopback

    if not api_url and (url.scheme == "file" or is_loopback(url.host)):
        return FORGES["git"]
    raise UsageError(
        f"Cannot tell which kind of code host {url.host or url} is",
        hint=f"Name it with --forge: {', '.join(FORGES)}.",
    )


def check_kind(kind: str) -> None:
    """Raises UsageError for a name that is neither `auto` nor a kind of code host."""
    if kind != "auto":
        _named(kind)


def _named(kind: str) -> ForgeKind:
    if kind in FORGES:
        return FORGES[kind]
    near = nearest(kind, FORGES)
    raise UsageError(
        f"There is no kind of code host '{kind}'{f': did you mean {near!r}?' if near else ''}",
        hint=f"Known: auto, {', '.join(FORGES)}.",
    )


def check_api_url(text: str) -> None:
    """Raises UsageError for an address that is none, is not safe, or contains credentials."""
    from urllib.parse import urlsplit

    from gitops_ci.repourl import is_loopback

    try:
        parts = urlsplit(text)
        _, host = parts.port, parts.hostname or ""
    except ValueError:
        parts, host = urlsplit(""), ""
    # However it is to be read: what stands before an @ may be a token, and is not shown.
    if "@" in text:
        raise UsageError("The address of the API contains credentials", hint="Set GITOPS_CI_TOKEN instead.")
    if not host or parts.query or parts.fragment or not text.isprintable() or " " in text:
        raise UsageError(
            f"{text!r} is not the address of an API", hint="Write it as https://github.example.com/api/v3."
        )
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        raise UsageError(
            f"{text} is not https",
            hint="Plain http would send a token unencrypted: use https. Plain http works for loopback addresses only.",
        )
