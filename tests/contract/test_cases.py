"""Cases: a folder of files before, what is asked, the same files after, and what the run says. A new case is a folder.

    tests/cases/<format>/<case>/before/…   after/…   request.toml   outcome.json

`request.toml` has `image`, `at` (pointers), and under `[policy]` what a bump's options say. Every case is also asked
again, of its own result: then nothing is left to change.

For a new case write `before/` and `request.toml`, and run this file: it prints what the other files have to hold.
"""

import json
import tomllib

import pytest

from gitops_ci import plan
from gitops_ci.formats import FORMATS
from gitops_ci.imageref import ImageRef
from tests.support import CHECKOUT
from tests.support.differences import difference

ROOT = CHECKOUT / "tests" / "cases"
CASES = sorted(request.parent for request in ROOT.rglob("request.toml"))


def read(folder):
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return [(path.relative_to(folder).as_posix(), path.read_bytes().decode()) for path in paths]


def outcome(planned):
    return {
        "changes": [
            {
                "at": f"{change.path}:{change.edit.span.line}:{change.edit.span.column}",
                "format": change.format,
                "resource": change.resource,
                "old": change.edit.old,
                "new": change.edit.new,
                "previous": str(change.previous),
            }
            for change in planned.changes
        ],
        "unchanged": [f"{site.path}:{site.fields[0].span.line}" for site in planned.unchanged],
        "skipped": [
            {"at": f"{skip.path}:{skip.line}", "reason": skip.reason, "hint": skip.hint, "failed": skip.failed}
            for skip in planned.skipped
        ],
        "refused": len(planned.refused),
    }


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case.relative_to(ROOT)))
def test_case(case):
    request = tomllib.loads((case / "request.toml").read_text())
    policy = plan.BumpPolicy(**request.get("policy", {}))
    image = ImageRef.parse(request["image"])
    pointers = [plan.Pointer.parse(text) for text in request.get("at", ())]
    before = read(case / "before")
    planned = plan.make(before, [image], policy, pointers=pointers)
    changed = {change.path: change.after for change in planned.files}
    after = [(path, changed.get(path, text)) for path, text in before]
    wrong = [difference(case / "after" / path, text) for path, text in after]
    wrong.append(difference(case / "outcome.json", json.dumps(outcome(planned), indent=2, ensure_ascii=False) + "\n"))
    if found := "\n\n".join(filter(None, wrong)):
        pytest.fail(found, pytrace=False)
    assert [path for path, _ in read(case / "after")] == [path for path, _ in after]
    assert plan.make(after, [image], policy, pointers=pointers).changes == ()


def test_every_format_has_a_case():
    missing = sorted(FORMATS.keys() - {case.parent.name for case in CASES})
    assert not missing, f"no case for {missing}: add tests/cases/<format>/<case>/, as this file's docstring describes"
