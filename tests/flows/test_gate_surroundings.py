"""The check of a change judges by the definitions, schemas and registries that `validate` asks in its repository."""

from __future__ import annotations

import http.server
import json
from collections import Counter

import pytest

from tests.flows.test_bump import IMAGE
from tests.flows.test_bump_gate import DEFINITION, DEPLOYMENT, WIDGET
from tests.support.git_repo import Entry, make_repo
from tests.support.http_server import in_background
from tests.support.layouts import LayoutWriter

SPEC = {"type": "object", "properties": {"image": {"type": "string", "pattern": "^.*:1[.]4[.].*$"}}}
SCHEMA = json.dumps({"type": "object", "properties": {"spec": SPEC}})
BROKEN = [("schema/value", "apps/w.yaml")]
# What the tree is, the settings of the repository, and what the check finds.
CASES = {
    "a definition in a hidden folder": ({".crds/w.yaml": DEFINITION}, "", []),
    "a definition that is excluded": ({"crds/w.yaml": DEFINITION}, "validate: {exclude: [crds]}", []),
    "crd-paths, a hidden folder": ({".crds/w.yaml": DEFINITION}, "validate: {crd-paths: [.crds]}", BROKEN),
    "crd-paths, a folder of gitops-ci": (
        {".gitops-ci/crds/w.yaml": DEFINITION},
        "validate: {crd-paths: [./.gitops-ci/crds/]}",
        BROKEN,
    ),
    "crd-paths, a file": ({"w.crd": DEFINITION}, "validate: {crd-paths: [w.crd]}", BROKEN),
    "crd-paths, the root": ({"w.yaml": DEFINITION}, "validate: {exclude: [w.yaml], crd-paths: [.]}", BROKEN),
    "crd-paths, what is hidden in them": ({"crds/.old/w.yaml": DEFINITION}, "validate: {crd-paths: [crds]}", []),
    "schema-locations, a folder": (
        {"schemas/acme.example/widget_v1.json": SCHEMA},
        "validate: {schema-locations: [default, schemas]}",
        BROKEN,
    ),
    "schema-locations, a template": (
        {"schemas/widget.json": SCHEMA},
        "validate: {schema-locations: ['./schemas/{{.ResourceKind}}.json']}",
        BROKEN,
    ),
    "schema-locations, what is not a schema": (
        {"schemas/acme.example/widget_v1.json": "<html>"},
        "validate: {schema-locations: [schemas], exclude: [schemas]}",
        [],  # it was so before the edit
    ),
    "schema-locations, a template that climbs": (
        {"schemas/a": "", "widget.json": SCHEMA},
        "validate: {schema-locations: ['schemas/{{.Kind}}/../../../widget.json']}",
        [],
    ),
}


@pytest.fixture
def bump(run, tmp_path):
    """Bump, without publishing, in a repository of these files."""

    def call(files, *more, **settings):
        repo = make_repo(tmp_path / "config.git", {"apps/w.yaml": WIDGET, **files})
        return run(
            "bump", IMAGE, "--config-repo", repo.path, "--mode", "dry-run", "--output", "json", *more, **settings
        )

    return call


@pytest.mark.parametrize("kind", CASES)
def test_the_repositorys_own_schemas_judge(bump, run, tree, tmp_path, kind):
    files, settings, expected = CASES[kind]
    ran = bump({**files, ".gitops-ci.yaml": settings})
    assert [(one["rule"], one["path"]) for one in ran.document["findings"] if ran.code] == expected, ran.err

    # So does `validate` on the edited tree, as far as the edit broke it.
    tree({"apps/w.yaml": WIDGET.replace("1.4.1", "1.5.0"), **files, ".gitops-ci.yaml": settings})
    validated = run("validate", "--output", "json")
    found = [(one["rule"], one["path"]) for one in validated.document["findings"] if one["severity"] == "error"]
    assert [one for one in found if one[0] != "gitops/schema-location"] == expected


MISTAKES = {
    "crd-paths: [nosuch]": "there is no nosuch",
    "crd-paths: [../elsewhere]": "not a path inside",
    "crd-paths: [/etc]": "not a path inside",
    "crd-paths: [link]": "link is a symlink",
    "schema-locations: [nosuch]": "there is no folder 'nosuch'",
    "schema-locations: [../elsewhere]": "not a path inside",
    "schema-locations: ['/etc/{{.Kind}}']": "not a path inside",
    "schema-locations: ['link/{{.Kind}}']": "link is a symlink",
}


@pytest.mark.parametrize("setting", MISTAKES)
def test_places_of_schemas_lie_in_the_repository(bump, setting):
    ran = bump({".gitops-ci.yaml": f"validate: {{{setting}}}", "link": Entry(b"/etc", "120000")})
    assert ran.code == 2, ran.out
    assert MISTAKES[setting] in ran.document["error"]["message"]
    assert "config.git: .gitops-ci.yaml: " in ran.document["error"]["message"]


