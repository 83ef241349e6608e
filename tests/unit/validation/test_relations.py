"""Relations between objects of a rendered unit: what is reported, and what must not be."""

from __future__ import annotations

import pytest
import yaml

from gitops_ci.model import Finding
from gitops_ci.validation import Checks, Destination, Rendered, check

RULES = Checks(rules=("repo/missing-reference", "repo/selects-nothing", "repo/no-namespace", "repo/server-side-apply"))


def pod(name="web", namespace="", labels=None, **spec):
    metadata = {"name": name, "labels": labels or {"app": name}} | ({"namespace": namespace} if namespace else {})
    container = {"name": "c", "image": "a:1", **spec.pop("container", {})}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": [container], **spec}}


def named(kind, name, api_version="v1", namespace="", **fields):
    metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **fields}


def service(name="web", ports=({"port": 80, "name": "http"},), labels=None, **spec):
    made = named("Service", name, spec={"ports": list(ports), **spec})
    made["metadata"]["labels"] = labels or {}
    return made


def env_of(kind, name, key, **more):
    source = {"ConfigMap": "configMapKeyRef", "Secret": "secretKeyRef"}[kind]
    return {"env": [{"name": "A", "valueFrom": {source: {"name": name, "key": key, **more}}}]}


def from_all(kind, name, **more):
    source = {"ConfigMap": "configMapRef", "Secret": "secretRef"}[kind]
    return {"envFrom": [{source: {"name": name, **more}}]}


SLICES = "discovery.k8s.io/v1"


def flow(**rules):
    subjects = [{"kind": "Group", "group": {"name": "a"}}]
    spec = {"priorityLevelConfiguration": {"name": "exempt"}, "rules": [{"subjects": subjects, **rules}]}
    return named("FlowSchema", "a", "flowcontrol.apiserver.k8s.io/v1", spec=spec)


def definition(*expressions):
    schema = {"openAPIV3Schema": {"type": "integer", "x-kubernetes-validations": list(expressions)}}
    version = {"name": "v1", "served": True, "storage": True, "schema": schema}
    spec = {"group": "a.b", "scope": "Namespaced", "names": {"kind": "A", "plural": "as"}, "versions": [version]}
    return named("CustomResourceDefinition", "as.a.b", "apiextensions.k8s.io/v1", spec=spec)


def hpa(target):
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": target}
    spec = {"scaleTargetRef": reference, "minReplicas": 1, "maxReplicas": 2}
    return named("HorizontalPodAutoscaler", "web", "autoscaling/v2", spec=spec)


def deployment(name):
    template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [{"name": "c", "image": "a:1"}]}}
    spec = {"selector": {"matchLabels": {"app": name}}, "template": template}
    return named("Deployment", name, "apps/v1", spec=spec)


def ingress(backend, **port):
    path = {"path": "/", "pathType": "Prefix", "backend": {"service": {"name": backend, "port": port}}}
    return named("Ingress", "web", "networking.k8s.io/v1", spec={"rules": [{"http": {"paths": [path]}}]})


def found(*units, **assumed) -> list[Finding]:
    rendered = [
        Rendered(f"unit{number}", f"unit{number}/kustomization.yaml", yaml.safe_dump_all(objects), **assumed)
        for number, objects in enumerate(units)
    ]
    return list(check([], RULES, rendered=rendered).findings)


def marked(name, **metadata):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, **metadata}}


CONFIG = named("ConfigMap", "settings", data={"color": "blue"})
SECRET = named("Secret", "login", stringData={"password": "x"})


