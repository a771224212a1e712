"""The command's entry: answers `--version` before anything else is imported."""

from __future__ import annotations

import gc
import os
import sys

from jackfield import __version__

TYPE_CHECKING = False  # typing itself would cost more than `--version`
if TYPE_CHECKING:
    from typing import NoReturn


def main() -> None:
    """Run the command line and exit with its code."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        # Written here: a click import would cost more than the answer.
        _leave(0, f"jackfield {__version__}\n")
    # A command lives for a moment: collecting while modules load frees nothing and takes a tenth of the start.
    gc.set_threshold(50_000)
    from jackfield.cli.main import run  # noqa: PLC0415

    # Both installed names are one program; a shell's completion asks under the name it knows.
    code = run(sys.argv[1:], "openclaw" if sys.argv[0].endswith("openclaw") else "jackfield")
    if sys.gettrace() or sys.getprofile():
        sys.exit(code)
    _leave(code)


def _leave(code: int, last_words: str = "") -> NoReturn:
    # Taking all modules down one by one takes as long as a bare start; whatever needs an end has ended.
    try:
        for stream, words in ((sys.stdout, last_words), (sys.stderr, "")):
            if stream is not None:  # closed by whoever started us
                stream.write(words)
                stream.flush()
    except BrokenPipeError:
        pass  # the reader has what it wanted
    except OSError as error:
        os.write(2, f"error: cannot write the output: {error.strerror}\n".encode())
        code = 1
    finally:
        os._exit(code)


if __name__ == "__main__":
    main()
