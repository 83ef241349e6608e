"""`gitops-ci config`: the published schema says what the reader says, and every value tells where it comes from."""

import json
import shlex
from pathlib import Path

import jsonschema
import pytest
import yaml

from gitops_ci.cli.config_schema import FILE, schema, schema_text
from gitops_ci.cli.config_show import SHOWN
from gitops_ci.cli.config_values import ANY_TEXT, JUDGES
from gitops_ci.config import parse
from gitops_ci.config_keys import KEYS
from gitops_ci.errors import UsageError
from scripts.write_known_variables import variables_of_options
from tests.support import CHECKOUT

WHOLE = """\
image: ghcr.io/acme/shop
tags: [semver, sha]
config-repo: https://github.com/acme/shop-config
environment: staging
environments:
  staging: {paths: ["apps/*/overlays/staging/**"], mode: push}
  production:
    base: production
    promote-from: staging
    reviewers: acme/sre
pull-request:
  labels: [gitops, needs review]
  draft: true
validate:
  kubernetes-version: 1.33
  skip-rules: repo/mutable-tag
"""


def test_the_published_schema_is_the_readers_own():
    assert (CHECKOUT / "gitops_ci" / FILE).read_text() == schema_text()
    jsonschema.Draft7Validator.check_schema(schema())


def test_every_key_is_described():
    def described(properties):
        for name, value in properties.items():
            assert value.get("description"), name
            described(value.get("properties", {}))

    found = schema()["properties"]
    described(found)
    described(found["environments"]["additionalProperties"]["properties"])


@pytest.mark.parametrize(
    "text",
    [
        WHOLE,
        "",
        "mode: push",
        "mode: pushh",
        "moed: push",
        "draft: true",
        "pull-request: {draft: yes please}",
        "pull-request: {draft: true}",
        "pull-request: [a]",
        "environments: {staging: {path: a}}",
        "environments: {staging: {paths: a, merge: when-green}}",
        "environments: {staging: }",
        "tags: {a: b}",
        "tags: semver",
        "validate: {missing-schema: never}",
        "deadline: 300",
        "config-repo: [a]",
        "- a",
    ],
)
def test_schema_and_reader_agree(text):
    try:
        parse(text, "f")
        read = True
    except UsageError:
        read = False
    assert jsonschema.Draft7Validator(schema()).is_valid(yaml.safe_load(text)) is read


def test_check_says_that_a_file_is_right(run):
    Path(".gitops-ci.yaml").write_text(WHOLE)
    done = run("config", "check", "--output", "json")
    assert (done.code, done.document["summary"]) == (0, {"settings": 8, "environments": 2})


def test_check_and_init_name_who_would_apply_the_files_of_this_tool(run):
    from tests.unit.test_whole_repository import ARGO, FLUX

    Path("all.yaml").write_text(ARGO)
    Path(".gitops-ci.yaml").write_text("mode: push\n")
    told = "all.yaml:2: Application applies the whole repository, .gitops-ci/ with it"
    checked = run("config", "check")
    assert (checked.code, told in checked.err) == (0, True)
    assert told in run("init", "--ci", "github", "--dry-run", "--force").err
    Path("all.yaml").write_text(FLUX)
    assert "write /.gitops-ci/ into .sourceignore" in run("config", "check").err
    Path(".sourceignore").write_text("/.gitops-ci/\n")
    assert "applies the whole repository" not in run("config", "check").err


PROMOTED = """\
environments:
  dev: {paths: [dev]}
  staging:
    paths: [staging]
    promote-from: dev
    promote: auto
    soak: 4h
    require-status: ["Kustomization/*"]
    config-repo: https://github.com/acme/staging
    windows:
      allow: {cron: "0 9 * * 1-5", for: 8h, zone: Europe/Berlin}
      deny: [{from: 2026-12-20, to: 2027-01-04, reason: holidays}]
promotion:
  together: [[ghcr.io/acme/front, ghcr.io/acme/back]]
"""


