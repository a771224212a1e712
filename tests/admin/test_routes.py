"""What the page asks of plans, of rests and of the latest calls."""

from __future__ import annotations

import json

import pytest

from tests.admin.ledgered import EVIL, configure, used_gateway
from tests.gateway.command import gateway_process
from tests.ledger.conftest import url

__all__ = ["url"]


@pytest.fixture
def process(home):
    configure("http://127.0.0.1:1")
    with gateway_process() as found:
        yield found


def plan(process, **said):
    status, told = process.admin("routes/plan", said)
    assert status == 200, told
    return told


def test_a_made_up_question_is_planned_as_a_real_one(process) -> None:
    told = plan(process, model="team", fallbacks=["spare/big"])
    assert [each["model"] for each in told["candidates"]] == ["spare/big"] or told["resolved"]
    told = plan(process, model="box/good", fallbacks=["spare/big"], holds={"tokens": 20_000})
    assert [each["model"] for each in told["candidates"]] == ["spare/big"]
    assert [(each["model"], each["cause"]) for each in told["skipped"]] == [("box/good", "context_window")]
    told = plan(process, holds={"image": True, "tools": True, "schema": True, "thinking": "high", "maxTokens": 9})
    assert told["needs"] | {"inputTokens": 0} == {
        "inputTokens": 0, "outputTokens": 9, "files": ["image"], "tools": True, "schema": True,
    }  # fmt: skip


def test_a_model_that_is_over_the_budget_is_not_asked_although_it_is_the_only_one(home) -> None:
    configure("http://127.0.0.1:1", per_day=0.001)
    with gateway_process() as process:
        alone = plan(process, model="box/good", holds={"maxTokens": 500})
        assert alone["candidates"] == []
        (left,) = alone["skipped"]
        assert (left["model"], left["cause"]) == ("box/good", "not_affordable")
        assert "today's budget of $0.001" in left["reason"]
        assert plan(process, model="box/good", holds={"maxTokens": 5})["candidates"] != []


@pytest.mark.parametrize(
    ("body", "model"),
    [
        ({"model": "spare/big", "messages": [{"role": "user", "content": "x"}]}, "spare/big"),
        ({"model": "spare/big", "input": "x"}, "spare/big"),
        ({"model": "spare/big", "system": "s", "max_tokens": 9, "messages": [{"role": "user", "content": "x"}]}, "spare/big"),
        ({"contents": [{"parts": [{"text": "x"}]}]}, "box/good"),
    ],
    ids=["chat", "responses", "messages", "gemini"],
)  # fmt: skip
def test_a_pasted_request_is_read_by_its_own_protocol(process, body, model) -> None:
    assert plan(process, body=json.dumps(body))["candidates"][0]["model"] == model
    assert plan(process, body=json.dumps(body), model="box/broken")["candidates"][0]["model"] == "box/broken"


@pytest.mark.parametrize(
    "said",
    [
        {"body": "{ nothing"}, {"body": "[]"}, {"body": '{"messages": 7}'}, {"body": "{}", "wire": "gopher"},
        {"model": "box/none", "tokens": 7}, {"holds": {"tokens": "many"}}, {"holds": {"thinking": "loud"}},
        {"body": '{"model": "box/good", "input": "x", "previous_response_id": "r"}'},
    ],
)  # fmt: skip
def test_what_cannot_be_planned_is_said(process, said) -> None:
    status, told = process.admin("routes/plan", said)
    assert (status, bool(told["error"]["message"])) == (400, True)


def test_the_latest_calls_are_told_with_their_tries_in_both_databases(home, url) -> None:
    with used_gateway(database=url) as process:
        calls = process.admin("attempts?limit=50")[1]["calls"]
        assert len(calls) == 7
        (elsewhere,) = [each for each in calls if each["request"] == "went-elsewhere"]
        tries = elsewhere["attempts"]
        assert [each["served"] for each in tries][-1] == elsewhere["served"] == "box/good"
        assert {each["outcome"] for each in tries[:-1]} <= {"overloaded", "server_error", "rate_limit"}
        assert tries[0]["status"] == 503
        assert [each["firstMs"] for each in tries[:-1]] == [None] * (len(tries) - 1)
        assert tries[-1]["firstMs"] >= 15
        assert all(each["wireOut"] == "openai-completions" for each in tries)
        assert [each["atMs"] for each in tries] == sorted(each["atMs"] for each in tries)
        assert elsewhere["endMs"] >= tries[-1]["atMs"] + tries[-1]["firstMs"]
        assert float(elsewhere["costUsd"]) > 0
        (left,) = process.admin("attempts?outcome=cancelled")[1]["calls"]
        assert (left["outcome"], left["requested"]) == ("cancelled", "box/slow")
        assert {each["requested"] for each in process.admin("attempts?outcome=failed")[1]["calls"]} == {
            "team",
            "box/broken",
        }
        first = process.admin("attempts?limit=3")[1]
        rest = process.admin(f"attempts?limit=200&before={first['before']}")[1]
        assert [each["id"] for each in [*first["calls"], *rest["calls"]]] == [each["id"] for each in calls]
        assert rest["before"] is None


@pytest.mark.parametrize("query", ["limit=0", "limit=x", "limit=201", "before=1%20OR%201", "before=-"])
def test_a_list_of_calls_that_is_none_is_refused(process, query) -> None:
    assert process.admin(f"attempts?{query}")[0] == 400


def test_a_rest_is_told_without_a_mark_and_ended_alone(home) -> None:
    with used_gateway() as process:
        told = process.admin("health")[1]
        rests = {rest["model"]: rest for rest in told["rests"]}
        assert {"broken", "refused"} <= set(rests)
        assert (rests["refused"]["cause"], rests["refused"]["status"], rests["refused"]["state"]) == (
            "rate_limit",
            429,
            "resting",
        )
        assert rests["refused"]["untilMs"] > told["nowMs"]
        assert EVIL in rests["broken"]["says"]
        assert "#" not in rests["broken"]["credential"]
        place = {name: rests["refused"][name] for name in ("provider", "credential", "model")}
        assert process.admin("health/reset", {**place, "model": "none"})[1] == {"ended": 0}
        assert process.admin("health/reset", place)[1] == {"ended": 1}
        assert "refused" not in {rest["model"] for rest in process.admin("health")[1]["rests"]}
        assert process.admin("health/reset", {})[1]["ended"] >= 1
        assert process.admin("health")[1]["rests"] == []
        assert process.admin("health/reset", {"place": "box"})[0] == 400


def test_a_budget_is_told_with_what_it_leaves(home) -> None:
    with used_gateway() as process:
        said = process.admin("budgets")[1]
        (today,) = [row for row in said["rows"] if row["name"] == "today"]
        assert (said["isSet"], today["limitUsd"]) == (True, "50")
        assert 0 < float(today["spentUsd"]) < 1
