"""Addresses of Git repositories, checked at the door: what passes here is safe to hand to git and to compare.

Accepted: `https://`, `ssh://`, `user@host:path`, plain `http://` to loopback only, `file://` and local paths.
Refused: every other scheme (`ext::`, `fd::`), a host or path that starts with `-`, control characters, credentials.
"""

from __future__ import annotations

import os
import re
from typing import Literal
from urllib.parse import unquote, urlsplit

from gitops_ci.dataclass import dataclass
from gitops_ci.errors import UsageError
from gitops_ci.lazy import lazy_pattern

__all__ = ["RepoUrl", "is_loopback"]

_SCP = lazy_pattern(
    r"(?:(?P<user>[A-Za-z0-9_.][A-Za-z0-9_.-]*)@)?(?P<host>[A-Za-z0-9_.][A-Za-z0-9_.-]*):(?P<path>[^:\\].*)"
)
_HOST = lazy_pattern(r"[A-Za-z0-9_.][A-Za-z0-9_.-]*|[0-9a-fA-F:]+")
_NAMES_A_USER = frozenset({"dev.azure.com", "bitbucket.org"})
# Where ssh is on port 443, for networks that let nothing else out: docs.github.com "Using SSH over the HTTPS port",
# docs.gitlab.com "GitLab.com settings", support.atlassian.com "Troubleshoot SSH".
_BY_PORT_443 = {
    "ssh.github.com": "github.com",
    "altssh.gitlab.com": "gitlab.com",
    "altssh.bitbucket.org": "bitbucket.org",
}
_PART = r"(?!\.{1,2}(?:/|$))[A-Za-z0-9_.~][A-Za-z0-9_.~-]*"
_NAMES = lazy_pattern(rf"{_PART}(?:/{_PART})*")
_LOOPBACK = lazy_pattern(r"localhost|127(?:\.\d{1,3}){3}|::1")


@dataclass(frozen=True, slots=True)
class RepoUrl:
    """A repository's address. `path` has no leading slash and no `.git`; `text` is what git gets, without secrets."""

    text: str
    scheme: Literal["https", "http", "ssh", "file"]
    host: str
    port: int | None
    path: str

    @classmethod
    def parse(cls, text: str) -> RepoUrl:
        """Read an address.

        Raises:
            UsageError: another scheme, credentials in the URL, or characters that no address has.
        """
        if not text or any(ord(c) < 0x21 or ord(c) == 0x7F for c in text.replace(" ", "_")) or text.startswith("-"):
            raise UsageError(f"{_shown(text)} is not the address of a Git repository", hint=_EXAMPLE)
        if "://" in text:
            return _from_url(text)
        if "::" in text.partition("/")[0]:
            raise _scheme_refused(text.partition("::")[0] + "::")
        if (scp := _SCP.fullmatch(text)) and "/" not in text.partition(":")[0] and not os.path.exists(text):
            if scp["path"].startswith("-"):
                raise UsageError(f"{_shown(text)} is not the address of a Git repository", hint=_EXAMPLE)
            return cls(text, "ssh", scp["host"].lower(), None, _path(scp["path"]))
        if ":" in text.partition("/")[0] and not os.path.exists(text):
            raise UsageError(f"{_shown(text)} is not the address of a Git repository", hint=_EXAMPLE)
        return cls(os.path.abspath(text), "file", "", None, os.path.abspath(text).strip("/"))

    @property
    def owner(self) -> str:
        """Everything before the repository's name: `acme`, or GitLab's `acme/platform/apps`."""
        return self.path.rpartition("/")[0]

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]

    @property
    def code_host(self) -> str:
        """The host that the repository is on, also where ssh goes by another name."""
        return _BY_PORT_443.get(self.host, self.host)

    @property
    def netloc(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}" if self.port else host

    @property
    def origin(self) -> str:
        """`scheme://host[:port]`, the key of git's per-host settings."""
        return f"{self.scheme}://{self.netloc}"

    def fork(self, text: str, *, below: str | None = None) -> RepoUrl:
        """The address of a fork on the same host: `OWNER`, `OWNER/NAME`, or all of it.

        The names take the place of the last two parts of the path, or of all parts below a path of the host.

        Raises:
            UsageError: it is on another host, or the repository itself.
        """
        if "://" in text or _SCP.fullmatch(text) or text.startswith("/"):
            found = RepoUrl.parse(text)
        elif self.path and _NAMES.fullmatch(text):
            path = text if "/" in text else f"{text}/{self.name}"
            above = self.owner.rpartition("/")[0] if below is None else below
            before, _, after = self.text.rpartition(self.path)
            found = RepoUrl.parse(f"{before}{above}{'/' if above else ''}{path}{after}")
        else:
            raise UsageError(f"{_shown(text)} is not a fork", hint="Write it as OWNER/NAME, or as its whole address.")
        if (found.scheme, found.netloc) != (self.scheme, self.netloc):
            raise UsageError(
                f"The fork {found} is not on the host of {self}",
                hint="A fork has the same scheme, host and port: the token is for that host alone.",
            )
        if found.path == self.path:
            raise UsageError(f"The fork is {self} itself", hint="Leave out --fork, or name another repository.")
        return found

    def __str__(self) -> str:
        return self.text


