"""Check the manifests of files and folders: the pre-merge check."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from gitops_ci.errors import FindingsError, GitopsCiError, NothingMatched, UsageError
from gitops_ci.model import Log, Outcome, Problem, Skip
from gitops_ci.schemas import Checks, check

__all__ = ["ValidateRequest", "validate"]

STDIN = "-"
_MANIFESTS = (".yaml", ".yml", ".json")
_NEVER = frozenset({"node_modules", "__pycache__", "venv"})


@dataclass(frozen=True, slots=True)
class ValidateRequest:
    """What to check. `paths` are files, folders or `-`; `stdin` reads what `-` stands for."""

    paths: tuple[str, ...] = (".",)
    checks: Checks = field(default_factory=Checks)
    allow_empty: bool = False
    stdin: Callable[[], bytes] = lambda: b""


@dataclass(frozen=True, slots=True)
class _Sources:
    files: tuple[tuple[str, str], ...]
    unread: tuple[Skip, ...]


def validate(request: ValidateRequest, log: Log) -> Outcome:
    """Check everything below the given paths; a broken file hides no other.

    Raises:
        UsageError: a path does not exist.
        NothingMatched: not one manifest was found, unless allowed.
    """
    sources = _read(request)
    report = check(sources.files, request.checks)
    skipped = tuple(sorted((*report.skipped, *sources.unread), key=lambda skip: (skip.path, skip.line, skip.reason)))
    summary = {**report.summary, "unreadable": len(sources.unread)}
    if not summary["documents"] and not sources.unread and not request.allow_empty:
        raise _nothing(request, skipped)
    log.step(f"{summary['documents']} documents in {summary['files']} files checked, {summary['invalid']} invalid")
    errors = sum(finding.severity == "error" for finding in report.findings)
    failure = _failure(errors, len(sources.unread))
    return Outcome(
        command="validate",
        status="failed" if failure else "unchanged",
        exit_code=failure.exit_code if failure else 0,
        findings=report.findings,
        skipped=skipped,
        summary=summary,
        error=Problem(failure.kind, failure.message, failure.hint, failure.exit_code) if failure else None,
    )


def _failure(errors: int, unread: int) -> GitopsCiError | None:
    if errors:
        return FindingsError(f"{errors} error{'s' if errors != 1 else ''} found", hint="Each names its file and line.")
    if unread:
        return FindingsError(f"{unread} file{'s' if unread != 1 else ''} could not be read", hint="See skipped.")
    return None


def _nothing(request: ValidateRequest, skipped: Sequence[Skip]) -> NothingMatched:
    where = ", ".join(request.paths)
    if skipped:
        first = skipped[0]
        hint = f"{len(skipped)} skipped, the first is {first.path}: {first.reason}. {first.hint}".strip()
    else:
        hint = "No .yaml, .yml or .json file is there. Name the folder with the manifests, or give --allow-empty."
    return NothingMatched(f"No manifest to validate in {where}", hint=hint)


def _read(request: ValidateRequest) -> _Sources:
    files: dict[str, str] = {}
    unread: list[Skip] = []
    for path in request.paths:
        for name in _files(path):
            if name in files:
                continue
            try:
                files[name] = (request.stdin() if name == STDIN else _bytes(name)).decode("utf-8")
            except OSError as error:
                unread.append(Skip(name, 0, f"cannot be read: {error.strerror}", "Check its permissions.", failed=True))
            except UnicodeDecodeError as error:
                reason = f"is not UTF-8 (byte {error.start})"
                unread.append(Skip(name, 0, reason, "Save it as UTF-8.", failed=True))
    return _Sources(tuple(sorted(files.items())), tuple(unread))


def _bytes(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def _files(path: str) -> Iterator[str]:
    """The manifests that a path stands for, with `/` and relative to where the command runs.

    Raises:
        UsageError: there is no such path.
    """
    if path == STDIN or os.path.isfile(path):
        yield _shown(path)
        return
    if not os.path.isdir(path):
        raise UsageError(f"There is no {path}", hint="Give files, folders, or - for standard input.")
    # Links to folders are not followed: they lead out of the tree, or into a part of it that is walked anyway.
    for folder, names, leaves in os.walk(path):
        names[:] = sorted(name for name in names if not name.startswith(".") and name not in _NEVER)
        for leaf in sorted(leaves):
            full = os.path.join(folder, leaf)
            if leaf.endswith(_MANIFESTS) and not leaf.startswith(".") and not os.path.islink(full):
                yield _shown(full)


def _shown(path: str) -> str:
    if path == STDIN:
        return path
    clean = os.path.normpath(path).replace(os.sep, "/")
    return clean.removeprefix("./")
