"""The texts of commits and pull requests."""

from __future__ import annotations

import subprocess
from dataclasses import replace

import pytest

from gitops_ci.errors import UsageError
from gitops_ci.imageref import ImageRef
from gitops_ci.reporting.proposal import ProposalFacts, body, commit_message, files_in, same_body, title
from gitops_ci.reporting.proposal_facts import images_in, is_written_by_us
from gitops_ci.secret import Secret
from tests.support.outcomes import DIGEST, change

_FACTS = ProposalFacts(
    image=ImageRef.parse(f"ghcr.io/acme/shop:1.5.0@{DIGEST}"),
    previous=("ghcr.io/acme/shop:1.4.2",),
    environment="production",
    changes=(
        change("charts/shop/values.yaml", 4, 8, "", "1.4.2", "1.5.0"),
        change("apps/shop/production/kustomization.yaml", 12, 13, "Kustomization/shop", "1.4.2", "1.5.0"),
    ),
    source_repository="https://github.com/acme/shop",
    source_commit="0a1b2c3d4e5f60718293a4b5c6d7e8f901234567",
    pipeline_url="https://github.com/acme/shop/actions/runs/123456",
)
_MANY = replace(
    _FACTS,
    changes=tuple(change(f"apps/app-{n:05}/deployment.yaml", n, 1, "Deployment/x", "1", "2") for n in range(2_000)),
)


@pytest.mark.parametrize(
    ("template", "facts", "expected"),
    [
        ("", _FACTS, "production: shop 1.5.0"),
        ("", replace(_FACTS, environment=""), "Bump shop to 1.5.0"),
        ("", replace(_FACTS, more=(ImageRef.parse("a/b:1"),)), "production: shop 1.5.0 and 1 more"),
        ("", replace(_FACTS, environment="", more=(ImageRef.parse("a/b:1"),)), "Bump shop 1.5.0 and 1 more"),
        ("", replace(_FACTS, image=ImageRef.parse(f"a/shop@{DIGEST}")), "production: shop sha256:0123456789ab"),
        (
            "chore({environment}): {name} {previous} → {tag}",
            _FACTS,
            "chore(production): ghcr.io/acme/shop ghcr.io/acme/shop:1.4.2 → 1.5.0",
        ),
        ("{environment}: {image} {tag}", replace(_FACTS, environment=""), "shop 1.5.0"),
        ("{ image }  {tag} ", replace(_FACTS, more=(ImageRef.parse("a/b:1"),)), "shop 1.5.0 and 1 more"),
        ("{reference}", replace(_FACTS, image=ImageRef.parse("a/b:1")), "a/b:1"),
        ("{source} {commit}", _FACTS, "https://github.com/acme/shop 0a1b2c3d4e5f"),
        ("Ünïcode 日本 {tag}", _FACTS, "Ünïcode 日本 1.5.0"),
        ("{environment}", replace(_FACTS, environment="🚀 prod"), "🚀 prod"),
    ],
)
def test_title(template: str, facts: ProposalFacts, expected: str) -> None:
    assert title(template, facts) == expected


def test_versions_by_environment_stand_where_more_than_one_image_or_environment_changes() -> None:
    def body_of(*environments: tuple[str, ...], limit: int = 65_536) -> str:
        changes = [replace(change(f"{n}.yaml", 1, 1, "", "1", "2"), environments=e) for n, e in enumerate(environments)]
        return body(replace(_FACTS, changes=tuple(changes)), limit=limit)

    assert "→" not in body_of(("prod",))
    assert "→" not in body_of((), ())
    assert "| Image | a\\|b | c |\n" in body_of(("a|b",), ("c",))
    assert "→" not in body_of(("a",), ("b",), limit=320), "places are worth more where there is little room"
    assert files_in(body_of(("a",), ("b",))) == files_in(body_of((), ()))


def test_title_is_cut_to_the_limit_in_bytes() -> None:
    assert title("é" * 300, _FACTS) == "é" * 126 + "…"
    assert len(title("x" * 300, _FACTS, limit=72).encode()) == 72


def test_unknown_placeholder_lists_the_known_ones() -> None:
    with pytest.raises(UsageError, match=r"\{img\}") as refused:
        title("{img} {tag}", _FACTS)
    assert "{image}" in refused.value.hint
    assert "{environment}" in refused.value.hint


def test_commit_message_reads_like_this() -> None:
    assert commit_message("", _FACTS) == (
        "production: shop 1.5.0\n"
        "\n"
        "Image: ghcr.io/acme/shop:1.5.0\n"
        f"Image-Digest: {DIGEST}\n"
        "Previous-Image: ghcr.io/acme/shop:1.4.2\n"
        "Environment: production\n"
        "Source-Repository: https://github.com/acme/shop\n"
        "Source-Commit: 0a1b2c3d4e5f60718293a4b5c6d7e8f901234567\n"
        "Pipeline-URL: https://github.com/acme/shop/actions/runs/123456\n"
    )


