"""The published schemas of workflows, actions and pipelines. check-jsonschema judges in this process: each start of the
program takes half a second of CPU.
"""

from __future__ import annotations

from pathlib import Path

__all__ = ["misfits"]


def misfits(schema: str, *paths: Path, options: tuple[str, ...] = ()) -> str:
    """What check-jsonschema reports about files, by one of the schemas that it brings; empty where all fit."""
    from check_jsonschema.cli.main_command import main
    from click.testing import CliRunner

    judged = CliRunner().invoke(main, [*options, "--builtin-schema", f"vendor.{schema}", *map(str, paths)])
    return "" if judged.exit_code == 0 else judged.output or f"exit code {judged.exit_code}: {judged.exception!r}"
