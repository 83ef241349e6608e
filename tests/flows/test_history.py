"""What `status`, `compare` and `history` read from the past of a config repository."""

import csv
import io
import json
import re
from html.parser import HTMLParser

import pytest

from gitops_ci.configrepo import GitCredentials
from gitops_ci.flows.environments import Environment
from gitops_ci.flows.history import HistoryRequest, Source, StatusRequest, history, status
from gitops_ci.reporting import REPORTERS
from gitops_ci.repourl import RepoUrl
from gitops_ci.secret import Secret
from tests.support import CHECKOUT
from tests.support.git_repo import FIRST_COMMIT, commit_files, make_repo
from tests.support.overlays import OVERLAYS, overlay_path
from tests.support.past import CONFIG, NOW, Past, overlay

A, B = "sha256:" + "a" * 64, "sha256:" + "b" * 64
SHOP = "ghcr.io/acme/shop"
WORKER = "ghcr.io/acme/worker"


@pytest.fixture
def past(tmp_path):
    return Past.at(tmp_path / "config.git", dev="1.0.0", staging="1.0.0", production="1.0.0")


@pytest.fixture
def told(run, past):
    """Runs a command on the repository and returns its JSON document."""

    def call(*arguments, code=0):
        ran = run(*arguments, "--config-repo", past.repo.path, "--output", "json")
        assert ran.code == code, ran.err
        return ran.document

    return call


def table(document, *keys):
    return [tuple(one[key] for key in keys) for one in reversed(document["deployments"])]


def versions(document, image, environment):
    row = next(row for row in document["inventory"]["images"] if row["image"] == image)
    return [version["tag"] for version in row["in"][environment]["versions"]]


# History.


def test_each_kind_of_commit_is_told_for_what_it_is(told, past):
    past.shop("dev", "1.1.0")
    past.shop("staging", "1.1.0", message="staging: shop\n\nImage: x/y:1\nPromoted-From: dev\nRequested-By: octocat\n")
    past.shop("production", "1.1.0", message="Merged (#12)")
    past.shop("production", "1.0.0", message="Revert")
    past.shop("production", "1.1.0")
    past.shop("production", f"1.1.0@{A}")  # only written more exactly
    past.shop("production", f"1.1.0@{B}")
    past.set("production", f"{SHOP}:1.1.0@{B}", f"{WORKER}:2.0")
    past.set("production", f"{SHOP}:1.1.0@{B}")
    document = told("history", "--since", "all")
    assert table(document, "environment", "image", "from", "to", "kind")[3:] == [
        ("dev", SHOP, "1.0.0", "1.1.0", "deploy"),
        ("staging", SHOP, "1.0.0", "1.1.0", "promote"),
        ("production", SHOP, "1.0.0", "1.1.0", "deploy"),
        ("production", SHOP, "1.1.0", "1.0.0", "rollback"),
        ("production", SHOP, "1.0.0", "1.1.0", "redeploy"),
        ("production", SHOP, "1.1.0", "1.1.0", "redeploy"),
        ("production", WORKER, None, "2.0", "add"),
        ("production", WORKER, "2.0", None, "remove"),
    ]
    assert table(document, "kind")[:3] == [("add",)] * 3
    promoted, merged = document["deployments"][-5], document["deployments"][-6]
    assert (promoted["by"], promoted["time"]) == ("octocat", "2026-01-01T00:02:00Z")
    assert (merged["pull_request"], merged["by"]) == ("#12", "Ada Author")


def test_a_canary_is_no_rollback_until_it_is_taken_back(told, past):
    past.set("production", f"{SHOP}:1.1.0", app="canary")
    past.set("production", app="canary")
    past.set("production", f"{SHOP}:1.1.0", app="canary")
    past.shop("production", "1.1.0")
    assert table(told("history", "--environment", "production", "--since", "all"), "from", "to", "kind") == [
        (None, "1.0.0", "add"),
        ("1.0.0", "1.1.0", "deploy"),
        ("1.1.0", "1.0.0", "rollback"),
        ("1.0.0", "1.1.0", "redeploy"),
        ("1.0.0", "1.1.0", "redeploy"),
    ]


def test_a_file_that_moves_deploys_nothing(told, past):
    here, there = past.path("shop", "production"), past.path("store", "production")
    commit_files(past.repo, {here: None, there: overlay(f"{SHOP}:1.0.0")})
    assert len(told("history", "--environment", "production", "--since", "all")["deployments"]) == 1


