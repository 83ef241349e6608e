"""Custom resources: definitions at hand, schema locations, and what is said when there is neither."""

from __future__ import annotations

import http.server
import json
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from gitops_ci.errors import UsageError
from gitops_ci.model import Finding
from gitops_ci.validation import Checks, Surroundings, check
from gitops_ci.validation.custom_resources.schema_locations import Locations, fill
from tests.support.http_server import in_background

CRD = textwrap.dedent("""\
    apiVersion: apiextensions.k8s.io/v1
    kind: CustomResourceDefinition
    metadata:
      name: widgets.acme.io
    spec:
      group: acme.io
      scope: Namespaced
      names: {plural: widgets, kind: Widget}
      versions:
        - name: v1
          served: true
          storage: true
          schema:
            openAPIV3Schema:
              type: object
              properties:
                spec:
                  type: object
                  required: [size]
                  properties:
                    size: {type: integer, minimum: 1, maximum: 9}
                    color: {type: string, enum: [red, green]}
                    port: {x-kubernetes-int-or-string: true}
                    extra: {type: object, x-kubernetes-preserve-unknown-fields: true}
                    tags: {type: array, x-kubernetes-list-type: set, items: {type: string}}
                    name: {type: string, pattern: "^[a-z]+$"}
                  oneOf:
                    - required: [color]
                    - required: [name]
    """)


def widget(spec: str, *, api_version: str = "acme.io/v1", name: str = "w") -> str:
    return f"apiVersion: {api_version}\nkind: Widget\nmetadata:\n  name: {name}\nspec:\n{textwrap.indent(spec, '  ')}"


def errors(text: str, around: Surroundings | None = None, checks: Checks | None = None) -> list[Finding]:
    report = check([("crd.yaml", CRD), ("w.yaml", text)], checks, around)
    return [finding for finding in report.findings if finding.path == "w.yaml"]


def test_a_sound_custom_resource_is_valid() -> None:
    text = widget("size: 3\ncolor: red\nport: http\nextra: {a: {b: 1}}\ntags: [a, b]\n")
    report = check([("w.yaml", text), ("crd.yaml", CRD)])
    assert report.findings == ()
    assert report.skipped == ()
    assert report.summary["valid"] == 2


@pytest.mark.parametrize(
    ("spec", "line", "message"),
    [
        ("size: 3\ncolor: red\ncolr: 1\n", 8, "spec.colr: unknown field 'colr'"),
        ('size: "3"\ncolor: red\n', 6, "spec.size: must be an integer, is a string"),
        ("size: 12\ncolor: red\n", 6, "spec.size: 12 must be at most 9"),
        ("color: red\n", 5, "spec: required field 'size' is missing"),
        ("size: 3\ncolor: Red\n", 7, "spec.color: 'Red' is not supported; one of red, green (did you mean 'red'?)"),
        ("size: 3\ncolor: red\ntags: [a, a]\n", 8, "spec.tags[1]: is given twice in a list of unique items"),
        ("size: 3\ncolor: red\nname: abc\n", 6, "spec: needs exactly one of color, name, fits 2"),
        ("size: 3\nname: A1\n", 7, "spec.name: 'A1' must match ^[a-z]+$"),
        ("size: 3\ncolor: red\nport: 1.5\n", 8, "spec.port: must be an integer or a string, is 1.5"),
    ],
)
def test_what_breaks_the_definition_is_found_with_its_line(spec: str, line: int, message: str) -> None:
    assert [(f.line, f.message) for f in errors(widget(spec))] == [(line, message)]


def test_metadata_of_custom_resources_is_kubernetes_own() -> None:
    found = errors(widget("size: 3\ncolor: red\n", name="Bad_Name"))
    assert [f.rule for f in found] == ["api/name"]
    text = widget("size: 3\ncolor: red\n").replace("  name: w", "  name: w\n  label: {}")
    assert [(f.rule, f.hint) for f in errors(text)] == [("schema/unknown-field", "Did you mean 'labels'?")]


def test_a_version_that_the_definition_does_not_serve_is_refused() -> None:
    (found,) = errors(widget("size: 3\ncolor: red\n", api_version="acme.io/v1beta1"))
    assert found.rule == "api/not-served"
    assert "the definition in crd.yaml:1 serves Widget in v1 only" in found.message


def test_definitions_may_lie_elsewhere() -> None:
    around = Surroundings(definitions=(("crds/widget.yaml", CRD),))
    report = check([("w.yaml", widget("size: x\ncolor: red\n"))], None, around)
    assert [(f.path, f.line) for f in report.findings] == [("w.yaml", 6)]


