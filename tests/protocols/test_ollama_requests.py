"""What we ask Ollama: options in their place, the window always said, and what it cannot carry said aloud."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from jackfield.errors import InvalidRequest
from jackfield.message import (
    ChatRequest,
    DocumentBlock,
    ImageBlock,
    Message,
    ResponseFormat,
    TextBlock,
    Thinking,
    ThinkingBlock,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
)
from jackfield.model import Compat
from jackfield.protocols import ollama as wire
from jackfield.protocols.base import NATIVE

WEATHER = Tool("weather", "Tell the weather.", {"type": "object", "properties": {"city": {"type": "string"}}})
CLOCK = Tool("clock", "", {"type": "object", "properties": {}})
ASKED = ChatRequest(model="qwen3", messages=[Message.user("Hi")])
LEVELLED = Compat(supported_reasoning_efforts=("low", "medium", "high"))


def render(compat: Compat = NATIVE, **fields: Any) -> dict[str, Any]:
    return wire.render_request(replace(ASKED, **fields), compat)


def test_a_request_always_says_whether_it_streams_and_that_nothing_may_be_cut() -> None:
    assert render() == {
        "model": "qwen3", "messages": [{"role": "user", "content": "Hi"}], "stream": False, "truncate": False,
    }  # fmt: skip
    assert render(stream=True)["stream"] is True
    assert wire.parse_request({"model": "m", "messages": []}).stream is True


def test_numbers_are_options() -> None:
    body = render(
        max_tokens=9,
        temperature=0.5,
        top_p=0.9,
        top_k=7,
        presence_penalty=0.1,
        frequency_penalty=0.2,
        seed=3,
        stop=["END"],
    )
    assert body["options"] == {
        "num_predict": 9, "temperature": 0.5, "top_p": 0.9, "top_k": 7, "presence_penalty": 0.1,
        "frequency_penalty": 0.2, "seed": 3, "stop": ["END"],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("extras", "window"),
    [
        ({}, None),
        ({"options": {"num_ctx": 32768}}, 32768),
        ({"num_ctx": 8192, "options": {"num_ctx": 32768}}, 8192),
        ({"numCtx": 65536, "options": {"num_ctx": 32768}}, 32768),
        ({"num_ctx": "many", "options": {"num_ctx": 0}}, None),
    ],
)
def test_the_smallest_known_window_is_asked_for(extras: dict[str, Any], window: int | None) -> None:
    body = render(extras=extras)
    options = body.get("options", {})
    assert (options.get("num_ctx") if window else None) == window
    assert "num_ctx" not in body
    assert "numCtx" not in body


def test_options_that_stand_beside_the_bodys_fields_find_their_place() -> None:
    body = render(temperature=1, extras={"repeat_penalty": 1.1, "keep_alive": "5m", "options": {"temperature": 0}})
    assert body["options"] == {"temperature": 0, "repeat_penalty": 1.1}
    assert body["keep_alive"] == "5m"


@pytest.mark.parametrize(
    ("thinking", "compat", "sent"),
    [
        (Thinking("off"), Compat(), False),
        (Thinking("low"), Compat(), True),
        (Thinking(None, 2000), Compat(), True),
        (Thinking("low"), LEVELLED, "low"),
        (Thinking("minimal"), LEVELLED, "low"),
        (Thinking("xhigh"), LEVELLED, "high"),
    ],
)
def test_a_level_is_said_only_to_models_that_take_levels(thinking: Thinking, compat: Compat, sent: object) -> None:
    assert render(compat, thinking=thinking)["think"] == sent


def test_a_level_that_arrives_is_no_loss() -> None:
    assert not wire.find_losses(replace(ASKED, thinking=Thinking("low")), LEVELLED)
    assert not wire.find_losses(replace(ASKED, thinking=Thinking("off")))
    assert wire.find_losses(replace(ASKED, thinking=Thinking("low")))


def test_a_choice_of_tools_is_said_by_what_is_offered() -> None:
    def offered(choice: ToolChoice) -> list[str]:
        tools = render(tools=[WEATHER, CLOCK], tool_choice=choice).get("tools", [])
        return [tool["function"]["name"] for tool in tools]

    assert offered(ToolChoice("none")) == []
    assert offered(ToolChoice("tool", "clock")) == ["clock"]
    assert offered(ToolChoice("required")) == ["weather", "clock"]
    losses = wire.find_losses(replace(ASKED, tools=[WEATHER], tool_choice=ToolChoice("required")))
    assert any(line.startswith("tool_choice") for line in losses)


def test_a_format_is_a_word_or_a_schema() -> None:
    assert render(response_format=ResponseFormat())["format"] == "json"
    assert render(response_format=ResponseFormat({"type": "object"}))["format"] == {"type": "object"}


def test_likelihoods_are_asked_for_with_their_alternatives() -> None:
    assert {**render(logprobs=3), "top_logprobs": 3, "logprobs": True} == render(logprobs=3)
    assert "top_logprobs" not in render(logprobs=0)


# -- messages ----------------------------------------------------------------------


def test_pictures_go_as_bare_data_and_one_by_address_leaves_a_word() -> None:
    picture, address = ImageBlock("image/png", "iVBORw0KGgo="), ImageBlock(url="https://example.com/a.png")
    (message,) = render(messages=[Message.user("Look:", picture, address)])["messages"]
    assert message["images"] == ["iVBORw0KGgo="]
    assert message["content"].startswith("Look:\n[image left out")
    assert wire.parse_request({"model": "m", "messages": [message]}).messages[0].content[1] == picture


def test_a_call_carries_an_object_and_text_that_is_none_stands_whole() -> None:
    turn = Message.assistant(ThinkingBlock("Hm."), "Wait.", ToolCall("a", "f", '{"x":1}'), ToolCall("b", "g", '{"cut'))
    (said,) = render(messages=[turn])["messages"]
    assert said == {
        "role": "assistant", "content": "Wait.", "thinking": "Hm.",
        "tool_calls": [
            {"id": "a", "function": {"name": "f", "arguments": {"x": 1}}},
            {"id": "b", "function": {"name": "g", "arguments": {"arguments": '{"cut'}}},
        ],
    }  # fmt: skip


def test_a_result_names_its_tool_and_its_pictures_are_the_users() -> None:
    picture = ImageBlock("image/png", "iVBORw0KGgo=")
    turns = [
        Message.assistant(ToolCall("a", "camera", "{}")),
        Message.user(ToolResult("a", [TextBlock("done"), picture])),
    ]
    _, answer, shown = render(messages=turns)["messages"]
    assert answer == {"role": "tool", "content": "done", "tool_name": "camera", "tool_call_id": "a"}
    assert shown == {"role": "user", "content": "", "images": ["iVBORw0KGgo="]}


def test_text_files_are_words_and_others_leave_one() -> None:
    files = [DocumentBlock("text/plain", "Ruby is red.", None, "facts.txt"), DocumentBlock("application/pdf", "JVBE")]
    asked = replace(ASKED, messages=[Message.user(*files)])
    (message,) = wire.render_request(asked)["messages"]
    assert message["content"] == "facts.txt:\nRuby is red.\n[document left out: it cannot be sent to this model]"
    assert "document: left out, as only text is read" in wire.find_losses(asked)


def test_calls_without_ids_get_the_same_ones_each_time_and_results_find_them() -> None:
    call = {"function": {"name": "f", "arguments": {"x": 1}}}
    body = {"model": "m", "messages": [
        {"role": "assistant", "content": "", "tool_calls": [call, {"function": {"name": "g", "arguments": {}}}, call]},
        {"role": "tool", "content": "second", "tool_name": "g"},
        {"role": "tool", "content": "first"},
        {"role": "tool", "content": "third", "tool_name": "f"},
    ]}  # fmt: skip
    one, other = wire.parse_request(body), wire.parse_request(body)
    assert one == other
    calls = [block.id for block in one.messages[0].content if isinstance(block, ToolCall)]
    results = [block.call_id for block in one.messages[1].content if isinstance(block, ToolResult)]
    assert len(set(calls)) == 3
    assert results == [calls[1], calls[0], calls[2]]


def test_a_lone_stop_and_a_level_beyond_ours_are_read() -> None:
    body = {"model": "m", "messages": [], "think": "max", "options": {"stop": "END"}}
    request = wire.parse_request(body)
    assert list(request.stop) == ["END"]
    assert request.thinking is not None
    assert request.thinking.effort == "xhigh"
    assert wire.render_request(request)["think"] == "max"


def test_what_no_value_of_ours_says_comes_back_to_this_wire_alone() -> None:
    body = {
        "model": "m", "messages": [{"role": "user", "content": "Hi"}], "stream": True, "think": "high", "truncate": True,
        "keep_alive": "5m", "options": {"mirostat": 1, "temperature": 0.0, "num_ctx": 4096},
    }  # fmt: skip
    assert wire.render_request(wire.parse_request(body)) == body


@pytest.mark.parametrize(
    ("field", "value"), [("messages", None), ("options", []), ("think", 3), ("tools", [3]), ("stream", "yes")]
)
def test_a_wrong_field_is_refused_by_name(field: str, value: object) -> None:
    with pytest.raises(InvalidRequest) as caught:
        wire.parse_request({**wire.render_request(ASKED), field: value})
    assert caught.value.param is not None
    assert caught.value.param.startswith(field)
