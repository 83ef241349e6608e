"""With the settings of one file, `validate` on the edited tree and the gate of `bump` give the same verdict."""

from __future__ import annotations

import pytest

from tests.flows.test_bump import IMAGE
from tests.flows.test_bump_gate import DEFINITION, DEPLOYMENT, SCHEMA, TEMPLATE, VALUES, WIDGET
from tests.flows.test_validate_units import CHART, KUSTOMIZATION
from tests.support.git_repo import make_repo

WIDGETS = {"crds/widgets.yaml": DEFINITION, "apps/w.yaml": WIDGET}
ONLY_WITH_NEW = '{{ if eq .Values.image.tag "1.5.0" }}\n---\n%s{{ end }}\n'
LATEST = DEPLOYMENT.replace("{name: shop}", "{name: other}", 1).replace("shop:1.4.1", "other:latest")
GADGET = "apiVersion: acme.example/v1\nkind: Gadget\nmetadata: {name: a}\nspec: {}\n"
OTHER = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: other}\n"
LONG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: '" + "x" * 5000 + "'}\n"


def chart(more: str = "", **files: str) -> dict[str, str]:
    return {
        "shop/Chart.yaml": CHART,
        "shop/values.yaml": VALUES,
        "shop/templates/d.yaml": TEMPLATE + (ONLY_WITH_NEW % more if more else ""),
    } | {path.replace("__", "/"): text for path, text in files.items()}


OWN_VALUES = {
    **chart(),
    "shop/values.yaml": "image: {repository: ghcr.io/acme/other, tag: 1.4.0}\n",
    "shop/values.schema.json": SCHEMA,
    "envs/shop.yaml": VALUES,
}
# What the tree is, the settings, and what both say of the edit.
CASES = {
    "nothing set": (WIDGETS, "", [("schema/value", "apps/w.yaml")]),
    "exclude": (WIDGETS, "validate: {exclude: [apps]}", []),
    "exclude, of a description": (
        chart() | {"shop/values.schema.json": SCHEMA},
        "validate: {exclude: [shop/Chart.yaml, shop/templates]}",
        [],
    ),
    "exclude, of what another file breaks": (
        {"app/kustomization.yaml": "resources: [../crds/widgets.yaml, ../apps/w.yaml]\n"} | WIDGETS,
        "validate: {exclude: [apps/**]}",
        [],
    ),
    "skip-kinds": (WIDGETS, "validate: {skip-kinds: [Widget.acme.example]}", []),
    "skip-rules": (WIDGETS, "validate: {skip-rules: [schema/*]}", []),
    "ignore": (WIDGETS, "validate: {ignore: [schema/value path=apps/*]}", []),
    "substitute": (
        WIDGETS | {"apps/w.yaml": WIDGET.replace("kind: Widget", "kind: ${kind}")},
        "validate: {substitute: {kind: Widget}}",
        [("schema/value", "apps/w.yaml")],
    ),
    "substitute, in what Flux applies": (
        WIDGETS
        | {
            "apps/w.yaml": WIDGET.replace("kind: Widget", "kind: ${kind}"),
            "clusters/apps.yaml": KUSTOMIZATION + "  postBuild: {substituteFrom: [{kind: Secret, name: elsewhere}]}\n",
        },
        "validate: {substitute: {kind: Widget}}",
        [("schema/value", "clusters/apps.yaml")],
    ),
    "values": (OWN_VALUES, "validate: {values: {shop: envs/shop.yaml}}", [("gitops/unit-build", "shop/Chart.yaml")]),
    "values, that nobody gives": (OWN_VALUES, "", []),
    "a warning": (chart(LATEST), "", []),
    "fail-on warning": (
        chart(LATEST),
        "validate: {fail-on: warning}",
        [("repo/mutable-tag", "shop/templates/d.yaml")],
    ),
    "fail-on a rule": (
        chart(LATEST),
        "validate: {fail-on: repo/mutable-tag}",
        [("repo/mutable-tag", "shop/templates/d.yaml")],
    ),
    "a skip": (chart(GADGET), "", []),
    "fail-on skipped": (chart(GADGET), "validate: {fail-on: [skipped]}", ["be checked"]),
    "missing-schema": (
        chart(GADGET),
        "validate: {missing-schema: fail}",
        [("schema/missing", "shop/templates/d.yaml")],
    ),
    "render: none": (chart() | {"shop/values.schema.json": SCHEMA}, "validate: {render: none}", []),
    "rendering": (
        chart(LONG),
        "rendering: {output: 4KiB}\nvalidate: {fail-on: skipped}",
        [""],
    ),
    "folders that nobody walks": (
        {"crds/widgets.yaml": DEFINITION, ".archive/w.yaml": WIDGET, "vendor/w.yaml": WIDGET, "a.yaml": DEPLOYMENT},
        "",
        [],
    ),
}


@pytest.mark.parametrize("kind", CASES)
def test_validate_and_the_gate_give_the_same_verdict(run, tree, tmp_path, tmp_path_factory, tool, kind):
    files, settings, expected = CASES[kind]
    files = {**files, "other/c.yaml": OTHER, ".gitops-ci.yaml": settings}
    tool("git", "kubectl", "helm")
    repo = make_repo(tmp_path_factory.mktemp("served") / "config.git", files)
    bumped = run("bump", IMAGE, "--config-repo", repo.path, "--mode", "dry-run", "--output", "json")

    edit = ("tag: 1.4.1", "tag: 1.5.0") if "tag: 1.4.1" in str(files) else ("shop:1.4.1", "shop:1.5.0")
    tree({path: text.replace(*edit) for path, text in files.items()})
    (tmp_path / ".git").mkdir()  # the root of a repository, as a person has it
    validated = run("validate", ".", "--output", "json")
    assert (bumped.code, validated.code) == ((1, 1) if expected else (0, 0)), bumped.err + validated.err
    for ran in (bumped, validated):
        if isinstance(expected[0] if expected else (), str):
            assert expected[0] in ran.document["error"]["message"]
            continue
        found = ran.document["findings"] if ran.code else []
        assert [(one["rule"], one["path"]) for one in found] == expected, ran.out
