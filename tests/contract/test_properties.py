"""What holds for every file, whatever its style: generated manifests, judged by a reader that knows nothing of ours.

A wanted image has the version `OLD` and nothing else has it: what has to come out is the same data with the new
version instead.
"""

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_ci import formats, plan
from gitops_ci.formats import ManifestText
from gitops_ci.imageref import ImageRef
from tests.support.effort import examples

OLD = "0.0.1-old"
NAMES = st.sampled_from(["acme/shop", "ghcr.io/acme/shop", "reg.example:5000/x/shop", "shop"])
OTHERS = st.sampled_from(["ghcr.io/acme/shop-worker:1.4", "my-acme/shop:1", "other/shop/sub:2.0", "nginx"])
TAGS = st.one_of(
    st.sampled_from(["1.10", "0755", "1e3", "6801028", "2026-01-01", "0x1F", "1_000", "on", "y", "null", "1.5.0"]),
    st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,12}", fullmatch=True),
)
COMMENTS = st.sampled_from(["", "", " # pinned: by 'SRE' \t#1", "\t # é😀", " #"])
EVERY = settings(max_examples=examples(100))


@st.composite
def scalars(draw, value, indent, *, flow=False):
    """A value as it stands behind its key, in any style that this place allows, with a comment where one may be."""
    comment = "" if flow else draw(COMMENTS)
    quoted = [
        f"'{value}'",
        f'"{value}"',
        '"' + value.replace("/", "\\x2f") + '"',
        f"!!str {value}",
        f"&a{indent} {value}",
    ]
    if flow:
        return draw(st.sampled_from([value, *quoted[:3]]))
    lines = [
        f"{header}{comment if '#' in comment else ''}\n{' ' * indent}  {value}"
        for header in ("|", "|-", ">-", ">+", "|2")
    ]
    return draw(st.sampled_from([*(text + comment for text in [value, *quoted]), *lines]))


@st.composite
def mappings(draw, pairs, indent, *, flow=None):
    """Pairs in block or flow style, among others, with lines between them."""
    flow = draw(st.booleans()) if flow is None else flow
    pairs = [
        *pairs,
        *draw(st.lists(st.sampled_from([("zone", "eu"), ("count", "3"), ("note", "x: y")]), max_size=2, unique=True)),
    ]
    if flow:
        inner = ", ".join(
            f"{key}: {draw(scalars(value, 0, flow=True))}" if value != "x: y" else f'{key}: "x: y"'
            for key, value in pairs
        )
        return " {" + inner + "}"
    lines = []
    for key, value in pairs:
        if draw(st.integers(0, 5)) == 0:
            lines.append(
                draw(st.sampled_from(["", f"{' ' * indent}# {OLD[:3]}:\tno value", " " * indent + "# acme/shop:9"]))
            )
        written = '"x: y"' if value == "x: y" else draw(scalars(value, indent))
        lines.append(f"{' ' * indent}{key}: {written}")
    return "\n" + "\n".join(lines)


@st.composite
def values(draw, name, indent=0):
    """A chart's values that name the image, with others before and behind it."""
    shape = draw(st.sampled_from(["string", "pair", "registry", "prefixed"]))
    host, _, path = name.rpartition("/")[0].partition("/")
    pad = " " * indent
    other = f"{pad}sidecar:\n{pad}  image: {draw(OTHERS)}\n"
    if shape == "string":
        text = f"{pad}image: {draw(scalars(f'{name}:{OLD}', indent))}\n"
    elif shape == "pair" or (shape == "registry" and not ("." in host and path)):
        text = f"{pad}image:{draw(mappings([('repository', name), ('tag', OLD)], indent + 2))}\n"
    elif shape == "registry":
        pairs = [("registry", host), ("repository", name.removeprefix(f"{host}/")), ("tag", OLD)]
        text = f"{pad}image:{draw(mappings(draw(st.permutations(pairs)), indent + 2))}\n"
    else:
        text = f"{pad}web:{draw(mappings([('workerImageRepository', name), ('workerImageTag', OLD)], indent + 2))}\n"
    return draw(st.sampled_from([text, other + text, text + other]))


@st.composite
def kubernetes(draw, name):
    containers = ""
    for image in draw(st.permutations([f"{name}:{OLD}", draw(OTHERS)])):
        if draw(st.booleans()):
            containers += f"        - {{name: c, image: {draw(scalars(image, 0, flow=True))}}}\n"
        else:
            containers += f"        - name: c\n          image: {draw(scalars(image, 10))}\n"
    kind = draw(st.sampled_from(["Deployment", "CronJob", "Widget"]))
    return f"apiVersion: apps/v1\nkind: {kind}\nspec:\n  template:\n    spec:\n      containers:\n{containers}"


