"""Who signs in to which registry: the environment, Docker's and Podman's files and helpers, the CI's own account.

Read and never written. Sources: docs.docker.com "docker login", "Credential helpers" (the `get` protocol of
github.com/docker/docker-credential-helpers); containers-auth.json(5) for Podman's and Buildah's file;
docs.gitlab.com "Predefined CI/CD variables" for `CI_REGISTRY_*`.
"""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Iterator, Mapping
from typing import Any

from gitops_ci.dataclass import dataclass
from gitops_ci.display import quoted
from gitops_ci.errors import ProgramError, RegistryError
from gitops_ci.imageref import DOCKER_HUB
from gitops_ci.registry.engine_address import docker_folder
from gitops_ci.secret import Secret
from gitops_ci.variables import variables

__all__ = ["Credential", "credentials_for"]

_HUB_KEYS = ("https://index.docker.io/v1/", "index.docker.io", "docker.io", "registry-1.docker.io")
_SIGN_IN = "Sign in again with docker login, or set GITOPS_CI_REGISTRY_USER and GITOPS_CI_REGISTRY_PASSWORD."
_VARIABLE = "DOCKER_AUTH_CONFIG"  # the text of such a file, as docker reads it and GitLab sets it
_NAMED = "REGISTRY_AUTH_FILE"  # the file of Podman, Buildah and Skopeo
_RUN = "/run/containers"
_PATIENCE = 10.0  # seconds that a helper has: it asks a keychain or a cloud's own service
_HELPER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True, slots=True)
class Credential:
    """An account at a registry; `identity` marks the secret as an OAuth refresh token instead of a password."""

    user: str
    secret: Secret
    identity: bool = False
    source: str = ""


def credentials_for(registry: str, repository: str = "", *, own: bool = False) -> Credential | None:
    """The account for a registry, or None to ask without one.

    `own` says that this is the registry the run pushes to: `GITOPS_CI_REGISTRY_USER` and `_PASSWORD` are for that one
    unless `GITOPS_CI_REGISTRY` names another.

    Raises:
        RegistryError: a configuration that cannot be read, or a credential helper that failed.
    """
    environ = variables()
    return (
        _from_environment(registry, environ, own=own)
        or _from_files(registry, repository, environ)
        or _from_gitlab(registry, environ)
    )


def _from_environment(registry: str, environ: Mapping[str, str], *, own: bool) -> Credential | None:
    user, password = environ.get("GITOPS_CI_REGISTRY_USER", ""), environ.get("GITOPS_CI_REGISTRY_PASSWORD", "")
    if not password:
        return None
    named = environ.get("GITOPS_CI_REGISTRY", "")
    if _host(named) != registry if named else not own:
        return None
    if not user:
        raise RegistryError(
            "GITOPS_CI_REGISTRY_PASSWORD is set and GITOPS_CI_REGISTRY_USER is not",
            hint="Set both. If the registry needs only a token, any user name works.",
        )
    return Credential(user, Secret(password), source="GITOPS_CI_REGISTRY_USER")


def _from_gitlab(registry: str, environ: Mapping[str, str]) -> Credential | None:
    user, password = environ.get("CI_REGISTRY_USER", ""), environ.get("CI_REGISTRY_PASSWORD", "")
    if user and password and registry == _host(environ.get("CI_REGISTRY", "")):
        return Credential(user, Secret(password), source="CI_REGISTRY_USER")
    return None


def _from_files(registry: str, repository: str, environ: Mapping[str, str]) -> Credential | None:
    for path, config in _configurations(environ):
        helper = _helper(config, registry)
        found = _ask(helper, registry) if helper else None
        if found := found or _stored(config, registry, repository, path):
            return found
    return None


