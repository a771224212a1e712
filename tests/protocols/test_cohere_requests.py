"""What we ask Cohere: every field in its own words, and what it cannot carry said aloud."""

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
from jackfield.protocols import cohere as wire

WEATHER = Tool("weather", "Tell the weather.", {"type": "object", "properties": {"city": {"type": "string"}}})
CLOCK = Tool("clock", "", {"type": "object", "properties": {}})
ASKED = ChatRequest(model="command-a", messages=[Message.user("Hi")])


def render(**fields: Any) -> dict[str, Any]:
    return wire.render_request(replace(ASKED, **fields))


def test_a_plain_question_is_a_string() -> None:
    assert render() == {"model": "command-a", "messages": [{"role": "user", "content": "Hi"}]}


def test_every_number_has_the_wires_own_name() -> None:
    body = render(
        max_tokens=9, temperature=0.5, top_p=0.9, top_k=7, presence_penalty=0.1, frequency_penalty=0.2, seed=3,
        stop=["END"], logprobs=0, stream=True,
    )  # fmt: skip
    del body["model"], body["messages"]
    assert body == {
        "max_tokens": 9, "temperature": 0.5, "p": 0.9, "k": 7, "presence_penalty": 0.1, "frequency_penalty": 0.2,
        "seed": 3, "stop_sequences": ["END"], "logprobs": True, "stream": True,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("field", "value", "name", "sent"),
    [("top_p", 1, "p", 0.99), ("top_k", 900, "k", 500), ("presence_penalty", -1, "presence_penalty", 0)],
)
def test_a_number_out_of_range_becomes_the_nearest_and_is_told(field: str, value: float, name: str, sent: Any) -> None:
    asked = replace(ASKED, **{field: value})
    assert wire.render_request(asked)[name] == sent
    assert any(line.startswith(f"{field}: {value} becomes {sent}") for line in wire.find_losses(asked))


def test_only_five_stops_are_taken() -> None:
    asked = replace(ASKED, stop=list("abcdefg"))
    assert wire.render_request(asked)["stop_sequences"] == list("abcde")
    assert "stop: the first 5 of 7" in wire.find_losses(asked)


def test_tools_may_be_required_or_forbidden_and_their_absence_is_auto() -> None:
    choices = {"auto": None, "required": "REQUIRED", "none": "NONE"}
    for mode, word in choices.items():
        assert render(tools=[WEATHER], tool_choice=ToolChoice(mode)).get("tool_choice") == word  # type: ignore[arg-type]  # the literal's own words


def test_a_pinned_tool_is_the_only_one_offered() -> None:
    body = render(tools=[WEATHER, CLOCK], tool_choice=ToolChoice("tool", "clock"))
    assert [tool["function"]["name"] for tool in body["tools"]] == ["clock"]
    assert body["tool_choice"] == "REQUIRED"


def test_strictness_is_the_requests_and_only_when_all_tools_want_it() -> None:
    strict, loose = replace(WEATHER, strict=True), replace(CLOCK, strict=False)
    assert render(tools=[strict])["strict_tools"] is True
    assert "strict_tools" not in render(tools=[strict, loose])
    assert any(line.startswith("tools.strict") for line in wire.find_losses(replace(ASKED, tools=[strict, loose])))
    assert not wire.find_losses(replace(ASKED, tools=[strict]))


@pytest.mark.parametrize(
    ("thinking", "sent"),
    [
        (Thinking("off"), {"type": "disabled"}),
        (Thinking("low"), {"type": "enabled", "token_budget": 2048}),
        (Thinking("high"), {"type": "enabled"}),
        (Thinking(None, 777), {"type": "enabled", "token_budget": 777}),
    ],
)
def test_a_level_becomes_a_budget(thinking: Thinking, sent: dict[str, Any]) -> None:
    assert render(thinking=thinking)["thinking"] == sent


def test_a_schema_goes_along_unless_tools_do() -> None:
    wanted = ResponseFormat({"type": "object"})
    assert render(response_format=wanted)["response_format"] == {
        "type": "json_object",
        "json_schema": {"type": "object"},
    }
    asked = replace(ASKED, response_format=wanted, tools=[WEATHER])
    body = wire.render_request(asked)
    assert "response_format" not in body
    assert "JSON Schema" in body["messages"][0]["content"]
    assert any("as an instruction" in line for line in wire.find_losses(asked))


# -- messages ----------------------------------------------------------------------


