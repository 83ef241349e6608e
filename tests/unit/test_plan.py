"""Decisions about one place: identity, pins, typing, order, anchors. What a user would call the rules."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_ci import plan
from gitops_ci.errors import UsageError
from gitops_ci.imageref import ImageRef
from gitops_ci.yamltext import YamlError, read
from tests.support.effort import examples

OLD, NEW = "sha256:" + "a" * 64, "sha256:" + "b" * 64
POD = "apiVersion: v1\nkind: Pod\nmetadata: {{name: p}}\nspec:\n  containers:\n    - name: c\n      image: {image}\n"


def bump(text, target, path="apps/x.yaml", **policy):
    return plan.make([(path, text)], [ImageRef.parse(target)], plan.BumpPolicy(**policy))


def after(text, target, path="apps/x.yaml", **policy):
    planned = bump(text, target, path, **policy)
    return planned.files[0].after if planned.files else text


@pytest.mark.parametrize(
    ("written", "target", "expected"),
    [
        ("reg:5000/team/app:1.9", "reg:5000/team/app:1.10", "reg:5000/team/app:1.10"),
        ("reg:5000/team/app-worker:1.9", "reg:5000/team/app:1.10", None),
        ("my-example/app:1.9", "example/app:1.10", None),
        ("example/app/sub:1.9", "example/app:1.10", None),
        ("nginx:1.9", "docker.io/library/nginx:1.10", "nginx:1.10"),
        ("docker.io/library/nginx:1.9", "nginx:1.10", "docker.io/library/nginx:1.10"),
        ("index.docker.io/acme/x:1.9", "acme/x:1.10", "index.docker.io/acme/x:1.10"),
        ("ghcr.io/acme/x:1.9", "quay.io/acme/x:1.10", None),
        ("ghcr.io/acme/x:1.9", "ghcr.io:443/acme/x:1.10", None),
    ],
)
def test_an_image_is_its_registry_and_repository(written, target, expected):
    assert after(POD.format(image=written), target) == POD.format(image=expected or written)


COPIES = """resources: [pod.yaml, versions.yaml]
replacements:
  - source: {kind: ConfigMap, name: versions, fieldPath: data.shop}
    targets:
      - select: {kind: Pod}
        fieldPaths: ["spec.containers.*.image"]
        options: {delimiter: ":", index: 1}
