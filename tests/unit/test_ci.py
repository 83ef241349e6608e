import json
from dataclasses import replace

import pytest

from gitops_ci.ci import _MARKS, PROVIDERS, CiContext, commit_url, detect, own_code_host

GITHUB = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_REPOSITORY": "acme/shop",
    "GITHUB_SHA": "a" * 40,
    "GITHUB_RUN_ID": "7",
    "GITHUB_ACTOR": "jane",
    "GITHUB_EVENT_NAME": "push",
    "GITHUB_REF_NAME": "main",
    "GITHUB_REF_TYPE": "branch",
}


def test_nothing_is_known_outside_of_ci():
    assert detect({}) == CiContext()


def test_github_push():
    context = detect(GITHUB)
    assert (context.provider, context.repository_url) == ("github", "https://github.com/acme/shop")
    assert (context.commit, context.branch, context.git_tag) == ("a" * 40, "main", "")
    assert context.run_url == "https://github.com/acme/shop/actions/runs/7"
    assert context.trusted


def test_github_tag():
    context = detect(GITHUB | {"GITHUB_REF_NAME": "v1.4.2", "GITHUB_REF_TYPE": "tag"})
    assert (context.branch, context.git_tag) == ("", "v1.4.2")


def request_event(tmp_path, head_repository, name="pull_request"):
    event = tmp_path / "event.json"
    head = {"sha": "b" * 40, "repo": {"full_name": head_repository}}
    event.write_text(json.dumps({"number": 5, "pull_request": {"number": 5, "head": head}}))
    return GITHUB | {
        "GITHUB_EVENT_NAME": name,
        "GITHUB_EVENT_PATH": str(event),
        "GITHUB_HEAD_REF": "feature/x",
        "GITHUB_REF_NAME": "5/merge",
    }


def test_github_pull_request_is_known_by_its_head_not_by_the_merge_commit(tmp_path):
    context = detect(request_event(tmp_path, "acme/shop"))
    assert (context.pull_request, context.branch, context.commit) == (5, "feature/x", "b" * 40)
    assert context.trusted


def test_github_code_from_outside_is_not_trusted(tmp_path):
    assert not detect(request_event(tmp_path, "mallory/shop")).trusted
    assert not detect(request_event(tmp_path, "acme/shop", "pull_request_target")).trusted
    no_event = GITHUB | {"GITHUB_EVENT_NAME": "pull_request", "GITHUB_EVENT_PATH": str(tmp_path / "none.json")}
    assert not detect(no_event).trusted


def test_github_workflow_run_is_trusted_where_this_repository_started_it(tmp_path):
    def followed(repository):
        event = tmp_path / "event.json"
        event.write_text(json.dumps({"workflow_run": {"head_repository": {"full_name": repository}}}))
        return detect(GITHUB | {"GITHUB_EVENT_NAME": "workflow_run", "GITHUB_EVENT_PATH": str(event)})

    assert followed("acme/shop").trusted
    assert not followed("mallory/shop").trusted
    assert not detect(GITHUB | {"GITHUB_EVENT_NAME": "workflow_run", "GITHUB_EVENT_PATH": ""}).trusted


def followed_run(tmp_path, **run):
    event = tmp_path / "event.json"
    before = {"head_sha": "b" * 40, "head_branch": "develop", "event": "push", **run}
    event.write_text(json.dumps({"workflow_run": before, "repository": {"default_branch": "main"}}))
    return detect(GITHUB | {"GITHUB_EVENT_NAME": "workflow_run", "GITHUB_EVENT_PATH": str(event)})


def test_github_workflow_run_builds_what_the_run_before_it_built(tmp_path):
    """GITHUB_SHA and GITHUB_REF_NAME are those of the default branch."""
    context = followed_run(tmp_path)
    assert (context.commit, context.branch, context.git_tag) == ("b" * 40, "develop", "")
    assert (context.pull_request, context.default_branch) == (None, "main")


def test_github_workflow_run_of_a_pull_request(tmp_path):
    context = followed_run(tmp_path, event="pull_request", pull_requests=[{"number": 12}])
    assert (context.pull_request, context.branch, context.commit) == (12, "develop", "b" * 40)
    # Of a fork's pull request there is no number, and its branch may be called main.
    context = followed_run(tmp_path, event="pull_request", head_branch="main", pull_requests=[])
    assert (context.pull_request, context.branch, context.commit) == (None, "", "b" * 40)
    context = followed_run(tmp_path, event="push", pull_requests=[{"number": 12}])
    assert (context.pull_request, context.branch) == (None, "develop"), "a push to a branch that has a pull request"


