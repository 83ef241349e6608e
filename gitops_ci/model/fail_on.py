"""What ends a run with exit code 1, errors always among it."""

from __future__ import annotations

from fnmatch import fnmatchcase

from gitops_ci.dataclass import dataclass

__all__ = ["FAIL_ON_WORDS", "FailOn"]

# One list for all commands, since one variable serves all: a word without a meaning for a command has no effect there.
FAIL_ON_WORDS = ("error", "warning", "skipped", "held", "drift", "change")


@dataclass(frozen=True, slots=True)
class FailOn:
    """`words` are of FAIL_ON_WORDS, `rules` are globs: findings of these rules are errors."""

    words: frozenset[str] = frozenset()
    rules: tuple[str, ...] = ()

    def makes_error(self, rule: str) -> bool:
        return any(fnmatchcase(rule, glob) for glob in self.rules)