@pytest.fixture
def host():
    """An address that gives one schema for every kind, and what was asked of it."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(200)
            self.send_header("Content-Length", str(len(SCHEMA)))
            self.end_headers()
            self.wfile.write(SCHEMA.encode())

        def log_message(self, *_):
            return

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    with in_background(server):
        yield f"http://127.0.0.1:{server.server_address[1]}/{{{{.ResourceKind}}}}.json", asked


@pytest.mark.parametrize("own", [True, False])
def test_the_config_repository_names_no_host_and_the_runs_own_settings_may(bump, tree, host, own):
    location, asked = host
    setting = f"validate: {{schema-locations: ['{location}']}}\n"
    ran = bump({".gitops-ci.yaml": setting})
    assert (ran.code, asked) == (0, []), ran.err
    assert ran.err.count("must not name a host") == 1

    tree({".gitops-ci.yaml": setting})
    ran = bump({".gitops-ci.yaml": setting} if own else {})
    assert [(one["rule"], one["path"]) for one in ran.document["findings"]] == BROKEN
    assert asked == ["/widget.json"]  # once, for both sides of the edit


def test_with_a_narrow_path_crd_paths_outside_of_it_count(run, git_server, monkeypatch):
    for module in ("gate", "search"):
        monkeypatch.setattr(f"gitops_ci.flows.bump.{module}.MOST", 3)
    files = {f"other/{number}.yaml": f"a: {number}\n" for number in range(9)}
    files |= {"apps/w.yaml": WIDGET, "crds/w.yaml": DEFINITION, ".gitops-ci.yaml": "validate: {crd-paths: [crds]}"}
    git_server.make_repo("acme/config", files)
    ran = run(
        *("bump", IMAGE, "--config-repo", git_server.url_of("acme/config"), "--mode", "dry-run", "--output", "json"),
        *("--path", "apps"),
        environment={"GITOPS_CI_TOKEN": git_server.token},
    )
    assert [(one["rule"], one["path"]) for one in ran.document["findings"]] == BROKEN, ran.err


def test_the_own_file_is_parsed_once(bump, monkeypatch):
    from gitops_ci import config

    parsed = []
    read = config.read
    monkeypatch.setattr(config, "read", lambda text: parsed.append(text) or read(text))
    own = "environments: {prod: {paths: [apps]}}\nvalidate: {skip-kinds: [Widget]}\n"
    assert bump({".gitops-ci.yaml": own, "a.yaml": DEPLOYMENT}).code == 0
    assert Counter(parsed) == {own: 1}


def test_images_are_looked_up_where_the_repository_says_so(run, tmp_path, open_registry):
    """A tag that is in no registry is stopped; one that the run itself pushes is not there yet."""
    name = f"{open_registry.host}/acme/looked-up"
    layout = LayoutWriter(tmp_path / "oci")
    layout.simple("built")
    assert run("image", "push", "oci:oci", "--to", name, "--version", "1.4.1", "--no-floating").code == 0
    pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: c, image: 'NAME:1.4.1'}]}\n"
    repo = make_repo(
        tmp_path / "c.git", {"pod.yaml": pod.replace("NAME", name), ".gitops-ci.yaml": "validate: {check-images: true}"}
    )
    there = ("--config-repo", repo.path, "--mode", "dry-run", "--output", "json")
    ran = run("bump", f"{name}:1.5.0", *there)
    assert (ran.code, [one["rule"] for one in ran.document["findings"]]) == (1, ["repo/image-not-found"]), ran.err
    assert run("release", "oci:oci", "--to", name, "--version", "1.5.0", "--no-floating", *there).code == 0


NAMED = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: shop-%s, namespace: shop}\n"
OTHER = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: other}\n---\n"


@pytest.mark.parametrize("path", ["apps/a.yaml", "jobs/a.yaml", "jobs/z.yaml"])
@pytest.mark.parametrize("fails", [True, False])
def test_a_name_that_an_untouched_file_has_is_found(run, tmp_path, path, fails):
    """Nothing is said of two untouched files."""
    there = {path: OTHER + NAMED % "1.5.0", "jobs/y.yaml": OTHER, "jobs/new.yaml": NAMED % "1.4.1"}
    expected = ["jobs/new.yaml"] if path.startswith("jobs/") else []
    own = {".gitops-ci.yaml": "validate: {fail-on: warning}"} if fails else {}
    repo = make_repo(tmp_path / "config.git", {**there, **own})
    ran = run(
        *("bump", IMAGE, "--config-repo", repo.path, "--mode", "dry-run", "--output", "json"),
        *("--at", "jobs/new.yaml:/shop-([0-9.]+)/"),
    )
    assert ran.code == (1 if expected and fails else 0), ran.err
    assert [one["path"] for one in ran.document["findings"] if one["rule"] == "repo/duplicate-resource"] == expected
    assert (f"is also in {path}:5" in ran.out) == bool(expected)
