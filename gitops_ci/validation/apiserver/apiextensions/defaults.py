"""Defaults in the schema of a CustomResourceDefinition: each fits its own schema.

Source: k8s.io/apiextensions-apiserver pkg/apiserver/schema/defaulting/validation.go. A default inside of
additionalProperties is not looked at, and lists in it may repeat themselves.
"""

from __future__ import annotations

from typing import Any

from gitops_ci.validation.violation import UNCHECKED, Violation, show_path

__all__ = ["default_errors"]


def default_errors(value: Any, schema: dict[str, Any], minor: int, *, whole: bool) -> list[str]:
    """Why a default does not fit. `whole` is False inside of metadata, where nothing is unknown."""
    from gitops_ci.validation.cel.schema_rules import rules_of
    from gitops_ci.validation.custom_resources.schema_values import compile_schema
    from gitops_ci.validation.custom_resources.structural_schema import Structural

    problems: list[Violation] = []
    if whole:
        Structural(schema, f"1.{minor}").examine_part(value, problems)
        problems = [problem for problem in problems if problem.rule != "schema/duplicate"]
    compile_schema(schema, minor=minor)(value, None, problems)
    if not problems and (rules := rules_of(schema)):
        rules(value, None, problems)
    shown = [(show_path(problem.path), problem.message) for problem in problems if problem.rule != UNCHECKED]
    told = [f"{where}: {message}" if where else message for where, message in shown]
    return [f"the default does not fit the schema: {message}" for message in told]