def test_a_location_is_a_template_with_the_variables_of_kubeconform() -> None:
    template = "{{ .NormalizedKubernetesVersion }}{{.StrictSuffix}}/{{.Group}}/{{.ResourceKind}}{{.KindSuffix}}.json"
    assert fill(template, "acme.io/v1", "Widget", "1.33") == "v1.33.0-strict/acme.io/widget-acme-v1.json"
    with pytest.raises(UsageError, match="unknown"):
        fill("{{ .Nope }}", "acme.io/v1", "Widget", "1.33")


def test_a_folder_in_the_layout_of_the_catalog_is_a_location(tmp_path: Path) -> None:
    (tmp_path / "acme.io").mkdir()
    schema = {"type": "object", "properties": {"spec": {"type": "object", "properties": {"size": {"type": "integer"}}}}}
    (tmp_path / "acme.io" / "widget_v1.json").write_text(json.dumps(schema))
    around = Surroundings(lookup=Locations([str(tmp_path)]))
    text = widget("size: big\n")
    report = check([("w.yaml", text)], None, around)
    assert [f.message for f in report.findings] == ["spec.size: must be an integer, is a string"]


@pytest.mark.parametrize("location", ["http://schemas.example.com", "file:///etc", "ftp://x/{{.Group}}"])
def test_only_https_and_paths_are_locations(location: str) -> None:
    with pytest.raises(UsageError):
        Locations([location])


@pytest.mark.parametrize("api_version", ["../../secret/v1", "a/../b/v1", "..", "a b/v1"])
def test_a_manifest_cannot_climb_out_of_a_location(tmp_path: Path, api_version: str) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "widget_v1.json").write_text('{"type": "string"}')
    assert Locations([str(tmp_path / "in")])(api_version, "Widget", "1.37") is None


def test_references_outside_a_schema_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "acme.io").mkdir()
    schema = {"properties": {"spec": {"$ref": "file:///dev/zero"}, "x": {"$ref": "http://127.0.0.1:9/x"}}}
    (tmp_path / "acme.io" / "widget_v1.json").write_text(json.dumps(schema))
    report = check([("w.yaml", widget("size: big\n"))], None, Surroundings(lookup=Locations([str(tmp_path)])))
    assert report.findings == ()


class _Schemas(http.server.BaseHTTPRequestHandler):
    answers: list[int]
    asked: list[str]
    body = b'{"type": "object"}'

    def do_GET(self) -> None:
        self.asked.append(self.path)
        status = self.answers.pop(0) if self.answers else 404
        self.send_response(status)
        body = self.body if status == 200 else b""
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def host() -> Iterator[tuple[str, type[_Schemas]]]:
    handler = type("Handler", (_Schemas,), {"answers": [], "asked": []})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    with in_background(server):
        yield f"http://127.0.0.1:{server.server_address[1]}", handler


def at(base: str) -> str:
    """The location of a host's schemas."""
    return f"{base}/{{{{.ResourceKind}}}}.json"


def test_answers_are_cached_also_the_absent_ones(host: tuple[str, type[_Schemas]], tmp_path: Path) -> None:
    base, handler = host
    handler.answers = [200, 404]
    for _ in range(2):
        found = Locations([at(base)], cache=str(tmp_path))
        assert found("acme.io/v1", "Widget", "1.37") == {"type": "object"}
        assert found("acme.io/v1", "Gadget", "1.37") is None
    assert handler.asked == ["/widget.json", "/gadget.json"]


def test_an_old_copy_serves_when_the_host_is_away_and_offline_asks_nobody(
    tmp_path: Path, host: tuple[str, type[_Schemas]]
) -> None:
    base, handler = host
    handler.answers = [200]
    now = [1000.0]
    assert Locations([at(base)], cache=str(tmp_path), clock=lambda: now[0])("acme.io/v1", "Widget", "1.37") is not None
    now[0] += 30 * 24 * 3600
    warned: list[str] = []
    offline = Locations([at(base)], cache=str(tmp_path), clock=lambda: now[0], offline=True)
    assert offline("acme.io/v1", "Widget", "1.37") is not None
    assert len(handler.asked) == 1
    handler.answers = [403]
    late = Locations([at(base)], cache=str(tmp_path), clock=lambda: now[0], warn=warned.append)
    assert late("acme.io/v1", "Widget", "1.37") is not None
    assert "answered 403" in warned[0]


