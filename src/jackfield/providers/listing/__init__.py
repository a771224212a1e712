"""Model lists as providers write them: one pure parser per format, read when it is first needed.

The set of formats is closed (`model.ListFormat`); which one a provider speaks is a line of its file. A
parser returns every id it read and a row for each model that holds a conversation. Nothing here sends.
"""

from __future__ import annotations

from importlib import import_module

import msgspec

from jackfield.errors import BadReply
from jackfield.model import ListFormat
from jackfield.providers.listing.row import Listing

__all__ = ["FORMATS", "Listing", "parse_listing"]

FORMATS: dict[ListFormat, str] = {
    "openai":    "jackfield.providers.listing.openai",
    "anthropic": "jackfield.providers.listing.anthropic",
    "google":    "jackfield.providers.listing.google",
    "ollama":    "jackfield.providers.listing.ollama",
    "lmstudio":  "jackfield.providers.listing.lmstudio",
    "litellm":   "jackfield.providers.listing.litellm",
    "venice":    "jackfield.providers.listing.venice",
    "mistral":   "jackfield.providers.listing.mistral",
    "copilot":   "jackfield.providers.listing.copilot",
    "cohere":    "jackfield.providers.listing.cohere",
}  # fmt: skip


def parse_listing(body: bytes, form: ListFormat = "openai") -> Listing:
    """Read a model list; raise `BadReply` for what is none."""
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise BadReply(f"the model list is not JSON: {_start(body)}") from error
    listing: Listing | None = import_module(FORMATS[form]).parse(value)
    if listing is None:
        raise BadReply(f"the answer is not a list of models: {_start(body)}")
    return listing


def _start(body: bytes) -> str:
    text = " ".join(body[:120].decode("utf-8", "replace").split())
    return f"{text}…" if len(body) > 120 else text or "nothing"
