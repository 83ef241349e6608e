"""What a person still has to do after `init`: in the settings of the CI system, with its command where one exists.

The commands are those of the hosts' own programs: cli.github.com/manual (`gh secret set`, `gh variable set`), the REST
API of GitHub for environments and the permissions of workflows, gitlab.com/gitlab-org/cli (`glab variable set`), and
learn.microsoft.com/cli/azure/pipelines/variable. No value of a secret is in a command: the programs ask for it, or read
it from a file.
"""

from __future__ import annotations

from collections.abc import Mapping

from gitops_ci.dataclass import dataclass
from gitops_ci.flows.init.applications import Application
from gitops_ci.flows.init.flow import InitRequest, System, applications_of, conditions, promotes
from gitops_ci.flows.init.survey import Survey

__all__ = ["NextStep", "next_steps"]


@dataclass(frozen=True, slots=True)
class NextStep:
    """What to do, and the commands that do it."""

    text: str
    commands: tuple[str, ...] = ()


_PULL_REQUESTS_OF_ACTIONS = (
    "gh api --method PUT 'repos/{owner}/{repo}/actions/permissions/workflow'"
    " -f default_workflow_permissions=read -F can_approve_pull_request_reviews=true"
)
_ENVIRONMENT = "'repos/{owner}/{repo}/environments/release"
_ONLY_SOME = (
    f"gh api --method PUT {_ENVIRONMENT}' -F 'deployment_branch_policy[protected_branches]=false'"
    " -F 'deployment_branch_policy[custom_branch_policies]=true'"
)
_ONLY_TAGS = f"gh api {_ENVIRONMENT}/deployment-branch-policies' -f name='@TAGS@' -f type=tag"
_GITLAB_TOKEN = "glab variable set GITOPS_CI_TOKEN --masked --protected < token.txt"  # noqa: S105 - a name
_PROTECT_TAGS = "glab api --method POST projects/:id/protected_tags -f name='@TAGS@'"
# System, word of `conditions` -> what to do.
_RELEASE: Mapping[tuple[System, str], NextStep] = {
    ("github", "other"): NextStep(
        "create the environment release, which only tags of releases may use",
        (_ONLY_SOME, _ONLY_TAGS),
    ),
    ("github", "app"): NextStep(
        "set the variable GITOPS_APP_ID and the secret GITOPS_APP_KEY of the app that opens the pull requests",
        ("gh variable set GITOPS_APP_ID --env release", "gh secret set GITOPS_APP_KEY --env release < private-key.pem"),
    ),
    ("github", "secret"): NextStep(
        "set the secret CONFIG_REPO_TOKEN: the token that opens the pull requests",
        ("gh secret set CONFIG_REPO_TOKEN --env release",),
    ),
    ("github", "own"): NextStep(
        "allow GitHub Actions to create pull requests, in the repository's settings", (_PULL_REQUESTS_OF_ACTIONS,)
    ),
    ("github", "registry"): NextStep(
        "set the variable REGISTRY_USER and the secret REGISTRY_PASSWORD: the account that pushes the image",
        ("gh variable set REGISTRY_USER", "gh secret set REGISTRY_PASSWORD"),
    ),
    ("gitlab", "release"): NextStep(
        "set the masked and protected variable GITOPS_CI_TOKEN (it opens the merge requests), and protect the tags",
        (_GITLAB_TOKEN, _PROTECT_TAGS),
    ),
    ("jenkins", "release"): NextStep("add the credentials config-repo-token and registry"),
    ("gitea", "release"): NextStep(
        "set the secrets CONFIG_REPO_TOKEN and REGISTRY_PASSWORD, and the variable REGISTRY_USER"
    ),
    ("bitbucket", "release"): NextStep(
        "set the secured variables GITOPS_CI_TOKEN, GITOPS_CI_REGISTRY_USER and GITOPS_CI_REGISTRY_PASSWORD"
    ),
    ("azure", "release"): NextStep(
        "set the secret variables CONFIG_REPO_TOKEN, REGISTRY_USER and REGISTRY_PASSWORD",
        tuple(
            f"az pipelines variable create --pipeline-name NAME --secret true --name {name}"
            for name in ("CONFIG_REPO_TOKEN", "REGISTRY_USER", "REGISTRY_PASSWORD")
        ),
    ),
    ("tekton", "release"): NextStep(
        "create the Secret gitops-ci with the key token, and a TaskRun with the parameters of the Task",
        ("kubectl create secret generic gitops-ci --from-file=token=token.txt",),
    ),
    ("woodpecker", "release"): NextStep(
        "set the secrets config_repo_token, registry_user and registry_password; trust the repository"
    ),
    ("shell", "release"): NextStep("set GITOPS_CI_TOKEN to the token that opens the pull requests"),
}
# What a person does for the workflow or job that promotes.
_PROMOTION: Mapping[System, NextStep] = {
    "github": NextStep(
        "allow GitHub Actions to create pull requests, in the repository's settings: promote opens them",
        (_PULL_REQUESTS_OF_ACTIONS,),
    ),
    "gitlab": NextStep(
        "add a pipeline schedule for promote, and the masked variable GITOPS_CI_TOKEN: it opens merge requests",
        (
            "glab schedule create --cron '*/15 * * * *' --description promote --ref @BRANCH@",
            "glab variable set GITOPS_CI_TOKEN --masked < token.txt",
        ),
    ),
}


def next_steps(request: InitRequest, found: Survey) -> list[NextStep]:
    """What is left to do, in the order in which to do it."""
    steps = []
    built = applications_of(request, found)
    if built:
        holds = conditions(request, found, built[0])
        steps += [step for (system, word), step in _RELEASE.items() if system == request.system and word in holds]
    if found.has_manifests and request.system == "github":
        steps.append(NextStep("make the job Validate a required check of the default branch"))
    if request.system in _PROMOTION and promotes(request, found):
        steps.append(_PROMOTION[request.system])
    if request.system == "gitlab" and ".gitlab-ci.yml" in request.taken:
        steps.append(NextStep("add to .gitlab-ci.yml: include: [{local: .gitlab/gitops-ci.yml}]"))
    if built:
        steps.append(_tag(built))
    return [_filled(step, request, built) for step in _once(steps)]


def _tag(built: tuple[Application, ...]) -> NextStep:
    names = [f"{one.prefix}v1.0.0" for one in built]
    return NextStep(
        f"push a Git tag to release: {', '.join(names)}", (f"git tag {names[0]} && git push origin {names[0]}",)
    )


def _once(steps: list[NextStep]) -> list[NextStep]:
    """Without a step whose commands an earlier one has."""
    kept: list[NextStep] = []
    for step in steps:
        if not step.commands or all(step.commands != one.commands for one in kept):
            kept.append(step)
    return kept


def _filled(step: NextStep, request: InitRequest, built: tuple[Application, ...]) -> NextStep:
    tags = f"{built[0].prefix}v*" if len(built) == 1 else "*-v*"
    values = {"@TAGS@": tags, "@BRANCH@": request.branch}
    commands = step.commands
    for name, value in values.items():
        commands = tuple(command.replace(name, value) for command in commands)
    return NextStep(step.text, commands)
