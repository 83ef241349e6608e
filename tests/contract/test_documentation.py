"""Every page of documentation is true: commands are typed and print what is shown, files fit their schemas.

A fenced block of a class that is not known here fails: nothing is shown that nothing checks.
"""

from __future__ import annotations

import configparser
import json
import re
import shlex
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click
import jsonschema
import pytest
import yaml

from gitops_ci.cli import COMMANDS, main, run_command_line
from gitops_ci.cli.config_schema import schema
from gitops_ci.config import parse
from gitops_ci.config_keys import KEYS
from gitops_ci.flows.demo import FILES
from tests.support import CHECKOUT, dev_tool
from tests.support.documents import Block, blocks, pages
from tests.support.published_schemas import misfits
from tests.support.reader import Reader

# Lines that another test runs, since they take a machine of their own: test -> lines.
ELSEWHERE = {
    "tests/run": ["make test"],
    "tests/live/test_air_gap.py::test_make_demo_installs_the_program_and_nothing_else": ["make demo"],
    "tests/live/test_air_gap.py::test_program_crosses_the_gap": [
        "pip download --quiet --only-binary=:all: --dest wheels gitops-ci",
        "pip install --quiet --no-index --find-links wheels gitops-ci",
    ],
    "tests/test_packaging.py::test_program_runs_from_the_wheel_alone": ["pipx install gitops-ci"],
}
_OPTION = re.compile(r"`(?:[^`]*[ (])?(--[a-z][a-z-]+)")
_LINK = re.compile(r"\]\(([^)#\s]+)?(#[^)\s]+)?\)")
_CODE = re.compile(r"^(`{3,}).*?^\1", re.MULTILINE | re.DOTALL)

PAGES = pages()
BLOCKS = [block for page in PAGES for block in blocks(page)]
WITH_CONSOLE = [page for page in PAGES if any(block.language == "console" for block in BLOCKS if block.page == page)]


def of_page(page: str) -> list[Block]:
    return [block for block in BLOCKS if block.page == page]


# Consoles, the files they work on, and what they change.


def _bare(line: str) -> str:
    """A line without the remark at its end."""
    return line.partition(" #")[0].strip()


@pytest.mark.parametrize("page", WITH_CONSOLE)
def test_commands_print_what_the_page_shows(page: str, reader: Callable[..., Reader]) -> None:
    at = reader(of_page(page), lambda line: any(_bare(line) in lines for lines in ELSEWHERE.values()))
    if not any(block.file and block.file[0] == "shop-config" for block in of_page(page)):
        at.take(FILES)
    promised: list[Block] = []
    for block in of_page(page):
        if block.file:
            at.write(block)
        elif block.language == "console":
            at.type(block)
        elif block.language == "diff":
            promised.append(block)
        if promised:  # before its command, or after it: a branch may be made anew later on
            changed = _squeezed(at.history())
            promised = [one for one in promised if _squeezed(one.text) not in changed]
    assert not promised, f"no commit of the page has the change of {', '.join(map(str, promised))}"


def _squeezed(text: str) -> str:
    return "".join(f"{' '.join(line.split())}\n" for line in text.splitlines() if not line.startswith("@@"))


def test_lines_that_are_run_elsewhere_are_shown_and_are_run() -> None:
    shown = {_bare(command.line) for block in BLOCKS if block.language == "console" for command in block.commands}
    for place, lines in ELSEWHERE.items():
        path, _, test = place.partition("::")
        assert shown.issuperset(lines)
        assert f"def {test}(" in (CHECKOUT / path).read_text() if test else (CHECKOUT / path).exists()


# Every other block.


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.language != "console"], ids=str)
def test_block_is_what_it_says(block: Block, tmp_path: Path) -> None:
    name = block.file[1] if block.file else ""
    _check(block, name, tmp_path)


def _check(block: Block, name: str, folder: Path) -> None:
    """Check a block by its language, and where that is YAML by the file's name or its content."""
    if block.language == "yaml":
        _check_yaml(block, name, folder)
    elif block.language == "diff":
        assert any(other.language == "console" for other in of_page(block.page)), (
            f"{block}: no command makes this change"
        )
        assert re.search(r"^[-+] ", block.text, re.MULTILINE)
    elif block.language == "sh":
        _check_script(block.text)
    elif block.language == "ini":
        configparser.ConfigParser(interpolation=None).read_string(block.text)
    elif block.language == "json":
        json.loads(block.text)
    elif block.language == "dockerfile":
        assert re.match(r"(#[^\n]*\n)*FROM ", block.text)
    elif name:
        assert block.language == "hcl", f"{block}: a file in a language that nothing checks"
    else:
        pytest.fail(f"{block}: no known class: {block.language or 'no language'}", pytrace=False)


