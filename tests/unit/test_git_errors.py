"""What the words of remotes mean, and what to do about them."""

import pytest

from gitops_ci.configrepo.git_errors import fetch_error, push_error
from gitops_ci.repourl import RepoUrl

URL = RepoUrl.parse("https://forge.example/acme/config.git")
REFUSED = "! refs/heads/x:refs/heads/x [remote rejected] (pre-receive hook declined)"
# In the words of each host, as public reports quote them.
RULES = {
    "GH013: Repository rule violations found. Commits must have verified signatures.": "--sign",
    "GitLab: Commit must be signed with a GPG key": "--sign",
    "GitLab: Author 'ci@example.com' is not a member of team": "--author",
    "GitLab: Committer's email 'ci@example.com' does not follow the pattern '@acme.com$'": "--committer",
    "GitLab: Commit message does not follow the pattern 'JIRA-[0-9]+'": "--title",
    "GitLab: Branch name does not follow the pattern '^feature/'": "branch names",
    "GitLab: You are not allowed to push code to protected branches on this project.": "push to gitops-ci/**",
    "GitLab: something else": "The hook's message says why",
    "GH006: Protected branch update failed. Cannot force-push to this branch": "Allow force pushes",
    "remote: You are not allowed to rewrite history": "Allow force pushes",
    "cannot lock ref 'refs/heads/gitops-ci/x': 'refs/heads/gitops-ci' exists; cannot create 'refs/heads/gitops-ci/x'": (
        "Rename or delete that branch"
    ),
}


@pytest.mark.parametrize("words", RULES)
def test_a_refused_push_names_the_option_that_helps(words):
    error = push_error(URL, "gitops-ci/x", f"remote: {words}\n{REFUSED}\n", credentials=None)
    assert RULES[words] in error.hint
    assert "--mode pull-request" not in error.hint


def test_a_race_for_the_same_ref_is_worth_another_try():
    said = (
        "error: cannot lock ref 'refs/heads/main': is at 1 but expected 2\n! [remote rejected] (failed to update ref)"
    )
    assert push_error(URL, "main", said, credentials=None) is None


def test_a_host_key_that_changed_is_never_to_be_accepted():
    """`ssh-keyscan` would take the key of whoever is in between."""
    said = "@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed.\n"
    changed = fetch_error(RepoUrl.parse("git@forge.example:acme/config.git"), said, credentials=None)
    unknown = fetch_error(
        RepoUrl.parse("git@forge.example:acme/config.git"), "Host key verification failed.\n", credentials=None
    )
    assert "is not the one in known_hosts" in changed.message
    assert "keyscan" not in changed.hint
    assert "keyscan" in unknown.hint
