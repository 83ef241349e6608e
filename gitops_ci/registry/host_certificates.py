"""The certificates that Docker and Podman keep for one registry.

Sources: docs.docker.com "Verify repository client with certificates"; containers-certs.d(5): `HOST[:PORT]/*.crt` are
authorities, `*.cert` with `*.key` is the certificate of the client.
"""

from __future__ import annotations

import os

from gitops_ci.dataclass import dataclass
from gitops_ci.errors import RegistryError

__all__ = ["HostCertificates", "certificates_for"]

_FOLDERS = (
    "~/.config/containers/certs.d",
    "~/.config/docker/certs.d",
    "/etc/containers/certs.d",
    "/etc/docker/certs.d",
)


@dataclass(frozen=True, slots=True)
class HostCertificates:
    """Authorities of a registry, and the certificate and key that it wants to see; empty without."""

    authorities: tuple[str, ...] = ()
    client: tuple[str, str] | None = None


def certificates_for(host: str, folders: tuple[str, ...] = _FOLDERS) -> HostCertificates:
    """The certificates of the first folder that has any for `host` (with its port).

    Raises:
        RegistryError: a certificate for clients without its key.
    """
    for folder in folders:
        here = os.path.join(os.path.expanduser(folder), host)
        try:
            names = sorted(os.listdir(here))
        except OSError:
            continue
        authorities = tuple(os.path.join(here, name) for name in names if name.endswith(".crt"))
        client = next((_pair(here, name, names) for name in names if name.endswith(".cert")), None)
        if authorities or client:
            return HostCertificates(authorities, client)
    return HostCertificates()


def _pair(folder: str, certificate: str, names: list[str]) -> tuple[str, str]:
    key = certificate.removesuffix(".cert") + ".key"
    if key not in names:
        raise RegistryError(
            f"{os.path.join(folder, certificate)} has no key beside it",
            hint=f"Put {key} there, or remove the certificate.",
        )
    return os.path.join(folder, certificate), os.path.join(folder, key)