@pytest.mark.parametrize(
    ("objects", "rule", "message", "hint"),
    [
        (
            [pod(container=env_of("ConfigMap", "settings", "colr")), CONFIG],
            "missing-reference",
            "has no key 'colr'",
            "'color'",
        ),
        (
            [pod(container=env_of("Secret", "login", "user")), SECRET],
            "missing-reference",
            "has no key 'user'",
            "password",
        ),
        (
            [pod(container=from_all("ConfigMap", "setings")), CONFIG],
            "missing-reference",
            "no ConfigMap 'setings'",
            "'settings'",
        ),
        (
            [pod(container=from_all("ConfigMap", "other")), CONFIG],
            "missing-reference",
            "no ConfigMap 'other'",
            "settings",
        ),
        ([pod(container=from_all("Secret", "logim")), SECRET], "missing-reference", "no Secret 'logim'", "'login'"),
        (
            [pod(container=from_all("ConfigMap", "web")), named("ConfigMap", "web-5g2h7kkt4b", data={})],
            "missing-reference",
            "no ConfigMap 'web'",
            "'web-5g2h7kkt4b'",
        ),
        (
            [
                pod(volumes=[{"name": "v", "configMap": {"name": "settings", "items": [{"key": "x", "path": "x"}]}}]),
                CONFIG,
            ],
            "missing-reference",
            "has no key 'x'",
            "color",
        ),
        (
            [pod(volumes=[{"name": "v", "secret": {"secretName": "logim"}}]), SECRET],
            "missing-reference",
            "no Secret 'logim'",
            "'login'",
        ),
        (
            [pod(serviceAccountName="bot"), named("ServiceAccount", "web")],
            "missing-reference",
            "no ServiceAccount 'bot'",
            "web",
        ),
        ([hpa("wep"), deployment("web")], "missing-reference", "no Deployment 'wep'", "web"),
        ([ingress("shop", number=80), service()], "missing-reference", "no Service 'shop'", "web"),
        ([ingress("web", number=81), service()], "missing-reference", "no port '81'", "80, http"),
        ([ingress("web", name="https"), service()], "missing-reference", "no port 'https'", "80, http"),
        ([service(selector={"app": "wep"}), pod()], "selects-nothing", "app: wep", "app: web"),
        (
            [named("PodDisruptionBudget", "b", "policy/v1", spec={"selector": {"matchLabels": {"app": "x"}}}), pod()],
            "selects-nothing",
            "app: x",
            "app: web",
        ),
        (
            [named("Namespace", "shop"), named("ConfigMap", "a", namespace="shopp")],
            "no-namespace",
            "namespace 'shopp'",
            "'shop'",
        ),
        ([pod(container={"env": [{"name": "A"}, {"name": "A"}]})], "server-side-apply", "env has A twice", "Remove"),
        (
            [pod(hostAliases=[{"ip": "10.0.0.1"}, {"ip": "10.0.0.1", "hostnames": ["a"]}])],
            "server-side-apply",
            "hostAliases has 10.0.0.1 twice",
            "Remove",
        ),
        ([pod(imagePullSecrets=[{}, {"name": ""}])], "server-side-apply", "has an empty name twice", "Remove"),
        (
            [named("ServiceAccount", "a", secrets=[{"name": "b"}, {"name": "b"}])],
            "server-side-apply",
            "secrets has b twice",
            "Remove",
        ),
        (
            [{**named("ConfigMap", "a"), "metadata": {"name": "a", "finalizers": ["a.b/c", "a.b/c"]}}],
            "server-side-apply",
            "finalizers has a.b/c twice",
            "Remove",
        ),
        (
            [{**named("ConfigMap", "a"), "metadata": {"name": "a", "managedFields": [{"manager": "kubectl"}]}}],
            "server-side-apply",
            "managedFields is set",
            "Remove it",
        ),
        (
            [flow(resourceRules=[{"verbs": ["get", "get"], "apiGroups": [""], "resources": ["pods"]}])],
            "server-side-apply",
            "spec.rules[0].resourceRules[0].verbs[1]: verbs has get twice",
            "Remove",
        ),
        (
            [named("EndpointSlice", "a", SLICES, addressType="IPv4", endpoints=[{"addresses": ["10.0.0.1"] * 2}])],
            "server-side-apply",
            "addresses has 10.0.0.1 twice",
            "Remove",
        ),
        (
            [definition({"rule": "self > 1"}, {"rule": "self > 1", "message": "more"})],
            "server-side-apply",
            "openAPIV3Schema.x-kubernetes-validations[1]: x-kubernetes-validations has self > 1 twice",
            "Remove",
        ),
        (
            [pod(container={"ports": [{"containerPort": 80}, {"containerPort": 80, "protocol": "TCP"}]})],
            "server-side-apply",
            "ports has 80/TCP twice",
            "Remove",
        ),
    ],
)
def test_a_broken_relation_is_a_warning(objects, rule, message, hint):
    (finding,) = found(objects)
    assert (finding.rule, finding.severity) == (f"repo/{rule}", "warning")
    assert message in finding.message
    assert hint in finding.hint


