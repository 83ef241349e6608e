"""What an open proposal changes besides a run's own edits stays in it, on the base as it is now."""

import pytest

from gitops_ci import plan as planning
from gitops_ci.imageref import ImageRef
from gitops_ci.model import Change, Edit, FileChange, Plan, Span
from gitops_ci.plan import BumpPolicy
from gitops_ci.plan.standing import join

SHOP = "ghcr.io/acme/shop"
TWO = "a:\n  image: ghcr.io/acme/shop:{a}\n  n: 1\nb:\n  image: ghcr.io/acme/shop:{b}\n"


def replan(path, text, image):
    return planning.make([(path, text)], (image,), BumpPolicy())


def proposed(path, before, after):
    return FileChange(path, before, after)


def run(files, image, *, only=None):
    """A run's plan over `files`; `only` keeps the edits of these lines, as another selection would."""
    plan = planning.make(list(files.items()), (ImageRef.parse(image),), BumpPolicy())
    if only is None:
        return plan
    changes = tuple(c for c in plan.changes if (c.path, c.edit.span.line) in only)
    files_changed = []
    for path, text in files.items():
        after = text
        for c in sorted((c for c in changes if c.path == path), key=lambda c: -c.edit.span.start):
            after = after[: c.edit.span.start] + c.edit.text + after[c.edit.span.end :]
        if after != text:
            files_changed.append(FileChange(path, text, after))
    return Plan(changes, files=tuple(files_changed), meant=plan.meant)


def joined(plan, standing, base, image=f"{SHOP}:1.1.0"):
    return join(plan, standing, base, [ImageRef.parse(image)], replan)


def texts(found):
    return {file.path: file.after for file in found.plan.files}


def test_a_file_that_the_run_does_not_look_at_keeps_its_proposal():
    eu, us = TWO.format(a="1.0.0", b="1.0.0"), TWO.format(a="1.0.0", b="1.0.0")
    standing = [proposed("us.yaml", us, us.replace("1.0.0", "1.1.0"))]
    found = joined(run({"eu.yaml": eu}, f"{SHOP}:1.2.0"), standing, {"us.yaml": us})
    assert texts(found) == {"eu.yaml": eu.replace("1.0.0", "1.2.0"), "us.yaml": us.replace("1.0.0", "1.1.0")}
    assert [(c.path, c.edit.span.line, c.edit.old, c.edit.new) for c in found.kept] == [
        ("us.yaml", 2, f"{SHOP}:1.0.0", f"{SHOP}:1.1.0"),
        ("us.yaml", 5, f"{SHOP}:1.0.0", f"{SHOP}:1.1.0"),
    ]
    assert {str(c.image) for c in found.kept} == {f"{SHOP}:1.1.0"}


def test_places_of_one_file_are_told_apart():
    text = TWO.format(a="1.0.0", b="1.0.0")
    standing = [proposed("f.yaml", text, TWO.format(a="1.0.0", b="1.1.0"))]
    found = joined(run({"f.yaml": text}, f"{SHOP}:1.2.0", only={("f.yaml", 2)}), standing, {"f.yaml": text})
    assert texts(found) == {"f.yaml": TWO.format(a="1.2.0", b="1.1.0")}
    assert [c.edit.span.line for c in found.kept] == [5]


def test_places_of_one_line_are_told_apart():
    line = "images: [ghcr.io/acme/shop:{a}, ghcr.io/acme/shop:{b}]\n"
    text = "kind: Thing\n" + line.format(a="1.0.0", b="1.0.0")
    own = text.index("ghcr")
    end = own + len("ghcr.io/acme/shop:1.0.0")
    edit = Edit(Span(own, end, 2, 10), f"{SHOP}:1.2.0", f"{SHOP}:1.0.0", f"{SHOP}:1.2.0")
    plan = Plan(
        (Change("f.yaml", "kubernetes", "", ImageRef.parse(f"{SHOP}:1.2.0"), edit),),
        files=(FileChange("f.yaml", text, text[:own] + edit.text + text[end:]),),
    )
    standing = [proposed("f.yaml", text, "kind: Thing\n" + line.format(a="1.1.0", b="1.1.0"))]
    found = joined(plan, standing, {"f.yaml": text})
    assert texts(found) == {"f.yaml": "kind: Thing\n" + line.format(a="1.2.0", b="1.1.0")}


