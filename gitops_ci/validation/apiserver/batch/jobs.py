"""Jobs and CronJobs. Source: k8s.io/kubernetes pkg/apis/batch/validation/validation.go."""

from __future__ import annotations

import re
from collections.abc import Container
from itertools import pairwise

from gitops_ci.validation import gates
from gitops_ci.validation.apimachinery import formats
from gitops_ci.validation.apimachinery.field import Field
from gitops_ci.validation.apimachinery.labels import label_selector, matches
from gitops_ci.validation.apiserver.batch.cron import schedule, time_zone

__all__ = ["cron_job", "job"]

_INTERVAL = re.compile(r"([+]?[0-9]{1,18})(?:-([+]?[0-9]{1,18}))?")
_EXIT_ACTIONS = ("FailJob", "FailIndex", "Ignore", "Count")
_MOST_INDEXES = 100_000
_MOST_OF_MANY = 10_000


def job(document: Field) -> None:
    spec = document.at("spec")
    drops = spec.on(gates.DROPPED_FAIL_INDEX) and not spec.on(gates.BACKOFF_LIMIT_PER_INDEX)
    _job_spec(spec, ("FailIndex",) if drops else ())
    if spec.flag("manualSelector"):
        if not spec.has("selector"):
            spec.missing("selector", "selector", "'selector' is required when manualSelector is true")
        label_selector(spec.at("selector"))
        if spec.has("selector") and not matches(spec.at("selector"), spec.at("template", "metadata").mapping("labels")):
            spec.at("template", "metadata", "labels").bad(
                "selector", "the selector does not match the template's labels"
            )
    else:
        _generated(document, spec)
    _index_names(document, spec)


def _generated(document: Field, spec: Field) -> None:
    """The selector and its labels are made by the server (validateGeneratedSelector)."""
    if spec.at("selector").count("matchLabels") or spec.at("selector").count("matchExpressions"):
        spec.at("selector").bad("selector", "is generated; set manualSelector: true to give your own")
    name = document.at("metadata").text("name")
    for key, label in spec.at("template", "metadata").pairs("labels"):
        owner = key.removeprefix("batch.kubernetes.io/") if spec.on(gates.PREFIXED_JOB_LABELS) else key
        if owner == "controller-uid":
            label.bad_key("selector", f"the label {key} is generated: it holds the job's uid")
        elif owner == "job-name" and name and label.value != name:
            label.bad("selector", f"the label {key} is the name of the job, '{name}'")


def _index_names(document: Field, spec: Field) -> None:
    # The last pod of an indexed job is NAME-INDEX, which must be a host name.
    name = document.at("metadata").text("name")
    if name and spec.text("completionMode") == "Indexed" and _completions(spec) > 0:
        pod = f"{name}-{_completions(spec) - 1}"
        if why := formats.dns_label(pod):
            document.at("metadata", "name").bad("name", f"'{pod}', the name of its last pod, {why}")


def cron_job(document: Field) -> None:
    spec = document.at("spec")
    schedule(spec)
    time_zone(spec)
    for key in ("startingDeadlineSeconds", "successfulJobsHistoryLimit", "failedJobsHistoryLimit"):
        spec.at_least("job", key, 0)
    spec.one_of("job", "concurrencyPolicy", ("Allow", "Forbid", "Replace"))
    inner = spec.at("jobTemplate", "spec")
    _job_spec(inner)
    if inner.has("selector"):
        inner.at("selector").bad("selector", "may not be given: it is generated")
    if inner.flag("manualSelector"):
        inner.at("manualSelector").bad("selector", "may not be true in a CronJob")


def _job_spec(spec: Field, dropped: Container[str] = ()) -> None:
    """`dropped` are actions of rules that the server drops before it validates."""
    numbers = ("parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished")
    for key in (*numbers, "backoffLimitPerIndex", "maxFailedIndexes"):
        spec.at_least("job", key, 0)
    spec.one_of("job", "completionMode", ("NonIndexed", "Indexed"), pointer=True)
    spec.one_of("job", "podReplacementPolicy", ("TerminatingOrFailed", "Failed"), pointer=True)
    if spec.has("podFailurePolicy") and spec.text("podReplacementPolicy") == "TerminatingOrFailed":
        spec.at("podReplacementPolicy").bad("job", "must be Failed when there is a podFailurePolicy")
    if spec.has("managedBy"):
        name = spec.text("managedBy")
        if why := formats.domain_prefixed(name) or ("must be no more than 63 characters" if len(name) > 63 else None):
            spec.at("managedBy").bad("job", f"'{name}' {why}")
    _restart_policy(spec)
    _indexed(spec)
    _failure_policy(spec, dropped)
    _success_policy(spec)


def _restart_policy(spec: Field) -> None:
    pod = spec.at("template", "spec")
    policy = pod.text("restartPolicy")
    if policy in {"", "Always"}:
        place = pod.at("restartPolicy") if policy else pod
        place.bad("job", "restartPolicy OnFailure or Never is required in a Job")
    if spec.has("podFailurePolicy") and policy not in {"Never", "", "Always"}:
        pod.at("restartPolicy").bad("job", "must be Never when there is a podFailurePolicy")