def test_git_reads_the_trailers_back() -> None:
    facts = replace(
        _FACTS,
        image=ImageRef.parse(f"registry.example:5000/a/b@{DIGEST}"),
        previous=("1.4.2", "nginx"),
        source_repository="git@github.com:acme/shop.git",
        pipeline_url="https://bitbucket.org/acme/shop/addon/pipelines/home#!/results/12",
        more=(ImageRef.parse("a/b:1"),),
    )
    ran = subprocess.run(
        ["git", "interpret-trailers", "--parse"],
        input=commit_message("", facts),
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout.splitlines() == [
        f"Image: registry.example:5000/a/b@{DIGEST}",
        f"Image-Digest: {DIGEST}",
        "Image: a/b:1",
        "Previous-Image: 1.4.2",
        "Previous-Image: nginx",
        "Environment: production",
        "Source-Repository: git@github.com:acme/shop.git",
        "Source-Commit: 0a1b2c3d4e5f60718293a4b5c6d7e8f901234567",
        "Pipeline-URL: https://bitbucket.org/acme/shop/addon/pipelines/home#!/results/12",
    ]


def test_what_is_not_known_has_no_trailer() -> None:
    assert commit_message("", ProposalFacts(ImageRef.parse("a/b:1"))) == "Bump b to 1\n\nImage: a/b:1\n"


def test_body_reads_like_this() -> None:
    assert body(_FACTS) == (
        "Updates `ghcr.io/acme/shop` to `1.5.0` for `production`: 2 places in 2 files.\n"
        "\n"
        "| Where | Resource | From | To |\n"
        "| --- | --- | --- | --- |\n"
        "| `apps/shop/production/kustomization.yaml:12` | `Kustomization/shop` | `1.4.2` | `1.5.0` |\n"
        "| `charts/shop/values.yaml:4` |  | `1.4.2` | `1.5.0` |\n"
        "\n"
        f"- Image: `ghcr.io/acme/shop:1.5.0@{DIGEST}`\n"
        "- Before: `ghcr.io/acme/shop:1.4.2`\n"
        "- Source: <https://github.com/acme/shop> at `0a1b2c3d4e5f`\n"
        "- Pipeline: <https://github.com/acme/shop/actions/runs/123456>\n"
        "\n"
        "Managed by gitops-ci. A newer image updates this pull request. "
        "If you push a commit, gitops-ci stops changing the branch.\n"
    )


def test_an_open_pull_request_of_an_earlier_release_is_recognized() -> None:
    """Its last line was another one: it stays ours, and the files in its table are read."""
    old = "Made and kept current by gitops-ci: a newer image updates this request, commits of yours are left alone.\n"
    now = body(_FACTS)
    then = now[: now.index("Managed by")] + old
    assert is_written_by_us(then)
    assert (files_in(then), images_in(then)) == (files_in(now), images_in(now))
    assert not is_written_by_us(now[: now.index("Managed by")])


def test_body_links_the_commit_where_its_page_is_known() -> None:
    facts = replace(_FACTS, source_commit_url="https://github.com/acme/shop/commit/0a1b2c3d")
    assert "at [`0a1b2c3d4e5f`](<https://github.com/acme/shop/commit/0a1b2c3d>)\n" in body(facts)


def test_same_facts_give_the_same_texts_whatever_order_changes_were_found_in() -> None:
    turned = replace(_FACTS, changes=_FACTS.changes[::-1])
    assert body(turned) == body(_FACTS)
    assert commit_message("", turned) == commit_message("", _FACTS)


@pytest.mark.parametrize("limit", [4_000, 10_000, 65_536])
def test_long_body_is_cut_by_rows_and_counts_what_is_missing(limit: int) -> None:
    cut = body(_MANY, limit=limit)
    rows = cut.count("| `apps/app-")
    assert limit - 200 < len(cut.encode()) <= limit
    assert f"\n{2_000 - rows:,} places more than fit here: see the changed files.\n" in cut
    assert cut.endswith("gitops-ci stops changing the branch.\n")


def test_body_that_just_fits_is_not_cut() -> None:
    whole = body(_FACTS)
    assert body(_FACTS, limit=len(whole.encode())) == whole
    assert body(_FACTS, limit=len(whole.encode()) - 1) != whole


def test_body_template_places_the_parts() -> None:
    shown = body(_FACTS, template="Please merge {image} {tag}.\n\n{changes}\n\ncc the release channel\n\n{footer}")
    assert shown.startswith("Please merge `shop` `1.5.0`.\n\n| Where |")
    assert "\n\ncc the release channel\n\nManaged by" in shown


def test_template_longer_than_the_host_allows_gives_the_footer_alone() -> None:
    assert body(_FACTS, template="`" + "x" * 5_000, limit=4_000).startswith("Managed by gitops-ci")


@pytest.mark.parametrize(
    "kept", [lambda b: b.replace("\n", "\r\n"), lambda b: b.strip(), lambda b: b.replace("/123456", "/9")]
)
def test_line_ends_blanks_and_another_pipeline_are_no_news(kept) -> None:
    assert same_body(kept(body(_FACTS)), body(_FACTS))


def test_another_image_is_news() -> None:
    assert not same_body(body(_FACTS), body(replace(_FACTS, image=ImageRef.parse("ghcr.io/acme/shop:1.5.1"))))


def test_secrets_are_masked_even_where_a_text_is_cut() -> None:
    Secret("s3cr3t-token-of-a-pipeline")
    facts = replace(
        _FACTS,
        pipeline_url="https://ci.example/?token=s3cr3t-token-of-a-pipeline",
        environment="x" * 180 + "s3cr3t-token-of-a-pipeline",
    )
    for shown in (body(facts), title("", facts), commit_message("", facts)):
        assert "s3cr3t" not in shown