def failures(location: str) -> list[tuple[str, str]]:
    lookup = Locations([location])
    report = check(
        [("w.yaml", widget("size: 1\n")), ("x.yaml", widget("size: 2\n"))], None, Surroundings(lookup=lookup)
    )
    return [(one.rule, one.message) for one in report.findings if one.severity == "error"]


@pytest.mark.usefixtures("no_second_try")
@pytest.mark.parametrize("status", [403, 429, 503])
def test_a_host_that_gives_no_schema_is_a_finding(host: tuple[str, type[_Schemas]], status: int) -> None:
    base, handler = host
    handler.answers = [status] * 20
    ((rule, message),) = failures(at(base))
    assert rule == "gitops/schema-location"
    assert f"answered {status}" in message


@pytest.mark.parametrize("body", [b"<!DOCTYPE html><title>Sign in</title>", b"[]", b"{"])
def test_an_answer_that_is_no_schema_is_a_finding(host: tuple[str, type[_Schemas]], body: bytes) -> None:
    base, handler = host
    handler.answers, handler.body = [200] * 2, body
    ((rule, message),) = failures(at(base))
    assert rule == "gitops/schema-location"
    assert f"{base}/widget.json is not a JSON Schema" in message


def test_a_schema_that_a_host_has_not_is_no_failure(host: tuple[str, type[_Schemas]]) -> None:
    base, _ = host
    assert failures(at(base)) == []


@pytest.mark.parametrize("rest", ["", "/{{.Group}}/{{.ResourceKind}}.json"])
def test_a_folder_that_is_not_there_is_a_mistake(tmp_path: Path, rest: str) -> None:
    with pytest.raises(UsageError, match="there is no folder"):
        Locations([f"{tmp_path}/nosuch{rest}"])


LOOSE = CRD.replace("enum: [red, green]", "enum: [red, green, blue]")


@pytest.mark.parametrize(("first", "second"), [(CRD, LOOSE), (LOOSE, CRD)])
def test_the_order_of_two_definitions_decides_nothing(first: str, second: str) -> None:
    assert LOOSE != CRD
    files = [("a/crd.yaml", first), ("b/crd.yaml", second), ("w.yaml", widget("size: 1\ncolor: blue"))]
    report = check(files)
    (found,) = [one for one in report.findings if one.rule == "gitops/crd-differs"]
    assert (found.path, found.severity) == ("b/crd.yaml", "warning")
    assert "a/crd.yaml:1" in found.message
    assert [one for one in report.findings if one.path == "w.yaml"] == []


def test_the_same_definition_twice_is_no_difference() -> None:
    report = check([("a/crd.yaml", CRD), ("b/crd.yaml", "# a copy\n" + CRD)])
    assert [one for one in report.findings if one.rule == "gitops/crd-differs"] == []


def test_a_definition_that_is_read_twice_differs_from_no_other() -> None:
    """Variables are filled in where a file is checked, and not where it is only read for its definitions."""
    around = Surroundings(definitions=(("crd.yaml", LOOSE),))
    assert check([("crd.yaml", CRD)], around=around).findings == ()


def test_a_custom_kind_that_shares_a_name_with_a_built_in_one_has_none_of_its_rules() -> None:
    definition = CRD.replace("widgets", "services").replace("Widget", "Service")
    text = widget("size: 1\ncolor: red", name="NAME\n  finalizers: [guard]").replace("Widget", "Service")
    named = [("ok.yaml", text.replace("NAME", "a.b")), ("bad.yaml", text.replace("NAME", "A_b"))]
    report = check([("crd.yaml", definition), *named])
    assert [(finding.path, finding.rule) for finding in report.findings if finding.path != "crd.yaml"] == [
        ("bad.yaml", "api/name")
    ]


@pytest.mark.parametrize(
    ("status", "subresource", "sound"),
    [
        ("{ready: x}", True, True),
        ("{ready: x}", False, False),
        ("{nope: 1}", True, False),
        ("{ready: true}", False, True),
    ],
)
def test_a_status_that_is_a_subresource_is_decoded_and_dropped(status: str, *, subresource: bool, sound: bool) -> None:
    field = "          status: {type: object, properties: {ready: {type: boolean}}}"
    definition = CRD.replace("          properties:\n", f"          properties:\n  {field}\n", 1)
    if subresource:
        definition = definition.replace("storage: true", "storage: true\n      subresources: {status: {}}")
    text = widget("size: 3\ncolor: red\n") + f"status: {status}\n"
    report = check([("crd.yaml", definition), ("w.yaml", text)])
    assert [found.path for found in report.findings] == ([] if sound else ["w.yaml"])
