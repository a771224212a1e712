"""What became of a row, as a line of the output: OpenAI's batch shape, and what it took under `jackfield`.

`error` is null in every row that was answered and in no other. A provider's refusal stands
in `response` too, with its status, in the shape of the wire that the row is written in.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from jackfield.batch.row import COMPLETIONS, EMBEDDINGS, Place, Row
from jackfield.embedding import EmbedRequest, EmbedResponse
from jackfield.errors import Error
from jackfield.message import Attempt, ChatResponse, JsonObject, Usage
from jackfield.protocols import load
from jackfield.protocols.embeddings import openai as embeddings

ENCODER = msgspec.json.Encoder(decimal_format="string")
# The field that says when, on wires that promise it and whose provider's may not.
CLOCKS = {COMPLETIONS: "created", "openai-responses": "created_at"}


class Record(Struct, frozen=True, kw_only=True):
    """A row that is done with: its line for the output, and what a count of rows wants of it."""

    place: Place
    data: bytes  # ends in a line feed
    failed: str = ""  # the error's type; empty: it was answered
    input: int = 0  # tokens
    output: int = 0
    cost_usd: Decimal | None = None


def render_answer(row: Row, reply: ChatResponse | EmbedResponse, ms: int, now_s: int) -> Record:
    """Write the row's answer in the wire it was asked in."""
    body = _render_body(row, reply, now_s)
    request_id = reply.id or f"req_{row.place.line}_{row.place.digest:016x}"
    fields: JsonObject = {"response": {"status_code": 200, "request_id": request_id, "body": body}, "error": None}
    if row.is_simple and isinstance(reply, ChatResponse):
        fields["text"] = reply.text
    attempts = reply.attempts if isinstance(reply, ChatResponse) else ()
    took = _took(reply.usage, reply.cost_usd, attempts, ms)
    names = {"model": reply.model, "requested": reply.requested}
    return _record(row, fields, {**names, **took, "warnings": reply.warnings}, reply.usage, reply.cost_usd)


def render_failure(row: Row, error: Error, ms: int) -> Record:
    """Write why the row has no answer."""
    told = {"code": error.type, "message": error.message, **({"hint": error.hint} if error.hint else {})}
    fields: JsonObject = {"response": None, "error": told}
    if error.status is not None and row.wire != EMBEDDINGS:
        status, body = load(row.wire).render_error(error)
        said = error.status if error.status >= 400 else status
        fields["response"] = {"status_code": said, "request_id": f"req_{row.place.line}", "body": body}
    usage, usd = _spent(error)
    asked = "" if isinstance(row.asked, Error) else row.asked.model
    return _record(row, fields, {"requested": asked, **_took(usage, usd, error.attempts, ms)}, usage, usd, error.type)


def _render_body(row: Row, reply: ChatResponse | EmbedResponse, now_s: int) -> JsonObject:
    if isinstance(reply, EmbedResponse):
        encoding = row.asked.encoding if isinstance(row.asked, EmbedRequest) else None
        return embeddings.render_response(reply, encoding)
    clock = CLOCKS.get(row.wire)
    if clock and not reply.extras.get(clock):
        reply = replace(reply, extras={**reply.extras, clock: now_s})
    return load(row.wire).render_response(reply)


def _took(usage: Usage, usd: Decimal | None, attempts: Sequence[Attempt], ms: int) -> JsonObject:
    counts: JsonObject = {
        "input": usage.input,
        "output": usage.output,
        "cacheRead": usage.cache_read,
        "cacheWrite": usage.cache_write,
        "reasoning": usage.reasoning,
    }
    if usage.estimated:
        counts["estimated"] = True
    tries = [{"model": a.model, "profile": a.profile, "reason": a.reason, "ms": a.ms} for a in attempts]
    return {"usage": counts, "costUsd": None if usd is None else format(usd, "f"), "attempts": tries, "ms": ms}


def _spent(error: Error) -> tuple[Usage, Decimal | None]:
    """Return what a failed row used up all the same."""
    if error.partial is not None:
        return error.partial.usage, error.partial.cost_usd
    usages = [each.usage for each in error.attempts if each.usage is not None]
    costs = [each.cost_usd for each in error.attempts if each.cost_usd is not None]
    return usages[-1] if usages else Usage(), sum(costs, Decimal(0)) if costs else None


def _record(
    row: Row, fields: JsonObject, ours: JsonObject, usage: Usage, usd: Decimal | None, failed: str = ""
) -> Record:
    line = {"id": row.place.id, "custom_id": row.custom_id, **fields, "jackfield": {"line": row.place.line, **ours}}
    sent = [usage.input, usage.cache_read, usage.cache_write]
    return Record(
        place=row.place,
        data=ENCODER.encode(line) + b"\n",
        failed=failed,
        input=sum(filter(None, sent)),
        output=usage.output or 0,
        cost_usd=usd,
    )
