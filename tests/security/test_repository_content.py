"""What a foreign repository holds (symlinks, submodules, filters, hooks, odd paths) never acts on this machine."""

import hashlib
import os
from pathlib import Path

import pytest

from gitops_ci.configrepo.git import check_path
from gitops_ci.errors import UsageError
from tests.flows.test_bump import IMAGE
from tests.support.git_repo import Entry

VALUES = "image:\n  repository: ghcr.io/acme/shop\n  tag: 1.4.1\n"
NOWHERE = "/nonexistent/values.yaml"


@pytest.fixture
def bump(run, tmp_path, git_server):
    """Run a bump in a repository of these files; what it did, and the repository. `meanwhile` comes in between."""

    def call(files, *options, environment=None, meanwhile=lambda: None):
        repo = git_server.make_repo("acme/config", files)
        meanwhile()
        where = ("--config-repo", git_server.url_of("acme/config"), "--mode", "push")
        variables = {"GITOPS_CI_TOKEN": git_server.token, **(environment or {})}
        return run("bump", IMAGE, *where, *options, environment=variables), repo

    return call


def link(target):
    return Entry(str(target).encode(), "120000")


LINKS = {
    "to a file outside": {"apps/values.yaml": link("/etc/passwd")},
    "upwards": {"apps/values.yaml": link("../../../../../etc/passwd")},
    "into git's folder": {"apps/values.yaml": link("../.git/config")},
    "to itself": {"apps/values.yaml": link("values.yaml")},
    "through a folder": {"apps": link("/etc")},
    "to a file inside": {"apps/values.yaml": link("../real.yaml"), "real.yaml": "x: 1\n"},
}


@pytest.mark.parametrize("way", [("--at", "apps/values.yaml:$.image.tag"), ("--path", "apps/values.yaml"), ()])
@pytest.mark.parametrize("kind", LINKS)
def test_a_symlink_is_neither_read_nor_written_through(bump, kind, way):
    before = hashlib.sha256(Path("/etc/passwd").read_bytes()).digest()
    ran, repo = bump(LINKS[kind], *way)
    assert ran.code != 0
    assert repo.count() == 1
    assert "root:" not in ran.out + ran.err
    assert hashlib.sha256(Path("/etc/passwd").read_bytes()).digest() == before


def test_a_symlink_beside_the_manifest_stays_a_symlink(bump):
    ran, repo = bump({"values.yaml": VALUES, "link.yaml": link(NOWHERE), "dir": link("..")})
    assert ran.code == 0, ran.err
    assert "120000" in repo.git("ls-tree", "main", "link.yaml")
    assert repo.git("diff", "--name-only", "main~1", "main") == "values.yaml"


def test_a_symlink_that_is_pointed_at_is_called_one(bump):
    ran, _ = bump(LINKS["to a file outside"], "--at", "apps/values.yaml:$.image.tag")
    assert "symlink" in ran.out + ran.err


OUTSIDE = [
    *("../x.yaml", "a/../../x.yaml", "/etc/passwd", "//etc/passwd", "./x.yaml", "a/./x.yaml", "a//x.yaml", "..", "."),
    *("C:\\x.yaml", "a\\..\\x.yaml", "\\\\host\\share", "..\\x.yaml", "a/..", "x/", "", "~/../x/.."),
    *(".git/config", ".GIT/config", ".Git/hooks/x", "a/.git/config", "a/.giT/x", ".git", ".git./config", ".git /x"),
    *("git~1/config", "GIT~1/x", ".git::$INDEX_ALLOCATION/x", ".g\u200cit/config", ".gi\u200dt/x", "\ufeff.git/x"),
    "a\0b",
]


@pytest.mark.parametrize("path", OUTSIDE)
def test_a_path_out_of_the_tree_or_into_gits_own_folder_is_refused(path):
    with pytest.raises(UsageError):
        check_path(path)


@pytest.mark.parametrize("path", ["../x.yaml", "/etc/passwd", "a/../../x.yaml", ".git/config", ".GIT/hooks/pre-push"])
def test_a_pointer_out_of_the_tree_is_a_mistake_of_the_command_line(bump, path):
    ran, repo = bump({"values.yaml": VALUES}, "--at", f"{path}:$.image.tag")
    assert ran.code == 2, ran
    assert repo.count() == 1
    assert "root:" not in ran.out + ran.err


@pytest.mark.parametrize(
    "path", ["../x.yaml", "/etc/passwd", "a/../../x", ".git/config", ".GIT/hooks", "C:\\x", "a/.."]
)
@pytest.mark.parametrize("option", ["--path", "--exclude"])
def test_a_selection_out_of_the_tree_is_a_mistake_of_the_command_line(bump, path, option):
    ran, repo = bump({"values.yaml": VALUES}, option, path)
    assert ran.code == 2, ran
    assert repo.count() == 1


