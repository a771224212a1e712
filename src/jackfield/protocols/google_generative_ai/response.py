"""Whole replies, both ways."""

from __future__ import annotations

from jackfield.errors import BadReply, InvalidRequest
from jackfield.events import Accumulator
from jackfield.message import Block, ChatResponse, FinishReason, JsonObject, TextBlock
from jackfield.protocols.base import Body, as_count, decode
from jackfield.protocols.fields import as_list, as_object, objects, rest, said
from jackfield.protocols.google_generative_ai.errors import parse_error
from jackfield.protocols.google_generative_ai.parts import render_part
from jackfield.protocols.google_generative_ai.reply import FIRST, REASONS, ReplyReader
from jackfield.protocols.google_generative_ai.sources import render_citations, render_logprobs
from jackfield.protocols.google_generative_ai.usage import render_usage
from jackfield.protocols.outbox import Outbox

WIRE_REASONS: dict[FinishReason, str] = {
    "stop": "STOP", "length": "MAX_TOKENS", "tool_calls": "STOP", "content_filter": "SAFETY",
}  # fmt: skip
# Cohere's words are in capitals, too; any other in capitals may be a newer one of this wire's.
FOREIGN = frozenset({"COMPLETE", "STOP_SEQUENCE", "TOOL_CALL"})
# The extras a reader of this wire may meet; those of other wires would make a strict one fail.
EXTRAS = ("createTime", "promptFeedback", "modelStatus")


def parse_response(body: Body) -> ChatResponse:
    """Read a whole reply, or the list that a stream without `alt=sse` is.

    Raises the provider's error when the body is one, `BadReply` when it is neither.
    """
    chunks = _chunks(body)
    outbox = Outbox()
    reader = ReplyReader(outbox)
    for chunk in chunks:
        if chunk.get("error"):
            raise parse_error(200, chunk)
        try:
            reader.read(chunk)
        except InvalidRequest as error:
            raise BadReply(f"the reply is malformed: {error.message}") from error
    if not reader.is_answer:
        raise BadReply(f"the reply has no candidates: its fields are {', '.join(sorted(*chunks[:1])) or 'none'}")
    reader.end()
    heard = Accumulator()
    for event in outbox.take():
        heard.feed(event)
    return heard.response()


def _chunks(body: Body) -> list[JsonObject]:
    if isinstance(body, bytes | str):
        text = body if isinstance(body, str) else body.decode("utf-8", "replace")
        if text.lstrip().startswith("["):
            chunks = decode(f'{{"chunks":{text}}}').get("chunks")
            try:
                return [chunk for _, chunk in objects(as_list(chunks), "reply")] or [{}]
            except InvalidRequest as error:
                raise BadReply(f"the reply is malformed: {error.message}") from error
    return [decode(body)]


def render_response(response: ChatResponse) -> JsonObject:
    """Write a whole reply."""
    parts = [part for block in response.content for part in render_part(block)]
    own, others = own_candidates(response.extras)
    reason = render_reason(response.finish_reason, response.raw_finish_reason)
    candidate = {
        "content": {"parts": parts, "role": "model"},
        "finishReason": reason,
        "index": 0,
        **render_sources(response.content),
        **render_logprobs(response.logprobs),
        **own,
    }
    head = said({"modelVersion": response.model or None, "responseId": response.id or None})
    usage = render_usage(response.usage)
    return {
        "candidates": [candidate, *others],
        **({"usageMetadata": usage} if usage else {}),
        **head,
        **render_extras(response.extras),
    }


def render_sources(content: object) -> JsonObject:
    """Write where the words of the last text that has sources come from."""
    blocks: list[Block] = list(content) if isinstance(content, list | tuple) else []
    cited = [block for block in blocks if isinstance(block, TextBlock) and block.citations]
    return render_citations(cited[-1].citations, cited[-1].text) if cited else {}


def own_candidates(extras: JsonObject) -> tuple[JsonObject, list[JsonObject]]:
    """Return what an answer of this wire said beside its first candidate's content, and its other candidates."""
    held = [as_object(candidate) for candidate in as_list(extras.get("candidates"))]
    return (rest(held[0], FIRST), [one for one in held[1:] if as_count(one.get("index"))]) if held else ({}, [])


def render_extras(extras: JsonObject) -> JsonObject:
    """Return the fields of `extras` that a reader of this wire may meet."""
    return {name: extras[name] for name in EXTRAS if name in extras}


def render_reason(reason: FinishReason, raw: str | None) -> str:
    """Return this wire's word: the issuer's own where it is one of this wire's and says the same."""
    meant = "stop" if reason == "tool_calls" else reason
    is_own = raw is not None and raw.isupper() and raw not in FOREIGN and REASONS.get(raw, "stop") == meant
    return raw if raw and is_own else WIRE_REASONS[reason]