@pytest.mark.parametrize(
    "units",
    [
        # Lists that no server merges by a key, and keys that differ in one field.
        [[pod(container={"ports": [{"containerPort": 80}, {"containerPort": 80, "protocol": "UDP"}]})]],
        [[pod(container={"envFrom": [{"configMapRef": {"name": "a"}}] * 2, "args": ["-v", "-v"]})]],
        [[pod(tolerations=[{"key": "a", "operator": "Exists"}] * 2, dnsConfig={"searches": ["a", "a"]})]],
        [[named("ServiceAccount", "a", imagePullSecrets=[{"name": "b"}, {"name": "b"}])]],
        [[definition({"rule": "self > 1"}, {"rule": "self > 2"})]],
        # It exists, in this unit or another one, or a controller makes it.
        [[pod(container=from_all("ConfigMap", "settings")), CONFIG]],
        [[pod(container=from_all("ConfigMap", "settings")), named("ConfigMap", "other")], [CONFIG]],
        [
            [
                pod(container=from_all("Secret", "logim")),
                SECRET,
                named("ExternalSecret", "logim", "external-secrets.io/v1"),
            ]
        ],
        [
            [
                pod(container=env_of("Secret", "logim", "x")),
                SECRET,
                named("SealedSecret", "logim", "bitnami.com/v1alpha1"),
            ]
        ],
        # Nothing shows that the repository makes such objects.
        [[pod(container=from_all("ConfigMap", "elsewhere"))]],
        [[pod(container=from_all("Secret", "elsewhere")), SECRET]],
        [[pod(serviceAccountName="elsewhere")]],
        [[ingress("elsewhere", number=80)]],
        [[pod(priorityClassName="high"), named("PriorityClass", "very-low", "scheduling.k8s.io/v1", value=1)]],
        [[named("ConfigMap", "a", namespace="elsewhere"), named("Namespace", "shop")]],
        # An operator of the same namespace may make what nothing here uses, and the others, too.
        [
            [
                pod(container=from_all("ConfigMap", "elsewhere")),
                CONFIG,
                named("KfDef", "a", "kfdef.apps.kubeflow.org/v1"),
            ]
        ],
        # A controller or a person adds the keys.
        [
            [
                pod(container=env_of("Secret", "token", "ca.crt")),
                named("Secret", "token", type="kubernetes.io/service-account-token", data={"extra": "eA=="}),
            ]
        ],
        [[pod(container=env_of("Secret", "token", "key")), named("Secret", "token")]],
        [
            [
                pod(container=env_of("ConfigMap", "ca", "ca-bundle.crt")),
                marked("ca", labels={"config.openshift.io/inject-trusted-cabundle": "true"}),
            ]
        ],
        [
            [
                pod(container=env_of("ConfigMap", "ca", "service-ca.crt")),
                marked("ca", annotations={"service.beta.openshift.io/inject-cabundle": "true"}),
            ]
        ],
        # A release or an operator elsewhere names its Services after itself.
        [
            [ingress("shop-direct", number=80), service()],
            [named("HelmRelease", "shop", "helm.toolkit.fluxcd.io/v2")],
        ],
        [[ingress("shop", number=80), service()], [named("Kafka", "shop", "kafka.strimzi.io/v1")]],
        # It may be missing, or is always there.
        [[pod(container=env_of("ConfigMap", "settings", "colr", optional=True)), CONFIG]],
        [[pod(container=from_all("ConfigMap", "other", optional=True)), CONFIG]],
        [[pod(serviceAccountName="default"), named("ServiceAccount", "web")]],
        [[pod(volumes=[{"name": "v", "configMap": {"name": "kube-root-ca.crt"}}]), CONFIG]],
        # Nobody knows the name.
        [[pod(container=from_all("ConfigMap", "${NAME}")), CONFIG]],
        # Another program makes the pods, or they are in another unit.
        [[service(selector={"app": "db"}), pod(), named("Cluster", "db", "postgresql.cnpg.io/v1")]],
        [[service(selector={"cnpg.io/cluster": "db"}), pod()]],
        [[service(selector={"app": "db"}), pod()], [pod("db")]],
        [[service(selector={"app": "db"})]],
        [[service(selector={"name": "web"}), pod(), named("Cluster", "web", "postgresql.cnpg.io/v1")]],
        [[service(selector={"role": "web"}), pod()]],
        [[service(selector={"name": "web", "tier": "db"}), pod()]],
        [[service()]],
        # Names that differ in a number are two names.
        [[named("Namespace", "shop-1"), named("ConfigMap", "a", namespace="shop-2")]],
    ],
)
def test_what_others_may_provide_is_not_reported(units):
    assert found(*units) == []


