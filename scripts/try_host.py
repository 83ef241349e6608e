"""Play the table of states against a repository on a real code host, and print what differed.

    GITOPS_CI_TOKEN=… python scripts/try_host.py https://github.com/me/empty [--forge KIND] [--api-url URL]

The repository must be yours and have nothing in it but a first commit: the script commits manifests to its default
branch, opens pull requests, closes and merges them by pushes, and deletes its branches at the end. What only a person
can do in the browser is asked for where a terminal is there, and left out elsewhere.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

IMAGE = "registry.example/try-host/shop"
TEXT = "shop:\n  image:\n    repository: {image}\n    tag: {tag}\n"


class Host:
    """The repository, a clone of it, and the program."""

    def __init__(self, url: str, options: Sequence[str], folder: str) -> None:
        self.url, self.options, self.folder = url, options, folder
        self.clone = str(Path(folder) / "clone")
        self.failed: list[str] = []

    def git(self, *arguments: str) -> str:
        """Run git in the clone; the token travels in the environment as gitops-ci does it."""
        token = os.environ["GITOPS_CI_TOKEN"]
        helper = "!f() { echo username=${GIT_USER:-x-access-token}; echo password=$GITOPS_CI_TOKEN; }; f"
        ran = subprocess.run(
            ["git", "-c", "credential.helper=", "-c", f"credential.helper={helper}", *arguments],
            cwd=self.clone, capture_output=True, text=True, check=False, env={**os.environ, "GITOPS_CI_TOKEN": token},
        )  # fmt: skip
        if ran.returncode:
            raise SystemExit(f"git {arguments[0]} failed: {ran.stderr.strip()}")
        return ran.stdout.strip()

    def put(self, tag: str, message: str) -> None:
        """Commit the manifest with this tag to the default branch."""
        self.git("pull", "--quiet")
        (Path(self.clone) / "values.yaml").write_text(TEXT.format(image=IMAGE, tag=tag))
        self.git("add", "values.yaml")
        self.git("-c", "user.name=try-host", "-c", "user.email=try@host.invalid", "commit", "--quiet", "-m", message)
        self.git("push", "--quiet", "origin", "HEAD")

    def run(self, *arguments: str) -> tuple[int, dict[str, Any]]:
        """Exit code and document of gitops-ci."""
        where = ["--config-repo", self.url, *self.options, "--output", "json"]
        ran = subprocess.run(
            [sys.executable, "-m", "gitops_ci", *arguments, *where],
            capture_output=True, text=True, check=False, cwd=self.folder,
        )  # fmt: skip
        return ran.returncode, json.loads(ran.stdout)

    def bump(self, version: str, *more: str) -> tuple[int, str, str]:
        """(Exit code, status, what this run did to the pull request)."""
        code, document = self.run("bump", f"{IMAGE}:{version}", *more)
        pull = document["pull_request"] or {}
        if document["error"]:
            sys.stderr.write(f"    {document['error']['message']}\n")
        return code, document["status"], pull.get("state", "")

    def expect(self, what: str, found: object, expected: object) -> None:
        """Print one row of the table."""
        is_right = found == expected
        sys.stdout.write(
            f"{'ok   ' if is_right else 'WRONG'} {what}{'' if is_right else f': {found}, not {expected}'}\n"
        )
        if not is_right:
            self.failed.append(what)


def by_runs(host: Host) -> None:
    """The states that runs alone bring about."""
    host.put("1.0.0", "Start")
    host.expect("none, an image", host.bump("1.1.0"), (0, "changed", "opened"))
    host.expect("open, the same image", host.bump("1.1.0"), (0, "unchanged", "unchanged"))
    host.expect("open, a newer image", host.bump("1.2.0"), (0, "changed", "updated"))
    host.expect("open, an older image", host.bump("1.1.0")[0], 1)
    host.expect("open, the deployed image", host.bump("1.0.0")[:2], (0, "unchanged"))
    host.put("1.2.0", "By another way")
    host.expect("the base has it", host.bump("1.2.0"), (0, "changed", "closed"))
    host.put("1.0.0", "Taken back")
    host.expect("closed by gitops-ci, the base lost it", host.bump("1.2.0"), (0, "changed", "opened"))
    host.put("1.0.5", "The very line changed")
    code, document = host.run("refresh")
    host.expect("refresh of a conflict", (code, [one["state"] for one in document["proposals"]]), (0, ["rebuilt"]))
    host.put("1.2.0", "By another way")
    code, document = host.run("refresh")
    host.expect("refresh of an empty one", (code, [one["state"] for one in document["proposals"]]), (0, ["closed"]))
    host.expect("a selection of its own", host.bump("1.3.0", "--path", "values.yaml"), (0, "changed", "opened"))
    host.expect("a group", host.bump("1.3.0", "--group", "try"), (0, "changed", "opened"))
    host.expect("a branch of its own", host.bump("1.4.0", "--branch", "try-host/{image}", "--signoff")[0], 0)


def by_persons(host: Host, ask: Callable[[str], None]) -> None:
    """The states that take somebody at a browser."""
    host.expect("an image", host.bump("2.0.0")[0], 0)
    ask("Close the newest pull request 'Bump shop to 2.0.0', and keep its branch.")
    host.expect("closed by a person, the same image", host.bump("2.0.0")[:2], (0, "unchanged"))
    host.expect("closed by a person, a newer image", host.bump("2.1.0"), (0, "changed", "opened"))
    ask("Change the title of 'Bump shop to 2.1.0' to 'mine', and write 'Hello.' above its description.")
    host.expect("a person's words, a newer image", host.bump("2.2.0")[:2], (0, "changed"))
    ask("Look: is the title still 'mine', with 'Hello.' above? Then merge it with a squash, and keep its branch.")
    host.expect("merged, the same image", host.bump("2.2.0")[:2], (0, "unchanged"))
    host.expect("merged, a newer image", host.bump("2.3.0"), (0, "changed", "opened"))


def cleaned(host: Host) -> None:
    """Close what is open and delete the branches."""
    host.put("9.0.0", "End")
    for template in ("", "try-host/{image}"):
        host.run("refresh", *(["--branch", template] if template else []))
    listed = host.git("ls-remote", "--heads", "origin")
    ours = [line.partition("refs/heads/")[2] for line in listed.splitlines()]
    for branch in (name for name in ours if name.startswith(("gitops-ci/", "try-host/"))):
        host.git("push", "--quiet", "origin", f":refs/heads/{branch}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url", help="https address of an empty repository of yours")
    parser.add_argument("--forge", default="auto")
    parser.add_argument("--api-url")
    given = parser.parse_args()
    if not os.environ.get("GITOPS_CI_TOKEN"):
        parser.error("set GITOPS_CI_TOKEN to a token that may write to the repository and open pull requests")
    options = ["--forge", given.forge, *(["--api-url", given.api_url] if given.api_url else [])]
    with tempfile.TemporaryDirectory() as folder:
        host = Host(given.url, options, folder)
        Path(host.clone).mkdir()
        host.git("clone", "--quiet", given.url, ".")
        try:
            by_runs(host)
            if sys.stdin.isatty():
                by_persons(
                    host, lambda text: (sys.stdout.write(f"--> {text} "), input("Then press Enter. "))[0] and None
                )
            else:
                sys.stdout.write("left out: what only a person can do (no terminal)\n")
        finally:
            cleaned(host)
    sys.stdout.write(f"{len(host.failed)} differed\n")
    return 1 if host.failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
