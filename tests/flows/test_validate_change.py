"""`validate --changed-since` finds what neither side of a change shows alone."""

from __future__ import annotations

import pytest

from tests.support.workspace import git, make_checkout

RULES = ("--rules", "repo/immutable", "--rules", "repo/deletes-data", "--rules", "repo/crd-in-use")
SET = """\
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, namespace: shop}
spec:
  serviceName: db
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: db, image: "postgres:17.2"}]}
  volumeClaimTemplates:
    - metadata: {name: data}
      spec:
        accessModes: [ReadWriteOnce]
        resources: {requests: {storage: 5Gi}}
"""
CLAIM = """\
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: uploads, namespace: shop}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 5Gi}}}
"""
DEFINITION = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: backups.acme.example}
spec:
  group: acme.example
  names: {kind: Backup, plural: backups}
  scope: Namespaced
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]
"""
BACKUP = "apiVersion: acme.example/v1\nkind: Backup\nmetadata: {name: nightly}\n"
ANNOTATED = "annotations: {kustomize.toolkit.fluxcd.io/reconcile: disabled}"
UNIT = """\
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: shop, namespace: flux-system}
spec: {interval: 1m, prune: PRUNE, path: ./shop, sourceRef: {kind: GitRepository, name: flux-system}}
"""


@pytest.fixture
def change(run, tree, tmp_path):
    """What is found after files of a commit were replaced; None removes one."""

    def call(before: dict[str, str], after: dict[str, str | None], *arguments: str) -> list[tuple[str, str, int]]:
        make_checkout(tmp_path, before, origin="")
        for name, text in after.items():
            if text is None:
                (tmp_path / name).unlink()
            else:
                tree({name: text})
        ran = run("validate", "--changed-since", "HEAD", "--allow-empty", "--output", "json", *RULES, *arguments)
        return [(one["rule"], one["path"], one["line"]) for one in ran.document["findings"]]

    return call


def test_a_field_that_cannot_change_is_found_where_it_is_written(tool, change):
    tool("kubectl", "git")
    before = {"apps/shop.yaml": UNIT.replace("PRUNE", "true"), "shop/kustomization.yaml": "resources: [db.yaml]\n"}
    grown = {"shop/db.yaml": SET.replace("5Gi", "9Gi").replace("17.2", "17.3")}
    assert change(before | {"shop/db.yaml": SET}, grown) == [("repo/immutable", "shop/db.yaml", 14)]


def test_manifests_that_no_unit_takes_are_compared_too(change):
    assert change({"a/db.yaml": SET}, {"a/db.yaml": SET.replace("serviceName: db", "serviceName: x")}) == [
        ("repo/immutable", "a/db.yaml", 5)
    ]


@pytest.mark.parametrize(
    ("prune", "expected"), [("true", [("repo/deletes-data", "shop/claim.yaml", 0)]), ("false", [])]
)
def test_a_claim_that_goes_takes_its_data_where_the_operator_prunes(tool, change, prune, expected):
    tool("kubectl", "git")
    before = {"apps/shop.yaml": UNIT.replace("PRUNE", prune), "shop/db.yaml": SET, "shop/claim.yaml": CLAIM}
    assert change(before, {"shop/claim.yaml": None}) == expected


def test_a_claim_that_is_renamed_is_another_one(run, change):
    change({"a/claim.yaml": CLAIM}, {"a/claim.yaml": CLAIM.replace("name: uploads", "name: files")})
    ran = run("validate", "--changed-since", "HEAD", "--output", "json", *RULES)
    [found] = ran.document["findings"]
    assert (found["resource"], found["path"]) == ("PersistentVolumeClaim/uploads", "a/claim.yaml")
    assert found["message"].startswith("renamed to files: the data of its volume is deleted with it")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("serviceName: db", "serviceName: x", "spec.serviceName: cannot be changed: the API server refuses the update"),
        ("  serviceName: db\n", "", "spec: spec.serviceName cannot be changed: the API server refuses the update"),
    ],
)
def test_a_field_is_named_once(run, change, old, new, message):
    change({"a/db.yaml": SET}, {"a/db.yaml": SET.replace(old, new)})
    ran = run("validate", "--changed-since", "HEAD", "--output", "json", *RULES)
    assert [found["message"] for found in ran.document["findings"]] == [message]


def test_what_moves_to_another_unit_is_not_deleted(tool, change):
    tool("kubectl", "git")
    before = {
        "apps/shop.yaml": UNIT.replace("PRUNE", "true"),
        "shop/kustomization.yaml": "resources: [claim.yaml]\n",
        "shop/claim.yaml": CLAIM,
    }
    other = UNIT.replace("PRUNE", "true").replace("name: shop", "name: files").replace("./shop", "./files")
    after = {
        "apps/files.yaml": other,
        "files/claim.yaml": CLAIM,
        "shop/claim.yaml": None,
        "shop/db.yaml": SET,
        "shop/kustomization.yaml": "resources: [db.yaml]\n",
    }
    assert change(before, after) == []


@pytest.mark.parametrize(
    ("after", "rules"),
    [
        ({"crds/backup.yaml": None}, ["repo/crd-in-use"]),
        ({"crds/backup.yaml": None, "jobs/b.yaml": None}, ["repo/deletes-data"]),
        ({"crds/backup.yaml": None, "definitions/backup.yaml": DEFINITION}, []),
    ],
)
def test_a_definition_that_goes_takes_its_objects(change, after, rules):
    found = change({"crds/backup.yaml": DEFINITION, "jobs/b.yaml": BACKUP}, after)
    assert [rule for rule, _, _ in found] == rules


def test_what_an_operator_is_not_given_is_not_pruned(tool, change):
    tool("kubectl", "git")
    before = {"apps/shop.yaml": UNIT.replace("PRUNE", "true"), "shop/db.yaml": SET, "setup/crds.yaml": DEFINITION}
    assert change(before | {"shop/b.yaml": BACKUP}, {"setup/crds.yaml": None}) == []


def test_a_claim_of_a_volume_made_by_hand_takes_no_data(change):
    volume = "apiVersion: v1\nkind: PersistentVolume\nmetadata: {name: nfs}\nspec: {storageClassName: nfs}\n"
    claim = CLAIM.replace("{accessModes", "{storageClassName: nfs, accessModes")
    assert [rule for rule, _, _ in change({"a/c.yaml": claim, "a/d.yaml": SET}, {"a/c.yaml": None})] == [
        "repo/deletes-data"
    ]
    assert change({"a/c.yaml": claim, "a/v.yaml": volume}, {"a/c.yaml": None}) == []


def test_what_is_accepted_and_what_is_not_asked_for_is_not_told(change, tmp_path):
    changed = {"a/db.yaml": SET.replace("serviceName: db", "serviceName: x")}
    assert change({"a/db.yaml": SET}, changed, "--ignore", "repo/immutable kind=StatefulSet") == []
    assert git(tmp_path, "status", "--short") == " M a/db.yaml\n"


JOB = """\
apiVersion: batch/v1
kind: Job
metadata: {name: migrate, namespace: shop}
spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: "i:1"}]}}}
"""


@pytest.mark.parametrize(
    ("path", "before", "after", "rules"),
    [
        ("crd.yaml", DEFINITION, DEFINITION.replace("name: v1,", "name: v2,"), ["repo/immutable"]),
        (
            "crd.yaml",
            DEFINITION,
            DEFINITION.replace("[{name: v1, served: true, storage: true", "[{name: v1, served: true, storage: false"),
            [],
        ),
        ("job.yaml", JOB, JOB.replace("i:1", "i:2"), ["repo/immutable"]),
        ("job.yaml", JOB, JOB.replace('"i:1"', '"i:1", imagePullPolicy: IfNotPresent'), []),
    ],
)
def test_an_update_is_judged_as_the_server_judges_it(change, path, before, after, rules):
    assert [rule for rule, _, _ in change({f"a/{path}": before}, {f"a/{path}": after})] == rules


@pytest.mark.parametrize("mark", ["labels: {kustomize.toolkit.fluxcd.io/prune: Disabled}", ANNOTATED])
def test_what_flux_does_not_prune_takes_no_data(tool, change, mark):
    tool("kubectl", "git")
    before = {"apps/shop.yaml": UNIT.replace("PRUNE", "true"), "shop/db.yaml": SET}
    kept = CLAIM.replace("namespace: shop", f"namespace: shop, {mark}")
    assert change(before | {"shop/claim.yaml": kept}, {"shop/claim.yaml": None}) == []


RELEASE = """\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: shop, namespace: shop}
spec:
  interval: 1m
  upgrade: {force: true}
  chart: {spec: {chart: ./chart, sourceRef: {kind: GitRepository, name: shop}}}
