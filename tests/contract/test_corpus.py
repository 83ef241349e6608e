"""Every image of every YAML file in whole repositories: bumped, it changes what names it and nothing else.

Judged by two readers that know nothing of ours: PyYAML's event stream, and the bytes outside of the edits.
"""

from collections import Counter

import pytest
import yaml

from gitops_ci import formats, plan
from gitops_ci.formats import ManifestText
from gitops_ci.imageref import ImageRef
from gitops_ci.yamltext import YamlError
from tests.support.corpus import EACH, repository

TAG, HEX = "99.9.9-corpus", "ab" * 32
DIGEST = f"sha256:{HEX}"
# By repository of others: images, edits, and places left because they have no version. A rule that finds less, or
# leaves more, shows here.
FOUND = {
    "argocd-example-apps": (26, 31, 0),
    "examples": (129, 129, 2),
    "fleet-examples": (106, 133, 0),
    "flux2-kustomize-helm-example": (1, 1, 0),
    "flux2-multi-tenancy": (1, 1, 0),
    "microservices-demo": (81, 57, 24),
    "podinfo": (29, 30, 0),
}


def files_of(name):
    root = repository(name)
    for path in sorted(root.rglob("*")):
        if path.suffix in {".yaml", ".yml"} and path.is_file():
            yield str(path.relative_to(root)), path.read_bytes().decode()


def images_in(path, text):
    try:
        sites = [*formats.find(ManifestText(path, text))]
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
        a[0] == b[0] == "ScalarEvent" and a[2:] == b[2:] and (TAG in b[1] or HEX in b[1]) for a, b in differing
    ), path


@pytest.mark.parametrize("name", EACH)
def test_bumping_any_image_changes_what_names_it_and_nothing_else(name):
    images = edits = without_version = 0
    for path, text in files_of(name):
        for image in images_in(path, text):
            target = ImageRef(image.registry, image.repository, TAG, DIGEST)
            planned = plan.make([(path, text)], [target], plan.BumpPolicy(any_flavour=True))
            images += 1
            edits += len(planned.changes)
            without_version += sum("without a version" in skip.reason for skip in planned.skipped)
            if planned.files:
                check(path, text, planned)
                [changed] = planned.files
                again = plan.make([(path, changed.after)], [target], plan.BumpPolicy(any_flavour=True))
                assert again.changes == (), f"{path}: a second bump changes something"
            else:
                assert planned.skipped, f"{path}: {image} was found and neither edited nor reported"
    assert (images, edits, without_version) == FOUND.get(name, (images, edits, without_version))
    assert edits
