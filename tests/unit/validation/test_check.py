"""Manifests to findings: what is wrong, where, and what to do about it."""

from __future__ import annotations

import textwrap

import pytest
import yaml

from gitops_ci.errors import UsageError
from gitops_ci.model import Finding
from gitops_ci.validation import VERSIONS, Checks, check, versions

DEPLOYMENT = textwrap.dedent("""\
    apiVersion: apps/v1
    kind: Deployment
    metadata:
      name: shop
    spec:
      replicas: 2
      selector:
        matchLabels: {app: shop}
      template:
        metadata:
          labels: {app: shop}
        spec:
          containers:
            - name: shop
              image: ghcr.io/acme/shop:1.4.2
    """)


def findings(text: str, checks: Checks | None = None, path: str = "app.yaml") -> tuple[Finding, ...]:
    return check([(path, text)], checks).findings


def only(text: str) -> Finding:
    found = findings(text)
    assert len(found) == 1, found
    return found[0]


def test_a_sound_manifest_is_valid_in_every_bundled_version() -> None:
    report = check([("app.yaml", DEPLOYMENT)], Checks(kubernetes_versions=VERSIONS))
    assert report.findings == ()
    counts = {"files": 1, "documents": 1, "valid": 1, "invalid": 0, "skipped": 0, "suppressed": 0}
    assert dict(report.summary) == counts


def test_an_unknown_field_points_at_its_key_and_names_the_nearest() -> None:
    found = only(DEPLOYMENT.replace("replicas: 2", "replicsa: 2"))
    assert (found.rule, found.line, found.column) == ("schema/unknown-field", 6, 3)
    assert found.message == "spec.replicsa: unknown field 'replicsa'"
    assert found.hint == "Did you mean 'replicas'?"
    assert found.resource == "Deployment/shop"


def test_a_wrong_type_points_at_the_value() -> None:
    found = only(DEPLOYMENT.replace("replicas: 2", 'replicas: "2"'))
    assert (found.rule, found.line, found.column) == ("schema/type", 6, 13)
    assert found.message == "spec.replicas: must be an integer, is a string"


def test_a_missing_field_points_at_its_parent() -> None:
    found = only(DEPLOYMENT.replace("  selector:\n    matchLabels: {app: shop}\n", ""))
    assert (found.rule, found.line, found.column) == ("schema/required", 5, 1)
    assert found.message == "spec: required field 'selector' is missing"


@pytest.mark.parametrize("word", ["on", "yes", "n", "0755", "1.10", "1e3", "true"])
def test_a_plain_word_that_yaml_reads_otherwise_is_told_with_its_line(word: str) -> None:
    text = DEPLOYMENT + f"          env:\n            - name: A\n              value: {word}\n"
    found = only(text)
    assert (found.rule, found.line, found.column) == ("schema/type", 18, 22)
    assert f'in quotes: "{word}"' in found.hint
    assert findings(text.replace(f"value: {word}", f'value: "{word}"')) == ()


def test_positions_hold_in_later_documents_and_with_windows_line_ends() -> None:
    second = DEPLOYMENT.replace("replicas: 2", "replicas: two").replace("name: shop\nspec", "name: other\nspec")
    text = (DEPLOYMENT + "---\n" + second).replace("\n", "\r\n")
    found = only(text)
    assert (found.line, found.column) == (22, 13)


def test_items_of_a_list_are_checked_one_by_one() -> None:
    inner = textwrap.indent(DEPLOYMENT.replace("replicas", "replicsa"), "    ").replace("    api", "  - api", 1)
    found = only(f"apiVersion: v1\nkind: List\nitems:\n{inner}")
    assert (found.rule, found.line, found.resource) == ("schema/unknown-field", 9, "Deployment/shop")


