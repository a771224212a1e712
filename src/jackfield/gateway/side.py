"""The questions beside the chat: counts of tokens, vectors, and what would be tried. None of them is streamed."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from jackfield.catalog import defaults
from jackfield.embedding import EmbedRequest, EmbedResponse
from jackfield.gateway.call import find_model, read_call
from jackfield.gateway.chat import cost_of
from jackfield.gateway.parts import Visit
from jackfield.gateway.routes import Route
from jackfield.gateway.wires import COMPLETIONS, GEMINI, MESSAGES, RESPONSES
from jackfield.message import ChatResponse, JsonObject
from jackfield.protocols import counting
from jackfield.protocols.embeddings import find_codec
from jackfield.protocols.embeddings.openai import render_response
from jackfield.routing.plan import Candidate, Plan

ENCODER = msgspec.json.Encoder()
ONE, BATCH = "content", "requests"  # what Gemini's body holds for one text, and for several


async def answer_count(visit: Visit, body: JsonObject) -> None:
    """Say how many tokens a request is."""
    wire, client = visit.route.wire, visit.parts.client
    request = counting.parse_request(body, wire)
    visit.requested = find_model(visit.route.model or request.model, visit.exchange, client.config)
    visit.parts.access.allow(visit.caller, visit.requested)
    count = await client.count_tokens(replace(request, model=visit.requested))
    head = [("x-jackfield-loss", f"an estimate: {count.source}")] if count.estimated else []
    await visit.exchange.answer(200, head, ENCODER.encode(counting.render_response(count.tokens, wire)))


async def answer_embed(visit: Visit, body: JsonObject) -> None:
    """Turn texts into vectors."""
    client, is_single = visit.parts.client, visit.route.wire == GEMINI and ONE in body
    request = find_codec(visit.route.wire).parse_request({BATCH: [body]} if is_single else body)
    visit.requested = find_model(visit.route.model or request.model, visit.exchange, client.config)
    visit.parts.access.allow(visit.caller, visit.requested)
    answer = await client.embed(replace(request, model=visit.requested))
    visit.heard = lambda: ChatResponse(
        model=answer.model, requested=answer.requested, usage=answer.usage, cost_usd=answer.cost_usd
    )
    head = [("x-jackfield-model", answer.model), *cost_of(answer.cost_usd)]
    head += [("x-jackfield-loss", "; ".join(answer.warnings))] if answer.warnings else []
    await visit.exchange.answer(200, head, ENCODER.encode(_render_vectors(answer, request, visit.route, is_single)))


def _render_vectors(answer: EmbedResponse, request: EmbedRequest, route: Route, is_single: bool) -> JsonObject:
    if route.wire != GEMINI:
        return render_response(answer, request.encoding)
    vectors = [{"values": list(vector)} for vector in answer.vectors]
    return {"embedding": vectors[0]} if is_single else {"embeddings": vectors}


async def answer_explain(visit: Visit, body: JsonObject) -> None:
    """Say what would be tried for a chat request, and why; sends nothing to anybody."""
    is_anthropic = b"anthropic-version" in visit.exchange.headers
    wire = MESSAGES if is_anthropic else RESPONSES if "input" in body else GEMINI if "contents" in body else COMPLETIONS
    call = read_call(body, Route("chat", wire), visit.exchange, visit.parts.client.config)
    visit.requested = call.request.model
    made = visit.parts.client.plan(call.request, fallbacks=call.fallbacks)
    await visit.exchange.answer(200, [], ENCODER.encode(_render_plan(made)))


def _render_plan(made: Plan) -> JsonObject:
    return {
        "requested": made.requested,
        "candidates": [_render_candidate(each) for each in made.candidates],
        "skipped": msgspec.to_builtins(made.skipped),
        "warnings": _texts(made.warnings),
    }


def _render_candidate(candidate: Candidate) -> JsonObject:
    return {
        "model": str(candidate.ref),
        "api": defaults.api(candidate.model, candidate.info),
        "profile": candidate.profile_id,
        "reason": candidate.reason,
    }


def _texts(texts: Sequence[str]) -> list[str]:
    return list(texts)
