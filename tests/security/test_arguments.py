"""Every argument that this program builds for another one is in a list here, with the reason why it is no option.

The list is compared with the code: a new program, or a new argument, fails until somebody has looked at it. A text that
comes from a repository goes through `operand` (a path), stands behind an option and '=', or is checked before.
"""

from __future__ import annotations

import ast

import pytest

from gitops_ci.process import operand
from tests.test_architecture import modules

# What starts a program, and how many of its arguments come before those of the program. -1: they are one list.
STARTS = {
    "process.run": -1,
    "run": -1,
    "output": -1,
    "self._git.execute": -1,
    "checkout_git": 0,
    "_git": 0,
    "git.run": 0,
    "self.git.run": 0,
    "git.checked": 1,
    "self.git.checked": 1,
    "self.run": 0,
    "self._listed": 0,
    "self._run": 1,
    "self._ask": 1,
    "self._fetch": 3,
}
# Called so, and no program.
OTHERS = {"execute", "subprocess.run"}
SPEAK_HTTP = {"registry.remote"}  # its `_ask` asks a registry

_HEX = "an id that git gave, or a constant"
_HANDED_ON = "handed on: the callers are in this list"
_BRANCH = "a branch that check_branch accepted, which never begins with '-'"
LIST = {
    "checkout": {
        "*settings": "constants of the module",
        "*arguments": _HANDED_ON,
    },
    "cli.facts": {"*arguments": _HANDED_ON},
    "configrepo.commits": {
        "f'gpg.format={kind}'": "the value of -c: one of two constants",
        "f'user.signingKey={signing.key}'": "the value of -c; Signing.parse refuses a key that begins with '-'",
        "parent": _HEX,
        "tree": _HEX,
    },
    "configrepo.create": {
        "f'refs/heads/{check_branch(branch)}'": _BRANCH,
        "f'refs/heads/{branch}'": _BRANCH,
        "commit": _HEX,
    },
    "configrepo.git": {"program": "found on PATH", "*arguments": _HANDED_ON},
    "configrepo.repository": {
        "*files": "pathspecs behind '--': file names that are constants of the program",
        "*arguments": _HANDED_ON,
        "*options": "constants of the callers: filters",
        "*(['--filter=tree:1'] if sparse else [])": "constants",
        "*([f'--depth={depth}'] if self._has_shallow else [])": "a number behind '='",
        "*([f'--shallow-since=@{commit.committed_at - 1}'] if self._has_shallow else [])": "a number behind '='",
        "*(['--filter=tree:0'] if self._has_partial_clone else [])": "constants",
        "f'--filter={kept_out}'": "one of two constants behind '='",
        "self.url.text": "an address that RepoUrl accepted, behind '--'",
        "*wanted": "refs/heads/ and a branch, behind '--'",
        "f'+refs/heads/{branch}:{_ref(branch)}'": _BRANCH,
        "f'+refs/heads/{name}:{_ref(name)}'": _BRANCH,
        "_ref(name)": f"refs/gitops-ci/ and {_BRANCH}",
        "f'--force-with-lease={ref}:{expected or ''}'": f"behind '=': {_BRANCH}",
        "*(f'--push-option={option}' for option in options)": "behind '='",
        "*([f'--force-with-lease={gone}:{snapshot.commit}'] if gone else [])": f"behind '=': {_BRANCH}",
        "f'{snapshot.commit}:{ref}'": _HEX,
        "*([f':{gone}'] if gone else [])": _BRANCH,
        "self.commit": _HEX,
    },
    "flows.selection": {
        "*arguments": _HANDED_ON,
        "reference": "behind --end-of-options, and refused where it begins with '-'",
        "*_EVERY_CHANGE": "constants",
        "base": _HEX,
    },
    "registry.credentials": {"program": "docker-credential- and a name of letters and digits"},
    "rendering.base": {"argv": _HANDED_ON},
    "rendering.helm": {
        "program": "found on PATH",
        "*([f'--kube-version=v{settings.kubernetes_version}.0'] if settings.kubernetes_version else [])": "behind '='",
        "*(f'--values={_one_of_a_list(operand(values))}' for values in settings.values)": "behind '=', by operand",
        "operand(folder)": "by operand, behind '--'",
        "inside": "the path of a temporary folder of ours, behind '--'",
    },
    "rendering.isolation": {
        "*command": "constants, and unshare found on PATH",
        "process.find('true') or sys.executable": "found on PATH",
    },
    "rendering.kustomize": {
        "program": "found on PATH",
        "verb": "one of two constants",
        "operand(unit.folder)": "by operand, behind '--'",
    },
}


