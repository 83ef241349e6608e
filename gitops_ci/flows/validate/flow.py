"""Check the manifests of files and folders: the pre-merge check."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, NamedTuple

from gitops_ci import known_files
from gitops_ci.errors import FindingsError, GitopsCiError, NothingMatched
from gitops_ci.flows.validate.checkout import repository_root, repository_urls
from gitops_ci.flows.validate.inputs import InputFiles, read_sources
from gitops_ci.model import ErrorDetail, Finding, Log, Outcome, Skip
from gitops_ci.reporting.summary import count
from gitops_ci.validation import REFERRED_GROUPS, Checks, Report, Surroundings, check

if TYPE_CHECKING:
    from gitops_ci.flows.image.existence import ImageLookup
    from gitops_ci.flows.validate.rendering import RenderResult
    from gitops_ci.flows.validate.selection import Shard
    from gitops_ci.rendering import Tree, Unit
    from gitops_ci.validation.report import Lookup

__all__ = ["ValidateRequest", "selected", "validate"]

# Files whose folder is rendered (rendering/kustomize.py and rendering/helm.py).
_DESCRIPTIONS = frozenset({*known_files.KUSTOMIZATIONS, known_files.CHART})
# Files whose fields are checked (validation/lint/descriptions.py).
_DESCRIBING = _DESCRIPTIONS | {*known_files.FLEET}


class ValidateRequest(NamedTuple):
    """What to check. `paths` are files, folders or `-`; `stdin` reads what `-` stands for.

    `substitute` are values of `${NAME}` in what is checked; `cache` is a folder for fetched schemas, '' for none.
    `changed_since` are references; what counts is where HEAD left the first one that is here.
    `insecure` are registries that may be asked without TLS.
    """

    paths: tuple[str, ...] = (".",)
    checks: Checks = Checks()
    allow_empty: bool = False
    stdin: Callable[[], bytes] = lambda: b""
    crd_paths: tuple[str, ...] = ()
    schema_locations: tuple[str, ...] = ()
    offline: bool = False
    cache: str = ""
    render: Literal["auto", "none"] = "auto"
    allow_remote: bool = False
    substitute: Mapping[str, str] = MappingProxyType({})
    changed_since: tuple[str, ...] = ()
    shard: Shard | None = None
    check_images: bool = False
    insecure: tuple[str, ...] = ()
    fail_on: Literal["error", "warning"] = "error"


def validate(request: ValidateRequest, log: Log) -> Outcome:
    """Check everything below the given paths; a broken file hides no other.

    Raises:
        UsageError: a path or reference does not exist.
        NothingMatched: not one manifest was found, unless allowed.
    """
    sources = read_sources(request.paths, request.stdin)
    files = dict(sources.files)
    lookup = _image_lookup(request)
    raw, units, tree = selected(request, sources)
    around = _surroundings(request, files, raw, lookup, log)
    result = _rendered(request, units, tree, log)
    found = _found(_described(raw, files), result)
    rendered = result.rendered if result else []
    report = check(_raw(raw, files, result, request), request.checks, around, rendered, found)
    left = [skip for skip in sources.unread if skip.path in raw]
    broken = [skip for skip in left if skip.failed]
    unread = (*left, *(lookup.skipped if lookup else ()))
    skipped = _skips(report, result, unread, raw)
    findings = report.findings
    counts = {**report.summary, "rendered": len(rendered), "unreadable": len(broken)}
    whole = not request.changed_since and request.shard is None
    if whole and not counts["documents"] and not findings and not broken and not request.allow_empty:
        raise _nothing(request, skipped)
    what = count(counts["files"], "file") + (f" and {count(len(rendered), 'rendering')}" if rendered else "")
    log.step(f"{count(counts['documents'], 'document')} in {what} checked, {counts['invalid']:,} invalid")
    return _outcome(request, findings, skipped, counts)


def _image_lookup(request: ValidateRequest) -> ImageLookup | None:
    if not request.check_images or request.offline:
        return None
    from gitops_ci.flows.image.existence import ImageLookup
    from gitops_ci.registry.connection import Access

    return ImageLookup(Access(frozenset(request.insecure)))


def _surroundings(
    request: ValidateRequest, files: Mapping[str, str], chosen: set[str], images: ImageLookup | None, log: Log
) -> Surroundings:
    definitions = read_sources(request.crd_paths).files if request.crd_paths else ()
    wanted = [location for location in request.schema_locations if location != "default"]
    lookup = _lookup(request, wanted, log) if wanted else None
    root = repository_root()
    everything = (*((path, text) for path, text in files.items() if "CustomResourceDefinition" in text), *definitions)
    # What a chosen file refers to may lie in one that was not chosen.
    elsewhere = (
        (path, text)
        for path, text in files.items()
        if path not in chosen and any(group in text for group in REFERRED_GROUPS)
    )
    exists, urls = root.exists if root else None, repository_urls(root)
    whole = root is None or any(os.path.abspath(path) == root.path for path in request.paths)
    return Surroundings(tuple(everything), lookup, exists, urls, images, tuple(elsewhere), files, whole)


def _described(chosen: set[str], files: Mapping[str, str]) -> list[Finding]:
    """Findings of the files that say how manifests are made."""
    described = [
        (path, files[path]) for path in sorted(chosen & files.keys()) if path.rpartition("/")[2] in _DESCRIBING
    ]
    if not described:
        return []
    from gitops_ci.validation.lint.descriptions import description_findings

    return list(description_findings(described, _exists))


def _found(described: list[Finding], result: RenderResult | None) -> list[Finding]:
    """Findings of descriptions and of what was rendered; a build that fails for what is told already is not told."""
    told = {finding.path for finding in described if finding.severity == "error"}
    rendering = result.findings if result else []
    return described + [one for one in rendering if one.rule != "gitops/kustomize-build" or one.path not in told]


def _exists(path: str) -> bool:
    """Whether a path below the working folder exists; of what lies outside nothing is told."""
    path = os.path.normpath(path)
    return path.startswith((os.pardir, os.sep)) or os.path.exists(path)


def _lookup(request: ValidateRequest, wanted: Sequence[str], log: Log) -> Lookup:
    from gitops_ci.validation.custom_resources.schema_locations import Locations

    return Locations(wanted, cache=request.cache, offline=request.offline, warn=log.warn)


def selected(request: ValidateRequest, sources: InputFiles) -> tuple[set[str], list[Unit], Tree | None]:
    """The files and units of this run. What is not needed for it is not even imported: start-up counts."""
    files = dict(sources.files)
    chosen = {*files, *(skip.path for skip in sources.unread)}
    units: list[Unit] = []
    tree: Tree | None = None
    if any(path.rpartition("/")[2] in _DESCRIPTIONS for path in files):
        from gitops_ci.flows.validate.rendering import find_units
        from gitops_ci.rendering import Tree

        tree = Tree(dict(files))
        units = find_units(tree, list(files))
    if request.changed_since:
        from gitops_ci.flows.validate.selection import affected_by, branch_point, changed_files

        chosen, units = affected_by(changed_files(branch_point(request.changed_since)), chosen, files, units)
    if request.shard is not None:
        from gitops_ci.flows.validate.selection import assign_shard, partition

        parts = partition(chosen, units, files, rendered=request.render == "auto")
        chosen, units = assign_shard(parts, request.shard)
    return chosen, units, tree


def _rendered(request: ValidateRequest, units: Sequence[Unit], tree: Tree | None, log: Log) -> RenderResult | None:
    if not units or tree is None:
        return None
    from gitops_ci.flows.validate.rendering import read_units, render_units
    from gitops_ci.rendering import Settings

    if request.render == "none":
        return read_units(units)
    settings = Settings(request.checks.kubernetes_versions[-1], request.allow_remote)
    return render_units(units, tree, settings, request.substitute, log)


def _raw(
    chosen: set[str], files: Mapping[str, str], result: RenderResult | None, request: ValidateRequest
) -> list[tuple[str, str]]:
    readable = chosen & files.keys()
    left = sorted(readable - result.covered - result.patches.keys() if result else readable)
    if not request.substitute:
        return [(path, files[path]) for path in left]
    from gitops_ci.rendering import substitute

    return [(path, substitute(files[path], request.substitute)) for path in left]


def _skips(report: Report, result: RenderResult | None, unread: Sequence[Skip], chosen: set[str]) -> tuple[Skip, ...]:
    everything = {*report.skipped, *unread}
    if result:
        everything |= set(result.skipped)
        for path, owner in result.patches.items():
            if path in chosen and path not in result.covered:
                everything.add(Skip(path, 0, f"a part of {owner}, not a manifest of its own"))
    return tuple(sorted(everything, key=lambda skip: (skip.path, skip.line, skip.reason)))


def _outcome(
    request: ValidateRequest, findings: tuple[Finding, ...], skipped: tuple[Skip, ...], counts: Mapping[str, int]
) -> Outcome:
    failing = {"error"} if request.fail_on == "error" else {"error", "warning"}
    failure = _failure(sum(one.severity in failing for one in findings), sum(skip.failed for skip in skipped))
    return Outcome(
        command="validate",
        status="failed" if failure else "unchanged",
        exit_code=failure.exit_code if failure else 0,
        findings=findings,
        skipped=skipped,
        summary=counts,
        error=ErrorDetail.of(failure) if failure else None,
    )


def _failure(failing: int, unread: int) -> GitopsCiError | None:
    if failing:
        accept = "Correct what they name, or accept it with --ignore or --skip-rules."
        return FindingsError(f"{count(failing, 'finding')} that must not be merged", hint=accept)
    if unread:
        return FindingsError(f"{count(unread, 'file')} could not be read", hint="Each is named with its reason.")
    return None


def _nothing(request: ValidateRequest, skipped: Sequence[Skip]) -> NothingMatched:
    where = ", ".join(request.paths)
    if skipped:
        first = skipped[0]
        hint = f"{len(skipped)} skipped, the first is {first.path}: {first.reason}. {first.hint}".strip()
    else:
        hint = "No .yaml, .yml or .json file is there. Name the folder with the manifests, or give --allow-empty."
    return NothingMatched(f"No manifest to validate in {where}", hint=hint)
