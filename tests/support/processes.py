"""What became of a process that the program started."""

from __future__ import annotations

import time
from pathlib import Path


def has_ended(pid: int, *, seconds: float = 10) -> bool:
    """True when the process is gone or a zombie; a killed one may run on for a moment, so this waits for its end."""
    state = Path(f"/proc/{pid}/stat")
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if state.read_text().rpartition(")")[2].split()[0] in "ZX":
                return True
        except (FileNotFoundError, ProcessLookupError):
            return True
        time.sleep(0.01)
    return False
