"""Whether the values of a configuration file are values that the commands accept: judged as the commands judge them."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from gitops_ci.errors import UsageError
from gitops_ci.paths import leads_out

if TYPE_CHECKING:
    from gitops_ci.config_keys import Config

__all__ = ["ANY_TEXT", "JUDGES", "Refused", "refused"]

Judge = Callable[[Any], object]


class Refused(NamedTuple):
    """A value that no command accepts: its option, the environment whose value it is or an empty text, and why not."""

    option: str
    environment: str
    error: UsageError


def refused(config: Config) -> Iterator[Refused]:
    """Every value of the file that a command would refuse."""
    for name, value in config.options.items():
        yield from _judged(name, value)
    for one in config.images:
        for name in ("to", "path", "tags"):
            if value := getattr(one, name):
                yield from _judged(name, value)
    for environment in config.environments.values():
        said = {"path": environment.paths, "base": environment.base, "title": environment.title}
        for name, value in said.items():
            if value:
                yield from _judged(name, value, environment.name)


def _judged(name: str, value: Any, environment: str = "") -> Iterator[Refused]:
    if name in JUDGES:
        try:
            JUDGES[name](value)
        except UsageError as error:
            yield Refused(name, environment, error)


def _images(texts: tuple[str, ...]) -> None:
    from gitops_ci.imageref import ImageRef

    for text in texts:
        if not text.startswith("oci:"):
            ImageRef.parse(text)


def _strategies(texts: tuple[str, ...]) -> None:
    from gitops_ci.cli.tag_options import split_strategies
    from gitops_ci.tags import check_strategies

    check_strategies(split_strategies(texts))


def _git_tags(which: str) -> Judge:
    def judge(text: str) -> None:
        from gitops_ci.tags import GitTagRule

        (GitTagRule(text, "") if which == "prefix" else GitTagRule("", text)).check()

    return judge


def _repository(text: str) -> None:
    from gitops_ci.repourl import RepoUrl

    url = RepoUrl.parse(text)
    host, slash, rest = text.partition("/")
    if url.scheme == "file" and not os.path.exists(text) and slash and "." in host.strip("."):
        raise UsageError(f"'{text}' has no scheme and is not an existing folder", hint=f"Write https://{host}/{rest}")


def _branch(text: str) -> None:
    from gitops_ci.configrepo import check_branch

    check_branch(text)


def _globs(texts: tuple[str, ...]) -> None:
    from gitops_ci.flows.globs import Paths

    Paths(texts)


def _code_host(text: str) -> None:
    from gitops_ci.forges import check_kind

    check_kind(text)


def _api(text: str) -> None:
    from gitops_ci.forges import check_api_url

    check_api_url(text)


def _formats(texts: tuple[str, ...]) -> None:
    from gitops_ci.plan import BumpPolicy

    BumpPolicy(formats=texts)


def _person(text: str) -> None:
    from gitops_ci.cli.repository import person

    person(text, "AUTHOR")


def _seconds(text: str) -> None:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not (math.isfinite(number) and number >= 0):
        raise UsageError(f"'{text}' is not a number of seconds", hint="For example 300.")


def _annotations(texts: tuple[str, ...]) -> None:
    from gitops_ci.cli.registry_options import annotations_of

    annotations_of(texts, "annotations")


def _template(name: str) -> Judge:
    def judge(text: str) -> None:
        from gitops_ci.cli.proposal_texts import check_templates

        check_templates({name: text})

    return judge


def _description(path: str) -> None:
    from gitops_ci.cli.proposal_texts import check_templates, read_body

    check_templates({"body": read_body(path, from_file=True)})


def _fork(text: str) -> None:
    from gitops_ci.repourl import RepoUrl

    RepoUrl.parse(text) if "://" in text else RepoUrl.parse("https://example.com/acme/config").fork(text)


def _checks(name: str) -> Judge:
    def judge(value: Any) -> None:
        from gitops_ci.cli.checks import checks

        checks({name: value})

    return judge


def _fail_on(texts: tuple[str, ...]) -> None:
    from gitops_ci.cli.fail_on import parse_fail_on

    parse_fail_on(tuple(text for text in texts if text != "held"))


def _definitions(texts: tuple[str, ...]) -> None:
    for text in texts:
        if "://" in text or "{{" in text:
            continue
        if leads_out(text):
            raise UsageError(
                f"{text} is a link that leads out of this folder", hint="Name its target, or copy the files."
            )


def _crds(texts: tuple[str, ...]) -> None:
    _definitions(texts)
    for text in texts:
        if "://" not in text and not os.path.exists(text):
            raise UsageError(f"There is no {text}", hint="Paths start at the folder that the command runs in.")


def _values(texts: tuple[str, ...]) -> None:
    from gitops_ci.cli.rendering_settings import values_of

    values_of({"values": texts})


def _folds(texts: tuple[str, ...]) -> None:
    from gitops_ci.flows.diff.folding import Fold

    for text in texts:
        Fold.parse(text)


def _masks(texts: tuple[str, ...]) -> None:
    from gitops_ci.flows.diff.folding import masks

    masks(texts)


def _number(text: str) -> None:
    from gitops_ci.cli.diff import number

    number(text)


# By the option's parameter name.
JUDGES: Mapping[str, Judge] = MappingProxyType(
    {
        "to": _images,
        "tags": _strategies,
        "tag_prefix": _git_tags("prefix"),
        "tag_match": _git_tags("match"),
        "annotation": _annotations,
        "config_repo": _repository,
        "base": _branch,
        "path": _globs,
        "exclude": _globs,
        "forge": _code_host,
        "api_url": _api,
        "format": _formats,
        "author": _person,
        "deadline": _seconds,
        "title": _template("title"),
        "branch": _template("branch"),
        "fork": _fork,
        "commit_message": _template("commit_message"),
        "body": _description,
        "kubernetes_version": _checks("kubernetes_version"),
        "rules": _checks("rules"),
        "skip_rules": _checks("skip_rules"),
        "ignore": _checks("ignore"),
        "fail_on": _fail_on,
        "schema_location": _definitions,
        "crd_path": _crds,
        "values": _values,
        "diff_fold": _folds,
        "diff_mask": _masks,
        "diff_large": _number,
    }
)
# Every text is a value of these, or the environments show whether it is one.
ANY_TEXT = frozenset(
    {
        "environment",
        "group",
        "label",
        "reviewer",
        "assignee",
        "milestone",
        "insecure",
        "validate_exclude",
        "skip_kind",
        "substitute",
    }
)
