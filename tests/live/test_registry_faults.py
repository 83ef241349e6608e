"""A real registry behind a proxy that cuts, delays and refuses: pushes come through, or leave no half image behind."""

from __future__ import annotations

import itertools
import json
import os
import random
import re
import signal
import subprocess
import sys
import tarfile
import threading
import time
from collections import Counter

import pytest

from gitops_ci.cli import run_command_line
from gitops_ci.errors import RegistryError
from gitops_ci.flows.image.push import PushRequest, push_image
from gitops_ci.flows.image.tags import TagRules
from gitops_ci.registry.base import Silent
from gitops_ci.registry.connection import Access
from gitops_ci.tags import BuildFacts
from tests.support.effort import STRIDE
from tests.support.fault_proxy import Answer, Cut, Delay
from tests.support.layouts import LayoutWriter
from tests.support.quirks import takes_no_blob_in_one_piece
from tests.support.registry_state import pulled, tags

ALL_TAGS = {"1.4.2", "1.4", "1", "latest"}
SHARES = (0.01, 0.25, 0.5, 0.75, 0.99)

pytestmark = pytest.mark.usefixtures("quiet_proxy")


@pytest.fixture(scope="module")
def layout(tmp_path_factory):
    """Three layers that do not compress, the largest of 3 MiB."""
    noise = random.Random(7).randbytes
    folder = tmp_path_factory.mktemp("built")
    digest = LayoutWriter(folder).simple("1.4.2", [{"a": noise(3 << 20)}, {"b": noise(1 << 20)}, {"c": b"small"}])
    return folder, digest


class Heard:
    """A log that keeps its warnings."""

    def __init__(self):
        self.warnings = []

    def step(self, message):
        pass

    detail = step

    def warn(self, message):
        self.warnings.append(message)


def push(source, to, *, seconds=None, version="1.4.2", log=None, **more):
    access = Access(deadline=time.monotonic() + seconds) if seconds else Access()
    rules = TagRules(facts=BuildFacts(version=version))
    return push_image(PushRequest(source, to, rules, access=access, **more), log or Heard(), Silent())


def is_upload(asked):
    return asked.method == "PUT" and "/blobs/uploads/" in asked.path and asked.size > 1 << 20


def is_manifest(asked):
    return asked.method == "PUT" and "/manifests/" in asked.path


def first_of(kind, fault):
    """A script: the first request of a kind meets the fault, all others pass."""
    met = []

    def script(asked):
        if kind(asked) and not met:
            met.append(asked)
            return fault
        return None

    return script, met


@pytest.mark.parametrize("share", SHARES)
def test_a_layer_that_is_cut_starts_over(proxy, registry, layout, name, share):
    folder, digest = layout
    proxy.script, met = first_of(is_upload, Cut(share))
    push(f"oci:{folder}", f"{proxy.host}/{name}")
    assert met
    assert tags(f"{registry}/{name}") == dict.fromkeys(ALL_TAGS, digest)
    assert len(pulled(f"{registry}/{name}", digest)) == 5
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    assert proxy.sent <= size + met[0].size, "at most one layer was sent twice"


@pytest.mark.parametrize("share", SHARES)
def test_a_manifest_that_is_cut_is_sent_again(proxy, registry, layout, name, share):
    folder, digest = layout
    proxy.script, met = first_of(is_manifest, Cut(share))
    push(f"oci:{folder}", f"{proxy.host}/{name}")
    assert met
    assert tags(f"{registry}/{name}") == dict.fromkeys(ALL_TAGS, digest)


@pytest.mark.parametrize("kind", [is_upload, is_manifest], ids=["layer", "manifest"])
def test_an_answer_that_is_lost_costs_nothing(proxy, registry, layout, name, kind):
    folder, digest = layout
    proxy.script, met = first_of(kind, Cut(of="answer"))
    push(f"oci:{folder}", f"{proxy.host}/{name}")
    assert tags(f"{registry}/{name}") == dict.fromkeys(ALL_TAGS, digest)
    assert sum(asked.size == met[0].size for asked in proxy.asked if kind is is_upload and is_upload(asked)) <= 1


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
@pytest.mark.parametrize("kind", [is_upload, is_manifest], ids=["layer", "manifest"])
def test_a_refusal_that_passes_is_waited_for(proxy, registry, layout, name, kind, status):
    folder, digest = layout
    proxy.script, met = first_of(kind, Answer(status, {"Retry-After": "1"}))
    began = time.monotonic()
    push(f"oci:{folder}", f"{proxy.host}/{name}")
    assert met
    assert tags(f"{registry}/{name}") == dict.fromkeys(ALL_TAGS, digest)
    if status in {429, 503}:
        assert time.monotonic() - began >= 1, "Retry-After says a second"


