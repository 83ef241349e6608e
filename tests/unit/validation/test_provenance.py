"""What several units are made of is read once."""

from __future__ import annotations

from collections import Counter

import pytest

from gitops_ci.validation import Rendered, check, provenance, run

BASE = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: provenance}\ndata: {a: 1}\n"
DEFINITION = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: quuxes.acme.example}
spec: {group: acme.example, names: {kind: Quux, plural: quuxes}, scope: Cluster, versions: &none []}
"""


def test_a_base_and_a_definition_of_several_units_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    read: Counter[str] = Counter()
    split, load = provenance.split, run.Piece.load
    monkeypatch.setattr(provenance, "split", lambda text: read.update([text]) or split(text))
    monkeypatch.setattr(run.Piece, "load", lambda piece: read.update([piece.text]) or load(piece))
    text = f"{DEFINITION}---\n{BASE}"
    units = [Rendered(name, f"{name}/kustomization.yaml", text, (("base/a.yaml", BASE),)) for name in "abc"]
    findings = check([], rendered=units).findings
    assert {one.path for one in findings if one.rule == "schema/type"} == {"base/a.yaml"}
    assert read[BASE] == 1
    read_definitions = sum(number for text, number in read.items() if "Quux" in text and BASE not in text)
    assert read_definitions == 1 + len(units)  # once to learn from it, and what each unit renders is judged
