"""A real kube-apiserver with its etcd, both on loopback, and what it says about one manifest."""

from __future__ import annotations

import re
import secrets
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
import yaml

from tests.support.services import make_certificate, running, wait_for

__all__ = ["NAMESPACES", "ApiServer", "Verdict", "api_server"]

NAMESPACES = ("shop", "data", "platform", "team-a")
# What the server makes up differs in each run.
_RANDOM = (
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "<uid>"),
    (re.compile(r"(?!2006)\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d\.\d+(?:Z| \+0000 UTC m=\S+)"), "<now>"),
    (re.compile(r"0x[0-9a-f]{8,}"), "<address>"),
    (re.compile(r'(?<=[-.])[bcdfghjklmnpqrstvwxz2456789]{5}(?=" is invalid: .*metadata\.generateName)'), "*****"),
)
_TOO_LONG = 200
# Objects that change how the server answers from then on, or that nobody can delete: judged by the dry run alone.
_NOT_CREATED = {
    *("Namespace", "CustomResourceDefinition", "APIService", "FlowSchema", "PriorityLevelConfiguration"),
    *("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration", "Binding"),
    *("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"),
    *("MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding"),
}


@dataclass(frozen=True)
class Verdict:
    """`code` is the status of the answer; 0: the manifest names no resource, so it has no address to be sent to."""

    accepted: bool
    code: int
    message: str = ""
    warning: str = ""
    via: str = ""
    """`create`: a dry run passes, the creation does not."""


