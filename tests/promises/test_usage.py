"""What a request used and what it cost: every bucket once, at its published price."""

from __future__ import annotations

from decimal import Decimal

from msgspec.structs import replace

from jackfield.catalog.price import cost_usd
from jackfield.model import Cost, Tier
from jackfield.protocols import load

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