def test_items_of_a_typed_list_are_of_its_kind() -> None:
    said = "  - metadata: {name: a}\n    dat: {b: c}\n  - {apiVersion: v1, kind: Secret, metadata: {name: b}}\n"
    found = only(f"apiVersion: v1\nkind: ConfigMapList\nitems:\n{said}")
    assert (found.rule, found.line, found.resource) == ("schema/unknown-field", 5, "ConfigMap/a")
    assert only("apiVersion: v1\nkind: ConfigMapList\nmetadata: {name: a}\n").rule == "api/not-served"


def test_a_broken_document_hides_no_other() -> None:
    found = findings("a: [\n---\n" + DEPLOYMENT.replace("replicas", "replicsa"))
    assert [(f.rule, f.line) for f in found] == [("yaml/syntax", 2), ("schema/unknown-field", 8)]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("roles/tasks/main.yml", "- name: a\n  shell: b: c\n"),
        ("translations/he.json", '{"title": "\\udz"}'),
        ("notes.yaml", "{{- if .x }}\na: 1\n{{- end }}\n"),
    ],
)
def test_what_cannot_be_read_and_is_no_manifest_is_a_skip(path: str, text: str) -> None:
    report = check([(path, text)])
    assert report.findings == ()
    assert "is not YAML" in report.skipped[0].reason
    assert [one.rule for one in findings(f"{text}\nkind: Deployment\n")] == ["yaml/syntax"]


def test_a_key_set_twice_points_at_the_second() -> None:
    found = only(DEPLOYMENT.replace("  replicas: 2\n", "  replicas: 2\n  replicas: 3\n"))
    assert (found.rule, found.line, found.column) == ("yaml/duplicate-key", 7, 3)


@pytest.mark.parametrize(
    ("api_version", "kind", "message", "hint"),
    [
        ("extensions/v1beta1", "Deployment", "it was removed in 1.16", "apps/v1"),
        ("policy/v1beta1", "PodDisruptionBudget", "it was removed in 1.25", "policy/v1"),
        ("autoscaling/v2beta2", "HorizontalPodAutoscaler", "it was removed in 1.26", "autoscaling/v2"),
        ("apps/v1", "Deploiment", "has no kind 'Deploiment'", "Did you mean 'Deployment'?"),
        ("v2", "ConfigMap", "has no kind 'ConfigMap' in 'v2'", "apiVersion: v1"),
        ("scheduling.k8s.io/v1alpha2", "Workload", "it was removed in 1.37", "scheduling.k8s.io/v1beta1"),
        ("resource.k8s.io/v1alpha2", "DeviceTaintRule", "has no kind", "resource.k8s.io/v1"),
    ],
)
def test_a_kind_that_is_not_served_names_its_replacement(api_version: str, kind: str, message: str, hint: str) -> None:
    found = only(f"apiVersion: {api_version}\nkind: {kind}\nmetadata:\n  name: a\n")
    assert (found.rule, found.line) == ("api/not-served", 1)
    assert message in found.message
    assert hint in found.hint


def test_a_resource_without_schema_is_a_skip_that_says_what_to_do() -> None:
    custom = "apiVersion: acme.io/v1\nkind: Widget\nmetadata:\n  name: a\n"
    report = check([("w.yaml", custom)])
    assert report.findings == ()
    assert [(skip.line, skip.reason) for skip in report.skipped] == [(1, "no schema for Widget of acme.io/v1")]
    assert "--crd-path" in report.skipped[0].hint
    assert [f.rule for f in findings(custom, Checks(missing_schema="fail"))] == ["schema/missing"]
    assert check([("w.yaml", custom)], Checks(missing_schema="ignore")).skipped == ()


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("Chart.yaml", "apiVersion: v2\nname: shop\nversion: 1.0.0\n"),
        ("chart/values-prod.yaml", "image:\n  tag: 1.0.0\n"),
        ("chart/templates/app.yaml", "kind: {{ .Values.kind }}\n"),
        ("kustomization.yaml", "resources: [app.yaml]\n"),
        ("fleet.yaml", "defaultNamespace: shop\n"),
        (".github/workflows/ci.yaml", "on: push\njobs: {}\n"),
        ("patch.json", '[{"op": "remove", "path": "/spec"}]'),
        ("settings.yaml", "a: 1\n"),
    ],
)
def test_what_is_no_manifest_is_skipped_with_a_reason(path: str, text: str) -> None:
    report = check([(path, text)])
    assert report.findings == ()
    assert len(report.skipped) == 1


