"""Cases: a folder of files before, what is asked, the same files after. A new case is a new folder.

    tests/cases/<format>/<case>/before/…   after/…   request.toml

`request.toml` has `image`, and under `[policy]` what a bump's options say. Every case is also asked again, of its own
result: then nothing is left to change.
"""

import tomllib

import pytest

from gitops_ci import plan
from gitops_ci.formats import FORMATS
from gitops_ci.imageref import ImageRef
from tests.support import CHECKOUT

ROOT = CHECKOUT / "tests" / "cases"
CASES = sorted(request.parent for request in ROOT.rglob("request.toml"))


def read(folder):
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return [(path.relative_to(folder).as_posix(), path.read_bytes().decode()) for path in paths]


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case.relative_to(ROOT)))
def test_case(case):
    request = tomllib.loads((case / "request.toml").read_text())
    policy = plan.Policy(**request.get("policy", {}))
    image = ImageRef.parse(request["image"])
    before = read(case / "before")
    planned = plan.make(before, [image], policy)
    changed = {change.path: change.after for change in planned.files}
    after = [(path, changed.get(path, text)) for path, text in before]
    assert after == read(case / "after")
    assert {change.format for change in planned.changes} <= {case.parent.name}
    assert plan.make(after, [image], policy).changes == ()


def test_every_format_has_a_case():
    assert {case.parent.name for case in CASES} >= FORMATS.keys()
