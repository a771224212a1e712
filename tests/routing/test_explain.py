"""A plan as JSON: everything of it is told, nothing secret is."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from jackfield.config.schema import Route
from jackfield.credential import Secret
from jackfield.health.view import View
from jackfield.message import ChatRequest, JsonObject, Message
from jackfield.model import Cost, Model
from jackfield.routing.explain import explain
from jackfield.routing.names import trace
from tests.routing.house import NOW_MS, configure, key, planned, rest, wallet

PRICED = Model(id="m", context_window=64_000, max_tokens=1_000, cost=Cost(Decimal(2), Decimal(10)))


def told(config: Any, model: str = "", **options: Any) -> JsonObject:
    request = ChatRequest(model=model, messages=[Message.user("word " * 993)])
    return explain(planned(config, request, **options), request, config, NOW_MS)


def test_a_candidate_is_told_with_its_window_price_privacy_and_cost() -> None:
    found = told(configure(("a/m", PRICED)))
    assert found["candidates"] == [
        {
            "model": "a/m", "api": "openai-completions", "profile": None, "credential": "env: a", "credentialId": found["candidates"][0]["credentialId"],
            "reason": "the config's primary", "doubts": [], "halfOpen": False, "lastResort": False,
            "contextWindow": 64_000, "privacy": "standard", "price": {"input": "2", "output": "10"},
            "inputTokens": 1_000, "costUsd": {"least": "0.00201", "most": "0.012"},
        }
    ]  # fmt: skip
    assert found["needs"] == {"inputTokens": 1_000, "outputTokens": None, "files": [], "tools": False, "schema": False}
    assert json.loads(json.dumps(found)) == found


def test_a_server_of_this_machine_costs_nothing_unless_its_row_has_prices() -> None:
    config = configure(("a/m", PRICED), "b/m")
    near = {name: replace(each, base_url="http://127.0.0.1:8000/v1") for name, each in config.providers.items()}
    priced, bare = told(replace(config, providers=near))["candidates"]
    assert priced["costUsd"] == {"least": "0.00201", "most": "0.012"}
    assert priced["price"] == {"input": "2", "output": "10"}
    assert bare["costUsd"] == {"least": "0", "most": "0"}


def test_who_is_skipped_is_told_with_the_time_that_is_left() -> None:
    found = told(configure("a/m", "b/m"), health=View([rest("a", "a", seconds=42)]))
    assert found["skipped"] == [
        {
            "model": "a/m", "credential": "env: a", "cause": "credential_exhausted",
            "reason": "credential_exhausted: rate_limit, no more today", "untilMs": NOW_MS + 42_000, "secondsLeft": 42,
        }
    ]  # fmt: skip


def test_who_has_no_credential_is_told_as_skipped_also_when_nobody_else_is_left() -> None:
    found = told(configure("a/m"), credentials=wallet({"a": ()}))
    assert found["candidates"] == []
    assert [(each["model"], each["cause"]) for each in found["skipped"]] == [("a/m", "missing_credential")]


def test_who_cannot_be_paid_for_is_told_as_skipped_also_when_nobody_else_is_left() -> None:
    found = told(configure("a/m", "b/m"), fallbacks=["b/m"], afford=lambda each: f"{each.ref} is over the budget")
    assert found["candidates"] == []
    assert [(each["model"], each["credential"], each["cause"], each["reason"]) for each in found["skipped"]] == [
        ("a/m", "env: a", "not_affordable", "a/m is over the budget"),
        ("b/m", "env: b", "not_affordable", "b/m is over the budget"),
    ]


def test_no_secret_is_in_it() -> None:
    keys = {
        "a": (key("x", secret=Secret("sk-very-secret")),),
        "b": (key("y", secret=Secret("sk-other"), reason="expired"),),
    }
    found = json.dumps(told(configure("a/m", "b/m"), credentials=wallet(keys)))
    assert "sk-" not in found


def test_how_a_name_was_understood_is_told_step_by_step() -> None:
    route = Route(name="chat", primary="a/m", on_stream_break="continue")
    config = configure("a/m", routes={"chat": route}, aliases={"f": "fast", "fast": "chat", "solo": "a/m"})
    assert trace("F", config) == ("alias F", "alias fast", "route chat")
    assert trace("solo", config) == ("alias solo", "a/m")
    assert trace("default", config) == ("the default", "a/m")
    assert trace("a/m@a:work", config) == ("a/m",)
    assert (told(config, "f")["resolved"], told(config, "f")["onStreamBreak"]) == (
        ["alias f", "alias fast", "route chat"],
        "continue",
    )