def test_github_workflow_run_without_its_event_is_no_build_of_the_default_branch():
    context = detect(GITHUB | {"GITHUB_EVENT_NAME": "workflow_run", "GITHUB_EVENT_PATH": ""})
    assert (context.commit, context.branch, context.trusted) == ("", "", False)


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        (GITHUB | {"GITHUB_RUN_NUMBER": "57", "GITHUB_EVENT_NAME": "schedule"}, ("57", "", True)),
        (GITHUB | {"GITHUB_RUN_NUMBER": "57"}, ("57", "", False)),
        (
            {
                "GITLAB_CI": "true",
                "CI_PIPELINE_IID": "9",
                "CI_PIPELINE_SOURCE": "schedule",
                "CI_PIPELINE_CREATED_AT": "2026-11-30T02:00:00Z",
            },
            ("9", "2026-11-30T02:00:00Z", True),
        ),
        ({"BITBUCKET_BUILD_NUMBER": "3"}, ("3", "", False)),
        (
            {
                "TF_BUILD": "True",
                "BUILD_BUILDID": "8",
                "BUILD_REASON": "Schedule",
                "SYSTEM_PIPELINESTARTTIME": "2026-11-30 02:00:00+00:00",
            },
            ("8", "2026-11-30 02:00:00+00:00", True),
        ),
        ({"JENKINS_URL": "https://j", "BUILD_NUMBER": "4"}, ("4", "", False)),
    ],
)
def test_the_run_its_number_and_its_start(variables, expected):
    context = detect(variables)
    assert (context.run, context.started, context.scheduled) == expected


def test_gitea_is_told_apart_from_github():
    assert detect(GITHUB | {"GITEA_ACTIONS": "true"}).provider == "gitea"


def test_gitlab():
    env = {
        "GITLAB_CI": "true",
        "CI_PROJECT_URL": "https://gitlab.example/acme/shop",
        "CI_COMMIT_SHA": "c" * 40,
        "CI_COMMIT_BRANCH": "main",
        "CI_DEFAULT_BRANCH": "main",
        "CI_JOB_URL": "https://gitlab.example/acme/shop/-/jobs/1",
    }
    context = detect(env)
    assert (context.provider, context.branch, context.default_branch) == ("gitlab", "main", "main")
    fork = env | {
        "CI_MERGE_REQUEST_IID": "3",
        "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": "x",
        "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "2",
        "CI_MERGE_REQUEST_PROJECT_ID": "1",
    }
    assert (detect(fork).pull_request, detect(fork).branch, detect(fork).trusted) == (3, "x", False)


MERGE_REQUEST = {
    "GITLAB_CI": "true",
    "CI_COMMIT_SHA": "c" * 40,
    "CI_DEFAULT_BRANCH": "main",
    "CI_MERGE_REQUEST_IID": "3",
    "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": "x",
    "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "1",
    "CI_MERGE_REQUEST_PROJECT_ID": "1",
    "CI_MERGE_REQUEST_DIFF_BASE_SHA": "d" * 40,
    "CI_PIPELINE_SOURCE": "merge_request_event",
}


@pytest.mark.parametrize(
    ("more", "bases"),
    [
        ({"CI_MERGE_REQUEST_EVENT_TYPE": "detached"}, ("d" * 40,)),
        (
            {"CI_MERGE_REQUEST_EVENT_TYPE": "merged_result", "CI_MERGE_REQUEST_TARGET_BRANCH_SHA": "e" * 40},
            ("e" * 40, "d" * 40),
        ),
        (
            {"CI_MERGE_REQUEST_EVENT_TYPE": "merge_train", "CI_MERGE_REQUEST_TARGET_BRANCH_SHA": "e" * 40},
            ("e" * 40, "d" * 40),
        ),
    ],
)
def test_gitlab_merge_requests_and_trains_are_told_from_where_they_start(more, bases):
    context = detect(MERGE_REQUEST | more)
    assert (context.bases, context.pull_request, context.branch, context.trusted) == (bases, 3, "x", True)


