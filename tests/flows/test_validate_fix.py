"""`validate --fix` repairs what has one meaning, and nothing else."""

from __future__ import annotations

import pytest

WRONG = """\
# The shop.
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {tier: 1}}
spec:
  replicas: "2"   # two
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      restartPolicy: always
      containers:
        - name: 'web'
          image: ghcr.io/acme/web:1.4.2
          imagePullPolcy: Always
          ports: [{containerPort: '80'}]
          env: [{name: DEBUG, value: true}]
---
apiVersion: batch/v1beta1
kind: CronJob
metadata: {name: nightly}
spec:
  schedule: "0 3 * * *"
  jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: "a:1.0"}]}}}}
"""
RIGHT = (
    WRONG.replace("tier: 1", 'tier: "1"')
    .replace('"2"', "2")
    .replace("always", "Always")
    .replace("Polcy", "Policy")
    .replace("'80'", "80")
    .replace("value: true", 'value: "true"')
    .replace("v1beta1", "v1")
)


def test_what_has_one_meaning_is_repaired_and_shown(run, tree, tmp_path):
    tree({"app.yaml": WRONG})
    shown = run("validate", "--fix", "--dry-run")
    assert shown.code == 1
    assert (tmp_path / "app.yaml").read_text() == WRONG
    assert '-  replicas: "2"   # two\n+  replicas: 2   # two' in shown.out
    ran = run("validate", "--fix", "--output", "json")
    assert (ran.code, ran.document["status"], ran.document["findings"]) == (0, "changed", [])
    assert (tmp_path / "app.yaml").read_text() == RIGHT
    assert "+          imagePullPolicy: Always" in ran.document["diff"]
    again = run("validate", "--fix", "--output", "json")
    assert (again.code, again.document["status"], again.document["diff"]) == (0, "unchanged", "")


def test_line_ends_and_a_mark_stay(run, tree, tmp_path):
    (tmp_path / "app.yaml").write_bytes(("\ufeff" + WRONG.replace("\n", "\r\n")).encode())
    assert run("validate", "--fix").code == 0
    assert (tmp_path / "app.yaml").read_bytes() == ("\ufeff" + RIGHT.replace("\n", "\r\n")).encode()


POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers: [{name: a, image: 'a:1.0'}]\n"
BUDGET = """\
apiVersion: policy/v1beta1
kind: PodDisruptionBudget
metadata: {name: a}
spec: {minAvailable: 1, selector: {}}
"""


@pytest.mark.parametrize(
    "text",
    [
        POD + "  restartPolcy: Never\n  restartPolicy: Always\n",
        POD + "  xyzzy: 1\n",
        POD + "  priority: '1.5'\n",
        POD + "  restartPolicy: sometimes\n",
        POD + "  hostNetwrok: &a true\n  hostPID: *a\n  {{ if x }}\n",
        BUDGET,
        "apiVersion: networking.k8s.io/v1beta1\nkind: Ingress\nmetadata: {name: a}\nspec: {}\n",
    ],
)
def test_what_nobody_can_be_sure_of_stays(run, tree, tmp_path, text):
    tree({"app.yaml": text})
    assert run("validate", "--fix").code == 1
    assert (tmp_path / "app.yaml").read_text() == text


def test_what_is_behind_a_link_is_not_written(run, tree, tmp_path):
    tree({"real/app.yaml": WRONG})
    (tmp_path / "app.yaml").symlink_to("real/app.yaml")
    assert run("validate", "--fix", "app.yaml").code == 1
    assert (tmp_path / "real/app.yaml").read_text() == WRONG


def test_the_file_that_a_unit_is_made_of_is_repaired(run, tree, tmp_path, tool):
    tool("kubectl")
    tree({"base/kustomization.yaml": "resources: [d.yaml]\nnamePrefix: my-\n", "base/d.yaml": WRONG})
    ran = run("validate", "--fix", "--output", "json")
    assert (tmp_path / "base/d.yaml").read_text() == RIGHT, ran.out
    assert ran.code == 0
