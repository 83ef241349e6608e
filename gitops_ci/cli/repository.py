"""The options of every command that changes the config repository, and the request they add up to."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

import click

from gitops_ci import known_files
from gitops_ci.checkout import checkout_git
from gitops_ci.ci import CiContext, commit_url, compare_url, detect, own_code_host
from gitops_ci.cli.checks import as_repository_says
from gitops_ci.cli.configured import config_of
from gitops_ci.cli.image_verify import verification_in, verification_of
from gitops_ci.configrepo import GitCredentials, Identity, Signing, Snapshot, check_branch
from gitops_ci.errors import ProgramError, UsageError
from gitops_ci.flows.bump import BumpRequest
from gitops_ci.flows.bump.branches import Naming, branch_name
from gitops_ci.flows.bump.publication import PublishContext, PublishSettings, ShownDiff
from gitops_ci.flows.bump.search import Search, own_file
from gitops_ci.flows.environments import Environment, protected_seconds
from gitops_ci.flows.globs import Paths
from gitops_ci.forges.base import Forge, ForgeKind, OpensAcross
from gitops_ci.plan import BumpPolicy, Pointer, PointerRule
from gitops_ci.repourl import RepoUrl
from gitops_ci.secret import Secret, mask
from gitops_ci.variables import forget_secrets, variables

if TYPE_CHECKING:
    from gitops_ci.imageref import ImageRef
    from gitops_ci.model import Gate, Plan

__all__ = ["Connection", "bump_request", "connection", "person", "refuse_untrusted"]

TOKEN = "GITOPS_CI_TOKEN"  # noqa: S105 - a variable's name
_PERSON = re.compile(r"\s*(?P<name>[^<>\s](?:[^<>]*[^<>\s])?)\s*<(?P<email>[^<>\s]+)>\s*")


class Connection(NamedTuple):
    """The config repository, how git signs in there, how its code host is reached, and its fork with the heads."""

    url: RepoUrl
    credentials: GitCredentials | None
    connect: Callable[[], Forge]
    fork: RepoUrl | None = None


def connection(options: Mapping[str, Any]) -> Connection:
    """The repository that `config_repo` names, with the token that belongs to it.

    Raises:
        UsageError: it is not an address, or the fork is none that can be used.
    """
    url = RepoUrl.parse(options["config_repo"])
    options = _with_own_host(options, url)
    kind, refused = _forge_kind(url, options)
    token = _token(kind, url)
    fork = _fork(options, url, kind)

    def connect() -> Forge:
        if kind is None:
            raise refused
        forge = kind.connect(url, token, options["api_url"], deadline=time.monotonic() + options["deadline"])
        if fork is None:
            return forge
        if not isinstance(forge, OpensAcross):
            raise UsageError(
                f"--fork does not work with --forge {kind.id}", hint="Leave it out, and let the account push branches."
            )
        forge.use_fork(fork)
        return forge

    if fork is not None and kind is not None:
        connect()  # refused before anything is asked
    return Connection(url, _credentials(kind, token), connect, fork)


def _fork(options: Mapping[str, Any], url: RepoUrl, kind: ForgeKind | None) -> RepoUrl | None:
    if not options.get("fork"):
        return None
    # Owners of GitLab's projects are groups in groups.
    below = urlsplit(options["api_url"] or "").path.removesuffix("/api/v4").strip("/")
    return url.fork(options["fork"], below=below if kind and kind.id == "gitlab" else None)


def bump_request(ctx: click.Context, images: tuple[ImageRef, ...], options: Mapping[str, Any]) -> BumpRequest:
    """The request that the command line, the environment and the configuration file add up to.

    Raises:
        UsageError: something of it is missing or wrong.
    """
    if not options["config_repo"]:
        raise UsageError(
            "No config repository is given",
            hint="Give --config-repo, set GITOPS_CI_CONFIG_REPO, or write config-repo: into .gitops-ci.yaml.",
        )
    if options["base"]:
        check_branch(options["base"])
    # Refused here already where no branch can be named so, or no path can be there.
    if images:
        branch_name(options["environment"], images, naming=Naming(options["group"] or ""))
    Paths(options["path"], options["exclude"])
    context = detect(variables())
    there = connection(options)
    search = Search(
        images=images,
        base=options["base"],
        environment=options["environment"],
        environments=config_of(ctx).environments,
        read_environments=_environments,
        paths=options["path"],
        exclude=options["exclude"],
        policy=_policy(options),
        pointers=tuple(Pointer.parse(text) for text in options["at"]),
        rules=config_of(ctx).pointers,
        read_rules=_rules,
        allow_empty=options["allow_empty"],
        ignore_hold=options["ignore_hold"],
    )
    return BumpRequest(
        url=there.url,
        search=search,
        publication=replace(_publication(options, context), diff=_shown_diff(config_of(ctx).options)),
        credentials=there.credentials,
        forge=there.connect,
        mode=options["mode"],
        read_checks=as_repository_says(ctx),
        fail_on_held="held" in options["fail_on"],
        soaking=_protected,
        seconds=options["deadline"],
        verification=verification_of(config_of(ctx)),
        read_verification=verification_in,
        fork=there.fork,
    )


def refuse_untrusted(context: CiContext, options: Mapping[str, Any]) -> None:
    """Stop where the code that runs may come from someone who may not push.

    Raises:
        UsageError: a fork's pull request, pull_request_target, or an event that anybody can start with another checkout
            than the default branch's, without --allow-untrusted.
    """
    if options["allow_untrusted"] or (context.trusted and _is_trusted_checkout(context.trusted_commits)):
        return
    # The checkout decides where a run goes (its .gitops-ci.yaml names hosts), so no secret is left for it to send.
    forget_secrets()
    if options["mode"] == "dry-run":
        return
    raise UsageError(
        f"Nothing is published from this {context.event or 'pull request'}: its code is not trusted",
        hint="Publish from a push or tag event. --mode dry-run and validate work here; "
        "--allow-untrusted overrides this, and gives your tokens to the author of the pull request.",
    )


def _is_trusted_checkout(commits: tuple[str, ...]) -> bool:
    """Whether the checkout around us is at one of these commits, or there is none that could say anything."""
    if not commits:
        return True
    try:
        done = checkout_git("rev-parse", "--verify", "--quiet", "HEAD", allowed=frozenset({0, 1, 128}))
    except ProgramError:
        return False
    here = done.stdout.decode("ascii", "replace").strip()
    return here in commits or (not here and not os.path.exists(known_files.CONFIG))


def _with_own_host(options: Mapping[str, Any], url: RepoUrl) -> Mapping[str, Any]:
    """The options, with what the CI provider tells of its own code host where the repository is on that one."""
    kind, api_url = own_code_host(variables(), url.code_host)
    if not kind or options["forge"] not in {"auto", kind}:
        return options
    return {**options, "forge": kind, "api_url": options["api_url"] or api_url}


def _forge_kind(url: RepoUrl, options: Mapping[str, Any]) -> tuple[ForgeKind | None, UsageError]:
    # A host of unknown kind matters only once a pull request is to be opened there.
    from gitops_ci.forges import choose

    try:
        return choose(options["forge"], url, options["api_url"]), UsageError("")
    except UsageError as error:
        return None, error


def _token(kind: ForgeKind | None, url: RepoUrl) -> Secret | None:
    """The token that was set for this tool, else the one that belongs to the repository's own host."""
    names = (TOKEN, *(kind.token_variables if kind and _is_providers_host(url) else ()))
    known = variables()
    found = next((known[name].strip() for name in names if known.get(name, "").strip()), None)
    if found is None:
        return None
    from gitops_ci.forges.tokens import JobToken

    # Some set GITOPS_CI_TOKEN to the job's token: it is the same one.
    return JobToken(found) if found == known.get("CI_JOB_TOKEN", "").strip() else Secret(found)


