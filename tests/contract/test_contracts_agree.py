"""Our contracts say what the hosts' own descriptions say. Collected only where those lie beside the checkout."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
    is_required_argument,
    is_required_input_field,
)

from tests.support import CHECKOUT
from tests.support.api_description import Description
from tests.support.contract import load
from tests.support.contract_file import CONTRACTS, read_graphql
from tests.support.forge_hosts import KINDS

OFFICIAL = CHECKOUT.parent / "shared" / "contracts"
__test__ = OFFICIAL.is_dir()  # pytest's word for "collect this"
DESCRIPTIONS = {
    "github": Description(OFFICIAL / "github.json", tells_nulls=True),
    "gitlab": Description(OFFICIAL / "gitlab.json"),
    "gitea": Description(OFFICIAL / "gitea.json"),
    "gitea-1.25": Description(OFFICIAL / "gitea-1.25.json"),
    "bitbucket": Description(OFFICIAL / "bitbucket-cloud.json"),
    "bitbucket-dc": Description(OFFICIAL / "bitbucket-datacenter.json"),
    "azure-devops": Description(OFFICIAL / "azure-devops.json", lists_wrapped=True),
}

# Where they differ on purpose: a pattern for places in our contract, and why.
DIFFERENCES: dict[str, dict[str, str]] = {
    "github": {
        r"list-reviews|add-assignees|list-statuses|list-check-runs|list-milestones|update-issue": "not part of the cut",
        r"list-pulls-of-commit": "not part of the cut",
        r".*/head/repo": "the description forgets forks that were deleted; the web page shows 'unknown repository'",
        r"(open|update)-pull-request/.*/user": "one shape for lists too, where it may be null",
    },
    "gitlab": {
        r"list-pipelines|list-statuses|list-milestones|list-merge-requests-of-commit": "not part of the cut",
        r"list-merge-requests/.*/head_pipeline": "one shape for lists too, which leave it out",
    },
    "gitea": {r"list-reviews|get-ref|list-statuses|list-milestones|get-pull-request-of-commit": "not part of the cut"},
    "gitea-1.25": {
        r"list-reviews|get-ref|list-statuses|list-milestones|get-pull-request-of-commit": "not part of the cut"
    },
    "bitbucket": {
        r"decline-pull-request|list-statuses|list-pull-requests-of-commit|list-activity": "not part of the cut",
        r".*/query/(q|sort|pagelen|page)": "described for all lists together, under Filtering and Pagination",
        r".*/description": "the description has `summary` alone; the server takes and answers `description`",
        r".*/account_id": "described on the page about the end of user names, not in the reference",
        r".*/error/fields": "described under Standardized error responses, not in the reference",
    },
    "bitbucket-dc": {
        r"decline-pull-request|list-statuses|list-pull-requests-of-commit": "not part of the cut",
        r".*/vetoes": "described in words under Merge pull request",
        r"list-activities/.*/comment": "an activity has more fields than every activity has",
    },
    "azure-devops": {r"list-policies|list-statuses|query-pull-requests": "not part of the cut"},
}
NOT_IN_THE_CUT = (
    "Mutation.enqueuePullRequest",
    "EnqueuePullRequestInput",
    "EnqueuePullRequestPayload",
    "MergeQueueEntry",
)


def test_every_contract_has_a_description():
    assert DESCRIPTIONS.keys() == KINDS.keys() == DIFFERENCES.keys()


@pytest.mark.parametrize("name", DESCRIPTIONS)
def test_each_entry_agrees_with_the_official_description(name):
    found = [place for entry in load(name).entries for place in DESCRIPTIONS[name].differences(entry)]
    known = DIFFERENCES[name]
    surprises = [f"{at}: {said}" for at, said in found if not any(re.fullmatch(pattern, at) for pattern in known)]
    assert surprises == []
    stale = [pattern for pattern in known if not any(re.fullmatch(pattern, at) for at, _ in found)]
    assert stale == []


def test_each_graphql_type_agrees_with_the_official_schema():
    theirs = build_schema((OFFICIAL / "github-graphql.graphql").read_text())
    found = graphql_differences(read_graphql(CONTRACTS / "github.graphql"), theirs)
    assert [said for said in found if said.partition(":")[0] not in NOT_IN_THE_CUT] == []


def graphql_differences(ours: GraphQLSchema, theirs: GraphQLSchema) -> Iterator[str]:
    for name, kind in ours.type_map.items():
        official = theirs.type_map.get(name)
        if type(official) is not type(kind):
            yield f"{name}: there it is {official!r}"
        elif isinstance(kind, GraphQLEnumType):
            if kind.values.keys() != official.values.keys():
                yield f"{name}: there it has {sorted(official.values)}"
        elif isinstance(kind, GraphQLInputObjectType) and not name.startswith("__"):
            yield from input_differences(name, kind.fields, official.fields, is_required_input_field)
        elif isinstance(kind, GraphQLObjectType) and not name.startswith("__"):
            for field, value in kind.fields.items():
                if field not in official.fields:
                    yield f"{name}.{field}: there is none"
                elif str(value.type) != str(official.fields[field].type):
                    yield f"{name}.{field}: there it is {official.fields[field].type}"
                else:
                    args = official.fields[field].args
                    yield from input_differences(f"{name}.{field}", value.args, args, is_required_argument)


def input_differences(at, ours, theirs, is_required) -> Iterator[str]:
    for name, value in ours.items():
        if name not in theirs:
            yield f"{at}.{name}: there is none"
        elif (str(value.type), value.default_value) != (str(theirs[name].type), theirs[name].default_value):
            yield f"{at}.{name}: there it is {theirs[name].type} = {theirs[name].default_value}"
    yield from (f"{at}.{name}: is required" for name in theirs if is_required(theirs[name]) and name not in ours)
