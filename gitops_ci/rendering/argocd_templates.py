"""Go templates of an ApplicationSet for helm: the functions that Argo CD adds become templates of a chart.

Source: argo-cd applicationset/utils/utils.go (3.1: SanitizeName, SlugifyName); github.com/gosimple/slug 1.15
(MakeLang), which gets only what SanitizeName leaves: lower case letters, digits, dots and dashes.
"""

from __future__ import annotations

import re

__all__ = ["CHART_TEMPLATE", "for_helm"]

CHART_TEMPLATE = """{{- define "normalize" -}}
{{- regexReplaceAll "[^-a-z0-9.]" (. | toString | lower) "-" | trunc 253 | trimAll "-." -}}
{{- end -}}
{{- define "slugify" -}}
{{- $most := 50 -}}{{- $whole := true -}}{{- $slug := include "normalize" (last .) -}}
{{- if gt (len .) 1 -}}{{- $most = int (index . 0) -}}{{- end -}}
{{- if gt (len .) 2 -}}{{- $whole = index . 1 -}}{{- end -}}
{{- if and (not $whole) (ge (len $slug) $most) -}}{{- $slug = trunc $most $slug -}}{{- end -}}
{{- $slug = regexReplaceAll "-+" (regexReplaceAll "[^-a-z0-9]" $slug "-") "-" | trimAll "-" -}}
{{- if and $whole (gt $most 0) (gt (len $slug) $most) -}}
{{- $words := regexFind "^.*-" (trunc (int (add $most 1)) $slug) | trimSuffix "-" -}}
{{- $slug = ternary $words (trunc $most $slug) (ne $words "") -}}
{{- end -}}
{{- $slug -}}
{{- end -}}
texts:
{{- range $set := .Values.sets }}
{{- $late := dict }}
{{- range $key, $text := $set.late }}
{{- $late = set $late $key (tpl $text $set.values) }}
{{- end }}
{{- if $late }}
{{- $_ := set $set.values "values" (merge $late $set.values.values) }}
{{- end }}
{{- range $text := $set.texts }}
- {{ tpl $text $set.values | toJson }}
{{- end }}
{{- end }}
"""
_ACTION = re.compile(r"\{\{(?:[^{}]|\{(?!\{)|\}(?!\}))*\}\}")
# What a function's name is not part of: texts, comments, and the names of fields, variables and templates.
_TOKEN = re.compile(r"\"(?:\\.|[^\"\\])*\"|`[^`]*`|/\*.*?\*/|[.$]?[\w.]+|-?\}\}|.", re.DOTALL)


def for_helm(text: str) -> str:
    """A template with the functions that helm has not written as templates that it has."""
    return _ACTION.sub(lambda one: _rewritten(one[0]), text)


def _rewritten(action: str) -> str:
    tokens = _TOKEN.findall(action)
    # From the end, so that what a call contains is written before it.
    for at in range(len(tokens) - 1, -1, -1):
        if tokens[at] == "normalize":
            tokens[at] = 'include "normalize"'
        elif tokens[at] == "slugify":
            # Its arguments are any number, one of them through a pipe: they become one list.
            tokens[at] = "list"
            tokens.insert(_end_of_command(tokens, at), ' | include "slugify" ')
    return "".join(tokens)


def _end_of_command(tokens: list[str], at: int) -> int:
    """Where the command ends that has a token: before a pipe, a closing bracket, or the end of the action."""
    depth = 0
    for number in range(at + 1, len(tokens)):
        word = tokens[number]
        if word == "(":
            depth += 1
        elif depth and word == ")":
            depth -= 1
        elif not depth and (word in {"|", ")"} or word.endswith("}}") or word.startswith(" | include")):
            return number
    return len(tokens)
