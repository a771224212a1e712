"""Requests on OpenAI's chat wire: what each server is spared, and what a caller's body becomes."""

from __future__ import annotations

import json
import re
from hashlib import sha256
from typing import Any

import pytest
from msgspec.structs import replace

from jackfield.errors import InvalidRequest
from jackfield.message import (
    AudioBlock,
    ChatRequest,
    DocumentBlock,
    ImageBlock,
    Message,
    OpaqueBlock,
    RefusalBlock,
    ResponseFormat,
    TextBlock,
    Thinking,
    ThinkingBlock,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    VideoBlock,
)
from jackfield.model import Compat
from jackfield.protocols import openai_completions as wire
from jackfield.protocols import openai_responses

MARK = {"type": "ephemeral"}
WEATHER = Tool(
    "weather", "Say the weather", {"type": "object", "properties": {"city": {"type": "string"}}}, strict=True
)
SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}}


def render(*messages: Message, compat: Compat | None = None, **fields: Any) -> Any:
    return wire.render_request(ChatRequest(model="gpt", messages=messages, **fields), compat or Compat())


def parse(*messages: dict[str, Any], **fields: Any) -> ChatRequest:
    return wire.parse_request(json.dumps({"model": "gpt", "messages": messages, **fields}).encode())


def passes(*messages: dict[str, Any], compat: Compat | None = None, **fields: Any) -> Any:
    """Read a wire body and write it again."""
    return wire.render_request(parse(*messages, **fields), compat or Compat())


# -- words, pictures, files, sound ---------------------------------------------------


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk=", "detail": "high"}},
        {"type": "image_url", "image_url": {"url": "https://example.com/cat.png"}},
        {"type": "input_audio", "input_audio": {"data": "aGk=", "format": "wav"}},
        {"type": "input_audio", "input_audio": {"data": "aGk=", "format": "mp3"}},
        {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,aGk="}},
        {"type": "file", "file": {"filename": "a.txt", "file_data": "data:text/plain;base64,aGk="}},
        {"type": "file", "file": {"file_id": "file-1"}},
        {"type": "video_url", "video_url": {"url": "https://example.com/cat.mp4"}},
        {"type": "document_url", "document_url": "https://example.com/a.pdf", "document_name": "a"},
        {"type": "text", "text": "Hi", "annotations": [{"type": "url_citation"}]},
    ],
)
def test_a_part_passes_whole(part: dict[str, Any]) -> None:
    content = [{"type": "text", "text": "See"}, part]
    assert passes({"role": "user", "content": content})["messages"] == [{"role": "user", "content": content}]


def test_parts_become_what_other_wires_understand() -> None:
    content = [
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}},
        {"type": "input_audio", "input_audio": {"data": "aGk=", "format": "mp3"}},
        {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,aGk="}},
        {"type": "file", "file": {"filename": "a.txt", "file_data": "data:text/plain;base64,aGk="}},
    ]
    image, sound, pdf, text = parse({"role": "user", "content": content}).messages[0].content
    assert image == ImageBlock("image/png", "aGk=")
    assert sound == AudioBlock("audio/mpeg", "aGk=")
    assert pdf == DocumentBlock("application/pdf", "aGk=", name="a.pdf")
    assert isinstance(text, DocumentBlock)
    assert (text.media_type, text.data) == ("text/plain", "hi")


def test_a_text_file_from_elsewhere_goes_as_words() -> None:
    (message,) = render(Message.user(DocumentBlock("text/plain", "the words", name="a.txt")))["messages"]
    assert message["content"] == [{"type": "text", "text": "a.txt:\nthe words"}]


def test_a_file_known_elsewhere_by_its_id_is_not_sent_empty() -> None:
    held = {"anthropic-messages": {"source": {"type": "file", "file_id": "f"}}}
    turn = Message.user("See", ImageBlock(opaque=held), DocumentBlock(name="a.pdf", opaque=held))
    (message,) = render(turn)["messages"]
    assert [part["text"] for part in message["content"]] == [
        "See",
        "[image left out: it cannot be sent to this model]",
        "[document left out: it cannot be sent to this model]",
    ]


def test_a_server_of_strings_gets_strings() -> None:
    compat = Compat(requires_string_content=True)
    system, user = render(Message.user("a", "b"), system=[TextBlock("x"), TextBlock("y")], compat=compat)["messages"]
    assert (system["content"], user["content"]) == ("x\n\ny", "a\nb")