"""
VERSIONS = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: versions}\ndata: {shop: 1.4.1}\n"


@pytest.mark.parametrize(
    ("formats", "changed"), [((), ["versions.yaml"]), (("kustomize",), ["versions.yaml"]), (("kubernetes",), [])]
)
def test_a_copied_tag_is_a_place_of_kustomize_and_its_placeholder_is_none(formats, changed):
    pod = POD.format(image="ghcr.io/acme/shop:TAG")
    files = [("kustomization.yaml", COPIES), ("pod.yaml", pod), ("versions.yaml", VERSIONS)]
    planned = plan.make(files, [ImageRef.parse("ghcr.io/acme/shop:1.5.0")], plan.BumpPolicy(formats=formats))
    assert [file.path for file in planned.files] == changed


def test_match_name_takes_the_same_repository_of_any_registry():
    assert after(POD.format(image="mirror.local/acme/x:1.9"), "ghcr.io/acme/x:2.0", match_name=True) == POD.format(
        image="mirror.local/acme/x:2.0"
    )


@pytest.mark.parametrize(
    ("written", "target", "pin", "expected"),
    [
        ("a/b:1", f"a/b:2@{NEW}", "keep", "a/b:2"),
        (f"a/b:1@{OLD}", f"a/b:2@{NEW}", "keep", f"a/b:2@{NEW}"),
        (f"a/b@{OLD}", f"a/b:2@{NEW}", "keep", f"a/b@{NEW}"),
        ("a/b:1", f"a/b:2@{NEW}", "tag+digest", f"a/b:2@{NEW}"),
        ("a/b:1", f"a/b:2@{NEW}", "digest", f"a/b@{NEW}"),
        (f"a/b:1@{OLD}", f"a/b:2@{NEW}", "tag", "a/b:2"),
    ],
)
def test_pins(written, target, pin, expected):
    assert after(POD.format(image=written), target, pin=pin) == POD.format(image=expected)


def test_a_stale_digest_never_stays_beside_a_new_tag():
    text = POD.format(image=f"a/b:1@{OLD}")
    planned = bump(text, "a/b:2")
    assert planned.changes == ()
    assert "digest" in planned.skipped[0].reason
    assert planned.skipped[0].hint


@pytest.mark.parametrize(
    "tag",
    ["1.10", "0755", "1e3", "6801028", "2026-01-01", "0x1F", "1_000", "on", "y", "null", "0o17", "1.", "0b11", "NO"],
)
@pytest.mark.parametrize("old", ["1.9.0", '"1.9.0"', "'1.9.0'", "v1 # comment"])
@pytest.mark.parametrize("flow", [False, True])
def test_a_tag_stays_a_string_for_every_reader(tag, old, flow):
    value, _, comment = old.partition(" #")
    if flow:
        text = f"image: {{repository: a/b, tag: {value}}}\n"
    else:
        text = f"image:\n  repository: a/b\n  tag: {value}{' #' + comment if comment else ''}\n"
    changed = after(text, f"a/b:{tag}", "values.yaml", allow_downgrade=True)
    image = read(changed).documents[0].get("image")
    scalar = image.scalar("tag")
    assert scalar.value == tag
    assert scalar.style == ("'" if value.startswith("'") else '"')
    assert changed.replace(changed[scalar.start : scalar.end], "X") == text.replace(value, "X")


@pytest.mark.parametrize(
    "text", ["image: a/b:1\r\nx: 1\r\n", "\ufeffimage: a/b:1\nx: 1\n", "x: 1\nimage: a/b:1", "image: a/b:1\rx: 1\r"]
)
def test_line_ends_byte_order_marks_and_missing_last_newlines_stay(text):
    assert after(text, "a/b:2", "values.yaml") == text.replace("a/b:1", "a/b:2")


def test_an_older_image_is_refused_by_name_and_written_when_meant():
    planned = bump(POD.format(image="a/b:2.0.0"), "a/b:1.9.9")
    assert planned.changes == ()
    assert planned.refused == planned.skipped
    assert "from 2.0.0 to 1.9.9" in planned.refused[0].reason
    assert after(POD.format(image="a/b:2.0.0"), "a/b:1.9.9", allow_downgrade=True) == POD.format(image="a/b:1.9.9")


def test_a_value_behind_an_alias_is_edited_only_when_asked():
    text = "a:\n  image: &i a/b:1\nc:\n  image: *i\n"
    assert after(text, "a/b:2", "values.yaml") == text.replace("a/b:1", "a/b:2")
    tags = "x: &t '1'\nimage:\n  repository: a/b\n  tag: *t\n"
    planned = bump(tags, "a/b:2", "values.yaml")
    assert planned.changes == ()
    assert "&t" in planned.skipped[0].reason
    assert "--follow-anchors" in planned.skipped[0].hint
    assert after(tags, "a/b:2", "values.yaml", follow_anchors=True) == tags.replace("'1'", "'2'")


def test_two_versions_of_one_image_in_one_run_are_a_mistake():
    with pytest.raises(UsageError, match="two versions"):
        plan.make([("x.yaml", "image: a/b:1\n")], [ImageRef.parse("a/b:2"), ImageRef.parse("a/b:3")], plan.BumpPolicy())


def test_a_file_that_cannot_be_read_and_names_the_image_is_listed():
    planned = bump("image: a/b:1\nx: [\n", "a/b:2")
    assert planned.skipped[0].failed
    assert planned.skipped[0].line
    assert bump("x: [\n", "a/b:2") == plan.make([], [], plan.BumpPolicy())


@pytest.mark.parametrize(
    "hostile",
    [
        "a: &a [x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nd: &d [*c, *c]\n" * 1 + "image: a/b:1\n",
        "[" * 3000 + "image: a/b:1",
        "image: a/b:1\nx: " + "9" * 5000 + "\n",
        "image: a/b:1\nx: 2026-13-45\n",
        "image: a/b:1\nx: \0\n",
        "image: a/b:1\nx: !!python/object/apply:os.system [ls]\n",
        "image: a/b:1\nimage: a/b:1\n",
        "image: a/b:1\n<<: *nowhere\n",
        "a: &a\n  b: *a\nimage: a/b:1\n",
        "image: a/b:1\n" + "x:\n" + "".join(" " * n + "y:\n" for n in range(1, 400)),
    ],
    ids=[
        "aliases",
        "deep flow",
        "huge integer",
        "impossible date",
        "NUL",
        "python tag",
        "twice",
        "no anchor",
        "self",
        "deep",
    ],
)
def test_hostile_files_are_edited_or_named_and_never_crash(hostile):
    planned = bump(hostile, "a/b:2", "values.yaml")
    assert planned.files or planned.skipped


NAMES = st.sampled_from(["a/b", "ghcr.io/acme/shop", "reg:5000/x/y", "nginx"])
TAGS = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,12}", fullmatch=True)
STYLES = st.sampled_from(["{}", '"{}"', "'{}'"])


@given(NAMES, TAGS, TAGS, STYLES, st.sampled_from(["\n", "\r\n"]), st.booleans())
@settings(max_examples=examples(150))
def test_editing_then_finding_gives_the_target_and_editing_twice_is_editing_once(name, old, new, style, newline, split):
    if split:
        text = f"# é😀\nshop:\n  image:\n    repository: {name}\n    tag: {style.format(old)} # x\n  other: 1\n"
    else:
        text = f"shop:\n  image: {style.format(f'{name}:{old}')}\n  other: {{a: [1, 2]}}\n"
    text = text.replace("\n", newline)
    try:
        read(text)
    except YamlError:
        return
    target = f"{name}:{new}"
    planned = bump(text, target, "values.yaml", allow_downgrade=True)
    changed = planned.files[0].after if planned.files else text
    again = bump(changed, target, "values.yaml", allow_downgrade=True)
    assert again.changes == ()
    assert [site.image.tag for site in again.unchanged] == [new]
    rest = changed
    for change in sorted(planned.changes, key=lambda change: -change.edit.span.start):
        span = change.edit.span
        end = span.start + len(change.edit.text)
        rest = rest[: span.start] + text[span.start : span.end] + rest[end:]
    assert rest == text


def test_a_tag_that_reads_as_a_number_is_not_already_so():
    text = "image:\n  repository: a/b\n  tag: 1.10\n"
    assert after(text, "a/b:1.10", "values.yaml") == text.replace("1.10", '"1.10"')
    assert after(text.replace("1.10", "'1.10'"), "a/b:1.10", "values.yaml") == text.replace("1.10", "'1.10'")


def test_a_kustomization_gives_the_version_only_of_what_it_builds():
    deployment = POD.format(image="a/b")
    files = [
        ("a/kustomization.yaml", "resources: [../base]\nimages:\n  - name: a/b\n    newTag: '1'\n"),
        ("base/d.yaml", deployment),
        ("other/d.yaml", deployment),
    ]
    planned = plan.make(files, [ImageRef.parse("a/b:2")], plan.BumpPolicy())
    assert [change.path for change in planned.changes] == ["a/kustomization.yaml", "other/d.yaml"]
    assert [skip.path for skip in planned.skipped] == ["base/d.yaml"]


# A name without a slash and a tag without a dot: a host with a port, unless what stands around it says that it is none.
BARE = {
    "FROM node:22-alpine": True,
    "FROM --platform=linux/amd64 node:22 AS build": True,
    "from node:22-alpine": True,
    "COPY --from=node:22-alpine /usr/local /usr/local": True,
    "docker run --rm node:22-alpine": True,
    "RUN_IMAGE=1 podman pull node:lts": True,
    'image = "node:lts"': True,
    'node_image: "node:22"': True,
    "  image: node:22": True,
    '{"image":"node:22"}': True,
    "nc -z node:22": False,
    "docker run --add-host node:22 app": False,
    "docker run node:22 npm test": True,
    "docker run --rm -it node:22": True,
    'sudo docker run --rm -v "$PWD:/a b" -p8080:80 -w /app -e A=1 "node:22" npm ci': True,
    "podman container run --network=host -dp 80:80 node:22": True,
    "docker run --rm app node:22": False,
    "docker run --rm --name node:22 app": False,
    "docker pull -aq node:22": True,
    "docker run -a node:22": False,
    "docker rmi -f old node:22": True,
    "docker rmi old; nc -z node:22": False,
    "nc $(docker pull -q app) node:22": False,
    "docker tag app node:22": True,
    "docker compose run app node:22": False,
    "curl http://node:22/x": False,
    "a from node:lts to there": False,
    "node:lts": False,
}


@pytest.mark.parametrize("line", BARE)
def test_a_bare_name_with_a_tag_is_an_image_where_the_line_says_so(line):
    found = plan.written([("any.txt", f"# first\n{line}\n")], [ImageRef.parse("node:23-alpine")], plan.BumpPolicy())
    assert [skip.line for skip in found] == [2] * BARE[line]
    if "docker run --rm -it" in line:
        continued = line.replace(" -it ", " -it \\\r\n  ")
        texts = [("any.txt", continued), ("any.txt", continued.replace("\\", ""))]
        numbers = [
            [skip.line for skip in plan.written([text], [ImageRef.parse("node:23")], plan.BumpPolicy())]
            for text in texts
        ]
        assert numbers == [[2], []]


def test_an_object_that_is_whole_takes_no_name_from_another_of_its_name():
    named = "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: web}\nspec:\n"
    named += "  values: {image: {VALUES}}\n"
    whole = named + "  chart: {spec: {chart: web, sourceRef: {kind: HelmRepository, name: acme}}}\n"
    files = [
        ("a/release.yaml", whole.replace("VALUES", "repository: a/b, tag: '1.0'")),
        ("b/release.yaml", whole.replace("VALUES", "tag: '1.0'")),
        ("c/patch.yaml", named.replace("VALUES", "tag: '1.0'")),
    ]
    overlay = [("b/kustomization.yaml", "resources: [../a/release.yaml]\npatches: [{path: release.yaml}]\n")]
    for more, paths in (([], ["a", "c"]), (overlay, ["a", "b", "c"])):
        planned = plan.make([*files, *more], [ImageRef.parse("a/b:1.1")], plan.BumpPolicy())
        assert sorted(change.path[0] for change in planned.changes) == paths
