"""Answers that no API gives, as proxies and sign-in pages do: told as what they are, with the address, and survived."""

import pytest

from gitops_ci.errors import ForgeError
from gitops_ci.model import Proposal
from tests.support.forge_hosts import KINDS, hosting

PROPOSAL = Proposal("gitops-ci/all/shop", "main", "Bump shop to 1.5.0", "body")
PAGE = b"<html><title>Sign in</title></html>"


@pytest.fixture(params=KINDS)
def host(request):
    with hosting(request.param) as made:
        yield made


@pytest.mark.parametrize(
    ("body", "said"),
    [(None, "without content"), (PAGE, "with text/html"), ({"some": "thing"}, "")],
    ids=["empty", "a page", "another object"],
)
def test_what_is_no_answer_to_a_search_is_told_with_its_address(host, body, said):
    host.stub.fault("GET", host.kind.creates, 200, times=9, body=body)
    with pytest.raises(ForgeError) as caught:
        host.connect().find_open(head=PROPOSAL.head, base="main")
    assert said in caught.value.message
    assert f"{host.stub.origin}/" in caught.value.message
    assert "API" in caught.value.hint


def test_a_page_in_place_of_a_refusal_is_told_as_one(host):
    host.stub.fault("POST", host.kind.creates, 400, times=9, body=PAGE)
    with pytest.raises(ForgeError) as caught:
        host.connect().open(PROPOSAL)
    assert "a web page" in caught.value.message


@pytest.mark.parametrize("body", [None, PAGE], ids=["empty", "a page"])
def test_a_request_that_was_opened_behind_such_an_answer_is_found(host, body):
    host.stub.fault("POST", host.kind.creates, 201, after=True, body=body)
    assert host.connect().open(PROPOSAL).number == 1
    assert len(host.stub.pulls) == 1
