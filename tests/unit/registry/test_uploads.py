"""Where the bytes of a layer go: the address that the registry names, with the digest in its query."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from gitops_ci.registry.base import Descriptor
from gitops_ci.registry.uploads import Uploads

DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("location", "asked"),
    [
        ("http://r/v2/x/blobs/uploads/1", "http://r/v2/x/blobs/uploads/1?"),
        ("http://r/v2/x/blobs/uploads/1?_state=b", "http://r/v2/x/blobs/uploads/1?_state=b&"),
        ("http://r/v2/x/blobs/uploads/1?", "http://r/v2/x/blobs/uploads/1?"),
        ("http://r/v2/x/blobs/uploads/1?_state=b&", "http://r/v2/x/blobs/uploads/1?_state=b&"),
    ],
)
def test_the_digest_is_added_to_the_query(location, asked):
    urls = []
    wire = SimpleNamespace(send=lambda method, url, **_: urls.append((method, url)))
    Uploads(wire, "x", "", "r/x")._put(location, b"", Descriptor("text/plain", DIGEST, 0))
    assert urls == [("PUT", f"{asked}digest=sha256%3A{'a' * 64}")]
