"""A conversation may go on anywhere: with any history, from any model's turn, at any provider."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from msgspec import json
from msgspec.structs import replace

from jackfield.block import Block
from jackfield.catalog import defaults
from jackfield.catalog.load import Catalog
from jackfield.config.paths import Paths
from jackfield.config.schema import Config
from jackfield.credential import RequestAuth
from jackfield.message import (
    ChatRequest,
    ChatResponse,
    ImageBlock,
    Message,
    ResponseFormat,
    TextBlock,
    Thinking,
    ThinkingBlock,
    ToolCall,
    ToolResult,
)
from jackfield.model import Model, ProviderInfo
from jackfield.protocols import load
from jackfield.providers.provider import find_losses, render
from tests.protocols.examples import PIXEL, WEATHER
from tests.protocols.strict import find_problems

NOWHERE = Paths(home=Path(), config=Path(), auth=Path(), cache=Path(), dotenv=Path())
CATALOG = Catalog(Config(paths=NOWHERE, environ={"AZURE_RESOURCE_NAME": "here"}))
NO_KEY = RequestAuth(secret=None, source="none")
CLAUDE, GEMINI, GPT = "anthropic/claude-opus-4-5", "google/gemini-3-pro-preview", "openai/gpt-5.2"
DEEPSEEK, MISTRAL = "deepseek/deepseek-chat", "mistral/mistral-large-latest"
MARK = {"type": "ephemeral"}


def row(ref: str) -> tuple[ProviderInfo, Model]:
    """Return the catalog's rows of a provider and its model."""
    provider, _, name = ref.partition("/")
    info, model = CATALOG.provider(provider), CATALOG.find(provider, name)
    assert info
    assert model
    return info, model


def sent(ref: str, *messages: Message, **fields: Any) -> dict[str, Any]:
    """Return the body that asks a model; a strict server of its wire takes it."""
    info, model = row(ref)
    request = ChatRequest(model=ref, messages=messages, **{"tools": [WEATHER], "max_tokens": 9000, **fields})
    body: dict[str, Any] = json.decode(render(request, info, model, NO_KEY).body)
    judge = "mistral" if info.id == "mistral" else defaults.api(model, info)
    allowed = frozenset({"thinking"}) if info.id == "deepseek" else frozenset()
    known = without(body, "reasoning_content", "cache_control") if judge == "openai-completions" else body
    assert not find_problems(judge, known, allowed)
    return body


def without(value: Any, *names: str) -> Any:
    """Return JSON without these fields, wherever they stand."""
    if isinstance(value, dict):
        return {name: without(part, *names) for name, part in value.items() if name not in names}
    return [without(part, *names) for part in value] if isinstance(value, list) else value


def held(value: Any, *names: str) -> list[Any]:
    """Return every value that stands under one of these names, in order."""
    if isinstance(value, dict):
        own = [part for name, part in value.items() if name in names]
        return own + [found for part in value.values() for found in held(part, *names)]
    return [found for part in value for found in held(part, *names)] if isinstance(value, list) else []


# -- tool ids ----------------------------------------------------------------------

WILD = ["functions.bash:0", "x" * 446, "", "functions_bash:0", "functions bash:0", "toolu_fine-1"]
AZURE = "azure-openai/gpt-4.1-mini"
LEGAL = {CLAUDE: r"[a-zA-Z0-9_-]{1,64}", GPT: r".{1,64}", AZURE: r".{1,64}", MISTRAL: r"[a-zA-Z0-9]{9}"}


@pytest.mark.parametrize("ref", LEGAL)
def test_tool_calls_of_any_id_stay_with_their_results_and_are_legal_where_they_go(ref: str) -> None:
    history = (
        Message.user("Weather?"),
        Message.assistant(*(ToolCall(name, "weather", f'{{"city":"{n}"}}') for n, name in enumerate(WILD))),
        Message.user(*(ToolResult(name, [TextBlock(f"of {n}")]) for n, name in enumerate(WILD))),
    )
    before = json.encode(history)
    body = sent(ref, *history)
    ids, answers = _calls_and_answers(body)
    assert len(set(ids)) == len(WILD)
    assert all(re.fullmatch(LEGAL[ref], name) for name in ids)
    assert answers == {name: f"of {n}" for n, name in enumerate(ids)}
    assert json.encode(history) == before