def test_check_takes_everything_of_a_promotion(run):
    Path("mine.yaml").write_text(PROMOTED)
    done = run("config", "check", "mine.yaml")
    assert (done.code, "warning" in done.err) == (0, False)
    found = parse(PROMOTED, "mine.yaml")
    staging = found.environments["staging"]
    assert (staging.soak.seconds, staging.promote, staging.require_status) == (4 * 3600, "auto", ("Kustomization/*",))
    assert (len(staging.windows.allow), len(staging.windows.deny)) == (1, 1)
    assert found.together == (("ghcr.io/acme/front", "ghcr.io/acme/back"),)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("promote-from: dev", "promote-from: staging", "cycle"),
        ("promote-from: dev", "promote-from: test", "'test', which is not defined"),
        ("    promote-from: dev\n", "", "promote is auto, and promote-from names no environment"),
        ("soak: 4h", "soak: {for: 4h, protect: maybe}", "it is true or false"),
        ("soak: 4h", "soak: {protect: true}", "soak has no duration"),
        ("soak: 4h", "soak: long", "mine.yaml:7:11: environments.staging.soak: 'long' is not a duration"),
        ("for: 8h, ", "", "a window has cron and for"),
        ("zone: Europe/Berlin", "zone: Mars", "not a time zone"),
        ("promote: auto", "promote: always", "it is one of auto, manual"),
        (", ghcr.io/acme/back]", "]", "an image alone"),
        ("acme/back]]", "acme/back], [acme/c, ghcr.io/acme/front]]", "ghcr.io/acme/front in two lists"),
        ("[[ghcr.io/acme/front, ghcr.io/acme/back]]", "[a, b]", "not a list of lists"),
        ("windows:\n", "windows:\n      never: {}\n", "unknown key 'never'"),
    ],
)
def test_check_tells_what_is_wrong_with_a_promotion(run, old, new, said):
    Path("mine.yaml").write_text(PROMOTED.replace(old, new))
    done = run("config", "check", "mine.yaml")
    assert (done.code, said in (done.out + done.err).replace("It is", "it is")) == (2, True), done.out + done.err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("moed: push", ".gitops-ci.yaml:1:1: unknown key 'moed'"),
        ("moed: push", "Did you mean 'mode'?"),
        ("a: [", ".gitops-ci.yaml:"),
        ("config-repo: ext::sh -c id", "ext::"),
        ("image: ghcr.io/Acme/Shop", "lower case"),
        ("validate: {kubernetes-version: 0.1}", "0.1"),
        (WHOLE.replace("promote-from: staging", "promote-from: stagin"), "promote-from is 'stagin'"),
        (WHOLE.replace("environment: staging", "environment: qa"), "environment is 'qa'"),
    ],
)
def test_check_says_what_is_wrong(run, text, said):
    Path(".gitops-ci.yaml").write_text(text)
    done = run("config", "check")
    assert done.code == 2
    assert said in done.err + done.out


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tags: [semvr]", ".gitops-ci.yaml:1: There is no tag strategy 'semvr'"),
        ("mode: push\nconfig-repo: github.com/acme/x", ".gitops-ci.yaml:2: 'github.com/acme/x' has no scheme"),
        ('validate: {skip-rules: ["repo/mutable-tags"]}', "There is no rule 'repo/mutable-tags'"),
        ("validate:\n  ignore: repo/mutable-tgas path=a", ".gitops-ci.yaml:2: There is no rule"),
        ("validate: {fail-on: [eror]}", "--fail-on does not accept 'eror'"),
        ("validate: {crd-paths: [crds]}", "There is no crds"),
        ("forge: githup", "There is no kind of code host 'githup': did you mean 'github'?"),
        ("api-url: http://git.example.com/api", "is not https"),
        ("format: [kustomise]", "There is no format 'kustomise'"),
        ("deadline: soon", "'soon' is not a number of seconds"),
        ("base: 'a b'", "'a b' is not a branch name"),
        ("path: ../x", "'../x' is not a path inside"),
        ("author: Jane", "'Jane' is not a valid author"),
        ("token: abc", "Secrets come from the environment only"),
        ("reviewers: [x]", "It belongs into the section pull-request"),
        ("soft: 1\nkubernetes-version: 1.33", "unknown key 'soft'"),
        ("kubernetes-version: 1.33", "It belongs into the section validate"),
        ("pull-request: {title: '{image'}", "an unmatched brace"),
        ("annotations: [team]", "is not KEY=VALUE"),
        ("tag-match: '('", "not a regular expression"),
        ("pull-request: {title: '{img}'}", "the field {img}, which does not exist"),
        ("pull-request: {body: none.md}", "none.md cannot be read"),
        ("diff: {large: many}", "diff.large is 'many'"),
        ("diff: {fold: [replicas]}", "is not a rule of diff.fold"),
        (
            "environments:\n  staging:\n    paths: [/apps]",
            ".gitops-ci.yaml:3 (environment staging): '/apps' is not a path",
        ),
        ("environments: {staging: {title: '{img}'}}", "the field {img}"),
        ("environments: {staging: {base: -x}}", "'-x' is not a branch name"),
    ],
)
def test_check_refuses_a_value_that_its_command_would_refuse(run, text, said):
    Path(".gitops-ci.yaml").write_text(text)
    done = run("config", "check")
    assert (done.code, said in done.err + done.out) == (2, True), done.out + done.err