def test_github_merge_queue_starts_where_the_queue_says(tmp_path):
    event = tmp_path / "event.json"
    group = {"head_sha": "a" * 40, "base_sha": "e" * 40, "base_ref": "refs/heads/main"}
    event.write_text(json.dumps({"action": "checks_requested", "merge_group": group}))
    queue = {
        "GITHUB_EVENT_NAME": "merge_group",
        "GITHUB_EVENT_PATH": str(event),
        "GITHUB_REF_NAME": "gh-readonly-queue/main/pr-7-" + "e" * 40,
    }
    context = detect(GITHUB | queue)
    assert (context.bases, context.commit, context.event, context.trusted) == (
        ("e" * 40,),
        "a" * 40,
        "merge_group",
        True,
    )


def test_a_pull_request_starts_at_its_target(tmp_path):
    event = tmp_path / "event.json"
    request = {"number": 5, "head": {"sha": "b" * 40}, "base": {"sha": "e" * 40, "ref": "main"}}
    event.write_text(json.dumps({"number": 5, "pull_request": request}))
    ours = GITHUB | {"GITHUB_EVENT_PATH": str(event), "GITHUB_EVENT_NAME": "pull_request"}
    # GitHub's commit is a merge of both; Gitea's is the head, whose parent is not a base.
    assert detect(ours).bases == ("a" * 40 + "^1", "e" * 40)
    assert detect(ours | {"GITEA_ACTIONS": "true"}).bases == ("e" * 40,)
    assert detect(ours | {"FORGEJO_ACTIONS": "true"}).bases == ("e" * 40,)
    # Here the commit is the target's own, and the head was checked out.
    assert detect(ours | {"GITHUB_EVENT_NAME": "pull_request_target"}).bases == ("e" * 40,)
    assert detect(GITHUB).bases == ()
    bitbucket = {"BITBUCKET_BUILD_NUMBER": "4", "BITBUCKET_PR_ID": "9", "BITBUCKET_PR_DESTINATION_COMMIT": "f" * 12}
    assert (detect(bitbucket).bases, detect(bitbucket).pull_request) == (("f" * 12,), 9)
    azure = {"TF_BUILD": "True", "BUILD_SOURCEBRANCH": "refs/pull/6/merge", "SYSTEM_PULLREQUEST_PULLREQUESTID": "6"}
    azure |= {"SYSTEM_PULLREQUEST_TARGETBRANCH": "refs/heads/main", "SYSTEM_PULLREQUEST_SOURCEBRANCH": "refs/heads/x"}
    assert (detect(azure).bases, detect(azure).branch, detect(azure).git_tag) == (("origin/main",), "x", "")
    assert not detect(azure | {"SYSTEM_PULLREQUEST_ISFORK": "True"}).trusted
    jenkins = {"JENKINS_URL": "https://j/", "BUILD_NUMBER": "1", "BRANCH_NAME": "PR-4", "CHANGE_ID": "4"}
    jenkins |= {"CHANGE_TARGET": "main", "CHANGE_BRANCH": "x"}
    assert (detect(jenkins).bases, detect(jenkins).branch, detect(jenkins).pull_request) == (("origin/main",), "x", 4)
    assert not detect(jenkins | {"CHANGE_FORK": "mallory"}).trusted


def test_gitlab_is_recognized_by_its_server_where_a_local_runner_denies_it():
    assert detect({"GITLAB_CI": "false", "CI_SERVER_URL": "https://g", "CI_PROJECT_ID": "1"}).provider == "gitlab"


def test_azure_and_bitbucket_and_jenkins():
    azure = detect({"TF_BUILD": "True", "BUILD_SOURCEBRANCH": "refs/heads/feature/x", "BUILD_SOURCEVERSION": "d"})
    assert (azure.provider, azure.branch, azure.commit) == ("azure", "feature/x", "d")
    assert detect({"TF_BUILD": "True", "BUILD_SOURCEBRANCH": "refs/tags/v1"}).git_tag == "v1"
    bitbucket = detect({"BITBUCKET_BUILD_NUMBER": "4", "BITBUCKET_GIT_HTTP_ORIGIN": "http://bitbucket.org/a/b"})
    assert bitbucket.run_url == "https://bitbucket.org/a/b/pipelines/results/4"
    jenkins = detect({"JENKINS_URL": "https://j/", "BUILD_NUMBER": "1", "GIT_BRANCH": "origin/main"})
    assert (jenkins.provider, jenkins.branch) == ("jenkins", "main")


