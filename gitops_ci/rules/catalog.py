"""The ids of all rules: what a shell offers, and what a glob of `--rules` is checked against.

A table, since a rule is known only where it is broken; a test reads the sources for what is missing here.
"""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

from gitops_ci.errors import UsageError
from gitops_ci.text import did_you_mean

__all__ = ["FAMILIES", "RULE_IDS", "check_globs"]

FAMILIES = ("api", "gitops", "repo", "schema", "yaml")

RULE_IDS = (
    "api/admission-policy",
    "api/affinity",
    "api/annotation",
    "api/api-service",
    "api/binding",
    "api/certificate",
    "api/config-key",
    "api/config-size",
    "api/container",
    "api/crd",
    "api/cron",
    "api/device",
    "api/dns",
    "api/duplicate",
    "api/endpoints",
    "api/env",
    "api/event",
    "api/flow-schema",
    "api/host-alias",
    "api/hpa",
    "api/image",
    "api/ingress",
    "api/job",
    "api/label",
    "api/lease",
    "api/limit-range",
    "api/metadata",
    "api/mount",
    "api/name",
    "api/namespace",
    "api/network",
    "api/network-policy",
    "api/node",
    "api/not-served",
    "api/pdb",
    "api/pod",
    "api/port",
    "api/priority",
    "api/priority-level",
    "api/probe",
    "api/quota",
    "api/rbac",
    "api/resources",
    "api/review",
    "api/revision",
    "api/rollout",
    "api/secret",
    "api/security-context",
    "api/selector",
    "api/service",
    "api/service-port",
    "api/spread",
    "api/storage",
    "api/toleration",
    "api/volume",
    "api/webhook",
    "api/workload",
    "gitops/argocd",
    "gitops/crd-differs",
    "gitops/cycle",
    "gitops/field",
    "gitops/fleet",
    "gitops/flux",
    "gitops/image-reference",
    "gitops/kustomization",
    "gitops/kustomize-build",
    "gitops/missing-path",
    "gitops/missing-source",
    "gitops/no-decryption",
    "gitops/not-deployed",
    "gitops/schema-location",
    "gitops/undefined-variable",
    "gitops/unit-build",
    "gitops/unknown-field",
    "gitops/values",
    "gitops/window",
    "repo/crd-in-use",
    "repo/deletes-data",
    "repo/duplicate-resource",
    "repo/image-not-found",
    "repo/immutable",
    "repo/missing-reference",
    "repo/mutable-tag",
    "repo/no-namespace",
    "repo/plain-secret",
    "repo/selects-nothing",
    "repo/server-side-apply",
    "repo/two-owners",
    "schema/base64",
    "schema/duplicate",
    "schema/integer-range",
    "schema/missing",
    "schema/quantity",
    "schema/required",
    "schema/rule",
    "schema/time",
    "schema/type",
    "schema/unknown-field",
    "schema/value",
    "yaml/duplicate-key",
    "yaml/not-an-object",
    "yaml/syntax",
)


def check_globs(globs: Iterable[str]) -> None:
    """See that each glob means some rule: one with a mistake in it would switch nothing on or off, in silence.

    Raises:
        UsageError: a glob fits no rule.
    """
    for glob in globs:
        if glob == "*" or any(fnmatchcase(rule, glob) for rule in RULE_IDS):
            continue
        if glob.rstrip("/*") in FAMILIES:
            raise UsageError(
                f"There is no rule '{glob}'", hint=f"Write {glob.rstrip('/*')}/* for all rules of this family."
            )
        meant = did_you_mean(glob, RULE_IDS)
        known = sorted(rule for rule in RULE_IDS if rule.startswith(glob.partition("/")[0] + "/"))
        listed = ", ".join(known) if known else f"{', '.join(f'{family}/*' for family in FAMILIES)}"
        raise UsageError(f"There is no rule '{glob}'.{meant and f' {meant}'}", hint=f"Known rules: {listed}.")
