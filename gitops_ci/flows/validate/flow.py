"""Check the manifests of files and folders: the pre-merge check."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field, replace
from typing import TYPE_CHECKING, Literal

from gitops_ci import known_files
from gitops_ci.bounded import Limits
from gitops_ci.dataclass import dataclass
from gitops_ci.errors import NothingMatched, UsageError
from gitops_ci.flows.checkout import repository_branches, repository_root, repository_urls, root_around
from gitops_ci.flows.validate.guides import made_by_hand
from gitops_ci.flows.validate.inputs import STDIN, InputFiles, read_manifests, read_sources
from gitops_ci.flows.validate.verdict import judged, told_once, without_repeats
from gitops_ci.model import FailOn, Finding, Log, Outcome, Skip
from gitops_ci.reporting.summary import count, location
from gitops_ci.validation import REFERRED_GROUPS, Checks, Rendered, Report, Surroundings, check

if TYPE_CHECKING:
    from gitops_ci.flows.image.existence import ImageLookup
    from gitops_ci.flows.validate.left_out import LeftOut
    from gitops_ci.flows.validate.rendering import RenderResult
    from gitops_ci.flows.validate.selection import RenderUnit, Shard
    from gitops_ci.flows.validate.units import Units
    from gitops_ci.rendering.deployment import Cluster
    from gitops_ci.validation.report import Lookup

__all__ = ["Selection", "ValidateRequest", "selected", "validate"]

# Files that describe units, and whose fields are checked (validation/lint/descriptions.py).
_DESCRIBING = frozenset({*known_files.KUSTOMIZATIONS, known_files.CHART, *known_files.FLEET})
# The API groups whose objects describe units.
_OPERATORS = ("argoproj.io/", "toolkit.fluxcd.io/", "fleet.cattle.io/")


@dataclass(frozen=True, slots=True)
class ValidateRequest:
    """What to check. `paths` are files, folders or `-`; `stdin` reads what `-` stands for.

    `exclude` are globs of files that are not checked. `substitute` are values of `${NAME}` in what is checked; `cache`
    is a folder for fetched schemas, '' for none.
    `values` are files for the charts in some folders, `limits` what each program that renders may take.
    `changed_since` are references; what counts is where HEAD left the first one that is here.
    `changed` are files, from the working folder: only what they have an effect on is checked.
    `branches` are those that the change is for. `insecure` are registries that may be asked without TLS. `windows`
    says which environments take no changes now.
    """

    paths: tuple[str, ...] = (".",)
    exclude: tuple[str, ...] = ()
    checks: Checks = Checks()
    allow_empty: bool = False
    stdin: Callable[[], bytes] = lambda: b""
    crd_paths: tuple[str, ...] = ()
    schema_locations: tuple[str, ...] = ()
    offline: bool = False
    cache: str = ""
    render: Literal["auto", "none"] = "auto"
    branches: frozenset[str] = frozenset()
    allow_remote: bool = False
    substitute: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    clusters: tuple[Cluster, ...] | None = None
    limits: Limits = Limits()
    changed_since: tuple[str, ...] = ()
    changed: frozenset[str] | None = None
    shard: Shard | None = None
    check_images: bool = False
    insecure: tuple[str, ...] = ()
    fail_on: FailOn = FailOn()
    windows: Callable[[], tuple[Finding, ...]] = tuple


def validate(request: ValidateRequest, log: Log) -> Outcome:
    """Check everything below the given paths; a broken file hides no other.

    Raises:
        UsageError: a path or reference does not exist.
        NothingMatched: not one manifest was found, unless allowed.
    """
    log.detail("reading files")
    sources = read_manifests(request.paths, request.stdin, request.exclude)
    files = dict(sources.files)
    lookup = _image_lookup(request)
    selection = selected(request, sources)
    raw = selection.files
    around = _surroundings(request, files, raw, lookup, log)
    result = _rendered(request, selection, log)
    log.detail(f"checking {count(len(raw), 'file')}")
    if result and selection.units:
        units = selection.units
        around = replace(
            around, has_variables=result.has_variables, kustomized=units.kustomized, patched_kinds=units.patched_kinds
        )
    found = told_once(_described(raw, files), result.findings if result else ())
    rendered = result.rendered if result else []
    lying = _raw(raw, files, result, request)
    found += _broken(request, selection, rendered, files, lying, log)
    found += _unread_values(request, selection, files)
    report = check(lying, request.checks, around, rendered, found)
    if selection.is_partial:
        # Of what a unit renders beside the files that were named, nothing is asked.
        report = replace(report, findings=tuple(one for one in report.findings if one.path in raw))
    if request.exclude:
        report = _without_excluded(report, sources.left_out)
    left = [skip for skip in sources.unread if skip.path in raw]
    broken = [skip for skip in left if skip.failed]
    unread = (*left, *(lookup.skipped if lookup else ()))
    skipped = _skips(report, result, unread, raw)
    findings = (*without_repeats(report.findings), *request.windows())
    counts = {**report.summary, "rendered": len(rendered), "unreadable": len(broken)}
    whole = not request.changed_since and request.changed is None and request.shard is None
    checked = counts["documents"] + counts["suppressed"]
    if whole and not checked and not findings and not broken and not request.allow_empty:
        raise _nothing(request, skipped, counts["skipped"])
    what = count(counts["files"], "file") + (f" and {count(len(rendered), 'rendering')}" if rendered else "")
    log.step(f"{count(counts['documents'], 'document')} in {what} checked, {counts['invalid']:,} invalid")
    return judged(request.fail_on, findings, skipped, counts)


def _without_excluded(report: Report, left_out: LeftOut) -> Report:
    """A report without what was found in files that a unit uses and the user excludes."""
    return replace(
        report,
        findings=tuple(one for one in report.findings if not left_out.is_excluded(one.path)),
        skipped=tuple(one for one in report.skipped if not left_out.is_excluded(one.path)),
    )


def _image_lookup(request: ValidateRequest) -> ImageLookup | None:
    if not request.check_images or request.offline:
        return None
    from gitops_ci.flows.image.existence import ImageLookup
    from gitops_ci.registry.connection import Access

    return ImageLookup(Access(frozenset(request.insecure)))


def _surroundings(
    request: ValidateRequest, files: Mapping[str, str], chosen: set[str], images: ImageLookup | None, log: Log
) -> Surroundings:
    if lost := next((path for path in request.crd_paths if not os.path.exists(path)), ""):
        raise UsageError(f"There is no file or folder {lost} for --crd-path", hint="Correct the path.")
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
    return Surroundings(
        *(tuple(everything), lookup, exists, urls, images, tuple(elsewhere), files, whole),
        made_by_hand=made_by_hand(root.path) if root else None,
        alone=_file_alone(request, files),
    )


def _file_alone(request: ValidateRequest, files: Mapping[str, str]) -> str:
    """The file that the user names, if it is the only one."""
    is_one = len(request.paths) == 1 and not os.path.isdir(request.paths[0])
    return next(iter(files), "") if is_one else ""


def _described(chosen: set[str], files: Mapping[str, str]) -> list[Finding]:
    """Findings of the files that say how manifests are made."""
    described = [
        (path, files[path]) for path in sorted(chosen & files.keys()) if path.rpartition("/")[2] in _DESCRIBING
    ]
    if not described:
        return []
    from gitops_ci.validation.lint.descriptions import description_findings

    return list(description_findings(described, _exists))


def _exists(path: str) -> bool:
    """Whether a path below the working folder exists. Any other path counts as one that does."""
    path = os.path.normpath(path)
    return path.startswith((os.pardir, os.sep)) or os.path.exists(path)


def _lookup(request: ValidateRequest, wanted: Sequence[str], log: Log) -> Lookup:
    from gitops_ci.validation.custom_resources.schema_locations import Locations

    return Locations(wanted, cache=request.cache, offline=request.offline, warn=log.warn)


@dataclass(frozen=True, slots=True)
class Selection:
    """What one run is about. `wanted` are ids of units, None for all; `is_partial` when only some files were named."""

    files: set[str]
    units: Units | None = None
    listed: Sequence[RenderUnit] = ()
    wanted: frozenset[str] | None = None
    is_partial: bool = False


def selected(request: ValidateRequest, sources: InputFiles) -> Selection:
    """The files and units of this run. What is not needed for it is not even imported: start-up counts."""
    files = dict(sources.files)
    chosen = {*files, *(skip.path for skip in sources.unread)}
    units = _units(request, sources)
    listed: Sequence[RenderUnit] = units.listed if units else ()
    is_partial = units is not None and not _is_whole(request, units.checkout.root)
    wanted = units.holding(chosen) if units and is_partial else None
    if request.changed_since or request.changed is not None:
        from gitops_ci.flows.validate.selection import affected_by, branch_point, changed_files

        changed = request.changed
        if changed is None:
            changed = frozenset(changed_files(branch_point(request.changed_since)))
        chosen, listed = affected_by(changed, chosen, files, listed)
        wanted = units.with_holders(one.id for one in listed) if units else None
        is_partial = False
    if request.shard is not None:
        from gitops_ci.flows.validate.selection import assign_shard, partition

        parts = partition(chosen, listed, files, rendered=request.render == "auto")
        chosen, listed = assign_shard(parts, request.shard)
        wanted = frozenset(one.id for one in listed)
    return Selection(chosen, units, listed, wanted, is_partial)


def _units(request: ValidateRequest, sources: InputFiles) -> Units | None:
    """What is deployed from the checkout around the files; None where nothing there describes a unit."""
    files = dict(sources.files)
    root = _root_of(request.paths)
    if not _may_have_units(request, root, files):
        return None
    root = root or _folder_around(_named(request))
    if os.path.dirname(root) == root:
        return None  # a whole machine is not a checkout
    from gitops_ci.flows.validate.units import Checkout, UnitSettings, find_units

    checkout = Checkout(root, files)
    around = repository_root()
    settings = UnitSettings(
        urls=repository_urls(around),
        branches=repository_branches(around) | request.branches,
        kubernetes_version=request.checks.kubernetes_versions[-1],
        values=request.values,
        variables=request.substitute,
        clusters=request.clusters,
        is_left_out=sources.left_out.covers,
    )
    return find_units(checkout, settings)


def _may_have_units(request: ValidateRequest, root: str | None, files: Mapping[str, str]) -> bool:
    """Whether the files may be of a unit. Values of a chart are never ignored, wherever the files lie."""
    if request.values:
        return True
    is_alone = all(path == STDIN or os.path.isfile(path) for path in request.paths)
    if set(files) <= {STDIN} or (root is None and is_alone):
        return any(_may_be_part(path, text) for path, text in files.items())
    return (root is not None and not _is_whole(request, root)) or _describes_units(files)


def _may_be_part(path: str, text: str) -> bool:
    """Whether a file by itself, outside of any repository, looks like a part of something."""
    if "${" in text or path == STDIN:
        return "${" in text
    folder, above = path, os.path.dirname(path)
    while folder != above:
        if any(os.path.isfile(os.path.join(above, name)) for name in _DESCRIBING):
            return True
        folder, above = above, os.path.dirname(above)
    return False


def _folder_around(paths: Sequence[str]) -> str:
    """The folder that files outside of any repository are read from: the working folder, where they lie in it."""
    here, full = os.getcwd(), [os.path.abspath(path) for path in paths]
    if os.path.commonpath([here, *full]) == here:
        return here
    return os.path.commonpath([path if os.path.isdir(path) else os.path.dirname(path) for path in full])


def _named(request: ValidateRequest) -> list[str]:
    return [path for path in request.paths if path != STDIN]


def _root_of(paths: Sequence[str]) -> str | None:
    """The root of the Git repository that all paths lie in."""
    found = root_around(os.path.commonpath([os.path.abspath("." if path == STDIN else path) for path in paths]))
    return found.path if found else None


def _is_whole(request: ValidateRequest, root: str) -> bool:
    return any(os.path.abspath(path) == root for path in _named(request))


def _describes_units(files: Mapping[str, str]) -> bool:
    return any(
        path.rpartition("/")[2] in _DESCRIBING or any(group in text for group in _OPERATORS)
        for path, text in files.items()
    )


def _rendered(request: ValidateRequest, selection: Selection, log: Log) -> RenderResult | None:
    units = selection.units
    if units is None:
        return None
    from gitops_ci.flows.validate.rendering import read_units, render_units
    from gitops_ci.rendering.programs import ProgramSettings

    if request.render == "none":
        return read_units(units, selection.listed)
    settings = ProgramSettings(request.limits, allow_remote=request.allow_remote, checkout=units.checkout.root)
    return render_units(units, selection.files, selection.wanted, settings, request.substitute, log)


def _raw(
    chosen: set[str], files: Mapping[str, str], result: RenderResult | None, request: ValidateRequest
) -> list[tuple[str, str]]:
    readable = chosen & files.keys()
    left = sorted(readable - result.covered - result.parts.keys() if result else readable)
    has_variables = bool(request.substitute) or bool(result and result.has_variables)
    if not has_variables:
        return [(path, files[path]) for path in left]
    from gitops_ci.rendering.substitute import substitute

    return [(path, substitute(files[path], request.substitute)) for path in left]


def _broken(
    request: ValidateRequest,
    selection: Selection,
    rendered: Sequence[Rendered],
    files: Mapping[str, str],
    lying: Sequence[tuple[str, str]],
    log: Log,
) -> list[Finding]:
    """What the change breaks that the head alone does not show. Of several jobs the first looks."""
    is_first = request.shard is None or request.shard.index == 1
    if not request.changed_since or request.render == "none" or not is_first:
        return []
    from gitops_ci.flows.validate.change import RULES, ChangeCheck, change_findings
    from gitops_ci.flows.validate.units import Checkout
    from gitops_ci.rendering.programs import ProgramSettings

    root = repository_root()
    if root is None or not any(map(request.checks.wants, RULES)):
        return []
    units = selection.units
    paths = tuple(_named(request))
    settings = ProgramSettings(request.limits, allow_remote=request.allow_remote, checkout=root.path)
    checkout = units.checkout if units else Checkout(root.path, files)
    repository = units.deployment.repository if units else None
    return change_findings(
        ChangeCheck(request.changed_since, paths, checkout, repository, settings, rendered, lying), log
    )


def _unread_values(request: ValidateRequest, selection: Selection, files: Mapping[str, str]) -> list[Finding]:
    units = selection.units
    if units is None or not request.checks.wants("gitops/values"):
        return []
    from gitops_ci.flows.validate.values import unread_values

    return unread_values(units, selection.wanted, selection.files, files)


def _skips(report: Report, result: RenderResult | None, unread: Sequence[Skip], chosen: set[str]) -> tuple[Skip, ...]:
    everything = {*report.skipped, *unread}
    if result:
        everything |= set(result.skipped)
        for path, owner in result.parts.items():
            if path in chosen:
                everything.add(Skip(path, 0, f"a part of {owner}, not a manifest of its own", expected=True))
    return tuple(sorted(everything, key=lambda skip: (skip.path, skip.line, skip.reason)))


def _nothing(request: ValidateRequest, skipped: Sequence[Skip], left: int) -> NothingMatched:
    where = ", ".join(request.paths)
    if skipped:
        first = next((skip for skip in skipped if not skip.expected), skipped[0])
        where_first = location(first.path, first.line)
        hint = f"{len(skipped)} skipped, the first is {where_first}: {first.reason}. {first.hint}".strip()
    elif left:
        hint = f"{count(left, 'document')} without a schema: give --schema-location, or --allow-empty."
    else:
        hint = "No .yaml, .yml or .json file is there. Name the folder with the manifests, or give --allow-empty."
    return NothingMatched(f"No manifest to validate in {where}", hint=hint)
