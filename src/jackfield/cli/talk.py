"""The person at the terminal, as a plugin's own sign-in sees them."""

from __future__ import annotations

from collections.abc import Callable

import click

from jackfield.cli import ask, ui


class Dialogue:
    """Shows lines on stderr and asks there, secrets unseen."""

    def tell(self, text: str) -> None:
        """Show a line."""
        ui.note(text)

    def ask(self, question: str) -> str:
        """Return what is typed."""
        return _ask(ask.text, question)

    def ask_secret(self, question: str) -> str:
        """Return what is typed unseen."""
        return _ask(ask.secret, question)


def _ask(kind: Callable[[str], str], question: str) -> str:
    try:
        return kind(question)
    except click.Abort as error:
        # A plugin's own `except Exception` must not take who leaves for a failure.
        raise KeyboardInterrupt from error
