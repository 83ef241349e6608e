"""A repository of a registry, over the OCI distribution API (opencontainers/distribution-spec 1.1)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from gitops_ci.errors import RegistryError
from gitops_ci.http import HttpError, Response, joined, shown
from gitops_ci.imageref import TAG, ImageRef
from gitops_ci.registry.base import (
    DIGEST,
    MANIFEST_TYPES,
    OCI_INDEX,
    Blob,
    Descriptor,
    Manifest,
    Progress,
    Silent,
    Stored,
    digest_of,
)
from gitops_ci.registry.connection import Access, Connection
from gitops_ci.registry.credentials import Credential
from gitops_ci.registry.referrers import fallback_tag, with_referrer
from gitops_ci.registry.refusals import NO_REGISTRY, AccessDenied, has_trouble, unreachable
from gitops_ci.registry.uploads import Uploads

__all__ = ["Remote"]

_ACCEPT = {"Accept": ", ".join(MANIFEST_TYPES)}
_PAGES = 1000  # of up to 1000 tags each
_RESTARTS = 5


class Remote:
    """One repository of one registry. `writes` asks token servers for the right to push, once for all requests.

    `deletes` asks for the right to delete.
    """

    def __init__(
        self,
        ref: ImageRef,
        credential: Credential | None = None,
        access: Access | None = None,
        *,
        writes: bool = False,
        deletes: bool = False,
    ) -> None:
        self.registry = ref.registry
        self.repository = ref.repository
        self.name = ref.familiar
        self.credential = credential
        self._wire = Connection(ref.registry, credential, access)
        rights = ["pull", *(["push"] if writes else []), *(["delete"] if deletes else [])]
        self._scope = f"repository:{ref.repository}:{','.join(rights)}"
        # Rights are for a repository: an account that has read something here is denied only what is not there.
        self._may_read = False
        self._uploads = Uploads(self._wire, ref.repository, self._scope, self.name)

    # ------------------------------------------------------------------------------------------------- reading

    def manifest(self, reference: str) -> Manifest | None:
        answer = self._ask("GET", self._path("manifests", reference), headers=_ACCEPT)
        if answer.status == 404 or (answer.status in {401, 403} and self._may_read):
            return None
        self._wire.expect(answer, {200}, f"reading {self._shown(reference)}")
        self._may_read = True
        manifest = Manifest(answer.content, answer.headers.get("content-type", "").partition(";")[0].strip())
        expected = reference if ":" in reference else answer.headers.get("docker-content-digest", "")
        if expected.startswith("sha256:") and manifest.digest != expected:
            raise RegistryError(
                f"{self.registry} answered {self._shown(reference)} with bytes of another digest",
                hint="A proxy changes the registry's answers, or the registry is damaged.",
            )
        return manifest

    def digest(self, reference: str) -> str | None:
        answer = self._ask("HEAD", self._path("manifests", reference), headers=_ACCEPT)
        if has_trouble(answer):
            raise self._wire.refusal(answer, f"looking up {self._shown(reference)}")
        # It ends up in manifests and in the outputs of a job: what is not a digest is not believed.
        told = answer.headers.get("docker-content-digest", "")
        if answer.status == 200 and told.startswith("sha256:") and DIGEST.fullmatch(told):
            self._may_read = True
            return told
        # Some registries refuse HEAD, or answer it as if nothing were there: only GET shows what is absent.
        found = self.manifest(reference)
        return found.digest if found else None

    def tags(self) -> tuple[str, ...] | None:
        found: dict[str, None] = {}
        for answer in self._tag_pages():
            if answer.status == 404:
                # No such repository, or no such question: then there is the tag that most repositories have.
                return None if self._is_there("latest") else ()
            if answer.status == 501 or (400 <= answer.status < 500 and answer.status != 429):
                return None
            self._wire.expect(answer, {200}, f"listing the tags of {self.name}")
            data = _json(answer)
            listed = data.get("tags") if isinstance(data, dict) else None
            names = listed if isinstance(listed, list) else ()
            # They become parts of addresses: what is no tag is not one of them.
            found.update(dict.fromkeys(tag for tag in names if isinstance(tag, str) and TAG.fullmatch(tag)))
        return tuple(found)

    def _tag_pages(self) -> Iterator[Response]:
        url = self._path("tags", "list")
        pages = self._pages(f"{url}?n=1000")
        first = next(pages)
        if first.status == 400:  # some registries take no such number
            yield from self._pages(url)
            return
        yield first
        yield from pages

    def blob(self, descriptor: Descriptor) -> Blob:
        return Blob(descriptor, lambda: self._download(descriptor), self.name)

    def _download(self, descriptor: Descriptor) -> Iterator[bytes]:
        """A blob's bytes; where the connection breaks it goes on from the byte it has come to (RFC 9110 §14.2)."""
        seen, restarts = 0, 0
        while True:
            headers = {"Range": f"bytes={seen}-"} if seen else {}
            answer = self._ask("GET", self._path("blobs", descriptor.digest), headers=headers, stream=True)
            self._wire.expect(answer, {200, 206}, f"reading a layer of {self.name}")
            skip = seen if answer.status == 200 else 0  # a registry without ranges starts over
            try:
                for chunk in answer.iter_bytes():
                    fresh, skip = chunk[skip:], max(0, skip - len(chunk))
                    seen += len(fresh)
                    if fresh:
                        yield fresh
            except HttpError as error:
                restarts += 1
                if restarts > _RESTARTS:
                    raise unreachable(self.registry, error) from None
            else:
                return

    def referrers(self, digest: str) -> tuple[Descriptor, ...]:
        found: dict[str, Descriptor] = {}
        for answer in self._pages(self._path("referrers", digest), headers={"Accept": OCI_INDEX}):
            if not answer.ok or "html" in answer.headers.get("content-type", ""):
                # A registry that does not know this request answers it with anything from 400 to 405, or a web page.
                index = self.manifest(fallback_tag(digest))
                return index.children if index else ()
            found |= {child.digest: child for child in Manifest(answer.content, OCI_INDEX).children}
        return tuple(found.values())

    def close(self) -> None:
        self._wire.close()

    # ------------------------------------------------------------------------------------------------- writing

    def may_push(self) -> None:
        """Raises RegistryError where the registry does not let this account push here."""
        self._uploads.try_out()

    def check_access(self, *, dry_run: bool) -> None:
        self.may_push()
        if dry_run or self._may_read:
            return
        content = b"{}"  # the empty descriptor's (OCI image specification 1.1, manifest.md): many repositories have it
        descriptor = Descriptor("", digest_of(content), len(content))
        self.put_blob(Blob(descriptor, lambda: iter((content,)), self.name), Silent())
        try:
            b"".join(self.blob(descriptor).verified())
        except AccessDenied as error:
            raise RegistryError(
                f"{self.name}: the account may push here and not read, so it cannot see released tags: {error.message}",
                hint="Give the account the right to read (pull) this repository too.",
            ) from None
        self._may_read = True

    def put_blob(self, blob: Blob, progress: Progress, *, mount_from: str = "") -> Stored:
        return self._uploads.store(blob, progress, mount_from=mount_from)

    def put_manifest(self, manifest: Manifest, reference: str) -> None:
        kind = {"Content-Type": manifest.media_type}
        answer = self._ask("PUT", self._path("manifests", reference), data=manifest.content, headers=kind)
        if answer.status in {400, 403, 405, 409, 412, 422} and self._has(reference, manifest.digest):
            return  # a registry that keeps tags as they are, and this one is right already
        self._wire.expect(answer, {200, 201, 202, 204}, f"pushing {self._shown(reference)}")
        if manifest.subject is not None and "oci-subject" not in answer.headers:
            self._list_referrer(manifest, manifest.subject.digest)

    def delete(self, reference: str) -> bool:
        """Delete a tag, or by its digest an image with all its tags; what is not there is deleted.

        False: this registry deletes no tag, only images.

        Raises:
            RegistryError: it refuses.
        """
        answer = self._ask("DELETE", self._path("manifests", reference))
        if ":" not in reference and answer.status in {400, 405, 501}:
            return False
        self._wire.expect(answer, {200, 202, 204, 404}, f"deleting {self._shown(reference)}")
        return True

    def address(self, tag: str) -> str:
        return f"{self.name}:{tag}"

    def _is_there(self, reference: str) -> bool:
        with suppress(AccessDenied):
            return self.digest(reference) is not None
        return False

    def _has(self, reference: str, digest: str) -> bool:
        with suppress(AccessDenied):
            return self.digest(reference) == digest
        return False

    def _list_referrer(self, manifest: Manifest, subject: str) -> None:
        """Tell a registry without the referrers API, by its tag schema, that a manifest refers to another."""
        tag = fallback_tag(subject)
        if index := with_referrer(self.manifest(tag), manifest):
            self.put_manifest(index, tag)

    # ------------------------------------------------------------------------------------------------- requests

    def _ask(
        self,
        method: str,
        url: str,
        *,
        data: bytes | None = None,
        headers: dict[str, str] | None = None,
        stream: bool = False,
    ) -> Response:
        return self._wire.ask(method, url, scope=self._scope, data=data, headers=headers, stream=stream)

    def _pages(self, url: str, *, headers: dict[str, str] | None = None) -> Iterator[Response]:
        """The answers of a list that goes on (RFC 8288), as long as it does so on this registry."""
        asked: set[str] = set()
        while url not in asked and len(asked) < _PAGES:
            asked.add(url)
            answer = self._ask("GET", url, headers=headers)
            yield answer
            following = re.search(r'<([^<>]+)>\s*;\s*rel="?next"?', answer.headers.get("link", ""))
            if not following:
                return
            here, url = self._wire.url(url), joined(self._wire.url(url), following[1])
            if urlsplit(url).path == urlsplit(here).path:
                # The same list, by whatever name the registry knows itself behind a proxy.
                url = joined(here, f"?{urlsplit(url).query}")
            url = self._wire.url(url)
            if not self._wire.is_home(url):
                raise RegistryError(f"{self.registry} continues a list elsewhere, at {shown(url)}", hint=NO_REGISTRY)
        raise RegistryError(f"{self.registry} sends a list without an end", hint=NO_REGISTRY)

    def _path(self, kind: str, name: str) -> str:
        return f"/v2/{self.repository}/{kind}/{name}"

    def _shown(self, reference: str) -> str:
        return f"{self.name}{'@' if ':' in reference else ':'}{reference}"


def _json(answer: Response) -> Any:
    try:
        return answer.json()
    except HttpError as error:
        raise RegistryError(error.message, hint="Check the address of the registry.") from None
