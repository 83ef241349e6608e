"""The other side of a release: a config repository over HTTP, and the code host's API with its pull requests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.forge_github import GitHubStub
from tests.support.git_http import GitServer, git_server
from tests.support.git_repo import BareRepo

__all__ = ["Delivery", "config_files", "github"]

TOKEN = "ghs_marked0token0of0the0config0repository"


@dataclass(frozen=True)
class Delivery:
    """Where a release goes. `token` opens both the repository and the API."""

    repo: BareRepo
    url: str
    git: GitServer
    forge: GitHubStub
    token: str = TOKEN


def config_files(image: str, tag: str = "1.4.1") -> dict[str, str]:
    """A Kustomize app of two environments, and a Helm values file that names another image."""
    overlay = f"""\
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [../../base]
images:
  - name: shop
    newName: {image}
    newTag: {tag} # set by the pipeline
"""
    deployment = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: shop
spec:
  selector:
    matchLabels: {app: shop}
  template:
    metadata:
      labels: {app: shop}
    spec:
      containers:
        - name: shop
          image: shop
"""
    return {
        "apps/shop/base/kustomization.yaml": "resources: [deployment.yaml]\n",
        "apps/shop/base/deployment.yaml": deployment,
        "apps/shop/overlays/staging/kustomization.yaml": overlay,
        "apps/shop/overlays/production/kustomization.yaml": overlay,
        "charts/db/values.yaml": "image:\n  repository: ghcr.io/acme/db\n  tag: 1.4.1\n",
    }


@contextmanager
def github(root: Path, image: str) -> Iterator[Delivery]:
    """A config repository `acme/config` that names `image`, on a stub GitHub that checks every request."""
    with git_server(root, token=TOKEN) as git:
        repo = git.make_repo("acme/config", config_files(image), history=3)
        with GitHubStub(lambda branch: branch in repo.branches(), token=TOKEN) as forge:
            yield Delivery(repo, git.url_of("acme/config"), git, forge)
