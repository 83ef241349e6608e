"""Findings that people have looked at and accepted: by a comment on the line, an annotation, or the configuration.

- `# gitops-ci: ignore` or `# gitops-ci: ignore=api/cron,repo/*` on the line of the finding, or alone on the line above;
  a space does for the `=`, and what follows the rules is a reason
- `# gitops-ci: ignore-file=...` anywhere in the file
- the annotation `gitops-ci/ignore: "repo/*, api/cron"` on the object
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

from gitops_ci.model import Finding
from gitops_ci.validation.report import Suppression

__all__ = ["ANNOTATION", "Suppressions"]

ANNOTATION = "gitops-ci/ignore"
_GLOBS = r"[\w/*.\-]+(?:[ \t]*,[ \t]*[\w/*.\-]+)*"
# Compiled where a file has such a comment: few have.
_COMMENT = (
    r"(?P<alone>^[ \t]*)?#[ \t]*gitops-ci:[ \t]*ignore(?P<file>-file)?"
    rf"(?:=(?P<rules>{_GLOBS})|[ \t]+(?=[\w*.\-]+/)(?P<spaced>{_GLOBS}))?"
)


class _Comments:
    """Globs of rules that a file's comments name: for all of it, and by line."""

    def __init__(self) -> None:
        self.everywhere: list[str] = []
        self.lines: dict[int, list[str]] = {}


class Suppressions:
    """Tells which findings are hidden. `texts` are the files that findings may point at."""

    def __init__(self, suppressions: Sequence[Suppression], texts: Mapping[str, str]) -> None:
        self._suppressions = suppressions
        self._texts = texts
        self._comments: dict[str, _Comments] = {}

    def match(self, finding: Finding, annotation: str = "") -> bool:
        comments = self._comments.get(finding.path)
        if comments is None:
            comments = self._comments[finding.path] = _read(self._texts.get(finding.path, ""))
        globs = [*comments.everywhere, *comments.lines.get(finding.line, ())]
        if annotation:
            globs += _rules(annotation)
        return any(fnmatchcase(finding.rule, glob) for glob in globs) or any(
            one.covers(finding) for one in self._suppressions
        )


def _read(text: str) -> _Comments:
    comments = _Comments()
    if "gitops-ci:" not in text:
        return comments
    for match in re.finditer(_COMMENT, text, re.MULTILINE):
        rules = _rules(match["rules"] or match["spaced"])
        if match["file"]:
            comments.everywhere += rules
            continue
        line = text.count("\n", 0, match.start("file") if match["file"] else match.end()) + 1
        comments.lines.setdefault(line, []).extend(rules)
        if match["alone"] is not None:
            comments.lines.setdefault(line + 1, []).extend(rules)
    return comments


def _rules(text: str | None) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()] if text and text.strip() else ["*"]
