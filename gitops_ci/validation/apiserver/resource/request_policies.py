"""How much of a device's capacity one request may take: the requestPolicy of a ResourceSlice.

Source: validateRequestPolicy in k8s.io/kubernetes pkg/apis/resource/validation/validation.go.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal

from gitops_ci.validation import gates
from gitops_ci.validation.apimachinery.field import Field
from gitops_ci.validation.apimachinery.scalars import quantity

__all__ = ["request_policy"]

_MOST_VALUES = 10
_LARGEST = (1 << 63) - 1


def request_policy(capacity: Field) -> None:
    """`capacity` has a requestPolicy; what it offers in all is its value."""
    policy = capacity.at("requestPolicy")
    whole = quantity(capacity.get("value")) or Decimal(0)
    limits = [
        key for key in ("validValues", "validRange") if policy.count(key) or (key == "validRange" and policy.has(key))
    ]
    if len(limits) > 1:
        policy.bad("device", "may have only one of 'validValues' and 'validRange'")
    elif limits and not policy.has("default"):
        policy.missing("device", "default", f"'default' is required with '{limits[0]}'")
    elif limits == ["validValues"]:
        _values(policy, _amount(policy, "default"), whole)
    elif limits:
        _range(policy.at("validRange"), _amount(policy, "default"), whole)


def _amount(place: Field, key: str) -> Decimal:
    return quantity(place.get(key)) or Decimal(0)


def _values(policy: Field, default: Decimal, whole: Decimal) -> None:
    values = [quantity(value) or Decimal(0) for value in policy.get("validValues")]
    place = policy.at("validValues")
    if len(values) > _MOST_VALUES:
        place.bad("device", f"must have no more than {_MOST_VALUES} values")
    if values != sorted(values):
        place.bad("device", "must be sorted, the smallest first")
    if len({_whole(value) for value in values}) < len(values):
        place.bad("duplicate", "a value is given twice")
    if max(values) > whole:
        place.bad("device", "has a value that is more than the capacity")
    if default not in values:
        policy.at("default").bad("device", f"'{policy.get('default')}' is none of the valid values")


def _range(limits: Field, default: Decimal, whole: Decimal) -> None:
    if not limits.has("min"):
        limits.missing("device", "min")
        return
    least = _amount(limits, "min")
    most = _amount(limits, "max") if limits.has("max") else None
    if default < least or (most is not None and default > most):
        limits.bad("device", "the default is not between min and max")
    if least > whole or (most is not None and not least <= most <= whole):
        limits.bad("device", "min and max must be in order, and no more than the capacity")
    if limits.has("step"):
        _step(limits, least, [value for value in (default, most) if value is not None], whole)


def _step(limits: Field, least: Decimal, values: list[Decimal], whole: Decimal) -> None:
    step = _amount(limits, "step")
    bounded = limits.on(gates.BOUNDED_STEPS)
    if bounded and step <= 0:
        limits.at("step").bad("device", "must be greater than zero")
        return
    if least + step > whole:
        limits.at("step").bad("device", "one step from min is more than the capacity")
    if bounded and not all(0 <= value <= _LARGEST for value in (least, step, *values)):
        limits.bad("device", "with a step, default, min, max and step must be from 0 to 2^63-1")
    elif not _whole(step) or any((_whole(value) - _whole(least)) % _whole(step) for value in values):
        limits.at("step").bad("device", "default and max must be a number of steps from min")


def _whole(value: Decimal) -> int:
    """As Quantity.Value: rounded up."""
    return int(value.to_integral_value(ROUND_CEILING))
