"""What a registry's refusal means and what to do about it, in one place for every request.

Source: opencontainers/distribution-spec, "Error Codes"; the answers that Docker Hub, GHCR, GitLab, ECR, Harbor and
Artifact Registry are known to give beyond it.
"""

from __future__ import annotations

import re
from typing import Any

from gitops_ci.display import quoted
from gitops_ci.errors import RegistryError
from gitops_ci.http import HttpError, Response

__all__ = [
    "IMMUTABLE",
    "NO_REGISTRY",
    "AccessDenied",
    "ImmutableTag",
    "Refused",
    "has_trouble",
    "refusal",
    "unasked",
    "unreachable",
]

NO_REGISTRY = "It does not speak the protocol of registries (a proxy in between?): ask whoever runs it."
_IMMUTABLE_STATUSES = {400, 403, 405, 409, 412, 422}
# How registries refuse to move a tag: ECR, Harbor, Quay and Docker Hub ("immutable"), ECR ("already exists", "cannot be
# overwritten"), Artifact Registry ("tag immutability"), ACR ("operation is disallowed"), Nexus ("does not allow
# updating assets"), GitLab ("protected"), Artifactory ("not enough permissions to overwrite").
IMMUTABLE = re.compile(
    r"immutab|overwrit|already exists|operation is disallowed|does not allow updating|\btag\b.{0,200} is protected"
    r"|protected tag|tag is locked",
    re.IGNORECASE,
)


# The distribution specification's code for a manifest that refers to what is not there.
_INCOMPLETE = re.compile("manifest_blob_unknown", re.IGNORECASE)


class AccessDenied(RegistryError):
    """The registry answered 401 or 403: this account may not, or what is asked for is not there."""


class ImmutableTag(RegistryError):
    """The registry never gives this tag to another image."""


def refusal(answer: Response, doing: str, registry: str, *, signed_in: bool) -> RegistryError:
    """The error for an answer of status 300 and above; `doing` is what was tried, as `pushing to ghcr.io/acme/shop`."""
    code, said = _said(answer)
    kind: type[RegistryError]
    what = f"{registry} refused {doing}: {answer.status}{f' {code}' if code else ''}{f', {said}' if said else ''}"
    kind = RegistryError
    if answer.status in _IMMUTABLE_STATUSES and IMMUTABLE.search(f"{code} {said}"):
        kind = ImmutableTag
    elif answer.status in {401, 403}:
        kind = AccessDenied
    elif answer.status in _IMMUTABLE_STATUSES:
        kind = Refused
    return kind(what, hint=_hint(answer.status, f"{code} {said}".lower(), registry, signed_in=signed_in))


class Refused(RegistryError):
    """The registry refused what was asked, and neither the account nor its own state is the reason."""


def has_trouble(answer: Response) -> bool:
    """Whether this is about the registry's state, not about what was asked for."""
    return answer.status == 429 or (answer.status >= 500 and answer.status != 501)


def unasked(answer: Response, doing: str, registry: str, challenge: str) -> RegistryError:
    """The error for a 401 that asks for no account in a way that we know; `challenge` is what it asks for."""
    asks = f"asks for {quoted(challenge.split(maxsplit=1)[0])}" if challenge.strip() else "does not say how to sign in"
    error = refusal(answer, doing, registry, signed_in=True)
    hint = f"{registry} {asks}, so the account was not sent. gitops-ci supports Basic and Bearer. Check the address."
    return AccessDenied(error.message, hint=hint)


def unreachable(registry: str, error: HttpError) -> RegistryError:
    message = error.message if registry in error.message else f"{registry}: {error.message}"
    hint = error.hint or _hint(0, "", registry)
    if "TLS" in error.message:
        hint = (
            "Name a private authority with --registry-ca FILE, or put it into /etc/docker/certs.d/HOST/ca.crt; "
            "--insecure HOST takes any certificate, or none."
        )
    return RegistryError(f"The registry cannot be reached: {message}", hint=hint)


def _hint(status: int, said: str, registry: str, *, signed_in: bool = False) -> str:
    if status in _IMMUTABLE_STATUSES and IMMUTABLE.search(said):
        return "The registry never moves this tag: release the image as a new version."
    if status in {400, 404} and _INCOMPLETE.search(said):
        return "The registry lacks a part of the image: run it again. If it takes no sparse index, leave --sparse out."
    if status == 401 and not signed_in:
        return (
            f"No account for {registry} was found: set GITOPS_CI_REGISTRY_USER and GITOPS_CI_REGISTRY_PASSWORD, "
            "or run docker login before."
        )
    if status == 401:
        return "Check the password or token, and when it expires."
    if status == 403:
        return "The account may not do this here: check its rights on this repository (on GitHub 'packages: write')."
    if status == 404:
        return "The repository is not there, or hidden from this account; some registries want it created before."
    if status == 405:
        return "The registry does not take this: it may be read-only, or a mirror."
    if status == 413:
        return "A proxy before the registry limits the size of uploads: raise its limit."
    if status == 429:
        return "The registry's rate limit is used up: sign in, or try later."
    if status >= 500:
        return "The registry has trouble of its own: try again later."
    return "Check the address, and that the registry answers." if status == 0 else ""


def _said(answer: Response) -> tuple[str, str]:
    """The first error's code and message, or the beginning of whatever text there is."""
    try:
        data: Any = answer.json()
    except HttpError:
        data = None
    errors = data.get("errors") if isinstance(data, dict) else None
    if isinstance(errors, list) and errors and isinstance(errors[0], dict):
        code, message = str(errors[0].get("code") or ""), str(errors[0].get("message") or "")
        detail = errors[0].get("detail")
        told = f"{message} ({detail})" if isinstance(detail, str) and detail and detail != message else message
        return quoted(code), quoted(told)
    if "html" in answer.headers.get("content-type", ""):
        return "", "with a web page: is this a registry?"
    try:
        return "", quoted(answer.text)
    except HttpError:
        return "", ""