def test_text_files_are_the_requests_documents_and_others_a_word() -> None:
    text = DocumentBlock("text/plain", "Ruby is red.", None, "facts.txt")
    body = render(messages=[Message.user(text, DocumentBlock("application/pdf", "JVBERi0="), "What?")])
    assert body["documents"] == [{"id": "doc:0", "data": {"title": "facts.txt", "text": "Ruby is red."}}]
    (message,) = body["messages"]
    assert "left out" in message["content"][0]["text"]
    assert message["content"][1] == {"type": "text", "text": "What?"}


def test_documents_come_back_as_they_were_whatever_their_shape() -> None:
    documents = ["bare words", {"data": {"text": "x", "author": "y"}}, {"id": "mine", "data": "words"}]
    body = {**wire.render_request(ASKED), "documents": documents}
    asked = wire.parse_request(body)
    assert [block.data for block in asked.messages[0].content if isinstance(block, DocumentBlock)] == [
        "bare words",
        "x",
        "words",
    ]
    assert wire.render_request(asked)["documents"] == documents


def test_documents_without_a_user_come_back_too() -> None:
    body = {"model": "m", "messages": [{"role": "system", "content": "Be brief."}], "documents": ["bare words"]}
    assert wire.render_request(wire.parse_request(body)) == body


def test_words_before_calls_are_their_plan() -> None:
    turn = Message.assistant("I will look.", ToolCall("a", "weather", '{"city":"Rom"}'))
    (said,) = render(messages=[turn])["messages"]
    assert said == {
        "role": "assistant",
        "tool_plan": "I will look.",
        "tool_calls": [{"id": "a", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Rom"}'}}],
    }


def test_thoughts_of_this_wire_go_back_and_others_do_not() -> None:
    body = {"model": "m", "messages": [
        {"role": "assistant", "content": [{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "Yes."}]},
    ]}  # fmt: skip
    assert wire.render_request(wire.parse_request(body)) == body
    assert render(messages=[Message.assistant(ThinkingBlock("Hm."), "Yes.")])["messages"] == [
        {"role": "assistant", "content": "Yes."}
    ]


def test_results_stand_before_the_words_that_came_with_them() -> None:
    result = ToolResult("a", [TextBlock("mild"), DocumentBlock("text/plain", "18 C", None, "log")])
    call = Message.assistant(ToolCall("a", "weather", "{}"))
    _, answer, words = render(messages=[call, Message.user("And?", result)])["messages"]
    assert answer == {"role": "tool", "tool_call_id": "a", "content": [
        {"type": "text", "text": "mild"},
        {"type": "document", "document": {"data": {"title": "log", "text": "18 C"}}},
    ]}  # fmt: skip
    assert words == {"role": "user", "content": "And?"}


def test_a_picture_goes_as_data_or_by_its_address() -> None:
    pictures = [ImageBlock("image/png", "iVBO"), ImageBlock(url="https://example.com/a.png")]
    (message,) = render(messages=[Message.user(*pictures)])["messages"]
    urls = [part["image_url"]["url"] for part in message["content"]]
    assert urls == ["data:image/png;base64,iVBO", "https://example.com/a.png"]
    again = wire.parse_request(render(messages=[Message.user(*pictures)]))
    assert list(again.messages[0].content) == pictures


def test_what_no_value_of_ours_says_comes_back_to_this_wire_alone() -> None:
    body = {
        "model": "m", "messages": [{"role": "user", "content": "Hi"}], "safety_mode": "STRICT", "priority": 3,
        "citation_options": {"mode": "FAST"}, "thinking": {"type": "enabled"}, "logprobs": False,
    }  # fmt: skip
    assert wire.render_request(wire.parse_request(body)) == body


def test_the_users_own_fields_win() -> None:
    assert render(temperature=0.1, extras={"temperature": 0.9, "raw_prompting": True}).items() >= {
        "temperature": 0.9, "raw_prompting": True,
    }.items()  # fmt: skip


@pytest.mark.parametrize(
    ("field", "value"),
    [("messages", "Hi"), ("max_tokens", "9"), ("tool_choice", "weather"), ("tools", [3]), ("model", None)],
)
def test_a_wrong_field_is_refused_by_name(field: str, value: object) -> None:
    with pytest.raises(InvalidRequest) as caught:
        wire.parse_request({**wire.render_request(ASKED), field: value})
    assert caught.value.param is not None
    assert caught.value.param.startswith(field)
