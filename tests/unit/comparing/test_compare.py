"""What is the same object, what is noise, what has to be seen."""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest

from gitops_ci.comparing import RISKS, Settings, Side, compare
from gitops_ci.comparing.breaking import breaks_of
from tests.unit.comparing.support import change, config_map, deployment, one


def scoped(group: str, kind: str) -> bool:
    return kind in {"ClusterRole", "Namespace"}


# Identity


def test_another_api_version_is_the_same_object():
    old = {"apiVersion": "autoscaling/v2beta2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "a"}}
    found = one(old, {**old, "apiVersion": "autoscaling/v2"})
    assert (found.state, [risk.name for risk in found.risks]) == ("changed", ["api-version"])


def test_a_generated_name_is_the_same_object_whatever_its_hash():
    old, new = config_map("cm-6gtghh96k8", a="1"), config_map("cm-h29d89cmmt", a="2")
    found = one(old, new)
    assert found.state == "changed"
    assert [(path.path, path.noise) for path in found.paths] == [("data.a", ""), ("metadata.name", "hash")]


def test_a_reference_to_a_generated_name_restarts_the_pods_and_is_no_more_to_read():
    old, new = (
        deployment(volumes=[{"name": "v", "configMap": {"name": n}}]) for n in ("cm-6gtghh96k8", "cm-h29d89cmmt")
    )
    found = one(old, new)
    assert (found.is_noise, [risk.name for risk in found.risks]) == (True, ["restarts-pods"])


def test_an_object_without_namespace_gets_that_of_its_unit():
    found = one({**config_map(a="1")}, {**config_map(a="2")}, namespace="shop")
    assert found.namespace == "shop"


def test_a_cluster_scoped_object_has_no_namespace():
    old = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "r"}, "rules": []}
    new = {**old, "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]}
    assert one(old, new, Settings(scope=scoped), namespace="shop").namespace == ""


def test_another_namespace_is_a_move():
    old = config_map(a="1")
    new = copy.deepcopy(old)
    new["metadata"]["namespace"] = "shop"
    found = one(old, new)
    assert (found.state, found.was, found.risks[0].name) == ("moved", "in the namespace (none)", "moved")


def test_another_unit_is_a_move():
    sides = [[Side(name, [config_map(a="1")], "cluster", "shop")] for name in ("application:a", "application:b")]
    [found] = compare(*sides).objects
    assert (found.state, found.unit, found.was) == ("moved", "application:b", "in application:a")


def test_another_cluster_is_another_object():
    sides = [[Side("application:a", [config_map(a="1")], cluster, "shop")] for cluster in ("one", "two")]
    assert sorted(found.state for found in compare(*sides).objects) == ["added", "removed"]


def test_another_name_is_a_rename_where_half_is_equal():
    old, new = deployment(), deployment()
    new["metadata"]["name"] = "shop"
    found = one(old, new)
    assert (found.state, found.was, found.risks[0].name) == ("renamed", "web", "renamed")


def test_what_has_little_in_common_is_no_rename():
    assert len(change(config_map("a", x="1", y="2"), config_map("b", v="3", w="4")).objects) == 2


def test_a_key_twice_is_told_and_compared_in_order():
    found = change([config_map(a="1"), config_map(b="1")], [config_map(a="1"), config_map(b="2")])
    assert [(each.id, each.state) for each in found.objects] == [("application:shop ConfigMap cm#2", "changed")]
    assert found.notes == ("ConfigMap cm is 2 times in application:shop",)


def test_an_object_of_two_units_is_told():
    sides = [Side(name, [config_map(a="1")], "cluster", "shop") for name in ("application:a", "application:b")]
    assert "application:a and in application:b" in compare([], sides).notes[0]


def test_generated_names_are_compared_in_order():
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"generateName": "run-"}, "spec": {"parallelism": 1}}
    other = {**job, "spec": {"parallelism": 2}}
    assert [each.state for each in change([job, job], [job, other]).objects] == ["changed"]


def test_equal_objects_are_not_told():
    assert change([deployment(), config_map(a="1")], [config_map(a="1"), deployment()]).objects == ()


