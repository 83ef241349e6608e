"""action/wheels.py unpacks only what a lock file contains, whatever lies in the store that jobs share."""

import hashlib
import os
import subprocess
import sys
import zipfile

import pytest

from tests.support import CHECKOUT

PROGRAM = CHECKOUT / "action" / "wheels.py"


def make_wheel(path, name, text="value = 1\n", extra=()):
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(f"{name}.py", text)
        for entry in extra:
            wheel.writestr(entry, "")
    return hashlib.sha256(path.read_bytes()).hexdigest()


class Machine:
    def __init__(self, root):
        self.store, self.downloaded, self.lock = root / "store", root / "downloaded", root / "lock.txt"
        self.root, self.number = root, 0
        self.downloaded.mkdir()
        self.hashes = {name: make_wheel(self.downloaded / f"{name}-1.0-py3-none-any.whl", name) for name in "ab"}
        self.write_lock()

    def write_lock(self, **more):
        entries = [f"{name}==1.0 \\\n    --hash=sha256:{digest}\n" for name, digest in {**self.hashes, **more}.items()]
        windows = (
            f"c==1.0 ; sys_platform == 'nowhere' \\\n    --hash=sha256:{'0' * 64} \\\n    --hash=sha256:{'1' * 64}\n"
        )
        self.lock.write_text("# Made by `make lock`.\n" + "".join(entries) + windows)

    def install(self, *source, key="cp311"):
        """What was installed, by the name of its file; None where the program ended with 1."""
        self.number += 1
        folder = self.root / f"packages-{self.number}"
        command = [sys.executable, "-I", PROGRAM, self.store, key, folder, *source, self.lock]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert done.returncode in {0, 1}, done.stderr
        assert not done.stderr
        return None if done.returncode else sorted(os.listdir(folder))

    def download(self, key="cp311"):
        return self.install("--from", self.downloaded, key=key)


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


@pytest.fixture
def warm(machine):
    assert machine.download() == ["a.py", "b.py"]
    return machine


def test_an_empty_store_has_nothing(machine):
    assert machine.install() is None


def test_what_a_job_downloaded_serves_the_next(warm):
    assert warm.install() == ["a.py", "b.py"]


def test_a_wheel_whose_bytes_changed_is_not_unpacked(warm):
    make_wheel(warm.store / f"{warm.hashes['b']}.whl", "b", "value = 2\n")
    assert warm.install() is None
    assert not list(warm.root.glob("packages-2/b.py"))


def test_a_wheel_that_no_lock_contains_is_not_unpacked(warm):
    other = make_wheel(warm.root / "other.whl", "other")
    (warm.root / "other.whl").rename(warm.store / f"{other}.whl")
    (warm.store / "cp311.txt").write_text("\n".join([*warm.hashes.values(), other]))
    assert warm.install() is None
    assert not list(warm.root.glob("packages-2/other.py"))


@pytest.mark.parametrize("listed", ["", "a", "aa", "aab"])
def test_a_list_without_each_package_once_is_refused(warm, listed):
    (warm.store / "cp311.txt").write_text("\n".join(warm.hashes[name] for name in listed))
    assert warm.install() is None


def test_a_path_in_the_list_leads_nowhere(warm):
    (warm.store / "cp311.txt").write_text("\n".join([warm.hashes["a"], "../downloaded/b-1.0-py3-none-any"]))
    assert warm.install() == ["a.py", "b.py"], "it has the hash of the lock, wherever it lies"
    (warm.downloaded / "b-1.0-py3-none-any.whl").write_bytes(b"other")
    assert warm.install() is None


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_in_the_place_of_a_wheel_keeps_nobody_waiting(warm):
    wheel = warm.store / f"{warm.hashes['a']}.whl"
    wheel.unlink()
    os.mkfifo(wheel)
    assert warm.install() is None


def test_a_new_lock_asks_for_new_wheels(warm):
    warm.write_lock(d="2" * 64)
    assert warm.install() is None


def test_a_wheel_with_parts_for_other_places_is_left_to_pip(machine):
    path = machine.downloaded / "b-1.0-py3-none-any.whl"
    machine.hashes["b"] = make_wheel(path, "b", extra=["b-1.0.data/purelib/c.py"])
    machine.write_lock()
    assert machine.download() is None


def test_without_a_place_for_the_store_the_packages_are_installed(machine):
    machine.store.write_text("a file")
    assert machine.download() == ["a.py", "b.py"]
    assert machine.install() is None


def test_the_store_keeps_what_was_used_last(machine):
    (machine.root / "store").mkdir()
    (machine.store / f"{'5' * 64}.whl").write_text("of a lock that nobody has any more")
    for number in range(6):
        machine.download(key=f"key-{number}")
        os.utime(machine.store / f"key-{number}.txt", (number, number))
    kept = {path.name for path in machine.store.iterdir()}
    assert {name for name in kept if name.endswith(".txt")} == {f"key-{number}.txt" for number in (2, 3, 4, 5)}
    assert {name for name in kept if name.endswith(".whl")} == {f"{one}.whl" for one in machine.hashes.values()}
