"""The real program at a pseudo-terminal: colors and tables for a person, plain lines for a log, nothing cut."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from tests.support.git_repo import make_repo
from tests.support.layouts import LayoutWriter

_ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_OVERLAY = "images:\n  - name: ghcr.io/acme/shop\n    newTag: 1.4.1 # {}\n"
BUMP = ("bump", "ghcr.io/acme/shop:1.5.0", "--config-repo", "config.git", "--mode", "dry-run", "--allow-empty")


@pytest.fixture
def folder(tmp_path):
    paths = ("apps/shop/staging/kustomization.yaml", "商店/環境/本番/kustomization.yaml")
    make_repo(tmp_path / "config.git", {path: _OVERLAY.format("標籤") for path in paths})
    (tmp_path / "broken.yaml").write_text("apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: {kontainers: []}\n")
    return tmp_path


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "gitops_ci", *arguments]


def at_terminal(folder: Path, *arguments: str, columns: int = 120, **environment: str) -> tuple[int, str]:
    """Run with both outputs at a terminal of this width: exit code, and what stands there."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    with subprocess.Popen(
        _command(*arguments),
        cwd=folder,
        env={**os.environ, "TERM": "xterm-256color", **environment},
        stdin=subprocess.DEVNULL,
        stdout=its,
        stderr=its,
    ) as process:
        os.close(its)
        seen = bytearray()
        try:
            while chunk := os.read(ours, 4096):
                seen += chunk
        except OSError:  # how Linux says that the other side is gone
            pass
    os.close(ours)
    return process.returncode, seen.decode().replace("\r\n", "\n")