def test_rules_are_chosen_by_globs() -> None:
    text = DEPLOYMENT.replace("replicas: 2", 'replicsa: "2"\n  paused: "x"')
    assert [f.rule for f in findings(text)] == ["schema/unknown-field", "schema/type"]
    assert [f.rule for f in findings(text, Checks(rules=("schema/unknown-*",)))] == ["schema/unknown-field"]
    assert [f.rule for f in findings(text, Checks(skip_rules=("schema/unknown-*",)))] == ["schema/type"]


def test_a_range_of_versions_checks_each() -> None:
    assert versions("1.33..1.35") == ("1.33", "1.34", "1.35")
    assert versions("v1.30.4") == ("1.30",)
    text = "apiVersion: flowcontrol.apiserver.k8s.io/v1beta3\nkind: FlowSchema\nmetadata: {name: a}\n"
    text += "spec: {priorityLevelConfiguration: {name: b}}\n"
    assert findings(text, Checks(kubernetes_versions=("1.31",))) == ()
    found = findings(text, Checks(kubernetes_versions=versions("1.31..1.33")))
    assert [f.message.partition(" has no")[0] for f in found] == ["apiVersion: Kubernetes 1.32 to 1.33"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1.33-1.35", ("1.33", "1.34", "1.35")),
        ("v1.36.1 - latest", ("1.36", "1.37")),
        ("v1.31.4-gke.1183000", ("1.31",)),
        ("1.29.3-eks-adc7111, 1.30.2+k3s1", ("1.29", "1.30")),
        ("1.29.3-eks-adc7111..v1.31.4-gke.1", ("1.29", "1.30", "1.31")),
        ("1.31,1.29..1.30,1.30", ("1.29", "1.30", "1.31")),
    ],
)
def test_a_version_is_read_as_a_cluster_or_a_person_writes_it(text: str, expected: tuple[str, ...]) -> None:
    assert versions(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # One statement with other values, other hints, or the version in its words is one finding.
        ("spec: {trafficDistribution: Odd, ports: [{port: 80}]}", ["(in Kubernetes 1.31 to 1.37)"]),
        ("spec: {ports: [{port: 80}], oddd: 1}", ["unknown field 'oddd'"]),
        ("spec: {ports: [{port: 80, nodePort: x}]}", ["is a string"]),
    ],
)
def test_a_range_reports_a_finding_once(text: str, expected: list[str]) -> None:
    text = f"apiVersion: v1\nkind: Service\nmetadata: {{name: a}}\n{text}\n"
    found = findings(text, Checks(kubernetes_versions=versions("1.30..1.37")))
    assert len(found) == len(expected)
    assert [end for one, end in zip(found, expected, strict=True) if not one.message.endswith(end)] == []


def test_versions_that_are_no_range_are_named() -> None:
    text = "apiVersion: flowcontrol.apiserver.k8s.io/v1beta2\nkind: FlowSchema\nmetadata: {name: a}\nspec: {}\n"
    found = findings(text, Checks(kubernetes_versions=versions("1.28..1.30,1.32..1.33,1.36")))
    named = [one.message for one in found if one.rule == "api/not-served"]
    assert [message.partition(" has no")[0] for message in named] == [
        "apiVersion: Kubernetes 1.29 to 1.30, 1.32 to 1.33, 1.36"
    ]


