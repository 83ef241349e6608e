"""What tests read in the source of the program."""

from __future__ import annotations

import ast

__all__ = ["written_name"]


def written_name(node: ast.expr) -> str:
    """What is called, as it is written: `run`, `self._git.execute`; `ast.unparse` takes twenty times as long."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{written_name(node.value)}.{node.attr}"
    return ast.unparse(node)
