"""Manifests made to exhaust or to trick: each is judged in little time and memory, and nothing leaves the process."""

from __future__ import annotations

import resource
import subprocess
import sys
import time

import pytest

from gitops_ci.schemas import check
from tests.support import CHECKOUT

MANIFEST = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: x\n"


def aliases(levels: int, width: int) -> str:
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\na0: &a0 [x, x]\n"
    for level in range(1, levels):
        text += f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * width)}]\n"
    return text


def merges(levels: int) -> str:
    text = "m0: &m0 {a: 1}\n"
    for level in range(1, levels):
        text += f"m{level}: &m{level}\n  <<: [*m{level - 1}, *m{level - 1}]\n  k{level}: 1\n"
    return text


HOSTILE = {
    "aliases of aliases": aliases(30, 10),
    "merges of merges": MANIFEST + merges(40),
    "deep flow": MANIFEST + "data: " + "[" * 100_000,
    "deep flow mappings": MANIFEST + "data: " + "{a: " * 100_000,
    "deep blocks": MANIFEST + "".join(f"{' ' * level}a:\n" for level in range(2_000)),
    "deep dashes": MANIFEST + "data:\n  " + "- " * 50_000,
    "complex keys": MANIFEST + "? " * 50_000,
    "ten megabytes": MANIFEST + "data:\n  a: " + "x" * 10_000_000 + "\n",
    "many documents": "---\na: b\n" * 20_000,
    "many separators": "---\n" * 200_000,
    "a wide mapping": MANIFEST + "data:\n" + "".join(f"  k{one}: v\n" for one in range(400_000)),
    "the same key again and again": MANIFEST + "data:\n" + "  k: v\n" * 30_000,
    "a huge number": MANIFEST + f"immutable: {'9' * 500_000}\n",
    "a huge exponent": MANIFEST + "immutable: 1e999999999\n",
    "a huge quantity": (
        "apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: q}\n"
        f"spec: {{hard: {{cpu: '{'9' * 100_000}', memory: 1e999999999, pods: 1e-999999999}}}}\n"
    ),
    "a slow pattern in a definition": """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.acme.example}
spec:
  group: acme.example
  scope: Namespaced
  names: {kind: Widget, plural: widgets}
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema: {type: object, properties: {spec: {type: string, pattern: '^(a+)+$'}}}
---
apiVersion: acme.example/v1
kind: Widget
metadata: {name: w}
spec: """
    + "a" * 5_000
    + "!\n",
    "NUL": MANIFEST + "data: {a: \0}\n",
    "an object of Python": MANIFEST + "data: !!python/object/apply:os.system ['touch pwned']\n",
    "an anchor in itself": MANIFEST + "data: &a {a: *a}\n",
    "a bad time": MANIFEST + "data: {a: 2026-99-99T99:99:99Z, b: !!timestamp nonsense}\n",
    "lone surrogates": MANIFEST + 'data: {a: "\\ud800", "\\udfff": b}\n',
    "lines of every kind": MANIFEST.replace("\n", "\u2028") + "\r\x85\n",
    "a comment for each rule": MANIFEST + "# gitops-ci:ignore */* -- no\n" * 50_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_it_is_judged_in_little_time(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    start = time.process_time()
    report = check([("hostile.yaml", HOSTILE[name]), ("sound.yaml", MANIFEST)])
    assert time.process_time() - start < 8  # ten times what it takes, since machines differ
    assert not any(finding.path == "sound.yaml" and finding.severity == "error" for finding in report.findings)
    assert list(tmp_path.iterdir()) == []
    for finding in report.findings:
        assert len(finding.message) < 2_000, finding.rule


@pytest.mark.parametrize("name", ["aliases of aliases", "merges of merges", "ten megabytes", "a wide mapping"])
def test_it_takes_little_memory(name, tmp_path):
    file = tmp_path / "hostile.yaml"
    file.write_text(HOSTILE[name])
    program = "import sys; from gitops_ci.schemas import check; check([('a.yaml', open(sys.argv[1]).read())])"
    limit = 600 * 1024 * 1024
    done = subprocess.run(
        [sys.executable, "-c", program, str(file)],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)),
    )
    assert done.returncode == 0, done.stderr[-500:]