def _indexed(spec: Field) -> None:
    if spec.text("completionMode") != "Indexed":
        for key in ("backoffLimitPerIndex", "maxFailedIndexes"):
            if spec.has(key):
                spec.at(key).bad("job", "needs completionMode: Indexed")
        return
    # With neither completions nor parallelism both are 1, by default.
    if not spec.has("completions") and spec.has("parallelism"):
        spec.missing("job", "completions", "'completions' is required when completionMode is Indexed")
    # Few at a time when there are many whose failures are counted one by one.
    many = spec.number("completions") > _MOST_INDEXES and spec.has("backoffLimitPerIndex")
    for key in ("parallelism", "maxFailedIndexes"):
        most = _MOST_OF_MANY if many else _MOST_INDEXES
        if spec.number(key) > most:
            spec.at(key).bad("job", f"must be no more than {most} with so many indexes")
    if not spec.has("maxFailedIndexes"):
        if many:
            said = f"'maxFailedIndexes' is required for more than {_MOST_INDEXES} completions"
            spec.missing("job", "maxFailedIndexes", said)
        return
    if not spec.has("backoffLimitPerIndex"):
        spec.missing("job", "backoffLimitPerIndex", "'backoffLimitPerIndex' is required with maxFailedIndexes")
    if spec.number("maxFailedIndexes") > _completions(spec):
        spec.at("maxFailedIndexes").bad("job", "must be no more than completions")


def _completions(spec: Field) -> int:
    return spec.number("completions") if spec.has("completions") else 1


def _failure_policy(spec: Field, dropped: Container[str]) -> None:
    policy = spec.at("podFailurePolicy")
    rules = [rule for rule in policy.each("rules") if rule.text("action") not in dropped]
    if len(rules) > 20:
        policy.at("rules").bad("job", "must have no more than 20 rules")
    pod = spec.at("template", "spec")
    names = {one.text("name") for group in ("containers", "initContainers") for one in pod.each(group)}
    for rule in rules:
        rule.one_of("job", "action", _EXIT_ACTIONS)
        if rule.text("action") == "FailIndex" and not spec.has("backoffLimitPerIndex"):
            rule.at("action").bad("job", "FailIndex needs backoffLimitPerIndex")
        codes, conditions = rule.has("onExitCodes"), rule.has("onPodConditions") and rule.count("onPodConditions") > 0
        if codes and rule.has("onPodConditions") and conditions:
            rule.bad("job", "onExitCodes and onPodConditions exclude each other")
        if not codes and not conditions:
            rule.bad("job", "needs one of onExitCodes and onPodConditions")
        if codes:
            _exit_codes(rule.at("onExitCodes"), names)
        if rule.count("onPodConditions") > 20:
            rule.at("onPodConditions").bad("job", "must have no more than 20 patterns")
        for pattern in rule.each("onPodConditions"):
            pattern.fits("job", "type", formats.qualified_name)
            pattern.one_of("job", "status", ("True", "False", "Unknown"))


def _exit_codes(codes: Field, names: set[str]) -> None:
    operator = codes.text("operator")
    codes.one_of("job", "operator", ("In", "NotIn"))
    name = codes.text("containerName")
    if codes.has("containerName") and name not in names:
        codes.at("containerName").bad("job", f"there is no container '{name}'")
    values = [int(value or 0) for value in codes.get("values") or ()]
    if len(values) > 255:
        codes.at("values").bad("job", "must have no more than 255 values")
    if any(after <= before for before, after in pairwise(values)):
        codes.at("values").bad("job", "must be in ascending order, each once")
    if operator == "In" and 0 in values:
        codes.at("values").bad("job", "must not contain 0 for the operator In")


def _success_policy(spec: Field) -> None:
    if not spec.has("successPolicy"):
        return
    policy = spec.at("successPolicy")
    if spec.text("completionMode") != "Indexed":
        policy.bad("job", "needs completionMode: Indexed")
    if policy.count("rules") > 20:
        policy.at("rules").bad("job", "must have no more than 20 rules")
    for rule in policy.each("rules"):
        if not rule.has("succeededCount") and not rule.has("succeededIndexes"):
            rule.bad("job", "needs at least one of succeededCount and succeededIndexes")
        rule.at_least("job", "succeededCount", 0)
        most = _completions(spec)
        if rule.has("succeededIndexes"):
            most = min(most, _indexes(rule, most))
        if rule.number("succeededCount") > most:
            rule.at("succeededCount").bad("job", f"must be no more than {most}")


def _indexes(rule: Field, completions: int) -> int:
    """How many indexes `succeededIndexes` names, all when it cannot be read (validateIndexesFormat)."""
    text = rule.text("succeededIndexes")
    place = rule.at("succeededIndexes")
    total, last = 0, -1
    for part in text.split(",") if text else ():
        matched = _INTERVAL.fullmatch(part)
        if not matched:
            place.bad("job", f"'{part}' is neither an index nor a range such as 1-3")
            return completions
        first, end = int(matched[1]), int(matched[2] or matched[1])
        if first <= last or end < first or (matched[2] and end <= first):
            place.bad("job", f"'{text}' must be in ascending order")
            return completions
        if end >= completions:
            place.bad("job", f"index {end} must be less than completions ({completions})")
            return completions
        total += end - first + 1
        last = end
    return total
