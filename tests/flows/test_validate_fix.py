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
DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: a}
spec:
  selector: {matchLabels: {a: b}}
  template:
    metadata: {labels: {a: b}}
    spec: {containers: [{name: a, image: 'a:1.0'}]}
"""
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
        # A field that may be another one, or the opposite, or that is further away than one letter.
        POD + "  hostPIC: true\n",
        BUDGET.replace("v1beta1", "v1").replace("minAvailable", "maxAvailable"),
        POD.replace("'a:1.0'", "'a:1.0', volumes: []"),
        POD + "  'restartPolcy': Never\n",
        # A number that YAML writes in another way, and a word that is not the whole value.
        DEPLOYMENT + '  replicas: "02"\n',
        DEPLOYMENT + '  replicas: " 2"\n',
        DEPLOYMENT + "  replicas: |\n    2\n",
        DEPLOYMENT + "  replicas: !!str 2\n",
        POD + "  restartPolicy: always ever\n",
        POD + "  restartPolicy: on-failure\n",
        POD.replace("'a:1.0'", "'a:1.0', env: [{name: A, value: yes}]"),
        POD.replace("'a:1.0'", "'a:1.0', env: [{name: A, value: 1e3}]"),
        # An anchor whose other use wants a text, a file that SOPS signs, and one with other line ends.
        DEPLOYMENT.replace("metadata: {labels: {a: b}}", "metadata: {labels: {a: b}, annotations: {c: *x}}").replace(
            "spec:\n  selector", "spec:\n  replicas: &x '2'\n  selector"
        ),
        POD + "  restartPolcy: Never\nsops: {mac: 'ENC[AES256_GCM,data:a]', version: 3.8.1}\n",
        DEPLOYMENT + '  replicas: "2"\n# a\rb\n',
        BUDGET,
        "apiVersion: v1\nkind: List\nitems:\n  - " + BUDGET.replace("\n", "\n    ") + "\n",
        "apiVersion: networking.k8s.io/v1beta1\nkind: Ingress\nmetadata: {name: a}\nspec: {}\n",
    ],
)
def test_what_nobody_can_be_sure_of_stays(run, tmp_path, text):
    (tmp_path / "app.yaml").write_bytes(text.encode())
    assert run("validate", "--fix").code == 1
    assert (tmp_path / "app.yaml").read_bytes().decode() == text


@pytest.mark.parametrize(
    ("text", "wrong", "right"),
    [
        (POD + "  restartPolcy: Never\n", "Polcy", "Policy"),
        (POD + "  restart_policy: Never\n", "restart_policy", "restartPolicy"),
        (POD + "  restartPolicy: onfailure # once\n", "onfailure", "OnFailure"),
        (POD + "  restartPolicy: 'always'\n", "always", "Always"),
        (DEPLOYMENT + "  # the number\n  replicas:   '3'\t# drei 🎉\n", "'3'", "3"),
        (DEPLOYMENT + "  replicas: &x '3'\n  minReadySeconds: *x\n", "'3'", "3"),
        (DEPLOYMENT + "  replicas: '3'", "'3'", "3"),
        ("%YAML 1.1\n---\n" + DEPLOYMENT + "  replicas: '3'\n", "'3'", "3"),
        (POD.replace("'a:1.0'", "'a:1.0', env: [{name: 🎉, value: 0755}]"), "0755", '"0755"'),
        (POD.replace("'a:1.0'", "'a:1.0', env: [{name: A, value: 1.10}]"), "1.10", '"1.10"'),
        (DEPLOYMENT.replace("'a:1.0'", "'a:1.0', ports: [{containerPort: 80, protocl: UDP}]"), "protocl", "protocol"),
        (BUDGET.replace("{}", "{matchLabels: {a: b}}").replace("policy/v1beta1", "'policy/v1beta1'"), "v1beta1", "v1"),
        (POD + "  restartPolcy: Never\n---\n" + POD + "---\n" + DEPLOYMENT, "Polcy", "Policy"),
        (
            "apiVersion: v1\nkind: List\nitems:\n- " + POD.replace("\n", "\n  ") + "  restartPolcy: Never\n",
            "Polcy",
            "Policy",
        ),
        (POD.replace("spec:\n", "spec:\n  <<: {hostPID: false}\n") + "  restartPolcy: Never\n", "Polcy", "Policy"),
    ],
)
def test_only_the_word_changes_and_a_second_run_finds_nothing(run, tmp_path, text, wrong, right):
    (tmp_path / "app.yaml").write_bytes(text.encode())
    assert text.count(wrong) == 1
    assert run("validate", "--fix", "--dry-run").code == 1
    run("validate", "--fix")
    assert (tmp_path / "app.yaml").read_bytes().decode() == text.replace(wrong, right)
    again = run("validate", "--fix", "--output", "json")
    assert again.document["diff"] == ""


def test_json_is_repaired_too(run, tree, tmp_path):
    text = '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"},"spec":{"restartPolicy":"always","containers":[]}}'
    tree({"app.json": text})
    run("validate", "--fix")
    assert (tmp_path / "app.json").read_text() == text.replace("always", "Always")


def test_what_is_read_only_is_not_written(run, tree, tmp_path):
    tree({"app.yaml": WRONG})
    (tmp_path / "app.yaml").chmod(0o444)
    assert run("validate", "--fix").code == 1
    assert (tmp_path / "app.yaml").read_text() == WRONG


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


def test_standard_input_is_not_repaired_in_silence(run):
    ran = run("validate", "--fix", "-")
    assert ran.code == 2
    assert "standard input is not a file" in ran.err
