"""The parts that `gitops-ci demo` plays with: a built image and a config repository, made in a folder.

The journey itself is the one of `release`; nothing here pushes, edits or validates.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import tarfile
from typing import Any

from gitops_ci.configrepo import Identity, create_repository
from gitops_ci.imageref import ImageRef
from gitops_ci.repourl import RepoUrl

__all__ = ["FILES", "IMAGE", "make_config_repository", "make_image"]

IMAGE = ImageRef.parse("ghcr.io/acme/shop")

FILES = {
    ".gitops-ci.yaml": """\
environments:
  staging:
    paths: ["apps/shop/base/**", "apps/shop/overlays/staging/**", "charts/shop/**", "argocd/**"]
""",
    "apps/shop/base/deployment.yaml": """\
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
          image: ghcr.io/acme/shop # tag set by overlays
          ports:
            - containerPort: 8080
""",
    "apps/shop/base/kustomization.yaml": """\
resources:
  - deployment.yaml
""",
    "apps/shop/overlays/staging/kustomization.yaml": """\
resources:
  - ../../base
images:
  - name: ghcr.io/acme/shop
    newTag: "1.4.1"   # deployed by CI
""",
    "charts/shop/values-staging.yaml": """\
# The worker runs the same image as the shop.
worker:
  replicas: 1
  image: {registry: ghcr.io, repository: acme/shop, tag: '1.4.1'}

sidecar:
  image:
    repository: ghcr.io/acme/shop-exporter
    tag: 0.9.0
""",
    "argocd/shop.yaml": """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: shop
  namespace: argocd
spec:
  project: default
  source:
    repoURL: https://charts.example.com
    chart: web
    targetRevision: 4.2.0
    helm:
      valuesObject:
        web:
          image: ghcr.io/acme/shop:1.4.1
  destination:
    server: https://kubernetes.default.svc
    namespace: shop
""",
}

# What a promotion needs besides.
_PRODUCTION = {
    ".gitops-ci.yaml": f"""\
{FILES[".gitops-ci.yaml"]}\
  production:
    paths: ["apps/shop/overlays/production/**"]
    promote-from: staging
""",
    "apps/shop/overlays/production/kustomization.yaml": FILES["apps/shop/overlays/staging/kustomization.yaml"],
}


def make_config_repository(path: str) -> RepoUrl:
    """A bare repository with a Kustomize app of two environments, Helm values and an Argo CD Application."""
    contents = {name: text.encode() for name, text in (FILES | _PRODUCTION).items()}
    author = Identity("Demo", "demo@example.com")
    return create_repository(path, contents, branch="main", message="Shop runs 1.4.1", author=author)


def make_image(path: str, tag: str) -> None:
    """An OCI image layout with one small image (OCI image specification, `image-layout.md`)."""
    layer = _layer({"shop": b"#!/bin/sh\necho open\n"})
    packed = gzip.compress(layer, mtime=0)
    config = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Labels": {"org.opencontainers.image.version": tag}},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": _blob(path, _json(config), "application/vnd.oci.image.config.v1+json"),
        "layers": [_blob(path, packed, "application/vnd.oci.image.layer.v1.tar+gzip")],
    }
    entry = _blob(path, _json(manifest), "application/vnd.oci.image.manifest.v1+json")
    entry["annotations"] = {"org.opencontainers.image.ref.name": tag}
    _write(os.path.join(path, "oci-layout"), _json({"imageLayoutVersion": "1.0.0"}))
    _write(os.path.join(path, "index.json"), _json({"schemaVersion": 2, "manifests": [entry]}))


def _layer(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), 0o755
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def _blob(path: str, content: bytes, media_type: str) -> dict[str, Any]:
    digest = hashlib.sha256(content).hexdigest()
    _write(os.path.join(path, "blobs", "sha256", digest), content)
    return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(content)}


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), sort_keys=True).encode()


def _write(path: str, content: bytes) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(content)