def _calls_and_answers(body: dict[str, Any]) -> tuple[list[str], dict[str, str]]:
    """Return the calls' ids in order, and what answers each, on any of the three wires."""
    lists = [part for part in held(body, "tool_calls", "content", "input", "messages") if isinstance(part, list)]
    parts = [part for one in lists for part in one if isinstance(part, dict)]
    kinds = {"tool_use": "id", "function": "id", "function_call": "call_id"}
    ids = [part[kinds[part["type"]]] for part in parts if part.get("type") in kinds]
    names = ("tool_use_id", "call_id", "tool_call_id")
    found = [(next(part[name] for name in names if name in part), part) for part in parts if {*names} & part.keys()]
    return ids, {
        name: part.get("output", part.get("content")) for name, part in found if "output" in part or "content" in part
    }


# -- thoughts ----------------------------------------------------------------------


def long_turn() -> list[Block]:
    """Return 24 blocks: thoughts, hidden ones among them, and the calls they led to."""
    blocks: list[Block] = []
    for n in range(12):
        hidden = ThinkingBlock("", f"ZGF0YQ{n}==", redacted=True)
        blocks += [hidden if n % 4 == 3 else ThinkingBlock(f"Thought {n}", f"c2ln{n}+/=="), call(n)]
    return blocks


def call(n: int) -> ToolCall:
    return ToolCall(f"toolu_{n}", "weather", f'{{"city":"{n}"}}')


def through_openais_shape(*, keeps_details: bool) -> ChatRequest:
    """Return what a client of OpenAI's wire says next, after it was shown Claude's long turn."""
    openai = load("openai-completions")
    reply = ChatResponse(content=long_turn(), finish_reason="tool_calls")
    shown = json.decode(json.encode(openai.render_response(reply)))["choices"][0]["message"]
    if not keeps_details:
        shown = {name: shown[name] for name in ("role", "content", "tool_calls")}
    answers = [{"role": "tool", "tool_call_id": f"toolu_{n}", "content": "ok"} for n in range(12)]
    return openai.parse_request({"model": "m", "messages": [{"role": "user", "content": "Go"}, shown, *answers]})


def test_a_long_turn_of_claudes_returns_byte_for_byte_through_a_client_of_openais_wire() -> None:
    request = through_openais_shape(keeps_details=True)
    want = load("anthropic-messages").render_response(ChatResponse(content=long_turn()))["content"]
    assert len(want) == 24
    assert json.encode(sent(CLAUDE, *request.messages)["messages"][1]["content"]) == json.encode(want)


def test_thoughts_that_a_client_dropped_are_left_out_whole() -> None:
    request = through_openais_shape(keeps_details=False)
    content = sent(CLAUDE, *request.messages)["messages"][1]["content"]
    assert [block["type"] for block in content] == ["tool_use"] * 12


def gemini_turn() -> Message:
    """Return a turn as Gemini says it: the signature hangs on the call."""
    part = {"functionCall": {"name": "weather", "args": {"city": "Rom"}}, "thoughtSignature": "R2VtaW5p"}
    candidate = {"content": {"role": "model", "parts": [part]}, "finishReason": "STOP"}
    reply = load("google-generative-ai").parse_response({"candidates": [candidate]})
    return Message("assistant", reply.content, model=GEMINI)


def answer_to(turn: Message) -> Message:
    return Message.user(*(ToolResult(b.id, [TextBlock("mild")]) for b in turn.content if isinstance(b, ToolCall)))


