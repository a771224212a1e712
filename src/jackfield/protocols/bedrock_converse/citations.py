"""Where words of an answer come from, read; they go back as they came, through `opaque`."""

from __future__ import annotations

from jackfield.message import Citation, JsonObject
from jackfield.protocols.base import as_count
from jackfield.protocols.fields import as_list, as_object, as_text

# A document's places are of its characters, pages or chunks; ours are of the answer, so they are not read.
PLACES = ("documentChar", "documentPage", "documentChunk")


def cited_text(wire: JsonObject) -> str:
    """Return the words of a cited block."""
    return "".join(as_text(as_object(part).get("text")) for part in as_list(wire.get("content")))


def parse_citations(wires: object) -> list[Citation]:
    """Read a block's citations; what is none is left out."""
    return [parse_citation(wire) for wire in as_list(wires) if isinstance(wire, dict)]


def parse_citation(wire: JsonObject) -> Citation:
    """Read one citation: of a page, or of a document of the request."""
    location = as_object(wire.get("location"))
    place = next((as_object(location[name]) for name in PLACES if name in location), {})
    source, cited = as_text(wire.get("source")), as_list(wire.get("sourceContent"))
    return Citation(
        url=as_text(as_object(location.get("web")).get("url")) or (source if "://" in source else ""),
        title=as_text(wire.get("title")),
        cited="".join(as_text(as_object(part).get("text")) for part in cited),
        document=as_count(place.get("documentIndex")),
    )
