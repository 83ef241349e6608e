"""The layers on their way into a repository of a registry (opencontainers/distribution-spec 1.1, "Pushing blobs")."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from random import uniform
from urllib.parse import quote

from gitops_ci.errors import RegistryError
from gitops_ci.http import Body, HttpError, Response, joined
from gitops_ci.registry.base import Blob, Descriptor, Progress, Stored
from gitops_ci.registry.connection import Connection
from gitops_ci.registry.refusals import NO_REGISTRY, has_trouble, unreachable

__all__ = ["Uploads"]

_RESTARTS = 5
_NEVER = float("inf")
# An upload that began: 202 by the specification, and what some registries answer.
_BEGUN = {200, 201, 202, 204}


class Uploads:
    """Uploads to one repository, `name` in messages; `scope` is what a token must allow."""

    def __init__(self, wire: Connection, repository: str, scope: str, name: str) -> None:
        self._wire = wire
        self._blobs = f"/v2/{repository}/blobs/"
        self._scope = scope
        self._name = name
        # Some registries take no blob in one piece: then an upload is a PATCH with its bytes and a PUT that ends it.
        self._patches = False

    def try_out(self) -> None:
        """Begin an upload and leave it: the one question that only a repository one may push to says yes to.

        Raises:
            RegistryError: the registry does not let this account push here.
        """
        uploads = self._blobs + "uploads/"
        answer = self._wire.ask("POST", uploads, scope=self._scope)
        self._wire.expect(answer, _BEGUN, f"pushing to {self._name}")
        # Whether the registry forgets the upload now or later makes no difference to anybody.
        with suppress(HttpError, RegistryError):
            self._wire.send("DELETE", self._location(answer, uploads), scope=self._scope, safe=False, sign_in=False)

    def has(self, digest: str) -> bool:
        """Whether the registry says so. What it denies or does not tell is sent again: that does no harm."""
        answer = self._wire.ask("HEAD", self._blobs + digest, scope=self._scope)
        if has_trouble(answer):
            raise self._wire.refusal(answer, f"looking for a layer in {self._name}")
        return answer.status == 200

    def store(self, blob: Blob, progress: Progress, *, mount_from: str = "") -> Stored:
        """Store a blob. An upload that breaks off starts over: what was sent is lost with most registries."""
        wanted = blob.descriptor
        if self.has(wanted.digest):
            progress.layer(wanted.digest, "Present", wanted.size, wanted.size)
            return "present"
        for restart in range(_RESTARTS + 1):
            location = self._begin(wanted, mount_from)
            if location is None:
                progress.layer(wanted.digest, "Mounted", wanted.size, wanted.size)
                return "mounted"
            failure, pause = self._upload(blob, location, progress)
            # The answer may be what was lost, not the blob.
            if failure is None or self.has(wanted.digest):
                progress.layer(wanted.digest, "Pushed", wanted.size, wanted.size)
                return "uploaded"
            wait = 2.0**restart * uniform(0.25, 0.5) if pause is None else pause  # noqa: S311 - jitter
            if restart == _RESTARTS or pause == _NEVER or self._too_late(wait):
                raise failure
            progress.layer(wanted.digest, "Retrying", 0, wanted.size)
            time.sleep(wait)
        raise AssertionError  # the last restart returns or raises

    def _begin(self, wanted: Descriptor, mount_from: str) -> str | None:
        """Where to upload a blob; None when the registry took it from another of its repositories instead."""
        url, scope = self._blobs + "uploads/", self._scope
        if mount_from:
            url += f"?mount={quote(wanted.digest)}&from={quote(mount_from, safe='')}"
            scope += f" repository:{mount_from}:pull"
        answer = self._wire.ask("POST", url, scope=scope)
        if mount_from and answer.status == 201:
            return None
        if mount_from and answer.status != 202:
            return self._begin(wanted, "")  # a repository that this account may not read
        self._wire.expect(answer, _BEGUN, f"pushing to {self._name}")
        return self._location(answer, url)

    def _upload(self, blob: Blob, location: str, progress: Progress) -> tuple[RegistryError | None, float | None]:
        """Send a blob's bytes: the failure, and the seconds after which another try makes sense (None: you choose)."""
        wanted = blob.descriptor

        def pieces() -> Iterator[bytes]:
            sent = 0
            for chunk in blob.verified():
                yield chunk
                sent += len(chunk)
                progress.layer(wanted.digest, "Pushing", sent, wanted.size)

        body = Body(wanted.size, pieces) if wanted.size else b""
        patches = self._patches and wanted.size > 0
        try:
            answer = self._patched(location, body, wanted) if patches else self._put(location, body, wanted)
        except HttpError as error:
            return unreachable(self._wire.registry, error), None
        if answer.ok:
            return None, None
        if not patches and _wants_patches(answer):
            self._patches = True
            return self._wire.refusal(answer, f"pushing a layer to {self._name}"), 0.0
        if "DIGEST_INVALID" in answer.text:
            return blob.false(f"has other bytes, says {self._wire.registry}"), _NEVER
        failure = self._wire.refusal(answer, f"pushing a layer to {self._name}")
        return failure, answer.wait if answer.status in {404, 408, 416, 429} or answer.status >= 500 else _NEVER

    def _put(self, location: str, body: Body | bytes, wanted: Descriptor) -> Response:
        # An empty query ends in a question mark of its own: `/uploads/1?`.
        separator = "" if location.endswith(("?", "&")) else "&" if "?" in location else "?"
        url = f"{location}{separator}digest={quote(wanted.digest)}"
        kind = {"Content-Type": "application/octet-stream"}
        return self._wire.send("PUT", url, scope=self._scope, data=body, headers=kind, safe=False)

    def _patched(self, location: str, body: Body | bytes, wanted: Descriptor) -> Response:
        """Send a blob's bytes by PATCH and end the upload; one chunk, which is all of it."""
        kind = {"Content-Type": "application/octet-stream", "Content-Range": f"0-{wanted.size - 1}"}
        answer = self._wire.send("PATCH", location, scope=self._scope, data=body, headers=kind, safe=False)
        return self._put(self._location(answer, location), b"", wanted) if answer.ok else answer

    def _location(self, answer: Response, asked: str) -> str:
        """Where an upload goes on, as the answer to a request to the address `asked` has it."""
        location = answer.headers.get("location", "")
        if not location:
            raise RegistryError(f"{self._wire.registry} began an upload without its address", hint=NO_REGISTRY)
        return self._wire.url(joined(self._wire.url(asked), location))

    def _too_late(self, pause: float) -> bool:
        deadline = self._wire.access.deadline
        return deadline is not None and time.monotonic() + pause >= deadline


def _wants_patches(answer: Response) -> bool:
    """Whether a registry refuses a blob because it comes in one piece, as far as its answer tells."""
    if answer.status in {405, 411, 501}:
        return True
    return answer.status == 400 and ("UNSUPPORTED" in answer.text or not answer.text.strip())
