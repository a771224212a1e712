"""Files on wires that read words alone: which are words, and what stands for the others."""

from __future__ import annotations

from jackfield.block import DocumentBlock


def is_text(block: DocumentBlock) -> bool:
    """Say whether a file is words."""
    return block.data is not None and block.media_type.startswith("text/")


def stand_in(kind: str) -> str:
    """Return the word in the place of a file that is left out; a question about it would make no sense without."""
    return f"[{kind} left out: it cannot be sent to this model]"
