"""Whether a place is edited: the shape of its version, its age, and who else reads the value."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from gitops_ci import tags
from gitops_ci.dataclass import dataclass
from gitops_ci.formats import chart_version, flux_policies, helm_chart, markers, pointer
from gitops_ci.formats.document import variables
from gitops_ci.formats.document.image_fields import APP_VERSION, FOLLOWED
from gitops_ci.formats.document.key_names import image_role_of
from gitops_ci.formats.kustomize import Reach
from gitops_ci.imageref import ImageRef
from gitops_ci.model import Anchor, Edit, Field, ImageSite, Span
from gitops_ci.plan import pinning
from gitops_ci.plan.flavors import Flavor, flavor_of
from gitops_ci.plan.pinning import Refusal
from gitops_ci.plan.policy import Age, BumpPolicy, Twin
from gitops_ci.plan.replacements import SHARED
from gitops_ci.plan.targets import Targets

__all__ = ["Anchored", "Covered", "Decisions", "Downgrade"]

_V = re.compile(r"[vV]\d")


class Downgrade(Refusal):
    """The place holds a newer image: told apart, because a late build is not a broken file."""


class Covered(Refusal):
    """Nothing to do here and nothing to tell: another place of the same run sets the version."""


@dataclass(frozen=True, slots=True)
class Anchored(Refusal):
    """The value stands elsewhere, at `span`; where that is edited for its own sake, this place changes with it."""

    span: Span | None = None


class Decisions:
    """The answer for one place after the other, given all places of the run."""

    def __init__(
        self,
        policy: BumpPolicy,
        wanted: Targets,
        is_older: Age | None,
        has_twin: Twin | None,
        meant: Iterable[ImageSite],
        reach: Reach,
        completed: Collection[tuple[str, tuple[str, ...]]] = (),
    ) -> None:
        """`completed` are layers and keys of objects whose version a ConfigMap holds."""
        self._policy = policy
        self._wanted = wanted
        self._is_older = is_older
        self._has_twin = has_twin
        sites = [*meant]
        self._overrides = [site for site in sites if site.format == "kustomize"]
        self._reach = reach
        self._flavors = {(site.image.repository, flavor_of(site.image.tag)) for site in sites}
        self._layered = {(site.layers, site.keys) for site in sites if site.layers and site.image.tag} | {*completed}
        self._completed = {*completed}
        self._charts = {site.layers for site in sites if site.format == helm_chart.ID}

    def __call__(
        self, site: ImageSite, target: ImageRef, aliased: Mapping[Span, Sequence[ImageSite]]
    ) -> list[Edit] | Refusal:
        """The edits for `site`, none when it says so already; `aliased` are the sites that repeat a value."""
        if site.problem and self._is_set_here(site):
            return Covered("", "")
        if site.problem:
            asked = site.format in {markers.ID, pointer.ID}
            return Refusal(f"names {site.image.familiar}, but {site.problem}", _hint(site), failed=asked)
        if left := self._left_to_others(site):
            return left
        if other := self._another_flavor(site.image, target):
            return other
        version = pinning.version(site, target, self._policy.pin)
        if isinstance(version, Refusal):
            return version
        if (rule := self._goes_back(site.image, target, version)) is not None:
            new, old = target.tag or target.digest, site.image.tag or site.image.digest
            reason = f"refusing to downgrade {site.image.familiar} from {old} to {new}{rule}"
            return Downgrade(reason, "Use --allow-downgrade to force it.")
        edits = pinning.edits(site, self._with_v(site, target, version))
        if isinstance(edits, Refusal) or self._policy.follow_anchors:
            return edits
        spans = {edit.span for edit in edits}
        changed = [field for field in site.fields if field.span in spans]
        return _behind_anchor(changed) or self._shared(changed, target, aliased) or edits

    def _with_v(self, site: ImageSite, target: ImageRef, version: pinning.Version) -> pinning.Version:
        """The version with the `v` that the place writes, where the registry has the image under that tag, too."""
        now, tag = site.image.tag, version.tag
        if not (tag and tag[0].isdigit() and self._has_twin and site.format != chart_version.ID):
            return version
        if not now or not _V.match(now) or not self._has_twin(target, f"{now[0]}{tag}"):
            return version
        return pinning.Version(f"{now[0]}{tag}", version.digest)

    def _is_set_here(self, site: ImageSite) -> bool:
        """Whether what sets the variable of a site is a place of the same run."""
        keys = (
            {site.variable, (*site.variable[:-1], (image_role_of(site.variable[-1]) or ("",))[0])}
            if site.variable
            else ()
        )
        return any((variables.layer(site.path), key) in self._completed for key in keys)

    def _left_to_others(self, site: ImageSite) -> Refusal | None:
        if site.image.tag or site.image.digest or self._policy.pin != "keep":
            return None
        chart = f"chart:{site.path.rpartition('/')[0] or '.'}"
        if site.default == APP_VERSION and (chart in self._charts or (site.layers, site.keys) in self._layered):
            return Covered("", "")
        if site.format != "kubernetes":
            return None
        path = next((path for path in self._kustomized(site) if self._reach.builds(path, site.path)), None)
        if path is None:
            return None
        return Refusal(f"names {site.image.familiar} without a version: `images` in {path} gives it", "")

    def _kustomized(self, site: ImageSite) -> Iterator[str]:
        return (override.path for override in self._overrides if override.image.name == site.image.name)

    def _another_flavor(self, now: ImageRef, target: ImageRef) -> Refusal | None:
        """A flavor is a thing of its own: `3.12-alpine` is no older `3.13-slim`.

        A bare version may get a flavor, unless both are there: a bump of `3.13-slim` is for the `3.12-slim` then.
        """
        old, new = flavor_of(now.tag), flavor_of(target.tag)
        if old is None or new is None or old == new:
            return None
        mixed = self._wanted.has_flavors(target) or (target.repository, new) in self._flavors
        if (old == Flavor() and not mixed) or (self._policy.any_flavour and not self._wanted.has_flavors(target)):
            return None
        reason = f"names {now.familiar}:{now.tag}, another flavor or component than {target.tag}"
        return Refusal(reason, "Give the image with that flavor, too. `--any-flavour` writes this one.")

    def _goes_back(self, now: ImageRef, target: ImageRef, version: pinning.Version) -> str | None:
        """Why an older image would replace a newer one: '' by the versions alone, None if it would not."""
        if self._policy.allow_downgrade or (now.tag, now.digest) == (version.tag, version.digest):
            return None
        older = tags.older(target.tag, now.tag) if target.tag and now.tag else None
        if older is not None:
            return "" if older else None
        found = self._is_older(target, now) if self._is_older and (now.tag or now.digest) else ""
        return f", older {found}" if found else None

    def _shared(
        self, changed: Sequence[Field], target: ImageRef, aliased: Mapping[Span, Sequence[ImageSite]]
    ) -> Refusal | None:
        """An anchored value that a place of another image repeats would change that image, too."""
        for field in changed:
            for other in aliased.get(field.span, ()):
                same = self._wanted.of(other.image)
                if not other.image.repository or (same and (same.tag, same.digest) == (target.tag, target.digest)):
                    continue
                anchor = next(found.anchor for found in other.fields if found.anchor and found.span == field.span)
                return Refusal(
                    f"the {field.role} has the anchor &{anchor.name}, which {other.image.familiar} repeats "
                    f"({_lines(anchor)}): it would change as well",
                    "`--follow-anchors` edits it for all of them; or bump both images to the same version.",
                )
        return None


def _behind_anchor(changed: Sequence[Field]) -> Anchored | None:
    for field in changed:
        if anchor := field.anchor:
            return Anchored(
                f"the {field.role} stands at the anchor &{anchor.name} on line {anchor.line}, used on {_lines(anchor)}",
                "`--follow-anchors` edits it there, for all of them.",
                span=field.span,
            )
    return None


def _lines(anchor: Anchor) -> str:
    shown = ", ".join(str(line) for line in anchor.users[:5])
    more = f" and {len(anchor.users) - 5} more" if len(anchor.users) > 5 else ""
    return f"line{'s' if len(anchor.users) > 1 else ''} {shown}{more}"


def _hint(site: ImageSite) -> str:
    if site.problem == FOLLOWED:
        return "Let only one of the two write the version: remove the image from the ImageUpdater, or do not bump it."
    if site.problem.startswith(flux_policies.MARKED):
        return "Write the name of the policy's image there: then it is bumped."
    if site.problem.endswith(SHARED):
        return "Give each image a key of its own, or point at the value with --at."
    if site.format in {markers.ID, pointer.ID}:
        return "Point at the value itself."
    if site.format == chart_version.ID and not site.variable:
        return "Write a whole version there to have it bumped: 1.4.2."
    if site.variable:
        return "Bump what sets the variable: mark its line, or give it with --at."
    if any(field.role == "name" for field in site.fields):
        return "Bump that one; `--match-name` takes the same path on any registry for the same image."
    return "Bump what fills it in."