def test_broken_base64_of_a_file_stays_as_it_came() -> None:
    part = {"type": "file", "file": {"file_data": "data:text/plain;base64,%%%"}}
    (block,) = parse({"role": "user", "content": [part]}).messages[0].content
    assert block == OpaqueBlock(wire.NAME, part)


# -- system text -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("compat", "role"), [(Compat(), "system"), (Compat(supports_developer_role=True), "developer")]
)
def test_the_system_text_has_the_role_the_server_knows(compat: Compat, role: str) -> None:
    body = render(Message.user("Hi"), system=[TextBlock("Be brief")], compat=compat)
    assert body["messages"][0] == {"role": role, "content": "Be brief"}


def test_without_a_system_role_its_text_comes_first_from_the_user() -> None:
    compat = Compat(supports_system_role=False)
    (message,) = render(Message.user("Hi"), system=[TextBlock("Be brief")], compat=compat)["messages"]
    assert message == {
        "role": "user",
        "content": [{"type": "text", "text": "Be brief"}, {"type": "text", "text": "Hi"}],
    }
    first, second = render(Message.assistant("Hi"), system=[TextBlock("Be brief")], compat=compat)["messages"]
    assert (first["role"], second["role"]) == ("user", "assistant")


def test_a_later_instruction_keeps_its_place() -> None:
    messages = [
        {"role": "developer", "content": "Be brief"},
        {"role": "user", "content": "Hi"},
        {"role": "system", "content": "Now in French"},
        {"role": "user", "content": "And you?"},
    ]
    request = parse(*messages)
    assert request.system == (TextBlock("Be brief"),)
    for compat, role in ((Compat(), "system"), (Compat(supports_developer_role=True), "developer")):
        roles = [m["role"] for m in wire.render_request(request, compat)["messages"]]
        assert roles == [role, "user", role, "user"]
    assert "system" not in json.dumps(wire.render_request(request, Compat(supports_system_role=False)))


# -- tools -------------------------------------------------------------------------

HISTORY = (
    Message.user("Weather?"),
    Message.assistant(ToolCall("a", "weather", '{"city":"Rom"}'), ToolCall("b", "now", "")),
    Message("user", [ToolResult("a", [TextBlock("mild")]), ToolResult("b", [TextBlock("noon")]), TextBlock("So?")]),
)


def test_tool_results_stand_right_after_their_calls_and_before_the_words() -> None:
    body = render(*HISTORY, tools=[WEATHER])
    assert [m["role"] for m in body["messages"]] == ["user", "assistant", "tool", "tool", "user"]
    call, empty = body["messages"][1]["tool_calls"]
    assert call == {"id": "a", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Rom"}'}}
    assert empty["function"]["arguments"] == "{}"
    assert wire.parse_request(body).messages[2] == HISTORY[2]


def test_a_tool_is_written_with_what_the_server_takes() -> None:
    function = render(tools=[WEATHER])["tools"][0]["function"]
    assert function["strict"] is True
    function = render(tools=[WEATHER], compat=Compat(supports_strict_mode=False))["tools"][0]["function"]
    assert "strict" not in function
    assert render(tools=[WEATHER], compat=Compat(supports_tools=False)).keys() == {"model", "messages"}


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (ToolChoice("auto"), "auto"),
        (ToolChoice("none"), "none"),
        (ToolChoice("required"), "required"),
        (ToolChoice("tool", "weather"), {"type": "function", "function": {"name": "weather"}}),
    ],
)
def test_a_choice_of_tools_is_said_both_ways(choice: ToolChoice, expected: Any) -> None:
    body = render(Message.user("Hi"), tools=[WEATHER], tool_choice=choice, parallel_tools=False)
    assert (body["tool_choice"], body["parallel_tool_calls"]) == (expected, False)
    assert wire.parse_request(body).tool_choice == choice


def test_unknown_fields_of_a_tool_pass() -> None:
    function = {"name": "f", "parameters": SCHEMA, "examples": [1]}
    tools = [{"type": "function", "function": function, "defer_loading": True}]
    assert passes({"role": "user", "content": "Hi"}, tools=tools)["tools"] == tools


def test_a_tool_without_parameters_takes_none() -> None:
    function = render(tools=[Tool("now", parameters={})])["tools"][0]["function"]
    assert function == {"name": "now", "parameters": {"type": "object", "properties": {}}}
    bare = [{"type": "function", "function": {"name": "now"}}]
    assert passes({"role": "user", "content": "Hi"}, tools=bare)["tools"][0]["function"] == function