def test_several_images_of_one_commit_are_told_one_by_one(told, past):
    past.set("dev", f"{SHOP}:1.1.0", f"{WORKER}:2.0")
    assert table(told("history", "--environment", "dev", "--since", "all"), "image", "to")[1:] == [
        (SHOP, "1.1.0"),
        (WORKER, "2.0"),
    ]


def test_a_tag_in_a_file_of_values_gets_its_name_from_the_chart(run, tmp_path):
    files = {
        "chart/Chart.yaml": "apiVersion: v2\nname: shop\nversion: 1.0.0\n",
        "chart/values.yaml": f"image:\n  repository: {SHOP}\n  tag: ''\n",
        "chart/values-dev.yaml": "image:\n  tag: 1.0.0\n",
    }
    repo = make_repo(tmp_path / "charts.git", files)
    commit_files(repo, {"chart/values-dev.yaml": "image:\n  tag: 1.1.0\n"})
    ran = run("history", "--config-repo", repo.path, "--environment", "dev", "--since", "all", "--output", "json")
    assert table(ran.document, "image", "from", "to") == [(SHOP, None, "1.0.0"), (SHOP, "1.0.0", "1.1.0")]


def test_a_merge_is_one_deployment_with_the_trailers_of_what_was_merged(told, past):
    digest = "Image-Digest: " + A
    trailers = f"Image: {SHOP}:1.1.0\n{digest}\nSource-Commit: {'c' * 40}\nRequested-By: octocat\n"
    commit_files(
        past.repo,
        {past.path("shop", "dev"): overlay(f"{SHOP}:1.1.0")},
        branch="topic",
        parent="main",
        message=f"dev: shop 1.1.0\n\n{trailers}",
    )
    tree = past.repo.git("rev-parse", "topic^{tree}")
    merge = past.repo.git("-c", "user.name=M", "-c", "user.email=m@x", "commit-tree", tree, "-p", "main", "-p", "topic",
                          "-m", "Merge pull request #7 from acme/topic")  # fmt: skip
    past.repo.git("update-ref", "refs/heads/main", merge)
    newest = told("history", "--environment", "dev", "--since", "all")["deployments"][0]
    assert (newest["commit"], newest["pull_request"], newest["by"]) == (merge, "#7", "octocat")
    assert (newest["digest"], newest["source_commit"]) == (A, "c" * 40)


def test_images_are_chosen_by_glob_and_a_limit_keeps_the_newest(told, past):
    past.set("dev", f"{SHOP}:1.1.0", f"{WORKER}:2.0")
    past.set("dev", f"{SHOP}:1.2.0", f"{WORKER}:2.1")
    assert table(told("history", "work*", "--since", "all"), "to") == [("2.0",), ("2.1",)]
    limited = told("history", "--since", "all", "--limit", "1", "shop")
    assert table(limited, "to") == [("1.2.0",)]
    assert limited["summary"]["deployments"] == 5


def test_names_of_people_become_numbers(told, past):
    past.shop("dev", "1.1.0", message="x\n\nRequested-By: octocat\n")
    document = told("history", "--since", "all", "--anonymous")
    assert table(document, "by")[2:] == [("person 2",), ("person 1",)]
    assert "octocat" not in json.dumps(document)
    assert "Ada" not in json.dumps(document)


def test_a_file_that_nobody_can_parse_is_told_and_stops_nothing(told, past):
    commit_files(past.repo, {"apps/shop/overlays/dev/broken.yaml": "image: [\n"})
    past.shop("dev", "1.1.0")
    document = told("history", "--since", "all")
    assert table(document, "to")[-1] == ("1.1.0",)
    assert [(skip["path"], skip["line"]) for skip in document["skipped"]] == [("apps/shop/overlays/dev/broken.yaml", 2)]


def test_figures_come_with_their_counts(told, past):
    past.shop("production", "1.1.0")
    past.shop("production", "1.0.0")
    past.shop("production", "1.2.0")
    figures = told("history", "--since", "all", "--metrics")["metrics"]["production"]
    assert figures["counts"] == {
        "deployments": 4,
        "taken_back": 1,
        "stage_versions": 0,
        "lead_versions": 0,
        "lead_unknown": 2,
    }
    assert figures["change_failure_rate"] == pytest.approx(1 / 3, abs=0.001)
    assert figures["time_to_restore_seconds"] == 60
    late = told("history", "--since", "all", "--metrics", "--failure-window", "30s")["metrics"]["production"]
    assert late["counts"]["taken_back"] == 0