def test_check_tells_every_wrong_value(run):
    Path(".gitops-ci.yaml").write_text("tags: semvr\nforge: githup\n")
    said = run("config", "check").err + run("config", "check").out
    assert "semvr" in said
    assert "githup" in said


def test_paths_of_a_file_elsewhere_start_there(run):
    Path("other/crds").mkdir(parents=True)
    Path("other/.gitops-ci.yaml").write_text("validate: {crd-paths: [crds]}\n")
    assert run("config", "check", "other/.gitops-ci.yaml").code == 0


def test_every_key_is_judged_or_takes_any_text():
    keys = {name for section in ("", "pull-request", "validate", "diff") for name in KEYS[section].values()}
    of_text = {option for option, kind in keys if kind in {"text", "texts", "lists", "pairs"}}
    assert of_text == JUDGES.keys() | ANY_TEXT
    assert not JUDGES.keys() & ANY_TEXT


def test_check_without_a_file_says_how_to_get_one(run):
    done = run("config", "check")
    assert done.code == 2
    assert "gitops-ci init" in done.err + done.out


def _rows(text):
    return {line.split()[0]: line for line in text.splitlines()}


def test_show_tells_value_and_origin(run):
    Path(".gitops-ci.yaml").write_text(WHOLE)
    done = run("config", "show", environment={"GITOPS_CI_PIN": "digest", "GITOPS_CI_TOKEN": "a-marked-token"})
    rows = _rows(done.out)
    assert rows["to"].split()[1:] == ["ghcr.io/acme/shop", ".gitops-ci.yaml:1"]
    assert rows["pin"].split()[1:] == ["digest", "environment", "variable", "GITOPS_CI_PIN"]
    assert rows["mode"].endswith(".gitops-ci.yaml:6 (environment staging)")
    assert rows["label"].endswith(".gitops-ci.yaml:12")
    assert rows["kubernetes-version"].split()[1:] == ["1.33", ".gitops-ci.yaml:15"]
    assert "set" in rows["GITOPS_CI_TOKEN"]
    assert "a-marked-token" not in done.out + done.err
    assert "deadline" not in rows
    assert _rows(run("config", "show", "--all").out)["deadline"].endswith("default")


def test_show_follows_the_environment(run):
    Path(".gitops-ci.yaml").write_text(WHOLE)
    rows = _rows(run("config", "show", "--command", "bump", "--environment", "production").out)
    assert shlex.split(rows["base"])[1:3] == ["production", ".gitops-ci.yaml:8"]
    assert rows["reviewer"].endswith(".gitops-ci.yaml:10 (environment production)")
    assert "mode" not in rows


def test_show_as_json_has_values_and_their_sources(run):
    Path(".gitops-ci.yaml").write_text(WHOLE)
    variables = {"GITOPS_CI_ENVIRONMENT": "production", "GITOPS_CI_TOKEN": "a-marked-token"}
    done = run("config", "show", "--output", "json", environment=variables)
    found = {one["option"]: (one["value"], one["source"]) for one in done.document["settings"]}
    assert found["environment"] == ("production", "environment variable GITOPS_CI_ENVIRONMENT")
    assert found["base"] == ("production", ".gitops-ci.yaml:8 (environment production)")
    assert found["tags"] == (["semver", "sha"], ".gitops-ci.yaml:2")
    assert found["draft"] == (True, ".gitops-ci.yaml:13")
    assert found["GITOPS_CI_TOKEN"] == ("(set)", "environment variable GITOPS_CI_TOKEN")
    assert "a-marked-token" not in done.out + done.err


@pytest.mark.parametrize("name", SHOWN)
def test_show_knows_every_command(run, name):
    Path(".gitops-ci.yaml").write_text("config-repo: https://github.com/acme/x\nvalidate: {kubernetes-version: 1.33}\n")
    assert run("config", "show", "--all", "--environment", "staging", "--command", name).code == 0


