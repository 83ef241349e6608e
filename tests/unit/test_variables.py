"""Which variables are secrets."""

import pytest

from gitops_ci import variables
from gitops_ci.bounded import Limits
from gitops_ci.rendering.programs import ProgramSettings, _environment

TOKEN = "glpat-0123456789abcdef"


@pytest.fixture
def names(monkeypatch):
    """The names of those variables that `inherited` leaves out."""

    def call(**given):
        monkeypatch.setattr("os.environ", {"PATH": "/bin", "HOME": "/home/ada", **given})
        return given.keys() - variables.inherited().keys()

    return call


@pytest.mark.parametrize(
    "name",
    [
        *("GITOPS_CI_TOKEN", "GITOPS_CI_REGISTRY_PASSWORD", "GITHUB_TOKEN", "GH_TOKEN", "CI_JOB_TOKEN", "GITLAB_TOKEN"),
        *("CI_REGISTRY_PASSWORD", "CI_DEPLOY_PASSWORD", "SYSTEM_ACCESSTOKEN", "AZURE_DEVOPS_EXT_PAT", "GITEA_TOKEN"),
        *("DOCKER_AUTH_CONFIG", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AZURE_CLIENT_SECRET", "ARM_SAS"),
        *("SSH_PRIVATE_KEY", "SOPS_AGE_KEY", "GPG_PASSPHRASE", "SIGNING_KEY", "api_key", "ApiKey", "DB_PASS", "MY_PW"),
        *("GOOGLE_CREDENTIALS", "NPM_CONFIG__AUTH", "DEPLOY_JWT", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "github_token"),
    ],
)
def test_names_of_secrets(names, name):
    assert names(**{name: "x"}) == {name}


@pytest.mark.parametrize(
    "value",
    [
        f"https://gitlab-ci-token:{TOKEN}@gitlab.example.com/acme/shop.git",
        f"https://{TOKEN}@example.com",
        f"--extra-index-url http://a:b@example.com/simple --index-url https://example.com/{TOKEN}",
        f"AUTHORIZATION: bearer {TOKEN}",
        f'{{"auths": "{TOKEN}"}}',
    ],
)
def test_values_that_hold_a_secret(names, value):
    assert names(A_TOKEN=TOKEN, PLAIN=value) == {"A_TOKEN", "PLAIN"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GITOPS_CI_SIGNING_KEY", "/keys/ci"),
        ("GITOPS_CI_TITLE", f"text with {TOKEN}"),
        ("DOCKER_HOST", "ssh://jane@example.com:22"),
        ("GIT_SSH_COMMAND", "ssh -i /keys/ci -l jane"),
        ("SSH_AUTH_SOCK", "/run/agent"),
        ("HTTPS_PROXY", f"http://proxy:{TOKEN}@example.com"),
        ("no_proxy", "localhost"),
        ("SSHPASS", "word"),
        ("CI_PROJECT_URL", "https://gitlab.example.com/acme/shop"),
        ("GITHUB_OUTPUT", "/runner/output"),
        ("KEYBOARD", "de"),
        ("MAIL", "a@example.com"),
        ("COMPASS", "north"),
        ("PWD", f"/builds/{TOKEN}"),
        ("HOME", f"/home/{TOKEN}"),
    ],
)
def test_other_programs_get_the_rest(names, name, value):
    assert names(A_TOKEN=TOKEN, **{name: value}) == {"A_TOKEN"}


def test_short_and_path_like_secrets_hide_nothing_else(names):
    assert names(A_TOKEN="main", B_KEY="/home/ada/key", REF="main", FILE="/home/ada/key/x") == {"A_TOKEN", "B_KEY"}


def test_an_untrusted_run_keeps_the_way_to_the_network(monkeypatch):
    proxy = "http://proxy:word@example.com"
    monkeypatch.setattr("os.environ", {"A_TOKEN": TOKEN, "SSHPASS": "w", "HTTPS_PROXY": proxy, "B": TOKEN, "C": "c"})
    monkeypatch.setattr(variables, "_secrets", {"D_TOKEN": TOKEN})
    variables.forget_secrets()
    assert variables.variables() == {"HTTPS_PROXY": proxy, "C": "c"}


def test_a_program_that_fetches_bases_does_not_work_on_the_repository_of_a_hook(monkeypatch):
    """git gives a hook GIT_DIR; the user's credentials may be in a configuration file of git."""
    hook = {"GIT_DIR": "/srv/app.git", "GIT_INDEX_FILE": "index", "GIT_CONFIG_GLOBAL": "/home/ada/git"}
    monkeypatch.setattr("os.environ", {"PATH": "/bin", **hook})
    of_git = {name for name in _environment("/tmp", ProgramSettings(allow_remote=True)) if name.startswith("GIT_")}
    assert of_git == {"GIT_CONFIG_GLOBAL", "GIT_ALLOW_PROTOCOL", "GIT_TERMINAL_PROMPT"}


def test_a_renderer_collects_garbage_late_and_before_it_reaches_its_limit(monkeypatch):
    settings = ProgramSettings(Limits(memory=512 * 1024**2))
    apart = _environment("/tmp", settings)
    assert (apart["GOGC"], apart["GOMEMLIMIT"]) == ("400", str(256 * 1024**2))
    monkeypatch.setenv("GOGC", "50")
    assert _environment("/tmp", settings)["GOGC"] == "400"
    assert _environment("/tmp", ProgramSettings(allow_remote=True))["GOGC"] == "50"
