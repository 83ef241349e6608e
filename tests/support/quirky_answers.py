"""Answers of registries that are their own: a real one behind a proxy that rewrites what it says."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import requests

from tests.support.fault_proxy import Answer, Asked, Passed
from tests.support.quirks import Script
from tests.support.registry_state import MANIFESTS

__all__ = [
    "answers_success_with",
    "asks_to_sign_in",
    "digests_are_sha512",
    "lists_at_most",
    "lists_no_tags",
    "manifests_have_type",
    "no_digests",
    "referrers_are_a_web_page",
    "referrers_are_unknown",
    "referrers_have_an_api",
    "token_server_fails",
    "uploads_are_at",
    "uploads_are_redirected",
    "uploads_are_stored_at",
]

_INDEX = "application/vnd.oci.image.index.v1+json"
_JSON = {"Content-Type": "application/json"}


def answers_success_with(status: int) -> Script:
    """What is stored is answered with another status of success than the specification's (201, 202)."""

    def changed(answer: Answer) -> Answer:
        return replace(answer, status=status) if 200 <= answer.status < 300 else answer

    return lambda asked: Passed(changed) if asked.method in {"PATCH", "POST", "PUT"} else None


def asks_to_sign_in(challenge: str, answer: dict[str, object], accepted: Callable[[str], bool]) -> Script:
    """Every request of the registry's own needs an accepted `Authorization`; `/token` is its token server.

    `{realm}` in the challenge is the token server's address.
    """

    def script(asked: Asked) -> Answer | None:
        if asked.path == "/token":
            return Answer(200, _JSON, json.dumps(answer).encode())
        if accepted(asked.headers.get("authorization", "")):
            return None
        told = challenge.replace("{realm}", f"http://{asked.headers['host']}/token")
        return Answer(401, {"WWW-Authenticate": told})

    return script


def token_server_fails(status: int, body: bytes = b"") -> Script:
    """The registry asks for a token, and the token server has trouble."""

    def script(asked: Asked) -> Answer:
        if asked.path == "/token":
            return Answer(status, _JSON if body.startswith(b"{") else {}, body)
        realm = f"http://{asked.headers['host']}/token"
        return Answer(401, {"WWW-Authenticate": f'Bearer realm="{realm}",service="s"'})

    return script


def lists_no_tags(status: int, code: str = "") -> Script:
    """Tags cannot be listed, and the answer is none of those that the protocol has for that."""
    body = json.dumps({"errors": [{"code": code, "message": "not here"}]}).encode() if code else b""
    return lambda asked: Answer(status, _JSON, body) if asked.path.endswith("/tags/list") else None


def manifests_have_type(told: str) -> Script:
    """Manifests come with another `Content-Type`, or with none."""

    def changed(answer: Answer) -> Answer:
        rest = {name: value for name, value in answer.headers.items() if name.lower() != "content-type"}
        return replace(answer, headers={**rest, **({"Content-Type": told} if told else {})})

    reads = {"GET", "HEAD"}
    return lambda asked: Passed(changed) if asked.method in reads and "/manifests/" in asked.path else None


def lists_at_most(upstream: str, most: int, host: str = "") -> Script:
    """Tags come a few at a time, and a page of more is refused (PAGINATION_NUMBER_INVALID).

    The next page is at `host`, if given: a name that only the registry itself knows.
    """

    def script(asked: Asked) -> Answer | None:
        if not asked.path.endswith("/tags/list"):
            return None
        query = parse_qs(asked.query)
        if not host and int(query.get("n", ["0"])[0]) > most:
            error = {"code": "PAGINATION_NUMBER_INVALID", "message": "invalid number of results requested"}
            return Answer(400, _JSON, json.dumps({"errors": [error]}).encode())
        found = requests.get(f"http://{upstream}{asked.path}", timeout=10).json()
        later = sorted(tag for tag in found.get("tags") or () if tag > query.get("last", [""])[0])
        page, more = later[:most], len(later) > most
        address = f"{f'http://{host}' if host else ''}{asked.path}?last={page[-1]}&n={most}" if more else ""
        body = json.dumps({"name": found.get("name"), "tags": page}).encode()
        return Answer(200, {**_JSON, **({"Link": f'<{address}>; rel="next"'} if more else {})}, body)

    return script