@pytest.mark.parametrize(
    "text", ["1.24", "1.99", "2.1", "1.35..1.33", "", "new", "1.30..", "..1.30", "1.35-1.33", "1.3-1"]
)
def test_an_unknown_version_names_the_known_ones(text: str) -> None:
    with pytest.raises(UsageError):
        versions(text)


def test_the_result_does_not_depend_on_the_order_of_files() -> None:
    files = [(f"{n}.yaml", DEPLOYMENT.replace("replicas", f"replicas{n}")) for n in range(5)]
    assert check(files) == check(reversed(files))


@pytest.mark.parametrize("version", ["1.30", "1.35", "1.36"])
def test_a_field_that_validation_requires_is_required_in_each_version(version: str) -> None:
    text = "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicyBinding\nmetadata: {name: a}\n"
    found = findings(text + "spec: {validationActions: []}\n", Checks(kubernetes_versions=(version,)))
    assert [one.rule for one in found] == ["schema/required", "schema/required"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("kind: pipeline\ntype: docker\nname: default\n", "kind 'pipeline' is no kind of Kubernetes"),
        ("kind: Cluster\nname: a\ntalos: {version: v1}\n", "kind 'Cluster' is no kind of Kubernetes"),
        ("metadata: {namespace: default, type: A.omni.sidero.dev, id: a}\nspec: {}\n", "neither apiVersion nor kind"),
    ],
)
def test_a_document_of_another_program_is_no_manifest(text, reason):
    report = check([("drone.yaml", text)])
    assert report.findings == ()
    assert reason in report.skipped[0].reason


@pytest.mark.parametrize(
    "text",
    [
        "kind: Deployment\nspec: {}\n",
        "kind: Cluster\nmetadata: {name: a}\n",
        "kind: List\nitems: []\n",
        "metadata: {name: a}\nspec: {}\n",
    ],
)
def test_a_manifest_that_lacks_its_first_lines_is_one(text):
    assert [one.rule for one in check([("a.yaml", text)]).findings]


def test_a_list_without_items_says_what_is_missing():
    (finding,) = check([("a.yaml", "apiVersion: v1\nkind: List\n")]).findings
    assert finding.hint == "A List needs 'items', a list of objects."


def test_a_template_that_was_not_rendered_is_named():
    (finding,) = check([("a.yaml", "{{- if .x }}\napiVersion: v1\nkind: ConfigMap\n{{- end }}\n")]).findings
    assert "a template's {{ }} that was not rendered?" in finding.message


def test_what_holds_for_a_part_of_a_range_names_its_versions():
    text = yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "a"},
            "spec": {"containers": [{"name": "a"}], "hostUsers": False, "hostNetwork": True},
        }
    )
    found = check([("a.yaml", text)], Checks(kubernetes_versions=("1.31", "1.32", "1.33", "1.34"))).findings
    assert [one.message.partition(" (in")[2] for one in found if "hostUsers" in one.message] == [
        " Kubernetes 1.33 to 1.34)"
    ]
    (everywhere,) = [one for one in found if "image" in one.field or "'image'" in one.message]
    assert "(in" not in everywhere.message


def test_an_empty_field_is_reported_by_the_schema_if_the_rule_is_not_asked_for() -> None:
    text = (
        "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: a, image: 'a:1'}], affinity: %s}\n"
    )
    text %= "{nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: []}}}"
    assert only(text).rule == "api/affinity"
    (found,) = findings(text, Checks(rules=("schema/*", "api/pod")))
    assert found.rule == "schema/required"


@pytest.mark.parametrize(
    "text",
    [
        "apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: a}\nspec: {selector: {matchLabels: {a: b}}}\n",
        "apiVersion: v1\nkind: ReplicationController\nmetadata: {name: a}\nspec: {replicas: 1}\n",
    ],
)
def test_a_missing_template_is_told_once(text: str) -> None:
    """The schema of most kinds requires it, that of a ReplicationController does not."""
    assert ["'template'" in one.message for one in findings(text)] == [True]