"""


def test_a_forced_upgrade_of_helm_is_an_update(tool, change):
    tool("helm", "git")
    source = "apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {name: shop, namespace: shop}\n"
    chart = {"chart/Chart.yaml": "apiVersion: v2\nname: shop\nversion: 1.0.0\n", "chart/templates/job.yaml": JOB}
    before = {"apps/shop.yaml": RELEASE, "apps/source.yaml": f"{source}spec: {{url: URL, interval: 1m}}\n", **chart}
    found = change(before, {"chart/templates/job.yaml": JOB.replace("i:1", "i:2")})
    assert [rule for rule, _, _ in found] == ["repo/immutable"]


def test_what_a_sparse_checkout_leaves_out_is_not_deleted(run, tree, tool, tmp_path):
    tool("git")
    make_checkout(tmp_path, {"shop/claim.yaml": CLAIM, "web/config.yaml": BACKUP}, origin="")
    git(tmp_path, "sparse-checkout", "set", "web")
    assert not (tmp_path / "shop").exists()
    tree({"web/config.yaml": BACKUP.replace("nightly", "weekly")})
    ran = run("validate", "--changed-since", "HEAD", "--output", "json", *RULES)
    assert ran.document["findings"] == []
    ran = run("diff", "--base", "HEAD", "--output", "json")
    assert [(one["name"], one["state"]) for one in ran.document["rendered"]["objects"]] == [
        ("nightly", "removed"),
        ("weekly", "added"),
    ]
