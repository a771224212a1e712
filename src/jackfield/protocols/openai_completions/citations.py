"""Where words come from, on this wire: `annotations` of a message, or lists beside it.

OpenAI and OpenRouter annotate spans of the message; Perplexity and xAI list pages beside the choices. What
came stays as it is for the wire that sent it; this reads it for the others.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from jackfield.message import Block, Citation, JsonObject, TextBlock
from jackfield.protocols.base import as_count
from jackfield.protocols.fields import as_list, as_object, as_text, said

LISTS = ("search_results", "citations")  # the first that has pages


def parse_citations(message: JsonObject, reply: JsonObject) -> tuple[Citation, ...]:
    """Read the sources of a reply's words: its message's annotations, else the lists beside it."""
    spans = [
        as_object(wire.get("url_citation")) for wire in as_list(message.get("annotations")) if isinstance(wire, dict)
    ]
    if found := tuple(_parse_span(wire) for wire in spans if wire):
        return found
    pages = next((pages for name in LISTS if (pages := as_list(reply.get(name)))), [])
    read = [Citation(page) if isinstance(page, str) else _parse_span(as_object(page)) for page in pages]
    return tuple(citation for citation in read if citation.url)


def _parse_span(wire: JsonObject) -> Citation:
    return Citation(
        url=as_text(wire.get("url")),
        title=as_text(wire.get("title")),
        cited=as_text(wire.get("content")),
        start=as_count(wire.get("start_index")),
        end=as_count(wire.get("end_index")),
    )


def cite(blocks: list[Block], citations: Sequence[Citation]) -> None:
    """Hang the sources on a reply's first words."""
    at = next((at for at, block in enumerate(blocks) if isinstance(block, TextBlock)), None)
    if citations and at is not None:
        blocks[at] = replace(blocks[at], citations=citations)


def render_annotations(blocks: Sequence[Block]) -> list[JsonObject]:
    """Write the pages that a reply's words rest on; a place in a document has no form here."""
    wires: list[JsonObject] = []
    start = 0
    for block in blocks:
        if isinstance(block, TextBlock):
            wires += [render_annotation(one, start, len(block.text)) for one in block.citations if one.url]
            start += len(block.text)
    return wires


def render_annotation(citation: Citation, at: int, length: int) -> JsonObject:
    """Write one source of words that begin at `at`: of its span, or of all."""
    end = length if citation.end is None else citation.end
    span = {"start_index": at + (citation.start or 0), "end_index": at + end}
    more = said({"content": citation.cited or None})
    return {"type": "url_citation", "url_citation": {"url": citation.url, "title": citation.title, **span, **more}}