@pytest.mark.parametrize(("source", "name", "is_reported"), [("shop", "kube-system", True), ("system", "shop", False)])
def test_a_namespace_that_got_the_name_of_another_is_reported(source, name, is_reported):
    """Kustomize's `namespace` renames every Namespace: on purpose where the new name is the application's own."""
    sources = (("ns.yaml", yaml.safe_dump(named("Namespace", source))),)
    rendered = Rendered("unit", "kustomization.yaml", yaml.safe_dump(named("Namespace", name)), sources)
    findings = check([], RULES, rendered=[rendered]).findings
    said = f"the Namespace '{source}' is renamed to '{name}'"
    assert [said in one.message for one in findings] == [True] * is_reported
    assert [one.path for one in findings] == ["ns.yaml"] * is_reported


@pytest.mark.parametrize(
    "annotations",
    [
        {"kustomize.toolkit.fluxcd.io/prune": "disabled"},
        {"helm.sh/resource-policy": "keep"},
        {"argocd.argoproj.io/sync-options": "ServerSideApply=true, Prune=false"},
    ],
)
def test_a_namespace_that_is_never_deleted_may_get_the_name_of_another(annotations):
    before = named("Namespace", "not-used") | {"metadata": {"name": "not-used", "annotations": annotations}}
    after = before | {"metadata": {"name": "kube-system", "annotations": annotations}}
    unit = Rendered("unit", "kustomization.yaml", yaml.safe_dump(after), (("ns.yaml", yaml.safe_dump(before)),))
    assert check([], RULES, rendered=[unit]).findings == ()


def test_what_describes_a_unit_makes_no_service_by_its_name():
    flux = named("Kustomization", "shop", "kustomize.toolkit.fluxcd.io/v1")
    (finding,) = found([ingress("shop", number=80), service()], [flux])
    assert "no Service 'shop'" in finding.message


def test_a_chart_with_assumed_values_claims_nothing():
    assert found([pod(container=from_all("ConfigMap", "other")), CONFIG], is_assumed=True) == []


def test_a_unit_without_some_of_its_parts_claims_no_missing_object():
    objects = [pod(container=from_all("ConfigMap", "other")), CONFIG, service(selector={"app": "db"})]
    assert len(found(objects)) == 2
    assert found(objects, is_partial=True) == []


def test_where_others_of_its_kind_are_used_a_missing_object_is_reported_beside_an_operator_too():
    custom = named("KfDef", "a", "kfdef.apps.kubeflow.org/v1")
    both = [pod("a", container=from_all("ConfigMap", "settings")), pod("b", container=from_all("ConfigMap", "other"))]
    (finding,) = found([*both, CONFIG, custom])
    assert "there is no ConfigMap 'other'" in finding.message


