"""How a contract is compared with a host's official description: whatever differs is found."""

from __future__ import annotations

import json

import pytest

from tests.support.api_description import Description
from tests.support.contract_file import read_contract

OFFICIAL = {
    "paths": {
        "/repos/{owner}/pulls": {
            "parameters": [
                {"name": "owner", "in": "path", "required": True, "schema": {"type": "string"}},
                {"name": "version", "in": "query", "required": True, "schema": {"enum": ["1", "2"]}},
            ],
            "post": {
                "parameters": [{"name": "dry", "in": "query", "schema": {"type": "boolean"}}],
                "requestBody": {
                    "required": True,
                    "content": {
                        "application/json": {
                            "schema": {
                                "allOf": [
                                    {"$ref": "#/components/schemas/Pull"},
                                    {"required": ["title"], "properties": {"draft": {"type": "boolean"}}},
                                ]
                            }
                        }
                    },
                },
                "responses": {
                    "201": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Pull"}}}},
                    "204": {},
                    "404": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}},
                },
            },
        },
    },
    "components": {
        "schemas": {
            "Error": {"type": "object", "properties": {"message": {"type": "string"}}},
            "Pull": {
                "type": "object",
                "required": ["number"],
                "properties": {
                    "number": {"type": "integer"},
                    "title": {"type": "string"},
                    "state": {"type": "string", "enum": ["open", "closed"]},
                    "body": {"type": "string", "nullable": True, "maxLength": 5},
                    "labels": {
                        "type": "array",
                        "items": {"type": "object", "properties": {"name": {"type": "string"}}},
                    },
                },
            },
        }
    },
}
OURS = """\
host: A host
query:
  version!: one of 1 | 2
refusals:
  404: Error
shapes:
  Error:
    message: string
  Pull:
    number!: integer
    body?: string up to 5
    labels: [{name!: string}]
requests:
  open-pull:
    method: POST
    path: /repos/{owner}/pulls
    source: https://docs.example.com/pulls#open
    query:
      dry: boolean
    body:
      number!: integer
      title!: string
      draft: boolean
      state: one of open | closed
    answers:
      201: Pull
      204:
"""


@pytest.mark.parametrize(
    ("before", "after", "at"),
    [
        ("", "", None),
        ("/repos/{owner}/pulls", "/repos/{owner}/pull", "open-pull"),
        ("method: POST", "method: PUT", "open-pull"),
        ("version!: one of 1 | 2", "version: one of 1 | 2", "open-pull/query/version"),
        ("version!: one of 1 | 2", "version!: one of 1 | 3", "open-pull/query/version"),
        ("version!: one of 1 | 2", "version!: string", "open-pull/query/version"),
        ("dry: boolean", "dry: integer", "open-pull/query/dry"),
        ("dry: boolean", "wet: boolean", "open-pull/query/wet"),
        ("{owner}", "{owners}", "open-pull"),
        ("draft: boolean", "draft: string", "open-pull/body/draft"),
        ("draft: boolean", "drafts: boolean", "open-pull/body/drafts"),
        ("title!: string", "title: string", "open-pull/body/title"),
        ("state: one of open | closed", "state: one of open | shut", "open-pull/body/state"),
        ("state: one of open | closed", "state: string", "open-pull/body/state"),
        ("      204:", "      200:", "open-pull/answers/200"),
        ("message: string", "error: string", "open-pull/answers/404/error"),
        ("    number!: integer", "    number: integer", "open-pull/answers/201/number"),
        ("    number!: integer", "    number!: string", "open-pull/answers/201/number"),
        ("    body?: string up to 5", "    body!?: string up to 5", "open-pull/answers/201/body"),
        ("    body?: string up to 5", "    body: string up to 5", "open-pull/answers/201/body"),
        ("    body?: string up to 5", "    body?: string up to 6", "open-pull/answers/201/body"),
        ("    body?: string up to 5", "    state: one of open", "open-pull/answers/201/state"),
        ("    labels: [{name!: string}]", "    labels: [{name: integer}]", "open-pull/answers/201/labels/[]/name"),
        ("    labels: [{name!: string}]", "    labels?: [{name: string}]", "open-pull/answers/201/labels"),
        ("    labels: [{name!: string}]", "    labels: [string]", "open-pull/answers/201/labels/[]"),
    ],
)
def test_a_contract_that_differs_from_the_official_description_is_found_out(tmp_path, before, after, at):
    assert before in OURS
    official = tmp_path / "official.json"
    official.write_text(json.dumps(OFFICIAL))
    description = Description(official, tells_nulls=True)
    ours = tmp_path / "host.yaml"
    ours.write_text(OURS.replace(before, after, 1))
    found = [place for entry in read_contract(ours) for place, _ in description.differences(entry)]
    assert found == ([at] if at else [])