@st.composite
def kustomize(draw, name):
    entries = ""
    for pairs in draw(st.permutations([[("name", name), ("newTag", OLD)], [("name", "other/shop"), ("newTag", "1")]])):
        mapping = draw(mappings(pairs, 4))
        entries += (
            f"  -{mapping}\n"
            if mapping.startswith(" {")
            else f"  -{mapping[4:]}\n"
            if mapping.startswith("\n    n")
            else f"  -{mapping}\n"
        )
    return f"apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nimages:\n{entries}"


@st.composite
def argocd(draw, name):
    head = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: shop}\nspec:\n  source:\n"
    shape = draw(st.sampled_from(["values", "quoted", "object", "parameters", "images"]))
    if shape == "values":
        inner = draw(values(name, 8))
        return f"{head}    helm:\n      values: {draw(st.sampled_from(['|', '|-', '|+', '| # x']))}\n{inner}"
    if shape == "quoted":
        inner = draw(values(name)).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
        return f'{head}    helm:\n      values: "{inner}"\n'
    if shape == "object":
        return f"{head}    helm:\n      valuesObject:\n{draw(values(name, 8))}"
    if shape == "parameters":
        pairs = [[("name", "image.repository"), ("value", name)], [("name", "image.tag"), ("value", OLD)]]
        return f"{head}    helm:\n      parameters:\n" + "".join(
            f"        -{draw(mappings(p, 0, flow=True))}\n" for p in pairs
        )
    spelled = draw(st.sampled_from([f"{name}:{OLD}", f"shop={name}:{OLD}"]))
    return f"{head}    kustomize:\n      images:\n        - {draw(scalars(spelled, 8))}\n        - {draw(OTHERS)}\n"


@st.composite
def files(draw, kind):
    """A path, a whole file of one or more documents, and the name of the image in it."""
    name = draw(NAMES)
    text = draw({"kubernetes": kubernetes, "kustomize": kustomize, "helm-values": values, "argocd": argocd}[kind](name))
    if kind != "kustomize":
        text = draw(
            st.sampled_from([text, f"---\n{text}", f"{text}---\nx: y\n", f"%YAML 1.1\n---\n{text}...\n---\n# end\n"])
        )
    text = draw(st.sampled_from([text, text.rstrip("\n")])) if not text.endswith("+\n") else text
    text = draw(st.sampled_from(["", "\ufeff"])) + text
    newline = draw(st.sampled_from(["\n", "\n", "\r\n", "\r"]))
    path = {"kustomize": "kustomization.yaml", "helm-values": "values.yaml"}.get(kind, "apps/shop.yaml")
    return path, text.replace("\n", newline), name


def data(text, depth=0):
    """What an independent reader sees, as a flat stream; YAML inside strings as such a stream, too."""
    try:
        events = list(yaml.parse(text, Loader=yaml.CBaseLoader))
    except yaml.YAMLError:
        assert depth, text
        return text
    if depth and isinstance(events[2], yaml.ScalarEvent):
        return text
    return [(type(event).__name__, event_value(event, depth), getattr(event, "anchor", None)) for event in events]


def event_value(event, depth):
    value = getattr(event, "value", "")
    return data(value, depth + 1) if ": " in value and depth < 2 else value


def renewed(node, new):
    if isinstance(node, list | tuple):
        return type(node)(renewed(value, new) for value in node)
    return node.replace(OLD, new) if node else node


def judge(path, text, name, tag):
    target = ImageRef.parse(f"{name}:{tag}")
    planned = plan.make([(path, text)], [target], plan.BumpPolicy(allow_downgrade=True))
    assert len(planned.files) == 1, (text, planned.skipped)
    [changed] = planned.files
    assert planned.skipped == ()
    assert data(changed.after.removeprefix("\ufeff")) == renewed(data(text.removeprefix("\ufeff")), tag)
    spliced, at = "", 0
    for change in planned.changes:
        span = change.edit.span
        assert OLD in text[span.start : span.end].replace("\\x2f", "/")
        spliced += text[at : span.start] + change.edit.text
        at = span.end
    assert spliced + text[at:] == changed.after
    found = [site.image for site in formats.find(ManifestText(path, changed.after)) if site.image.same_image(target)]
    assert [image.tag for image in found] == [tag]
    again = plan.make([(path, changed.after)], [target], plan.BumpPolicy(allow_downgrade=True))
    assert again.changes == () == again.skipped
    assert len(again.unchanged) == 1


@given(files("kubernetes"), TAGS)
@EVERY
def test_containers(file, tag):
    judge(*file, tag)


@given(files("kustomize"), TAGS)
@EVERY
def test_kustomizations(file, tag):
    judge(*file, tag)


@given(files("helm-values"), TAGS)
@EVERY
def test_values_of_charts(file, tag):
    judge(*file, tag)


@given(files("argocd"), TAGS)
@EVERY
def test_applications(file, tag):
    judge(*file, tag)