def _is_providers_host(url: RepoUrl) -> bool:
    """Whether the CI provider's own token may go there: it is for the provider's host and for no other."""
    server = os.environ.get("GITHUB_SERVER_URL") or os.environ.get("CI_SERVER_URL")
    return not server or urlsplit(server).hostname == url.code_host


def _credentials(kind: ForgeKind | None, token: Secret | None) -> GitCredentials | None:
    if token is None:
        return None
    if kind is None:
        return GitCredentials("x-access-token", token)
    from gitops_ci.forges.tokens import advice

    return GitCredentials(*kind.git_sign_in(token), advice(token, kind.id))


def _protected(to: PublishContext, snapshot: Snapshot, plan: Plan) -> Gate | None:
    layout = {**to.search.read_environments(*own_file(snapshot, to.repo)), **to.search.environments}
    if not protected_seconds(to.environment.name, layout.values()):
        return None  # before 50 modules are imported that read the past of environments
    from gitops_ci.flows.promote import protected

    return protected(to, snapshot, plan)


def _environments(text: str, source: str) -> Mapping[str, Environment]:
    from gitops_ci.config import parse

    return parse(text, source).environments


def _rules(text: str, source: str) -> tuple[PointerRule, ...]:
    from gitops_ci.config import parse

    return parse(text, source).pointers


