"""A program in the place of a renderer, a helper or git looks for a planted token in every process that it can see.

It reads the environment, the command line and the open files of each process under /proc: as root, as an ordinary user,
in namespaces of its own and without them.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.flows.test_bump import DEPLOYMENT, FILES, IMAGE
from tests.support import CHECKOUT, missing
from tests.support.git_http import git_server
from tests.support.workspace import make_checkout

# Another run of this file on the machine has another mark in its secrets.
MARK = f"p{secrets.token_hex(6)}"
TOKEN = f"glpat-{MARK}-T0ken-0123456789"
PASSWORD = f"{MARK}-passw0rd-0123456789"
SECRETS = {
    "GITOPS_CI_TOKEN": TOKEN,
    "GITHUB_TOKEN": TOKEN,
    "CI_JOB_TOKEN": TOKEN,
    "GITOPS_CI_REGISTRY_USER": "bot",
    "GITOPS_CI_REGISTRY_PASSWORD": PASSWORD,
    "CI_REGISTRY_PASSWORD": PASSWORD,
    "DOCKER_AUTH_CONFIG": f'{{"auths": {{"ghcr.io": {{"auth": "{PASSWORD}"}}}}}}',
    "AWS_SECRET_ACCESS_KEY": PASSWORD,
    "DEPLOY_KEY": f"-----BEGIN KEY-----\n{PASSWORD}\n-----END KEY-----\n",
    "MY_PAT": TOKEN,
    "CI_REPOSITORY_URL": f"https://gitlab-ci-token:{TOKEN}@gitlab.example.com/acme/shop.git",
    "HTTPS_PROXY": f"http://proxy:{PASSWORD}@127.0.0.1:1",
    "PLAIN_ADDRESS": f"https://example.com/?t={TOKEN}",
}
# Notes every place where a process that began after the test shows the token; then it is the program it stands for,
# where there is one.
SEEKER = """\
#!{python} -I
import json, os, stat, sys
found = []
needles = [needle.encode() for needle in {needles!r}]
def look(path):
    try:
        if path.rpartition("/")[2].isdigit() and not stat.S_ISREG(os.stat(path).st_mode):
            return
        with open(path, "rb") as file:
            data = file.read(1 << 22)
    except OSError:
        return
    if any(needle in data for needle in needles):
        found.append(path)
looked = 0
for process in filter(str.isdigit, os.listdir("/proc")):
    looked += 1
    try:
        with open(f"/proc/{{process}}/stat", "rb") as file:
            if int(file.read().rpartition(b")")[2].split()[19]) < {began}:
                continue
    except OSError:
        continue
    for name in ("environ", "cmdline"):
        look(f"/proc/{{process}}/{{name}}")
    try:
        for number in os.listdir(f"/proc/{{process}}/fd"):
            look(f"/proc/{{process}}/fd/{{number}}")
    except OSError:
        pass
readable = []
for name in ("environ", "mem"):
    try:
        open(f"/proc/{{os.environ.get('SEEN_PARENT', os.getppid())}}/{{name}}", "rb").close()
        readable.append(name)
    except OSError:
        pass
with open({log!r}, "a") as log:
    note = {{"found": found, "looked": looked, "argv": sys.argv, "pid": os.getpid(), "readable": readable}}
    log.write(json.dumps(note) + "\\n")
real = {real!r}
if real:
    os.execv(real, sys.argv)
