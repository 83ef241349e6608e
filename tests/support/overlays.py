"""Layouts with a tag in each environment's folder, and the name of the image outside of these folders."""

__all__ = ["OVERLAYS", "overlay_path"]

_COPYING = """\
resources: [../../base, version.yaml]
replacements:
  - source: {kind: ConfigMap, name: version, fieldPath: data.tag}
    targets:
      - select: {kind: Deployment}
        fieldPaths: [spec.template.spec.containers.0.image]
        options: {delimiter: ":", index: 1}
"""
_DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec: {template: {spec: {containers: [{name: web, image: "ghcr.io/acme/shop:TAG"}]}}}
"""
_VARIABLE = """\
resources: [../../base]
configMapGenerator: [{name: version, envs: [version.env]}]
vars: [{name: TAG, objref: {kind: ConfigMap, name: version, apiVersion: v1}, fieldref: {fieldpath: data.TAG}}]
"""
_RELEASE = """\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: web}
spec: {values: {image: VALUES}}
"""
_APPLICATION = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: web-ENV}
spec:
  source: {repoURL: https://example.com/c, path: charts/web, helm: {valueFiles: [../../envs/ENV/version.yaml]}}
"""
_SET = """apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {name: web}
spec:
  goTemplate: true
  generators: [{git: {repoURL: https://example.com/c, revision: HEAD, GENERATED}}]
  template:
    metadata: {name: "web-{{.path.basename}}"}
    spec: {source: {repoURL: https://example.com/c, path: charts/web, helm: {HELM}}}
"""
_MAP = """apiVersion: v1
kind: ConfigMap
metadata: {name: web-values}
data:
  values.yaml: |
    image: {tag: 1.4.1}
"""


def overlay_path(layout: str, environment: str) -> str:
    """The file with the tag of an environment."""
    return f"envs/{environment}/version.{'env' if layout == 'variables' else 'yaml'}"


def _overlays(kustomization: str, version: str, of: str) -> dict[str, str]:
    files = {overlay_path(of, name): version for name in ("dev", "prod")}
    return files | {f"envs/{name}/kustomization.yaml": kustomization for name in ("dev", "prod")}


_BASE = {"base/kustomization.yaml": "resources: [web.yaml]\n"}
_CHART = {
    "charts/web/Chart.yaml": "apiVersion: v2\nname: web\nversion: 0.1.0\n",
    "charts/web/values.yaml": "image: {repository: ghcr.io/acme/shop, tag: 1.0.0}\n",
}
# In each, both environments have 1.4.1.
OVERLAYS = {
    "replacements": {
        **_BASE,
        "base/web.yaml": _DEPLOYMENT.replace("TAG", "set-by-overlay"),
        **_overlays(
            _COPYING,
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: version}\ndata: {tag: 1.4.1}\n",
            "replacements",
        ),
    },
    "variables": {
        **_BASE,
        "base/web.yaml": _DEPLOYMENT.replace("TAG", "$(TAG)"),
        **_overlays(_VARIABLE, "TAG=1.4.1\n", "variables"),
    },
    "patches": {
        **_BASE,
        "base/web.yaml": _RELEASE.replace("VALUES", "{repository: ghcr.io/acme/shop, tag: 1.0.0}"),
        **_overlays(
            "resources: [../../base]\npatches: [{path: version.yaml}]\n",
            _RELEASE.replace("VALUES", "{tag: 1.4.1}"),
            "patches",
        ),
    },
    "applications": {
        **_CHART,
        **{f"argocd/{name}.yaml": _APPLICATION.replace("ENV", name) for name in ("dev", "prod")},
        **{f"envs/{name}/version.yaml": "image: {tag: 1.4.1}\n" for name in ("dev", "prod")},
    },
    "maps": {
        "base/web.yaml": _RELEASE.replace("VALUES", "{repository: ghcr.io/acme/shop}").replace(
            "spec: {", "spec: {valuesFrom: [{kind: ConfigMap, name: web-values}], "
        ),
        **{f"envs/{name}/version.yaml": _MAP for name in ("dev", "prod")},
    },
    "generated folders": {
        **_CHART,
        "argocd/set.yaml": _SET.replace("GENERATED", "directories: [{path: envs/*}]").replace(
            "HELM", 'valueFiles: ["/{{.path.path}}/version.yaml"]'
        ),
        **{f"envs/{name}/version.yaml": "image: {tag: 1.4.1}\n" for name in ("dev", "prod")},
    },
    "generated parameters": {
        "argocd/set.yaml": _SET.replace("GENERATED", 'files: [{path: "envs/*/version.yaml"}]').replace(
            "HELM",
            "parameters: [{name: image.repository, value: ghcr.io/acme/shop}, "
            '{name: image.tag, value: "{{.app.version}}"}]',
        ),
        **{f"envs/{name}/version.yaml": "app: {version: 1.4.1}\n" for name in ("dev", "prod")},
    },
}