def _shown_diff(settings: Mapping[str, Any]) -> ShownDiff:
    from gitops_ci.cli.diff import number

    return ShownDiff(
        settings.get("diff_comment", "none"),
        tuple(settings.get("diff_fold", ())),
        tuple(settings.get("diff_mask", ())),
        number(settings.get("diff_large", "100")),
    )


def _publication(options: Mapping[str, Any], context: CiContext) -> PublishSettings:
    from gitops_ci.cli.proposal_texts import proposal_texts

    ours = Identity("gitops-ci", "gitops-ci@users.noreply.invalid")
    return PublishSettings(
        author=person(options["author"], "AUTHOR") or ours,
        committer=person(options["committer"], "COMMITTER") or ours,
        signing=_signing(options),
        commit_with=options["commit_with"],
        **proposal_texts(options, context),
        group=mask(options["group"] or ""),
        sign_off=options["signoff"],
        skip_ci=options["skip_ci"],
        # A token that a variable carried into a text must not be published with it.
        labels=tuple(map(mask, options["label"])),
        reviewers=tuple(map(mask, options["reviewer"])),
        assignees=tuple(map(mask, options["assignee"])),
        milestone=mask(options["milestone"] or ""),
        draft=options["draft"],
        merge=options["merge"],
        merge_method=options["merge_method"],
        reopen=options["reopen"],
        trailers=(("Requested-By", context.actor),) if context.actor else (),
        source_repository=context.repository_url,
        source_commit=context.commit,
        source_commit_url=commit_url(context),
        compare_url=compare_url(context),
        git_tag=context.git_tag,
        pipeline_url=context.run_url,
    )


def person(text: str | None, role: str) -> Identity | None:
    """An author or committer, else the one that Git's own variables name. Raises UsageError for what is neither."""
    if text:
        if not (person := _PERSON.fullmatch(text)):
            raise UsageError(
                f"'{text}' is not a valid {role.lower()}", hint="Write it as 'Jane Doe <jane@example.com>'."
            )
        return Identity(mask(person["name"]), mask(person["email"]))
    name, email = os.environ.get(f"GIT_{role}_NAME"), os.environ.get(f"GIT_{role}_EMAIL")
    return Identity(name, email) if name and email else None


def _signing(options: Mapping[str, Any]) -> Signing | None:
    kind, key = options["sign"], options["signing_key"]
    if bool(kind) != bool(key):
        raise UsageError("--sign and --signing-key go together", hint="For example: --sign ssh --signing-key ~/.ssh/ci")
    if options["commit_with"] == "api" and options["signoff"]:
        raise UsageError(
            "--signoff and --commit-with api exclude each other: the code host chooses the committer",
            hint="Drop one of the two.",
        )
    if options["commit_with"] == "api" and (kind or options["author"] or options["committer"]):
        raise UsageError(
            "--commit-with api excludes --sign, --author and --committer",
            hint="The code host signs the commit and names the owner of the token. Leave these options out.",
        )
    return Signing.parse(kind, key) if kind else None


def _policy(options: Mapping[str, Any]) -> BumpPolicy:
    return BumpPolicy(
        pin=options["pin"],
        allow_downgrade=options["allow_downgrade"],
        any_flavour=options["any_flavour"],
        match_name=options["match_name"],
        follow_anchors=options["follow_anchors"],
        app_version=options["app_version"],
        formats=options["format"],
    )