_EXAMPLE = "Write it as https://github.com/acme/shop-config, git@github.com:acme/shop-config.git, or a local path."


def _scheme_refused(scheme: str) -> UsageError:
    return UsageError(f"Git address with '{scheme}' is refused", hint=f"Only https, ssh and file are safe. {_EXAMPLE}")


def _from_url(text: str) -> RepoUrl:
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise UsageError(f"{_shown(text)} is not the address of a Git repository", hint=_EXAMPLE) from None
    scheme = parts.scheme.lower()
    text = scheme + text[len(scheme) :]  # git knows its transports in lower case only
    if host in _NAMES_A_USER and parts.username and parts.password is None and scheme == "https":
        # The clone addresses of these websites name the organization, or who looks at the page: no credentials.
        return _from_url(text.replace(f"{parts.username}@", "", 1))
    if " " in parts.path and (host == "dev.azure.com" or host.endswith(".visualstudio.com")):
        # Projects there have names with blanks, and git takes none in a URL.
        return _from_url(text.replace(" ", "%20"))
    if parts.password is not None or (parts.username is not None and scheme in {"http", "https"}):
        shown = f"{scheme}://{host}{parts.path}"
        raise UsageError(
            f"The address {shown} contains credentials",
            hint="Leave them out of the URL and set GITOPS_CI_TOKEN: a URL ends up in logs and process lists.",
        )
    if scheme == "file":
        return RepoUrl(text, "file", "", None, unquote(parts.path).strip("/"))
    if scheme not in {"https", "http", "ssh"}:
        raise _scheme_refused(f"{scheme}://")
    if parts.query or parts.fragment:
        raise UsageError(f"The address {scheme}://{host}{parts.path} contains a query", hint=_EXAMPLE)
    if not _HOST.fullmatch(host) or parts.path.startswith("/-") or not parts.path.strip("/"):
        raise UsageError(f"{_shown(text)} is not the address of a Git repository", hint=_EXAMPLE)
    if scheme == "http" and not is_loopback(host):
        raise UsageError(
            f"{text} is plain http",
            hint="Plain http would send a token unencrypted: use https. Plain http works for loopback addresses only.",
        )
    if scheme != "ssh" and (clone := _clone_path(host, parts.path)):
        shown = f"{scheme}://{parts.netloc}{clone}"
        raise UsageError(f"{text} is a page of the repository, and not its address", hint=f"Give {shown}")
    return RepoUrl(text, scheme, host.lower(), port, _path(parts.path))  # type: ignore[arg-type]


def _clone_path(host: str, path: str) -> str:
    """The path to clone from, where this one is of a page that a code host shows for a repository; else ""."""
    if page := re.fullmatch(r"(/.+?)/-/.*", path):  # GitLab keeps `-` for its pages
        return page[1]
    if host in {"github.com", "bitbucket.org", "codeberg.org"}:
        words = "tree|blob|src|pulls?|pull-requests|commits?|issues"
        page = re.fullmatch(rf"(/[^/]+/[^/]+)/(?:{words})(?:/.*)?", path)
        return page[1] if page else ""
    if host.startswith(("bitbucket.", "stash.")):
        page = re.fullmatch(r"(.*)/projects/([^/]+)/repos/([^/]+)(?:/.*)?", path)
        return f"{page[1]}/scm/{page[2]}/{page[3]}.git" if page else ""
    return ""


def _shown(text: str) -> str:
    """What is not an address, for an error: what may hold a password is not repeated."""
    return f"'{text.partition('://')[0]}://…'" if "://" in text and "@" in text else repr(text)


def is_loopback(host: str) -> bool:
    """Whether a host, without port and brackets, is this machine: plain http is fit for it and for nothing else."""
    return _LOOPBACK.fullmatch(host) is not None


def _path(path: str) -> str:
    return path.strip("/").removesuffix(".git").strip("/")
