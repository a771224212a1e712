"""What a request used and what it cost: every bucket once, at its published price."""

from __future__ import annotations

from decimal import Decimal

import pytest
from msgspec.structs import replace

from jackfield.catalog.price import cost_usd
from jackfield.client import AsyncClient
from jackfield.errors import StreamBroken
from jackfield.message import ChatRequest, ChatResponse, JsonObject, Message, Usage
from jackfield.model import Cost, Tier
from jackfield.protocols import load
from tests.servers import RESET, Received, Reply, Server, json_reply, serve, sse_reply

# Dollars per million tokens, as published when the reports were written.
GEMINI = Cost(Decimal("1.25"), Decimal(10), Decimal("0.625"))
SONNET = Cost(Decimal(3), Decimal(15), Decimal("0.3"), Decimal("3.75"))


def test_cached_tokens_are_charged_once_at_the_price_of_the_cache() -> None:
    # 262,960 tokens in, 257,955 of them from the cache, 1,744 out.
    usage = {
        "prompt_tokens": 262_960,
        "completion_tokens": 1_744,
        "total_tokens": 264_704,
        "prompt_tokens_details": {"text_tokens": 262_960, "cached_tokens": 257_955},
        "completion_tokens_details": {"reasoning_tokens": 0},
    }
    body = {"choices": [{"message": {"content": "Hi"}, "finish_reason": "stop"}], "usage": usage}
    reply = load("openai-completions").parse_response(body)
    assert (reply.usage.input, reply.usage.cache_read) == (5_005, 257_955)
    usd = cost_usd(reply.usage, GEMINI)
    assert usd is not None
    assert round(usd, 4) == Decimal("0.1849")


def test_tokens_written_to_the_cache_are_charged_once_at_the_price_of_writing() -> None:
    # 3 fresh tokens, 12,304 written, 550 out.
    usage = {"input_tokens": 3, "output_tokens": 550, "cache_creation_input_tokens": 12_304}
    body = {"content": [{"type": "text", "text": "Hi"}], "stop_reason": "end_turn", "usage": usage}
    reply = load("anthropic-messages").parse_response(body)
    assert cost_usd(reply.usage, SONNET) == Decimal("0.054399")


def test_a_long_request_is_in_its_tier_however_its_tokens_are_spread() -> None:
    tier = Tier(above=200_000, input=Decimal(6), output=Decimal("22.5"), cache_write=Decimal("7.5"))
    body = {
        "content": [{"type": "text", "text": "Hi"}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 10, "output_tokens": 100, "cache_creation_input_tokens": 250_000},
    }
    usage = load("anthropic-messages").parse_response(body).usage
    below, above = cost_usd(usage, SONNET), cost_usd(usage, replace(SONNET, tiers=(tier,)))
    assert (below, above) == (Decimal("0.93903"), Decimal("1.87731"))


def test_what_is_kept_for_an_hour_is_read_priced_and_written_back() -> None:
    wire = load("anthropic-messages")
    kept = {"ephemeral_5m_input_tokens": 60, "ephemeral_1h_input_tokens": 40}
    body = {
        "content": [{"type": "text", "text": "Hi"}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 0, "output_tokens": 0, "cache_creation_input_tokens": 100, "cache_creation": kept},
    }
    reply = wire.parse_response(body)
    assert (reply.usage.cache_write, reply.usage.cache_write_1h) == (100, 40)
    assert cost_usd(reply.usage, replace(SONNET, cache_write_1h=Decimal(6))) == Decimal("0.000465")
    assert wire.render_response(reply)["usage"]["cache_creation"] == kept
    foreign = replace(reply, usage=Usage(0, 0, cache_write=100, cache_write_1h=40))
    assert wire.render_response(foreign)["usage"]["cache_creation"] == kept


def test_sound_is_read_priced_and_written_back() -> None:
    wire = load("openai-completions")
    usage = {
        "prompt_tokens": 100,
        "completion_tokens": 10,
        "total_tokens": 110,
        "prompt_tokens_details": {"audio_tokens": 60},
        "completion_tokens_details": {"audio_tokens": 10},
    }
    body = {"choices": [{"message": {"content": "Hi"}, "finish_reason": "stop"}], "usage": usage}
    reply = wire.parse_response(body)
    cost = Cost(Decimal(1), Decimal(2), audio_input=Decimal(10), audio_output=Decimal(20))
    assert reply.usage == Usage(100, 10, audio_input=60, audio_output=10)
    assert cost_usd(reply.usage, cost) == Decimal("0.00084")
    assert wire.render_response(reply)["usage"] == usage