def arguments(text: str) -> set[str]:
    """What is no constant among the arguments that a module builds for programs, as it is written."""
    found: set[str] = set()
    for function in ast.walk(ast.parse(text)):
        if isinstance(function, ast.FunctionDef):
            for call in ast.walk(function):
                if isinstance(call, ast.Call) and (name := ast.unparse(call.func)) in STARTS:
                    found |= {_written(one) for one in _elements(call, STARTS[name], function) if not _fixed(one)}
    return found


def _written(node: ast.expr) -> str:
    return ast.unparse(node).replace('"', "'")  # which quotes it takes depends on the version of Python


def _elements(call: ast.Call, skipped: int, function: ast.FunctionDef) -> list[ast.expr]:
    if skipped >= 0:
        return call.args[skipped:]
    first = call.args[0]
    if isinstance(first, ast.Name):
        lists = [node.value for node in ast.walk(function) if isinstance(node, ast.Assign) and _names(node, first.id)]
        assert all(isinstance(one, ast.List) for one in lists), f"{first.id} is built in more than one step"
        grown = [node for node in ast.walk(function) if isinstance(node, ast.AugAssign) and _is(node.target, first.id)]
        assert not grown, f"{first.id} is built in more than one step"
        return [element for one in lists for element in one.elts] or [first]
    return first.elts if isinstance(first, ast.List) else [first]


def _names(node: ast.Assign, name: str) -> bool:
    return any(_is(target, name) for target in node.targets)


def _is(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _fixed(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant)


def calls(text: str) -> set[str]:
    """Calls that may start a program by their name."""
    names = {ast.unparse(node.func) for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)}
    ends = {"run", "checked", "execute", "Popen", "call", "check_call", "check_output", "checkout_git", "output"}
    return {name for name in names if name.rpartition(".")[2] in ends or name.rpartition(".")[2].startswith("spawn")}


def test_every_argument_for_a_program_is_in_the_list():
    built = {(name, one) for name, text in modules() if name not in SPEAK_HTTP for one in arguments(text)}
    assert sorted(built) == sorted((name, one) for name, known in LIST.items() for one in known)


def test_nothing_starts_a_program_in_another_way():
    unknown = {f"{name}: {call}" for name, text in modules() for call in calls(text) - STARTS.keys() - OTHERS}
    assert unknown == set()
    starting = {name for name, text in modules() if "subprocess" in text}
    assert starting == {"process", "configrepo.git"}


@pytest.mark.parametrize(
    "text",
    [
        "def f(unit):\n    process.run([program, 'template', unit.folder])",
        "def f(unit):\n    command = ['helm', unit.folder]\n    process.run(command)",
        "def f(branch):\n    git.run('fetch', branch)",
        "def f(branch):\n    self._ask(git, 'fetch', *branch)",
    ],
)
def test_a_new_argument_is_seen(text):
    assert arguments(text)


NAMES = ("-x", "--post-renderer=./x", "-", "--", "https://example.com", "a", ".", "git@x:y", "@x")


@pytest.mark.parametrize("name", NAMES)
def test_an_operand_is_a_path_below_here(name):
    assert operand(name).startswith("./")
    assert operand(f"/{name}") == f"/{name}"