# Over the network, where the history is fetched in parts.


@pytest.fixture
def served(git_server):
    repo = git_server.make_repo("acme/config", {".gitops-ci.yaml": CONFIG, **_shop("1.0.0")})
    for minute in range(1, 40):
        commit_files(repo, {Past.path("shop", "dev"): overlay(f"{SHOP}:1.0.{minute}")})
    source = Source(
        RepoUrl.parse(git_server.url_of("acme/config")),
        GitCredentials("bot", Secret(git_server.token)),
        environments={"dev": Environment("dev", ("apps/*/overlays/dev/**",))},
    )
    return repo, source


def _shop(tag):
    return {Past.path("shop", name): overlay(f"{SHOP}:{tag}") for name in ("dev", "staging", "production")}


class Quiet:
    def __init__(self):
        self.warnings = []

    def step(self, message): ...

    def detail(self, message): ...

    def warn(self, message):
        self.warnings.append(message)


def _later(source, seconds):
    return Source(source.url, source.credentials, None, source.environments, clock=lambda: FIRST_COMMIT + seconds)


@pytest.mark.over_http
def test_a_history_over_http_is_that_of_the_repository(served):
    _, source = served
    outcome = history(HistoryRequest(_later(source, 3600)), Quiet())
    assert [d.new for d in outcome.deployments] == [f"1.0.{minute}" for minute in range(39, -1, -1)]


def test_a_cut_history_tells_no_deployment_where_it_begins(served):
    _, source = served
    day = 86_400
    since = FIRST_COMMIT + 30 * 60 + 90 * day
    log = Quiet()
    outcome = history(HistoryRequest(_later(source, 3600), since=since - 90 * day), log)
    assert [d.new for d in outcome.deployments] == [f"1.0.{minute}" for minute in range(39, 29, -1)]
    assert log.warnings == []


def test_what_is_older_than_the_fetched_history_has_no_age(git_server, served):
    _, source = served
    # 90 days later the first commits are not fetched any more, and staging is as it was.
    far = 90 * 86_400 + 20 * 60
    everywhere = {n: Environment(n, (f"apps/*/overlays/{n}/**",)) for n in ("dev", "staging")}
    source = Source(source.url, source.credentials, None, everywhere, clock=lambda: FIRST_COMMIT + far)
    outcome = status(StatusRequest(source), Quiet())
    cells = outcome.inventory.images[0].environments
    assert cells["dev"].versions[0].since == FIRST_COMMIT + 39 * 60
    assert (cells["staging"].versions[0].tag, cells["staging"].versions[0].since) == ("1.0.0", 0)
    assert "1.0.0 (over 90 d)" in REPORTERS["text"].report(outcome)
    assert "1.0.39 (89 d)" in REPORTERS["text"].report(outcome)


# Status.


def test_status_is_a_matrix_in_the_order_of_promotion(run, past):
    past.shop("dev", "1.1.0")
    past.shop("dev", "1.2.0")
    past.shop("staging", "1.1.0")
    past.set("production", f"{SHOP}:1.1.0", app="canary")
    ran = run("status", "--config-repo", past.repo.path)
    assert ran.code == 0, ran.err
    lines = [re.sub(r" \(\d+ d\)", "", line).split("  ") for line in ran.out.splitlines()]
    assert [part.strip() for part in lines[0] if part] == ["Image", "dev", "staging", "production"]
    assert [part.strip() for part in lines[1] if part.strip()] == [
        SHOP,
        "1.2.0",
        "1.1.0; 1 behind",
        "1.1.0, 1.0.0; 2 versions",
    ]


def test_status_tells_what_was_taken_back(run, past):
    past.shop("production", "1.1.0")
    past.shop("production", "1.0.0")
    assert "taken back from 1.1.0" in run("status", "--config-repo", past.repo.path).out


def test_status_without_any_image_says_what_was_read(run, tmp_path):
    pod = overlay(f"{SHOP}:1.0.0")
    files = {"apps/pod.yaml": pod, "overlays/staging/README.md": "", "overlays/production/README.md": ""}
    repo = make_repo(tmp_path / "apart.git", files)
    ran = run("status", "--config-repo", tmp_path / "apart.git")
    assert (ran.code, "The whole branch was read." in ran.out) == (8, True)
    commit_files(repo, {".gitops-ci.yaml": "environments: {staging: {paths: [a]}, production: {paths: [b]}}\n"})
    ran = run("status", "--config-repo", tmp_path / "apart.git")
    assert ran.code == 8
    assert "Only the files of these environments were read: staging, production." in ran.out