# Noise


def with_label(name: str, value: str, image: str = "web:1") -> dict[str, Any]:
    return deployment(image, labels={"app": "web", name: value})


@pytest.mark.parametrize(
    ("old", "new", "noise"),
    [
        (with_label("helm.sh/chart", "web-1"), with_label("helm.sh/chart", "web-2"), "chart label"),
        (
            deployment(annotations={"checksum/config": "a" * 64}),
            deployment(annotations={"checksum/config": "b" * 64}),
            "checksum",
        ),
        (deployment(annotations={"checksum/config": "a"}), deployment(annotations={"checksum/config": "never"}), ""),
        (
            deployment(annotations={"argocd.argoproj.io/tracking-id": "a"}),
            deployment(annotations={"argocd.argoproj.io/tracking-id": "b"}),
            "tracking",
        ),
        (with_label("app.kubernetes.io/version", "1"), with_label("app.kubernetes.io/version", "2"), ""),
        (with_label("team", "a"), with_label("team", "b"), ""),
    ],
)
def test_noise_is_told_by_its_class_and_restarts_all_the_same(old, new, noise):
    found = one(old, new)
    assert [path.noise for path in found.paths] == [noise]
    assert [risk.name for risk in found.risks] == ["restarts-pods"]


def definition(schema: dict[str, Any], *, served: bool = True) -> dict[str, Any]:
    version = {"name": "v1", "served": served, "storage": True, "schema": {"openAPIV3Schema": schema}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.example.com"},
        "spec": {"group": "example.com", "versions": [version]},
    }


def described(text: str, at: tuple[str, ...]) -> dict[str, Any]:
    schema: dict[str, Any] = {"description": text}
    for key in reversed(at):
        schema = {key: [schema] if key in {"allOf", "anyOf"} else schema}
    return definition(schema)


@pytest.mark.parametrize(
    ("at", "noise"),
    [
        ((), "description"),
        (("properties", "spec"), "description"),
        (("properties", "spec", "properties", "description"), "description"),
        (("properties", "items", "items", "additionalProperties"), "description"),
        (("anyOf", "properties", "a"), "description"),
        (("properties",), ""),  # a field of this name
        (("properties", "spec", "default"), ""),
        (("properties", "spec", "properties"), ""),
    ],
)
def test_descriptions_in_a_definition_are_folded_and_fields_of_that_name_are_not(at, noise):
    found = one(described("old " * 2000, at), described("new " * 2000, at))
    assert [path.noise for path in found.paths] == [noise]


def test_a_description_hides_nothing_else_of_a_definition():
    found = one(definition({"description": "a"}), definition({"description": "b"}, served=False))
    assert sorted(path.noise for path in found.paths) == ["", "description"]


def test_a_version_label_is_noise_where_the_image_says_the_same():
    old, new = (
        with_label("app.kubernetes.io/version", "1.0", "web:v1.0"),
        with_label("app.kubernetes.io/version", "1.1", "web:v1.1"),
    )
    assert sorted(path.noise for path in one(old, new).paths) == ["", "version label"]


def test_a_version_label_of_any_object_is_noise_where_an_image_of_its_unit_gets_that_version():
    def labeled(version):
        made = config_map()
        made["metadata"]["labels"] = {"app.kubernetes.io/version": version}
        return made

    found = change([labeled("1.0"), deployment("web:v1.0")], [labeled("1.1"), deployment("web:v1.1")])
    assert {one.kind: one.is_noise for one in found.objects} == {"ConfigMap": True, "Deployment": False}
    assert not one(labeled("1.0"), labeled("1.1")).is_noise


def resources(cpu: Any) -> dict[str, Any]:
    made = deployment()
    made["spec"]["template"]["spec"]["containers"][0]["resources"] = {"requests": {"cpu": cpu}}
    return made


@pytest.mark.parametrize(
    ("old", "new", "noise"), [("1000m", 1, "same value"), ("1", "2", ""), ("0.5", "500m", "same value")]
)
def test_a_quantity_of_the_same_size_is_the_same_value(old, new, noise):
    assert [path.noise for path in one(resources(old), resources(new)).paths] == [noise]


