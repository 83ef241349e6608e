"""Identities of findings that outlive edits elsewhere in the file: hosts tell new findings from known ones by them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from hashlib import sha256

from gitops_ci.model import Finding

__all__ = ["fingerprinted"]


def fingerprinted(findings: Iterable[Finding]) -> Iterator[tuple[Finding, str]]:
    """Each finding with 64 hexadecimal digits made of rule, path, resource and message, not of its line.

    Findings that agree in all of these are told apart by their order.
    """
    seen: Counter[tuple[str, ...]] = Counter()
    for finding in findings:
        identity = (finding.rule, finding.path, finding.resource, finding.message)
        seen[identity] += 1
        told = "\0".join((*identity, str(seen[identity])))
        yield finding, sha256(told.encode(errors="backslashreplace")).hexdigest()
