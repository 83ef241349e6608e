"""The log that git prints is read the same in pieces of any size."""

import pytest

from gitops_ci.configrepo import log
from gitops_ci.configrepo.log import BlobChange, LogEntry, parse_log

OLD, NEW = "a" * 40, "b" * 40


def printed(number: int) -> bytes:
    head = f"\x01{number:040x}\0{number - 1:040x}\0{1000 + number}\0Ada\0Ännchen\0Bump {number}\n\nImage: shop\n\0"
    files = (f":100644 100644 {OLD} {NEW} M\0apps/{at}.yaml\0" for at in range(number % 3))
    return (head + "".join(files)).encode()


@pytest.mark.parametrize("piece", [1, 7, 64, 1 << 20])
def test_pieces_of_any_size_have_the_same_entries(piece, monkeypatch):
    monkeypatch.setattr(log, "_PIECE", piece)
    found = list(parse_log(b"".join(map(printed, range(1, 30))), lambda path: path != "apps/1.yaml"))
    assert found == [
        LogEntry(
            f"{number:040x}", (f"{number - 1:040x}",), 1000 + number, "Ada", "Ännchen", f"Bump {number}\n\nImage: shop",
            (BlobChange("apps/0.yaml", OLD, NEW),) if number % 3 else (),
        )
        for number in range(1, 30)
    ]  # fmt: skip
