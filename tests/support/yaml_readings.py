"""What sigs.k8s.io/yaml, as the API server uses it, reads in small texts: recorded, one JSON object a line."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from tests.support import CHECKOUT

__all__ = ["Reading", "recorded_readings"]


@dataclass(frozen=True)
class Reading:
    """`value` is what the text becomes as JSON; `set_twice`: a strict reader refuses a key that is there twice."""

    name: str
    text: str
    value: Any = None
    refused: bool = False
    set_twice: bool = False


def recorded_readings() -> list[Reading]:
    lines = (CHECKOUT / "tests" / "data" / "yaml-readings.jsonl").read_text().splitlines()
    return [Reading(**json.loads(line)) for line in lines]