def uploads_are_at(upstream: str, kind: str) -> Script:
    """The `Location` of an upload: `name` (relative to the request, RFC 9110 §10.2.2), `path`, or `https`."""

    def script(asked: Asked) -> Answer | None:
        if asked.method != "POST" or not asked.path.endswith("/blobs/uploads/"):
            return None
        begun = requests.post(f"http://{upstream}{asked.path}", timeout=10)
        there = urlsplit(begun.headers["Location"])
        path = f"{there.path}?{there.query}"
        location = {"name": path.rpartition("/")[2], "path": path, "https": f"https://{asked.headers['host']}{path}"}
        return Answer(202, {"Location": location[kind]})

    return script


def uploads_are_stored_at(upstream: str, store: str) -> Script:
    """An account is asked for, and layers go to a store of objects on another host, at an address with a signature."""

    def script(asked: Asked) -> Answer | None:
        if "authorization" not in asked.headers:
            return Answer(401, {"WWW-Authenticate": 'Basic realm="registry"'})
        if asked.method != "POST":
            return None
        begun = requests.post(f"http://{upstream}{asked.path}", timeout=10)
        there = urlsplit(begun.headers["Location"])
        return Answer(202, {"Location": f"http://{store}{there.path}?{there.query}&X-Amz-Signature=abc"})

    return script


def uploads_are_redirected(to: str) -> Script:
    """Another registry takes the layers."""
    return lambda asked: Answer(307, {"Location": f"{to}{asked.path}"}) if asked.method == "POST" else None


def digests_are_sha512(upstream: str) -> Script:
    """`Docker-Content-Digest` is of another algorithm than the manifest was asked by."""
    return _digest_header(upstream, {"Docker-Content-Digest": "sha512:" + "a" * 128})


def no_digests(upstream: str) -> Script:
    """Answers have no `Docker-Content-Digest` (it is optional)."""
    return _digest_header(upstream, {})


def _digest_header(upstream: str, headers: dict[str, str]) -> Script:
    def script(asked: Asked) -> Answer | None:
        if asked.method not in {"GET", "HEAD"} or "/manifests/" not in asked.path:
            return None
        there = requests.get(f"http://{upstream}{asked.path}", headers={"Accept": MANIFESTS}, timeout=10)
        kind = {"Content-Type": there.headers["Content-Type"]}
        return Answer(there.status_code, {**kind, **headers}, there.content)

    return script


def referrers_are_a_web_page() -> Script:
    """What the registry does not know it answers with the page of its user interface."""
    page = Answer(200, {"Content-Type": "text/html"}, b"<!doctype html><title>registry</title>")
    return lambda asked: page if "/referrers/" in asked.path else None


def referrers_have_an_api(upstream: str, page: int = 100) -> Script:
    """The registry itself lists what refers to an image, some at a time, and says so when one is stored."""
    listed: dict[str, list[dict[str, object]]] = {}

    def stored(asked: Asked) -> Passed:
        def changed(answer: Answer) -> Answer:
            found = requests.get(f"http://{upstream}{asked.path}", headers={"Accept": MANIFESTS}, timeout=10)
            subject = found.json().get("subject")
            if not subject:
                return answer
            digest = found.headers["Docker-Content-Digest"]
            known = listed.setdefault(subject["digest"], [])
            if all(one["digest"] != digest for one in known):
                kind = found.headers["Content-Type"]
                known.append({"mediaType": kind, "digest": digest, "size": len(found.content)})
            return replace(answer, headers={**answer.headers, "OCI-Subject": subject["digest"]})

        return Passed(changed)

    def script(asked: Asked) -> Answer | Passed | None:
        if asked.method == "PUT" and "/manifests/" in asked.path:
            return stored(asked)
        if "/referrers/" not in asked.path:
            return None
        first = int(parse_qs(asked.query).get("from", ["0"])[0])
        there = listed.get(asked.path.rpartition("/")[2], [])
        more = first + page < len(there)
        link = {"Link": f'<{asked.path}?from={first + page}>; rel="next"'} if more else {}
        index = {"schemaVersion": 2, "mediaType": _INDEX, "manifests": there[first : first + page]}
        return Answer(200, {"Content-Type": _INDEX, **link}, json.dumps(index).encode())

    return script


def referrers_are_unknown() -> Script:
    """A registry of before version 1.1 of the protocol."""
    return lambda asked: Answer(404) if "/referrers/" in asked.path else None
