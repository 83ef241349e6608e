"""Manifests made to exhaust or to trick: each is judged in little time and memory, and nothing leaves the process."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time

import pytest

from gitops_ci.validation import check
from tests.support import CHECKOUT
from tests.support.effort import SOAKING

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
    program = "import sys; from gitops_ci.validation import check; check([('a.yaml', open(sys.argv[1]).read())])"
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


IMAGE = "image: a/b:1\n"
PARAMETERS = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nspec: {helm: {parameters: [\n"
DEEP, LARGE, MANY = "nested deeper than 200 levels", "larger than 8 MiB", "more than 250000 values"
# What takes seconds is a fourth of what its name states, with a fourth of the time, except in `make soak`.
FEWER = 1 if SOAKING else 4
PLACES = 10_000 // FEWER
# Files that name the image, each with what becomes of it: the number of places edited, or the reason why none is.
NAMING: dict[str, tuple[str, int | str]] = {
    "aliases of aliases": (IMAGE + aliases(30, 10), 1),
    "merges of merges": (IMAGE + merges(40), 1),
    "a wide mapping merged again and again": (
        IMAGE
        + "m: &m\n"
        + "".join(f"  k{n}: 1\n" for n in range(1_000))
        + "".join(f"m{n}: {{<<: *m}}\n" for n in range(500)),
        "merge keys repeat more than",
    ),
    "flow 1,000 deep": (IMAGE + "x: " + "[" * 1_000 + "]" * 1_000, DEEP),
    "flow 100,000 deep": (IMAGE + "x: " + "[" * 100_000, DEEP),
    "mappings in mappings": (IMAGE + "x: " + "{a: " * 100_000, DEEP),
    "blocks in blocks": (IMAGE + "".join(f"{' ' * level}a:\n" for level in range(2_000)), DEEP),
    "dashes": (IMAGE + "x:\n  " + "- " * 50_000, DEEP),
    "keys of keys": (IMAGE + "? " * 50_000, DEEP),
    "ten megabytes": (IMAGE + "x: " + "y" * 10_000_000, LARGE),
    "eight megabytes in one value": (IMAGE + "x: " + "y" * 8_000_000, 1),
    "a million values": (IMAGE + "y: 1\n" * 1_000_000, MANY),
    "a thousand documents": ("---\n" + IMAGE + "---\nx: y\n" * 1_000, 1),
    "separators": (IMAGE + "---\n" * 200_000, MANY),
    "a huge integer": (IMAGE + f"x: {'9' * 500_000}\n", 1),
    "an impossible date": (IMAGE + "x: 2026-13-45\ny: !!timestamp 9999-99-99T99:99:99Z\n", 1),
    "NUL": (IMAGE + "x: \0\n", "the character U+0000 is not allowed in YAML"),
    "an object of Python": (IMAGE + "x: !!python/object/apply:os.system ['touch pwned']\n", 1),
    "a tag of its own on the image": ("image: !secret a/b:1\n", 1),
    "an anchor in itself": ("a: &a\n  b: *a\n  image: a/b:1\n", 1),
    "no anchor": (IMAGE + "x: *nowhere\n", "alias *nowhere has no anchor before it"),
    "100,000 anchors": (IMAGE + "".join(f"k{n}: &a{n} v\n" for n in range(100_000 // FEWER)), 1),
    "one anchor used 40,000 times": ("x: {image: &a a/b:1}\n" + "y: {image: *a}\n" * (40_000 // FEWER), 1),
    "the same key again and again": (IMAGE * (100_000 // FEWER), 1),
    "the name in every comment": (IMAGE + "# a/b:1\n" * 200_000, 1),
    "the name all over a string": (IMAGE + f"x: '{'a/b:1.2 ' * 100_000}'\n", 1),
    "a name without end": (IMAGE + f"x: {'a/b/' * 1_000_000}\n", 1),
    "a tag without end": (IMAGE + f"y: {{image: a/b:{'1' * 1_000_000}}}\n", 1),
    "strings that are nearly YAML": (
        IMAGE + "".join(f"k{n}: |\n  image: a/b:1: x: [\n" for n in range(20_000 // FEWER)),
        1,
    ),
    "strings in strings": (IMAGE + "x: |\n  x: |\n    x: |\n      x: |\n        x: |\n          image: a/b:1\n", 1),
    "a long quoted document": (IMAGE + 'x: "' + "image: a/b:1\\n" * 20_000 + '"\n', 2),
    "marks that mark nothing": (IMAGE + "x: y # " + "gitops-ci: image=" * 100_000 + "\n", 1),
    "markers that end nowhere": (IMAGE + """x: y # {"$imagepolicy": """ * 50_000 + "\n", 1),
    "a path of parameters": (
        PARAMETERS + "{name: " + "a." * 100_000 + "tag, value: v}, {name: image, value: 'a/b:1'}]}}\n",
        1,
    ),
    "a template without sense": ("x: {{ .a }}: {{\n" + IMAGE + "- " * 200_000 + "\"' : " * 100_000, 1),
    "10,000 places": ("".join(f"k{n}: {{image: a/b:1}}\n" for n in range(PLACES)), PLACES),
    "10,000 pairs to insert": ("images:\n" + "- name: a/b\n" * PLACES, PLACES),
}
JUDGE = """
import json, os, resource, sys, time
from gitops_ci import plan
from gitops_ci.imageref import ImageRef

resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
plan.make([("values.yaml", "image: a/b:1\\n")], [ImageRef.parse("a/b:2")], plan.BumpPolicy())
for line in sys.stdin.buffer:
    if os.fork():
        os.wait()
        continue
    name, path, text = json.loads(line)
    del line
    started = time.process_time()
    planned = plan.make([(path, text)], [ImageRef.parse("a/b:2")], plan.BumpPolicy())
    seconds = time.process_time() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    reasons = [skip.reason for skip in planned.skipped]
    print(json.dumps([name, len(planned.changes), reasons, seconds, peak]), flush=True)
    os._exit(0)
"""


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    """What a bump plans for each file, in a process of its own: seconds of CPU and the peak of memory in MiB."""
    files = ((name, "kustomization.yaml" if "pairs" in name else "values.yaml", NAMING[name][0]) for name in NAMING)
    done = subprocess.run(
        [sys.executable, "-c", JUDGE],
        cwd=tmp_path_factory.mktemp("empty"),
        env={"PYTHONPATH": str(CHECKOUT), "PATH": "/usr/bin:/bin"},
        input="".join(json.dumps(file) + "\n" for file in files).encode(),
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-500:]
    return {found[0]: found[1:] for found in map(json.loads, done.stdout.splitlines())}


@pytest.mark.soak
@pytest.mark.parametrize("name", NAMING)
def test_a_file_that_names_the_image_is_edited_or_the_reason_is_said(judged, name):
    assert name in judged, "the process that judged it ended"
    changes, reasons, seconds, peak = judged[name]
    wanted = NAMING[name][1]
    if isinstance(wanted, int):
        assert changes == wanted
    else:
        assert changes == 0
        assert any(f"cannot be read: {wanted}" in reason for reason in reasons)
    assert len(reasons) <= 51
    assert all(len(reason) < 500 for reason in reasons)
    assert seconds < 20 / FEWER, "ten times what it may take, since machines differ"
    assert peak < 300, "MiB"
