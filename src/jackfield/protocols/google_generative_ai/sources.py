"""Where the words of an answer come from, both ways, and how likely each of them was.

The API counts positions in bytes of UTF-8 and says them once, at the answer's end
(ai.google.dev/api/generate-content#GroundingMetadata, read 2026-11-21).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from jackfield.message import Citation, JsonObject, TokenLogprob
from jackfield.protocols.base import as_count
from jackfield.protocols.fields import as_list, as_object, as_text, said

CHUNKS = ("web", "retrievedContext", "maps")


def parse_citations(candidate: JsonObject, text: str) -> list[Citation]:
    """Return the sources of a candidate, with their positions in the text where these fit it."""
    grounding = as_object(candidate.get("groundingMetadata"))
    sources = [_source(as_object(chunk)) for chunk in as_list(grounding.get("groundingChunks"))]
    found: list[Citation] = []
    raw = text.encode("utf-8", "replace")
    for support in map(as_object, as_list(grounding.get("groundingSupports"))):
        start, end = _span(as_object(support.get("segment")), raw)
        indices = [as_count(index) for index in as_list(support.get("groundingChunkIndices"))]
        held = [sources[index] for index in indices if index is not None and 0 <= index < len(sources)]
        found += [replace(source, start=start, end=end) for source in held]
    found = found or sources
    cited = as_object(candidate.get("citationMetadata"))
    for entry in map(as_object, as_list(cited.get("citationSources")) or as_list(cited.get("citations"))):
        start, end = _span(entry, raw)
        found.append(Citation(as_text(entry.get("uri")), as_text(entry.get("title")), start=start, end=end))
    return found


def _source(chunk: JsonObject) -> Citation:
    held = next((as_object(chunk[kind]) for kind in CHUNKS if chunk.get(kind)), {})
    return Citation(as_text(held.get("uri")), as_text(held.get("title")), as_text(held.get("text")))


def _span(wire: JsonObject, raw: bytes) -> tuple[int | None, int | None]:
    """Return a segment's place in characters; nothing when it does not lie in the text."""
    start, end = as_count(wire.get("startIndex")) or 0, as_count(wire.get("endIndex"))
    said_there = as_text(wire.get("text")).encode("utf-8", "replace")
    if end is None or not 0 <= start <= end <= len(raw) or (said_there and raw[start:end] != said_there):
        return None, None
    before = len(raw[:start].decode("utf-8", "ignore"))
    return before, before + len(raw[start:end].decode("utf-8", "ignore"))


def render_citations(citations: Sequence[Citation], text: str) -> JsonObject:
    """Write the sources of a text as `groundingMetadata`; empty when there are none."""
    if not citations:
        return {}
    chunks = [_chunk(citation) for citation in citations]
    placed = [(n, c) for n, c in enumerate(citations) if c.start is not None and c.end is not None]
    supports = [{"segment": _segment(text, c), "groundingChunkIndices": [n]} for n, c in placed]
    return {"groundingMetadata": {"groundingChunks": chunks, **({"groundingSupports": supports} if supports else {})}}


def _chunk(citation: Citation) -> JsonObject:
    page = said({"uri": citation.url or None, "title": citation.title or None})
    return {"retrievedContext": {**page, "text": citation.cited}} if citation.cited else {"web": page}


def _segment(text: str, citation: Citation) -> JsonObject:
    before, inside = text[: citation.start], text[citation.start : citation.end]
    start = len(before.encode("utf-8", "replace"))
    return {"startIndex": start, "endIndex": start + len(inside.encode("utf-8", "replace")), "text": inside}


# -- log probabilities -------------------------------------------------------------


def parse_logprobs(result: JsonObject) -> Iterable[TokenLogprob]:
    """Read a `logprobsResult`: the chosen tokens, each with the others of its step."""
    tops = [as_list(as_object(step).get("candidates")) for step in as_list(result.get("topCandidates"))]
    for step, chosen in enumerate(map(as_object, as_list(result.get("chosenCandidates")))):
        others = tops[step] if step < len(tops) else []
        yield _token(chosen, tuple(_token(as_object(other)) for other in others))


def _token(wire: JsonObject, top: tuple[TokenLogprob, ...] = ()) -> TokenLogprob:
    said_there = wire.get("logProbability")
    is_number = isinstance(said_there, int | float) and not isinstance(said_there, bool)
    # The JSON of Google's messages leaves a zero out.
    return TokenLogprob(as_text(wire.get("token")), float(said_there) if is_number else 0.0, top)  # type: ignore[arg-type]  # looked at


def render_logprobs(logprobs: Sequence[TokenLogprob]) -> JsonObject:
    """Write a `logprobsResult`; empty when there is none."""
    if not logprobs:
        return {}
    result: JsonObject = {"chosenCandidates": [_wire(token) for token in logprobs]}
    if any(token.top for token in logprobs):
        result["topCandidates"] = [{"candidates": [_wire(other) for other in token.top]} for token in logprobs]
    return {"logprobsResult": result}


def _wire(token: TokenLogprob) -> JsonObject:
    return {"token": token.token, "logProbability": token.logprob}