# -- every stream ------------------------------------------------------------------

WORDS = {"choices": [{"index": 0, "delta": {"content": "Hello there, nice to meet you."}, "finish_reason": None}]}
STOP = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}


def counted(given: int | None, written: int | None) -> JsonObject:
    return {"choices": [], "usage": {"prompt_tokens": given, "completion_tokens": written}}


def only_if_asked(received: Received) -> Reply:
    asked = received.json().get("stream_options", {}).get("include_usage")
    return sse_reply(WORDS, STOP, *([counted(9, 7)] if asked else []), "[DONE]")


def refuses_to_be_asked(received: Received) -> Reply:
    if "stream_options" in received.json():
        refusal = {"error": {"message": "Unknown parameter: 'stream_options'.", "param": "stream_options"}}
        return json_reply(refusal, 400)
    return sse_reply(WORDS, STOP, "[DONE]")


async def ask(server: Server) -> ChatResponse:
    prices = {"input": 1, "output": 2}
    provider = {"baseUrl": server.url, "models": [{"id": "m", "cost": prices}]}
    async with AsyncClient({"models": {"providers": {"own": provider}}}) as client:
        return await client.stream(
            ChatRequest(model="own/m", messages=[Message.user("Hello, who are you?")])
        ).response()


async def test_a_server_that_counts_only_when_asked_is_asked() -> None:
    with serve(only_if_asked) as server:
        reply = await ask(server)
    assert (reply.usage, reply.cost_usd) == (Usage(9, 7), Decimal("0.000023"))


async def test_where_counting_is_refused_the_tokens_are_estimated_and_said_to_be() -> None:
    with serve(refuses_to_be_asked) as server:
        reply = await ask(server)
    assert reply.text == "Hello there, nice to meet you."
    assert reply.usage.estimated
    assert 6 <= (reply.usage.input or 0) <= 20
    assert 5 <= (reply.usage.output or 0) <= 12
    assert reply.cost_usd == cost_usd(reply.usage, Cost(Decimal(1), Decimal(2)))


async def test_a_count_of_nothing_gives_way_to_the_real_one() -> None:
    with serve(sse_reply({**WORDS, "usage": None}, {**STOP, "usage": None}, counted(9, 7), "[DONE]")) as server:
        reply = await ask(server)
    assert reply.usage == Usage(9, 7)


async def test_a_real_zero_is_kept() -> None:
    with serve(sse_reply(WORDS, STOP, counted(0, 0), "[DONE]")) as server:
        reply = await ask(server)
    assert (reply.usage, reply.cost_usd) == (Usage(0, 0), Decimal(0))


async def test_half_a_count_is_completed() -> None:
    with serve(sse_reply(WORDS, STOP, counted(9, None), "[DONE]")) as server:
        usage = (await ask(server)).usage
    assert (usage.input, usage.estimated) == (9, True)
    assert usage.output


async def test_what_a_broken_stream_used_is_estimated_too() -> None:
    with serve(sse_reply(WORDS, RESET)) as server, pytest.raises(StreamBroken) as caught:
        await ask(server)
    assert caught.value.partial is not None
    assert caught.value.partial.usage.estimated


@pytest.mark.parametrize("wrong", [-5, 10**13, 10**30, "7", 1.5, True], ids=str)
async def test_a_count_that_cannot_be_is_estimated_as_if_it_were_not_given(wrong: object) -> None:
    usage = {"prompt_tokens": wrong, "completion_tokens": wrong, "prompt_tokens_details": {"cached_tokens": wrong}}
    with serve(sse_reply(WORDS, STOP, {"choices": [], "usage": usage}, "[DONE]")) as server:
        reply = await ask(server)
    assert reply.usage.estimated
    assert 0 < (reply.usage.input or 0) < 100
    assert 0 < (reply.usage.output or 0) < 100
    assert reply.usage.cache_read in {None, 0}


def test_even_an_absurd_price_is_a_number() -> None:
    assert cost_usd(Usage(input=10**6), Cost(Decimal("1e300"))) == Decimal("1e300")