def test_a_signature_goes_back_to_who_gave_it_and_to_nobody_else() -> None:
    first = gemini_turn()
    second = Message.assistant(ThinkingBlock("Hm.", "Q2xhdWRl"), call(2), model=CLAUDE)
    history = [Message.user("Weather?"), first, answer_to(first), second, answer_to(second)]

    to_claude = json.encode(sent(CLAUDE, *history))
    assert b"R2VtaW5p" not in to_claude
    assert b"Q2xhdWRl" in to_claude
    to_gemini = json.encode(sent(GEMINI, *history))
    assert to_gemini.count(b'"thoughtSignature":"R2VtaW5p"') == 1
    assert b"Q2xhdWRl" not in to_gemini


# A caller's history over each wire: one thought signed with these bytes, by nobody knows which model.
BEDROCK = "amazon-bedrock/anthropic.claude-opus-4-5-20251101-v1:0"
SIGNED = "c2lnbmVk"
HEARD: dict[str, Any] = {
    "anthropic-messages": {"max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": [
        {"type": "thinking", "thinking": "Hm.", "signature": SIGNED}, {"type": "text", "text": "Yes"}]},
        {"role": "user", "content": "Why?"}]},
    "bedrock-converse-stream": {"messages": [{"role": "user", "content": [{"text": "Hi"}]}, {"role": "assistant", "content": [
        {"reasoningContent": {"reasoningText": {"text": "Hm.", "signature": SIGNED}}}, {"text": "Yes"}]},
        {"role": "user", "content": [{"text": "Why?"}]}]},
    "google-generative-ai": {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}, {"role": "model", "parts": [
        {"text": "Hm.", "thought": True, "thoughtSignature": SIGNED}, {"text": "Yes"}]}, {"role": "user", "parts": [{"text": "Why?"}]}]},
    "openai-responses": {"input": [{"role": "user", "content": "Hi"},
        {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "Hm."}], "encrypted_content": f"gAAAA{SIGNED}"},
        {"role": "assistant", "content": "Yes"}, {"role": "user", "content": "Why?"}]},
}  # fmt: skip
TAKERS = {
    "anthropic-messages": {CLAUDE, BEDROCK},
    "bedrock-converse-stream": {CLAUDE, BEDROCK},
    "google-generative-ai": {GEMINI},
    "openai-responses": {GPT},
}


@pytest.mark.parametrize("ref", [CLAUDE, BEDROCK, GEMINI, GPT])
@pytest.mark.parametrize("wire", HEARD)
def test_a_signature_of_an_unknown_model_goes_to_the_wire_it_came_over_and_its_kin(wire: str, ref: str) -> None:
    request = load(wire).parse_request({"model": "m", **HEARD[wire]})
    body = json.encode(sent(ref, *request.messages))
    assert (SIGNED.encode() in body) == (ref in TAKERS[wire])
    assert b"Why?" in body


def test_past_thoughts_are_echoed_where_they_must_be_and_not_where_they_may_not() -> None:
    thought = ThinkingBlock("It rains.", opaque={"openai-completions": {"field": "reasoning_content"}})
    history = [Message.user("Weather?"), Message.assistant(thought, call(1)), answer_to(Message.assistant(call(1)))]
    assert held(sent(DEEPSEEK, *history), "reasoning_content") == ["It rains."]
    assert not held(sent(MISTRAL, *history), "reasoning_content")
    # A turn that another model made has none to echo; the field must stand there all the same.
    bare = [history[0], Message.assistant(call(1)), history[2]]
    assert held(sent(DEEPSEEK, *bare), "reasoning_content") == [""]


# -- cache marks -------------------------------------------------------------------

MARKED = (
    Message.user(TextBlock("See", MARK), ImageBlock("image/png", PIXEL, cache_control=MARK)),
    Message.assistant(call(1)),
    Message.user(ToolResult("toolu_1", [TextBlock("mild")], cache_control=MARK), TextBlock("So?", MARK)),
)
MARKED_FIELDS: dict[str, Any] = {
    "system": [TextBlock("Be brief", MARK)],
    "tools": [replace(WEATHER, cache_control=MARK)],
}