def test_what_is_another_in_each_rendering_is_noise():
    def made(word, b, second):
        first = [config_map(a=word, b=b)]
        return Side("u", first, first=first, again=[config_map(a=second, b=b)])

    [found] = compare([made("r1", "1", "r4")], [made("r2", "2", "r3")]).objects
    assert {path.path: path.noise for path in found.paths} == {"data.a": "unstable", "data.b": ""}
    assert "r2" not in repr((found.paths, found.before, found.after))
    [found] = compare([Side("u", [config_map(a="fixed")])], [made("r2", "1", "r3")]).objects
    assert [path.noise for path in found.paths] == ["", ""], "that it is made up from now on is a change"


def test_what_is_made_up_hides_nothing_beside_it():
    """In one text, one key more, and one object more."""

    def text(version, salt):
        return config_map(conf=f"version={version}\nsalt={salt}\n")

    def side(*pairs):
        return Side("u", [one for one, _ in pairs], first=[one for one, _ in pairs], again=[two for _, two in pairs])

    def shown(before, after):
        return [path.noise for one in compare([before], [after]).objects for path in one.paths]

    assert shown(side((text(1, "a"), text(1, "b"))), side((text(1, "c"), text(1, "d")))) == ["unstable"]
    assert shown(side((text(1, "a"), text(1, "b"))), side((text(2, "c"), text(2, "d")))) == [""]
    one, more = (config_map(a="x"), config_map(b="x")), (config_map(c="x", d="x"), config_map(e="x", f="x"))
    assert set(shown(side(one), side((config_map(c="x"), config_map(d="x"))))) == {"unstable"}
    assert set(shown(side(one), side(more))) == {""}
    name = [
        (config_map(f"c-{first}", k=first), config_map(f"c-{again}", k=again)) for first, again in ("xy", "pq", "kl")
    ]
    found = compare([side(name[0])], [side(name[1])]).objects
    assert [(each.state, each.name, each.is_noise) for each in found] == [("changed", "c-*", True)]
    found = compare([side(name[0])], [side(name[1], name[2])]).objects
    assert {each.state for each in found} & {"added", "renamed"}


def test_nothing_that_differs_is_dropped():
    """Shown and folded objects are all that differ."""
    before = [deployment(), config_map("a", x="1"), with_label("helm.sh/chart", "1") | {"metadata": {"name": "noise"}}]
    after = [
        deployment("web:2"),
        config_map("b", y="2"),
        with_label("helm.sh/chart", "2") | {"metadata": {"name": "noise"}},
    ]
    found = change(before, after)
    shown = {name for group in found.groups for name in group.objects}
    listed = {each.id for each in found.objects if each.state in {"added", "removed"}}
    folded = {each.id for each in found.objects if each.is_noise}
    assert shown | listed | folded == {each.id for each in found.objects}
    assert len(shown) + len(listed) + len(folded) == len(found.objects) == found.summary["objects"] == 4


# Secrets

VALUE = "Zm9vYmFyc2VjcmV0"


def secret(**more: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, **more}


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (secret(data={"a": VALUE}), secret(data={"a": "b3RoZXI="}), [("data.a", "/data/a", "/data/a")]),
        (secret(stringData={"a": VALUE}), secret(StringData={"a": VALUE}), None),
        (secret(data=None), secret(data={"a": VALUE, "b": VALUE}), [("data", "/data", "/data")]),
        (secret(), secret(data={"a": VALUE, "b": VALUE}), [("data.a", None, "/data/a"), ("data.b", None, "/data/b")]),
        (
            secret(data={"a": VALUE}, kind="secret"),
            secret(data={"a": ""}, kind="secret"),
            [("data.a", "/data/a", "/data/a")],
        ),
    ],
)
def test_a_secret_tells_its_keys_and_nothing_else(old, new, told):
    found = one(old, new)
    assert VALUE not in repr(found)
    assert all(path.masked and path.old is None and path.new is None for path in found.paths)
    if told is not None:
        assert [(path.path, path.base_pointer, path.head_pointer) for path in found.paths] == told


