"""Files that say how others are put together: kustomization.yaml and Chart.yaml.

Sources: kubectl.docs.kubernetes.io/references/kustomize/kustomization; helm.sh/docs/topics/charts, The Chart.yaml File.
"""

from __future__ import annotations

from gitops_ci.validation.lint.field_tables import ANY, FLAG, MAP, NAME, NUMBER, TEXT, TEXTS, Shape

__all__ = ["CHART", "KUSTOMIZATION"]

_OBJECT: dict[str, Shape] = dict.fromkeys(("group", "version", "kind", "name", "namespace", "apiVersion"), TEXT)
_SELECTOR: dict[str, Shape] = {**_OBJECT, "annotationSelector": TEXT, "labelSelector": TEXT}
_SPOT: dict[str, Shape] = {"delimiter": TEXT, "index": NUMBER, "encoding": TEXT, "create": FLAG}
_PATCH: dict[str, Shape] = {"path": TEXT, "patch": TEXT, "target": _SELECTOR, "options": {"*": FLAG}}
_IMAGE: dict[str, Shape] = dict.fromkeys(("name", "newName", "tagSuffix", "newTag", "digest"), TEXT)
_OPTIONS: dict[str, Shape] = {"labels": MAP, "annotations": MAP, "disableNameSuffixHash": FLAG, "immutable": FLAG}
_GENERATOR: dict[str, Shape] = {
    **dict.fromkeys(("name", "namespace", "env"), TEXT),
    "behavior": ("create", "replace", "merge", "unspecified", ""),
    **dict.fromkeys(("literals", "files", "envs"), TEXTS),
    "options": _OPTIONS,
}
_LABEL: dict[str, Shape] = {
    "pairs": MAP,
    **dict.fromkeys(("includeSelectors", "includeTemplates", "includeVolumeClaimTemplates"), FLAG),
    "fields": [{"path": TEXT, "create": FLAG, "group": TEXT, "version": TEXT, "kind": TEXT}],
}
_HELM_CHART: dict[str, Shape] = {
    **dict.fromkeys(("name", "version", "repo", "releaseName", "namespace", "valuesFile", "kubeVersion"), TEXT),
    "nameTemplate": TEXT,
    "valuesMerge": ("merge", "override", "replace", ""),
    **dict.fromkeys(("includeCRDs", "skipHooks", "skipTests", "debug", "devel"), FLAG),
    "additionalValuesFiles": TEXTS,
    "apiVersions": TEXTS,
    "valuesInline": ANY,
}

KUSTOMIZATION: Shape = {
    **dict.fromkeys(("apiVersion", "kind", "namePrefix", "nameSuffix", "namespace"), TEXT),
    "metadata": ANY,
    "openapi": MAP,
    **dict.fromkeys(("resources", "components", "crds", "bases", "configurations", "buildMetadata"), TEXTS),
    **dict.fromkeys(("generators", "transformers", "validators", "patchesStrategicMerge"), TEXTS),
    "commonLabels": MAP,
    "commonAnnotations": MAP,
    "labels": [_LABEL],
    "patches": [_PATCH],
    "patchesJson6902": [_PATCH],
    "images": [_IMAGE],
    "imageTags": [_IMAGE],
    "replicas": [{"name": TEXT, "count": NUMBER}],
    "replacements": [
        {
            "path": TEXT,
            "sourceValue": TEXT,
            "source": {**_OBJECT, "fieldPath": TEXT, "options": _SPOT},
            "targets": [{"select": _SELECTOR, "reject": [_SELECTOR], "fieldPaths": TEXTS, "options": _SPOT}],
        }
    ],
    "vars": ANY,
    "sortOptions": {
        "order": ("legacy", "fifo"),
        "legacySortOptions": {"orderFirst": TEXTS, "orderLast": TEXTS},
    },
    "configMapGenerator": [_GENERATOR],
    "secretGenerator": [{**_GENERATOR, "type": TEXT}],
    "generatorOptions": _OPTIONS,
    "helmGlobals": {"chartHome": TEXT, "configHome": TEXT},
    "helmCharts": [_HELM_CHART],
    "helmChartInflationGenerator": ANY,
}
CHART: Shape = {
    "apiVersion!": ("v1", "v2", "v3"),
    "name!": NAME,
    "version!": NAME,
    **dict.fromkeys(("kubeVersion", "description", "home", "icon", "appVersion", "engine", "tillerVersion"), TEXT),
    "condition": TEXT,
    "tags": TEXT,
    "type": ("application", "library"),
    "keywords": TEXTS,
    "sources": TEXTS,
    "dependencies": [
        {
            "name!": NAME,
            **dict.fromkeys(("version", "repository", "condition", "alias"), TEXT),
            "tags": TEXTS,
            "enabled": FLAG,
            "import-values": ANY,
        }
    ],
    "maintainers": [{"name": TEXT, "email": TEXT, "url": TEXT}],
    "deprecated": FLAG,
    "annotations": MAP,
}
