"""The texts of `starters/`, filled.

A line `#if a b` keeps what follows, up to `#end`, where all of the words hold. What stands between `#for app` and
`#done` is written once for each application. `@NAME@` stands for a value. Values were checked before: none can change
the meaning of YAML or of a shell line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from importlib import resources

from gitops_ci.flows.init.applications import Application

__all__ = ["filled"]

Holds = Callable[[Application], Collection[str]]
Values = Callable[[Application], Mapping[str, str]]


def filled(name: str, applications: tuple[Application, ...], holds: Holds, values: Values) -> str:
    """A starter's text for the applications; outside of `#for app` the first of them is meant."""
    text = resources.files("gitops_ci.flows.init").joinpath("starters", name).read_text(encoding="utf-8")
    parts = re.split(r"(?m)^#for app\n(.*?)^#done\n", text, flags=re.DOTALL)
    return "".join(
        _filled(part, holds(application), values(application))
        for number, part in enumerate(parts)
        for application in (applications if number % 2 else applications[:1])
    )


def _filled(text: str, holds: Collection[str], values: Mapping[str, str]) -> str:
    lines = []
    keep = True
    for line in text.splitlines():
        if line.startswith("#if "):
            keep = all(word in holds for word in line.split()[1:])
        elif line == "#end":
            keep = True
        elif keep:
            lines.append(f"{line}\n")
    return re.sub(r"@([A-Z_]+)@", lambda match: values[match[1]], "".join(lines))