PUBLIC_KEY = """\
-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEqyoSxRxagy/Sr9EuNVNHAe3M2cG9
cM44wFhb3KYM6IvTbL9fJl4rJAzP5qKo7vXA6QyCNh8tpbHPxe+D05sCow==
-----END PUBLIC KEY-----
"""
RULES = """\
mode: push
verify:
  "ghcr.io/acme/*": {key: [cosign.pub, keys/next.pub]}
  "quay.io/acme/*": {identity: ci@acme.example, issuer-regex: "https://.+"}
pointers:
  - {file: "tags/{name}", at: $.tag, image: "ghcr.io/acme/{name}"}
"""


@pytest.mark.parametrize(
    ("name", "verifies", "points"),
    [("release", True, True), ("bump", True, True), ("promote", False, True), ("validate", False, False)],
)
def test_show_has_the_rules_for_signatures_and_places(run, name, verifies, points):
    Path("keys").mkdir()
    for path in ("cosign.pub", "keys/next.pub"):
        Path(path).write_text(PUBLIC_KEY)
    Path(".gitops-ci.yaml").write_text(RULES)
    assert run("config", "check").code == 0
    found = run("config", "show", "--command", name, "--output", "json").document["settings"]
    rules = {one["option"]: (one["value"], one["source"]) for one in found if " " in one["option"]}
    signers = {
        "verify ghcr.io/acme/*": ("key cosign.pub or key keys/next.pub", ".gitops-ci.yaml:2"),
        "verify quay.io/acme/*": ("identity ci@acme.example, issuer /https://.+/", ".gitops-ci.yaml:2"),
    }
    places = {"pointers ghcr.io/acme/{name}": ("tags/{name}:$.tag", ".gitops-ci.yaml:5")}
    assert rules == (signers if verifies else {}) | (places if points else {})


def test_show_does_not_print_the_text_of_a_key(run):
    indented = PUBLIC_KEY.replace("\n", "\n      ")
    Path(".gitops-ci.yaml").write_text(f'verify:\n  "ghcr.io/acme/*":\n    key: |\n      {indented}\n')
    assert run("config", "check").code == 0
    assert "key (text)" in run("config", "show").out


@pytest.mark.parametrize(
    ("rule", "said", "hint"),
    [
        ("{key: nope.pub}", "verify.ghcr.io/acme/*: nope.pub cannot be read", "Check the path."),
        ("{key: ../x.pub}", "../x.pub is outside of the configuration's folder", "Put the file beside"),
        ("{key: .gitops-ci.yaml}", "verify.ghcr.io/acme/*: .gitops-ci.yaml is not a public key", "cosign.pub"),
        ("{keys: cosign.pub}", "unknown key 'keys'", "Did you mean 'key'?"),
        ("{}", "no signer is named", "Write key: cosign.pub"),
        ("{identity: a@b.example}", "it needs issuer or issuer-regex", "counts only with who issued it"),
        ("{issuer: https://a.example}", "it needs identity or identity-regex", ""),
        ("{identity: a, identity-regex: a, issuer: b}", "it needs identity or identity-regex, one of the two", "Keep"),
        ("{key: cosign.pub, trusted-root: root.json}", "a trusted root needs an identity", "Write identity:"),
        ("{identity: a, issuer: b, trusted-root: none.json}", "none.json cannot be read", "Check the path."),
        (
            "{identity: a, issuer: b, trusted-root: .gitops-ci.yaml}",
            "is not a trusted root of sigstore",
            "trusted_root.json",
        ),
    ],
)
def test_check_judges_the_rules_for_signatures(run, rule, said, hint):
    Path(".gitops-ci.yaml").write_text(f'verify:\n  "ghcr.io/acme/*": {rule}\n')
    done = run("config", "check")
    assert done.code == 2
    assert all(text in done.out + done.err for text in (".gitops-ci.yaml", said, hint))


@pytest.mark.parametrize(
    "glob",
    ["ghcr.io/acme/shop:1.0", "https://ghcr.io/acme/*", "ghcr.io/acme/*:*", "ghcr.io/acme/shop@*", "ghcr.io//x", "a b"],
)
def test_a_rule_that_fits_no_image_is_refused(run, glob):
    Path("cosign.pub").write_text(PUBLIC_KEY)
    Path(".gitops-ci.yaml").write_text(f'verify:\n  "{glob}": {{key: cosign.pub}}\n')
    done = run("config", "check")
    assert done.code == 2
    assert f".gitops-ci.yaml:2:{len(glob) + 7}: verify.{glob} fits no image's name" in done.out + done.err


