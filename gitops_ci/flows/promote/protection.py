"""Whether a version that soaks in an environment is left alone: `soak: {for: 4h, protect: true}` of the next one."""

from __future__ import annotations

import time

from gitops_ci.configrepo import Snapshot
from gitops_ci.flows.bump.publication import PublishContext
from gitops_ci.flows.bump.search import own_file
from gitops_ci.flows.environments import protected_seconds
from gitops_ci.flows.history.reader import read_past
from gitops_ci.flows.history.scopes import Layout, scopes
from gitops_ci.flows.history.timeline import Timeline
from gitops_ci.flows.promote.candidates import Selection, candidate_in
from gitops_ci.imageref import ImageRef
from gitops_ci.model import Gate, Plan
from gitops_ci.moments import age

__all__ = ["protected", "soaks"]


def protected(to: PublishContext, snapshot: Snapshot, plan: Plan) -> Gate | None:
    """The gate of a change to an environment in which the present version of an image still soaks."""
    own = own_file(snapshot, to.repo)
    layout = {**to.search.read_environments(*own), **to.search.environments}
    seconds = protected_seconds(to.environment.name, layout.values())
    if not seconds:
        return None
    now = int(time.time())
    rules = (*to.search.rules, *to.search.read_rules(*own))
    scope = scopes(Layout(to.usual, snapshot, layout, rules), (to.environment.name,))[0]
    timeline = read_past(to.repo, (scope,), now - 2 * seconds, to.log).environments[scope.name].timeline
    images = dict.fromkeys(change.image.with_version(tag=None, digest=None) for change in plan.changes)
    gates = (soaks(timeline, image, seconds, now) for image in images)
    return next((gate for gate in gates if gate is not None), None)


def soaks(timeline: Timeline, image: ImageRef, seconds: int, now: int) -> Gate | None:
    """The gate that the present version keeps shut; None where it has stayed for long enough."""
    if not timeline.counts(image.name):
        return None
    one = candidate_in(timeline, image.name, Selection(), now)
    if one is None or one.stayed(now) >= seconds:
        return None
    reason = f"{one.version} soaks here for {age(seconds)}"
    opens = one.since + seconds if one.since is not None else None
    return Gate(timeline.environment, (image.familiar,), "soak", "waiting", reason, opens)
