"""Images in a Docker Engine: look at them, push one tag, export them. The one importer of the docker SDK.

The Engine says what goes wrong with a push inside a stream that began with 200 OK: a push has succeeded if and only if
a digest came and no error did (docs.docker.com/reference/api/engine, "Push an image").
"""

from __future__ import annotations

import os
import random
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from typing import Any

from gitops_ci.dataclass import dataclass
from gitops_ci.display import quoted
from gitops_ci.errors import RegistryError
from gitops_ci.imageref import ImageRef
from gitops_ci.registry.base import Progress, platform_of
from gitops_ci.registry.credentials import Credential
from gitops_ci.registry.engine_address import EngineAddress, find_engine
from gitops_ci.registry.refusals import IMMUTABLE
from gitops_ci.registry.ssh_tunnel import SshTunnel
from gitops_ci.variables import variables

__all__ = ["Engine", "EngineImage"]

_USUAL = "unix:///var/run/docker.sock"
_TIMEOUT = 600  # seconds of silence: a registry may take long to file a large layer away
_TRIES = 5
_PLATFORM = {"os": "Os", "architecture": "Architecture", "variant": "Variant"}  # ours: the Engine API's
_ENGINE = "The Engine's own log says more; `docker image inspect` asks it the same."
_PASSING = re.compile(
    r"\b(?:429|500|502|503|504)\b|toomanyrequests|too many requests|\beof\b|connection reset|broken pipe|i/o timeout"
    r"|TLS handshake timeout|service unavailable|bad gateway|internal server error",
    re.IGNORECASE,
)
# The classic store repeats the digest as a value of its own, the containerd store says it only so.
_PUSHED = re.compile(r"\S+: digest: (sha256:[0-9a-f]{64}) size: \d+")
_FINAL = re.compile(r"denied|unauthorized|authentication|no basic auth|invalid|no such host|refused", re.IGNORECASE)

# What the Engine says, and what to do about it; the first that fits.
_HINTS = (
    (IMMUTABLE.pattern, "immutable"),
    (r"no basic auth credentials|unauthorized|authentication required|incorrect username", "account"),
    (r"denied|forbidden|insufficient_scope", "rights"),
    (r"HTTP response to HTTPS client|first record does not look like a TLS handshake", "plain"),
    (r"x509|certificate", "certificate"),
    (r"no such host|connection refused|i/o timeout|network is unreachable|no route to host", "network"),
    (
        r"does not provide any platform|missing content|content of the index is missing|content digest .* not found",
        "platforms",
    ),
    (r"toomanyrequests|too many requests|\b429\b", "limit"),
)
_ADVICE = {
    "account": "Set GITOPS_CI_REGISTRY_USER and GITOPS_CI_REGISTRY_PASSWORD, or run docker login before.",
    "rights": "The account may not push here: check its rights on this repository (on GitHub 'packages: write').",
    "plain": "The Engine requires TLS. Add the registry to insecure-registries in Docker's daemon.json, or with "
    "insecure = true to Podman's registries.conf. Or push without the Engine: 'docker save -o image.tar NAME', "
    "and docker-archive:image.tar as the source.",
    "certificate": "The Engine does not trust the registry: put its authority in /etc/docker/certs.d/HOST/ca.crt.",
    "network": "The Engine connects to the registry, not gitops-ci: check that the Engine's machine reaches it.",
    "platforms": "The Engine holds only some platforms of the image: push it from its registry with registry:NAME.",
    "immutable": "The registry never moves this tag: release the image as a new version.",
    "limit": "The registry's rate limit is used up: sign in, or try later.",
}


@dataclass(frozen=True, slots=True)
class EngineImage:
    """An image as the Engine has it. `id` is the digest of its config, in the containerd store that of its manifest.

    `platform` is `os/architecture[/variant]`. `origins` are the digests it was pulled or pushed by before, as
    `name@sha256:…`.
    """

    name: str
    id: str
    labels: Mapping[str, str]
    created: str
    size: int
    origins: tuple[str, ...]
    platform: str = ""


