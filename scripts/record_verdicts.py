"""Record what a real kube-apiserver says about each manifest of tests/data/apiserver/manifests.

    python scripts/record_verdicts.py --kube-apiserver PATH [--etcd PATH] [--check]

The server and an etcd are started on loopback with empty data. Each manifest is sent to it, byte for byte, as a
creation with `dryRun=All` and `fieldValidation=Strict`; an accepted one of a kind that leaves nothing behind is then
created for real, because a dry run ends before the storage. The verdicts are written to
tests/data/apiserver/verdicts/MINOR.jsonl, the first line names the server's version.

`--check` writes nothing. It prints what differs from the recorded verdicts, each case in tests/cases/validation that
gitops-ci and the server judge differently, and each update of tests/data/updates.yaml that the server judges in another
way. The exit code is 1 if there is one.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import yaml  # noqa: E402

from tests.support.kube_apiserver import ApiServer, Verdict, api_server  # noqa: E402
from tests.support.rule_tables import all_changes, changed, findings, sound  # noqa: E402
from tests.support.verdicts import lines, manifests, verdicts_file  # noqa: E402


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kube-apiserver", required=True, metavar="PATH", help="the server's binary")
    parser.add_argument("--etcd", default="etcd", metavar="PATH", help="the binary of etcd (default: the one on PATH)")
    parser.add_argument("--check", action="store_true", help="compare with what is recorded, write nothing")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="apiserver-", ignore_cleanup_errors=True) as folder,
        api_server(options.kube_apiserver, options.etcd, Path(folder)) as server,
    ):
        minor = ".".join(server.version.split(".")[:2])
        judged = [{"server": server.version}, *verdicts(server)]
        if not options.check:
            text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in judged)
            verdicts_file(minor).write_text(text, encoding="utf-8")
            print(f"{verdicts_file(minor).relative_to(ROOT)}: {len(judged) - 1} verdicts")
            return 0
        different = 0
        recorded = lines(verdicts_file(minor))
        for line in chain(differences(judged, recorded), wrong_tables(server, minor), wrong_updates(server)):
            print(line, flush=True)
            different += 1
    print(f"{different} differences from kube-apiserver {server.version}")
    return 1 if different else 0


def verdicts(server: ApiServer) -> Iterator[dict[str, object]]:
    """One line a manifest; `code` is the status of the answer, and 201 is the only one that means accepted."""
    for manifest in sorted(manifests(), key=lambda one: one.id):
        verdict = server.judge(manifest.text)
        yield {"id": manifest.id, **said(verdict)}


def said(verdict: Verdict) -> dict[str, object]:
    optional = {"message": verdict.message, "warning": verdict.warning, "via": verdict.via}
    return {"code": verdict.code, **{key: value for key, value in optional.items() if value}}


def differences(new: Iterable[dict[str, object]], old: Iterable[dict[str, object]]) -> Iterator[str]:
    before = {line["id"]: line for line in old if "id" in line}
    for line in new:
        if "id" in line and line != (known := before.get(line["id"])):
            yield f"recorded {json.dumps(known)}\nnow      {json.dumps(line)}"


def wrong_tables(server: ApiServer, minor: str) -> Iterator[str]:
    """The cases about which gitops-ci and the server disagree."""
    for namespace in {one.get("metadata", {}).get("namespace") for one in sound().values()} - {None}:
        server.add_namespace(namespace)
    for kind, change in all_changes():
        manifest = changed(sound()[kind], change)
        verdict, found = server.judge(yaml.safe_dump(manifest)), findings(manifest, minor)
        # Of what exists already, and of what needs another object, the server says nothing.
        if verdict.accepted == bool(found) and verdict.code not in {404, 409}:
            words = verdict.message or "accepted"
            yield f"{kind} {change}\n    server   {words}\n    findings {[one.message for one in found]}"


def wrong_updates(server: ApiServer) -> Iterator[str]:
    """The updates that the server judges in another way; a release without a field, or a kind, has no verdict."""
    table = yaml.safe_load((ROOT / "tests" / "data" / "updates.yaml").read_text(encoding="utf-8"))
    grows = {"metadata": {"name": "fast"}, "provisioner": "a.b", "allowVolumeExpansion": True}
    server.add("/apis/storage.k8s.io/v1/storageclasses", grows)
    minor = int(server.version.split(".")[1])
    for name, old, new, refused, *since in table["updates"]:
        before = table["manifests"][name]
        verdict = server.judge_update(before, before.replace(old, new))
        if verdict is None or (not verdict.accepted and "not declared in schema" in verdict.message):
            print(f"no verdict: {name} {new!r}")
        elif verdict.accepted == bool(refused or any(minor < one for one in since)):
            words = verdict.message or "accepted"
            yield f"{name} {old!r} -> {new!r}\n    server   {words}\n    table    {refused or 'accepted'}"


if __name__ == "__main__":
    raise SystemExit(main())