@pytest.mark.parametrize(
    ("provider", "expected"),
    [
        ("github", "https://forge.example/acme/shop/commit/0a1b"),
        ("gitea", "https://forge.example/acme/shop/commit/0a1b"),
        ("gitlab", "https://forge.example/acme/shop/-/commit/0a1b"),
        ("bitbucket", "https://forge.example/acme/shop/commits/0a1b"),
        ("azure", "https://forge.example/acme/shop/commit/0a1b"),
        ("jenkins", ""),  # any host
        ("none", ""),
    ],
)
def test_the_source_commit_has_an_address(provider, expected):
    context = CiContext(provider=provider, repository_url="https://forge.example/acme/shop", commit="0a1b")
    assert commit_url(context) == expected
    assert commit_url(replace(context, commit="")) == ""


GITLAB_BELOW = {
    "GITLAB_CI": "true",
    "CI_SERVER_URL": "https://code.corp.example/gitlab",
    "CI_API_V4_URL": "https://code.corp.example/gitlab/api/v4",
}
GITHUB_SERVER = {"GITHUB_ACTIONS": "true", "GITHUB_SERVER_URL": "https://git.corp.example"}


@pytest.mark.parametrize(
    ("environ", "host", "expected"),
    [
        (GITLAB_BELOW, "code.corp.example", ("gitlab", "https://code.corp.example/gitlab/api/v4")),
        (GITLAB_BELOW, "github.com", ("", None)),
        (GITLAB_BELOW | {"CI_API_V4_URL": "https://elsewhere.example/api/v4"}, "code.corp.example", ("gitlab", None)),
        (GITHUB_SERVER, "git.corp.example", ("github", None)),
        (GITHUB_SERVER | {"GITEA_ACTIONS": "true"}, "git.corp.example", ("gitea", None)),
        (GITHUB_SERVER, "gitlab.com", ("", None)),
        (GITHUB_SERVER | {"GITHUB_SERVER_URL": "http://127.0.0.1:3000"}, "127.0.0.1", ("", None)),
        ({}, "git.corp.example", ("", None)),
        (GITHUB_SERVER, "", ("", None)),
    ],
)
def test_the_code_host_of_the_run_itself_is_known(environ, host, expected):
    assert own_code_host(environ, host) == expected


