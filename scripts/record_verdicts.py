"""Record what a real kube-apiserver says about each manifest of tests/data/apiserver/manifests.

    python scripts/record_verdicts.py --kube-apiserver PATH [--etcd PATH] [--check]

The server and an etcd are started on loopback with empty data. Each manifest is sent to it, byte for byte, as a
creation with `dryRun=All` and `fieldValidation=Strict`; an accepted one of a kind that leaves nothing behind is then
created for real, because a dry run ends before the storage. The verdicts are written to
tests/data/apiserver/verdicts/MINOR.jsonl, the first line names the server's version.

`--check` writes nothing: it prints what differs from the recorded verdicts, and each case of the rule tables
(tests/unit/validation/rules) that says the opposite of the server. The exit code is 1 if there is such a line.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import yaml  # noqa: E402

from tests.support.kube_apiserver import ApiServer, Verdict, api_server  # noqa: E402
from tests.support.rule_tables import cases_at  # noqa: E402
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
        different = [*differences(judged, list(lines(verdicts_file(minor)))), *wrong_tables(server, minor)]
    print("\n".join([*different, f"{len(different)} differences from kube-apiserver {server.version}"]))
    return 1 if different else 0


def verdicts(server: ApiServer) -> Iterator[dict[str, object]]:
    """One line a manifest; `code` is the status of the answer, and 201 is the only one that means accepted."""
    for manifest in sorted(manifests(), key=lambda one: one.id):
        verdict = server.judge(manifest.text)
        yield {"id": manifest.id, **said(verdict)}


def said(verdict: Verdict) -> dict[str, object]:
    optional = {"message": verdict.message, "warning": verdict.warning, "via": verdict.via}
    return {"code": verdict.code, **{key: value for key, value in optional.items() if value}}


def differences(new: list[dict[str, object]], old: list[dict[str, object]]) -> Iterator[str]:
    before = {line["id"]: line for line in old if "id" in line}
    for line in new:
        if "id" in line and line != (known := before.get(line["id"])):
            yield f"recorded {json.dumps(known)}\nnow      {json.dumps(line)}"


def wrong_tables(server: ApiServer, minor: str) -> Iterator[str]:
    for case, manifest, refused in cases_at(minor):
        verdict = server.judge(yaml.safe_dump(manifest))
        if verdict.accepted == refused:
            yield f"{case}\n    {verdict.code} {verdict.message}"


if __name__ == "__main__":
    raise SystemExit(main())