def test_status_reads_a_patch_of_a_parameter_by_its_index(run, tmp_path):
    case = CHECKOUT / "tests" / "cases" / "argocd" / "json-patches-by-index" / "before"
    paths = [path for folder in ("chart", "base") for path in (case / folder).iterdir()]
    files = {path.relative_to(case).as_posix(): path.read_text() for path in paths}
    files["overlays/prod/kustomization.yaml"] = (
        "resources: [../../base]\npatches:\n  - target: {kind: Application, name: shop}\n    path: p.json\n"
    )
    files["overlays/prod/p.json"] = (
        '[{"op": "replace", "path": "/spec/source/helm/parameters/1/value", "value": "1.3.0"}]\n'
    )
    make_repo(tmp_path / "patched.git", files)
    ran = run("status", "--config-repo", tmp_path / "patched.git", "--output", "json")
    assert versions(ran.document, SHOP, "prod") == ["1.3.0"]


def test_status_of_chosen_environments_and_images(told, past):
    past.set("dev", f"{SHOP}:1.1.0", f"{WORKER}:2.0")
    document = told("status", "--environment", "dev", "--image", "worker")
    assert document["inventory"]["environments"] == ["dev"]
    assert [row["image"] for row in document["inventory"]["images"]] == [WORKER]
    assert versions(document, WORKER, "dev") == ["2.0"]


def test_drift_fails_only_when_that_is_asked_for(told, past):
    assert told("status", "--fail-on", "drift")["exit_code"] == 0
    past.shop("dev", "1.1.0")
    told("status")
    told("status", "--fail-on", "drift", code=1)


def test_an_image_that_nothing_names_is_exit_8(told):
    assert told("status", "--image", "ghcr.io/acme/absent", code=8)["error"]["kind"] == "nothing-matched"


def test_environments_go_by_folder_where_none_is_defined(run, tmp_path):
    files = {
        "apps/shop/dev/kustomization.yaml": overlay(f"{SHOP}:1"),
        "apps/shop/prod/kustomization.yaml": overlay(f"{SHOP}:2"),
    }
    repo = make_repo(tmp_path / "plain.git", files)
    ran = run("status", "--config-repo", repo.path, "--output", "json")
    assert ran.document["inventory"]["environments"] == ["dev", "prod"]
    assert run("status", "--config-repo", repo.path, "--environment", "live").code == 2


def test_folders_that_are_called_like_environments_and_name_no_image_stand_for_none(run, tmp_path):
    files = {"k8s/shop/kustomization.yaml": overlay(f"{SHOP}:1"), "docs/production/notes.yaml": "a: 1\n"}
    repo = make_repo(tmp_path / "plain.git", files)
    ran = run("status", "--config-repo", repo.path, "--output", "json")
    assert versions(ran.document, SHOP, "all") == ["1"]
    assert "production name no image: the whole repository counts as one environment" in ran.err
    assert run("history", SHOP, "--since", "all", "--config-repo", repo.path, "--output", "json").document[
        "deployments"
    ]
    # A file of settings means what it says.
    commit_files(repo, {".gitops-ci.yaml": "environments: {production: {paths: ['docs/production/**']}}\n"})
    assert run("status", "--config-repo", repo.path).code == 8


def test_an_image_that_never_was_anywhere_is_exit_8(told, past):
    past.shop("dev", "1.1.0")
    past.set("dev")
    assert told("history", "ghcr.io/acme/shpo", "--since", "all", code=8)["error"]["hint"].startswith("Did you mean")
    assert told("history", SHOP, "--since", "all")["deployments"]
    assert told("history", "sh*", "--since", "1d")["deployments"] == []
    assert told("history", "--since", "2999-01-01", code=2)["error"]["message"] == "2999-01-01 is in the future"


