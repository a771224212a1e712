"""Documents: texts a request brings along, and the citations of an answer that rest on them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from jackfield.message import Citation, DocumentBlock, JsonObject, Message
from jackfield.protocols.base import as_count
from jackfield.protocols.cohere.wire import keep, own
from jackfield.protocols.fields import as_list, as_object, as_text
from jackfield.protocols.text_files import is_text

# The API names documents without an id so, by their place (docs.cohere.com, RAG, read 2026-11-21).
ID = "doc:"
TITLES = ("title", "name", "filename")
WORDS = ("text", "snippet", "content")


def render_documents(messages: Iterable[Message]) -> list[Any]:
    """Write the users' text files as the request's `documents`, in their order."""
    files = [block for message in messages for block in message.content if isinstance(block, DocumentBlock)]
    return [render_document(block, f"{ID}{at}") for at, block in enumerate(filter(is_text, files))]


def render_document(block: DocumentBlock, document_id: str = "") -> Any:
    """Write one file as it came, else with its name as the title."""
    if "document" in (held := own(block)):
        return held["document"]
    data = {"title": block.name} if block.name else {}
    return {**({"id": document_id} if document_id else {}), "data": {**data, "text": block.data or ""}}


def parse_document(wire: object) -> DocumentBlock:
    """Read one document: a text, or an id with text or fields as data; it goes back whole."""
    data = as_object(wire).get("data", wire)
    fields = as_object(data)
    text = data if isinstance(data, str) else _first(fields, WORDS) or msgspec.json.encode(data).decode()
    return DocumentBlock("text/plain", text, None, _first(fields, TITLES) or None, None, keep({"document": wire}))


def parse_citation(wire: JsonObject) -> list[Citation]:
    """Read one citation: its place in the answer, once for each source."""
    start, end = as_count(wire.get("start")), as_count(wire.get("end"))
    sources: Sequence[object] = as_list(wire.get("sources")) or [{}]
    return [_parse_source(as_object(source), start, end) for source in sources]


def _parse_source(wire: JsonObject, start: int | None, end: int | None) -> Citation:
    fields = as_object(wire.get("document")) or as_object(wire.get("tool_output"))
    number = as_text(wire.get("id")).removeprefix(ID) if wire.get("type") == "document" else ""
    return Citation(
        url=_first(fields, ("url",)),
        title=_first(fields, TITLES),
        cited=_first(fields, WORDS),
        document=int(number) if number.isascii() and number.isdigit() and len(number) < 9 else None,
        start=start,
        end=end,
    )


def _first(fields: JsonObject, names: tuple[str, ...]) -> str:
    return next((text for name in names if (text := as_text(fields.get(name)))), "")