# Providers that differ in names only: the variables of a run, then those of a tag, a pull request and one of a fork.
SHA = "c" * 40
SYSTEMS = {
    "circleci": (
        {"CIRCLECI": "true", "CIRCLE_SHA1": SHA, "CIRCLE_BRANCH": "main", "CIRCLE_BUILD_URL": "https://ci/7"},
        {"CIRCLE_TAG": "v1.4.2", "CIRCLE_BRANCH": ""},
        {"CIRCLE_BRANCH": "topic", "CIRCLE_PULL_REQUEST": "https://github.com/acme/shop/pull/5"},
        {"CIRCLE_BRANCH": "pull/5", "CIRCLE_PR_NUMBER": "5", "CIRCLE_PR_USERNAME": "mallory"},
    ),
    "drone": (
        {"DRONE": "true", "DRONE_COMMIT_SHA": SHA, "DRONE_BRANCH": "main", "DRONE_BUILD_LINK": "https://ci/7"},
        {"DRONE_TAG": "v1.4.2", "DRONE_BUILD_EVENT": "tag"},
        None,
        {"DRONE_PULL_REQUEST": "5", "DRONE_SOURCE_BRANCH": "topic", "DRONE_BUILD_EVENT": "pull_request"},
    ),
    "woodpecker": (
        {"CI": "woodpecker", "CI_COMMIT_SHA": SHA, "CI_COMMIT_BRANCH": "main", "CI_PIPELINE_URL": "https://ci/7"},
        {"CI_COMMIT_TAG": "v1.4.2", "CI_PIPELINE_EVENT": "tag"},
        None,
        {"CI_COMMIT_PULL_REQUEST": "5", "CI_COMMIT_SOURCE_BRANCH": "topic", "CI_PIPELINE_EVENT": "pull_request"},
    ),
    "buildkite": (
        {
            "BUILDKITE": "true",
            "BUILDKITE_COMMIT": SHA,
            "BUILDKITE_BRANCH": "main",
            "BUILDKITE_REPO": "git@github.com:acme/shop.git",
            "BUILDKITE_PULL_REQUEST": "false",
            "BUILDKITE_BUILD_URL": "https://ci/7",
        },
        {"BUILDKITE_TAG": "v1.4.2", "BUILDKITE_BRANCH": "v1.4.2"},
        {
            "BUILDKITE_PULL_REQUEST": "5",
            "BUILDKITE_BRANCH": "topic",
            "BUILDKITE_PULL_REQUEST_REPO": "https://github.com/acme/shop.git",
        },
        {
            "BUILDKITE_PULL_REQUEST": "5",
            "BUILDKITE_BRANCH": "mallory:topic",
            "BUILDKITE_PULL_REQUEST_REPO": "https://github.com/mallory/shop.git",
        },
    ),
    "travis": (
        {
            "TRAVIS": "true",
            "TRAVIS_COMMIT": SHA,
            "TRAVIS_BRANCH": "main",
            "TRAVIS_PULL_REQUEST": "false",
            "TRAVIS_REPO_SLUG": "acme/shop",
            "TRAVIS_BUILD_WEB_URL": "https://ci/7",
        },
        {"TRAVIS_TAG": "v1.4.2", "TRAVIS_BRANCH": "v1.4.2"},
        {
            "TRAVIS_PULL_REQUEST": "5",
            "TRAVIS_PULL_REQUEST_BRANCH": "topic",
            "TRAVIS_PULL_REQUEST_SLUG": "acme/shop",
        },
        {
            "TRAVIS_PULL_REQUEST": "5",
            "TRAVIS_PULL_REQUEST_BRANCH": "topic",
            "TRAVIS_PULL_REQUEST_SLUG": "mallory/shop",
        },
    ),
    "codebuild": (
        {
            "CODEBUILD_BUILD_ID": "shop:1",
            "CODEBUILD_RESOLVED_SOURCE_VERSION": SHA,
            "CODEBUILD_WEBHOOK_TRIGGER": "branch/main",
            "CODEBUILD_BUILD_URL": "https://ci/7",
        },
        {"CODEBUILD_WEBHOOK_TRIGGER": "tag/v1.4.2"},
        None,
        {"CODEBUILD_WEBHOOK_TRIGGER": "pr/5", "CODEBUILD_WEBHOOK_HEAD_REF": "refs/heads/topic"},
    ),
    "semaphore": (
        {
            "SEMAPHORE": "true",
            "SEMAPHORE_GIT_SHA": SHA,
            "SEMAPHORE_GIT_BRANCH": "main",
            "SEMAPHORE_GIT_REPO_SLUG": "acme/shop",
            "SEMAPHORE_ORGANIZATION_URL": "https://ci",
            "SEMAPHORE_WORKFLOW_ID": "7",
        },
        {"SEMAPHORE_GIT_TAG_NAME": "v1.4.2"},
        {
            "SEMAPHORE_GIT_PR_NUMBER": "5",
            "SEMAPHORE_GIT_PR_BRANCH": "topic",
            "SEMAPHORE_GIT_PR_SLUG": "acme/shop",
        },
        {
            "SEMAPHORE_GIT_PR_NUMBER": "5",
            "SEMAPHORE_GIT_PR_BRANCH": "topic",
            "SEMAPHORE_GIT_PR_SLUG": "mallory/shop",
        },
    ),
    "cloud-build": (
        {
            "PROJECT_ID": "acme",
            "BUILD_ID": "7",
            "COMMIT_SHA": SHA,
            "BRANCH_NAME": "main",
            "REPO_FULL_NAME": "acme/shop",
        },
        {"TAG_NAME": "v1.4.2", "BRANCH_NAME": ""},
        {"_PR_NUMBER": "5", "_HEAD_BRANCH": "topic", "_HEAD_REPO_URL": "https://github.com/acme/shop"},
        {"_PR_NUMBER": "5", "_HEAD_BRANCH": "topic", "_HEAD_REPO_URL": "https://github.com/mallory/shop"},
    ),
}