sys.stdout.write("apiVersion: v1\\nkind: ConfigMap\\nmetadata: {{name: a}}\\n")
"""
# As it is, and in base64 at each of three places.
NEEDLES = [MARK] + [
    base64.b64encode(b"\0" * lead + f"-{MARK}".encode()).decode()[4 if lead else 2 : 16].rstrip("=")
    for lead in range(3)
]
AS_USER = ["unshare", "--user", "--map-user=1000", "--map-group=1000", "--"]


def _now() -> int:
    """When a process would begin that is started now: field 22 of proc_pid_stat(5), in ticks."""
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as child:
        return int(Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()[19])


@pytest.fixture
def seekers(tmp_path_factory):
    """A folder with a seeker of each name, and what they found."""
    folder = tmp_path_factory.mktemp("seekers")
    log = folder / "log"
    log.touch()
    began = _now()

    def call(*names: str) -> Path:
        for name in names:
            real = shutil.which(name) if name == "git" else ""
            (folder / name).write_text(
                SEEKER.format(python=sys.executable, log=str(log), real=real, needles=NEEDLES, began=began)
            )
            (folder / name).chmod(0o755)
        return folder

    call.notes = lambda: [json.loads(line) for line in log.read_text().splitlines()]
    return call


@pytest.fixture(params=["as it is", "as a user"])
def prefix(request):
    """What the program is started by: the user of the test (often root), or one without any privilege."""
    if request.param == "as it is":
        return []
    if subprocess.run([*AS_USER, "true"], capture_output=True, check=False).returncode:
        missing("an ordinary user cannot be played here: user namespaces are not allowed")
    return AS_USER


def gitops_ci(folder: Path, arguments, *, path: str, prefix=(), how=("-m", "gitops_ci"), **more):
    environment = {"PATH": path, "HOME": str(folder), "LC_ALL": "C.UTF-8", **SECRETS, **more}
    where = shutil.which(prefix[0]) if prefix else None
    return subprocess.run(
        [*([where, *prefix[1:]] if where else []), sys.executable, *how, *arguments],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


UNITS = {
    "app/kustomization.yaml": "resources: [a.yaml]\n",
    "app/a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n",
    "chart/Chart.yaml": "apiVersion: v2\nname: shop\nversion: 0.1.0\n",
}


def test_the_seeker_would_find_the_token(tmp_path, seekers):
    seekers("kustomize")
    environment = {"PATH": os.environ["PATH"], **SECRETS}
    code = "import subprocess, sys; subprocess.run([sys.argv[1]], env={'PATH': ''})"
    subprocess.run([sys.executable, "-c", code, str(seekers() / "kustomize")], env=environment, check=True)
    assert any(path.endswith("/environ") for note in seekers.notes() for path in note["found"])


@pytest.mark.parametrize("options", [(), ("--allow-remote",)])
@pytest.mark.parametrize("isolated", [True, False], ids=["isolated", "not isolated"])
@pytest.mark.parametrize("program", ["kustomize", "kubectl", "helm"])
def test_a_renderer_finds_no_token(tmp_path, seekers, prefix, program, isolated, options):
    folder = seekers(program)
    if isolated:
        (folder / "unshare").symlink_to(shutil.which("unshare") or missing("unshare is not installed"))
        (folder / "true").symlink_to(shutil.which("true"))
    make_checkout(tmp_path, UNITS, origin="https://github.com/acme/shop")
    # A program that may fetch needs the proxy, and its password.
    proxy = {"HTTPS_PROXY": ""} if options else {}
    ran = gitops_ci(tmp_path, ["validate", *options], path=str(folder), prefix=prefix, **proxy)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    [note] = seekers.notes()
    assert note["found"] == []
    if prefix and not isolated:
        assert note["readable"] == [], "an ordinary user must not read the memory of this program"
    if isolated:
        assert note["looked"] < 5


@pytest.mark.parametrize("mode", ["push", "dry-run"])
def test_only_a_git_that_speaks_to_the_remote_has_the_token(tmp_path, seekers, mode):
    folder = seekers("git")
    with git_server(tmp_path, token=TOKEN) as server:
        server.make_repo("acme/config", FILES)
        where = ["--config-repo", server.url_of("acme/config"), "--forge", "git", "--mode", mode]
        ran = gitops_ci(tmp_path, ["bump", IMAGE, *where], path=str(folder), HTTPS_PROXY="")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    notes = seekers.notes()
    assert any(note["found"] for note in notes), "the seeker knows the header when it sees it"
    assert any("cat-file" in note["argv"] for note in notes)
    for note in notes:
        speaks = {"ls-remote", "fetch", "push"} & {*note["argv"]}
        assert note["found"] == ([f"/proc/{note['pid']}/environ"] if speaks else []), note


def test_a_credential_helper_gets_the_clouds_keys_and_none_of_ours(tmp_path, seekers):
    folder = seekers("git")
    helper = folder / "docker-credential-cloud"
    helper.write_text(f"#!/bin/sh\n/usr/bin/env > {tmp_path}/seen\nexit 1\n")
    helper.chmod(0o755)
    (tmp_path / "docker").mkdir()
    (tmp_path / "docker/config.json").write_text('{"credsStore": "cloud"}')
    secrets = {"GITOPS_CI_REGISTRY_PASSWORD": "", "DOCKER_CONFIG": str(tmp_path / "docker")}
    gitops_ci(tmp_path, ["image", "retag", "127.0.0.1:1/acme/shop:1", "2"], path=str(folder), **secrets)
    seen = (tmp_path / "seen").read_text()
    assert f"AWS_SECRET_ACCESS_KEY={PASSWORD}" in seen
    assert "GITOPS_CI_TOKEN" not in seen


# The restart changes nothing else

SHOW = """\
import os, sys
from gitops_ci import variables
variables.start_without_secrets(["validate"])
flags = (sys.flags.isolated, sys.flags.utf8_mode, sys.flags.dont_write_bytecode, sys.flags.hash_randomization)
print(os.getpid(), flags, sys.argv[1:], sys.stdin.read(), sorted(variables.variables().items()), file=sys.stderr)
print(sorted(os.environ.items()))
"""


def _shown(tmp_path, environment, flags=()):
    process = subprocess.Popen(
        [sys.executable, *flags, "-c", f"import sys; sys.path.insert(0, {str(CHECKOUT)!r})\n{SHOW}", "ä", "-x", ""],
        cwd=tmp_path,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    out, err = process.communicate("typed", timeout=60)
    assert process.returncode == 0, err
    assert err.startswith(f"{process.pid} "), "it is the same process"
    return err.partition(" ")[2], out


@pytest.mark.parametrize("flags", [(), ("-I", "-X", "utf8"), ("-B",)])
def test_a_restart_keeps_flags_arguments_input_and_variables(tmp_path, flags):
    plain = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "A": "1\n2", "GITOPS_CI_SIGNING_KEY": "/k"}
    plain |= {"DOCKER_HOST": "ssh://jane@example.com", "SSH_AUTH_SOCK": "/run/agent", "GIT_SSH_COMMAND": "ssh -i /k"}
    before, _ = _shown(tmp_path, plain, flags)
    after, children = _shown(tmp_path, {**plain, **SECRETS, "BIG_TOKEN": "x" * 100_000}, flags)
    assert "'ä', '-x', ''] typed" in before
    assert after.partition("] typed")[0] == before.partition("] typed")[0]
    for name, value in {**plain, **SECRETS, "BIG_TOKEN": "x" * 100_000}.items():
        assert f"({name!r}, {value!r})" in after
    assert TOKEN not in children
    for name, value in {**plain, "HTTPS_PROXY": SECRETS["HTTPS_PROXY"]}.items():
        assert f"({name!r}, {value!r})" in children, "other programs, and the Docker SDK, need it"


@pytest.mark.parametrize("way", ["module", "script", "zipapp"])
def test_every_way_to_start_it(tmp_path, seekers, way):
    import zipapp

    folder = seekers("kustomize")
    how = ["-m", "gitops_ci"]
    if way == "script":
        (tmp_path / "gitops-ci").write_text("import sys\nfrom gitops_ci.__main__ import main\nsys.exit(main())\n")
        how = [str(tmp_path / "gitops-ci")]
    elif way == "zipapp":
        (tmp_path / "app").mkdir()
        (tmp_path / "app/__main__.py").write_text("from gitops_ci.__main__ import main\nmain()\n")
        zipapp.create_archive(tmp_path / "app", tmp_path / "app.pyz")
        how = [str(tmp_path / "app.pyz")]
    make_checkout(tmp_path / "tree", UNITS, origin="")
    ran = gitops_ci(tmp_path / "tree", ["validate"], path=str(folder), how=how, PYTHONPATH=str(CHECKOUT))
    assert ran.returncode == 0, ran.stderr
    assert [note["found"] for note in seekers.notes()] == [[]]


def test_an_untrusted_run_has_no_secret_at_all(tmp_path, seekers):
    folder = seekers("git")
    (tmp_path / "event").write_text('{"pull_request": {"head": {"repo": {"full_name": "mallory/shop"}}}}')
    where = {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "pull_request_target", "GITHUB_EVENT_PATH": "event"}
    repo = make_checkout(tmp_path / "config", {"a.yaml": DEPLOYMENT}, origin="")
    ran = gitops_ci(
        tmp_path,
        ["bump", IMAGE, "--config-repo", str(repo), "--mode", "dry-run", "--forge", "git"],
        path=str(folder),
        HTTPS_PROXY="",  # the way to the network stays
        **where,
    )
    assert ran.returncode == 0, ran.stderr
    assert seekers.notes()
    assert [path for note in seekers.notes() for path in note["found"]] == []


def test_commands_that_start_nothing_are_not_restarted(tmp_path):
    for arguments in (["--version"], ["--help"], ["validate", "--help"], ["completion", "bash"], ["config", "check"]):
        strace = "import os, sys\nos.execve = lambda *a: sys.exit(99)\n"
        code = f"{strace}sys.argv[1:] = {arguments!r}\nfrom gitops_ci.__main__ import main\nmain()"
        ran = gitops_ci(tmp_path, [], path=os.environ["PATH"], how=["-c", code], PYTHONPATH=str(CHECKOUT))
        assert ran.returncode != 99, arguments


@pytest.mark.parametrize("arguments", [("--", "app", "--help"), ("--", "-h", "app"), ("--crd-path", "-h", "app")])
def test_no_name_or_value_keeps_it_from_being_restarted(tmp_path, seekers, arguments):
    folder = seekers("kustomize")
    make_checkout(tmp_path, {**UNITS, "--help": "", "-h": ""}, origin="")
    gitops_ci(tmp_path, ["validate", *arguments], path=str(folder), HTTPS_PROXY="")
    notes = seekers.notes()
    assert [note["found"] for note in notes] == [[]], notes
