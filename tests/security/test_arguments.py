"""Every argument that this program builds for another one is in a list here, with the reason why it is not an option.

The list is compared with the code: a new program, or a new argument, fails until somebody has looked at it. A text that
comes from a repository goes through `operand` (a path), stands behind an option and '=', or is checked before.
"""

from __future__ import annotations

import ast
import re

import pytest

from gitops_ci.process import operand
from tests.support.sources import written_name
from tests.test_architecture import modules

# What starts a program, and how many of its arguments come before those of the program. -1: they are one list.
STARTS = {
    "process.run": -1,
    "run": -1,
    "run_bounded": -1,
    "Step": 1,
    "connected": -1,
    "self._git.execute": -1,
    "checkout_git": 0,
    "_git_names": 0,
    "_git": 0,
    "git.run": 0,
    "self.git.run": 0,
    "git.checked": 1,
    "self.git.checked": 1,
    "self._git.checked": 1,
    "self.checked": 1,
    "self.run": 0,
    "self._listed": 0,
    "self._run": 1,
    "self._ask": 1,
    "self._fetch": 3,
}
# The last part of each name: only a module that calls something of that name is parsed.
LAST = "|".join({name.rpartition(".")[2] for name in STARTS})
ENDS = r"run|connected|checked|execute|Popen|call|check_call|check_output|checkout_git|output|spawn\w*"
# Called so, and no program.
OTHERS = {"execute", "subprocess.run", "subprocess.Popen", "Popen"}
# Their `_ask`, `Step` and `run` ask a registry, are a part of a path and ask a code host.
START_NOTHING = {"registry.remote", "formats.pointer", "forges.github", "forges.gitlab"}

_HEX = "an id that git gave, or a constant"
_HANDED_ON = "handed on: the callers are in this list"
_BRANCH = "a branch that check_branch accepted, which never begins with '-'"
LIST = {
    "checkout": {
        "*settings": "constants of the module",
        "*arguments": _HANDED_ON,
    },
    "cli.facts": {"*arguments": _HANDED_ON, "commit": "hexadecimal digits only"},
    "cli.settings_of_base": {
        "*arguments": _HANDED_ON,
        "reference": "behind --end-of-options",
        "f'{commit}:./{known_files.CONFIG}'": _HEX,
    },
    "configrepo.commits": {
        "f'gpg.format={kind}'": "the value of -c: one of two constants",
        "f'user.signingKey={signing.key}'": "the value of -c; Signing.parse refuses a key that begins with '-'",
        "*(f'-p{parent}' for parent in parents)": _HEX,
        "tree": _HEX,
    },
    "configrepo.create": {
        "f'refs/heads/{check_branch(branch)}'": _BRANCH,
        "f'refs/heads/{branch}'": _BRANCH,
        "commit": _HEX,
    },
    "configrepo.gerrit_changes": {
        "*(['--filter=tree:0'] if self._has_partial_clone else [])": "constants",
        "*options": "a constant of the caller: the depth",
        "f'+{ref}:{self._kept}{ref}'": "refs/changes/ and numbers",
        "f'{commit.commit}:{target}'": f"an id, refs/for/ and {_BRANCH}; options of letters, digits and marks",
        "one.meta": f"behind --end-of-options: {_HEX}",
        "self.url.text": "an address that RepoUrl accepted, behind '--'",
    },
    "configrepo.git": {
        "program": "found on PATH",
        "*arguments": _HANDED_ON,
        "name": "an id, or a commit and a path behind ':'",
    },
    "configrepo.log": {
        "_FORMAT": "a constant",
        "*changes": "constants",
        "self._ref": f"behind --end-of-options: refs/gitops-ci/ and {_BRANCH}",
    },
    "configrepo.repository": {
        "*arguments": _HANDED_ON,
        "*options": "constants of the callers: filters",
        "*(['--filter=tree:1'] if sparse else [])": "constants",
        "*([f'--depth={depth}'] if self._has_shallow else [])": "a number behind '='",
        "*([f'--shallow-since=@{since}'] if self._has_shallow and may_cut else [])": "a number behind '='",
        "*(['--filter=tree:0'] if self._has_partial_clone else [])": "constants",
        "*(['--filter=blob:none'] if self._has_partial_clone else [])": "constants",
        "*([how_far] if how_far else [])": "a number behind '=', or a constant",
        "f'--filter={kept_out}'": "one of two constants behind '='",
        "self.url.text": "an address that RepoUrl accepted, behind '--'",
        "*wanted": "refs/heads/ and a branch, behind '--'",
        "f'+{self._source(branch)}:{self._ref(branch)}'": f"refs/heads/ or refs/changes/: {_BRANCH}",
        "f'+refs/heads/{branch}:{self._ref(branch)}'": _BRANCH,
        "f'+refs/heads/{name}:{self._ref(name)}'": _BRANCH,
        "self._ref(branch)": f"refs/gitops-ci/ and {_BRANCH}",
        "f'--force-with-lease={ref}:{expected or ''}'": f"behind '=': {_BRANCH}",
        "*(f'--push-option={option}' for option in options)": "behind '='",
        "*([f'--force-with-lease={gone}:{snapshot.commit}'] if gone else [])": f"behind '=': {_BRANCH}",
        "f'--force-with-lease={ref}:{expected}'": f"behind '=': {_BRANCH}",
        "f':{ref}'": f"behind '--': {_BRANCH}",
        "f'{snapshot.commit}:{ref}'": _HEX,
        "*([f':{gone}'] if gone else [])": _BRANCH,
    },
    "configrepo.snapshot": {
        "*files": "pathspecs behind '--': file names that are constants of the program",
        "self.commit": _HEX,
    },
    "flows.after_push": {
        "program": "the user's own, from the command line",
        "*arguments": "the user's own; a field is a name, tag or digest that ImageRef accepted, within one argument",
    },
    "flows.diff.revisions": {
        "*arguments": _HANDED_ON,
        "*_WHOLE": "constants",
        "_ORDER": "a constant",
        "root": "the value of -C: the folder of the checkout, which is absolute",
        "reference": "behind --end-of-options, and refused where it begins with '-'",
        "f'{revision}^{{commit}}'": "behind --end-of-options, and refused where it begins with '-'",
        "head": _HEX,
        "base": _HEX,
        "commit": _HEX,
    },
    "flows.image.branch_order": {"one": "hexadecimal digits only", "other": "hexadecimal digits only"},
    "flows.validate.left_out": {
        "process.operand(folder)": "through process.operand: absolute, or below ./",
        "*listing": "constants",
    },
    "flows.validate.selection": {
        "*arguments": _HANDED_ON,
        "reference": "behind --end-of-options, and refused where it begins with '-'",
        "*_EVERY_CHANGE": "constants",
        "base": _HEX,
    },
    "flows.validate.windows": {
        "f'{base}^{{commit}}'": "behind --end-of-options",
        "f'{commit}:{FREEZE_FILE}'": _HEX,
    },
    "registry.credentials": {"program": "docker-credential- and a name of letters and digits"},
    "registry.ssh_tunnel": {
        "*host.options": "the values of -l and -p, from the address in the user's own variables",
        "*_OPTIONS": "constants",
        "host.name": "behind '--', from the address in the user's own variables",
        "*_DIAL": "constants",
        "*host.there": "the value of --host, quoted for the shell of the host",
    },
    "rendering.isolation": {
        "*command": "constants, and unshare found on PATH",
        "process.find('true') or sys.executable": "found on PATH",
    },
    "rendering.applicationset": {"f'./{_CHART}'": "a constant, behind '--'"},
    "rendering.fleet_overlays": {"path_argument(OWN_FOLDER)": "a constant, behind '--'"},
    "rendering.helm_command": {
        "*options": "options of our own, each with its value behind '='",
        "*self.options": "options of our own, each with its value behind '='",
        "self.release": "a name, behind '--'",
        "path_argument(self.chart)": "./NAME, behind '--'",
        "into": "no argument: the file of ours that the output becomes",
    },
    "rendering.helmrelease": {
        "path_argument(at)": "./NAME, behind '--'",
        "into": "no argument: the file of ours that the output becomes",
    },
    "rendering.kustomization_edits": {"*options": "constants", "path_argument(folder)": "./NAME, behind '--'"},
    "rendering.programs": {
        "*apart": "constants, and unshare found on PATH",
        "*command": "a program found on PATH, a constant verb, and the arguments of a Step",
    },
}


