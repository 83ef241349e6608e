import pytest

from gitops_ci.config import parse
from gitops_ci.errors import UsageError
from gitops_ci.flows.environments import Environment

WHOLE = """\
image: ghcr.io/acme/shop                  # where `release` pushes (--to)
tags: [semver, sha]
config-repo: https://github.com/acme/shop-config
environments:                             # an environment is a set of paths, a branch, or both
  staging:    {paths: ["apps/*/overlays/staging/**"], mode: push}
  production: {paths: ["apps/*/overlays/production/**"], base: production, promote-from: staging,
               reviewers: [acme/sre], merge: when-green}
pull-request: {labels: [gitops], title: "{environment}: {image} {tag}"}
validate:
  kubernetes-version: "1.33..1.35"
  schema-locations: [default, "schemas/{{ .Group }}/{{ .ResourceKind }}_{{ .ResourceAPIVersion }}.json"]
  skip-rules: ["repo/mutable-tag"]
"""


def test_every_documented_key_is_read():
    config = parse(WHOLE, "f.yaml")
    assert config.options == {
        "to": ("ghcr.io/acme/shop",),
        "tags": ("semver", "sha"),
        "config_repo": "https://github.com/acme/shop-config",
        "label": ("gitops",),
        "title": "{environment}: {image} {tag}",
        "kubernetes_version": "1.33..1.35",
        "schema_location": ("default", "schemas/{{ .Group }}/{{ .ResourceKind }}_{{ .ResourceAPIVersion }}.json"),
        "skip_rules": ("repo/mutable-tag",),
    }
    assert config.environments == {
        "staging": Environment("staging", paths=("apps/*/overlays/staging/**",), mode="push"),
        "production": Environment(
            "production",
            paths=("apps/*/overlays/production/**",),
            base="production",
            promote_from=("staging",),
            reviewers=("acme/sre",),
            merge="when-green",
        ),
    }


@pytest.mark.parametrize("text", ["", "# only a comment\n", "---\n"])
def test_an_empty_file_says_nothing(text):
    assert parse(text, "f").options == {}


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("imgae: x\n", "f:1:1: unknown key 'imgae' in the configuration", "Did you mean 'image'?"),
        ("a: b\nimage: x\n", "f:1:1: unknown key 'a' in the configuration", "Known keys"),
        ("environments:\n  s: {path: [x]}\n", "f:2:7: unknown key 'path' in environments.s", "Did you mean 'paths'?"),
        ("mode: pr\n", "f:1:7: mode is 'pr'", "It is one of pull-request, push, dry-run"),
        ("allow-empty: yes\n", "f:1:14: allow-empty is 'yes'", "It is true or false"),
        ("config-repo: [a]\n", "f:1:14: config-repo is not a single value", ""),
        ("- a\n", "f:1:1: the configuration is not a mapping", ""),
        ("a: [\n", "f:2: not YAML", ""),
    ],
)
def test_mistakes_say_where_and_what_was_meant(text, message, hint):
    with pytest.raises(UsageError) as refused:
        parse(text, "f")
    assert refused.value.message.startswith(message)
    assert refused.value.hint.startswith(hint)


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        (
            "promotion: {together: [[ghcr.io/a/b:1, ghcr.io/a/c]]}",
            "a/b:1 with a version",
            "Write the name alone",
        ),
        (
            "environments: {p: {require-status: ['']}}",
            "require-status has an empty name",
            "Write a name",
        ),
        ("environments: {p: {promote-from: }}", "promote-from has an empty name", "Write a name"),
        ("environments: {p: {soak: {protect: true}}}", "soak has no duration", "{for: 4h, protect: true}"),
        ("environments: {p: {windows: {allow: {cron: '0 0 30 2 *', for: 1h}}}}", "never comes", "Correct the day"),
    ],
)
def test_settings_of_environments_that_would_do_nothing_are_mistakes(text, message, hint):
    with pytest.raises(UsageError) as refused:
        parse(text, "f")
    assert message in refused.value.message
    assert refused.value.hint.startswith(hint)


@pytest.mark.parametrize(
    ("text", "line", "first"),
    [
        ("mode: push\nimage: a\nmode: dry-run\n", 3, 1),
        ("validate:\n  rules: a\n  rules: b\n", 3, 2),
        ("environments:\n  a: {}\n  b: {}\n  a: {}\n", 4, 2),
        ("environments:\n  a: {base: x, mode: push,\n    base: y}\n", 3, 2),
    ],
)
def test_a_key_that_is_there_twice_is_an_error_at_its_line(text, line, first):
    with pytest.raises(UsageError, match=rf"^f:{line}:.* twice") as refused:
        parse(text, "f")
    assert f"line {first}" in refused.value.hint


def test_what_a_validation_renders_with_is_read():
    text = """\
validate:
  exclude: legacy/**
  values: {charts/a: v.yaml, charts/b: [one.yaml, two.yaml], charts/c: []}
  substitute: {domain: example.com, replicas: 2, empty: ""}
  fail-on: [warning, repo/*]
rendering: {timeout: 2m, memory: 4GiB, output: 1048576}
"""
    assert parse(text, "f").options == {
        "validate_exclude": ("legacy/**",),
        "values": ("charts/a=v.yaml", "charts/b=one.yaml", "charts/b=two.yaml"),
        "substitute": ("domain=example.com", "replicas=2", "empty="),
        "fail_on": ("warning", "repo/*"),
        "rendering_timeout": 120.0,
        "rendering_memory": 4 << 30,
        "rendering_output": 1 << 20,
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("validate: {substitute: [a=b]}\n", "validate.substitute is not a mapping"),
        ("validate: {substitute: {a: [b]}}\n", "validate.substitute.a is not a single value"),
        ("validate: {values: {a: {b: c}}}\n", "validate.values.a is not a single value"),
        ("rendering: {timeout: soon}\n", "rendering.timeout is 'soon'"),
        ("rendering: {memory: 2 parsecs}\n", "rendering.memory is '2 parsecs'"),
        ("rendering: {output: 0}\n", "rendering.output is '0'"),
        ("rendering: {cpu: 1}\n", "unknown key 'cpu' in rendering"),
    ],
)
def test_what_cannot_be_rendered_with_is_an_error(text, message):
    with pytest.raises(UsageError) as error:
        parse(text, "f")
    assert message in error.value.message