def _check_yaml(block: Block, name: str, folder: Path) -> None:
    documents = [document for document in yaml.safe_load_all(block.text) if document is not None]
    first = documents[0]
    if name == ".gitops-ci.yaml" or (
        not name
        and isinstance(first, dict)
        and first.keys()
        <= KEYS[""].keys()
        | {"environments", "images", "pointers", "promotion", "pull-request", "rendering", "validate", "verify"}
    ):
        parse(block.text, str(block))
        jsonschema.Draft7Validator(schema()).validate(first)
    elif name.startswith(".github/workflows/"):
        _check_workflow(block.text, first, folder)
    elif not name and isinstance(first, dict) and "jobs" in first:
        _check_workflow("", first, folder)
    elif isinstance(first, list) and all(isinstance(step, dict) and step.keys() & {"uses", "run"} for step in first):
        job = {"runs-on": "ubuntu-latest", "steps": first}
        _check_workflow("", {"on": "push", "jobs": {"job": job}}, folder)
    elif name == ".gitlab-ci.yml" or (not name and isinstance(first, dict) and "include" in first):
        _check_pipeline(first, folder)
    elif name == ".pre-commit-config.yaml":
        _check_hooks(block.text, folder)
    elif name and isinstance(first, list) and all(isinstance(item, str) for item in first):
        _check_images(first)
    elif name or all(isinstance(document, dict) and "apiVersion" in document for document in documents):
        expected = 1 if block.above.endswith(("with a mistake:", "with several mistakes:")) else 0
        assert _validated(block.text, name or "manifest.yaml", folder) == expected
    else:
        pytest.fail(f"{block}: YAML of no known class", pytrace=False)


def _check_images(references: list[str]) -> None:
    from gitops_ci.imageref import ImageRef

    for reference in references:
        assert ImageRef.parse(reference).tag


def _fits(kind: str, value: Any, folder: Path) -> None:
    path = folder / "file.json"
    path.write_text(json.dumps(value))
    assert misfits(kind, path) == ""


def _check_workflow(text: str, workflow: dict[Any, Any], folder: Path) -> None:
    # YAML 1.1 reads `on` as true.
    _fits("github-workflows", {("on" if key is True else key): value for key, value in workflow.items()}, folder)
    steps = [step for job in workflow["jobs"].values() for step in job.get("steps", ())]
    inputs = yaml.safe_load((CHECKOUT / "action.yml").read_text())["inputs"].keys()
    for step in steps:
        if "/gitops-ci@" in step.get("uses", ""):
            assert step.get("with", {}).keys() <= inputs
        _check_script(re.sub(r"\$\{\{.*?\}\}", "x", step.get("run", "")))
    if text:
        path = folder / ".github" / "workflows" / "file.yml"
        path.parent.mkdir(parents=True)
        path.write_text(text)
        run = subprocess.run(
            [dev_tool("zizmor"), "--offline", "--format=json", str(path)], capture_output=True, text=True
        )
        assert [found["ident"] for found in json.loads(run.stdout)] == [], run.stdout


def _check_pipeline(pipeline: dict[str, Any], folder: Path) -> None:
    _fits("gitlab-ci", pipeline, folder)
    spec, _ = yaml.safe_load_all((CHECKOUT / ".gitlab-ci-template.yml").read_text())
    includes = pipeline.get("include", [])
    for include in includes if isinstance(includes, list) else [includes]:
        assert include.get("inputs", {}).keys() <= spec["spec"]["inputs"].keys()
    for job in pipeline.values():
        if isinstance(job, dict):
            for line in (*job.get("before_script", ()), *job.get("script", ())):
                _check_script(line)


