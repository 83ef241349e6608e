"""The labels of a build by the OCI image specification, as docker/metadata-action writes them.

Source: OCI image specification 1.1, `annotations.md`: `org.opencontainers.image.*`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import UTC, datetime

from gitops_ci.dataclass import dataclass
from gitops_ci.errors import UsageError
from gitops_ci.flows.image.tags import TagRules, plan_tags
from gitops_ci.model import Log, Outcome
from gitops_ci.repourl import RepoUrl

__all__ = ["LabelsRequest", "Project", "label_image"]

_PREFIX = "org.opencontainers.image."


@dataclass(frozen=True, slots=True)
class Project:
    """What a code host tells about the repository that is built. An empty text is "not told"."""

    url: str = ""
    title: str = ""
    description: str = ""
    licenses: str = ""


@dataclass(frozen=True, slots=True)
class LabelsRequest:
    """A build: what decides its tags, where it comes from, and labels of the user, which replace computed ones."""

    rules: TagRules
    project: Project
    more: Mapping[str, str] = field(default_factory=dict)


def label_image(request: LabelsRequest, log: Log) -> Outcome:
    """The labels of a build. What is not known is left out."""
    facts, project = request.rules.facts, request.project
    address = _web_address(project.url)
    computed = {
        "created": _moment(facts.moment),
        "description": project.description,
        "licenses": project.licenses,
        "revision": facts.commit or "",
        "source": address,
        "title": project.title or address.rpartition("/")[2],
        "url": address,
        "version": _version(request.rules),
    }
    labels = {_PREFIX + name: line for name, value in computed.items() if (line := _one_line(value))}
    labels = dict(sorted({**labels, **request.more}.items()))
    log.detail(f"{len(labels)} labels")
    return Outcome("image labels", "unchanged", labels=labels, summary={"labels": len(labels)})


def _one_line(text: str) -> str:
    """A description may have several lines, and characters that a terminal obeys: a label is printed."""
    return " ".join("".join(one if one.isprintable() else " " for one in text).split())


def _moment(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _version(rules: TagRules) -> str:
    """The most exact tag; '' where the build gets none."""
    try:
        return plan_tags(rules, "", None)[0].tag
    except UsageError:
        return ""


def _web_address(url: str) -> str:
    """Where people look at the repository; '' of what is not an address, or has a password in it."""
    without_tls = url.startswith("http://")  # nobody signs in there for a label, so that it may be any host
    try:
        repository = RepoUrl.parse(url.replace("http://", "https://", 1) if without_tls else url) if url else None
    except UsageError:
        return ""
    if repository is None or repository.scheme == "file":
        return ""
    where = repository.netloc if repository.scheme != "ssh" else repository.code_host
    return f"{'http' if without_tls else 'https'}://{where}/{repository.path}"