@pytest.mark.parametrize(
    "glob",
    [
        "*",
        "**",
        "ghcr.io/*",
        "ghcr.io/acme/shop",
        "localhost:5000/*",
        "127.0.0.1:*/shop",
        "*.example.com/team-?/[a-z]*",
    ],
)
def test_a_rule_that_fits_images_is_taken(run, glob):
    Path("cosign.pub").write_text(PUBLIC_KEY)
    Path(".gitops-ci.yaml").write_text(f'verify:\n  "{glob}": {{key: cosign.pub}}\n')
    done = run("config", "check")
    assert (done.code, done.err.count("error")) == (0, 0)


def test_an_unknown_variable_is_a_warning(run):
    Path("a.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n")
    known = {"GITOPS_CI_TO": "x", "GITOPS_CI_TOKEN": "t", "GITOPS_CI_RESULT_TAGS": "a", "GITOPS_CI_ROLLBACK_TO": "-1"}
    assert "unknown" not in run("validate", environment=known).err
    done = run("validate", environment={"GITOPS_CI_ENVIROMENT": "staging"})
    assert done.code == 0
    assert "GITOPS_CI_ENVIROMENT is unknown and has no effect. Did you mean 'GITOPS_CI_ENVIRONMENT'?" in done.err


def test_the_list_of_known_variables_is_that_of_the_options():
    known = (CHECKOUT / "gitops_ci" / "cli" / "known_variables.txt").read_text().split()
    assert known == variables_of_options(), "run scripts/write_known_variables.py"


def test_show_without_anything(run):
    assert "Nothing is set" in run("config", "show").out


def test_schema_is_printed(run):
    assert json.loads(run("config", "schema").out) == schema()


def test_check_calls_a_valid_file_valid(run):
    Path("mine.yaml").write_text(WHOLE)
    done = run("config", "check", "mine.yaml")
    assert done.code == 0
    assert "mine.yaml is valid" in done.err
    assert done.out.startswith("config check: valid")


@pytest.mark.parametrize(
    ("arguments", "said", "hint"),
    [
        (["bump", "a:1", "--config", "none.yaml"], "none.yaml cannot be read: No such file", "gitops-ci init"),
        (["bump", "a:1", "--config", "."], "cannot be read: Is a directory", "text file"),
        (["bump", "--from-file", "none.yaml", "--config-repo", "x"], "none.yaml cannot be read", "- ghcr.io/"),
        (["bump", "--from-file", "latin", "--config-repo", "x"], "latin cannot be read: it is not UTF-8", "- ghcr.io/"),
        (["bump", "--from-file", "broken", "--config-repo", "x"], "broken:3: not YAML", "- ghcr.io/"),
        (["bump", "a:1", "--deadline", "nan"], "is not a number of seconds (300) or a duration (5m)", "--help"),
        (["bump", "a:1", "--deadline", "-5"], "is not a number of seconds (300) or a duration (5m)", "--help"),
        (["bump", "a:1", "--deadline", "inf"], "is not a number of seconds (300) or a duration (5m)", "--help"),
        (["validate", "--report", "json=-"], "--report json=-", "--output json"),
        (["validate", "--report", "sarif=-"], "--report sarif=-", "name a file"),
    ],
)
def test_mistakes_are_refused_with_what_to_do(run, arguments, said, hint):
    Path("latin").write_bytes(b"\xff")
    Path("broken").write_text("- a\n- [\n")
    done = run(*arguments)
    assert done.code == 2
    assert said in done.err + done.out
    assert hint in done.err + done.out
    assert not Path("-").exists()


def test_a_report_to_a_device_leaves_the_device(run):
    Path("a.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n")
    assert run("validate", "--report", "junit=/dev/null").code == 0
    assert Path("/dev/null").is_char_device()
    done = run("validate", "--report", "junit=/dev/stderr")
    assert "<testsuites" in done.err
    assert Path("/dev/stderr").is_symlink()


def test_a_variable_has_a_value_a_line_or_a_word_of_its_only_line(run):
    def labels(text):
        return _rows(run("config", "show", "--command", "bump", environment={"GITOPS_CI_LABEL": text}).out)["label"]

    assert "gitops, staging " in labels("gitops staging")
    assert "needs review, gitops " in labels("needs review\ngitops\n")
    assert "needs review " in labels("needs review\n")