def test_a_refusal_on_any_kind_of_request_passes(proxy, registry, layout, name):
    folder, digest = layout
    refused = set()

    def script(asked):
        """Each request, uploads apart from their changing address, fails once before it works."""
        kind = asked.method, re.sub("uploads/.+", "uploads/", asked.path)
        if kind in refused:
            return None
        refused.add(kind)
        return Answer(503)

    proxy.script = script
    push(f"oci:{folder}", f"{proxy.host}/{name}")
    assert tags(f"{registry}/{name}") == dict.fromkeys(ALL_TAGS, digest)
    assert {method for method, _ in refused} == {"GET", "HEAD", "POST", "PUT"}


def test_a_wait_beyond_the_deadline_is_not_waited(proxy, registry, layout, name):
    folder, _ = layout
    proxy.script = lambda asked: Answer(429, {"Retry-After": "3600"}) if is_manifest(asked) else None
    began = time.monotonic()
    with pytest.raises(RegistryError, match="429") as refused:
        push(f"oci:{folder}", f"{proxy.host}/{name}", seconds=30)
    assert time.monotonic() - began < 30
    assert "rate limit" in refused.value.hint
    assert tags(f"{registry}/{name}") == {}


def test_a_slow_registry_is_waited_for(proxy, registry, layout, name):
    folder, digest = layout
    proxy.script = lambda asked: Delay(0.3) if asked.method in {"PUT", "HEAD"} else None
    push(f"oci:{folder}", f"{proxy.host}/{name}")
    assert tags(f"{registry}/{name}") == dict.fromkeys(ALL_TAGS, digest)


def test_a_layer_that_never_gets_through_leaves_no_tag(proxy, registry, layout, name):
    folder, digest = layout
    proxy.script = lambda asked: Cut(0.5) if is_upload(asked) else None
    with pytest.raises(RegistryError, match="closed the connection"):
        push(f"oci:{folder}", f"{proxy.host}/{name}", seconds=3)
    assert tags(f"{registry}/{name}") == {}
    proxy.clear()
    push(f"oci:{folder}", f"{proxy.host}/{name}")
    assert tags(f"{registry}/{name}") == dict.fromkeys(ALL_TAGS, digest)


@pytest.mark.parametrize("share", SHARES)
def test_a_download_that_is_cut_goes_on_where_it_was(proxy, registry, layout, name, share):
    folder, digest = layout
    push(f"oci:{folder}", f"{registry}/{name}")

    def is_download(asked):
        return asked.method == "GET" and "/blobs/" in asked.path and not asked.ranged

    proxy.script, met = first_of(is_download, Cut(share, of="response"))
    # Another host name: nothing can be mounted, everything has to be carried over.
    push(f"registry:{proxy.host}/{name}:1.4.2", f"{registry.replace('127.0.0.1', 'localhost')}/{name}-copy")
    assert met
    assert tags(f"{registry}/{name}-copy") == dict.fromkeys(ALL_TAGS, digest)
    assert len(pulled(f"{registry}/{name}-copy", digest)) == 5


def test_a_stale_registry_is_asked_again(proxy, registry, layout, name):
    folder, digest = layout
    pushed = []

    def script(asked):
        if is_manifest(asked):
            pushed.append(time.monotonic())
        # For a second after each manifest, tags are as they were before: not there.
        stale = asked.method == "HEAD" and "/manifests/" in asked.path and pushed and time.monotonic() - pushed[0] < 1
        return Answer(404) if stale else None

    proxy.script = script
    push(f"oci:{folder}", f"{proxy.host}/{name}")
    assert tags(f"{registry}/{name}") == dict.fromkeys(ALL_TAGS, digest)


