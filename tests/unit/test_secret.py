import base64
from urllib.parse import quote

import pytest

from gitops_ci.secret import Secret, basic_auth, mask

TOKEN = "ghp_c4n4ry/+T0k3n=value"


@pytest.fixture(autouse=True)
def token():
    return Secret(TOKEN)


def test_repr_and_str_do_not_show_it(token):
    assert TOKEN not in f"{token} {token!r}"
    assert token.reveal() == TOKEN


@pytest.mark.parametrize("lead", ["", "x", "xy", "user:", "x-access-token:"])
@pytest.mark.parametrize("tail", ["", "1", "12"])
def test_mask_finds_it_inside_base64_at_any_alignment(lead, tail):
    encoded = base64.b64encode(f"{lead}{TOKEN}{tail}".encode()).decode()
    masked = mask(f"header {encoded} end")
    left = masked.removeprefix("header ").removesuffix(" end")
    # Around the mask only what the neighbors contribute may be left, and the two characters shared with them.
    before, _, after = left.partition("***")
    assert len(before) <= len(lead) * 4 // 3 + 2
    assert len(after) <= (len(tail) + 2) // 3 * 4 + 4


@pytest.mark.parametrize("spelled", [TOKEN, quote(TOKEN, safe="")])
def test_mask_finds_it_as_it_is_and_percent_encoded(spelled):
    assert mask(f"https://x:{spelled}@host/") == "https://x:***@host/"


def test_mask_hides_the_whole_basic_auth_header(token):
    header = basic_auth("x-access-token", token)
    assert mask(f"Authorization: {header.reveal()}") == "Authorization: ***"


def test_a_short_value_masks_nothing():
    Secret("abc")
    assert mask("abc") == "abc"
