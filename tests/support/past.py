"""Config repositories with a past: environments whose images changed commit by commit."""

from __future__ import annotations

from pathlib import Path

from tests.support.git_repo import FIRST_COMMIT, BareRepo, commit_files, make_repo

__all__ = ["CONFIG", "NOW", "Past", "overlay"]

CONFIG = """\
environments:
  dev: {paths: ["apps/*/overlays/dev/**"]}
  staging: {paths: ["apps/*/overlays/staging/**"], promote-from: dev}
  production: {paths: ["apps/*/overlays/production/**"], promote-from: staging}
"""
NOW = FIRST_COMMIT + 3600


def overlay(*images: str) -> str:
    """A kustomization that sets these images, written NAME:TAG or NAME:TAG@DIGEST."""
    lines = ["resources: [../../base]", "images:"]
    for image in images:
        reference, _, digest = image.partition("@")
        name, _, tag = reference.rpartition(":")
        lines += [f"  - name: {name}", f'    newTag: "{tag}"  # by CI', *([f"    digest: {digest}"] if digest else [])]
    return "\n".join(lines) + "\n"


class Past:
    """A repository whose commits are a minute apart; `set` writes one overlay of one application."""

    def __init__(self, repo: BareRepo, environments: tuple[str, ...] = ("dev", "staging", "production")) -> None:
        self.repo = repo
        self.environments = environments

    @classmethod
    def at(cls, path: Path, **first: str) -> Past:
        """A new one; `first` are the versions that ghcr.io/acme/shop begins with, by environment."""
        files = {".gitops-ci.yaml": CONFIG, "apps/shop/base/deployment.yaml": "kind: Deployment\n"}
        files |= {cls.path("shop", name): overlay(f"ghcr.io/acme/shop:{tag}") for name, tag in first.items()}
        return cls(make_repo(path, files))

    @staticmethod
    def path(app: str, environment: str) -> str:
        return f"apps/{app}/overlays/{environment}/kustomization.yaml"

    def set(self, environment: str, *images: str, app: str = "shop", message: str = "Change") -> str:
        """Commit an overlay with these images; without any it is removed. The commit's id."""
        text = overlay(*images) if images else None
        return commit_files(self.repo, {self.path(app, environment): text}, message=message)

    def shop(self, environment: str, tag: str, message: str = "Change") -> str:
        return self.set(environment, f"ghcr.io/acme/shop:{tag}", message=message)