def test_a_tools_schema_is_spared_the_keywords_its_server_refuses() -> None:
    tool = Tool("f", parameters={"type": "object", "properties": {"x": {"type": "string", "pattern": "x"}}})
    function = render(tools=[tool], compat=Compat(tool_schema_profile="llamacpp"))["tools"][0]["function"]
    assert function["parameters"]["properties"] == {"x": {"type": "string"}}


def test_the_switch_for_parallel_calls_is_left_out_where_it_is_refused() -> None:
    compat = Compat(supports_parallel_tool_calls=False)
    assert "parallel_tool_calls" not in render(tools=[WEATHER], parallel_tools=False, compat=compat)


def test_a_choice_we_have_no_value_for_goes_on_unread() -> None:
    choice = {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": []}}
    tools = [{"type": "function", "function": {"name": "f"}}]
    assert passes({"role": "user", "content": "Hi"}, tools=tools, tool_choice=choice)["tool_choice"] == choice


def test_a_tool_the_server_runs_itself_passes_whole_and_a_foreign_one_not_at_all() -> None:
    search = {"type": "openrouter:web_search", "parameters": {"max_results": 3}}
    assert passes({"role": "user", "content": "Hi"}, tools=[search])["tools"] == [search]
    foreign = Tool("web_search", opaque={"anthropic-messages": {"type": "web_search_20250305"}})
    assert "tools" not in render(tools=[foreign])
    assert wire.find_losses(ChatRequest(model="m", tools=[foreign])) == ("foreign tool (web_search): left out",)


def test_pictures_in_a_tool_result_follow_once_the_results_are_over() -> None:
    picture = ImageBlock("image/png", "aGk=")
    turn = Message("user", [ToolResult("a", [TextBlock("see"), picture]), ToolResult("b", [picture]), TextBlock("So?")])
    first, second, user = render(turn)["messages"]
    assert (first["content"], second["content"]) == ("see", "(see the attachment that follows)")
    assert [part["type"] for part in user["content"]] == ["image_url", "image_url", "text"]
    kept = render(turn, compat=Compat(supports_images_in_tool_results=True))["messages"]
    assert [part["type"] for part in kept[0]["content"]] == ["text", "image_url"]


def test_a_server_that_wants_an_answer_between_results_and_words_gets_one() -> None:
    compat = Compat(requires_assistant_after_tool_result=True, requires_tool_result_name=True)
    messages = render(*HISTORY, compat=compat)["messages"]
    assert [m["role"] for m in messages] == ["user", "assistant", "tool", "tool", "assistant", "user"]
    assert [m["name"] for m in messages if m["role"] == "tool"] == ["weather", "now"]
    assert messages[4]["content"]


def test_arguments_go_as_an_object_where_the_server_wants_one() -> None:
    compat = Compat(tool_call_arguments_encoding="object")
    turn = Message.assistant(ToolCall("a", "f", '{"x":1}'), ToolCall("b", "g", '{"cut'))
    calls = render(turn, compat=compat)["messages"][0]["tool_calls"]
    assert [call["function"]["arguments"] for call in calls] == [{"x": 1}, {}]
    assert wire.parse_request(render(turn, compat=compat)).messages[0].content[0] == ToolCall("a", "f", '{"x":1}')


def test_functions_of_the_first_days_are_tools() -> None:
    request = parse(
        {"role": "user", "content": "Weather?"},
        {"role": "assistant", "content": None, "function_call": {"name": "weather", "arguments": "{}"}},
        {"role": "function", "name": "weather", "content": "mild"},
        functions=[{"name": "weather", "parameters": SCHEMA}],
        function_call={"name": "weather"},
    )
    call, result = request.messages[1].content[0], request.messages[2].content[0]
    assert isinstance(call, ToolCall)
    assert isinstance(result, ToolResult)
    assert call.id == result.call_id != ""
    assert (request.tools[0].name, request.tool_choice) == ("weather", ToolChoice("tool", "weather"))


def test_results_without_an_id_answer_the_calls_in_their_order() -> None:
    calls = [{"id": "", "function": {"name": name, "arguments": ""}} for name in "fg"]
    answers = [{"role": "tool", "tool_call_id": "", "content": text} for text in "12"]
    request = parse({"role": "assistant", "tool_calls": calls}, *answers)
    ids = [call.id for call in request.messages[0].content if isinstance(call, ToolCall)]
    assert len(set(ids)) == 2
    assert [r.call_id for r in request.messages[1].content if isinstance(r, ToolResult)] == ids


# -- tool call ids -----------------------------------------------------------------

WILD = ["functions.bash:0", "x" * 446, "call_1", "call.1", "", "abcdefghi", "toolu_01A-b_c"]


@pytest.mark.parametrize(("form", "shape"), [("alnum9", r"[A-Za-z0-9]{9}"), ("alnum64", r"[A-Za-z0-9_-]{1,64}")])
def test_ids_fit_the_server_and_pairs_stay_pairs(form: Any, shape: str) -> None:
    turn = Message.assistant(*(ToolCall(wild, "f", "{}") for wild in WILD))
    answers = Message("user", [ToolResult(wild, [TextBlock("1")]) for wild in WILD])
    messages = render(turn, answers, compat=Compat(tool_call_id_format=form))["messages"]
    calls = [call["id"] for call in messages[0]["tool_calls"]]
    assert calls == [message["tool_call_id"] for message in messages[1:]]
    assert len(set(calls)) == len(WILD)
    assert all(re.fullmatch(shape, call) for call in calls)
    assert calls[WILD.index("abcdefghi")] == "abcdefghi"


def test_a_new_id_that_is_taken_already_gives_way() -> None:
    taken = sha256(b"call.1#0").hexdigest()[:9]
    turn = Message.assistant(ToolCall("call.1", "f", "{}"), ToolCall(taken, "f", "{}"))
    calls = render(turn, compat=Compat(tool_call_id_format="alnum9"))["messages"][0]["tool_calls"]
    assert [call["id"] for call in calls] == [taken, sha256(f"{taken}#1".encode()).hexdigest()[:9]]


def test_an_id_becomes_the_same_whatever_else_is_said() -> None:
    compat = Compat(tool_call_id_format="alnum9")
    turn = Message.assistant(ToolCall("call_1", "f", "{}"))
    alone = render(turn, compat=compat)["messages"][0]
    assert render(turn, turn, Message.assistant(ToolCall("call_2", "f", "{}")), compat=compat)["messages"][0] == alone


# -- thoughts ----------------------------------------------------------------------


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning", "reasoning_text"])
def test_thoughts_go_back_under_the_name_they_came_with(field: str) -> None:
    message = {"role": "assistant", "content": "Hi", field: "Hm."}
    assert parse(message).messages[0].content[0] == ThinkingBlock("Hm.", opaque={wire.NAME: {"field": field}})
    assert passes(message)["messages"] == [message]


@pytest.mark.parametrize("compat", [Compat(reasoning_field="none"), Compat(strict_message_keys=True)])
def test_a_server_that_refuses_thoughts_gets_none(compat: Compat) -> None:
    message = {"role": "assistant", "content": "Hi", "reasoning_content": "Hm.", "reasoning_details": [{"type": "x"}]}
    assert passes(message, compat=compat)["messages"] == [{"role": "assistant", "content": "Hi"}]


def test_thoughts_of_another_wire_stay_away_unless_a_field_is_declared() -> None:
    turn = Message.assistant(ThinkingBlock("Hm.", "c2ln"), "Hi")
    assert render(turn)["messages"] == [{"role": "assistant", "content": "Hi"}]
    declared = render(turn, compat=Compat(reasoning_field="reasoning_content"))["messages"]
    assert declared == [{"role": "assistant", "content": "Hi", "reasoning_content": "Hm."}]
    assert wire.find_losses(ChatRequest(model="m", messages=[turn])) == ()


def test_thoughts_go_as_words_where_the_server_wants_them_so() -> None:
    compat = Compat(requires_thinking_as_text=True)
    assert render(Message.assistant(ThinkingBlock("Hm."), "Hi"), compat=compat)["messages"][0]["content"] == "Hm.\n\nHi"


def test_a_call_carries_thoughts_even_when_there_were_none_where_the_server_insists() -> None:
    compat = Compat(requires_reasoning_content_on_assistant_messages=True)
    assert render(Message.assistant(ToolCall("a", "f", "{}")), compat=compat)["messages"][0]["reasoning_content"] == ""


def test_signed_details_go_back_byte_for_byte() -> None:
    details = [
        {"type": "reasoning.text", "text": "Hm.", "signature": "c2ln==", "format": "anthropic-claude-v1", "index": 0},
        {"type": "reasoning.encrypted", "data": "ZGF0YQ==", "format": "anthropic-claude-v1", "index": 1},
    ]
    message = {"role": "assistant", "content": "Hi", "reasoning": "Hm.", "reasoning_details": details}
    first, second, words = parse(message).messages[0].content
    assert isinstance(first, ThinkingBlock)
    assert isinstance(second, ThinkingBlock)
    assert (first.text, first.signature, first.redacted) == ("Hm.", "c2ln==", False)
    assert (second.text, second.signature, second.redacted) == ("", "ZGF0YQ==", True)
    assert words == TextBlock("Hi")
    assert passes(message)["messages"] == [message]


def test_another_models_signature_is_not_taken_for_claudes() -> None:
    details = [{"type": "reasoning.encrypted", "data": "ZGF0YQ==", "format": "google-gemini-v1", "index": 0}]
    block = parse({"role": "assistant", "content": "Hi", "reasoning_details": details}).messages[0].content[0]
    assert isinstance(block, ThinkingBlock)
    assert block.signature is None


def test_mistrals_thoughts_stay_parts() -> None:
    content = [{"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}], "closed": True}]
    content += [{"type": "text", "text": "Hi"}]
    message = {"role": "assistant", "content": content}
    assert parse(message).messages[0].content[0].text == "Hm."  # type: ignore[union-attr]  # a thought has text
    assert passes(message)["messages"] == [message]


# -- how hard to think -------------------------------------------------------------


@pytest.mark.parametrize(
    ("thinking", "compat", "expected"),
    [
        (Thinking("high"), {}, {"reasoning_effort": "high"}),
        (Thinking("off"), {}, {}),
        (Thinking("off"), {"supported_reasoning_efforts": ("none", "low")}, {"reasoning_effort": "none"}),
        (Thinking("off"), {"reasoning_effort_map": {"off": "none"}}, {"reasoning_effort": "none"}),
        (Thinking("xhigh"), {"supported_reasoning_efforts": ("low", "high")}, {"reasoning_effort": "high"}),
        (Thinking("minimal"), {"supported_reasoning_efforts": ("low", "high")}, {"reasoning_effort": "low"}),
        (Thinking("high"), {"supported_reasoning_efforts": ()}, {}),
        (Thinking("xhigh"), {"reasoning_effort_map": {"xhigh": "max"}}, {"reasoning_effort": "max"}),
        (Thinking("high"), {"supports_reasoning_effort": False}, {}),
        (Thinking("high"), {"thinking_format": "none"}, {}),
        (Thinking(budget_tokens=1024), {}, {"reasoning_effort": "minimal"}),
        (Thinking(budget_tokens=1025), {}, {"reasoning_effort": "low"}),
        (Thinking(budget_tokens=4096), {}, {"reasoning_effort": "low"}),
        (Thinking(budget_tokens=12288), {}, {"reasoning_effort": "medium"}),
        (Thinking(budget_tokens=12289), {}, {"reasoning_effort": "high"}),
        (Thinking(budget_tokens=32000), {}, {"reasoning_effort": "high"}),
        (Thinking("high"), {"thinking_format": "zai"}, {"thinking": {"type": "enabled"}}),
        (Thinking("off"), {"thinking_format": "zai"}, {"thinking": {"type": "disabled"}}),
        (Thinking("low"), {"thinking_format": "qwen"}, {"enable_thinking": True}),
        (Thinking("low", 99), {"thinking_format": "qwen"}, {"enable_thinking": True, "thinking_budget": 99}),
        (
            Thinking("off"),
            {"thinking_format": "qwen-chat-template"},
            {"chat_template_kwargs": {"enable_thinking": False}},
        ),
        (Thinking("low"), {"thinking_format": "openrouter"}, {"reasoning": {"effort": "low"}}),
        (Thinking("off"), {"thinking_format": "openrouter"}, {"reasoning": {"effort": "none"}}),
        (Thinking("low", 99), {"thinking_format": "openrouter"}, {"reasoning": {"max_tokens": 99}}),
        (Thinking("low"), {"thinking_format": "together"}, {"reasoning": {"enabled": True}}),
        (
            Thinking("low"),
            {"thinking_format": "zai", "supports_reasoning_effort": True},
            {"thinking": {"type": "enabled"}, "reasoning_effort": "low"},
        ),
        (Thinking(), {"thinking_format": "zai"}, {}),
    ],
)
def test_each_dialect_says_how_hard_to_think(thinking: Thinking, compat: dict[str, Any], expected: Any) -> None:
    body = render(thinking=thinking, compat=Compat(**compat))
    assert {name: value for name, value in body.items() if name not in ("model", "messages")} == expected


@pytest.mark.parametrize(
    ("fields", "effort", "budget"),
    [
        ({"reasoning_effort": "high"}, "high", None),
        ({"reasoning_effort": "none"}, "off", None),
        ({"reasoning_effort": "max"}, None, None),
        ({"reasoning": {"effort": "low", "exclude": True}}, "low", None),
        ({"reasoning": {"max_tokens": 2000}}, None, 2000),
        ({"reasoning": {"enabled": False}}, "off", None),
    ],
)
def test_a_callers_wish_to_think_is_understood_and_passed_on(
    fields: Any, effort: str | None, budget: int | None
) -> None:
    request = parse({"role": "user", "content": "Hi"}, **fields)
    assert request.thinking is not None
    assert (request.thinking.effort, request.thinking.budget_tokens) == (effort, budget)
    assert wire.render_request(request).items() >= fields.items()


# -- the rest of the body ----------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "compat", "expected"),
    [
        (ResponseFormat(), {}, {"type": "json_object"}),
        (
            ResponseFormat(SCHEMA, "n", strict=True, description="d"),
            {},
            {
                "type": "json_schema",
                "json_schema": {"name": "n", "schema": SCHEMA, "strict": True, "description": "d"},
            },
        ),
        (
            ResponseFormat(SCHEMA, "n", strict=True),
            {"supports_strict_mode": False},
            {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA}},
        ),
        (ResponseFormat(SCHEMA), {"supports_response_format": False}, {"type": "json_object"}),
    ],
)
def test_a_wanted_form_is_asked_for_as_the_server_can(wanted: ResponseFormat, compat: Any, expected: Any) -> None:
    assert render(response_format=wanted, compat=Compat(**compat))["response_format"] == expected


def test_any_json_is_also_asked_for_in_words_where_no_text_names_it() -> None:
    asked = ChatRequest(model="m", system=[TextBlock("Be brief")], response_format=ResponseFormat())
    for codec, opaque in ((wire, wire.NAME), (openai_responses, openai_responses.NAME)):
        assert "Answer in JSON." in json.dumps(codec.render_request(asked))
        for named in (
            replace(asked, messages=[Message.user("As Json, please")]),
            replace(asked, messages=[Message.user(ToolResult("a", [TextBlock("json")]))]),
            replace(asked, opaque={opaque: {}}),
            replace(asked, response_format=ResponseFormat(SCHEMA)),
        ):
            assert "Answer in JSON" not in json.dumps(codec.render_request(named))


def test_a_form_we_have_no_value_for_goes_on_unread() -> None:
    grammar = {"type": "grammar", "grammar": "root ::= x"}
    assert passes({"role": "user", "content": "Hi"}, response_format=grammar)["response_format"] == grammar
    assert "response_format" not in passes({"role": "user", "content": "Hi"}, response_format={"type": "text"})


def test_limits_and_sampling_use_the_servers_names() -> None:
    fields: Any = {"max_tokens": 9, "temperature": 0.5, "top_p": 0.9, "stop": ["x"], "seed": 1}
    assert render(**fields).items() >= fields.items()
    body = render(**fields, compat=Compat(max_tokens_field="max_completion_tokens", supports_temperature=False))
    assert body["max_completion_tokens"] == 9
    assert not body.keys() & {"max_tokens", "temperature", "top_p"}


def test_a_schemas_name_is_made_one_the_servers_take() -> None:
    sent = render(response_format=ResponseFormat({"type": "object"}, name="my answer!"))
    assert sent["response_format"]["json_schema"]["name"] == "my_answer_"


def test_stop_sequences_are_spared_a_model_that_refuses_them() -> None:
    assert "stop" not in render(stop=["x"], compat=Compat(supports_stop=False))
    asked = ChatRequest(model="m", messages=[Message.user("Hi")], stop=["x"])
    assert wire.find_losses(asked, Compat(supports_stop=False)) == ("stop: left out",)


def test_a_callers_spellings_are_all_understood() -> None:
    body = {"max_completion_tokens": 9, "max_tokens": 5, "stop": "x", "temperature": "0.5", "tool_choice": "any"}
    request = parse({"role": "user", "content": "Hi"}, **body)
    assert (request.max_tokens, request.stop, request.temperature) == (9, ("x",), 0.5)
    assert request.tool_choice == ToolChoice("required")


def test_unknown_fields_pass_and_nulls_do_not() -> None:
    body = passes({"role": "user", "content": "Hi", "name": "Ann"}, logit_bias={"1": 2}, user=None, n=2)
    assert body["messages"] == [{"role": "user", "content": "Hi", "name": "Ann"}]
    assert body.keys() == {"model", "messages", "logit_bias", "n"}


def test_fields_a_server_refuses_are_left_out() -> None:
    compat = Compat(supports_store=False, supports_prompt_cache_key=False)
    opaque = {wire.NAME: {"store": True}, "anthropic-messages": {"anthropic_version": "2023-06-01"}}
    body = render(cache_key="k", user="u", opaque=opaque, compat=compat)
    assert body.keys() == {"model", "messages", "user"}


def test_what_the_user_says_for_the_server_goes_last() -> None:
    opaque = {wire.NAME: {"metadata": {"job": "j"}, "n": 2}}
    body = render(opaque=opaque, extras={"metadata": {"day": "d"}, "n": 3, "nothing": None}, temperature=1)
    assert (body["metadata"], body["n"]) == ({"job": "j", "day": "d"}, 3)
    assert "nothing" not in body


def test_who_asks_is_said_under_the_name_the_caller_used() -> None:
    for name in ("user", "safety_identifier"):
        request = parse({"role": "user", "content": "Hi"}, **{name: "u"})
        assert request.user == "u"
        assert wire.render_request(request).keys() == {"model", "messages", name}


@pytest.mark.parametrize(
    ("fields", "asked"),
    [
        ({"logprobs": True}, 0),
        ({"logprobs": True, "top_logprobs": 3}, 3),
        ({"logprobs": 5}, 5),
        ({"logprobs": False}, None),
    ],
)
def test_log_probabilities_are_asked_for_with_so_many_alternatives(fields: dict[str, Any], asked: int | None) -> None:
    assert parse({"role": "user", "content": "Hi"}, **fields).logprobs == asked


def test_a_search_of_the_providers_is_a_field_of_the_body() -> None:
    search = {"search_context_size": "low"}
    body = passes({"role": "user", "content": "Hi"}, web_search_options=search)
    assert body["web_search_options"] == search
    assert "tools" not in body
    assert render(tools=[Tool("web_search", builtin="web_search")])["web_search_options"] == {}


def test_moving_pictures_pass_whole() -> None:
    part = {"type": "video_url", "video_url": {"url": "https://example.com/a.mp4", "fps": 2}}
    assert passes({"role": "user", "content": [part]})["messages"][0]["content"] == [part]
    (turn,) = parse(
        {"role": "user", "content": [{**part, "video_url": {"url": "data:video/mp4;base64,aGk="}}]}
    ).messages
    assert turn.content == (VideoBlock("video/mp4", "aGk="),)


def test_a_stream_asks_for_its_usage_unless_the_server_cannot() -> None:
    assert render(stream=True)["stream_options"] == {"include_usage": True}
    assert "stream_options" not in render(stream=True, compat=Compat(supports_usage_in_streaming=False))
    assert "stream_options" not in render(extras={"stream_options": {"include_usage": True}})
    options = {"include_usage": False, "include_obfuscation": False}
    assert passes({"role": "user", "content": "Hi"}, stream=True, stream_options=options)["stream_options"] == options


def test_cache_marks_go_where_they_are_understood() -> None:
    result = ToolResult("a", [TextBlock("1")], cache_control=MARK)
    call = Message.assistant(ToolCall("a", "f", "{}"))
    turn = Message(
        "user", [result, TextBlock("Hi", MARK), ImageBlock(url="https://example.com/a.png", cache_control=MARK)]
    )
    request = ChatRequest(
        model="m",
        system=[TextBlock("s", MARK)],
        messages=[call, turn],
        tools=[Tool("f", "", SCHEMA, cache_control=MARK)],
    )
    assert "cache_control" not in json.dumps(wire.render_request(request))
    assert wire.find_losses(request) == ("cache_control: left out, where the server does not declare it",)
    compat = Compat(supports_cache_control=True)
    assert json.dumps(wire.render_request(request, compat)).count('"cache_control": {') == 5
    assert wire.find_losses(request, compat) == ()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"messages": []}, "model"),
        ({"model": "m"}, "messages"),
        ({"model": "m", "messages": [{"role": "robot"}]}, "messages[0].role"),
        ({"model": "m", "messages": ["Hi"]}, "messages[0].role"),
        ({"model": "m", "messages": [], "temperature": "warm"}, "temperature"),
        ({"model": "m", "messages": [], "max_tokens": True}, "max_tokens"),
        ({"model": "m", "messages": [], "stream": "yes"}, "stream"),
    ],
)
def test_a_wrong_field_is_named(body: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        wire.parse_request(json.dumps(body).encode())
    assert caught.value.param == field
    assert field in str(caught.value)


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff"])
def test_a_body_that_is_no_object_is_the_callers_mistake(body: bytes) -> None:
    with pytest.raises(InvalidRequest):
        wire.parse_request(body)


def test_losses_are_named() -> None:
    request = ChatRequest(
        model="m",
        messages=[
            Message.user(
                AudioBlock("audio/wav", url="https://example.com/a.wav"), OpaqueBlock("anthropic-messages", {})
            ),
            Message.assistant(DocumentBlock("application/pdf", "aGk=")),
            Message("user", [ToolResult("a", [TextBlock("no")], is_error=True)]),
        ],
        thinking=Thinking("off", 99),
        temperature=1,
        opaque={"anthropic-messages": {"context_management": {}}},
    )
    assert wire.find_losses(request, Compat(supports_temperature=False)) == (
        "temperature: left out",
        "thinking.budget: as the nearest level",
        "foreign field (context_management): left out",
        "audio.url: left out",
        "foreign block (anthropic-messages): left out",
        "tool_result.error: left out",
        "thinking: the server has no word for it",
        "document: not in the model's own turn",
    )


def test_more_losses_are_named() -> None:
    picture, sound = ImageBlock("image/png", "aGk="), AudioBlock("audio/wav", "aGk=")
    request = ChatRequest(
        model="m",
        messages=[
            Message.user(DocumentBlock("application/pdf"), ImageBlock(), picture),
            Message.assistant(OpaqueBlock("telegraph", {}), sound),
        ],
    )
    assert wire.find_losses(request, Compat(requires_string_content=True)) == (
        "foreign file: left out",
        "image: left out",
        "foreign block (telegraph): left out",
        "audio: left out",
    )
    spoken = ChatRequest(model="m", messages=[Message.assistant(sound, VideoBlock("video/mp4", "aGk="))])
    assert wire.find_losses(spoken) == ("audio: not in the model's own turn", "video: not in the model's own turn")


def test_a_mark_on_a_message_is_one_on_its_last_part() -> None:
    message = {"role": "user", "content": "Hi", "cache_control": MARK}
    assert parse(message).messages[0].content == (TextBlock("Hi", MARK),)


def test_sound_in_a_tool_result_stays_for_this_wire() -> None:
    part = {"type": "input_audio", "input_audio": {"data": "aGk=", "format": "wav"}}
    (turn,) = parse({"role": "tool", "tool_call_id": "a", "content": [part]}).messages
    assert turn.content == (ToolResult("a", [OpaqueBlock(wire.NAME, part)]),)


def test_odd_parts_are_read_kindly() -> None:
    content = [
        {"type": "refusal", "refusal": "No"},
        7,
        {"type": "input_audio", "input_audio": "https://example.com/a.mp3"},
    ]
    refusal, sound = parse({"role": "assistant", "content": content}).messages[0].content
    assert (refusal, sound) == (RefusalBlock("No"), OpaqueBlock(wire.NAME, content[2]))  # type: ignore[arg-type]


def test_a_wanted_form_is_understood() -> None:
    for wanted in (ResponseFormat(), ResponseFormat(SCHEMA, "n", strict=True, description="d")):
        assert wire.parse_request(render(response_format=wanted)).response_format == wanted


def test_asking_for_usage_is_nothing_special() -> None:
    request = parse({"role": "user", "content": "Hi"}, stream=True, stream_options={"include_usage": True})
    assert request.extras == {}


def test_the_smallest_words_of_thinking_say_nothing() -> None:
    assert render(thinking=Thinking()).keys() == {"model", "messages"}


FOREIGN = OpaqueBlock("telegraph", {"dot": "dash"})


def test_what_only_another_wire_understands_leaves_no_hole() -> None:
    turns = [
        Message.user(FOREIGN, "Hi"),
        Message.user(FOREIGN),
        Message.user(""),
        Message.assistant(FOREIGN, "Ho", FOREIGN),
        Message.assistant(FOREIGN),
        Message.assistant(ToolCall("a", "f", "{}")),
        Message("user", [ToolResult("a", [FOREIGN])]),
    ]
    assert [(m["role"], m.get("content")) for m in render(*turns)["messages"]] == [
        ("user", "Hi"),
        ("user", ""),
        ("assistant", "Ho"),
        ("assistant", None),
        ("tool", ""),
    ]


def test_a_refusal_is_words_where_no_other_key_is_taken() -> None:
    turn = Message.assistant(RefusalBlock("No"))
    assert render(turn)["messages"] == [{"role": "assistant", "refusal": "No"}]
    assert render(turn, compat=Compat(strict_message_keys=True))["messages"] == [{"role": "assistant", "content": "No"}]
