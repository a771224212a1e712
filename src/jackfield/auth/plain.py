"""Whether a text that stands where a key may stand is a key itself, and not a word or a way to one. Pure."""

from __future__ import annotations

from jackfield.config.environment import VARIABLE

# Marks that stand for a sign-in elsewhere in the config; they are no keys.
PLACEHOLDERS = frozenset({"qwen-oauth", "minimax-oauth"})
SHORTEST_KEY = 8  # characters; what is shorter is a word like `ollama`


def is_plain_key(text: str) -> bool:
    """Tell whether a text is a key as it is: long enough, no reference to a variable or a command, no mark."""
    text = text.strip()
    is_reference = bool(VARIABLE.search(text)) or text.startswith("!")
    return len(text) >= SHORTEST_KEY and not is_reference and text not in PLACEHOLDERS
