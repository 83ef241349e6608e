"""Every kind of manifest that names images, the precise ones before the general ones.

Adding a kind is a module with `ID` and `find`, a line here, and a folder of cases.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from gitops_ci.formats import (
    argocd,
    chart_version,
    compose,
    env_file,
    fleet,
    flux,
    flux_policies,
    helm_chart,
    helm_template,
    helm_values,
    jsonnet,
    kubernetes,
    kustomize,
    markers,
    quadlet,
    terraform,
)
from gitops_ci.formats.base import Format
from gitops_ci.formats.document.image_fields import NAMELESS
from gitops_ci.formats.document.manifest_text import ManifestText
from gitops_ci.formats.document.occupied import OccupiedSpans
from gitops_ci.model import Field, ImageSite

__all__ = ["FORMATS", "ManifestText", "find"]

FORMATS: dict[str, Format] = {
    markers.ID: markers,
    chart_version.ID: chart_version,
    kustomize.ID: kustomize,
    argocd.ID: argocd,
    flux.ID: flux,
    fleet.ID: fleet,
    compose.ID: compose,
    helm_chart.ID: helm_chart,
    kubernetes.ID: kubernetes,
    helm_values.ID: helm_values,
    helm_template.ID: helm_template,
    terraform.ID: terraform,
    jsonnet.ID: jsonnet,
    quadlet.ID: quadlet,
    env_file.ID: env_file,
}
# These go line by line: templates, and what is not YAML.
_OF_TEMPLATES = (markers.ID, helm_template.ID)
_OF_TEXTS = (markers.ID, terraform.ID, jsonnet.ID, quadlet.ID, env_file.ID)


def find(source: ManifestText, only: Sequence[str] = ()) -> Iterator[ImageSite]:
    """Every image of a file, each place once: the first format that knows it keeps it.

    Raises:
        YamlError: the file should be YAML and cannot be read.
    """
    sites: list[ImageSite] = []
    taken: set[tuple[int, int, str, bool]] = set()
    marked = OccupiedSpans(())
    for name in _kinds(source):
        for site in FORMATS[name].find(source):
            places = {_place(field) for field in site.fields}
            # A mark may point into a string that a rule takes as a whole.
            if places and not places & taken and not any(marked.overlaps(start, end) for start, end, *_ in places):
                taken |= places
                sites.append(site)
        if name == markers.ID:
            marked = OccupiedSpans(sites)
    if source.is_yaml and any(mark in source.text for mark in flux_policies.MARKS) and not source.is_template:
        sites = _pointed_at(sites, flux_policies.find(source))
    return (site for site in sites if not only or site.format in only)


def _kinds(source: ManifestText) -> Iterator[str]:
    if source.is_template:
        yield from _OF_TEMPLATES
    elif not source.is_yaml:
        yield from _OF_TEXTS
    else:
        yield from (name for name in FORMATS if name not in _OF_TEXTS[1:] and name != helm_template.ID)


def _place(field: Field) -> tuple[int, int, str, bool]:
    return field.span.start, field.span.end, field.key, field.anchor is None


def _pointed_at(sites: list[ImageSite], marked: Iterator[ImageSite]) -> list[ImageSite]:
    """Join what Flux's markers say with what the rules found: a digest that only a marker knows belongs to its tag."""
    found = list(sites)
    owner = {field.span: at for at, site in enumerate(found) for field in site.fields}
    for pointed in marked:
        at = next((owner[field.span] for field in pointed.fields if field.span in owner), None)
        if at is None:
            found.append(pointed)
            continue
        if not found[at].image.repository:
            if pointed.image.repository:
                found[at] = pointed
            else:
                # Two ways to learn its name: from what it is laid over, and from the marker.
                found.append(pointed)
            continue
        found.extend(_as_marked(pointed))
        roles = {field.role for field in found[at].fields}
        more = tuple(field for field in pointed.fields if field.role not in roles and roles != {"reference"})
        if more:
            image = found[at].image
            digest = image.digest or pointed.image.digest
            found[at] = replace(
                found[at],
                image=image.with_version(tag=image.tag or pointed.image.tag, digest=digest),
                fields=(*found[at].fields, *more),
            )
    return found


def _as_marked(pointed: ImageSite) -> Iterator[ImageSite]:
    """A marked reference once more, without its name: Flux writes the policy's image there, whatever the line has."""
    if pointed.image.repository and pointed.layers == flux_policies.LAYER:
        image = NAMELESS.with_version(tag=pointed.image.tag, digest=pointed.image.digest)
        problem = f"{flux_policies.MARKED}{pointed.image.familiar}"
        yield replace(pointed, image=image, problem=problem)
