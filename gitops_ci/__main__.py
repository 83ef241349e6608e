"""`gitops-ci` and `python -m gitops_ci`."""

from __future__ import annotations

import gc
import sys
from contextlib import suppress

from gitops_ci import __version__
from gitops_ci.streams import open_streams
from gitops_ci.variables import start_without_secrets


def print_version() -> None:
    try:
        sys.stdout.write(f"gitops-ci {__version__}\n")
        sys.stdout.flush()
    except OSError as error:
        sys.exit(f"error: standard output takes nothing: {error.strerror}")


def main() -> None:
    open_streams()  # before any file is opened: it would get the number of a stream that is closed
    # Asked in every bug report and by every cache key: answered before the command line library is imported.
    if sys.argv[1:] == ["--version"]:
        print_version()
        return
    start_without_secrets(sys.argv[1:])
    # What is imported lives as long as the process. The collector would walk it a dozen times on the way and once more
    # at the end: a tenth of a short run.
    gc.set_threshold(50_000)
    from gitops_ci.cli import run_command_line

    code = run_command_line(sys.argv[1:])
    gc.freeze()
    with suppress(OSError):  # full: that was reported where something was written
        sys.stdout.flush()
    sys.exit(code)


if __name__ == "__main__":
    main()