def has_call(text: str, names: str) -> bool:
    """Whether the text may call one of these names."""
    return re.search(rf"\b(?:{names})\s*\(", text) is not None


def arguments(text: str) -> set[str]:
    """What is not a constant among the arguments that a module builds for programs, as it is written."""
    found: set[str] = set()
    for function in ast.walk(ast.parse(text)) if has_call(text, LAST) else ():
        if isinstance(function, ast.FunctionDef):
            for call in ast.walk(function):
                if isinstance(call, ast.Call) and (name := written_name(call.func)) in STARTS:
                    found |= {_written(one) for one in _elements(call, STARTS[name], function) if not _fixed(one)}
    return found


def _written(node: ast.expr) -> str:
    return ast.unparse(node).replace('"', "'")  # which quotes it takes depends on the version of Python


def _elements(call: ast.Call, skipped: int, function: ast.FunctionDef) -> list[ast.expr]:
    if skipped >= 0:
        flat = ([*one.elts] if isinstance(one, ast.Tuple) else [one] for one in call.args[skipped:])
        return [element for elements in flat for element in elements]
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
    if not has_call(text, ENDS):
        return set()
    names = {written_name(node.func) for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)}
    return {name for name in names if re.fullmatch(ENDS, name.rpartition(".")[2])}


def test_every_argument_for_a_program_is_in_the_list():
    built = {(name, one) for name, text in modules() if name not in START_NOTHING for one in arguments(text)}
    assert sorted(built) == sorted((name, one) for name, known in LIST.items() for one in known)


def test_nothing_starts_a_program_in_another_way():
    starting = [(name, text) for name, text in modules() if name not in START_NOTHING]
    unknown = {f"{name}: {call}" for name, text in starting for call in calls(text) - STARTS.keys() - OTHERS}
    assert unknown == set()
    starting = {name for name, text in modules() if "subprocess" in text}
    assert starting == {"bounded", "process", "configrepo.git", "configrepo.gitpython"}


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
