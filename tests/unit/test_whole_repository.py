"""Operators that apply the whole repository would apply the files of this tool: who does, and what leaves them out."""

import pytest

from gitops_ci.flows.init.whole_repository import applied_with_own_files

ARGO = """\
# an application
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: all}
spec:
  source: {repoURL: https://github.com/acme/config, path: ., directory: {recurse: true}}
"""
SET = """\
apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {name: all}
spec:
  template:
    spec:
      sources: [{repoURL: https://github.com/acme/config, path: ./, directory: {recurse: true}}]
"""
FLUX = """\
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: all}
spec: {path: ./, sourceRef: {kind: GitRepository, name: config}}
"""
FLEET = """\
apiVersion: fleet.cattle.io/v1alpha1
kind: GitRepo
metadata: {name: all}
spec: {repo: https://github.com/acme/config}
"""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (ARGO, "a.yaml:2: Application applies the whole repository, .gitops-ci/ with it: set directory.exclude"),
        (SET, "ApplicationSet applies the whole repository"),
        (FLUX, "write /.gitops-ci/ into .sourceignore"),
        (FLUX.replace("path: ./, ", ""), "write /.gitops-ci/ into .sourceignore"),
        (FLEET, "write .gitops-ci/ into .fleetignore"),
        (FLEET.replace("config}", "config, paths: [/]}"), ".fleetignore"),
    ],
)
def test_who_applies_the_whole_repository_is_told_with_what_leaves_the_folder_out(text, said):
    (found,) = applied_with_own_files({"a.yaml": text})
    assert said in found


@pytest.mark.parametrize(
    "files",
    [
        {"a.yaml": ARGO.replace("path: .,", "path: apps,")},
        {"a.yaml": ARGO.replace("recurse: true", "recurse: false")},
        {"a.yaml": ARGO.replace("recurse: true", "recurse: true, exclude: .gitops-ci/**")},
        {"a.yaml": ARGO.replace("path: .,", "chart: shop,")},
        {"a.yaml": FLUX.replace("path: ./", "path: ./apps")},
        {"a.yaml": FLUX, "kustomization.yaml": "resources: [apps]\n"},
        {"a.yaml": FLUX, ".sourceignore": "/.gitops-ci/\n"},
        {"a.yaml": FLEET, ".fleetignore": ".gitops-ci\n"},
        {"a.yaml": FLEET.replace("config}", "config, paths: [apps]}")},
        {"a.yaml": f"{ARGO}  broken: [\n"},
        {"a.txt": ARGO},
    ],
)
def test_nobody_else_is_told(files):
    assert list(applied_with_own_files(files)) == []