@pytest.mark.soak
def test_a_crash_at_every_request_ends_in_the_same_state(proxy, registry, layout, tmp_path):
    """The process is killed at one request after the other; the next run, from an archive, makes it whole."""
    folder, digest = layout
    with tarfile.open(tmp_path / "built.tar", "w") as archive:
        archive.add(folder, ".")
    push(f"oci:{folder}", f"{registry}/faults/crash-never")
    whole = pulled(f"{registry}/faults/crash-never", "1.4.2")
    killed = 0
    for step in itertools.count(1, STRIDE):
        name = f"faults/crash-{step}"
        to = f"{proxy.host}/{name}"
        command = [
            sys.executable,
            "-m",
            "gitops_ci",
            "image",
            "push",
            f"oci:{folder}",
            "--to",
            to,
            "--version",
            "1.4.2",
        ]
        proxy.clear()
        started = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        seen = itertools.count(1)

        def script(asked, process=started, seen=seen, step=step):
            if next(seen) == step:
                os.kill(process.pid, signal.SIGKILL)

        proxy.script = script
        output, _ = started.communicate(timeout=60)
        if started.returncode == 0:
            break
        assert started.returncode == -signal.SIGKILL, output.decode()
        killed += 1
        proxy.settle()
        for tag, there in tags(f"{registry}/{name}").items():
            assert there == digest, tag
            assert len(pulled(f"{registry}/{name}", tag)) == 5, "no tag names half an image"
        proxy.clear()
        push(f"oci-archive:{tmp_path}/built.tar", to)
        assert tags(f"{registry}/{name}") == dict.fromkeys(ALL_TAGS, digest)
        assert pulled(f"{registry}/{name}", "latest") == whole
        again = push(f"oci:{folder}", to)
        assert {image.state for image in again.images} == {"present"}
    assert killed * STRIDE > 15, "the push had many steps to die at"


@pytest.mark.parametrize("kind", [is_upload, is_manifest], ids=["layer", "manifest"])
def test_an_interrupted_push_ends_at_once(proxy, registry, layout, name, tmp_path, kind):
    """A registry that hangs does not hold up a job that is cancelled."""
    folder, _ = layout
    reached = threading.Event()

    def script(asked):
        if kind(asked):
            reached.set()
            return Delay(60)
        return None

    proxy.script = script
    to = f"{proxy.host}/{name}"
    command = [sys.executable, "-m", "gitops_ci", "image", "push", f"oci:{folder}", "--to", to, "--version", "1.4.2"]
    started = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert reached.wait(60)
    began = time.monotonic()
    started.terminate()
    output, _ = started.communicate(timeout=50)
    assert time.monotonic() - began < 20
    assert started.returncode == 130, output.decode()
    assert b"Interrupted" in output
    assert b"Traceback" not in output


def test_a_registry_that_keeps_its_tags_may_have_the_image_already(proxy, registry, layout, name):
    """Two jobs push the same image: the second one's tag is refused, and is right."""
    folder, digest = layout
    push(f"oci:{folder}", f"{registry}/{name}")
    hidden = []

    def script(asked):
        # What the other job stored is seen only after our own try.
        if asked.method == "HEAD" and "/manifests/" in asked.path and not hidden:
            return Answer(404)
        if asked.method == "GET" and "/manifests/" in asked.path and not hidden:
            return Answer(404)
        if is_manifest(asked):
            hidden.append(asked)
            return Answer(400)
        return None

    proxy.script = script
    push(f"oci:{folder}", f"{proxy.host}/{name}")
    assert hidden
    assert tags(f"{registry}/{name}") == dict.fromkeys(ALL_TAGS, digest)


def test_a_registry_that_keeps_its_tags_and_has_another_image_is_an_error(proxy, registry, layout, name):
    folder, _ = layout
    proxy.script = lambda asked: Answer(400) if is_manifest(asked) else None
    with pytest.raises(RegistryError, match="400"):
        push(f"oci:{folder}", f"{proxy.host}/{name}")


@pytest.fixture(scope="module")
def newer(tmp_path_factory):
    folder = tmp_path_factory.mktemp("newer")
    return folder, LayoutWriter(folder).simple("1.5.0", [{"newer": b"1"}])


def test_a_newer_version_that_comes_meanwhile_keeps_what_floats(proxy, registry, layout, newer, name):
    """Two jobs: the older one plans its tags first and writes them last."""
    folder, digest = layout
    met = []

    def script(asked):
        if asked.method == "PUT" and asked.path.endswith("/manifests/latest") and not met:
            met.append(asked)
            push(f"oci:{newer[0]}", f"{registry}/{name}", version="1.5.0")

    proxy.script = script
    log = Heard()
    pushed = push(f"oci:{folder}", f"{proxy.host}/{name}", log=log)
    assert met
    assert tags(f"{registry}/{name}") == {
        "1.4.2": digest, "1.4": digest, "1.5.0": newer[1], "1.5": newer[1], "1": newer[1], "latest": newer[1]
    }  # fmt: skip
    assert {image.tag for image in pushed.images} == {"1.4.2", "1.4"}
    assert any("1.5.0 was pushed by another job" in warning for warning in log.warnings)


