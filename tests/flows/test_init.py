"""`gitops-ci init`: what it sees in real repositories, what it writes, and that it never replaces anything unasked."""

import contextlib
import json
import os
import pty
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from gitops_ci import __version__
from gitops_ci.config import load
from gitops_ci.flows.init import SYSTEMS
from gitops_ci.flows.init.applications import applications
from gitops_ci.flows.init.survey import survey
from gitops_ci.project import SCHEMA_URL, TEMPLATES_URL
from tests.support import dev_tool
from tests.support.actionlint import actionlint
from tests.support.corpus import OTHERS, OWN
from tests.support.corpus import repository as corpus_repository

SCHEMAS = {
    ".gitea/workflows/*.yml": "vendor.github-workflows",
    "bitbucket-pipelines.yml": "vendor.bitbucket-pipelines",
    "azure-pipelines.yml": "vendor.azure-pipelines",
    ".woodpecker/*.yaml": "vendor.woodpecker-ci",
}
REMOTE = "https://github.com/acme/shop-config"


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A checkout of the given files in the current folder, with an `origin`."""
    monkeypatch.chdir(tmp_path)

    def make(files, origin="https://github.com/Acme/Shop.git"):
        for name, text in files.items():
            Path(name).parent.mkdir(parents=True, exist_ok=True)
            Path(name).write_text(text)
        subprocess.run(["git", "init", "--quiet"], check=True)
        if origin:
            subprocess.run(["git", "remote", "add", "origin", origin], check=True)

    return make


KUSTOMIZATION = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: []\n"


@pytest.mark.parametrize(
    ("name", "kinds", "environments"),
    [
        ("own cases", {"argocd", "fleet", "flux", "helm", "kustomize", "kubernetes"}, {"production"}),
        *(
            pytest.param(*row, marks=pytest.mark.corpus)
            for row in (
                ("flux2-kustomize-helm-example", {"flux", "kustomize", "kubernetes"}, {"staging", "production"}),
                ("argocd-example-apps", {"argocd", "helm", "kustomize", "kubernetes"}, {"production"}),
                ("fleet-examples", {"fleet", "kubernetes"}, {"dev", "test", "prod"}),
                ("podinfo", {"helm", "kubernetes", "kustomize"}, set()),
            )
        ),
    ],
)
def test_whole_repositories_are_understood(name, kinds, environments):
    folder = corpus_repository(name)
    files = {
        path.relative_to(folder).as_posix(): path.read_text(errors="replace")
        if path.suffix in {".yaml", ".yml"}
        else ""
        for path in folder.rglob("*")
        if path.is_file()
    }
    found = survey(files)
    assert kinds <= found.kinds.keys()
    assert environments <= found.environments.keys()


@pytest.mark.parametrize("system", ["github", "gitlab"])
@pytest.mark.parametrize("names", [OWN, pytest.param(OTHERS, marks=pytest.mark.corpus)], ids=["own", "others"])
def test_what_is_written_for_whole_repositories_fits_and_reaches_all_manifests(
    run, tmp_path, monkeypatch, system, names
):
    """With and without an application beside the manifests."""
    written = []
    for name in names:
        for dockerfile in (False, True):
            folder = tmp_path / f"{name}-{dockerfile}"
            shutil.copytree(corpus_repository(name), folder)
            if dockerfile:
                (folder / "Dockerfile").write_text("FROM scratch\n")
            subprocess.run(["git", "init", "--quiet", str(folder)], check=True)
            monkeypatch.chdir(folder)
            more = ["--config-repo", REMOTE, "--image", "ghcr.io/acme/shop"] if dockerfile else []
            done = run("init", "--ci", system, "--force", *more)
            assert done.code == 0, (name, done.err)
            assert run("config", "check").code == 0
            files = [".github/workflows/release.yml"] * dockerfile + [".github/workflows/pre-merge.yml"]
            if Path(".github/workflows/promote.yml").exists():
                written.append(folder / ".github/workflows/promote.yml")
            written += [folder / file for file in (files if system == "github" else [".gitlab-ci.yml"])]
            paths = re.search(r"paths:((?: [^|\s]+)+| \|\n(?: {12}\S+\n)+)", written[-1].read_text())[1].split()
            assert set(_folders_with_manifests(folder)) <= {*paths} or paths == ["."], name
    kind = {"github": "vendor.github-workflows", "gitlab": "vendor.gitlab-ci"}[system]
    command = [dev_tool("check-jsonschema"), "--builtin-schema", kind, *map(str, written)]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0


def _folders_with_manifests(folder):
    for path in folder.glob("*/**/*.y*ml"):
        top = path.relative_to(folder).parts[0]
        if top[0] != "." and re.search(r"(?m)^apiVersion: .*\n(?:.*\n)*?kind: ", path.read_text(errors="replace")):
            yield top


def test_environments_are_written_in_their_order_each_promoted_from_the_one_before(repository, run):
    names = ("dev", "staging", "prod", "production")
    repository({f"apps/{name}/kustomization.yaml": KUSTOMIZATION for name in reversed(names)})
    assert run("init").code == 0
    environments = load(".gitops-ci.yaml").environments
    before = {name: environment.promote_from for name, environment in environments.items()}
    assert tuple(environments) == names
    assert before == {"dev": (), "staging": ("dev",), "prod": ("staging",), "production": ("staging",)}
    assert run("config", "check").code == 0


def test_a_repository_with_environments_in_a_row_gets_a_workflow_that_promotes(repository, run):
    repository({f"apps/{name}/kustomization.yaml": KUSTOMIZATION for name in ("staging", "production")})
    subprocess.run(["git", "symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/trunk"], check=True)
    done = run("init")
    assert "next: allow GitHub Actions to create pull requests" in done.err
    workflow = yaml.safe_load(Path(".github/workflows/promote.yml").read_text())
    assert workflow[True].keys() == {"push", "schedule", "workflow_dispatch"}  # YAML 1.1 reads `on` as true
    assert workflow[True]["push"] == {"branches": ["trunk"]}
    assert workflow["concurrency"] == {"group": "promote", "cancel-in-progress": False}
    assert workflow["jobs"]["promote"]["steps"][-1]["with"]["command"] == "promote"
    assert [name for name, one in load(".gitops-ci.yaml").environments.items() if one.promote == "auto"] == [
        "production"
    ]
    assert run("init", "--ci", "gitlab", "--force").code == 0
    _fits("vendor.gitlab-ci", Path(".gitlab-ci.yml"))
    pipeline = yaml.safe_load(Path(".gitlab-ci.yml").read_text())
    assert pipeline["include"][-1]["inputs"] == {"to": "auto", "config-repo": "$CI_PROJECT_URL"}
    assert pipeline["stages"] == ["test", "deploy"]


def test_environments_in_no_order_get_no_workflow_that_promotes(repository, run):
    repository({f"apps/overlays/{name}/kustomization.yaml": KUSTOMIZATION for name in ("eu", "us")})
    assert run("init").code == 0
    assert not Path(".github/workflows/promote.yml").exists()


def test_custom_kinds_are_told_where_schemas_are(repository, run):
    flux = "apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {name: a}\n"
    repository({"clusters/a.yaml": flux})
    assert run("init").code == 0
    assert "crds-catalog" in Path(".gitops-ci.yaml").read_text()
    plain = Path(".gitops-ci.yaml").read_text().replace("# schema-locations", "schema-locations")
    Path(".gitops-ci.yaml").write_text(plain)
    assert run("config", "check").code == 0


def test_application_gets_a_workflow_and_its_settings(repository, run):
    repository({"Dockerfile": "FROM scratch\n"})
    done = run("init", "--config-repo", REMOTE, "--environment", "staging")
    assert done.code == 0, done.err
    workflow = yaml.safe_load(Path(".github/workflows/release.yml").read_text())
    assert workflow["jobs"]["release"]["steps"][-2]["with"]["source"] == "shop:build"
    settings = load(".gitops-ci.yaml").options
    assert (settings["to"], settings["config_repo"]) == (("ghcr.io/acme/shop",), REMOTE)
    assert not Path(".github/workflows/pre-merge.yml").exists()
    assert "next: set the variable GITOPS_APP_ID" in done.err
    assert run("config", "check").code == 0


def test_config_repository_gets_the_check_and_its_environments(repository, run):
    repository({f"apps/shop/overlays/{name}/kustomization.yaml": KUSTOMIZATION for name in ("staging", "production")})
    assert run("init").code == 0
    assert not Path(".github/workflows/release.yml").exists()
    assert "paths: apps\n" in Path(".github/workflows/pre-merge.yml").read_text()
    environments = load(".gitops-ci.yaml").environments
    assert environments["staging"].paths == ("**/staging/**",)
    assert run("config", "check").code == 0


def test_one_repository_for_both_proposes_to_itself(repository, run):
    repository({"Dockerfile": "FROM scratch\n", "deploy/overlays/staging/kustomization.yaml": KUSTOMIZATION})
    assert run("init").code == 0
    text = Path(".github/workflows/release.yml").read_text()
    assert "create-github-app-token" not in text
    assert "pull-requests: write" in text
    assert load(".gitops-ci.yaml").options["config_repo"] == "https://github.com/Acme/Shop.git"


@pytest.mark.parametrize(("place", "filtered"), [("services/web/", True), ("", False)])
def test_a_merged_bump_in_the_same_repository_releases_nothing(repository, run, place, filtered):
    """On GitLab a commit on the default branch releases, and the merge of a bump is one: it would go round for ever."""
    repository({f"{place}Dockerfile": "FROM scratch\n", "deploy/overlays/staging/kustomization.yaml": KUSTOMIZATION})
    assert run("init", "--ci", "gitlab", "--image", "ghcr.io/acme/web").code == 0
    _fits("vendor.gitlab-ci", Path(".gitlab-ci.yml"))
    pipeline = yaml.safe_load(Path(".gitlab-ci.yml").read_text())
    [release] = [one["inputs"] for one in pipeline["include"] if "source" in one["inputs"]]
    # In a scheduled pipeline, which promotes, `changes` holds for every file.
    pushed = '$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH && $CI_PIPELINE_SOURCE != "schedule"'
    on_branch = {"if": pushed, "changes": ["services/web/**/*"]}
    rules = [{"if": "$CI_COMMIT_TAG"}, *([on_branch] if filtered else [])]
    assert [release["rules"], pipeline["build"]["rules"]] == [rules] * 2


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_system_gets_files_that_fit_their_schema(repository, run, system):
    repository({"services/web/Dockerfile": "FROM scratch\n", "k8s/staging/kustomization.yaml": KUSTOMIZATION})
    options = ["--ci", system, "--config-repo", REMOTE, "--image", "ghcr.io/acme/web"]
    assert run("init", *options).code == 0
    for path in Path(".github/workflows").glob("*.yml"):
        _fits("vendor.github-workflows", path)
    if system == "gitlab":
        _fits("vendor.gitlab-ci", Path(".gitlab-ci.yml"))
    written = "".join(path.read_text() for path in Path().rglob("*") if path.is_file() and ".git/" not in str(path))
    for pattern, kind in SCHEMAS.items():
        for path in Path().glob(pattern):
            _fits(kind, path)
    assert "docker build --tag web:build services/web" in written or system in {"shell", "tekton"}
    if system not in {"jenkins", "tekton", "shell"}:
        assert re.search(r"validate|pre-merge", written), "there are manifests"
    assert not re.search(r"@[A-Z_]+@|^#(?:if |end$)", written, re.MULTILINE)
    assert run("config", "check").code == 0
    if system == "shell":
        assert Path("release.sh").stat().st_mode & 0o111


def _fits(kind, path):
    # The patterns of Azure's schema are none of the strict dialect.
    command = [dev_tool("check-jsonschema"), "--regex-variant", "nonunicode", "--builtin-schema", kind, str(path)]
    ran = subprocess.run(command, check=False)
    assert ran.returncode == 0


def test_workflows_have_no_finding_but_the_version_that_is_to_be_pinned(repository, run):
    names = ("staging", "production")
    repository({"Dockerfile": "", **{f"k8s/{name}/kustomization.yaml": KUSTOMIZATION for name in names}}, REMOTE)
    assert run("init", "--config-repo", REMOTE, "--image", "ghcr.io/acme/shop").code == 0
    assert Path(".github/workflows/promote.yml").exists()
    paths = [str(path) for path in Path(".github/workflows").glob("*.yml")]
    command = [dev_tool("zizmor"), "--offline", "--persona=auditor", "--format=json", *paths]
    found = json.loads(subprocess.run(command, capture_output=True, text=True, check=False).stdout)
    assert {finding["ident"] for finding in found} == {"unpinned-uses"}


def test_existing_files_are_kept_unless_forced(repository, run):
    repository({"Dockerfile": "FROM scratch\n", ".github/workflows/release.yml": "name: mine\n"})
    refused = run("init", "--config-repo", REMOTE)
    assert refused.code == 2
    assert ".github/workflows/release.yml" in refused.out + refused.err
    assert Path(".github/workflows/release.yml").read_text() == "name: mine\n"
    assert not Path(".gitops-ci.yaml").exists()
    assert run("init", "--config-repo", REMOTE, "--force").code == 0
    again = run("init", "--config-repo", REMOTE, "--output", "json")
    assert (again.code, again.document["status"]) == (0, "unchanged")


def test_an_existing_gitlab_pipeline_is_left_alone(repository, run):
    repository({"Dockerfile": "", ".gitlab-ci.yml": "stages: [mine]\n"}, origin="https://gitlab.com/acme/shop.git")
    done = run("init", "--config-repo", "https://gitlab.com/acme/shop-config")
    assert done.code == 0
    assert Path(".gitlab-ci.yml").read_text() == "stages: [mine]\n"
    assert yaml.safe_load(Path(".gitlab/gitops-ci.yml").read_text()).keys() == {"include"}
    assert "next: add to .gitlab-ci.yml" in done.err


def test_dry_run_shows_the_files_and_writes_none(repository, run):
    repository({"Dockerfile": "FROM scratch\n"})
    done = run("init", "--config-repo", REMOTE, "--dry-run")
    assert done.code == 0
    assert "+image: ghcr.io/acme/shop" in done.out
    assert not Path(".gitops-ci.yaml").exists()


HUB = "https://github.com/a/b"


@pytest.mark.parametrize(
    ("files", "origin", "options", "hint"),
    [
        ({}, HUB, [], "Run it at the root"),
        ({"Dockerfile": ""}, HUB, [], "--config-repo"),
        ({"Dockerfile": ""}, "", ["--config-repo", REMOTE], "--ci"),
        ({"Dockerfile": ""}, "", ["--ci", "jenkins", "--config-repo", REMOTE], "--image"),
        ({"k/staging/kustomization.yaml": KUSTOMIZATION}, HUB, ["--environment", "qa"], "staging"),
        (
            {"Dockerfile": ""},
            HUB,
            ["--config-repo", REMOTE, "--environment", "a; id"],
            "--environ",
        ),
        ({"Dockerfile": ""}, HUB, ["--config-repo", "ext::sh -c id"], "https"),
    ],
)
def test_what_does_not_show_is_asked_for(repository, run, files, origin, options, hint):
    repository(files, origin)
    done = run("init", *options)
    assert done.code == 2
    assert hint in done.out + done.err
    assert not Path(".gitops-ci.yaml").exists()


def test_a_token_in_the_address_of_origin_is_not_repeated(repository, run):
    repository({"Dockerfile": ""}, "https://x:ghp_marked0token@github.com/acme/shop.git")
    done = run("init", "--config-repo", REMOTE, "--ci", "github", "--image", "ghcr.io/acme/shop")
    assert done.code == 0
    shutil.rmtree(".git")
    written = "".join(path.read_text() for path in Path().rglob("*") if path.is_file())
    assert "ghp_marked0token" not in done.out + done.err + written


def test_hostile_names_of_folders_stay_text(repository, run):
    repository(
        {
            'x"; touch marker; "/Dockerfile': "FROM scratch\n",
            "a b/$(touch marker)/staging/kustomization.yaml": KUSTOMIZATION,
            "k8s: x/overlays/qa\n- evil/kustomization.yaml": KUSTOMIZATION,
        }
    )
    assert run("init").code == 0
    assert "touch" not in Path(".github/workflows/pre-merge.yml").read_text()
    assert yaml.safe_load(Path(".gitops-ci.yaml").read_text())["environments"].keys() == {"staging"}
    assert "paths: .\n" in Path(".github/workflows/pre-merge.yml").read_text()


@pytest.mark.parametrize(
    ("trace", "origin", "file"),
    [
        ("bitbucket-pipelines.yml", "https://git.example.com/a/b", "bitbucket-pipelines.yml"),
        ("", "https://bitbucket.org/acme/shop", "bitbucket-pipelines.yml"),
        ("", "https://dev.azure.com/acme/shop/_git/shop", "azure-pipelines.yml"),
        (".woodpecker/x.yaml", "https://git.example.com/a/b", ".woodpecker/release.yaml"),
        (".tekton/x.yaml", "https://git.example.com/a/b", ".tekton/gitops-ci-release.yaml"),
    ],
)
def test_the_ci_system_shows_in_files_and_in_the_host(repository, run, trace, origin, file):
    repository({"Dockerfile": "FROM scratch\n", **({trace: ""} if trace else {})}, origin)
    assert run("init", "--config-repo", REMOTE, "--image", "registry.example.com/acme/shop", "--force").code == 0
    assert Path(file).read_text()


def test_gitea_has_a_registry_of_its_own(repository, run):
    repository({"Dockerfile": "FROM scratch\n"}, "https://codeberg.org/Acme/Shop.git")
    assert run("init", "--config-repo", REMOTE).code == 0
    assert "image: codeberg.org/acme/shop" in Path(".gitops-ci.yaml").read_text()


def test_a_gitlab_build_has_an_engine_on_a_runner_with_the_docker_executor(repository, run):
    repository({"Dockerfile": "FROM scratch\n"}, "https://gitlab.com/acme/shop.git")
    assert run("init", "--config-repo", REMOTE).code == 0
    build = yaml.safe_load(Path(".gitlab-ci.yml").read_text())["build"]
    assert build["image"].startswith("docker:")
    assert [service.endswith("-dind") for service in build["services"]] == [True]
    assert build["variables"] == {"DOCKER_TLS_CERTDIR": "/certs"}


def test_gitlab_takes_the_jobs_from_where_they_are_published(repository, run):
    repository({"Dockerfile": "FROM scratch\n"}, "https://gitlab.com/acme/shop.git")
    assert run("init", "--config-repo", REMOTE).code == 0
    [include] = yaml.safe_load(Path(".gitlab-ci.yml").read_text())["include"]
    assert include["remote"] == f"{TEMPLATES_URL}/release.yml"
    assert "component" not in include


def test_gitlab_takes_the_components_of_the_copy_that_address_names(repository, run):
    repository({"Dockerfile": "FROM scratch\n"}, "https://gitlab.com/acme/shop.git")
    assert run("init", "--config-repo", REMOTE, "--address", "$CI_SERVER_FQDN/tools/gitops-ci").code == 0
    [include] = yaml.safe_load(Path(".gitlab-ci.yml").read_text())["include"]
    assert include["component"] == f"$CI_SERVER_FQDN/tools/gitops-ci/release@{__version__}"
    assert "remote" not in include


def test_a_system_without_a_check_of_pull_requests_is_said(repository, run):
    repository({"k8s/staging/kustomization.yaml": KUSTOMIZATION})
    done = run("init", "--ci", "tekton")
    assert done.code == 2
    assert "--changed-since auto" in done.out + done.err
    assert not Path(".gitops-ci.yaml").exists()


def test_the_settings_begin_with_the_line_by_which_editors_find_the_schema(repository, run):
    repository({"Dockerfile": "FROM scratch\n"})
    assert run("init", "--config-repo", REMOTE).code == 0
    assert Path(".gitops-ci.yaml").read_text().startswith(f"# yaml-language-server: $schema={SCHEMA_URL}\n")


# Several applications in one repository

MONO = {f"{folder}Dockerfile": "FROM scratch\n" for folder in ("services/api/", "services/web/", "test/e2e/")}
# The file of each system that releases `api`.
FILES_OF_API = {
    "github": ".github/workflows/release-api.yml",
    "gitlab": ".gitlab-ci.yml",
    "gitea": ".gitea/workflows/release-api.yml",
    "bitbucket": "bitbucket-pipelines.yml",
    "azure": "azure-pipelines.yml",
    "jenkins": "Jenkinsfile",
    "woodpecker": ".woodpecker/release-api.yaml",
    "shell": "release-api.sh",
}


def test_every_system_but_one_with_parameters_has_jobs_for_each_application():
    assert {*FILES_OF_API, "tekton"} == set(SYSTEMS)


@pytest.mark.parametrize("system", FILES_OF_API)
def test_each_application_has_a_job_an_image_and_tags_of_its_own(repository, run, system):
    repository(MONO, "https://git.example.com/Acme/Mono.git")
    done = run("init", "--ci", system, "--config-repo", REMOTE, "--image", "registry.example.com/acme/mono")
    assert done.code == 0, done.err
    assert "test/e2e/Dockerfile is not built: name it with --dockerfile" in done.err
    assert "next: push a Git tag to release: api-v1.0.0, web-v1.0.0" in done.err
    for pattern, kind in {
        **SCHEMAS,
        ".github/workflows/*.yml": "vendor.github-workflows",
        ".gitlab-ci.yml": "vendor.gitlab-ci",
    }.items():
        for path in Path().glob(pattern):
            _fits(kind, path)
    text = Path(FILES_OF_API[system]).read_text()
    assert "api-" in text
    assert "registry.example.com/acme/mono/api" in text
    assert ("docker build --tag api:build services/api" in text) is (system != "shell")
    assert "e2e" not in text
    assert not re.search(r"@[A-Z_]+@|^#(?:if |for |end$|done$)", text, re.MULTILINE)
    other = Path(FILES_OF_API[system].replace("api.", "web."))
    assert "registry.example.com/acme/mono/web" in other.read_text()
    if other != Path(FILES_OF_API[system]):
        assert "mono/web" not in text
    images = yaml.safe_load(Path(".gitops-ci.yaml").read_text())["images"]
    assert images == [{"image": f"registry.example.com/acme/mono/{name}"} for name in ("api", "web")]
    assert run("config", "check").code == 0


@pytest.mark.only_soak  # the linter is built with Go
@pytest.mark.parametrize("files", [{"Dockerfile": ""}, MONO])
def test_the_linter_of_workflows_has_no_findings(repository, run, files):
    overlays = {f"k8s/{name}/kustomization.yaml": KUSTOMIZATION for name in ("staging", "production")}
    repository({**files, **overlays}, REMOTE)
    assert run("init", "--ci", "github", "--config-repo", REMOTE).code == 0
    assert actionlint(*Path(".github/workflows").glob("*.yml")) == []


def test_a_tag_of_one_application_is_a_version_of_no_other(repository, run, monkeypatch):
    repository(MONO)
    assert run("init", "--ci", "github", "--config-repo", REMOTE).code == 0
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_REF", "refs/tags/api-v1.4.2")
    monkeypatch.setenv("GITHUB_REF_TYPE", "tag")
    monkeypatch.setenv("GITHUB_REF_NAME", "api-v1.4.2")
    for name, versions in {"api": ["1.4.2"], "web": []}.items():
        step = yaml.safe_load(Path(f".github/workflows/release-{name}.yml").read_text())["jobs"]["release"]["steps"]
        inputs = next(one["with"] for one in step if "gitops-ci" in one.get("uses", ""))
        tags = run("image", "tags", "--tag-prefix", inputs["tag-prefix"])
        assert [line.split()[1] for line in tags.out.splitlines() if "the version" in line] == versions, tags.out


@pytest.mark.parametrize(
    ("dockerfiles", "names"),
    [
        (["Dockerfile"], [""]),
        (["Dockerfile", "worker/Dockerfile"], ["mono", "worker"]),
        (["a/web/Dockerfile", "b/web/Dockerfile"], ["a-web", "b-web"]),
        (["Api_Server/Dockerfile", "web/Containerfile"], ["api-server", "web"]),
    ],
)
def test_names_of_applications(dockerfiles, names):
    assert [one.name for one in applications(dockerfiles, "mono")] == names


def test_images_of_applications():
    root, worker = applications(["Dockerfile", "worker/Dockerfile"], "mono")
    assert root.image("ghcr.io/acme/mono", "ghcr.io") == "ghcr.io/acme/mono"
    assert worker.image("ghcr.io/acme/mono", "ghcr.io") == "ghcr.io/acme/mono/worker"
    assert worker.image("acme/mono", "docker.io") == "acme/mono-worker"


def test_a_dockerfile_is_chosen(repository, run):
    repository({**MONO, "Dockerfile.prod": "FROM scratch\n"})
    assert run("init", "--config-repo", REMOTE, "--dockerfile", "Dockerfile.prod").code == 0
    assert "docker build --tag shop:build --file Dockerfile.prod ." in Path(".github/workflows/release.yml").read_text()
    wrong = run("init", "--config-repo", REMOTE, "--dockerfile", "api/Dockerfile", "--force")
    assert wrong.code == 2
    assert "services/api/Dockerfile" in wrong.out + wrong.err


# Questions at a terminal


def _typed(answers, *arguments, **environment):
    """Run `init` at a terminal where a person types answers: exit code, and what stands there."""
    ours, its = pty.openpty()
    environment = {"TERM": "dumb", **{key: value for key, value in os.environ.items() if key != "CI"}, **environment}
    with subprocess.Popen(
        [sys.executable, "-m", "gitops_ci", "init", *arguments], env=environment, stdin=its, stdout=its, stderr=its
    ) as process:
        os.close(its)
        os.write(ours, "".join(f"{answer}\n" for answer in answers).encode() + b"\x04")  # then the end of the input
        seen = bytearray()
        with contextlib.suppress(OSError):  # how Linux reports that the other side is closed
            while chunk := os.read(ours, 4096):
                seen += chunk
    os.close(ours)
    return process.returncode, seen.decode().replace("\r\n", "\n")


def test_a_person_is_asked_and_answers(repository):
    repository(MONO)
    code, seen = _typed(["gitlab", "not a url", REMOTE, "staging", "y"], "--dockerfile", "services/web/Dockerfile")
    assert code == 0, seen
    assert "CI system (github, gitlab" in seen
    assert "[github]" in seen
    assert seen.count("Repository with the manifests (URL)") == 2
    assert "services/api" not in Path(".gitlab-ci.yml").read_text()
    settings = load(".gitops-ci.yaml").options
    assert (settings["config_repo"], settings["environment"]) == (REMOTE, "staging")


def test_enter_takes_the_default_of_every_question(repository):
    names = ("staging", "production")
    repository({"Dockerfile": "", **{f"k8s/{name}/kustomization.yaml": KUSTOMIZATION for name in names}})
    code, seen = _typed([""] * 5)
    assert code == 0, seen
    asked = Path(".github/workflows/release.yml").read_text(), Path(".gitops-ci.yaml").read_text()
    assert _typed([], "--yes", "--force")[0] == 0
    assert (Path(".github/workflows/release.yml").read_text(), Path(".gitops-ci.yaml").read_text()) == asked


def test_a_refusal_writes_nothing(repository):
    repository({"Dockerfile": ""})
    code, seen = _typed(["github", REMOTE, "", "", "n"])
    assert (code, "Nothing was written" in seen) == (130, True)
    assert not Path(".gitops-ci.yaml").exists()


@pytest.mark.parametrize(
    "environment",
    [{"CI": "true"}, {"GITLAB_CI": "true"}, {"JENKINS_URL": "https://ci.example.com", "BUILD_NUMBER": "7"}],
)
def test_a_job_with_a_terminal_is_asked_nothing(repository, environment):
    repository({"Dockerfile": ""}, "https://git.example.com/a/b")
    code, seen = _typed([], **environment)
    assert code == 2
    assert "Give --ci" in seen


def test_with_a_pipe_nobody_is_asked(repository):
    repository({"Dockerfile": ""}, "https://git.example.com/a/b")
    command = [sys.executable, "-m", "gitops_ci", "init"]
    ran = subprocess.run(command, input="github\n" * 9, capture_output=True, text=True, check=False)
    assert ran.returncode == 2
    assert "Give --ci" in ran.stdout
