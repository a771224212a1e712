"""Which failure puts what to rest: our own errors, providers' bodies, and every recorded refusal."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from jackfield import errors
from jackfield.errors import Error
from jackfield.health.classify import MESSAGE_LENGTH, classify
from jackfield.protocols import load
from tests.protocols.conformance import load_cases, read_case
from tests.protocols.test_recordings import WIRES

SCOPES = [
    (errors.RateLimit, "model"), (errors.Overloaded, "model"), (errors.ServerError, "model"),
    (errors.BadReply, "model"), (errors.TimeoutExpired, "model"), (errors.StreamBroken, "model"),
    (errors.ModelNotFound, "model"), (errors.PermissionDenied, "model"), (errors.ConnectionLost, "model"),
    (errors.AuthError, "credential"), (errors.Quota, "credential"), (errors.ConnectError, "provider"),
]  # fmt: skip
HARMLESS = [
    errors.InvalidRequest, errors.ContextLength, errors.ContentFilter, errors.NotAllowed, errors.Cancelled,
    errors.ConfigError, errors.UsageError, errors.MissingKey, errors.OverBudget,
    errors.Paced, errors.Error, errors.Offline,
]  # fmt: skip


@pytest.mark.parametrize(("kind", "scope"), SCOPES)
def test_a_failure_holds_where_it_says_something(kind: type[Error], scope: str) -> None:
    verdict = classify(kind("no"))
    assert verdict is not None
    assert (verdict.kind, verdict.scope) == (kind.type, scope)


@pytest.mark.parametrize("kind", HARMLESS)
def test_what_the_request_or_the_user_caused_puts_nothing_to_rest(kind: type[Error]) -> None:
    assert classify(kind("no", status=400)) is None


def test_every_error_of_ours_has_been_thought_of() -> None:
    kinds, queue = set(), [Error]
    while queue:
        kinds.add(kind := queue.pop())
        queue += [each for each in kind.__subclasses__() if each.__module__ == errors.__name__]
    assert kinds - {kind for kind, _ in SCOPES} - set(HARMLESS) == {
        errors.RequestError, errors.ProviderError, errors.TransportError,
    }  # fmt: skip


# A refusal's status and body, its wire → type and scope.
BODIES = [
    ("openai-completions", 429, {"error": {"type": "usage_limit_reached", "message": "The usage limit has been reached",
                                           "plan_type": "plus", "resets_in_seconds": 13872}}, "rate_limit", "credential"),
    ("openai-completions", 429, {"error": {"message": "Rate limit reached for gpt-x in organization o on tokens per min",
                                           "code": "rate_limit_exceeded"}}, "rate_limit", "model"),
    ("anthropic-messages", 429, {"type": "error", "error": {"type": "rate_limit_error",
                                 "message": "This request would exceed your account's rate limit."}}, "rate_limit", "credential"),
    ("anthropic-messages", 429, {"type": "error", "error": {"type": "rate_limit_error", "message":
                                 "This request would exceed your organization's rate limit of 50,000 input tokens per minute"}}, "rate_limit", "model"),
    ("openai-completions", 429, {"error": {"code": "1310", "message": "Weekly/Monthly Limit Exhausted. Your limit will reset"}}, "rate_limit", "credential"),
    ("openai-completions", 429, {"error": {"code": "1308", "message": "Usage limit reached for 5 hour."}}, "rate_limit", "credential"),
    ("openai-completions", 429, {"error": {"code": "user_weekly_rate_limited", "message": "slow down"}}, "rate_limit", "credential"),
    ("openai-completions", 429, {"error": {"code": 429, "message": "Rate limit exceeded: free-models-per-day"}}, "rate_limit", "model"),
    ("openai-completions", 402, {"error": {"message": "This request requires more credits", "code": 402}}, "billing", "credential"),
    ("openai-completions", 403, {"error": {"message": "Key limit exceeded (total limit)", "code": 403}}, "billing", "credential"),
    ("anthropic-messages", 400, {"type": "error", "error": {"type": "invalid_request_error", "message":
                                 "You have reached your specified API usage limits. You will regain access on 2026-04-01."}}, "billing", "credential"),
    ("openai-completions", 401, {"error": {"message": "Invalid API key provided. Check your plans & billing page.",
                                           "code": "invalid_api_key"}}, "auth", "credential"),
    ("openai-completions", 401, {"error": {"message": "invalid key: see https://example.com/billing"}}, "auth", "credential"),
    ("anthropic-messages", 403, {"type": "error", "error": {"type": "permission_error",
                                 "message": "This organization has been disabled."}}, "permission", "credential"),
    ("anthropic-messages", 403, {"type": "error", "error": {"type": "permission_error",
                                 "message": "not available for this model"}}, "permission", "model"),
    ("openai-completions", 404, {"error": {"code": "model_not_found", "message": "no such model"}}, "model_not_found", "model"),
    ("openai-completions", 500, {"error": {"message": "violates no policy, we just broke"}}, "server_error", "model"),
    ("openai-completions", 400, {"error": {"code": "content_policy_violation", "message": "no"}}, "content_filter", None),
    ("openai-completions", 400, {"error": {"code": "context_length_exceeded", "message": "too long"}}, "context_overflow", None),
]  # fmt: skip


@pytest.mark.parametrize(("wire", "status", "body", "kind", "scope"), BODIES)
def test_a_providers_own_words_decide_how_far_a_refusal_reaches(
    wire: str, status: int, body: object, kind: str, scope: str | None
) -> None:
    error = load(wire).parse_error(status, json.dumps(body).encode())
    verdict = classify(error)
    assert (error.type, verdict and verdict.scope) == (kind, scope)


def test_an_error_inside_a_reply_counts_like_a_refusal() -> None:
    body = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    verdict = classify(load("anthropic-messages").parse_error(200, json.dumps(body).encode()))
    assert verdict is not None
    assert (verdict.kind, verdict.scope) == ("overloaded", "model")


def test_a_wait_that_only_a_sentence_tells_of_is_a_hint() -> None:
    body = {"error": {"code": "rate_limit_exceeded", "message": "Rate limit reached. Please try again in 11.054s."}}
    verdict = classify(load("openai-responses").parse_error(200, json.dumps(body).encode()))
    assert verdict is not None
    assert (verdict.kind, verdict.hint_s) == ("rate_limit", 11.054)


def test_an_address_that_knows_no_such_route_is_not_a_provider_that_is_down() -> None:
    verdict = classify(errors.ConnectError("it knows no such route", status=404))
    assert verdict is not None
    assert verdict.scope == "model"


@pytest.mark.parametrize("wait_s", [math.nan, math.inf, -math.inf, -1.0])
def test_a_hint_that_is_no_time_is_none(wait_s: float) -> None:
    verdict = classify(errors.RateLimit("slow down", retry_after_s=wait_s))
    assert verdict is not None
    assert verdict.hint_s is None


def test_a_providers_words_are_kept_in_one_short_line() -> None:
    verdict = classify(errors.RateLimit("slow\ndown " * 100))
    assert verdict is not None
    assert "\n" not in verdict.message
    assert len(verdict.message) == MESSAGE_LENGTH


# -- recordings --------------------------------------------------------------------

# What a recorded refusal is → what it puts to rest.
REACH = {
    "rate_limit": "model", "overloaded": "model", "server_error": "model", "protocol": "model", "permission": "model",
    "model_not_found": "model", "auth": "credential", "billing": "credential",
    "invalid_request": None, "context_overflow": None, "content_filter": None,
}  # fmt: skip


@pytest.mark.wire
@pytest.mark.parametrize("wire", WIRES)
def test_every_recorded_refusal_rests_where_its_class_says(wire: str, shared_wire: Path) -> None:
    protocol = load(WIRES[wire])
    outcomes = {case.name: read_case(protocol, case) for case in load_cases(shared_wire / wire)}
    refusals = {name: error for name, error in outcomes.items() if isinstance(error, Error)}
    wrong = []
    for name, error in refusals.items():
        verdict = classify(error)
        if (verdict and verdict.scope) != REACH[error.type]:
            wrong.append(f"{name}: {error.type} at {verdict and verdict.scope}: {error.message}")
    assert refusals or wire in {"google-vertex", "mistral"}
    assert not wrong, "\n".join(wrong)
