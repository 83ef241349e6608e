"""ApplicationSets: the Applications that they make, which are units of their own.

Go templates are evaluated by helm, whose `tpl` has the functions that Argo CD gives them (sprig). Source:
argo-cd.readthedocs.io/en/stable/operator-manual/applicationset; argo-cd applicationset/utils/utils.go (3.1).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gitops_ci.dataclass import dataclass
from gitops_ci.rendering.argocd_generators import LateText, ParameterSet, Refused, Undecided, parameter_sets, replaced
from gitops_ci.rendering.argocd_template_patch import PatchError, patched
from gitops_ci.rendering.argocd_templates import CHART_TEMPLATE, for_helm
from gitops_ci.rendering.deployment import Closure, DeploymentUnit, Output, Recipe, Repository, Step
from gitops_ci.rendering.documents import Document, dig, load_any, text_of
from gitops_ci.rendering.helm_command import OWN_FOLDER, merged
from gitops_ci.yamltext import YamlError

__all__ = ["closure", "describe", "recipe"]

_CHART = f"{OWN_FOLDER}/templates-of-texts"


def describe(files: Sequence[str], documents: Sequence[Document], repository: Repository) -> Iterable[DeploymentUnit]:
    """Each ApplicationSet."""
    del files, repository
    for one in documents:
        if one.kind == "ApplicationSet" and one.group == "argoproj.io":
            name = f"{one.namespace}/{one.name}" if one.namespace else one.name
            yield DeploymentUnit(f"applicationset:{name}", "applicationset", one.path, one.line, "", "", one.value)


def closure(unit: DeploymentUnit, repository: Repository) -> Closure:
    """The files that its generators read."""
    made, spec = Closure(), unit.value.get("spec")
    try:
        sets = parameter_sets(spec, repository, made.parts)
        if dig(spec, "goTemplate") is not True:
            _replaced(unit, sets)
    except Undecided as reason:
        made.skip = str(reason)
        made.remedy = "The Applications that it makes are not checked."
    except Refused as reason:
        made.error = str(reason)
    made.files |= made.parts
    return made


def recipe(unit: DeploymentUnit, closure: Closure, repository: Repository) -> Recipe:
    """Fill each set of parameters into the template."""
    spec = unit.value.get("spec")
    sets = parameter_sets(spec, repository, set())
    namespace = text_of(dig(unit.value, "metadata", "namespace"))
    if dig(spec, "goTemplate") is not True:
        return Recipe(frozenset(closure.files), text=" ", finish=_Applications(_replaced(unit, sets), namespace))
    templates = [_whole_template(unit, one.template) for one in sets]
    values = {
        "sets": [
            {
                "values": one.values,
                "late": _late_texts(one.values),
                "texts": [for_helm(text) for text in _texts(template)],
            }
            for template, one in zip(templates, sets, strict=True)
        ]
    }
    written = {
        f"{_CHART}/Chart.yaml": "apiVersion: v2\nname: texts\nversion: 1.0.0\n",
        f"{_CHART}/templates/texts.yaml": CHART_TEMPLATE,
        f"{_CHART}/values.yaml": json.dumps(values),
    }
    step = Step("helm", ("template", "--", "texts", f"./{_CHART}"))
    return Recipe(frozenset(closure.files), written=written, steps=(step,), finish=_FromHelm(templates, namespace))


def _late_texts(values: Mapping[str, Any]) -> dict[str, str]:
    """What a generator's `values` have to be evaluated to first."""
    own = values.get("values")
    texts = own.items() if isinstance(own, dict) else ()
    return {key: for_helm(text) for key, text in texts if isinstance(text, LateText)}


def _whole_template(unit: DeploymentUnit, own: Mapping[str, Any]) -> dict[str, Any]:
    """The template, with what a generator lays over it, and the patch that comes last."""
    spec = unit.value.get("spec")
    template = dig(spec, "template")
    made = merged([template if isinstance(template, dict) else {}, dict(own)])
    patch = text_of(dig(spec, "templatePatch"))
    return {"template": made} | ({"patch": patch} if patch else {})


def _texts(value: Any) -> list[str]:
    """Every text and key that is a template, in a fixed order."""
    if isinstance(value, dict):
        return [text for key, one in value.items() for text in (*_texts(key), *_texts(one))]
    if isinstance(value, list):
        return [text for one in value for text in _texts(one)]
    return [value] if isinstance(value, str) and "{{" in value else []


def _with_texts(value: Any, texts: Iterable[str]) -> Any:
    """A template with its texts, in the order of `_texts`, replaced."""
    left = iter(texts)

    def one(inner: Any) -> Any:
        if isinstance(inner, dict):
            return {one(key): one(item) for key, item in inner.items()}
        if isinstance(inner, list):
            return [one(item) for item in inner]
        return next(left) if isinstance(inner, str) and "{{" in inner else inner

    return one(value)


def _replaced(unit: DeploymentUnit, sets: Sequence[ParameterSet]) -> list[Any]:
    """The template of each set with its parameters. Raises Refused."""
    made = []
    for one in sets:
        template = _whole_template(unit, one.template)
        made.append(_with_texts(template, [replaced(text, one.values) for text in _texts(template)]))
    return made


@dataclass(frozen=True, slots=True)
class _FromHelm:
    templates: list[dict[str, Any]]
    namespace: str

    def __call__(self, text: str) -> Output:
        printed = iter(json.loads(line[2:]) for line in text.splitlines() if line.startswith('- "'))
        filled = [_with_texts(one, [next(printed, "") for _ in _texts(one)]) for one in self.templates]
        return _Applications(filled, self.namespace)("")


@dataclass(frozen=True, slots=True)
class _Applications:
    filled: list[Any]
    namespace: str

    def __call__(self, text: str) -> Output:
        del text
        made, errors = [], []
        names: set[str] = set()
        for one in self.filled:
            application, error = self._application(one)
            name = text_of(dig(application, "metadata", "name"))
            if error:
                errors.append(error)
            if name in names:
                errors.append(f"it makes two Applications of the name '{name}'")
            names.add(name)
            made.append(json.dumps(application, indent=1))
        return Output("\n---\n".join(made) + "\n" if made else "", errors=tuple(dict.fromkeys(errors)))

    def _application(self, filled: Any) -> tuple[dict[str, Any], str]:
        template, error = filled["template"], ""
        if patch := text_of(filled.get("patch")):
            try:
                over = load_any(patch)
            except YamlError as broken:
                over, error = None, f"its templatePatch makes no YAML: {broken.reason}"
            if isinstance(over, dict):
                try:
                    template = patched(template, over)
                except PatchError as reason:
                    error = str(reason)
        metadata = template.get("metadata")
        namespace = {"namespace": self.namespace} if self.namespace else {}
        return {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Application",
            "metadata": {**(metadata if isinstance(metadata, dict) else {}), **namespace},
            "spec": template.get("spec") or {},
        }, error
