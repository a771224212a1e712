"""The only module that prints. Data goes to stdout; notes, warnings and errors to stderr.

What a model, a provider or a file says may hold terminal escapes; they are shown as text
on a terminal and passed on unchanged into a pipe.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TextIO

import click

from jackfield.errors import Error, UsageError

# All control characters but tab and line feed, the escape that starts a sequence, C1 codes.
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
STYLES: dict[str, dict[str, Any]] = {
    "error": {"fg": "red", "bold": True},
    "warning": {"fg": "yellow"},
    "hint": {"fg": "cyan"},
    "dim": {"dim": True},
    "bold": {"bold": True},
}


def use_utf8() -> None:
    """Make the standard streams take any character, whatever the machine's code page; one that is closed leads nowhere."""
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "r" if name == "stdin" else "w", encoding="utf-8"))  # noqa: SIM115, PTH123
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def as_text(typed: str) -> str:
    """Return an argument or a typed line as text; bytes that are no UTF-8 become U+FFFD, since nothing we write could hold them."""
    try:
        typed.encode()
    except UnicodeEncodeError:
        return os.fsencode(typed).decode("utf-8", "replace")
    return typed


def is_terminal(stream: TextIO | None = None) -> bool:
    """Tell whether a person reads the stream (stdout when none is given)."""
    return (stream or sys.stdout).isatty()


def can_ask() -> bool:
    """Tell whether a person is there to answer a question."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def safe(text: str) -> str:
    """Return text with every control character but tab and line feed made visible."""
    return CONTROL.sub(lambda match: f"\\x{ord(match[0]):02x}", text)


def style(text: str, name: str) -> str:
    """Colour text for a terminal; click takes the colour away where it does not belong."""
    return click.style(text, **STYLES[name])


def out(text: str = "", *, end: str = "\n") -> None:
    """Print data."""
    # Not click.echo, which takes escapes out of what goes into a pipe: data stays as it came.
    sys.stdout.write((safe(text) if is_terminal() else text) + end)
    sys.stdout.flush()


def styled(text: str) -> None:
    """Print data that holds our own colours; the caller has made foreign text safe."""
    click.echo(text)


def note(text: str) -> None:
    """Print something about the run, on stderr."""
    click.echo(safe(text) if is_terminal(sys.stderr) else text, err=True)


def whisper(text: str) -> None:
    """Print part of a model's thoughts, dimmed, on stderr."""
    click.echo(style(safe(text), "dim"), nl=False, err=True)


def warn(text: str) -> None:
    """Print a warning, on stderr."""
    click.echo(f"{style('warning:', 'warning')} {safe(text)}", err=True)


def as_json(value: object) -> None:
    """Print one JSON value, keys in their order; money is a decimal string."""
    import json  # with decimal, below, the tenth part of what help costs

    out(json.dumps(value, indent=2, ensure_ascii=False, default=_to_json))


def count(number: int, noun: str) -> str:
    """Return a number with its noun: `1 model`, `2 models`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print columns, each as wide as its widest cell; nothing is ever cut off."""
    lines = [header, *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    # One pattern for all lines: there may be thousands. `%` takes half the time of `format`.
    pattern = "  ".join(f"%-{width}s" for width in widths)
    text = [(pattern % (*line,)).rstrip() for line in lines]
    if is_terminal():
        styled("\n".join([style(text[0], "bold"), *map(safe, text[1:])]))
    else:
        click.echo("\n".join(text))


def fail(error: Error, *, json_wanted: bool = False) -> None:
    """Print an error: for a person on stderr, as `{"ok": false, …}` on stdout when JSON is wanted."""
    if json_wanted:
        as_json({"ok": False, "error": render_error(error)})
        return
    click.echo(f"{style('error:', 'error')} {safe(error.message)}", err=True)
    if error.hint:
        for line in error.hint.splitlines():
            click.echo(f"{style('hint:', 'hint')} {safe(line)}", err=True)


def exit_code(error: Error) -> int:
    """Return how a command ends that failed so: 2 when it was used wrongly, else 1."""
    return 2 if isinstance(error, UsageError) else 1


def render_error(error: Error) -> dict[str, Any]:
    """Return an error as the command line's JSON shape; empty parts are left out."""
    parts: dict[str, Any] = {"type": error.type, "message": error.message}
    if error.hint:
        parts["hint"] = error.hint
    if error.status is not None:
        parts["status"] = error.status
    if error.attempts:
        parts["attempts"] = [render_attempt(attempt) for attempt in error.attempts]
    return parts


def render_attempt(attempt: Any) -> dict[str, Any]:
    """Return one attempt as JSON."""
    return {"model": attempt.model, "profile": attempt.profile, "reason": attempt.reason, "ms": attempt.ms}


def _to_json(value: object) -> object:
    from decimal import Decimal

    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, Mapping):
        return dict(value)
    return list(value) if isinstance(value, tuple | set | frozenset) else str(value)
