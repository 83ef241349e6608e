"""`--fix`: write the repairs that have only one possible form into the files."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from gitops_ci.errors import UsageError
from gitops_ci.model import FileChange, Finding
from gitops_ci.validation import Checks, Surroundings, check
from gitops_ci.validation.repairs import repaired

__all__ = ["fixes", "write_fixes"]

_ROUNDS = 5  # some rules apply only once all types are right


def fixes(findings: Iterable[Finding], checks: Checks) -> list[FileChange]:
    """The repaired files, of those that have findings. A repair that brings another error is none."""
    by_path: dict[str, list[Finding]] = {}
    for finding in findings:
        by_path.setdefault(finding.path, []).append(finding)
    made = []
    for path, own in sorted(by_path.items()):
        before = _text(path)
        if before is not None and (after := _repaired(path, before, own, checks)) != before:
            made.append(FileChange(path, before, after))
    return made


def write_fixes(files: Iterable[FileChange]) -> None:
    """Write files.

    Raises:
        UsageError: one cannot be written.
    """
    for file in files:
        beside = f"{file.path}.{os.getpid()}.tmp"
        try:
            mode = os.stat(file.path).st_mode
            with open(beside, "x", encoding="utf-8", newline="") as opened:
                opened.write(file.after)
            os.chmod(beside, mode & 0o777)
            os.replace(beside, file.path)
        except OSError as error:
            raise UsageError(
                f"{file.path} cannot be written: {error.strerror}", hint="Check the file's permissions."
            ) from error


def _text(path: str) -> str | None:
    """The text of a regular file in UTF-8; None for links and read-only files, which are not written."""
    if os.path.islink(path) or not os.path.isfile(path) or not os.stat(path).st_mode & 0o222:
        return None
    with open(path, "rb") as file:
        data = file.read()
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _repaired(path: str, before: str, findings: Sequence[Finding], checks: Checks) -> str:
    """Repair the findings of the file first, then those that appear after that."""
    text = repaired(before, findings)
    for _ in range(_ROUNDS):
        if text == before:
            break
        after = repaired(text, _errors(path, text, checks))
        if after == text:
            break
        text = after
    return text if not _brings(path, before, text, checks) else before


def _errors(path: str, text: str, checks: Checks) -> list[Finding]:
    report = check([(path, text)], checks, Surroundings(is_whole=False))
    return [finding for finding in report.findings if finding.severity == "error"]


def _brings(path: str, before: str, after: str, checks: Checks) -> bool:
    """Whether a file is refused for something structural that it was not refused for."""
    old, new = ({_key(one) for one in _errors(path, text, checks)} for text in (before, after))
    return any(rule.startswith(("yaml/", "schema/")) for rule, _, _ in new - old)


def _key(finding: Finding) -> tuple[str, str, str]:
    return finding.rule, finding.resource, finding.field
