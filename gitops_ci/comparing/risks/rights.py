"""Rights that grow: in RBAC, and of pods on their node."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gitops_ci.comparing.risks.base import Subject, containers, dig, pod_template
from gitops_ci.model.rendered import Risk

__all__ = ["wider_rights"]

_ROLES = {"Role", "ClusterRole"}
_BINDINGS = {"RoleBinding", "ClusterRoleBinding"}
_RULE = ("apiGroups", "resources", "resourceNames", "nonResourceURLs", "verbs")
_HOST = ("hostNetwork", "hostPID", "hostIPC")


def wider_rights(subject: Subject) -> Iterator[Risk]:
    if subject.after is None:
        return
    reasons = [*_rbac(subject), *_account(subject), *_pods(subject)]
    yield from (Risk("wider-rights", why) for why in dict.fromkeys(reasons))


def _rbac(subject: Subject) -> Iterator[str]:
    if subject.group != "rbac.authorization.k8s.io":
        return
    if subject.kind in _ROLES:
        gained = _grants(subject.after) - _grants(subject.before)
        if gained:
            wide = any("*" in one for one in gained)
            yield f"gains {_told(gained)}" + (" (* is everything)" if wide else "")
    if subject.kind in _BINDINGS:
        before, after = _subjects(subject.before), _subjects(subject.after)
        if new := sorted(after - before):
            role = dig(dict(subject.after or {}), "roleRef", "name")
            yield f"gives {role} to {', '.join(new[:3])}{' and others' if len(new) > 3 else ''}"


def _grants(value: Mapping[str, Any] | None) -> set[tuple[str, str, str]]:
    """(group, resource, verb) of all rules; names of objects narrow a resource."""
    found: set[tuple[str, str, str]] = set()
    rules = dig(dict(value or {}), "rules")
    for rule in rules if isinstance(rules, list) else []:
        groups, resources, names, urls, verbs = (_texts(dig(rule, key)) for key in _RULE)
        narrowed = [f"{one}/{name}" for one in resources for name in names] if names else resources
        found |= {(group, one, verb) for group in groups or [""] for one in narrowed for verb in verbs}
        found |= {("", url, verb) for url in urls for verb in verbs}
    return found


def _told(gained: set[tuple[str, str, str]]) -> str:
    listed = [f"{verb} {one}{f'.{group}' if group else ''}" for group, one, verb in sorted(gained, key=_most_first)]
    return ", ".join(listed[:3]) + (f" and {len(listed) - 3} more" if len(listed) > 3 else "")


def _most_first(grant: tuple[str, str, str]) -> tuple[bool, tuple[str, str, str]]:
    return "*" not in grant, grant


def _subjects(value: Mapping[str, Any] | None) -> set[str]:
    found = dig(dict(value or {}), "subjects")
    return {
        f"{one.get('kind', '')} {one.get('namespace', '')}/{one.get('name', '')}".replace(" /", " ")
        for one in (found if isinstance(found, list) else [])
        if isinstance(one, dict)
    }


def _texts(value: Any) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else []


def _account(subject: Subject) -> Iterator[str]:
    for one in subject.paths:
        if one.path.endswith("automountServiceAccountToken") and one.new is True and one.old is False:
            yield "mounts the token of its service account"


def _pods(subject: Subject) -> Iterator[str]:
    before, after = _privileges(subject.kind, subject.before), _privileges(subject.kind, subject.after)
    yield from (why for why in after if why not in before)


def _privileges(kind: str, value: Mapping[str, Any] | None) -> list[str]:
    spec = dig(pod_template(kind, value), "spec")
    found = [f"pods use {name}" for name in _HOST if dig(spec, name) is True]
    volumes = dig(spec, "volumes")
    paths = (dig(one, "hostPath", "path") for one in (volumes if isinstance(volumes, list) else []))
    found += [f"pods mount {path} of the node" for path in paths if path]
    for name, one in containers(kind, value):
        context = one.get("securityContext")
        if dig(context, "privileged") is True:
            found.append(f"{name} is privileged")
        if dig(context, "allowPrivilegeEscalation") is True:
            found.append(f"{name} may escalate its privileges")
        if dig(context, "runAsUser") == 0 and not isinstance(dig(context, "runAsUser"), bool):
            found.append(f"{name} runs as root")
        found += [f"{name} gains the capability {added}" for added in _texts(dig(context, "capabilities", "add"))]
    return found
