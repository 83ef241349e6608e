"""Own words and names: branch, title, commit message and description from templates, sign-off, links."""

import pytest

from tests.support.forge_hosts import KINDS
from tests.support.git_repo import commit_files

CI = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_SERVER_URL": "https://github.example",
    "GITHUB_REPOSITORY": "acme/shop",
    "GITHUB_SHA": "0a1b2c3d4e5f60718293a4b5c6d7e8f901234567",
    "GITHUB_REF": "refs/tags/v1.5.0",
    "GITHUB_REF_NAME": "v1.5.0",
    "GITHUB_REF_TYPE": "tag",
    "GITHUB_EVENT_NAME": "push",
    "GITHUB_RUN_ID": "77",
    "GITHUB_RUN_NUMBER": "7",
}
on_two = pytest.mark.parametrize("world", ["github", "git"], indirect=True)


@pytest.fixture
def ci(monkeypatch):
    for name, value in CI.items():
        monkeypatch.setenv(name, value)


@on_two
def test_a_branch_of_ones_own_is_found_again(world):
    named = ("--branch", "deploy/{environment}/{image}", "--environment", "staging")
    for version, state in (("1.5.0", "changed"), ("1.5.0", "unchanged"), ("1.6.0", "changed")):
        ran = world.bump(version, *named)
        assert (ran.code, ran.document["status"]) == (0, state), ran
    assert world.heads() == ["deploy/staging/ghcr.io-acme-shop"]
    assert world.proposed() == ["staging 1.6.0"]
    # Another selection and another base are told apart.
    assert world.bump("1.6.0", "--branch", "deploy/{image}", "--path", "base/**").code == 0
    assert any(head.startswith("deploy/ghcr.io-acme-shop-") for head in world.heads())


@on_two
def test_an_open_proposal_on_the_usual_name_is_continued(world):
    world.bump("1.5.0")
    assert world.bump("1.6.0", "--branch", "deploy/{image}").code == 0
    assert (world.heads(), world.proposed()) == (["gitops-ci/all/ghcr.io-acme-shop"], ["all 1.6.0"])


@on_two
@pytest.mark.parametrize("name", ["main", "live", "{environment}"])
def test_a_branch_that_something_is_deployed_from_is_never_a_proposal(world, name):
    """Its tip may well be a commit of this tool's own, after a fast-forward merge."""
    settings = "environments:\n  live: {paths: [base/**]}\n  other: {base: live, paths: [base/**]}\n"
    commit_files(world.repo, {".gitops-ci.yaml": settings})
    world.bump("1.5.0")
    [head] = world.heads()
    world.repo.git("update-ref", "refs/heads/main", head)
    world.repo.git("update-ref", "refs/heads/live", "main")
    tips = {branch: world.repo.head(branch) for branch in ("main", "live")}
    ran = world.bump("1.6.0", "--branch", name, "--environment", "live")
    assert (ran.code, "something is deployed from that branch" in ran.document["error"]["message"]) == (2, True)
    assert {branch: world.repo.head(branch) for branch in tips} == tips
    dry = world.bump("1.6.0", "--branch", name, "--environment", "live", "--mode", "dry-run")
    assert (dry.code, dry.document["error"]) == (ran.code, ran.document["error"])


@on_two
@pytest.mark.parametrize(
    ("option", "text", "said"),
    [
        ("--branch", "x/{img}", "--branch has the field {img}, which does not exist"),
        ("--title", "{summary}", "--title has the field {summary}, which does not exist"),
        ("--commit-message", "{short_sha:x}", "is not a field"),
        ("--branch", "deploy/{pr}", "has no value in this run"),
        ("--branch", "deploy//{image}", "is not a branch name"),
        ("--body", "absent.md", "cannot be read"),
    ],
)
def test_what_is_no_template_is_refused_before_anything_is_pushed(world, option, text, said):
    ran = world.bump("1.5.0", option, text)
    assert (ran.code, said in ran.document["error"]["message"], world.heads()) == (2, True, []), ran


@on_two
def test_a_commit_message_of_ones_own_keeps_the_trailers(world, ci, monkeypatch):
    monkeypatch.setenv("GIT_COMMITTER_NAME", "CI Bot")
    monkeypatch.setenv("GIT_COMMITTER_EMAIL", "bot@acme.example")
    text = "deploy({environment}): {name} {tag}\n\nFrom {branch}{short_sha:8}.\n\nTicket: OPS-1\nReviewed-by: nobody"
    monkeypatch.setenv("GITHUB_REF_TYPE", "branch")
    monkeypatch.setenv("GITHUB_REF_NAME", "main-")
    assert world.bump("1.5.0", "--environment", "staging", "--commit-message", text, "--signoff").code == 0
    [head] = world.heads()
    message = world.repo.git("log", "-1", "--format=%B", head)
    assert message.startswith("deploy(staging): ghcr.io/acme/shop 1.5.0\n\nFrom main-0a1b2c3d.\n\nTicket: OPS-1\n")
    trailers = world.repo.git("log", "-1", "--format=%(trailers)", head)
    for line in ("Ticket: OPS-1", "Image: ghcr.io/acme/shop:1.5.0", "Signed-off-by: CI Bot <bot@acme.example>"):
        assert line in trailers.splitlines()
    assert world.bump("1.5.0", "--environment", "staging", "--commit-message", text, "--signoff").code == 0
    assert world.repo.git("log", "-1", "--format=%B", head) == message
    if world.stub:
        assert world.stub.pulls[0].title == "staging: shop 1.5.0"