def few_marks(body: dict[str, Any]) -> int:
    return len(held(body, "cache_control", "cachePoint"))


@pytest.mark.parametrize(
    "ref", [CLAUDE, "amazon-bedrock/anthropic.claude-opus-4-5-20251101-v1:0", "openrouter/anthropic/claude-opus-4.5"]
)
def test_cache_marks_arrive_on_tools_results_and_pictures(ref: str) -> None:
    image = MARKED[0].content[1]
    result = MARKED[2].content[0]
    history = [Message.user("See", image), MARKED[1], Message.user(result, "So?")]
    body = sent(ref, *history, tools=MARKED_FIELDS["tools"])
    assert few_marks(body) == 3


def test_of_six_cache_marks_the_oldest_two_go_with_a_warning() -> None:
    info, model = row(CLAUDE)
    body = sent(CLAUDE, *MARKED, **MARKED_FIELDS)
    assert few_marks(body) == 4
    assert not held(body["tools"], "cache_control")
    assert not held(body["system"], "cache_control")
    losses = find_losses(ChatRequest(model=CLAUDE, messages=MARKED, **MARKED_FIELDS), info, model)
    assert losses == ("cache_control: the first 2 of 6 are left out",)


# -- pictures in tools' results ----------------------------------------------------

SEEN = (
    Message.user("Look"),
    Message.assistant(call(1), call(2)),
    Message.user(
        ToolResult("toolu_1", [TextBlock("seen"), ImageBlock("image/png", PIXEL)]),
        ToolResult("toolu_2", [ImageBlock("image/png", PIXEL)]),
    ),
)


@pytest.mark.parametrize("ref", ["xai/grok-4.3", GPT, "google/gemini-2.5-flash", GEMINI, CLAUDE])
def test_a_picture_in_a_tools_result_reaches_a_model_that_sees(ref: str) -> None:
    body = json.encode(sent(ref, *SEEN)).decode()
    assert body.count(PIXEL) == 2
    assert "left out" not in body


def test_a_model_that_only_reads_gets_a_word_for_a_picture_and_we_say_so() -> None:
    body = sent(DEEPSEEK, *SEEN)
    info, model = row(DEEPSEEK)
    assert PIXEL not in json.encode(body).decode()
    assert [message["role"] for message in body["messages"]] == ["user", "assistant", "tool", "tool"]
    assert all("image left out" in message["content"] for message in body["messages"][2:])
    losses = find_losses(ChatRequest(model=DEEPSEEK, messages=SEEN), info, model)
    assert any(loss.startswith("image: left out") for loss in losses)


def test_a_loss_that_rests_on_another_models_thought_is_named_as_what_is_sent() -> None:
    turns = [
        Message.user("Hi"),
        Message("assistant", [ThinkingBlock("Hm.", "c2ln"), ToolCall("a", "weather", "{}")], model=GPT),
        Message.user(ToolResult("a", [TextBlock("mild")])),
    ]
    info, model = row(CLAUDE)
    fields: dict[str, Any] = {"temperature": 0.5, "thinking": Thinking("low"), "tools": [WEATHER]}
    body = sent(CLAUDE, *turns, **fields)
    assert ("thinking" in body, body["temperature"]) == (False, 0.5)
    losses = find_losses(ChatRequest(model=CLAUDE, messages=turns, max_tokens=9000, **fields), info, model)
    assert [loss.partition(":")[0] for loss in losses] == ["thinking"]


def test_openais_thoughts_come_back_whole_under_any_key_and_deepseek_is_asked_for_schemas_in_words() -> None:
    body = sent(GPT, Message.user("Hi"), thinking=Thinking("low"))
    assert (body["store"], body["include"]) == (False, ["reasoning.encrypted_content"])
    body = sent(DEEPSEEK, Message.user("Hi"), response_format=ResponseFormat({"type": "object"}))
    assert body["response_format"] == {"type": "json_object"}
    assert "JSON Schema" in body["messages"][0]["content"]