@pytest.mark.parametrize("path", ["../x.yaml", "/etc/passwd", ".git/config"])
def test_an_environment_out_of_the_tree_is_a_mistake_of_its_file(bump, path):
    own = f"environments: {{staging: {{paths: ['{path}']}}}}\n"
    ran, repo = bump({"values.yaml": VALUES, ".gitops-ci.yaml": own}, "--environment", "staging")
    assert ran.code == 2, ran
    assert repo.count() == 1


def test_paths_that_only_look_dangerous_are_fine():
    for path in (".github/workflows/x.yml", ".gitlab-ci.yml", "a/.gitops/x.yaml", "a/...", "..a/b", "digit/x", "a b/c"):
        assert check_path(path) == path


@pytest.mark.parametrize("options", [(), ("--at", "apps/values.yaml:$.image.tag"), ("--path", "apps/values.yaml")])
def test_a_submodule_is_neither_fetched_nor_written_into(bump, sink, options):
    modules = f'[submodule "apps"]\n\tpath = apps\n\turl = http://127.0.0.1:{sink.port}/evil.git\n'
    ran, repo = bump({"apps": Entry(b"1" * 40, "160000"), ".gitmodules": modules, "values.yaml": VALUES}, *options)
    assert (ran.code == 0) == (not options), ran
    assert repo.count() == (1 if options else 2)
    assert repo.git("ls-tree", "main", "apps").startswith("160000 commit")
    assert sink.connections == 0


def test_a_submodule_with_a_command_is_refused_when_it_is_fetched(bump, tmp_path):
    modules = f'[submodule "apps"]\n\tpath = apps\n\turl = x\n\tupdate = !touch {tmp_path}/ran\n'
    ran, repo = bump({"apps": Entry(b"1" * 40, "160000"), ".gitmodules": modules, "values.yaml": VALUES})
    assert (ran.code, repo.count()) == (5, 1)
    assert not (tmp_path / "ran").exists()


DRIVERS = """\
*.yaml filter=evil diff=evil merge=evil text eol=crlf ident working-tree-encoding=UTF-16
*.yml export-subst -text
"""


def test_attributes_filters_and_conversions_change_no_byte(bump, tmp_path, clean_environment):
    marker = tmp_path / "ran"
    settings = (
        f'[filter "evil"]\n\tclean = touch {marker}\n\tsmudge = touch {marker}\n\trequired = true\n'
        f'[diff "evil"]\n\ttextconv = touch {marker}\n\tcommand = touch {marker}\n'
        f'[merge "evil"]\n\tdriver = touch {marker}\n[core]\n\tautocrlf = true\n'
    )
    before = b"# $Id$ \xc3\xa9\r\n" + VALUES.replace("\n", "\r\n").encode() + b"mixed: 1\nlast: no newline"
    ran, repo = bump(
        {"values.yaml": before, ".gitattributes": DRIVERS},
        meanwhile=lambda: (clean_environment / ".gitconfig").write_text(settings),
    )
    assert ran.code == 0, ran.err
    assert not marker.exists()
    assert repo.read("values.yaml") == before.replace(b"1.4.1", b"1.5.0")
    assert not marker.exists()


def test_a_large_files_pointer_is_refused_with_the_reason(bump):
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "a" * 64 + "\nsize 12345\n"
    files = {"values.yaml": pointer, ".gitattributes": "*.yaml filter=lfs diff=lfs merge=lfs -text\n"}
    ran, repo = bump(files, "--at", "values.yaml:$.image.tag")
    assert ran.code != 0
    assert "values.yaml" in ran.out + ran.err
    assert repo.read("values.yaml").decode() == pointer


SETTINGS = """\
[core]
	hooksPath = {folder}/hooks
	fsmonitor = {script}
	sshCommand = {script}
	askPass = {script}
	pager = {script}
	editor = {script}
	gitProxy = {script}
	attributesFile = {folder}/attributes
[credential]
	helper = {script}
[credential "http://127.0.0.1"]
	helper = !{script}
[init]
	templateDir = {folder}/template
[url "http://127.0.0.1:{port}/"]
	insteadOf = http://127.0.0.1
	pushInsteadOf = http://127.0.0.1
[alias]
	fetch = !{script}
	push = !{script}
	ls-remote = !{script}
	init = !{script}
[uploadpack]
	packObjectsHook = {script}
[gpg]
	program = {script}
[gpg "ssh"]
	program = {script}
[commit]
	gpgSign = true
[http]
	proxy = http://127.0.0.1:{port}
[protocol "ext"]
	allow = always
[include]
	path = {folder}/more
[push]
	recurseSubmodules = on-demand
[trace2]
	eventTarget = {folder}/ran
"""
VARIABLES = {
    "GIT_CONFIG_PARAMETERS": "'core.hooksPath={folder}/hooks' 'credential.helper={script}'",
    "GIT_DIR": "{folder}",
    "GIT_EXTERNAL_DIFF": "{script}",
    "GIT_OBJECT_DIRECTORY": "{folder}",
    "GIT_PAGER": "{script}",
    "GIT_PROXY_COMMAND": "{script}",
    "GIT_TEMPLATE_DIR": "{folder}/template",
    "GIT_TRACE": "{folder}/ran",
    "GIT_TRACE_CURL": "{folder}/ran",
    "GIT_WORK_TREE": "{folder}",
    "SSH_ASKPASS": "{script}",
    "GIT_ASKPASS": "{script}",
    "GIT_EDITOR": "{script}",
}


