"""`gitops-ci` and `python -m gitops_ci`."""

from __future__ import annotations

import sys

from gitops_ci import __version__


def main() -> None:
    # Asked in every bug report and by every cache key: answered before the command line library is imported.
    if sys.argv[1:] == ["--version"]:
        sys.stdout.write(f"gitops-ci {__version__}\n")
        return
    from gitops_ci.cli import run_command_line

    sys.exit(run_command_line(sys.argv[1:]))


if __name__ == "__main__":
    main()
