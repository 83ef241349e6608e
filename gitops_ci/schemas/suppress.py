"""Findings that people have looked at and accepted: by a comment on the line, an annotation, or the configuration.

- `# gitops-ci: ignore` or `# gitops-ci: ignore=api/cron,repo/*` on the line of the finding, or alone on the line above
- `# gitops-ci: ignore-file=...` anywhere in the file
- the annotation `gitops-ci/ignore: "repo/*, api/cron"` on the object
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fnmatch import fnmatchcase

from gitops_ci.model import Finding
from gitops_ci.schemas.report import Suppression

__all__ = ["ANNOTATION", "Suppressed"]

ANNOTATION = "gitops-ci/ignore"
_COMMENT = re.compile(
    r"(?P<alone>^[ \t]*)?#[ \t]*gitops-ci:[ \t]*ignore(?P<file>-file)?(?:=(?P<rules>[\w/*,.\- ]+))?", re.MULTILINE
)


class Suppressed:
    """Tells which findings are hidden, and counts them."""

    def __init__(self, suppressions: Sequence[Suppression]) -> None:
        self.count = 0
        self._suppressions = suppressions
        self._lines: dict[tuple[str, int], tuple[str, ...]] = {}
        self._files: dict[str, tuple[str, ...]] = {}
        self._objects: dict[tuple[str, str], tuple[str, ...]] = {}

    def read(self, path: str, text: str) -> None:
        """Take in the comments of a file."""
        if "gitops-ci:" not in text:
            return
        for match in _COMMENT.finditer(text):
            rules = _rules(match["rules"])
            if match["file"]:
                self._files[path] = (*self._files.get(path, ()), *rules)
                continue
            line = text.count("\n", 0, match.start("alone") if match["alone"] is not None else match.start()) + 1
            self._lines[path, line] = rules
            if match["alone"] is not None:
                self._lines[path, line + 1] = rules

    def annotate(self, path: str, resource: str, text: str) -> None:
        """Take in the annotation of an object."""
        self._objects[path, resource] = _rules(text)

    def hides(self, finding: Finding) -> bool:
        globs = (
            *self._lines.get((finding.path, finding.line), ()),
            *self._files.get(finding.path, ()),
            *self._objects.get((finding.path, finding.resource), ()),
        )
        hidden = any(fnmatchcase(finding.rule, glob) for glob in globs)
        hidden = hidden or any(one.covers(finding) for one in self._suppressions)
        self.count += hidden
        return hidden


def _rules(text: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip()) if text and text.strip() else ("*",)
