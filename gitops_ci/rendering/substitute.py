"""Variables that Flux fills in after the build: `${NAME}`, `${NAME:-default}`, `${NAME:=default}`.

Source: fluxcd.io, Kustomization API, post-build variable substitution (drone/envsubst). An unknown variable stays, so
that what is wrong with it shows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

__all__ = ["substitute"]

_VARIABLE = re.compile(r"\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::?[-=](?P<default>(?:[^}$]|\$(?!\{))*))?\}")


def substitute(text: str, values: Mapping[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        default = match["default"]
        return values.get(match["name"], match[0] if default is None else default)

    return _VARIABLE.sub(value, text) if "${" in text else text