def test_what_kubectl_keeps_of_a_secret_is_hidden():
    name = "kubectl.kubernetes.io/last-applied-configuration"
    old, new = secret(data={}), secret(data={})
    old["metadata"]["annotations"], new["metadata"]["annotations"] = {name: VALUE}, {name: VALUE + "x"}
    assert VALUE not in repr(one(old, new))


def test_the_hash_of_a_secret_is_not_shown():
    old = secret(data={"a": VALUE}) | {"metadata": {"name": "s-6gtghh96k8"}}
    new = secret(data={"a": "eA=="}) | {"metadata": {"name": "s-h29d89cmmt"}}
    users = [
        deployment(volumes=[{"name": "v", "secret": {"secretName": name}}]) for name in ("s-6gtghh96k8", "s-h29d89cmmt")
    ]
    found = change([old, users[0]], [new, users[1]])
    assert "6gtghh96k8" not in repr(found)
    assert "h29d89cmmt" not in repr(found)
    assert [each.is_noise for each in found.objects] == [True, False]
    assert found.summary["restarts"] == 1


def test_a_checksum_of_secrets_is_not_shown():
    old, new = (deployment(annotations={"checksum/secret": letter * 64}) for letter in "ab")
    found = one(old, new)
    assert [path.noise for path in found.paths] == ["checksum"]
    assert "a" * 64 not in repr(found)


def test_ciphers_are_told_as_encrypted_again():
    old, new = (secret(data={"a": f"ENC[AES256_GCM,data:{text}]"}) for text in ("xx", "yy"))
    assert one(old, new).paths[0].masked
    sealed = [
        {
            "apiVersion": "bitnami.com/v1alpha1",
            "kind": "SealedSecret",
            "metadata": {"name": "s"},
            "spec": {"encryptedData": {"a": text}},
        }
        for text in ("Ag1", "Ag2")
    ]
    assert [path.noise for path in one(*sealed).paths] == ["encrypted"]


def test_what_a_mask_names_is_hidden():
    mask = re.compile(r"ConfigMap\.data\.password")
    found = one(config_map(password=VALUE, a="1"), config_map(password="x", a="2"), Settings(masks=(mask,)))
    assert {path.path: path.masked for path in found.paths} == {"data.a": False, "data.password": True}
    assert VALUE not in repr(found)


# Risks


def names(found: Any) -> set[str]:
    return {risk.name for risk in found.risks}


def obj(kind: str, group: str = "", name: str = "x", **fields: Any) -> dict[str, Any]:
    return {"apiVersion": f"{group}/v1" if group else "v1", "kind": kind, "metadata": {"name": name}, **fields}


RBAC = "rbac.authorization.k8s.io"
REMOVED = [
    (obj("PersistentVolumeClaim"), True, {"deletes-data", "pruned"}),
    (obj("PersistentVolumeClaim"), False, {"kept"}),
    (obj("PersistentVolumeClaim"), None, {"deletes-data"}),
    (obj("Namespace"), True, {"deletes-data", "pruned"}),
    (obj("CustomResourceDefinition", "apiextensions.k8s.io"), True, {"deletes-data", "pruned"}),
    (obj("StorageClass", "storage.k8s.io"), True, {"deletes-data", "pruned"}),
    (obj("ConfigMap"), True, {"pruned"}),
    (obj("ConfigMap"), None, set()),
    (
        obj("StatefulSet", "apps", spec={"persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Delete"}}),
        None,
        {"deletes-data"},
    ),
    (
        obj("ConfigMap")
        | {"metadata": {"name": "x", "annotations": {"argocd.argoproj.io/sync-options": "A=b, Prune=false"}}},
        True,
        {"kept"},
    ),
    (
        obj("ConfigMap") | {"metadata": {"name": "x", "labels": {"kustomize.toolkit.fluxcd.io/prune": "disabled"}}},
        True,
        {"kept"},
    ),
    (obj("NetworkPolicy", "networking.k8s.io"), None, {"exposure"}),
    (
        obj("Application", "argoproj.io")
        | {"metadata": {"name": "x", "finalizers": ["resources-finalizer.argocd.argoproj.io"]}},
        True,
        {"unit-removed", "pruned"},
    ),
    (obj("Kustomization", "kustomize.toolkit.fluxcd.io", spec={"prune": True}), None, {"unit-removed"}),
]


