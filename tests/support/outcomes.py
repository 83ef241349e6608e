"""Outcomes as commands leave them, one of every sort, for whoever turns outcomes into text."""

from __future__ import annotations

from dataclasses import replace

from gitops_ci.imageref import ImageRef
from gitops_ci.model import (
    Change,
    Commit,
    Edit,
    ErrorDetail,
    FileChange,
    Finding,
    Outcome,
    PullRequest,
    PushedTag,
    Skip,
    Span,
)

__all__ = ["BUMP", "DIGEST", "OUTCOMES", "change", "everywhere"]

DIGEST = "sha256:" + "0123456789abcdef" * 4
_SHOP = ImageRef.parse("ghcr.io/acme/shop:1.5.0")
_OLD = ImageRef.parse("ghcr.io/acme/shop:1.4.2")


def change(path: str, line: int, column: int, resource: str, old: str, new: str) -> Change:
    edit = Edit(Span(0, len(old), line, column), new, old, new)
    return Change(path, "kubernetes", resource, _SHOP, edit, _OLD)


_KUSTOMIZATION = """\
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
  - ../../base
images:
  - name: ghcr.io/acme/shop
    newTag: 1.4.2 # keep
"""
_VALUES = 'image:\r\n  repository: ghcr.io/acme/shop\r\n  tag: "1.4.2"\r\n'
_FILES = tuple(
    FileChange(path, text, text.replace("1.4.2", "1.5.0"))
    for path, text in (
        ("apps/shop/production/kustomization.yaml", _KUSTOMIZATION),
        ("charts/shop/values.yaml", _VALUES),
    )
)
_CHANGES = (
    change("charts/shop/values.yaml", 3, 9, "", "1.4.2", "1.5.0"),
    change("apps/shop/production/kustomization.yaml", 7, 13, "Kustomization/shop", "1.4.2", "1.5.0"),
)
_SKIPPED = (
    Skip("apps/legacy/deploy.yaml", 33, "the tag comes from a template expression", "Set the value in values.yaml"),
    Skip("apps/broken/app.yaml", 7, "not YAML: a tab where indentation was expected", "Use spaces", failed=True),
)
_FINDINGS = (
    Finding("repo/mutable-tag", "warning", 'tag "latest" can change', "apps/cache.yaml", 22, 18, "StatefulSet/cache"),
    Finding(
        "schema/unknown-field",
        "error",
        'unknown field "replica" in spec',
        "apps/shop/deployment.yaml",
        12,
        7,
        "Deployment/shop",
        'Did you mean "replicas"?',
    ),
    Finding("api/duplicate-port", "error", "port 80 twice", "apps/shop/deployment.yaml", 31, 15, "Deployment/shop"),
    Finding("api/duplicate-port", "error", "port 80 twice", "apps/shop/deployment.yaml", 39, 15, "Deployment/shop"),
    Finding("gitops/note", "note", "nothing deploys this folder", "apps/unused"),
)
_REQUEST = PullRequest(
    42,
    "https://github.com/acme/shop-config/pull/42",
    "gitops-ci/production/ghcr.io-acme-shop",
    "main",
    "production: shop 1.5.0",
    "Updates `ghcr.io/acme/shop` to `1.5.0`.\n\n| Where | To |\n| --- | --- |\n| `a.yaml:1` | `1.5.0` |\n",
    state="opened",
    warnings=("the reviewer acme/sre could not be asked",),
)
_IMAGES = (
    PushedTag("ghcr.io/acme/shop:1.5.0", "1.5.0", DIGEST, "pushed"),
    PushedTag("ghcr.io/acme/shop:1.5", "1.5", DIGEST, "pushed"),
    PushedTag("ghcr.io/acme/shop:latest", "latest", DIGEST, "present"),
)

BUMP = Outcome(
    command="release",
    status="changed",
    images=_IMAGES,
    changes=_CHANGES,
    files=_FILES,
    skipped=_SKIPPED[:1],
    summary={"files": 12, "changed": 2, "unchanged": 0, "skipped": 1},
    commit=Commit("0a1b2c3d4e5f60718293a4b5c6d7e8f901234567", "gitops-ci/production/ghcr.io-acme-shop"),
    pull_request=_REQUEST,
)

OUTCOMES = {
    "released": BUMP,
    "planned": replace(
        BUMP,
        dry_run=True,
        commit=None,
        pull_request=None,
        images=tuple(replace(image, state="planned", digest=None) for image in _IMAGES),
    ),
    "plain-git": replace(BUMP, pull_request=replace(_REQUEST, number=None, url="", warnings=())),
    "again": replace(
        BUMP,
        status="unchanged",
        changes=(),
        files=(),
        skipped=(),
        images=tuple(replace(image, state="present") for image in _IMAGES),
        pull_request=replace(_REQUEST, state="unchanged", warnings=()),
    ),
    "unread": replace(BUMP, skipped=_SKIPPED, exit_code=1),
    "valid": Outcome("validate", "unchanged", summary={"files": 12, "documents": 40, "valid": 40}),
    "invalid": Outcome(
        "validate",
        "failed",
        1,
        findings=_FINDINGS,
        skipped=_SKIPPED,
        summary={"files": 12, "documents": 40, "valid": 37},
        error=ErrorDetail("findings", "2 manifests are invalid", "Fix them, or leave rules out with --skip-rules", 1),
    ),
    "refused": replace(
        BUMP,
        status="failed",
        exit_code=1,
        findings=_FINDINGS,
        commit=None,
        pull_request=None,
        error=ErrorDetail("findings", "The change makes 1 manifest invalid", "Nothing was pushed", 1),
    ),
    "failed": Outcome(
        "bump",
        "failed",
        8,
        error=ErrorDetail(
            "nothing-matched",
            "No manifest names ghcr.io/acme/shpo\nnearest names:\nghcr.io/acme/shop",
            "Check the name",
            8,
        ),
    ),
}


def everywhere(text: str) -> Outcome:
    """An outcome in which everything that comes from outside is `text`: names, paths, values, contents, messages."""
    image = ImageRef("r.example", text, text, text, written=text)
    edit = Edit(Span(0, 1, 3, 5), text, text, text + "x")
    return Outcome(
        command="bump",
        status="failed",
        exit_code=1,
        images=(PushedTag(text, text, text, "pushed"), PushedTag(f"r.example/{text}:{text}", text, None, "present")),
        changes=(Change(text, text, text, image, edit, image), Change("a.yaml", "helm", text, _SHOP, edit, _OLD)),
        files=(FileChange(text, f"a: 1\n{text}\nb: 2\n", f"a: 2\n{text}\nb: 2\n"), FileChange("b", text, text + "\n")),
        skipped=(Skip(text, 4, text, text), Skip(text, 0, text, text, failed=True)),
        findings=(
            Finding("yaml/syntax", "error", text, text, 1, 2, text, text),
            Finding("api/name", "warning", text, "b.yaml", 0, 0, text, text),
            Finding("gitops/x", "note", text, "", 0, 0, text, text),
        ),
        summary={"files": 2},
        commit=Commit(text, text),
        pull_request=PullRequest(7, text, text, text, text, text, warnings=(text,)),
        error=ErrorDetail("git", text, text, 5),
    )