@pytest.mark.parametrize("world", KINDS, indirect=True)
def test_a_description_of_ones_own_is_kept_current_and_refused_like_another(world, tmp_path):
    """Nothing in it shows images and files to a reader, and still a person's no holds for them and for no others."""
    template = tmp_path / "body.md"
    template.write_text("Hello, please look at {image} {tag}.\n")
    own = ("--body", str(template))
    assert world.bump("1.5.0", *own).code == 0
    [pull] = world.stub.pulls
    assert "Hello, please look at `shop` `1.5.0`." in pull.body
    assert world.bump("1.5.0", *own).document["status"] == "unchanged"
    pull.body = f"Wait for the DBA.\n\n{pull.body}"
    assert world.bump("1.6.0", *own).document["pull_request"]["state"] == "updated"
    assert pull.body.startswith("Wait for the DBA.")
    assert pull.body.count("Hello") == 1
    assert "`1.6.0`" in pull.body
    pull.status = "closed"
    assert world.bump("1.6.0", *own).document["status"] == "unchanged"
    assert world.bump("1.7.0", *own).document["pull_request"]["state"] == "opened"


@on_two
def test_the_settings_file_gives_templates_and_no_file_outside_of_its_folder(world, tmp_path, monkeypatch):
    (tmp_path / "outside.md").write_text("secret")
    inside = tmp_path / "work"
    inside.mkdir()
    monkeypatch.chdir(inside)
    settings = "pull-request:\n  branch: 'deploy/{image}'\n  commit-message: 'Deploy {tag}'\n  signoff: true\n"
    (inside / "text.md").write_text("From the file: {summary}")
    (inside / ".gitops-ci.yaml").write_text(settings + "  body: text.md\n")
    assert world.bump("1.5.0").code == 0
    assert world.heads() == ["deploy/ghcr.io-acme-shop"]
    message = world.repo.git("log", "-1", "--format=%B", "deploy/ghcr.io-acme-shop")
    assert message.startswith("Deploy 1.5.0\n")
    assert "Signed-off-by: gitops-ci <" in message
    if world.stub:
        assert "From the file: Updates `ghcr.io/acme/shop`" in world.stub.pulls[0].body
    (inside / "link.md").symlink_to(tmp_path / "outside.md")
    for name in (str(tmp_path / "outside.md"), "../outside.md", "link.md"):
        (inside / ".gitops-ci.yaml").write_text(f"pull-request: {{body: '{name}'}}\n")
        ran = world.bump("1.6.0")
        assert (ran.code, "outside of this folder" in ran.document["error"]["message"]) == (2, True), name


@on_two
@pytest.mark.parametrize(
    ("version", "old", "link"),
    [
        ("1.5.0", "", "compare/v1.4.1...v1.5.0"),
        ("main-0a1b2c3d", "main-ffee112", "compare/ffee112...0a1b2c3d4e5f60718293a4b5c6d7e8f901234567"),
        ("1.6.0", "", ""),
    ],
)
def test_the_changes_of_the_source_are_a_link_where_tags_show_them(world, ci, version, old, link):
    if old:
        texts = {path: data.decode().replace("1.4.1", old) for path, data in world.repo.files("main").items()}
        commit_files(world.repo, {path: text for path, text in texts.items() if path.endswith(".yaml")})
    assert world.bump(version).code == 0
    if world.stub:
        body = world.stub.pulls[0].body
        assert (f"- Changes: <https://github.example/acme/shop/{link}>" in body) == bool(link)
        assert "at [`0a1b2c3d4e5f`](<https://github.example/acme/shop/commit/0a1b2c3d" in body


@on_two
def test_a_push_carries_the_hosts_skip_mark_by_choice_and_a_pull_request_never(world):
    """In the application's own repository the commit would start the pipeline that made it."""
    assert world.bump("1.5.0", "--mode", "push", "--skip-ci", "--commit-message", "Deploy {tag}\n\nWhy").code == 0
    message = world.repo.git("log", "-1", "--format=%B", "main")
    assert message.startswith("Deploy 1.5.0 [skip ci]\n\nWhy\n")
    ran = world.bump("1.6.0", "--skip-ci")
    [head] = world.heads()
    assert (ran.code, "--skip-ci has no effect" in ran.err) == (0, True)
    assert "skip ci" not in world.repo.git("log", "-1", "--format=%B", head)