def in_log(folder: Path, *arguments: str, **environment: str) -> str:
    ran = subprocess.run(
        _command(*arguments),
        cwd=folder,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return ran.stdout


def test_a_person_sees_colors_and_a_table(folder):
    code, seen = at_terminal(folder, *BUMP)
    assert code == 0, seen
    assert "\x1b[32m+    newTag: 1.5.0 # 標籤\x1b[0m" in seen
    plain = _ESCAPE.sub("", seen)
    assert re.search(r"^  Where +Before +After", plain, re.MULTILINE)
    assert re.search(r"^  apps/shop/staging/kustomization\.yaml:3:13 +1\.4\.1 +1\.5\.0", plain, re.MULTILINE)


def test_where_a_table_does_not_fit_lines_stay_whole(folder):
    code, seen = at_terminal(folder, *BUMP, columns=30)
    assert code == 0, seen
    plain = _ESCAPE.sub("", seen)
    assert "Where" not in plain
    assert "apps/shop/staging/kustomization.yaml:3:13  1.4.1 -> 1.5.0" in plain
    assert "商店/環境/本番/kustomization.yaml:3:13" in plain


def test_an_option_chooses_the_colors(folder):
    assert "\x1b[32m+    newTag: 1.5.0" in in_log(folder, *BUMP, "--color", "always", NO_COLOR="1")
    assert _ESCAPE.search(at_terminal(folder, *BUMP, "--color=never", FORCE_COLOR="1")[1]) is None
    # Also in an error from before the command runs.
    assert "\x1b[31merror:\x1b[0m" in in_log(folder, "bump", "--nosuch", "--color=always")
    assert "\x1b[31m" not in at_terminal(folder, "bump", "--nosuch", GITOPS_CI_COLOR="never")[1]


def test_a_log_is_plain(folder):
    said = in_log(folder, *BUMP)
    assert "apps/shop/staging/kustomization.yaml:3:13  1.4.1 -> 1.5.0" in said
    assert "\x1b" not in said


@pytest.mark.parametrize("arguments", [BUMP, ("validate", "broken.yaml"), ("vlidate",), ("demo", "--help")])
def test_no_color_means_none(folder, arguments):
    _, seen = at_terminal(folder, *arguments, NO_COLOR="1")
    assert "\x1b" not in seen
    assert in_log(folder, *arguments, NO_COLOR="1", FORCE_COLOR="1").count("\x1b") == 0


def test_colors_of_a_log_can_be_asked_for(folder):
    said = in_log(folder, "validate", "broken.yaml", FORCE_COLOR="1")
    assert "\x1b[31merror\x1b[0m" in said
    assert "Where" not in said


def test_a_terminal_without_colors_gets_none(folder):
    _, seen = at_terminal(folder, "validate", "broken.yaml", TERM="dumb")
    assert "kontainers" in seen
    assert "\x1b" not in seen


def test_a_job_with_a_terminal_has_a_log(folder):
    _, seen = at_terminal(folder, *BUMP, CI="true")
    assert "Where" not in seen
    assert "1.4.1 -> 1.5.0" in seen


def test_a_mistake_is_told_in_color_with_what_to_do_next(folder):
    code, seen = at_terminal(folder, "bump", "ghcr.io/acme/shop")
    assert code == 2
    assert "\x1b[31merror:\x1b[0m" in seen
    assert "\x1b[36mhint:\x1b[0m" in seen


FRAME = """\
broken.yaml:4:8: error schema/unknown-field: spec: unknown field 'kontainers' (Pod/x)
    4 | spec: {kontainers: []}
      |        ^^^^^^^^^^
"""


def test_a_finding_shows_its_line_with_a_mark(folder):
    (folder / "secret.yaml").write_text(
        "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndatum: {password: marked}\n"
    )
    (folder / "syntax.yaml").write_text("apiVersion: v1\nkind: Secret\nstringData: {password: marked\n")
    _, seen = at_terminal(folder, "validate", ".")
    plain = _ESCAPE.sub("", seen)
    assert "    4 | spec: {kontainers: []}\n      |        ^^^^^^^^^^" in plain
    assert "secret.yaml:4:1: error" in plain
    assert "syntax.yaml:" in plain
    assert "marked" not in plain, "a line of a Secret"
    assert "^^^" not in in_log(folder, "validate", ".")


@pytest.mark.parametrize("columns", [20, 24])
def test_a_line_that_is_wider_than_the_terminal_is_not_cut(folder, columns):
    _, seen = at_terminal(folder, "validate", "broken.yaml", columns=columns)
    assert "^" not in _ESCAPE.sub("", seen)


def test_quiet_prints_errors_and_nothing_else(folder):
    (folder / "good.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n")
    assert in_log(folder, "validate", "good.yaml", "-q", GITOPS_CI_ENVIROMENT="x") == ""
    assert in_log(folder, "validate", ".", "-q").startswith("broken.yaml:4:")
    assert in_log(folder, *BUMP, "-q") == ""
    assert in_log(folder, "bump", "x:1", "-q").startswith("error: No config repository")


def test_a_digest_is_shown_once_and_short_at_a_terminal(folder):
    """A log has it whole, and so has a terminal that was asked for more."""
    first, second = (LayoutWriter(folder / name).simple("1", [{"a": name.encode()}]) for name in ("one", "two"))

    def push(name: str, to: str) -> tuple[str, ...]:
        return "image", "push", f"oci:{name}:1", "--to", f"oci:{to}", "--version", "1.4.2", "--allow-move"

    code, seen = at_terminal(folder, *push("one", "a"), NO_COLOR="1", CI="")
    assert code == 0, seen
    assert re.findall("sha256:[0-9a-f]+", seen) == [first[:19]]
    for tag in ("1.4.2", "1.4", "1", "latest"):
        assert f"pushed oci:a:{tag}\n" in seen
    moved = in_log(folder, *push("two", "a"))
    assert f"pushed oci:a:latest (was {first})\n" in moved
    assert moved.count(second) == 1
    _, again = at_terminal(folder, *push("one", "a"), "--verbose", NO_COLOR="1", CI="")
    assert f"pushed oci:a:latest (was {second})\n" in again
    assert f"@{first}\n" in again