@dataclass
class ApiServer:
    url: str
    session: requests.Session
    version: str = ""
    _resources: dict[tuple[str, str], tuple[str, bool]] = field(default_factory=dict)

    def prepare(self) -> None:
        """Ask which kinds are served at which address, and create the namespaces."""
        self.version = self._get("/version")["gitVersion"].removeprefix("v")
        groups = self._get("/apis")["groups"]
        for api_version in ("v1", *(one["groupVersion"] for group in groups for one in group["versions"])):
            for resource in self._get(_prefix(api_version))["resources"]:
                plural, _, subresource = resource["name"].partition("/")
                own = not resource.get("version") or f"{resource.get('group')}/{resource['version']}" == api_version
                if not subresource and own and "create" in resource["verbs"]:
                    self._resources[api_version, resource["kind"]] = plural, resource["namespaced"]
        for name in NAMESPACES:
            self.add_namespace(name)

    def add_namespace(self, name: str) -> None:
        self.add("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})

    def add(self, path: str, body: dict[str, Any]) -> None:
        self.session.post(self.url + path, json=body, timeout=30)

    def judge(self, text: str) -> Verdict:
        """Send the text, byte for byte, as a creation: as a dry run, then for real where nothing is left behind."""
        api_version, kind, namespace = _address(text)
        if not api_version or not kind:
            return Verdict(accepted=False, code=0, message=f"{'kind' if api_version else 'apiVersion'} not set")
        if (found := self._resources.get((api_version, kind))) is None:
            return Verdict(accepted=False, code=404, message=f'no matches for kind "{kind}" in version "{api_version}"')
        plural, namespaced = found
        below = f"namespaces/{namespace or 'default'}/" if namespaced else ""
        path = f"{_prefix(api_version)}/{below}{plural}"
        verdict, _ = self._create(path, text, "All")
        if not verdict.accepted or kind in _NOT_CREATED:
            return verdict
        created, answer = self._create(path, text, "")
        self._remove(path, answer)
        return verdict if created.accepted else Verdict(**{**created.__dict__, "via": "create"})

    def judge_update(self, before: str, after: str) -> Verdict | None:
        """What server-side apply of the second text says once the first is there; None where the first one fails.

        A claim is bound first, as one that is in use, and a definition is established.
        """
        api_version, kind, namespace = _address(before)
        if (found := self._resources.get((api_version, kind))) is None:
            return None
        below = f"namespaces/{namespace or 'default'}/" if found[1] else ""
        name = yaml.safe_load(before)["metadata"]["name"]
        path = f"{_prefix(api_version)}/{below}{found[0]}"
        try:
            if not self._apply(f"{path}/{name}", before).accepted:
                return None
            if kind == "PersistentVolumeClaim":
                merge = {"Content-Type": "application/merge-patch+json"}
                bound = '{"status": {"phase": "Bound"}}'
                self.session.patch(f"{self.url}{path}/{name}/status", data=bound, headers=merge, timeout=30)
            if kind == "CustomResourceDefinition":
                self._wait_until_established(f"{path}/{name}")
            return self._apply(f"{path}/{name}", after)
        finally:
            self._remove(path, {"metadata": {"name": name}})

    def _wait_until_established(self, path: str) -> None:
        for _ in range(100):
            conditions = self._get(path).get("status", {}).get("conditions") or []
            if any(one["type"] == "Established" and one["status"] == "True" for one in conditions):
                return
            time.sleep(0.1)

    def _apply(self, path: str, text: str) -> Verdict:
        headers = {"Content-Type": "application/apply-patch+yaml", "Accept": "application/json"}
        query = {"fieldManager": "tests", "force": "true"}
        answer = self.session.patch(self.url + path, params=query, data=text.encode(), headers=headers, timeout=30)
        accepted = answer.status_code < 300
        return Verdict(accepted, answer.status_code, "" if accepted else _masked(answer.json().get("message", "")))

    def _create(self, path: str, text: str, dry_run: str) -> tuple[Verdict, dict[str, Any]]:
        query = {"fieldValidation": "Strict", **({"dryRun": dry_run} if dry_run else {})}
        headers = {"Content-Type": "application/yaml", "Accept": "application/json"}
        try:
            answer = self.session.post(self.url + path, params=query, data=text.encode(), headers=headers, timeout=30)
        except requests.ConnectionError:  # a panic in the handler of the request: the server itself goes on
            return Verdict(accepted=False, code=500, message="the server closed the connection"), {}
        warning = _masked(re.sub(r'^299 - "|"$', "", answer.headers.get("Warning", "")))
        try:
            body = answer.json()
        except ValueError:
            body = {"message": answer.text}
        accepted = answer.status_code < 300
        message = "" if accepted else _masked(body.get("message", ""))
        return Verdict(accepted, answer.status_code, message, warning), body

    def _remove(self, path: str, created: dict[str, Any]) -> None:
        if not (name := created.get("metadata", {}).get("name")):
            return
        address = f"{self.url}{path}/{name}"
        left = self.session.delete(address, json={"gracePeriodSeconds": 0}, timeout=30)
        if left.ok and "finalizers" in left.text:
            kind = {"Content-Type": "application/merge-patch+json"}
            self.session.patch(address, data='{"metadata": {"finalizers": null}}', headers=kind, timeout=30)

    def _get(self, path: str) -> dict[str, Any]:
        answer = self.session.get(self.url + path, timeout=30)
        answer.raise_for_status()
        body: dict[str, Any] = answer.json()
        return body


@contextmanager
def api_server(binary: str, etcd: str, folder: Path) -> Iterator[ApiServer]:
    """A kube-apiserver in front of an empty etcd, until the block ends; its data and logs are in `folder`.

    Default admission plugins without ServiceAccount, privileged containers allowed, IPv4 alone, service range
    10.99.0.0/24, node ports 30000-32767, alpha and beta APIs served, feature gates as they are by default.
    """
    make_certificate(folder)
    token = secrets.token_hex()
    (folder / "tokens").write_text(f"{token},tests,tests,system:masters\n")
    client, peer, port = _free_ports(3)
    store = f"http://127.0.0.1:{client}"
    url = f"https://127.0.0.1:{port}"
    keep = [
        *(etcd, "--data-dir", f"{folder}/etcd", "--listen-client-urls", store, "--advertise-client-urls", store),
        *("--listen-peer-urls", f"http://127.0.0.1:{peer}"),
    ]
    serve = [
        *(binary, "--etcd-servers", store, "--bind-address", "127.0.0.1", "--secure-port", str(port)),
        *("--cert-dir", f"{folder}/certs", "--tls-cert-file", f"{folder}/server.pem"),
        *("--tls-private-key-file", f"{folder}/server.key", "--token-auth-file", f"{folder}/tokens"),
        *("--service-account-key-file", f"{folder}/server.pem", "--service-account-issuer", "https://tests.invalid"),
        *("--service-account-signing-key-file", f"{folder}/server.key", "--authorization-mode", "AlwaysAllow"),
        *("--disable-admission-plugins", "ServiceAccount", "--allow-privileged", "--runtime-config", "api/all=true"),
        *("--service-cluster-ip-range", "10.99.0.0/24", "--service-node-port-range", "30000-32767"),
        *("--endpoint-reconciler-type", "none", "--max-mutating-requests-inflight", "50"),
    ]
    with requests.Session() as session, running(keep, folder / "etcd.log"):
        session.verify = str(folder / "ca.pem")
        session.headers["Authorization"] = f"Bearer {token}"
        session.trust_env = False
        with running(serve, folder / "apiserver.log") as alive:
            wait_for("kube-apiserver", lambda: _ready(session, url), alive, folder / "apiserver.log")
            server = ApiServer(url, session)
            server.prepare()
            yield server


def _ready(session: requests.Session, url: str) -> bool:
    with suppress(requests.RequestException):
        return session.get(f"{url}/readyz", timeout=5).ok
    return False


def _prefix(api_version: str) -> str:
    return f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"


def _address(text: str) -> tuple[str, str, str]:
    """apiVersion, kind and namespace as the text has them, also where it is not YAML."""
    value: Any = None
    with suppress(yaml.YAMLError, ValueError):
        value = yaml.safe_load(text.partition("\n---")[0])
    if isinstance(value, dict):
        metadata = value.get("metadata")
        namespace = metadata.get("namespace") if isinstance(metadata, dict) else None
        return _string(value.get("apiVersion")), _string(value.get("kind")), _string(namespace)
    keys = {key: re.search(rf"(?m)^{key}: *(\S+)$", text) for key in ("apiVersion", "kind", "  namespace")}
    api_version, kind, namespace = (found[1] if found else "" for found in keys.values())
    return api_version, kind, namespace


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""


def _masked(message: str) -> str:
    for pattern, word in _RANDOM:
        message = pattern.sub(word, message)
    return " ".join(message.split())[:_TOO_LONG]


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports
