"""Every image of every YAML file in real config repositories: bumped, it changes what names it and nothing else.

Judged by two readers that know nothing of ours: PyYAML's event stream, and the bytes outside of the edits.
"""

from collections import Counter

import pytest
import yaml

from gitops_ci import formats, plan
from gitops_ci.formats import Source
from gitops_ci.imageref import ImageRef
from gitops_ci.yamltext import YamlError
from tests.support import shared

TAG, DIGEST = "99.9.9-corpus", "sha256:" + "ab" * 32
REPOSITORIES = (
    "argocd-example-apps",
    "examples",
    "fleet-examples",
    "flux2-kustomize-helm-example",
    "flux2-multi-tenancy",
    "microservices-demo",
    "podinfo",
)


def files_of(repository):
    root = shared("corpus", repository)
    for path in sorted(root.rglob("*")):
        if path.suffix in {".yaml", ".yml"} and path.is_file():
            yield str(path.relative_to(root)), path.read_bytes().decode()


def images_in(path, text):
    try:
        sites = [*formats.find(Source(path, text))]
    except YamlError:
        return []
    return {site.image.name: site.image for site in sites if site.image.repository}.values()


def values(text):
    """What an independent reader sees, as a flat stream."""
    return [
        (type(event).__name__, getattr(event, "value", ""), getattr(event, "anchor", None), getattr(event, "tag", None))
        for event in yaml.parse(text, Loader=yaml.CSafeLoader)
    ]


def check(path, before, planned):
    [changed] = planned.files
    edits = sorted({change.edit for change in planned.changes}, key=lambda edit: edit.span.start)
    spliced, at = "", 0
    for edit in edits:
        spliced += before[at : edit.span.start] + edit.text
        at = edit.span.end
    assert spliced + before[at:] == changed.after, path
    try:
        old, new = values(before), values(changed.after)
    except yaml.YAMLError:
        # A template: no reader but the eye, line by line.
        lines = [
            n
            for n, pair in enumerate(zip(before.splitlines(), changed.after.splitlines(), strict=True), 1)
            if pair[0] != pair[1]
        ]
        assert lines == sorted({edit.span.line for edit in edits}), path
        return
    if any(edit.span.start == edit.span.end for edit in edits):
        assert Counter(old) - Counter(new) <= Counter(event for event in old if event[0] == "ScalarEvent"), path
        return
    differing = [(a, b) for a, b in zip(old, new, strict=True) if a != b]
    assert 0 < len(differing) <= len(edits), path
    assert all(
        a[0] == b[0] == "ScalarEvent" and a[2:] == b[2:] and (TAG in b[1] or DIGEST in b[1]) for a, b in differing
    ), path


@pytest.mark.parametrize("repository", REPOSITORIES)
def test_bumping_any_image_changes_what_names_it_and_nothing_else(repository):
    seen = 0
    for path, text in files_of(repository):
        for image in images_in(path, text):
            target = ImageRef(image.registry, image.repository, TAG, DIGEST)
            planned = plan.make([(path, text)], [target], plan.Policy(any_flavour=True))
            seen += 1
            if planned.files:
                check(path, text, planned)
                [changed] = planned.files
                again = plan.make([(path, changed.after)], [target], plan.Policy(any_flavour=True))
                assert again.changes == (), f"{path}: a second bump changes something"
            else:
                assert planned.skipped, f"{path}: {image} was found and neither edited nor reported"
    assert seen or repository == "flux2-multi-tenancy", "this one names no image"


def test_how_much_there_is_and_what_is_skipped():
    """Pinned: a rule that finds less, or skips more, shows here."""
    counts, reasons = Counter(), Counter()
    for repository in REPOSITORIES:
        for path, text in files_of(repository):
            for image in images_in(path, text):
                target = ImageRef(image.registry, image.repository, TAG, DIGEST)
                planned = plan.make([(path, text)], [target], plan.Policy(any_flavour=True))
                counts["images"] += 1
                counts["edits"] += len(planned.changes)
                reasons.update(
                    "without a version" if "without a version" in s.reason else "templated" for s in planned.skipped
                )
    assert counts == {"images": 372, "edits": 382}
    assert reasons == {"without a version": 26}
