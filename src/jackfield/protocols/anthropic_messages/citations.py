"""Where words come from, on this wire: a block of text rests as a whole on what it cites.

The wire's own citations stay in `opaque`, exact, since a request must bring them back so.
"""

from __future__ import annotations

from collections.abc import Sequence

from jackfield.message import Citation, JsonObject, TextBlock
from jackfield.protocols.anthropic_messages.wire import NAME
from jackfield.protocols.base import as_count, own_fields
from jackfield.protocols.fields import as_list, as_text, rest, said


def parse_citations(wires: object) -> tuple[Citation, ...]:
    """Read `citations`: places in documents of the request, and pages of the web."""
    return tuple(_parse(wire) for wire in as_list(wires) if isinstance(wire, dict))


def _parse(wire: JsonObject) -> Citation:
    return Citation(
        url=as_text(wire.get("url")) or as_text(wire.get("source")),
        title=as_text(wire.get("title")) or as_text(wire.get("document_title")),
        cited=as_text(wire.get("cited_text")),
        document=as_count(wire.get("document_index")),
    )


def render_citations(citations: Sequence[Citation], opaque: JsonObject | None) -> list[JsonObject]:
    """Write the citations of a reply: as they came, or another wire's as far as this one has a form for them."""
    return as_list(own_fields(opaque, NAME).get("citations")) or [_render(citation) for citation in citations]


def _render(citation: Citation) -> JsonObject:
    if citation.document is None:
        # No page's index is known but to who searched: clients show what stands beside it.
        kind = {"type": "web_search_result_location", "url": citation.url, "title": citation.title or None}
        return {**kind, "cited_text": citation.cited, "encrypted_index": ""}
    place = said({"document_index": citation.document, "document_title": citation.title or None})
    return {"type": "char_location", **place, "cited_text": citation.cited, "start_char_index": 0,
            "end_char_index": len(citation.cited)}  # fmt: skip


def render_cited(block: TextBlock) -> JsonObject:
    """Return the field `citations` of a block; empty where nothing is cited."""
    citations = render_citations(block.citations, block.opaque)
    return {"citations": citations} if citations else {}


def as_sent(wire: JsonObject) -> JsonObject:
    """Return a block without the citations that the API refuses: a page lacks the index it gave."""
    citations = as_list(wire.get("citations"))
    known = [one for one in citations if not isinstance(one, dict) or one.get("encrypted_index") != ""]
    if len(known) == len(citations):
        return wire
    return {**rest(wire, ("citations",)), **({"citations": known} if known else {})}
