"""What a refusal teaches: servers' own ways to say that they do not know a field."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from jackfield.model import Compat, Model, ProviderInfo
from jackfield.providers.learn import describe, learn, under
from jackfield.providers.lessons import KEPT_MS, MOST, Lessons

SENT = {
    "model": "m", "messages": [{"role": "developer", "content": "x"}, {"role": "user", "content": "Hi"}],
    "seed": 1, "store": False, "stop": ["x"], "temperature": 0.2, "max_tokens": 9, "presence_penalty": 0.1,
    "reasoning_effort": "minimal", "tool_choice": "auto", "tools": [], "stream": True, "logprobs": True,
    "stream_options": {"include_usage": True}, "user": "u", "response_format": {},
}  # fmt: skip


def openai(message: str, param: str | None = None, code: str | None = None) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error", "param": param, "code": code}}


def lesson(refusal: object, status: int = 400, sent: dict[str, Any] = SENT) -> Compat | None:
    return learn(status, json.dumps(refusal).encode(), json.dumps(sent).encode())


# Each in the shape in which its kind of server says it.
UNKNOWN_SEED = {
    "openai": openai("Unknown parameter: 'seed'.", "seed", "unknown_parameter"),
    "openai, older": openai("Unrecognized request argument supplied: seed"),
    "openai, model": openai("Unsupported parameter: 'seed' is not supported with this model.", "seed", "unsupported_parameter"),
    "param alone": openai("This field is not supported", "seed"),
    "groq": openai("property 'seed' is unsupported"),
    "xai": {"code": "invalid-argument", "error": "Argument not supported on this model: seed"},
    "anthropic": {"type": "error", "error": {"type": "invalid_request_error", "message": "seed: Extra inputs are not permitted"}},
    "anthropic, retired": openai("`seed` is deprecated for this model."),
    "google": {"error": {"code": 400, "message": 'Invalid JSON payload received. Unknown name "seed": Cannot find field.'}},
    "go": openai('json: unknown field "seed"'),
    "serde": openai("Failed to deserialize the JSON body: unknown field `seed`, expected one of `model`, `messages`"),
    "fastapi": {"detail": [{"type": "extra_forbidden", "loc": ["body", "seed"], "msg": "Extra inputs are not permitted"}]},
    "mistral": {"object": "error", "message": {"detail": [{"type": "extra_forbidden", "loc": ["body", "seed"], "msg": "Extra inputs are not permitted"}]}},
    "vllm": {"object": "error", "message": "[{'type': 'extra_forbidden', 'loc': ('body', 'seed'), 'msg': 'Extra inputs are not permitted', 'input': 1}]"},
    "bedrock": {"message": "Malformed input request: #: extraneous key [seed] is not permitted, please reformat your input and try again."},
    "json schema": openai("Additional properties are not allowed ('seed' was unexpected)"),
    "litellm": openai("UnsupportedParamsError: cohere does not support parameters: ['seed'], for model=command-r"),
    "plain": {"message": "seed is not supported"},
    "python": {"error": "Completions.create() got an unexpected keyword argument 'seed'"},
}  # fmt: skip


@pytest.mark.parametrize("kind", UNKNOWN_SEED)
def test_every_way_to_refuse_a_field_is_understood(kind: str) -> None:
    assert lesson(UNKNOWN_SEED[kind]) == Compat(unsupported_fields=("seed",))


def test_several_fields_are_learned_at_once() -> None:
    forbidden = [
        {"type": "extra_forbidden", "loc": ["body", name], "msg": "Extra inputs"} for name in ("seed", "store")
    ]
    assert lesson({"detail": forbidden}, 422) == Compat(unsupported_fields=("seed", "store"))
    said = openai("Unrecognized request arguments supplied: seed, store")
    assert lesson(said) == Compat(unsupported_fields=("seed", "store"))


def test_a_field_is_known_in_the_servers_own_case() -> None:
    said = {"code": "x", "error": "Argument not supported on this model: presencePenalty"}
    assert lesson(said) == Compat(unsupported_fields=("presence_penalty",))


def test_a_limit_of_tokens_gets_its_other_name() -> None:
    said = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
    assert lesson(openai(said, "max_tokens", "unsupported_parameter")) == Compat(
        max_tokens_field="max_completion_tokens"
    )
    sent = {**SENT, "max_completion_tokens": 9}
    del sent["max_tokens"]
    back = lesson(openai("Unrecognized request argument supplied: max_completion_tokens"), sent=sent)
    assert back == Compat(max_tokens_field="max_tokens")


def test_a_value_that_alone_is_taken_means_the_field_is_not() -> None:
    said = "Unsupported value: 'temperature' does not support 0.2 with this model. Only the default (1) value is supported."
    assert lesson(openai(said, "temperature", "unsupported_value")) == Compat(unsupported_fields=("temperature",))


def test_a_model_without_a_system_role_is_known() -> None:
    sent = {"model": "m", "messages": [{"role": "system", "content": "x"}]}
    assert lesson(openai("System role not supported"), sent=sent) == Compat(supports_system_role=False)


@pytest.mark.parametrize(
    "refusal",
    [
        openai("Unsupported value: 'minimal' is not supported with the 'o4-mini' model.", "reasoning_effort", "unsupported_value"),
        openai("Invalid 'temperature': decimal above maximum value. Expected a value <= 2", "temperature", "decimal_above_max_value"),
        openai("Thinking mode does not support this tool_choice"),
        openai("Tool choice is required, but model did not call a tool"),
        openai("Unknown parameter: 'messages[0].seed'.", "messages[0].seed", "unknown_parameter"),
        openai("Unknown parameter: 'stream_options.include_obfuscation'.", "stream_options.include_obfuscation", "unknown_parameter"),
        openai("Unknown parameter: 'tools'.", "tools", "unknown_parameter"),
        openai("Unknown parameter: 'frequency_penalty'.", "frequency_penalty", "unknown_parameter"),
        {"detail": [{"type": "extra_forbidden", "loc": ["body", "messages", 0, "seed"], "msg": "Extra inputs are not permitted"}]},
        {"error": {"message": "messages.0.seed: Extra inputs are not permitted"}},
        {"error": {"message": 'Unknown name "seed" at \'generation_config\': Cannot find field.'}},
        openai("prompt is too long: 209025 tokens > 200000 maximum"),
        openai("The value of seed must be an integer"),
        # Said to nobody but who is declared to know it, and a declaration is not overruled.
        openai("messages[0].role: unknown variant `developer`, expected one of `system`, `user`"),
        "no JSON object", None, [1, [2]], {"error": None}, {"detail": "x"},
    ],
)  # fmt: skip
def test_what_is_no_lesson_teaches_nothing(refusal: object) -> None:
    assert lesson(refusal) is None


def test_other_statuses_and_broken_bodies_teach_nothing() -> None:
    assert [lesson(UNKNOWN_SEED["openai"], status) for status in (200, 401, 404, 429, 500)] == [None] * 5
    assert learn(400, b"<html>seed is not supported", json.dumps(SENT).encode()) is None
    assert learn(400, b'{"error":"seed is not supported"}', b"not json") is None


@pytest.mark.wire
def test_recorded_refusals_teach_what_they_say_and_no_more(shared_wire: Path) -> None:
    learned = {}
    for meta in sorted(shared_wire.glob("*/*/*error-4*/meta.json")):
        case = meta.parent
        request = case / "request.json"
        asked = json.loads(request.read_bytes()) if request.exists() else None
        sent = json.dumps(asked if isinstance(asked, dict) and "model" in asked else SENT).encode()
        said = next(iter(case.glob("response*"))).read_bytes()
        if found := learn(json.loads(meta.read_text("utf-8"))["http_status"], said, sent):
            learned[f"{case.parent.name} {case.name}"] = describe(found)
    assert set(learned.values()) == {
        "the server refuses field stop: left out from now on",
        "the server refuses field max_tokens: sent as max_completion_tokens from now on",
    }
    assert len(learned) == 2


# -- what is declared, and what is kept --------------------------------------------


def test_what_is_declared_wins_over_what_is_learned() -> None:
    learned = Compat(unsupported_fields=("seed",), max_tokens_field="max_completion_tokens")
    assert under(Compat(), learned) == learned
    assert under(Compat(max_tokens_field="max_tokens"), learned).max_tokens_field == "max_tokens"
    assert under(Compat(unsupported_fields=("store",)), learned).unsupported_fields == ("store", "seed")
    assert under(Compat(unsupported_fields=()), learned).unsupported_fields == ()


INFO = ProviderInfo(id="box", base_url="http://me:secret@127.0.0.1:1/v1?key=secret")
SEED = Compat(unsupported_fields=("seed",))


def test_a_lesson_outlives_its_process_and_holds_for_its_model_alone(tmp_path: Path) -> None:
    Lessons(tmp_path, lambda: 1000).keep(INFO, Model(id="m"), SEED)
    later = Lessons(tmp_path, lambda: 2000)
    assert later.taught(INFO, Model(id="m")).compat == SEED
    assert later.taught(INFO, Model(id="other")) == Model(id="other")
    text = (tmp_path / "learned.json").read_text("utf-8")
    assert "secret" not in text
    assert (tmp_path / "learned.json").stat().st_mode & 0o077 == 0


def test_lessons_of_one_server_add_up(tmp_path: Path) -> None:
    for name in ("seed", "store"):
        Lessons(tmp_path, lambda: 1).keep(INFO, Model(id="m"), Compat(unsupported_fields=(name,)))
    taught = Lessons(tmp_path, lambda: 2).taught(INFO, Model(id="m"))
    assert set(taught.compat.unsupported_fields) == {"seed", "store"}


def test_a_lesson_is_forgotten_after_thirty_days(tmp_path: Path) -> None:
    Lessons(tmp_path, lambda: 0).keep(INFO, Model(id="m"), SEED)
    assert Lessons(tmp_path, lambda: KEPT_MS).taught(INFO, Model(id="m")) == Model(id="m")


def test_the_file_is_bounded_and_the_newest_stay(tmp_path: Path) -> None:
    held = {f"{n}": {"compat": {"unsupportedFields": ["x"]}, "at": n} for n in range(MOST + 20)}
    (tmp_path / "learned.json").write_text(json.dumps({"version": 1, "lessons": held}), "utf-8")
    Lessons(tmp_path, lambda: 10_000).keep(INFO, Model(id="m"), SEED)
    kept = json.loads((tmp_path / "learned.json").read_text("utf-8"))["lessons"]
    assert len(kept) == MOST
    assert "20" not in kept
    assert f"{MOST + 19}" in kept


@pytest.mark.parametrize(
    "text", ["", "{", '{"version": 2, "lessons": {}}', '{"version": 1, "lessons": {"k": 1}}', "[]"]
)
def test_a_file_that_cannot_be_used_is_an_empty_one(tmp_path: Path, text: str) -> None:
    (tmp_path / "learned.json").write_text(text, "utf-8")
    lessons = Lessons(tmp_path, lambda: 0)
    assert lessons.taught(INFO, Model(id="m")) == Model(id="m")
    lessons.keep(INFO, Model(id="m"), SEED)
    assert Lessons(tmp_path, lambda: 0).taught(INFO, Model(id="m")).compat == SEED


def test_a_place_that_cannot_be_written_costs_nothing_but_the_memory(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    Lessons(tmp_path / "file", lambda: 0).keep(INFO, Model(id="m"), SEED)


def test_lessons_without_a_place_end_with_the_program() -> None:
    lessons = Lessons(None, lambda: 0)
    lessons.keep(INFO, Model(id="m"), SEED)
    assert lessons.taught(INFO, Model(id="m")).compat == SEED
    assert Lessons(None, lambda: 0).taught(INFO, Model(id="m")) == Model(id="m")