def _configurations(environ: Mapping[str, str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each place of accounts with what it has, the one that goes before the others first."""
    if text := environ.get(_VARIABLE):
        yield _VARIABLE, _parsed(text, _VARIABLE)
    for path in _files(environ):
        try:
            with open(path, encoding="utf-8") as file:
                text = file.read()
        except (FileNotFoundError, NotADirectoryError):
            if path == environ.get(_NAMED):
                raise _unreadable(path, f"{_NAMED} names it, and it does not exist") from None
            continue
        except (OSError, ValueError) as error:
            raise _unreadable(path, getattr(error, "strerror", None) or "it is not UTF-8") from None
        yield path, _parsed(text, path)


def _files(environ: Mapping[str, str]) -> Iterator[str]:
    if named := environ.get(_NAMED):
        yield named
    yield os.path.join(docker_folder(environ), "config.json")
    if runtime := environ.get("XDG_RUNTIME_DIR"):
        yield os.path.join(runtime, "containers", "auth.json")
    elif hasattr(os, "getuid"):
        # Without a session, as root in a job's container, Podman keeps its logins here (containers-auth.json(5)).
        yield os.path.join(_RUN, str(os.getuid()), "auth.json")
    config = environ.get("XDG_CONFIG_HOME") or os.path.join(os.path.expanduser("~"), ".config")
    yield os.path.join(config, "containers", "auth.json")


def _parsed(text: str, place: str) -> dict[str, Any]:
    try:
        config = json.loads(text) if text.strip() else {}  # an empty file has no accounts, as for docker
    except (ValueError, RecursionError):
        raise _unreadable(place, "it is not JSON") from None
    return config if isinstance(config, dict) else {}


def _unreadable(place: str, reason: str) -> RegistryError:
    hint = "Sign in again with docker login or podman login, which write the file."
    if place == _VARIABLE:
        hint = "Set it to the text of the file that docker login writes."
    return RegistryError(f"The registry accounts in {place} cannot be read: {reason}", hint=hint)


def _keys(registry: str) -> tuple[str, ...]:
    return _HUB_KEYS if registry == DOCKER_HUB else (registry,)


def _helper(config: Mapping[str, Any], registry: str) -> str:
    helpers = config.get("credHelpers")
    for key in _keys(registry):
        if isinstance(helpers, dict) and isinstance(helpers.get(key), str):
            return str(helpers[key])
    store = config.get("credsStore")
    return store if isinstance(store, str) else ""


def _ask(helper: str, registry: str) -> Credential | None:
    """Ask `docker-credential-<helper>`; it gets the registry on stdin and answers in JSON on stdout."""
    from gitops_ci.process import run

    program = f"docker-credential-{helper}"
    if not _HELPER.fullmatch(helper):
        raise RegistryError(f"'{helper}' is not the name of a credential helper", hint=_SIGN_IN)
    try:
        said = run(
            [program, "get"],
            stdin=_keys(registry)[0].encode(),
            environment=_for_helper(),
            seconds=_PATIENCE,
            own_group=True,
            allowed=frozenset(range(256)),
        )
    except ProgramError as error:
        raise RegistryError(
            f"The credential helper for {registry} could not be asked: {error.message}",
            hint=_about_helper(program, registry),
        ) from None
    account = _account(said.stdout)
    if said.code:
        # What failed may have printed an account all the same: that is never repeated.
        text = said.stderr if account else said.stdout.decode("utf-8", "replace") + said.stderr
        if "credentials not found" in text:
            return None
        raise RegistryError(
            f"The credential helper {program} has no account for {registry}: "
            f"{quoted(text.strip()) or f'exit code {said.code}'}",
            hint=_SIGN_IN,
        )
    if account is None:
        raise RegistryError(f"The credential helper {program} did not answer with an account", hint=_SIGN_IN)
    user, secret = account
    return Credential(user, Secret(secret), identity=user == "<token>", source=program) if secret else None


def _account(answer: bytes) -> tuple[str, str] | None:
    """The user and the secret that a helper printed."""
    try:
        data = json.loads(answer)
        user, secret = data["Username"], data["Secret"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return (user, secret) if isinstance(user, str) and isinstance(secret, str) else None


def _about_helper(program: str, registry: str) -> str:
    from gitops_ci.process import find

    if find(program) is None:
        return f"Install {program}, or take it out of Docker's config.json and sign in with docker login."
    return f"Run it by hand to see what it waits for: echo {_keys(registry)[0]} | {program} get"


def _for_helper() -> dict[str, str]:
    """The user's own program, which may sign in to a cloud with keys that are variables; none of ours is among them."""
    return {name: value for name, value in variables().items() if not name.startswith("GITOPS_CI_")}


def _stored(config: Mapping[str, Any], registry: str, repository: str, path: str) -> Credential | None:
    """The entry of `auths` for the registry, or for the longest part of the repository's path that has one."""
    auths = config.get("auths")
    if not isinstance(auths, dict):
        return None
    known: dict[str, Any] = {}
    for key, entry in sorted(auths.items(), key=lambda item: _key(item[0]) != item[0]):  # exact names before addresses
        if isinstance(entry, dict):
            known.setdefault(_key(key), entry)
    names = [registry] if registry != DOCKER_HUB else [_key(key) for key in _HUB_KEYS]
    paths = repository.split("/")
    prefixes = [f"{registry}/{'/'.join(paths[:n])}" for n in range(len(paths), 0, -1) if repository]
    for name in (*prefixes, *names):
        if (entry := known.get(name)) and (found := _entry(entry, path)):
            return found
    return None


def _entry(entry: Mapping[str, Any], path: str) -> Credential | None:
    user, password = (entry.get(name) for name in ("username", "password"))
    if isinstance(auth := entry.get("auth"), str) and (auth := auth.strip()):
        try:  # some programs leave the padding out
            user, colon, password = (
                base64.b64decode(auth + "=" * (-len(auth) % 4), validate=True).decode().partition(":")
            )
        except ValueError:
            user = password = colon = ""
        if not colon:
            raise RegistryError(
                f"An account in {path} is damaged: 'auth' is not base64 of user:password", hint=_SIGN_IN
            )
        password = password.rstrip("\0")
    if isinstance(token := entry.get("identitytoken"), str) and token:
        return Credential(
            user if isinstance(user, str) and user else "<token>", Secret(token), identity=True, source=path
        )
    if isinstance(user, str) and isinstance(password, str) and user and password:
        return Credential(user, Secret(password), source=path)
    return None


def _key(key: str) -> str:
    """`https://host/v1/` and `host` are the same registry; `host/team` is a part of it, and so is `host/team/v1`."""
    bare = re.sub(r"^https?://", "", key).rstrip("/")
    return re.sub(r"^([^/]*)/v[12]$", r"\1", bare)


def _host(registry: str) -> str:
    host = _key(registry).partition("/")[0]
    return DOCKER_HUB if host in {"index.docker.io", "registry-1.docker.io"} else host