@pytest.mark.parametrize("source", ["the user's file", "variables", "both"])
def test_hooks_helpers_and_aliases_of_the_machine_do_not_run(
    bump, tmp_path_factory, tmp_path, clean_environment, sink, source
):
    folder = tmp_path_factory.mktemp("hostile")
    script, marker = folder / "script", folder / "ran"
    script.write_text(f"#!/bin/sh\necho ran >> {marker}\n")
    script.chmod(0o755)
    hooks = ("pre-push", "pre-commit", "post-checkout", "reference-transaction", "post-index-change", "update")
    for place in (folder / "hooks", folder / "template" / "hooks"):
        place.mkdir(parents=True)
        for hook in hooks:
            os.link(script, place / hook)

    def settings():
        if source != "variables":
            filled = SETTINGS.format(folder=folder, script=script, port=sink.port)
            (clean_environment / ".gitconfig").write_text(filled)

    variables = {name: text.format(folder=folder, script=script) for name, text in VARIABLES.items()}
    ran, repo = bump(
        {"values.yaml": VALUES}, environment={} if source == "the user's file" else variables, meanwhile=settings
    )
    assert ran.code == 0, ran
    assert not marker.exists()
    assert sink.connections == 0
    (clean_environment / ".gitconfig").unlink(missing_ok=True)  # the test's own git would read it
    assert repo.count() == 2


def test_the_hostile_settings_above_would_run_without_care(tmp_path_factory, clean_environment, sink, monkeypatch):
    """The same file, read by a plain git, does harm: the test above could fail."""
    import subprocess

    folder = tmp_path_factory.mktemp("hostile")
    script, marker = folder / "script", folder / "ran"
    script.write_text(f"#!/bin/sh\necho ran >> {marker}\n")
    script.chmod(0o755)
    (clean_environment / ".gitconfig").write_text(SETTINGS.format(folder=folder, script=script, port=sink.port))
    monkeypatch.setenv("GIT_TERMINAL_PROMPT", "0")
    subprocess.run(["git", "ls-remote", "http://127.0.0.1/acme/config.git"], capture_output=True, timeout=20)
    assert marker.exists() or sink.connections


@pytest.mark.parametrize(
    "options",
    [
        ("--title", "Bump\n\nCo-authored-by: Eve <eve@example.com>"),
        ("--title", "Bump\r\n\r\nSigned-off-by: Eve <eve@example.com>"),
        ("--title", "Bump\u2028\u2028Acked-by: Eve <eve@example.com>"),
    ],
)
def test_a_title_cannot_add_trailers(bump, options):
    ran, repo = bump({"values.yaml": VALUES}, *options)
    assert ran.code in {0, 2}, ran
    if ran.code == 0:
        assert trailers(repo) == {"Image", "Previous-Image", "Gitops-Ci-Tree"}
        assert "Bump" in repo.message().splitlines()[0]


def test_what_the_ci_says_cannot_add_trailers(bump):
    evil = "x\nCo-authored-by: Eve <eve@example.com>\n\nSigned-off-by: Eve"
    environment = {
        "GITLAB_CI": "true",
        "CI_PROJECT_URL": f"https://gitlab.example/{evil}",
        "CI_COMMIT_SHA": evil,
        "CI_JOB_URL": f"https://gitlab.example/jobs/{evil}",
    }
    ran, repo = bump({"values.yaml": VALUES}, environment=environment)
    assert ran.code == 0, ran
    allowed = {"Image", "Previous-Image", "Gitops-Ci-Tree", "Source-Repository", "Source-Commit", "Pipeline-URL"}
    assert trailers(repo) <= allowed


@pytest.mark.parametrize("name", ["Eve\nCo-authored-by: X", "Eve> 0 +0000\nparent x", "Eve <x@y> <z"])
def test_an_author_cannot_add_lines_to_a_commit(bump, name):
    environment = {"GIT_AUTHOR_NAME": name, "GIT_AUTHOR_EMAIL": f"{name}@example.com"}
    ran, repo = bump({"values.yaml": VALUES}, environment=environment)
    assert ran.code == 0, ran
    repo.git("fsck", "--strict")
    assert len(repo.git("log", "-1", "--format=%an%n%ae").splitlines()) == 2
    assert trailers(repo) == {"Image", "Previous-Image", "Gitops-Ci-Tree"}


def trailers(repo):
    lines = repo.git("log", "-1", "--format=%(trailers:only,unfold)").splitlines()
    assert len(lines) == len({*lines})
    return {line.partition(":")[0] for line in lines if line}
