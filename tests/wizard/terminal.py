"""The wizard on a real terminal: what is expected on the screen, what is then typed, and what is left behind."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tests.terminals import interrupt, open_command, open_terminal, pexpect

ENTER, CTRL_C, ESC, DOWN, UP = "\r", "\x03", "\x1b", "\x1b[B", "\x1b[A"
DUMB, DRAWN = "dumb", "xterm-256color"
# What is typed may be made of the screen so far.
Typed = str | Callable[[str], str]
Step = tuple[str, Typed]
MODEL, CHECK, WRITE = ("Default model", ENTER), ("one word", "y" + ENTER), ("Write this", "y" + ENTER)
NO_CHECK = ("one word", "n" + ENTER)
SEQUENCE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")


class Ended(NamedTuple):
    """How it ended, and all that was on the screen."""

    code: int
    shown: str


def drive(
    *args: str,
    steps: Sequence[Step],
    term: str = DUMB,
    env: Mapping[str, str] | None = None,
    size: tuple[int, int] = (50, 160),
    name: str = "jackfield",
) -> Ended:
    """Run `jackfield ARGS` on a terminal of that size (rows, columns), answer its questions, wait for its end."""
    child = open_terminal(*args, env=_variables(term, env), size=size, encoding="utf-8", name=name)
    return _answer(child, steps)


def drive_command(
    command: Sequence[str], steps: Sequence[Step], *, term: str = DUMB, env: Mapping[str, str] | None = None
) -> Ended:
    """Run any command so."""
    whole, home = {**os.environ, **_variables(term, env)}, os.environ["HOME"]
    child = open_command(command, env=whole, cwd=home, dimensions=(50, 160), encoding="utf-8")
    return _answer(child, steps)


def _variables(term: str, env: Mapping[str, str] | None) -> dict[str, str]:
    # Nobody here says where the cursor is, as a real terminal does; asking for it would be a wait.
    return {"TERM": term, "PROMPT_TOOLKIT_NO_CPR": "1", **(env or {})}


def _answer(child: Any, steps: Sequence[Step]) -> Ended:
    shown = ""
    for expected, typed in steps:
        child.expect(expected)
        shown += child.before + child.after
        if typed == CTRL_C:
            interrupt(child)
        else:
            child.send(typed if isinstance(typed, str) else typed(shown))
    child.expect(pexpect.EOF)
    shown += child.before
    child.close()
    assert "Traceback" not in shown, shown
    return Ended(child.exitstatus, SEQUENCE.sub("", shown))


def folder() -> Path:
    """Return where the product keeps its files in the test's home."""
    return Path(os.environ["HOME"]) / ".jackfield"


def load(name: str) -> dict[str, Any]:
    """Return one of those files, empty where there is none."""
    path = folder() / name
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def profiles() -> dict[str, Any]:
    """Return the stored credentials."""
    return load("auth-profiles.json").get("profiles", {})


def primary() -> str | None:
    """Return the default model."""
    return load("jackfield.json").get("agents", {}).get("defaults", {}).get("model", {}).get("primary")


def snapshot() -> dict[str, bytes]:
    """Return every file of the test's home, to the byte."""
    home = Path(os.environ["HOME"])
    return {str(path.relative_to(home)): path.read_bytes() for path in home.rglob("*") if path.is_file()}


def shown_diff(screen: str) -> list[str]:
    """Return the lines of the diff on a screen: removed and added ones, without the heads."""
    lines = screen.rsplit("credential ", maxsplit=1)[-1].split("Write this", maxsplit=1)[0].splitlines()
    return [line.rstrip() for line in lines if re.match(r"[+-](?![+-]{2} )", line)]
