"""Where kustomize and helm are started: in a folder that holds nothing but the unit's files, without a network.

The folder, the limits and the environment are the second line. The first is the closure of a unit: what leads out of
the repository, or to an address, is refused before anything is written here.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Collection, Hashable, Iterator, Mapping
from contextlib import suppress
from dataclasses import field

from gitops_ci import process
from gitops_ci.bounded import Limits, run_bounded
from gitops_ci.dataclass import dataclass
from gitops_ci.errors import ProgramError
from gitops_ci.rendering.deployment import Output, Recipe, Step, join_documents
from gitops_ci.rendering.isolation import isolated
from gitops_ci.rendering.tree import SourceTree
from gitops_ci.variables import inherited

__all__ = ["ProgramSettings", "outputs_without", "render"]

_INSTALL = {
    "kustomize": "Install kubectl or kustomize and put it on PATH, or use --render none.",
    "helm": "Install helm and put it on PATH, or use --render none.",
}


# What a hook has in its environment would make a git that fetches a base work on the repository of the hook.
_OF_A_CHECKOUT = frozenset(
    {"GIT_DIR", "GIT_COMMON_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_NAMESPACE"}
    | {"GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_PREFIX", "GIT_SHALLOW_FILE", "GIT_QUARANTINE_PATH"}
)
# Go collects garbage when the memory in use has doubled. Kustomize and helm live for a moment: at five times as much
# they take 30 % less CPU for large definitions. From half of the limit of memory on, Go collects as often as it has to.
_GARBAGE = "400"


@dataclass(frozen=True, slots=True)
class ProgramSettings:
    """`allow_remote` lets programs fetch, with credentials in files. No program is taken from `checkout`.

    `outputs` are what programs printed so far: units that differ only in their variables are built once.
    """

    limits: Limits = field(default_factory=Limits)
    allow_remote: bool = False
    checkout: str = ""
    outputs: dict[Hashable, str] = field(default_factory=dict)


def outputs_without(outputs: Mapping[Hashable, str], edited: Collection[str]) -> dict[Hashable, str]:
    """The outputs that none of some files is part of: they are the same on the other side of an edit."""
    kept: dict[Hashable, str] = {}
    for key, text in outputs.items():
        assert isinstance(key, tuple)
        _, files, _, copies, _ = key
        if files.isdisjoint(edited) and not any(origin in edited for _, origin in copies):
            kept[key] = text
    return kept


def render(recipe: Recipe, tree: SourceTree, settings: ProgramSettings) -> Output:
    """Run a recipe.

    Raises:
        ProgramError: a program is missing, reached a limit, or refused; paths in its message are the repository's.
    """
    if not recipe.steps:
        return recipe.finish(recipe.text)
    key = (
        recipe.steps,
        recipe.files,
        recipe.text,
        *(tuple(sorted(one.items())) for one in (recipe.copies, recipe.written)),
    )
    text = settings.outputs.get(key)
    if text is None:
        text = settings.outputs[key] = _printed(recipe, tree, settings)
    return recipe.finish(text)


def _printed(recipe: Recipe, tree: SourceTree, settings: ProgramSettings) -> str:
    # A name without links: kustomize compares real paths.
    with tempfile.TemporaryDirectory(prefix="gitops-ci-unit-") as made:
        home = os.path.realpath(made)
        root = os.path.join(home, "files")
        staged = _stage(recipe, tree, root)
        printed = [recipe.text] if recipe.text else []
        for step in recipe.steps:
            text = _run(step, root, home, settings)
            if step.into:
                _write(root, step.into, text.encode())
            else:
                printed.append(text)
        _remove(staged, root)
    return join_documents(printed)


def _remove(paths: Collection[str], root: str) -> None:
    """Remove what was staged, in half the time that looking for it takes; what a program wrote is left for later."""
    folders = {folder for path in paths for folder in _folders(path)}
    if any(os.path.islink(f"{root}/{folder}") for folder in folders):
        return  # it leads elsewhere by now
    with suppress(OSError):
        for path in paths:
            os.unlink(f"{root}/{path}")
        for folder in sorted(folders, key=len, reverse=True):
            os.rmdir(f"{root}/{folder}")


def _folders(path: str) -> Iterator[str]:
    while folder := path.rpartition("/")[0]:
        yield folder
        path = folder


def _stage(recipe: Recipe, tree: SourceTree, root: str) -> Collection[str]:
    """Write the files of a recipe; their paths."""
    staged: dict[str, None] = {}
    os.makedirs(root)
    for path in recipe.files:
        data = tree.data(path) if path not in recipe.written else None
        if data is not None:
            _write(root, path, data)
            staged[path] = None
    for path, origin in recipe.copies.items():
        if (data := tree.data(origin)) is not None:
            _write(root, path, data)
            staged[path] = None
    for path, text in recipe.written.items():
        _write(root, path, text.encode())
        staged[path] = None
    for path, said in recipe.links.items():
        full = os.path.join(root, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        if not os.path.lexists(full):
            os.symlink(said, full)
            staged[path] = None
    return staged


def _write(root: str, path: str, data: bytes) -> None:
    full = os.path.join(root, path)
    try:
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "wb") as file:
            file.write(data)
    except OSError as error:
        hint = "Free space in the temporary folder, or set TMPDIR to another one."
        raise ProgramError(f"{path} cannot be copied for rendering: {error.strerror}", hint=hint) from None


def _run(step: Step, root: str, home: str, settings: ProgramSettings) -> str:
    program = _program(step.program)
    verb = {"kustomize": ("build",), "kubectl": ("kustomize",)}.get(os.path.basename(program), ())
    command = [program, *verb, *step.arguments]
    apart = isolated(settings.checkout or root, network=settings.allow_remote)
    try:
        return run_bounded(
            [*apart, *command], cwd=root, environment=_environment(home, settings), limits=settings.limits
        )
    except ProgramError as error:
        message = error.message.replace(f"{root}/", "").replace(root, ".").replace("unshare", step.program, 1)
        raise ProgramError(message, hint=error.hint) from None


def _program(name: str) -> str:
    found = process.find(name) or (process.find("kubectl") if name == "kustomize" else None)
    if found is None:
        raise ProgramError(f"{name} is not installed", hint=_INSTALL[name])
    return found


def _environment(home: str, settings: ProgramSettings) -> Mapping[str, str]:
    """No token, no plugins and settings of this machine's user, and no way to a cluster.

    To fetch what is private takes credentials in files: of git, of helm, or an ssh agent.
    """
    collector = {"GOGC": _GARBAGE, "GOMEMLIMIT": str(settings.limits.memory // 2)}
    if settings.allow_remote:
        given = {name: value for name, value in inherited().items() if name not in _OF_A_CHECKOUT}
        return collector | given | {"GIT_ALLOW_PROTOCOL": "http:https:ssh", "GIT_TERMINAL_PROMPT": "0"}
    own = {f"HELM_{name}_HOME": os.path.join(home, name.lower()) for name in ("CACHE", "CONFIG", "DATA")}
    offline = dict.fromkeys(
        ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY"), "http://127.0.0.1:1"
    )
    apart = {"GIT_ALLOW_PROTOCOL": "none", "KUBECONFIG": "", "HOME": home}
    return collector | process.reduced_environment() | own | offline | apart
