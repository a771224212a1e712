"""The questions beside the chat: counts of tokens, vectors, and what would be tried. None of them is streamed."""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from jackfield.client import first_choice
from jackfield.embedding import EmbedRequest, EmbedResponse
from jackfield.gateway.access import Grant
from jackfield.gateway.call import decode_body, find_model, read_call
from jackfield.gateway.head import cost_of
from jackfield.gateway.parts import Visit
from jackfield.gateway.plans import guess_wire, tell_plan
from jackfield.gateway.routes import Route
from jackfield.gateway.wires import GEMINI, MESSAGES
from jackfield.message import ChatRequest, ChatResponse, JsonObject
from jackfield.protocols import counting
from jackfield.protocols.embeddings import find_codec
from jackfield.protocols.embeddings.openai import render_response
from jackfield.protocols.estimate import estimate_text
from jackfield.spend.estimate import worst_embed_usd

ENCODER = msgspec.json.Encoder()
ONE, BATCH = "content", "requests"  # what Gemini's body holds for one text, and for several


async def answer_count(visit: Visit, raw: bytes) -> None:
    """Say how many tokens a request is."""
    wire, client = visit.route.wire, visit.parts.client
    request = counting.parse_request(decode_body(raw), wire)
    visit.requested = find_model(visit.route.model or request.model, visit.exchange, client.config)
    request = replace(request, model=visit.requested)
    # To count costs nothing, also where the provider does it: what the answer would cost is not held.
    visit.grant = await visit.parts.access.reserve(visit.key, model=str(client.plan(request).candidates[0].ref))
    count = await client.count_tokens(request)
    head = [("x-jackfield-loss", f"an estimate: {count.source}")] if count.estimated else []
    await visit.exchange.answer(200, head, ENCODER.encode(counting.render_response(count.tokens, wire)))


async def answer_embed(visit: Visit, raw: bytes) -> None:
    """Turn texts into vectors."""
    client, body = visit.parts.client, decode_body(raw)
    is_single = visit.route.wire == GEMINI and ONE in body
    request = find_codec(visit.route.wire).parse_request({BATCH: [body]} if is_single else body)
    visit.requested = find_model(visit.route.model or request.model, visit.exchange, client.config)
    request = replace(request, model=visit.requested)
    visit.grant = await _reserve_vectors(visit, request)
    answer = await client.embed(request)
    visit.heard = lambda: ChatResponse(
        model=answer.model, requested=answer.requested, usage=answer.usage, cost_usd=answer.cost_usd
    )
    head = [("x-jackfield-model", answer.model), *cost_of(answer.cost_usd)]
    head += [("x-jackfield-loss", "; ".join(answer.warnings))] if answer.warnings else []
    await visit.exchange.answer(200, head, ENCODER.encode(_render_vectors(answer, request, visit.route, is_single)))


async def _reserve_vectors(visit: Visit, request: EmbedRequest) -> Grant:
    first = first_choice(visit.parts.client.plan(ChatRequest(model=request.model)))
    tokens = sum(estimate_text(text) if isinstance(text, str) else len(text) for text in request.inputs)
    usd = worst_embed_usd(request, first.info, first.model)
    return await visit.parts.access.reserve(visit.key, model=str(first.ref), est_tokens=tokens, est_usd=usd)


def _render_vectors(answer: EmbedResponse, request: EmbedRequest, route: Route, is_single: bool) -> JsonObject:
    if route.wire != GEMINI:
        return render_response(answer, request.encoding)
    vectors = [{"values": list(vector)} for vector in answer.vectors]
    return {"embedding": vectors[0]} if is_single else {"embeddings": vectors}


async def answer_explain(visit: Visit, raw: bytes) -> None:
    """Say what would be tried for a chat request, and why; sends nothing to anybody."""
    body = decode_body(raw)
    wire = MESSAGES if b"anthropic-version" in visit.exchange.headers else guess_wire(body)
    call = read_call(body, Route("chat", wire), visit.exchange, visit.parts.client.config)
    visit.requested = call.request.model
    told = tell_plan(visit.parts.client, call.request, fallbacks=call.fallbacks, session=call.session)
    await visit.exchange.answer(200, [], ENCODER.encode(told))
