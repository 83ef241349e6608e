"""Every error says what to do next."""

import ast

from gitops_ci import errors
from tests.support import CHECKOUT

CLASSES = set(errors.__all__) - {"Interrupted"}
# Never shown: a placeholder, a way out of other threads, a bug of ours.
SILENT = {"''", "'stopped'", "'The delimiter for GITHUB_OUTPUT needs 16 letters or digits'"}


def test_every_error_has_a_hint():
    found = []
    for path in sorted((CHECKOUT / "gitops_ci").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CLASSES):
                continue
            hinted = any(keyword.arg in {"hint", None} for keyword in node.keywords)
            if not hinted and ast.unparse(node.args[0]) not in SILENT:
                found.append(f"{path.relative_to(CHECKOUT)}:{node.lineno}")
    assert found == []