class Engine:
    """The Engine that the `docker` program would use."""

    def __init__(self) -> None:
        """Raises RegistryError when no Engine answers."""
        address = find_engine(variables())
        self.where = address.host or _USUAL
        self._stack = ExitStack()
        try:
            # The SDK is untyped where it matters.
            self._client: Any = self._connect(address)
        except BaseException:
            self._stack.close()
            raise
        self._stack.callback(self._client.close)

    def _connect(self, address: EngineAddress) -> Any:
        from docker.errors import DockerException
        from docker.tls import TLSConfig

        url, tunnel = self.where, None
        if url.startswith("ssh://"):
            # The SDK's own way over ssh needs another library, which asks nobody before it trusts a host.
            tunnel = self._stack.enter_context(SshTunnel(address))
            url = tunnel.url
        elif url.startswith("unix://") and not os.path.exists(url.removeprefix("unix://")):
            raise _no_engine(address, self.where, "there is no such socket")
        try:
            tls = None
            if (pem := address.tls) and not url.startswith("unix://"):
                own = (pem.certificate, pem.key) if pem.certificate else None
                tls = TLSConfig(client_cert=own, ca_cert=pem.ca or None, verify=pem.verify)
            return _client_class()(base_url=url, tls=tls or False, version="auto", timeout=_TIMEOUT)
        except (DockerException, OSError, ValueError) as error:
            raise _no_engine(address, self.where, (tunnel and tunnel.reason()) or _reason(error)) from None

    def close(self) -> None:
        self._stack.close()

    def inspect(self, name: str) -> EngineImage:
        """Raises RegistryError when there is no such image."""
        from docker.errors import APIError, ImageNotFound

        try:
            found: dict[str, Any] = self._client.inspect_image(name)
        except ImageNotFound:
            raise RegistryError(f"The Docker Engine has no image '{name}'", hint=self._nearest(name)) from None
        except APIError as error:
            raise RegistryError(f"The Docker Engine cannot show '{name}': {_reason(error)}", hint=_ENGINE) from None
        config = found.get("Config") or {}
        return EngineImage(
            name=name,
            id=str(found["Id"]),
            labels=config.get("Labels") or {},
            created=str(found.get("Created") or ""),
            size=int(found.get("Size") or 0),
            origins=tuple(found.get("RepoDigests") or ()),
            platform=platform_of({key: found.get(name) for key, name in _PLATFORM.items()}),
        )

    def keeps_indexes(self) -> bool:
        """Whether this Engine stores images as registries do (the containerd store), all platforms of one together."""
        from docker.errors import APIError

        try:
            status = self._client.info().get("DriverStatus") or []
        except (APIError, OSError):
            return False
        return any("io.containerd.snapshotter" in str(part) for pair in status for part in pair)

    def absent_platforms(self, image: EngineImage) -> tuple[str, ...]:
        """The platforms of an image that the Engine knows of and does not hold; Engines before 28 do not tell.

        Raises:
            RegistryError: the Engine does not answer.
        """
        from docker.errors import APIError

        try:
            # The SDK knows no `manifests` (API 1.48).
            answer = self._client.get(self._client._url("/images/{0}/json", image.id), params={"manifests": "1"})  # noqa: SLF001
            found: dict[str, Any] = self._client._result(answer, json=True)  # noqa: SLF001
        except (APIError, OSError) as error:
            raise RegistryError(
                f"The Docker Engine cannot show '{image.name}': {_reason(error)}", hint=_ENGINE
            ) from None
        absent = [part["Descriptor"] for part in found.get("Manifests") or () if not part.get("Available", True)]
        return tuple(
            "/".join((part.get("platform") or {}).get(key, "?") for key in ("os", "architecture")) for part in absent
        )

    def push(
        self,
        image: EngineImage,
        target: ImageRef,
        credential: Credential | None,
        progress: Progress,
        *,
        deadline: float | None = None,
    ) -> str:
        """Tag the image as `target`, push that, and return the digest that the registry has it under.

        `deadline` is a moment of `time.monotonic` after which nothing is tried again.

        Raises:
            RegistryError: what the Engine or the registry said, after some tries if it may pass.
        """
        from docker.errors import APIError
        from urllib3.exceptions import HTTPError

        said = ""
        for attempt in range(1, _TRIES + 1):
            try:
                self._client.tag(image.id, target.familiar, target.tag)
                events = self._client.push(
                    target.familiar, target.tag, stream=True, decode=True, auth_config=_sign_in(credential, target)
                )
                return _digest(events, progress)
            except (_Refused, APIError, OSError, HTTPError) as error:
                said = _reason(error)
            pause = random.uniform(0.5, 1.0) * 2.0**attempt  # noqa: S311 - jitter
            too_late = deadline is not None and time.monotonic() + pause >= deadline
            if attempt == _TRIES or too_late or _FINAL.search(said) or not _PASSING.search(said):
                break
            time.sleep(pause)
        raise RegistryError(f"Pushing {target} failed: the Docker Engine reports '{said}'", hint=_advice(said))

    def export(self, image: EngineImage) -> Iterator[bytes]:
        """The image as `docker save` writes it. Raises RegistryError."""
        from docker.errors import APIError
        from urllib3.exceptions import HTTPError

        try:
            yield from self._client.get_image(image.name)
        except (APIError, OSError, HTTPError) as error:
            raise RegistryError(
                f"The Docker Engine cannot export '{image.name}': {_reason(error)}", hint=_ENGINE
            ) from None

    def _nearest(self, name: str) -> str:
        from difflib import get_close_matches

        from docker.errors import APIError

        try:
            known = [tag for image in self._client.images() for tag in image.get("RepoTags") or ()]
        except (APIError, OSError):
            known = []
        near = get_close_matches(name if ":" in name else f"{name}:latest", known, n=3, cutoff=0.5)
        has = f"It has {', '.join(near)}." if near else f"It has {len(known)} images." if known else "It has none."
        return f"{has} Was the image built before this step, and by this Engine ({self.where})?"