def test_objects_in_another_namespace_do_not_count():
    config = named("ConfigMap", "settings", namespace="b", data={"color": "blue"})
    (finding,) = found([pod(namespace="a", container=from_all("ConfigMap", "settings")), config])
    assert "there is no ConfigMap 'settings'" in finding.message


def test_plain_files_have_no_relations():
    text = yaml.safe_dump_all([pod(container=from_all("ConfigMap", "setings")), CONFIG])
    assert check([("a.yaml", text)], RULES).findings == ()


@pytest.mark.parametrize(
    ("annotation", "value", "hint"),
    [
        ("sync-wave", "first", ""),
        ("hook", "Presync", "'PreSync'"),
        ("hook-delete-policy", "HookSucceded", "'HookSucceeded'"),
        ("sync-options", "ServerSideApply=true,Prune=fasle", "'Prune=false'"),
        ("compare-options", "IgnoreExtranous", "'IgnoreExtraneous'"),
    ],
)
def test_an_annotation_that_argo_cd_ignores_is_a_warning(annotation, value, hint):
    config = named("ConfigMap", "a", data={})
    config["metadata"]["annotations"] = {f"argocd.argoproj.io/{annotation}": value}
    (finding,) = check([("a.yaml", yaml.safe_dump(config))], Checks(rules=("gitops/argocd",))).findings
    assert finding.severity == "warning"
    assert hint in finding.hint


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        ("sync-wave", "-5"),
        ("hook", "PreSync,PostSync"),
        ("hook-delete-policy", "HookSucceeded, BeforeHookCreation"),
        ("sync-options", "SkipDryRunOnMissingResource=true"),
        ("sync-wave", "${WAVE}"),
        ("tracking-id", "x"),
    ],
)
def test_an_annotation_that_argo_cd_reads_is_fine(annotation, value):
    config = named("ConfigMap", "a", data={})
    config["metadata"]["annotations"] = {f"argocd.argoproj.io/{annotation}": value}
    assert check([("a.yaml", yaml.safe_dump(config))], Checks(rules=("gitops/argocd",))).findings == ()


SETTINGS = named("ConfigMap", "settings", namespace="shop")
HERE, THERE = Destination("by apps", "shop"), Destination("by others", "shop")


def owned(*units):
    """What is found in units: (name, destination, object)."""
    rendered = [Rendered(name, f"{name}.yaml", yaml.safe_dump(value), destination=to) for name, to, value in units]
    return [one.resource for one in check((), Checks(rules=("repo/two-owners",)), None, rendered).findings]


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (("a", HERE, SETTINGS), ("b", HERE, SETTINGS), ["ConfigMap/settings"]),
        (("a", HERE, SETTINGS), ("b", HERE, named("ConfigMap", "settings")), ["ConfigMap/settings"]),
        (("a", HERE, SETTINGS), ("b", HERE, named("ConfigMap", "settings", namespace="other")), []),
        (("a", HERE, SETTINGS), ("b", THERE, SETTINGS), []),
        (("a", HERE, SETTINGS), ("b", None, SETTINGS), []),
        (("a", HERE, SETTINGS), ("a@other", HERE, SETTINGS), []),
        (("a", HERE, SETTINGS), ("b", HERE, named("ConfigMap", "settings", "acme.example/v1", "shop")), []),
        (("a", HERE, named("Namespace", "x", namespace="p")), ("b", HERE, named("Namespace", "x")), ["Namespace/x"]),
    ],
)
def test_an_object_of_two_units_of_one_cluster(first, second, expected):
    assert owned(first, second) == expected


def test_what_is_meant_to_be_shared_has_no_owner():
    shared = {
        **SETTINGS,
        "metadata": {**SETTINGS["metadata"], "annotations": {"kustomize.toolkit.fluxcd.io/ssa": "Merge"}},
    }
    assert owned(("a", HERE, SETTINGS), ("b", HERE, shared)) == []
