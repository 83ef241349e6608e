"""Which Engine the `docker` program would use, from the variables and files that it reads.

Sources: docs.docker.com "docker CLI", "Environment variables", and "Docker contexts"; docker/cli `cli/command/cli.go`
(`resolveContextName`), `cli/context/store` (the files of a context), `cli/flags/options.go` (TLS). Podman's
`CONTAINER_HOST` (podman-remote(1)) counts where nothing of Docker's is set.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from typing import Any

from gitops_ci.dataclass import dataclass
from gitops_ci.errors import RegistryError

__all__ = ["EngineAddress", "EngineTls", "docker_folder", "find_engine"]

_DEFAULT = "default"  # the context that is not a file: the variables, or the usual socket
_NO_CONTEXT = "docker context ls lists them. Set DOCKER_CONTEXT or DOCKER_HOST, or run docker context use."


@dataclass(frozen=True, slots=True)
class EngineTls:
    """PEM files for an Engine that speaks TLS, '' where there is none. `verify`: the Engine has to prove its name."""

    ca: str
    certificate: str
    key: str
    verify: bool


@dataclass(frozen=True, slots=True)
class EngineAddress:
    """An Engine's address, '' for the usual socket; `origin` is what names it, for errors."""

    host: str
    origin: str
    tls: EngineTls | None = None


def find_engine(environ: Mapping[str, str]) -> EngineAddress:
    """The Engine of DOCKER_HOST, else of the context DOCKER_CONTEXT or `docker context use` names, else CONTAINER_HOST.

    Raises:
        RegistryError: a context or a certificate that is not there. Another Engine may hold another image of the name.
    """
    if host := environ.get("DOCKER_HOST"):
        return EngineAddress(host, "DOCKER_HOST", _tls_of_variables(environ))
    folder = docker_folder(environ)
    if name := environ.get("DOCKER_CONTEXT"):
        origin = "DOCKER_CONTEXT"
    else:
        name, origin = _current_context(folder), os.path.join(folder, "config.json")
    if name and name != _DEFAULT:
        return _context(folder, name, origin)
    if not name and (host := environ.get("CONTAINER_HOST")):
        return EngineAddress(host, "CONTAINER_HOST")
    return EngineAddress("", "the usual socket", _tls_of_variables(environ))


def docker_folder(environ: Mapping[str, str]) -> str:
    """The folder of Docker's configuration."""
    return environ.get("DOCKER_CONFIG") or os.path.join(os.path.expanduser("~"), ".docker")


def _current_context(folder: str) -> str:
    config = _json(os.path.join(folder, "config.json"))
    name = config.get("currentContext") if config else None
    return name if isinstance(name, str) else ""


def _context(folder: str, name: str, origin: str) -> EngineAddress:
    """A context that `docker context create` made."""
    key = hashlib.sha256(name.encode()).hexdigest()
    contexts = os.path.join(folder, "contexts")
    meta = _json(os.path.join(contexts, "meta", key, "meta.json"))
    if meta is None:
        raise RegistryError(
            f"{origin} names the Docker context '{name}', which does not exist in {contexts}", hint=_NO_CONTEXT
        )
    endpoints = meta.get("Endpoints")
    endpoint = endpoints.get("docker") if isinstance(endpoints, dict) else None
    host = endpoint.get("Host") if isinstance(endpoint, dict) else None
    if not isinstance(endpoint, dict) or not isinstance(host, str):
        raise RegistryError(f"The Docker context '{name}' has no address of an Engine", hint=_NO_CONTEXT)
    verify = not endpoint.get("SkipTLSVerify")
    files = os.path.join(contexts, "tls", key, "docker")
    tls = _tls(files, verify=verify) if os.path.isdir(files) or not verify else None
    return EngineAddress(host, f"the Docker context '{name}'", tls)


def _tls_of_variables(environ: Mapping[str, str]) -> EngineTls | None:
    """DOCKER_TLS_VERIFY and DOCKER_TLS turn TLS on by any text but none, as docker reads them."""
    verify = bool(environ.get("DOCKER_TLS_VERIFY"))
    if not verify and not environ.get("DOCKER_TLS"):
        return None
    folder = environ.get("DOCKER_CERT_PATH") or docker_folder(environ)
    tls = _tls(folder, verify=verify)
    if verify and not tls.ca:
        raise RegistryError(
            f"DOCKER_TLS_VERIFY is set, and there is no {os.path.join(folder, 'ca.pem')}",
            hint="Set DOCKER_CERT_PATH to the folder with ca.pem, cert.pem and key.pem. GitLab's docker:dind writes it "
            "to /certs/client, where the runner shares /certs/client as a volume.",
        )
    return tls


def _tls(folder: str, *, verify: bool) -> EngineTls:
    """The PEM files of a folder.

    Raises:
        RegistryError: a certificate without its key, or a key without its certificate.
    """
    ca, certificate, key = (_present(os.path.join(folder, name)) for name in ("ca.pem", "cert.pem", "key.pem"))
    if bool(certificate) != bool(key):
        missing = "key.pem" if certificate else "cert.pem"
        raise RegistryError(
            f"The Docker Engine's certificate for clients is incomplete: there is no {os.path.join(folder, missing)}",
            hint="For TLS, give both cert.pem and key.pem, or neither.",
        )
    return EngineTls(ca, certificate, key, verify)


def _present(path: str) -> str:
    return path if os.path.isfile(path) else ""


def _json(path: str) -> dict[str, Any] | None:
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
        data = json.loads(text) if text.strip() else {}  # docker takes an empty file for one without settings
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or "it is not JSON"
        raise RegistryError(
            f"{path} cannot be read: {reason}",
            hint="Set DOCKER_HOST to use an Engine whatever the file contains.",
        ) from None
    return data if isinstance(data, dict) else None
