"""One command run for what it prints: no shell, a time limit, a limit of output.

Knows nothing of secrets. The child gets the variables it is given and an empty standard
input; a person it wants to ask is reached through the terminal or a window of its own.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import time
from collections.abc import Mapping
from threading import Thread
from typing import IO

from msgspec import Struct

TIMEOUT_S = 10.0
LONGEST_OUTPUT = 65_536  # bytes; no key is longer


class Output(Struct, frozen=True, kw_only=True):
    """What a command printed; `problem` says in words why it is of no use, empty when it is."""

    program: str
    text: str = ""
    complaint: str = ""  # what it wrote on stderr
    problem: str = ""


class _Ear:
    """Reads one pipe to its end beside the others, keeping no more than a limit."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self.heard = b""
        self._pipe = pipe
        # A grandchild may hold the pipe open after the command is gone; it must not keep us.
        self.thread = Thread(target=self._listen, daemon=True)
        self.thread.start()

    def _listen(self) -> None:
        with self._pipe as pipe:
            self.heard = pipe.read(LONGEST_OUTPUT + 1)
            while pipe.read(LONGEST_OUTPUT):
                pass


def run(
    line: str, environ: Mapping[str, str], *, timeout_s: float = TIMEOUT_S, windows: bool = os.name == "nt"
) -> Output:
    """Run a command line and return what came of it; raises nothing for a command that fails."""
    try:
        words = split(line, windows=windows)
    except ValueError as error:
        return Output(program="the command", problem=f"cannot be read: {str(error).lower()}")
    if not words:
        return Output(program="the command", problem="is empty")
    program = words if isinstance(words, str) else words[0]
    try:
        child = subprocess.Popen(  # noqa: S603  the user's own command, no shell in between
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(environ),
        )
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else str(error)) or "unknown reason"
        return Output(program=program, problem=f"cannot be run: {reason.lower()}")
    return _listen(child, program, timeout_s)


def split(line: str, *, windows: bool) -> str | list[str]:
    """Return a command line as the system wants it; Windows splits it itself, backslashes are its paths."""
    return line.strip() if windows else shlex.split(line)


def _listen(child: subprocess.Popen[bytes], program: str, timeout_s: float) -> Output:
    if child.stdout is None or child.stderr is None:
        return Output(program=program, problem="has no output")
    deadline = time.monotonic() + timeout_s
    said, complained = _Ear(child.stdout), _Ear(child.stderr)
    try:
        said.thread.join(timeout_s)
        code = child.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
        return Output(program=program, problem=f"did not end within {timeout_s:g} s")
    complained.thread.join(max(0.0, deadline - time.monotonic()))
    complaint = complained.heard.decode("utf-8", "replace")
    if code:
        return Output(program=program, complaint=complaint, problem=f"ended with code {code}")
    if said.thread.is_alive() or len(said.heard) > LONGEST_OUTPUT:
        return Output(program=program, problem=f"printed over {LONGEST_OUTPUT} bytes, or did not stop")
    return Output(program=program, text=said.heard.decode("utf-8", "replace"), complaint=complaint)