@pytest.mark.parametrize(("gone", "prunes", "expected"), REMOVED)
def test_what_goes_with_an_object_that_is_removed(gone, prunes, expected):
    assert names(one([gone], [], prunes=prunes)) == expected


def pod(**spec: Any) -> dict[str, Any]:
    return deployment(**spec)


def contained(**fields: Any) -> dict[str, Any]:
    made = deployment()
    made["spec"]["template"]["spec"]["containers"][0] |= fields
    return made


def claims(labels: dict[str, str] | None = None, **more: Any) -> dict[str, Any]:
    """The spec of a StatefulSet with one template of a claim."""
    return {"volumeClaimTemplates": [{"metadata": {"name": "data", "labels": labels or {}}, "spec": {}, **more}]}


def stateful(**spec: Any) -> dict[str, Any]:
    return obj("StatefulSet", "apps", spec=spec)


def marked(value: dict[str, Any], name: str, text: str) -> dict[str, Any]:
    return value | {"metadata": {**value["metadata"], "annotations": {name: text}}}


CHANGED = [
    (deployment(replicas=2), deployment(replicas=3), set()),
    (deployment(replicas=2), deployment(replicas=0), {"capacity"}),
    (deployment("ghcr.io/a/web:1.1"), deployment("ghcr.io/a/web:1.0"), {"older-image", "restarts-pods"}),
    (deployment("ghcr.io/a/web:1.0"), deployment("quay.io/a/web:1.1"), {"registry-changed", "restarts-pods"}),
    (deployment(), pod(hostNetwork=True), {"wider-rights", "restarts-pods"}),
    (contained(), contained(securityContext={"privileged": True}), {"wider-rights", "restarts-pods"}),
    (
        contained(),
        contained(securityContext={"capabilities": {"add": ["NET_ADMIN"]}}),
        {"wider-rights", "restarts-pods"},
    ),
    (contained(securityContext={"privileged": True}), contained(), {"restarts-pods"}),
    (resources("1"), resources("3"), {"capacity", "restarts-pods"}),
    (resources("1"), deployment("ghcr.io/acme/web:1.0.0"), {"capacity", "restarts-pods"}),
    (obj("Service", spec={"type": "ClusterIP"}), obj("Service", spec={"type": "LoadBalancer"}), {"exposure"}),
    (obj("Service", spec={"clusterIP": "10.0.0.1"}), obj("Service", spec={"clusterIP": "10.0.0.2"}), {"refused"}),
    (
        obj("PersistentVolumeClaim", spec={"resources": {"requests": {"storage": "2Gi"}}}),
        obj("PersistentVolumeClaim", spec={"resources": {"requests": {"storage": "1Gi"}}}),
        {"refused"},
    ),
    (
        obj("PersistentVolumeClaim", spec={"resources": {"requests": {"storage": "1Gi"}}}),
        obj("PersistentVolumeClaim", spec={"resources": {"requests": {"storage": "2Gi"}}}),
        set(),
    ),
    # No server has accepted a workload without a selector.
    (
        obj("DaemonSet", "apps", spec={}),
        obj("DaemonSet", "apps", spec={"selector": {"matchLabels": {"a": "b"}}}),
        set(),
    ),
    (obj("StatefulSet", "apps", spec={"replicas": 1}), obj("StatefulSet", "apps", spec={"replicas": 2}), set()),
    (
        obj("StatefulSet", "apps", spec={"serviceName": "a"}),
        obj("StatefulSet", "apps", spec={"serviceName": "b"}),
        {"refused"},
    ),
    (
        obj("StatefulSet", "apps", spec={}),
        obj("StatefulSet", "apps", spec={"podManagementPolicy": "OrderedReady"}),
        set(),
    ),
    (
        obj("StatefulSet", "apps", spec=claims(kind="PersistentVolumeClaim")),
        obj("StatefulSet", "apps", spec=claims()),
        set(),
    ),
    (
        stateful(**claims(labels={"helm.sh/chart": "a-1"})),
        stateful(**claims(labels={"helm.sh/chart": "a-2"})),
        {"refused"},
    ),
    (obj("Service", spec={"clusterIP": "None"}), obj("Service", spec={"ports": []}), set()),
    (obj("Service", spec={"ports": []}), obj("Service", spec={"clusterIP": "None"}), {"refused"}),
    (obj("Service", spec={"clusterIP": "None"}), obj("Service", spec={"clusterIP": "10.0.0.1"}), {"refused"}),
    (obj("Secret", type="Opaque"), obj("Secret"), set()),
    (obj("Secret", type="Opaque"), obj("Secret", type="kubernetes.io/tls"), {"refused"}),
    (obj("Job", "batch", spec={"template": {"a": 1}}), obj("Job", "batch", spec={"template": {"a": 2}}), {"refused"}),
    (
        obj("Job", "batch", spec={"template": {"a": 1}, "ttlSecondsAfterFinished": 60}),
        obj("Job", "batch", spec={"template": {"a": 2}, "ttlSecondsAfterFinished": 60}),
        set(),
    ),
    (
        obj("Job", "batch", "x", spec={"template": {"a": 1}}),
        marked(obj("Job", "batch", spec={"template": {"a": 2}}), "argocd.argoproj.io/hook", "PreSync"),
        set(),
    ),
    (
        obj("PersistentVolumeClaim", spec={"accessModes": ["ReadWriteOnce"]}),
        obj("PersistentVolumeClaim", spec={"accessModes": ["ReadWriteOnce"], "storageClassName": "fast"}),
        set(),
    ),
    (
        obj("ConfigMap", name="a-2f8hb7m6k9", immutable=True, data={"a": "1"}),
        obj("ConfigMap", name="a-7m6k92f8hb", immutable=True, data={"a": "2"}),
        set(),
    ),
    (obj("ConfigMap", immutable=True, data={"a": "1"}), obj("ConfigMap", immutable=True, data={"a": "2"}), {"refused"}),
    (
        obj("RoleBinding", RBAC, roleRef={"name": "a"}, subjects=[]),
        obj("RoleBinding", RBAC, roleRef={"name": "b"}, subjects=[]),
        {"refused"},
    ),
    (
        obj("Role", RBAC, rules=[{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}]),
        obj("Role", RBAC, rules=[{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]),
        set(),
    ),
    (
        obj("Role", RBAC, rules=[{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]),
        obj("Role", RBAC, rules=[{"apiGroups": [""], "resources": ["*"], "verbs": ["get"]}]),
        {"wider-rights"},
    ),
    (
        obj("Ingress", "networking.k8s.io", spec={"rules": [{"host": "a"}], "tls": [{}]}),
        obj("Ingress", "networking.k8s.io", spec={"rules": [{"host": "b"}]}),
        {"exposure"},
    ),
    (
        obj("PodDisruptionBudget", "policy", spec={"maxUnavailable": 1}),
        obj("PodDisruptionBudget", "policy", spec={"maxUnavailable": 0}),
        {"capacity"},
    ),
    (
        obj("Kustomization", "kustomize.toolkit.fluxcd.io", spec={"prune": False}),
        obj("Kustomization", "kustomize.toolkit.fluxcd.io", spec={"prune": True}),
        {"pruning-changed"},
    ),
]


@pytest.mark.parametrize(("old", "new", "expected"), CHANGED)
def test_what_a_change_of_an_object_means(old, new, expected):
    found = one(old, new)
    assert names(found) == expected
    assert names(found) <= RISKS.keys()


def test_what_an_operator_replaces_is_not_refused():
    old, new = (obj("Job", "batch", spec={"template": {"a": number}}) for number in (1, 2))
    assert names(one(old, new, replaces=True)) == set()


LOSSES = [
    (obj("PersistentVolumeClaim"), ["repo/deletes-data"]),
    (obj("PersistentVolumeClaim", spec={"volumeName": "nfs"}), []),
    (obj("PersistentVolumeClaim", spec={"storageClassName": ""}), []),
    (obj("PersistentVolume"), []),
    (obj("PersistentVolume", spec={"persistentVolumeReclaimPolicy": "Delete"}), ["repo/deletes-data"]),
    (obj("StatefulSet", "apps", spec=claims()), []),
    (obj("StorageClass", "storage.k8s.io"), []),
    (marked(obj("Namespace"), "argocd.argoproj.io/sync-options", "Prune=false"), []),
    (marked(obj("PersistentVolumeClaim"), "helm.sh/resource-policy", "keep"), []),
    (obj("Namespace"), ["repo/deletes-data"]),
    (obj("ConfigMap"), []),
]


@pytest.mark.parametrize(("gone", "rules"), LOSSES)
def test_what_a_removal_breaks(gone, rules):
    found = change([gone], []).objects
    assert [broken.rule for broken in breaks_of(found, lambda _: False, lambda *_: 0)] == rules
    assert not list(breaks_of(found, lambda _: True, lambda *_: 0)), "it is still there"


def test_order_of_what_has_no_order_restarts_nothing():
    env = [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]
    found = one(contained(env=env), contained(env=env[::-1]))
    assert (found.is_noise, names(found)) == (True, set())


# Groups


def test_the_same_change_of_many_is_told_once():
    def named(number: int, image: str) -> dict[str, Any]:
        made = deployment(image)
        made["metadata"]["name"] = f"app-{number:03}"
        return made

    found = change([named(n, "web:1") for n in range(40)], [named(n, "web:2") for n in range(40)])
    [group] = found.groups
    assert len(group.objects) == 40
    assert group.text.count("\n") == 2


def test_changes_that_differ_in_their_own_names_are_one_shape():
    sides = [[], []]
    for number in range(3):
        for side, suffix in zip(sides, ("old", "new"), strict=True):
            made = config_map(f"app-{number}", url=f"https://app-{number}.example/{suffix}")
            side.append(Side(f"application:app-{number}", [made]))
    [group] = compare(*sides).groups
    assert "https://{name}.example/new" in group.text


def test_groups_with_a_risk_come_first():
    before = [config_map("aaa", x="1"), deployment(replicas=2)]
    after = [config_map("aaa", x="2"), deployment(replicas=0)]
    found = change(before, after)
    assert [group.objects[0].split()[1] for group in found.groups] == ["Deployment.apps", "ConfigMap"]


@pytest.mark.parametrize(
    ("old", "new", "risks", "rows"),
    [
        ("nginx:1", "library/nginx:1", [], []),
        ("nginx:1", "docker.io/nginx:2", [], [("docker.io/nginx", "1", "2")]),
        ("docker.io/library/nginx:2.0", "nginx:1.0", ["older-image"], [("nginx", "2.0", "1.0")]),
        ("acme/web:1", "index.docker.io/acme/web:1", [], []),
        ("nginx:1", "ghcr.io/nginx/nginx:1", ["registry-changed"], [("ghcr.io/nginx/nginx", "nginx:1", "1")]),
        ("acme/web:1", "evil/web:1", ["registry-changed"], [("evil/web", "acme/web:1", "1")]),
        ("acme/web:1", "web:1", ["registry-changed"], [("web", "acme/web:1", "1")]),
        ("ghcr.io/acme/web:1", "ghcr.io/acme/web-2:1", [], [("ghcr.io/acme/web-2", "ghcr.io/acme/web:1", "1")]),
    ],
)
def test_spellings_of_docker_hub_are_the_same_registry(old, new, risks, rows):
    found = change(deployment(old), deployment(new))
    assert [risk.name for risk in found.risks if risk.name != "restarts-pods"] == risks
    assert [(one.image, one.old, one.new) for one in found.images] == rows


def test_images_are_a_table_of_their_own():
    found = change(deployment("ghcr.io/a/web:1"), deployment("ghcr.io/a/web:2"))
    assert [(image.image, image.old, image.new) for image in found.images] == [("ghcr.io/a/web", "1", "2")]