@pytest.mark.parametrize("name", sorted(SYSTEMS))
class TestFurtherSystems:
    def test_a_branch_build(self, name):
        context = detect(SYSTEMS[name][0])
        assert context.provider == name
        assert (context.commit, context.branch, context.git_tag) == (SHA, "main", "")
        assert "7" in context.run_url
        assert context.trusted

    def test_a_tag_build_is_that_version(self, name):
        usual, tag, *_ = SYSTEMS[name]
        context = detect(usual | tag)
        assert (context.branch, context.git_tag) == ("", "v1.4.2")
        assert context.trusted

    def test_a_pull_request_of_the_repository(self, name):
        usual, _, own, _ = SYSTEMS[name]
        if own is None:
            return  # the system does not tell it from one of a fork
        context = detect(usual | own)
        assert (context.pull_request, context.branch) == (5, "topic")
        assert context.trusted

    def test_a_pull_request_of_a_fork_is_not_trusted(self, name):
        usual, *_, fork = SYSTEMS[name]
        context = detect(usual | fork)
        assert context.pull_request == 5
        assert not context.trusted


@pytest.mark.parametrize(
    ("name", "variables"),
    [
        ("teamcity", {"TEAMCITY_VERSION": "2026.1", "BUILD_VCS_NUMBER": SHA, "BUILD_NUMBER": "7"}),
        ("argo-workflows", {"ARGO_NODE_ID": "shop-7", "ARGO_TEMPLATE": "{}"}),
        ("codebuild", {"CODEBUILD_BUILD_ID": "shop:1", "CODEBUILD_RESOLVED_SOURCE_VERSION": SHA}),
        ("cloud-build", {"PROJECT_ID": "acme", "BUILD_ID": "7", "COMMIT_SHA": SHA}),
    ],
)
def test_a_system_that_tells_no_branch_lets_the_checkout_tell(name, variables):
    context = detect(variables)
    assert (context.provider, context.branch, context.reads_checkout) == (name, "", True)


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"teamcity.build.vcs.branch.Shop": "refs/heads/main"}, ("main", "", None, True)),
        ({"teamcity.build.vcs.branch.Shop": "refs/tags/v1.4.2"}, ("", "v1.4.2", None, True)),
        (
            {"teamcity.build.vcs.branch.Shop": "refs/pull/5/head", "teamcity.pullRequest.number": "5"},
            ("", "", 5, False),
        ),
        (
            {
                "teamcity.build.vcs.branch.Shop": "refs/heads/topic",
                "teamcity.pullRequest.number": "5",
                "teamcity.pullRequest.source.branch": "topic",
            },
            ("topic", "", 5, False),
        ),
        # Without TeamCity's feature for pull requests, only the ref shows one.
        ({"teamcity.build.vcs.branch.Shop": "refs/merge-requests/5/head"}, ("", "", None, False)),
        (
            {
                "teamcity.build.vcs.branch.Shop": "refs/heads/main",
                "teamcity.build.vcs.branch.Tools": "refs/pull/5/head",
            },
            ("", "", None, False),
        ),
        (
            {
                "teamcity.build.vcs.branch.Shop": "refs/heads/main",
                "teamcity.build.vcs.branch.Tools": "refs/heads/next",
            },
            ("", "", None, True),
        ),
    ],
)
def test_teamcity_writes_branch_tag_and_pull_request_into_a_file(tmp_path, parameters, expected):
    inner, outer = tmp_path / "config:1.properties", tmp_path / "build.properties"
    inner.write_text("#Tue Dec 01\n" + "".join(f"{name}={value}\n" for name, value in parameters.items()))
    # Java escapes a colon with a backslash.
    outer.write_text(f"teamcity.configuration.properties.file={str(inner).replace(':', chr(92) + ':')}\n")
    context = detect({"TEAMCITY_VERSION": "2026.1", "TEAMCITY_BUILD_PROPERTIES_FILE": str(outer)})
    assert (context.branch, context.git_tag, context.pull_request, context.trusted) == expected
    assert context.reads_checkout == (not any(expected[:3]) and context.trusted)


def test_a_provider_without_its_own_variables_is_none():
    # Jenkins and Woodpecker set names that others use too.
    assert detect({"CI": "true", "BUILD_NUMBER": "7", "BUILD_ID": "7", "PROJECT_ID": "x"}) == CiContext()


def test_every_provider_has_a_mark():
    assert list(_MARKS) == list(PROVIDERS)
