"""The evening of docs/three-environments.md by pull requests, on other code hosts than the page's."""

import re

import pytest

from tests.support.documents import blocks
from tests.support.world import world_on

SHOP = "ghcr.io/acme/shop"
PAGE = "docs/three-environments.md"
PERSON = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")
PASSED = ("--skip-gate", "source-agrees", "--reason", "no registry here")
AT_PRODUCTION = (SHOP, "--environment", "production")


def files_of_page():
    """The files of the page; production by pull requests, as the page offers it."""
    found = {block.file[1]: block.text for block in blocks(PAGE) if block.file}
    settings = found[".gitops-ci.yaml"]
    found[".gitops-ci.yaml"] = re.sub(r"(production:\n.*\n) *mode: push .*\n", r"\1", settings)
    assert found[".gitops-ci.yaml"] != settings
    return found


class Evening:
    """A person beside the pipelines: merges what is proposed, and looks at what is where."""

    def __init__(self, world):
        self.world = world

    def does(self, *words, code=0):
        ran = self.world.call(*words)
        assert ran.code == code, ran.err
        return ran

    def deploys(self, tag):
        """The application's pipeline, and that of the config repository."""
        self.does("bump", f"{SHOP}:{tag}", "--environment", "dev")
        self.does("promote", "--to", "auto", *PASSED)

    def merges(self, ran):
        """Merge the pull request of a run with a merge commit, and delete its branch."""
        repo, pull = self.world.repo, ran.document["pull_request"]
        assert pull["state"] == "opened", ran.err
        head, message = ran.document["commit"]["branch"], f"Merge pull request #{pull['number']}"
        tree = f"{head}^{{tree}}"
        merge = repo.git(*PERSON, "commit-tree", tree, "-p", "main", "-p", head, "-m", message)
        repo.git("update-ref", "refs/heads/main", merge)
        repo.git("update-ref", "-d", f"refs/heads/{head}")
        next(one for one in self.world.stub.pulls if one.number == pull["number"]).status = "merged"

    def sees(self):
        """The versions, by environment."""
        (row,) = self.does("status").document["inventory"]["images"]
        return [cell["versions"][0]["tag"] for cell in row["in"].values()]


@pytest.mark.parametrize(
    "host",
    ["gitlab", *(pytest.param(name, marks=pytest.mark.only_soak) for name in ("github", "gitea", "bitbucket"))],
)
def test_an_evening_by_pull_requests(host, run, git_server):
    with world_on(host, run, git_server, files_of_page()) as world:
        at = Evening(world)
        assert at.sees() == ["0.0.0"] * 3
        at.deploys("1.0.0")
        at.merges(at.does("promote", "--to", "production", *PASSED))
        assert at.sees() == ["1.0.0"] * 3

        at.deploys("1.1.0")
        at.merges(at.does("promote", "--to", "production", *PASSED))
        back = at.does("rollback", *AT_PRODUCTION, "--reason", "500s at checkout")
        assert back.document["pull_request"]["title"] == "production: shop back to 1.0.0"
        at.merges(back)
        assert at.sees() == ["1.1.0", "1.1.0", "1.0.0"]
        assert "500s at checkout" in at.does("promote", "--to", "production", *PASSED).err

        at.merges(at.does("hold", *AT_PRODUCTION, "--reason", "we look into it"))
        at.deploys("1.2.0")
        assert "is held in production" in at.does("promote", "--to", "production", *PASSED).err
        at.merges(at.does("unhold", *AT_PRODUCTION))
        at.merges(at.does("promote", "--to", "production", *PASSED))
        assert at.sees() == ["1.2.0"] * 3
        assert ".gitops-ci/holds/production/ghcr.io-acme-shop.yaml" not in world.repo.files()

        told = at.does("history", "--environment", "production", "--since", "all").document["deployments"]
        assert [(one["from"], one["to"], one["kind"]) for one in told[:-1]] == [
            ("1.0.0", "1.2.0", "promote"),
            ("1.1.0", "1.0.0", "rollback"),
            ("1.0.0", "1.1.0", "promote"),
            ("0.0.0", "1.0.0", "promote"),
        ]
        assert not [pull for pull in world.stub.pulls if pull.status == "open"]