def _client_class() -> Any:
    from docker import APIClient
    from urllib3 import disable_warnings
    from urllib3.exceptions import InsecureRequestWarning

    disable_warnings(InsecureRequestWarning)  # whoever asks for no check of the name knows it

    class Client(APIClient):
        """The SDK's client, whose certificates are those of the Engine: REQUESTS_CA_BUNDLE would replace them."""

        def merge_environment_settings(self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any) -> Any:
            return super().merge_environment_settings(
                url, proxies, stream, verify if self.verify is True else self.verify, cert
            )

    return Client


def _no_engine(address: EngineAddress, where: str, reason: str) -> RegistryError:
    hint = f"Is it running, and is {address.origin if address.host else 'DOCKER_HOST'} right? "
    if re.search("HTTP request to an HTTPS server|malformed HTTP|record layer", reason):
        hint = "It speaks TLS: set DOCKER_TLS_VERIFY=1, and DOCKER_CERT_PATH to the folder of its certificates. "
    return RegistryError(
        f"The Docker Engine at {where} does not answer: {reason}",
        hint=f"{hint}Images built without an Engine are given as oci:DIR.",
    )


class _Refused(Exception):
    """The stream ended in an error."""


def _digest(events: Iterator[Mapping[str, Any]], progress: Progress) -> str:
    digest = ""
    for event in events:
        if "error" in event or "errorDetail" in event:
            detail = event.get("errorDetail") or {}
            raise _Refused(str(detail.get("message") or event.get("error") or "an error without a message"))
        if aux := event.get("aux"):
            if aux.get("manifestPushedInsteadOfIndex"):
                raise _Refused("not all platforms are there: content of the index is missing, one platform was pushed")
            digest = str(aux.get("Digest") or digest)
        elif told := _PUSHED.fullmatch(str(event.get("status", ""))):
            digest = told[1]
        if layer := event.get("id"):
            known = event.get("progressDetail") or {}
            total = known.get("total")
            # The Engine counts the archive around the files too: more than all of it is all of it.
            done = min(known.get("current", 0), total) if total else known.get("current", 0)
            progress.layer(str(layer), str(event.get("status", "")), done, total)
    if not digest:
        raise _Refused("the connection ended before the registry confirmed the image (EOF)")
    return digest


def _sign_in(credential: Credential | None, target: ImageRef) -> dict[str, str]:
    # Never None: an Engine from 28.3.3 on breaks off a push that has no account at all (docker-py #3348).
    if credential is None:
        return {}
    if credential.identity:
        return {"identitytoken": credential.secret.reveal(), "serveraddress": target.registry}
    return {"username": credential.user, "password": credential.secret.reveal(), "serveraddress": target.registry}


def _reason(error: Exception) -> str:
    """What went wrong in one line: the Engine's own words, or the innermost cause of a broken connection."""
    text = str(getattr(error, "explanation", "") or "")
    if not text:
        inner = re.findall(
            r"(?:FileNotFoundError|PermissionError|Connection\w*Error|OSError)\(\d+, '([^']+)'\)", str(error)
        )
        text = inner[-1] if inner else str(error) or type(error).__name__
    return quoted(text, 500)


def _advice(said: str) -> str:
    return next((_ADVICE[key] for pattern, key in _HINTS if re.search(pattern, said, re.IGNORECASE)), "")
