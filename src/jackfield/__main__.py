"""The command's entry: answers `--version` before anything else is imported."""

from __future__ import annotations

import gc
import os
import sys

from jackfield import __version__


def main() -> None:
    """Run the command line and exit with its code."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        print(f"jackfield {__version__}")  # noqa: T201  a click import would cost more than the answer
        return
    # A command lives for a moment: collecting while modules load frees nothing and takes a tenth of the start.
    gc.set_threshold(50_000)
    from jackfield.cli.main import run  # noqa: PLC0415

    # Both installed names are one program; a shell's completion asks under the name it knows.
    code = run(sys.argv[1:], "openclaw" if sys.argv[0].endswith("openclaw") else "jackfield")
    if sys.gettrace() or sys.getprofile():
        sys.exit(code)
    _leave(code)


def _leave(code: int) -> None:
    # Taking all modules down one by one takes as long as a bare start; whatever needs an end has ended.
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


if __name__ == "__main__":
    main()
