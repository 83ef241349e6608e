"""Charts whose templates make up values: what is another in each rendering is not a change, whatever makes it."""

from __future__ import annotations

import pytest

from tests.flows.test_diff import ORIGIN, lay
from tests.support.effort import SOAKING
from tests.support.workspace import make_checkout

# What a template may write, by the function of helm that makes it up (helm.sh/docs/chart_template_guide/function_list).
FUNCTIONS = {
    "alphanumeric": "randAlphaNum 12 | lower",
    "alphabetic": "randAlpha 12 | lower",
    "ascii": "randAscii 12 | b64enc | sha256sum | trunc 12",
    "numeric": 'randNumeric 12 | printf "n%s"',
    "bytes": "randBytes 9 | sha256sum | trunc 12",
    "integer": 'randInt 1000000 9999999 | toString | printf "n%s"',
    "identity": "uuidv4",
    "clock": 'now | unixEpoch | toString | printf "n%s"',
    "authority": '(genCA "ca" 1).Cert | sha256sum | trunc 12',
    "certificate": '(genSelfSignedCert "a" nil nil 1).Cert | sha256sum | trunc 12',
    "key": 'genPrivateKey "ed25519" | sha256sum | trunc 12',
    "password": 'htpasswd "a" "b" | sha256sum | trunc 12',
    "hashed": 'bcrypt "b" | sha256sum | trunc 12',
    "cipher": 'encryptAES "secretkey" "text" | sha256sum | trunc 12',
}
# Where it stands: in a value, in an annotation of pods, in a key, in a name, in a list, and in the name of another one.
PLACES = {
    "value": "kind: ConfigMap\nmetadata: {name: c}\ndata: {made: {{ $made | quote }}, tag: TAG}\n",
    "secret": "kind: Secret\nmetadata: {name: c}\nstringData: {made: {{ $made | quote }}, tag: TAG}\n",
    "annotation": "kind: Pod\nmetadata: {name: c, annotations: {rolled: {{ $made | quote }}}}\n"
    "spec: {containers: [{name: c, image: 'a:TAG'}]}\n",
    "key": 'kind: ConfigMap\nmetadata: {name: c}\ndata: {{ dict $made "x" "tag" "TAG" | toJson }}\n',
    "name": "kind: ConfigMap\nmetadata: {name: c-{{ $made }}}\ndata: {tag: TAG, a: b, c: d}\n",
    "argument": "kind: Pod\nmetadata: {name: c}\n"
    "spec: {containers: [{name: c, image: 'a:TAG', args: [--one, {{ $made | quote }}]}]}\n",
    "text": 'kind: ConfigMap\nmetadata: {name: c}\ndata: {conf: {{ printf "tag=TAG\\nsalt=%s\\n" $made | quote }}}\n',
    "reference": "kind: Pod\nmetadata: {name: c}\n"
    "spec: {containers: [{name: c, image: 'a:TAG', envFrom: [{secretRef: {name: c-{{ $made }}}}]}]}\n"
    "---\napiVersion: v1\nkind: Secret\nmetadata: {name: c-{{ $made }}}\nstringData: {tag: TAG}\n",
}
CHARTS = {f"{function}-{place}": (function, place) for function in FUNCTIONS for place in PLACES}
assert len(CHARTS) >= 100
# One chart a function, in which each place comes once or twice; all of them by `make soak`.
ONE_EACH = {f"{function}-{place}" for function, place in zip(FUNCTIONS, [*PLACES, *PLACES], strict=False)}
SOME = CHARTS if SOAKING else {name: CHARTS[name] for name in CHARTS if name in ONE_EACH}


def charts() -> dict[str, str]:
    files = {}
    for name, (function, place) in SOME.items():
        text = PLACES[place].replace("TAG", "{{ .Values.tag }}")
        files[f"{name}/Chart.yaml"] = f"apiVersion: v2\nname: {name}\nversion: 1.0.0\n"
        files[f"{name}/values.yaml"] = "tag: v1\nother: 1\n"
        files[f"{name}/templates/all.yaml"] = f"{{{{- $made := {FUNCTIONS[function]} }}}}\napiVersion: v1\n{text}"
    return files


@pytest.mark.soak
def test_a_hundred_charts_that_make_up_values_show_no_difference(run, tmp_path, tool):
    tool("kubectl", "helm", "git")
    make_checkout(tmp_path, charts(), origin=ORIGIN)
    lay(tmp_path, {f"{name}/values.yaml": "tag: v1\nother: 2\n" for name in SOME})
    found = run("diff", "--base", "HEAD", "--output", "json").document["rendered"]
    assert len(found["units"]) == len(SOME)
    shown = {one["unit"] for one in found["objects"] if any(not path["noise"] for path in one["paths"])}
    odd = {one["unit"]: one["state"] for one in found["objects"] if one["state"] != "changed"}
    assert (sorted(shown), odd, found["groups"]) == ([], {}, [])
    again = run("diff", "--base", "HEAD", "--unit", "chart:*-value", "--output", "json").document["rendered"]
    assert again["objects"] == [one for one in found["objects"] if one["unit"].endswith("-value")] != []