def test_promotions_in_a_circle_are_a_mistake_of_the_configuration(run, tmp_path):
    ways = (("a", "c"), ("b", "a"), ("c", "b"))
    circle = "environments:\n" + "".join(f"  {name}: {{paths: [{name}], promote-from: {of}}}\n" for name, of in ways)
    repo = make_repo(tmp_path / "circle.git", {".gitops-ci.yaml": circle})
    ran = run("status", "--config-repo", repo.path)
    assert ran.code == 2
    assert "cycle: a <- c <- b <- a" in ran.err + ran.out


def test_environments_on_branches_of_their_own(run, tmp_path):
    config = "environments:\n  dev: {base: main}\n  live: {base: live, promote-from: dev}\n"
    repo = make_repo(
        tmp_path / "b.git", {".gitops-ci.yaml": config, "shop/kustomization.yaml": overlay(f"{SHOP}:1.0.0")}
    )
    commit_files(
        repo, {"shop/kustomization.yaml": overlay(f"{SHOP}:1.0.0", f"{WORKER}:1")}, branch="live", parent="main"
    )
    commit_files(repo, {"shop/kustomization.yaml": overlay(f"{SHOP}:1.1.0")})
    document = run("status", "--config-repo", repo.path, "--output", "json").document
    assert versions(document, SHOP, "dev") == ["1.1.0"]
    assert versions(document, SHOP, "live") == ["1.0.0"]


def test_environments_in_a_repository_of_their_own(run, past, tmp_path):
    """As the file of this folder names it: what the config repository says of hosts is not obeyed."""
    own = Past.at(tmp_path / "own.git", production="0.9.0")
    own.shop("production", "1.0.0")
    settings = CONFIG.replace("promote-from: staging", "promote-from: staging, config-repo: HOME")
    commit_files(
        past.repo, {".gitops-ci.yaml": settings.replace("HOME", "https://evil.example/a/b")}, message="Settings"
    )
    past.shop("staging", "1.1.0")
    past.shop("production", "9.9.9")
    own.repo.git("branch", "--move", "main", "trunk")
    own.repo.git("symbolic-ref", "HEAD", "refs/heads/trunk")
    (tmp_path / ".gitops-ci.yaml").write_text(
        f"config-repo: {past.repo.path}\n{settings.replace('HOME', str(own.repo.path))}"
    )
    document = run("status", "--base", "main", "--output", "json").document
    assert document["inventory"]["environments"] == ["dev", "staging", "production"]
    row = document["inventory"]["images"][0]["in"]
    assert [(row[name]["versions"][0]["tag"], row[name]["behind"]) for name in row] == [
        ("1.0.0", None),
        ("1.1.0", None),
        ("1.0.0", 1),
    ]
    changes = run("compare", "staging", "production", "--output", "json").document["inventory"]["differences"]
    assert [one["in"] for one in changes] == [{"staging": ["1.1.0"], "production": ["1.0.0"]}]
    told = run("history", "--environment", "production", "--since", "all", "--output", "json").document["deployments"]
    assert [(one["from"], one["to"]) for one in told] == [("0.9.0", "1.0.0"), (None, "0.9.0")]


def test_the_origin_of_the_checkout_is_the_config_repository(run, past, tmp_path, monkeypatch):
    past.repo.git("clone", "--quiet", str(past.repo.path), str(tmp_path / "checkout"))
    monkeypatch.chdir(tmp_path / "checkout")
    ran = run("status")
    assert ran.code == 0, ran.err
    assert SHOP in ran.out


# Compare.


def test_compare_lists_what_differs_and_nothing_else(told, past):
    past.set("staging", f"{SHOP}:1.0.0", f"{WORKER}:2.0", "ghcr.io/acme/cache:1.0")
    past.set("production", f"{SHOP}:1.0.0", f"{WORKER}:1.9")
    document = told("compare", "staging", "production")
    assert document["inventory"]["differences"] == [
        {"image": "ghcr.io/acme/cache", "state": "only", "in": {"staging": ["1.0"], "production": []}},
        {"image": WORKER, "state": "differs", "in": {"staging": ["2.0"], "production": ["1.9"]}},
    ]
    told("compare", "staging", "production", "--fail-on", "drift", code=1)
    told("compare", "staging", "staging", code=2)
    told("compare", "staging", "prodution", code=2)


# Reports.