def test_a_tag_that_is_refused_takes_no_other_with_it(proxy, registry, layout, name, capfd):
    folder, digest = layout
    proxy.script = lambda asked: Answer(403) if is_manifest(asked) and asked.path.endswith("/latest") else None
    to = f"{proxy.host}/{name}"
    code = run_command_line(["image", "push", f"oci:{folder}", "--to", to, "--version", "1.4.2", "--output", "json"])
    document = json.loads(capfd.readouterr().out)
    assert (code, document["status"], document["error"]["kind"]) == (4, "failed", "registry")
    assert {image["tag"]: image["state"] for image in document["images"]} == dict.fromkeys(
        ALL_TAGS - {"latest"}, "pushed"
    )
    assert f"{to}:latest" in document["error"]["message"]
    assert tags(f"{registry}/{name}") == dict.fromkeys(ALL_TAGS - {"latest"}, digest)


@pytest.mark.parametrize("status", [401, 403, 405])
def test_a_registry_that_lists_no_tags_is_warned_about(proxy, registry, layout, name, status):
    folder, digest = layout
    proxy.script = lambda asked: Answer(status) if asked.path.endswith("/tags/list") else None
    log = Heard()
    push(f"oci:{folder}", f"{proxy.host}/{name}", log=log)
    assert tags(f"{registry}/{name}") == {"1.4.2": digest}, "nobody knows whether there is a newer one"
    assert any("does not let this account list its tags" in warning for warning in log.warnings)


def test_a_base_that_may_not_be_read_is_not_mounted_from(proxy, registry, layout, name):
    """Promotion by an account that may write there and not read here as the registry sees it: layers are carried."""
    folder, digest = layout
    push(f"oci:{folder}", f"{proxy.host}/{name}")
    refused = []

    def script(asked):
        if asked.method == "POST" and asked.query.startswith("mount="):
            refused.append(asked)
            return Answer(403)
        return None

    proxy.script = script
    push(f"registry:{proxy.host}/{name}:1.4.2", f"{proxy.host}/{name}-prod")
    assert refused
    assert tags(f"{registry}/{name}-prod") == dict.fromkeys(ALL_TAGS, digest)


def test_the_deadline_of_the_command_line_ends_a_push(proxy, layout, name, capfd):
    folder, _ = layout
    proxy.script = lambda asked: Answer(503) if is_manifest(asked) else None
    to = f"{proxy.host}/{name}"
    push = ["image", "push", f"oci:{folder}", "--to", to, "--version", "1.4.2"]
    assert run_command_line([*push, "--deadline", "2"]) == 4
    assert "503" in capfd.readouterr().out
    tries = Counter((asked.method, asked.path) for asked in proxy.asked if is_manifest(asked))
    assert 1 <= max(tries.values()) <= 4, "the pauses before the fifth try are longer than the deadline"


@pytest.mark.parametrize("status", [400, 405, 501])
def test_a_registry_that_takes_no_blob_in_one_piece(proxy, registry, layout, name, status):
    folder, digest = layout
    proxy.script = takes_no_blob_in_one_piece(status)
    push(f"oci:{folder}", f"{proxy.host}/{name}")
    assert tags(f"{registry}/{name}") == dict.fromkeys(ALL_TAGS, digest)
    assert len(pulled(f"{registry}/{name}", digest)) == 5
    refused = [asked for asked in proxy.asked if asked.method == "PUT" and is_upload(asked)]
    assert len(refused) <= 2, "two large layers at a time: what was learned counts for all others"


def test_a_registry_that_takes_no_blob_at_all_is_an_error(proxy, registry, layout, name):
    folder, _ = layout
    proxy.script = lambda asked: Answer(405) if asked.method in {"PUT", "PATCH"} and asked.size > 1000 else None
    with pytest.raises(RegistryError, match="405"):
        push(f"oci:{folder}", f"{proxy.host}/{name}")
    assert tags(f"{registry}/{name}") == {}