def _check_hooks(text: str, folder: Path) -> None:
    (folder / ".pre-commit-config.yaml").write_text(text)
    run = subprocess.run(
        [dev_tool("pre-commit"), "validate-config", str(folder / ".pre-commit-config.yaml")],
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout
    known = {hook["id"] for hook in yaml.safe_load((CHECKOUT / ".pre-commit-hooks.yaml").read_text())}
    for repository in yaml.safe_load(text)["repos"]:
        if repository["repo"].endswith("/gitops-ci"):
            assert {hook["id"] for hook in repository["hooks"]} <= known


def _validated(text: str, name: str, folder: Path) -> int:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    # A kustomization is built only together with its files, which is what the consoles do.
    options = ("--render", "none", "--allow-empty", "--skip-rules", "gitops/missing-*")
    return run_command_line(["validate", str(path), *options])


def _check_script(text: str) -> None:
    """A script is one that a shell can read, and every line of ours in it has a command and options that exist."""
    run = subprocess.run(["sh", "-n"], input=text, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    for line in text.replace("\\\n", " ").splitlines():
        for call in re.findall(r"(?:^|[\s;&|(])gitops-ci( [^;&|)#]*)", line):
            _check_call(shlex.split(call))


def _check_call(words: list[str]) -> None:
    command: click.Command = main
    while isinstance(command, click.Group) and words:
        with click.Context(command) as ctx:
            found = command.get_command(ctx, words[0])
        assert found is not None, f"no command {words[0]}"
        command, words = found, words[1:]
    if not {"--help", "--version"} & set(words):
        command.make_context(command.name, words).close()


# What is said between the blocks.


def _options() -> set[str]:
    found = {"--help", "--version"}
    for command in COMMANDS.values():
        for one in command.commands.values() if isinstance(command, click.Group) else [command]:
            found |= {name for option in one.params for name in option.opts}
    return found


# Options of other programs that pages name in their text.
OTHERS: Mapping[str, set[str]] = {
    "docs/air-gapped.md": {"--platform", "--python-version"},
    "docs/images.md": {"--new-bundle-format", "--type"},
    "docs/image-tools.md": {
        *(
            "--additional-tag",
            "--all",
            "--allow-nondistributable-artifacts",
            "--authfile",
            "--concurrency",
            "--encrypt-layer",
        ),
        *("--decryption-key", "--dest-compress", "--dest-creds", "--dest-registry-token", "--dest-shared-blob-dir"),
        *(
            "--digest-tags",
            "--digestfile",
            "--fast",
            "--force-recursive",
            "--include-external",
            "--jobs",
            "--multi-arch",
        ),
        *(
            "--no-clobber",
            "--platforms",
            "--preserve-digests",
            "--raw",
            "--recursive",
            "--referrers",
            "--referrers-src",
        ),
        *("--referrers-tgt", "--remove-signatures", "--retry-delay", "--retry-times", "--sign-by", "--src-cert-dir"),
        *("--src-creds", "--src-daemon-host", "--src-registry-token", "--src-tls-verify", "--tarball"),
    },
    "docs/limits.md": {"--enable-new-git-file-globbing"},
    "docs/platforms.md": {"--rm", "--volume", "--check", "--ignore-missing"},
    "docs/pre-commit.md": {"--all-files", "--no-verify"},
    "docs/from-gitopscli.md": {
        *("--git-provider", "--git-provider-url", "--organisation", "--repository-name", "--username", "--password"),
        *("--git-user", "--git-email", "--git-author-name", "--git-author-email", "--file", "--values"),
        *("--single-commit", "--create-pr", "--auto-merge", "--merge-method", "--pr-labels", "--commit-message"),
        "--json",
    },
}


RULE_PAGES = sorted(f"docs/rules/{path.name}" for path in (CHECKOUT / "docs" / "rules").glob("*.md"))


@pytest.mark.parametrize("page", [*PAGES, *RULE_PAGES, "CONTRIBUTING.md", "SECURITY.md"])
def test_every_option_that_is_named_exists(page: str) -> None:
    prose = _CODE.sub("", (CHECKOUT / page).read_text())
    assert set(_OPTION.findall(prose)) - OTHERS.get(page, set()) <= _options()


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page: str) -> None:
    here = CHECKOUT / page
    for target, anchor in _LINK.findall(_CODE.sub("", here.read_text())):
        if "://" in target:
            continue
        aim = (here.parent / target).resolve() if target else here
        assert aim.exists(), f"{page}: {target}"
        if anchor:
            assert anchor[1:] in _anchors(aim), f"{page}: {target}{anchor}"


def _anchors(page: Path) -> set[str]:
    """What GitHub makes of headings: lower case, no punctuation, dashes for blanks."""
    headings = re.findall(r"^#+ (.+)$", _CODE.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_page_is_linked_from_the_readme() -> None:
    linked = {target for target, _ in _LINK.findall((CHECKOUT / "README.md").read_text())}
    assert [page for page in PAGES if page != "README.md" and page not in linked] == []