def test_what_the_run_edits_itself_is_the_runs():
    text = TWO.format(a="1.0.0", b="1.0.0")
    standing = [proposed("f.yaml", text, text.replace("1.0.0", "1.1.0"))]
    plan = run({"f.yaml": text}, f"{SHOP}:1.2.0")
    assert joined(plan, standing, {"f.yaml": text}) == (plan, (), ())


def test_a_digest_that_the_proposal_added_goes_with_the_tag_that_the_run_writes():
    text = "images:\n- name: ghcr.io/acme/shop\n  newTag: 1.0.0\n"
    path = "kustomization.yaml"
    digest = "sha256:" + "a" * 64
    standing = [proposed(path, text, text.replace("1.0.0", "1.1.0") + f"  digest: {digest}\n")]
    found = joined(run({path: text}, f"{SHOP}:1.2.0"), standing, {path: text})
    assert texts(found) == {path: text.replace("1.0.0", "1.2.0")}


@pytest.mark.parametrize(
    ("now", "after"),
    [
        ("# new\n" + TWO.format(a="1.0.0", b="1.0.0"), "# new\n" + TWO.format(a="1.0.0", b="1.1.0")),  # moved
        (TWO.format(a="1.0.0", b="1.0.5"), TWO.format(a="1.0.0", b="1.1.0")),  # an older one by another way
        (TWO.format(a="1.0.0", b="1.1.0"), None),  # it has it
        (TWO.format(a="1.0.0", b="1.3.0"), None),  # it has a newer one
        (
            TWO.format(a="1.0.0", b="1.0.0").replace("\n", "\r\n"),
            TWO.format(a="1.0.0", b="1.1.0").replace("\n", "\r\n"),
        ),
    ],
)
def test_a_base_that_went_on(now, after):
    before = TWO.format(a="1.0.0", b="1.0.0")
    standing = [proposed("f.yaml", before, TWO.format(a="1.0.0", b="1.1.0"))]
    found = joined(Plan(), standing, {"f.yaml": now})
    assert texts(found) == ({} if after is None else {"f.yaml": after})
    assert found.lost == ()


def test_a_place_that_is_gone_is_lost_and_told():
    before = TWO.format(a="1.0.0", b="1.0.0")
    standing = [proposed("f.yaml", before, TWO.format(a="1.0.0", b="1.1.0"))]
    now = before.replace("  n: 1\nb:\n  image: ghcr.io/acme/shop:1.0.0", "  n: 1\nb:\n  image: ghcr.io/acme/other:1")
    found = joined(Plan(), standing, {"f.yaml": now})
    assert (texts(found), found.lost) == ({}, ("f.yaml:5",))
    assert joined(Plan(), standing, {}) == (Plan(), (), ())


def test_what_no_format_finds_is_kept_as_it_is():
    before, after = "version = 1.0.0\nother = 2\n", "version = 1.1.0\nother = 2\n"
    found = joined(Plan(), [proposed("settings.ini", before, after)], {"settings.ini": before + "more = 1\n"})
    assert texts(found) == {"settings.ini": after + "more = 1\n"}
    assert [(c.edit.span.line, c.edit.old, c.edit.new) for c in found.kept] == [(1, "1.0.0", "1.1.0")]


def test_joining_again_changes_nothing():
    text = TWO.format(a="1.0.0", b="1.0.0")
    first = run({"f.yaml": text}, f"{SHOP}:1.1.0", only={("f.yaml", 5)})
    once = joined(run({"f.yaml": text}, f"{SHOP}:1.2.0", only={("f.yaml", 2)}), first.files, {"f.yaml": text})
    again = joined(run({"f.yaml": text}, f"{SHOP}:1.2.0", only={("f.yaml", 2)}), once.plan.files, {"f.yaml": text})
    assert texts(again) == texts(once) == {"f.yaml": TWO.format(a="1.2.0", b="1.1.0")}
