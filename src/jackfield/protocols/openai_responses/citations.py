"""Where words come from (`annotations`), and how likely each was (`logprobs`), both ways."""

from __future__ import annotations

from collections.abc import Sequence

from jackfield.message import Citation, JsonObject, TextBlock, TokenLogprob
from jackfield.protocols.base import as_count
from jackfield.protocols.fields import as_list, as_object, as_text

FILES = ("file_citation", "container_file_citation")


def parse_citations(wire: object) -> tuple[Citation, ...]:
    """Read what annotations say of sources; their own spelling stays with the block."""
    found = (_parse_citation(annotation) for annotation in as_list(wire) if isinstance(annotation, dict))
    return tuple(citation for citation in found if citation is not None)


def _parse_citation(wire: JsonObject) -> Citation | None:
    place = as_count(wire.get("start_index")), as_count(wire.get("end_index"))
    match wire.get("type"):
        case "url_citation":
            return Citation(as_text(wire.get("url")), as_text(wire.get("title")), "", None, *place)
        case kind if kind in FILES:
            return Citation("", as_text(wire.get("filename")), "", None, *place)
        case _:
            return None


def render_citations(block: TextBlock) -> list[JsonObject]:
    """Write a block's sources that have an address; this wire knows files by ids that only it gives out."""
    return [
        {
            "type": "url_citation",
            "url": citation.url,
            "title": citation.title,
            "start_index": citation.start or 0,
            "end_index": len(block.text) if citation.end is None else citation.end,
        }
        for citation in block.citations
        if citation.url
    ]


def parse_logprobs(wire: object) -> list[TokenLogprob]:
    """Read the likelihood of each token; an entry without one is skipped."""
    found = [(entry, as_object(entry).get("logprob")) for entry in as_list(wire)]
    return [
        TokenLogprob(as_text(entry.get("token")), number, parse_logprobs(entry.get("top_logprobs")))
        for entry, number in found
        if isinstance(number, int | float) and not isinstance(number, bool)
    ]


def render_logprobs(tokens: Sequence[TokenLogprob]) -> list[JsonObject]:
    """Write the likelihood of each token, with its bytes, which clients of this wire expect."""
    return [{**_render_token(token), "top_logprobs": [_render_token(other) for other in token.top]} for token in tokens]


def _render_token(token: TokenLogprob) -> JsonObject:
    return {"token": token.token, "bytes": list(token.token.encode()), "logprob": token.logprob}
