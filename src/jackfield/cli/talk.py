"""The person at the terminal, as a plugin's own sign-in sees them."""

from __future__ import annotations

from jackfield.cli import ask, ui


class Dialogue:
    """Shows lines on stderr and asks there, secrets unseen."""

    def tell(self, text: str) -> None:
        """Show a line."""
        ui.note(text)

    def ask(self, question: str) -> str:
        """Return what is typed."""
        return ask.text(question)

    def ask_secret(self, question: str) -> str:
        """Return what is typed unseen."""
        return ask.secret(question)