def test_a_spreadsheet_runs_no_cell(past):
    past.shop("dev", "1.1.0", message='x\n\nRequested-By: =HYPERLINK("http://evil")\n')
    source = Source(RepoUrl.parse(str(past.repo.path)), clock=lambda: NOW)
    source = Source(
        source.url, environments={"dev": Environment("dev", ("apps/*/overlays/dev/**",))}, clock=lambda: NOW
    )
    outcome = history(HistoryRequest(source), Quiet())
    rows = list(csv.DictReader(io.StringIO(REPORTERS["csv"].report(outcome))))
    assert [row["to"] for row in rows] == ["1.1.0", "1.0.0"]
    assert rows[0]["by"] == '\'=HYPERLINK("http://evil")'


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


def test_the_page_loads_nothing_and_lets_nobody_in(past):
    past.shop("dev", "1.1.0", message="x\n\nRequested-By: <img src=http://evil onerror=alert(1)>\n")
    source = Source(
        RepoUrl.parse(str(past.repo.path)), environments={"dev": Environment("dev", ("apps/*/overlays/dev/**",))}
    )
    page = REPORTERS["html"].report(history(HistoryRequest(source), Quiet()))
    tags = Tags()
    tags.feed(page)
    assert {"circle", "table"} <= {tag for tag, _ in tags.found}
    assert not {tag for tag, _ in tags.found} & {"img", "script", "link", "iframe", "a", "object"}
    assert not [name for _, attributes in tags.found for name in attributes if name in {"src", "href", "onerror"}]
    assert "&lt;img" in page
    # A browser breaks neither a time nor the id of a commit.
    assert re.search(r'<td class="whole">20[0-9T:Z-]{18}</td>', page)


def test_a_place_that_only_a_rule_knows_has_a_history_and_can_be_promoted(run, tmp_path):
    """A file that is named like the image, without a suffix, and holds a version and nothing else of it."""
    rule = "{file: 'tags/{environment}/{name}', at: $.image_tag, image: 'ghcr.io/acme/{name}'}"
    settings = "environments:\n  staging: {paths: [tags/staging/**]}\n"
    settings += f"  production: {{paths: [tags/production/**], promote-from: staging}}\npointers: [{rule}]\n"
    files = {f"tags/{where}/shop": "image_tag: v1\nauto: true\n" for where in ("staging", "production")}
    repo = make_repo(tmp_path / "config.git", {".gitops-ci.yaml": settings, **files})
    for where, tag in (("staging", "v2"), ("production", "v2"), ("staging", "v3")):
        commit_files(repo, {f"tags/{where}/shop": f"image_tag: {tag}\nauto: true\n"})
    where = ("--config-repo", repo.path, "--output", "json")
    row = run("status", *where).document["inventory"]["images"]
    assert [(one["image"], {name: cell["versions"][0]["tag"] for name, cell in one["in"].items()}) for one in row] == [
        (SHOP, {"staging": "v3", "production": "v2"})
    ]
    told = run("history", "--since", "all", "--environment", "production", *where).document["deployments"]
    assert [(one["from"], one["to"]) for one in told] == [("v1", "v2"), (None, "v1")]
    publish = (*where, "--forge", "git", "--mode", "push", "--environment", "production")
    skip = ("--skip-gate", "source-agrees", "--reason", "no registry")
    assert run("promote", "--to", "production", *publish[:-2], *skip).code == 0
    assert repo.read("tags/production/shop") == b"image_tag: v3\nauto: true\n"


@pytest.mark.parametrize("layout", OVERLAYS)
def test_a_version_counts_where_it_is_written_whatever_names_its_image(run, tmp_path, layout):
    environments = "environments: {dev: {paths: [envs/dev/**]}, prod: {paths: [envs/prod/**]}}\n"
    files = OVERLAYS[layout]
    repo = make_repo(tmp_path / "config.git", {".gitops-ci.yaml": environments, **files})
    path = overlay_path(layout, "dev")
    for version in ("1.5.0", "1.6.0"):
        commit_files(repo, {path: files[path].replace("1.4.1", version)})
    asked = ("--config-repo", repo.path, "--output", "json")
    document = run("history", "--environment", "dev", "--since", "all", *asked).document
    assert table(document, "image", "from", "to") == [
        (SHOP, None, "1.4.1"), (SHOP, "1.4.1", "1.5.0"), (SHOP, "1.5.0", "1.6.0"),
    ]  # fmt: skip
    document = run("compare", "dev", "prod", *asked).document
    assert [(one["image"], one["in"]) for one in document["inventory"]["differences"]] == [
        (SHOP, {"dev": ["1.6.0"], "prod": ["1.4.1"]})
    ]
