"""Requests of the Responses wire: what a caller's body means, and what we ask a server."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import json
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
)
from jackfield.model import Compat
from jackfield.protocols import openai_responses as wire
from jackfield.protocols.base import NATIVE
from jackfield.protocols.openai_responses import azure, codex
from tests.protocols.strategies import arguments, base64s, counts, formats, names, schemas, tool_choices, words

SCHEMA: dict[str, Any] = {"type": "object", "properties": {"city": {"type": "string"}}}
WEATHER = Tool("weather", "Tell the weather.", SCHEMA)


def own(**fields: Any) -> dict[str, Any]:
    return {wire.NAME: fields}


def read(**body: Any) -> ChatRequest:
    return wire.parse_request({"model": "m", "input": "Hi", **body})


def items(*turns: Message, compat: Compat = NATIVE, **fields: Any) -> list[dict[str, Any]]:
    rendered: list[dict[str, Any]] = wire.render_request(ChatRequest(model="m", messages=turns, **fields), compat)[
        "input"
    ]
    return rendered


def again(**body: Any) -> dict[str, Any]:
    return wire.render_request(read(**body))


# -- the conversation --------------------------------------------------------------


def test_a_string_is_the_users_words() -> None:
    assert read().messages == (Message.user("Hi"),)


def test_system_text_comes_from_instructions_and_from_messages_and_goes_back_as_it_came() -> None:
    said = {"role": "developer", "content": "Be kind."}
    request = read(instructions="Be brief.", input=[said, {"role": "user", "content": "Hi"}])

    assert [block.text for block in request.system] == ["Be brief.", "Be kind."]
    body = wire.render_request(request)
    assert body["instructions"] == "Be brief."
    assert body["input"][0] == {
        "type": "message",
        "role": "developer",
        "content": [{"type": "input_text", "text": "Be kind."}],
    }


@pytest.mark.parametrize(("develops", "role"), [(None, "system"), (True, "developer")])
def test_a_server_without_instructions_gets_a_message(develops: bool | None, role: str) -> None:
    compat = Compat(supports_instructions=False, supports_developer_role=develops)

    asked = wire.render_request(ChatRequest(model="m", system=[TextBlock("Be brief.")]), compat)

    assert "instructions" not in asked
    assert asked["input"][0]["role"] == role


def test_a_later_instruction_keeps_its_place() -> None:
    said = [{"role": "user", "content": "Hi"}, {"role": "developer", "content": "Now in French."}]
    request = read(input=said)

    assert request.system == ()
    assert [item["role"] for item in wire.render_request(request)["input"]] == ["user", "developer"]


def test_items_of_one_side_are_one_turn_and_come_back_whole() -> None:
    came: list[dict[str, Any]] = [
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Weather?"}]},
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "c2VjcmV0"},
        {
            "type": "message",
            "role": "assistant",
            "id": "msg_1",
            "phase": "commentary",
            "content": [{"type": "output_text", "text": "I look.", "annotations": []}],
        },
        {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search"}},
        {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "weather", "arguments": '{"city": "Rom"}'},
        {"type": "custom_tool_call", "id": "ctc_1", "call_id": "call_2", "name": "paint", "input": "a sun"},
        {"type": "function_call_output", "call_id": "call_1", "output": "mild"},
        {"type": "custom_tool_call_output", "call_id": "call_2", "output": "done"},
        {"type": "item_reference", "id": "msg_0"},
    ]
    request = read(input=came)

    assert [message.role for message in request.messages] == ["user", "assistant", "user", "assistant"]
    thought, words, search, call, custom = request.messages[1].content
    assert isinstance(thought, ThinkingBlock)
    assert (thought.signature, thought.redacted) == ("c2VjcmV0", True)
    assert isinstance(words, TextBlock)
    assert search == OpaqueBlock(wire.NAME, came[3])
    assert call == ToolCall("call_1", "weather", '{"city": "Rom"}', None, own(item={"id": "fc_1"}))
    assert isinstance(custom, ToolCall)
    assert custom.arguments == "a sun"
    assert wire.render_request(request)["input"] == came


def test_words_after_results_join_their_turn() -> None:
    answered = {"type": "function_call_output", "call_id": "call_1", "output": "mild"}
    request = read(input=[answered, {"role": "user", "content": "And now?"}])

    assert request.messages == (Message.user(ToolResult("call_1", [TextBlock("mild")]), "And now?"),)


def test_two_messages_of_the_model_in_a_row_stay_two() -> None:
    came = [{"role": "assistant", "content": "One."}, {"role": "assistant", "content": "Two."}]

    assert [item["content"][0]["text"] for item in again(input=came)["input"]] == ["One.", "Two."]


@pytest.mark.parametrize(
    ("part", "block"),
    [
        ({"type": "input_image", "image_url": "https://x.test/a.png", "detail": "low"},
         ImageBlock("", None, "https://x.test/a.png", None, own(part={"detail": "low"}))),
        ({"type": "input_image", "detail": "auto", "file_id": "file_1"},
         ImageBlock("", None, None, None, own(part={"detail": "auto", "file_id": "file_1"}))),
        ({"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,aGk="},
         DocumentBlock("application/pdf", "aGk=", None, "a.pdf")),
        ({"type": "input_file", "file_url": "https://x.test/a.pdf"}, DocumentBlock("", None, "https://x.test/a.pdf")),
        ({"type": "input_file", "filename": "a.txt", "file_data": "data:text/plain;base64,aGk="},
         DocumentBlock("text/plain", "hi", None, "a.txt", None, own(part={"as_file": True}))),
        ({"type": "input_audio", "input_audio": {"data": "aGk=", "format": "mp3"}}, AudioBlock("audio/mpeg", "aGk=")),
        ({"type": "something_new", "x": 1}, OpaqueBlock(wire.NAME, {"part": {"type": "something_new", "x": 1}})),
    ],
)  # fmt: skip
def test_a_part_is_read_and_returns_as_it_came(part: dict[str, Any], block: Any) -> None:
    request = read(input=[{"role": "user", "content": [part]}])

    assert request.messages == (Message.user(block),)
    assert wire.render_request(request)["input"][0]["content"] == [part]


def test_a_cache_mark_is_known_to_other_wires_and_returns() -> None:
    part = {"type": "input_text", "text": "long", "prompt_cache_breakpoint": {"mode": "explicit"}}
    request = read(input=[{"role": "user", "content": [part]}])

    assert request.messages[0].content[0].cache_control == {"type": "ephemeral"}  # type: ignore[union-attr]
    assert wire.render_request(request)["input"][0]["content"] == [part]
    marked = Message.user(TextBlock("long", {"type": "ephemeral"}))
    assert items(marked, compat=Compat(supports_cache_control=True))[0]["content"] == [part]
    assert "prompt_cache_breakpoint" not in items(marked)[0]["content"][0]


def test_pictures_and_files_in_a_result_are_parts_of_its_output() -> None:
    result = ToolResult("call_1", [TextBlock("See:"), ImageBlock("image/png", "aGk=")])

    assert items(Message.user(result))[0]["output"] == [
        {"type": "input_text", "text": "See:"},
        {"type": "input_image", "detail": "auto", "image_url": "data:image/png;base64,aGk="},
    ]


def test_a_refusal_comes_back_as_one() -> None:
    assert items(Message.assistant(RefusalBlock("No.")))[0]["content"] == [{"type": "refusal", "refusal": "No."}]


def test_a_picture_in_the_models_turn_leaves_a_word_and_is_named() -> None:
    turn = Message.assistant("Here:", ImageBlock("image/png", "aGk="))

    (said,) = items(turn)
    assert said["content"][1]["text"] == "[image left out: it cannot be sent back to this model]"
    assert wire.find_losses(ChatRequest(model="m", messages=[turn])) == ("image: left out: in the model's own turn",)


def test_a_call_id_longer_than_the_api_takes_is_shortened_with_its_result() -> None:
    call, result = items(Message.assistant(ToolCall("x" * 80, "f", "{}")), Message.user(ToolResult("x" * 80)))

    assert call["call_id"] == result["call_id"]
    assert len(call["call_id"]) <= 64


# -- thoughts ----------------------------------------------------------------------


def test_a_request_for_thoughts_keeps_nothing_on_the_server_and_has_them_encrypted() -> None:
    body = wire.render_request(ChatRequest(model="m", thinking=Thinking("high")))

    assert body["reasoning"] == {"effort": "high", "summary": "auto"}
    assert (body["store"], body["include"]) == (False, ["reasoning.encrypted_content"])


@pytest.mark.parametrize(
    ("stores", "expected"), [(True, (None, None)), (False, (None, ["reasoning.encrypted_content"]))]
)
def test_a_servers_own_word_on_storing_decides(stores: bool, expected: Any) -> None:
    body = wire.render_request(ChatRequest(model="m", thinking=Thinking("high")), Compat(supports_store=stores))

    assert (body.get("store"), body.get("include")) == expected


def test_a_caller_of_this_wire_decides_about_storing_himself() -> None:
    body = again(reasoning={"effort": "high"})

    assert body["reasoning"] == {"effort": "high"}
    assert not body.keys() & {"store", "include"}


def test_a_thought_of_another_wire_is_left_out_and_its_own_comes_back() -> None:
    theirs, ours = ThinkingBlock("Hm.", "c2ln"), ThinkingBlock("Hm.", "c2ln", opaque=own(item={"id": "rs_1"}))

    summary = [{"type": "summary_text", "text": "Hm."}]
    assert items(Message.assistant(theirs, "Hi"))[0]["type"] == "message"
    assert items(Message.assistant(ours, "Hi"))[0] == {
        "type": "reasoning", "id": "rs_1", "summary": summary, "encrypted_content": "c2ln",
    }  # fmt: skip


def test_a_thought_without_its_content_has_no_id_where_nothing_was_kept() -> None:
    empty = ThinkingBlock("", None, redacted=True, opaque=own(item={"id": "rs_1"}))
    shown = ThinkingBlock("Hm.", opaque=own(item={"id": "rs_2"}))

    (said,) = items(Message.assistant(empty, shown), thinking=Thinking("low"))

    assert said == {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm."}]}


def test_a_call_whose_thought_was_dropped_has_no_id() -> None:
    call = ToolCall("call_1", "f", "{}", None, own(item={"id": "fc_1", "status": "completed"}))
    thought = ThinkingBlock("", "c2ln", redacted=True, opaque=own(item={"id": "rs_1"}))

    assert items(Message.assistant(call, model="openai/gpt-5"))[0].get("id") is None
    assert items(Message.assistant(thought, call, model="openai/gpt-5"))[1]["id"] == "fc_1"
    assert items(Message.assistant(call))[0]["id"] == "fc_1"


def test_a_thoughts_parts_come_back_as_they_were() -> None:
    came = {
        "type": "reasoning",
        "id": "rs_1",
        "summary": [{"type": "summary_text", "text": text} for text in ("**A**\n\nfirst", "second")],
    }
    request = read(input=[came])

    assert request.messages[0].content[0].text == "**A**\n\nfirst\n\nsecond"  # type: ignore[union-attr]
    assert wire.render_request(request)["input"] == [came]


@pytest.mark.parametrize(
    ("thinking", "compat", "expected"),
    [
        (Thinking(None, 2000), Compat(), {"effort": "low", "summary": "auto"}),
        (Thinking("off"), Compat(), None),
        (Thinking("off"), Compat(supported_reasoning_efforts=("none", "low")), {"effort": "none"}),
        (Thinking("xhigh"), Compat(supported_reasoning_efforts=("low", "high")), {"effort": "high", "summary": "auto"}),
        (Thinking("low"), Compat(supports_reasoning_effort=False), None),
    ],
)
def test_a_level_is_said_in_the_servers_words(thinking: Thinking, compat: Compat, expected: Any) -> None:
    request = ChatRequest(model="m", thinking=thinking)

    assert wire.render_request(request, compat).get("reasoning") == expected
    assert any(loss.startswith("thinking: left out") for loss in wire.find_losses(request, compat)) == (
        expected is None
    )


# -- tools -------------------------------------------------------------------------


def test_a_function_of_another_wire_is_not_made_strict_by_silence() -> None:
    (tool,) = wire.render_request(ChatRequest(model="m", tools=[WEATHER]))["tools"]

    assert tool == {
        "type": "function", "name": "weather", "description": "Tell the weather.", "parameters": SCHEMA, "strict": False,
    }  # fmt: skip
    compat = Compat(supports_strict_mode=False)
    assert "strict" not in wire.render_request(ChatRequest(model="m", tools=[WEATHER]), compat)["tools"][0]


@pytest.mark.parametrize("strict", [{}, {"strict": False}, {"strict": True}])
def test_a_function_of_this_wire_says_of_strict_what_it_said(strict: dict[str, bool]) -> None:
    tool = {"type": "function", "name": "f", "parameters": SCHEMA, **strict}

    assert read(tools=[tool]).tools[0].strict == (strict.get("strict") or None)
    assert again(tools=[tool])["tools"] == [tool]


@pytest.mark.parametrize(
    ("tool", "builtin"),
    [
        ({"type": "web_search_preview", "search_context_size": "low"}, "web_search"),
        ({"type": "code_interpreter", "container": {"type": "auto"}}, "code_execution"),
        ({"type": "mcp", "server_label": "x"}, None),
        ({"type": "custom", "name": "paint", "format": {"type": "text"}}, None),
    ],
)
def test_a_tool_the_server_runs_is_known_by_what_it_does_and_keeps_its_spelling(tool: Any, builtin: Any) -> None:
    assert read(tools=[tool]).tools[0].builtin == builtin
    assert again(tools=[tool])["tools"] == [tool]


def test_a_tool_another_wires_server_runs_is_asked_for_in_this_ones_words() -> None:
    request = ChatRequest(
        model="m",
        tools=[Tool("search", builtin="web_search"), Tool("bash", builtin="code_execution")],
        tool_choice=ToolChoice("tool", "web_search"),
    )
    body = wire.render_request(request)

    assert body["tools"] == [{"type": "web_search"}, {"type": "code_interpreter", "container": {"type": "auto"}}]
    assert body["tool_choice"] == {"type": "web_search"}


@pytest.mark.parametrize(
    ("choice", "value"),
    [
        ("auto", ToolChoice("auto")),
        ("none", ToolChoice("none")),
        ("required", ToolChoice("required")),
        ({"type": "function", "name": "f"}, ToolChoice("tool", "f")),
        ({"type": "custom", "name": "f"}, ToolChoice("tool", "f")),
        ({"type": "web_search_preview"}, None),
        ({"type": "allowed_tools", "mode": "auto", "tools": []}, None),
    ],
)
def test_every_form_of_a_choice_is_read_and_returns(choice: Any, value: ToolChoice | None) -> None:
    body = {"tools": [{"type": "function", "name": "f", "parameters": SCHEMA}], "tool_choice": choice}

    assert read(**body).tool_choice == value
    assert again(**body)["tool_choice"] == choice


def test_a_choice_without_tools_is_named_and_not_sent() -> None:
    request = ChatRequest(model="m", tool_choice=ToolChoice("required"))

    assert "tool_choice" not in wire.render_request(request)
    assert wire.find_losses(request) == ("tool_choice: left out: there are no tools",)


# -- the other fields --------------------------------------------------------------


def test_every_field_has_its_value_and_returns() -> None:
    body = {
        "max_output_tokens": 20, "temperature": 0.5, "top_p": 0.9, "top_logprobs": 2, "service_tier": "flex", "user": "u",
        "prompt_cache_key": "k", "parallel_tool_calls": False, "stream": True, "store": True, "truncation": "auto",
        "include": ["message.output_text.logprobs"], "metadata": {"a": "b"}, "previous_response_id": "resp_0",
        "conversation": {"id": "conv_1"}, "text": {"format": {"type": "json_object"}, "verbosity": "low"},
        "tools": [{"type": "web_search"}],
    }  # fmt: skip
    request = read(**body)

    assert (request.max_tokens, request.temperature, request.top_p, request.logprobs) == (20, 0.5, 0.9, 2)
    assert (request.service_tier, request.user, request.cache_key) == ("flex", "u", "k")
    assert (request.parallel_tools, request.stream, request.response_format) == (False, True, ResponseFormat())
    rendered = wire.render_request(request)
    assert {name: rendered[name] for name in body} == body


def test_likelihoods_are_asked_for_in_both_places() -> None:
    body = wire.render_request(ChatRequest(model="m", logprobs=0))

    assert body["include"] == ["message.output_text.logprobs"]
    assert "top_logprobs" not in body


def test_a_server_that_takes_one_kind_of_sampling_gets_the_temperature() -> None:
    request, compat = ChatRequest(model="m", temperature=0.5, top_p=0.9), Compat(supports_top_p_with_temperature=False)

    assert "top_p" not in wire.render_request(request, compat)
    assert wire.find_losses(request, compat) == ("top_p: left out: the server takes it or the temperature",)
    assert wire.render_request(request)["top_p"] == 0.9


def test_a_safety_identifier_names_the_user_and_returns_under_its_name() -> None:
    assert read(safety_identifier="u").user == "u"
    body = again(safety_identifier="u")
    assert (body["safety_identifier"], "user" in body) == ("u", False)


def test_a_wanted_schema_is_flat_here() -> None:
    held = {"type": "json_schema", "name": "city", "schema": SCHEMA, "strict": True, "description": "d"}

    assert read(text={"format": held}).response_format == ResponseFormat(SCHEMA, "city", True, "d")
    assert again(text={"format": held})["text"] == {"format": held}


def test_a_format_of_an_unknown_kind_stays_for_this_wire() -> None:
    grammar = {"format": {"type": "grammar", "syntax": "lark"}}

    assert read(text=grammar).response_format is None
    assert again(text=grammar)["text"] == grammar


def test_what_the_user_says_for_the_server_joins_the_body() -> None:
    request = ChatRequest(
        model="m", response_format=ResponseFormat(), extras={"text": {"verbosity": "low"}, "top_k": 5}
    )

    body = wire.render_request(request)
    assert (body["text"], body["top_k"]) == ({"format": {"type": "json_object"}, "verbosity": "low"}, 5)


def test_a_stored_prompt_stands_for_model_and_input() -> None:
    request = wire.parse_request({"prompt": {"id": "pmpt_1"}})

    assert wire.render_request(request) == {"prompt": {"id": "pmpt_1"}}


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"model": "m"}, "input"),
        ({"input": "Hi"}, "model"),
        ({"model": "m", "input": 5}, "input"),
        ({"model": "m", "input": ["Hi"]}, "input[0]"),
        ({"model": "m", "input": [{"role": "robot", "content": "Hi"}]}, "input[0].role"),
        ({"model": "m", "input": [{"role": "user", "content": 5}]}, "input[0].content"),
        ({"model": "m", "input": "Hi", "temperature": "hot"}, "temperature"),
        ({"model": "m", "input": "Hi", "tools": [{"type": "function"}]}, "tools[0].name"),
        ({"model": "m", "input": "Hi", "tool_choice": 5}, "tool_choice"),
        ({"model": "m", "input": "Hi", "text": {"format": {"type": "json_schema", "schema": 5}}}, "text.format.schema"),
    ],
)
def test_a_wrong_field_is_refused_by_name(body: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        wire.parse_request(body)

    assert refused.value.param == param


# -- other doors -------------------------------------------------------------------


def test_azure_takes_the_key_in_its_own_header() -> None:
    assert azure.auth_headers("k") == {"api-key": "k"}


def test_codex_gets_only_what_codex_sends() -> None:
    request = read(
        temperature=0.5, max_output_tokens=9, user="u", metadata={"a": "b"}, truncation="auto", store=True,
        input=[{"role": "developer", "content": "Be kind."}, {"role": "user", "content": "Hi"}], instructions="Be brief.",
    )  # fmt: skip

    assert codex.render_request(request) == {
        "model": "m",
        "instructions": "Be brief.\n\nBe kind.",
        "input": [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]}],
        "include": ["reasoning.encrypted_content"],
        "store": False,
        "stream": True,
    }
    named = {loss.partition(":")[0] for loss in codex.find_losses(request)}
    assert named >= {"temperature", "max_tokens", "user", "metadata", "truncation"}


def test_codex_knows_no_stored_prompt() -> None:
    assert codex.render_request(wire.parse_request({"model": "m", "prompt": {"id": "pmpt_1"}}))["input"] == []


def test_codex_needs_instructions_even_when_there_are_none() -> None:
    assert codex.render_request(ChatRequest(model="m"))["instructions"] == codex.INSTRUCTIONS


def test_a_codex_token_says_whose_account_it_is() -> None:
    claims = "eyJodHRwczovL2FwaS5vcGVuYWkuY29tL2F1dGgiOnsiY2hhdGdwdF9hY2NvdW50X2lkIjoiYWNjXzEifX0"

    assert codex.auth_headers(f"h.{claims}.s")["chatgpt-account-id"] == "acc_1"
    for token in ("plain", "a.b.c", "\0", "h.bnVsbA.s"):
        assert "chatgpt-account-id" not in codex.auth_headers(token)


# -- rarer spellings ---------------------------------------------------------------


def test_a_body_that_is_no_json_is_an_invalid_request() -> None:
    with pytest.raises(InvalidRequest):
        wire.parse_request(b"{")


def test_an_item_whose_type_is_no_word_is_refused() -> None:
    with pytest.raises(InvalidRequest) as refused:
        read(input=[{"type": 5}])

    assert refused.value.param == "input[0].type"


@pytest.mark.parametrize(
    "part",
    [
        {"type": "input_file", "file_data": "bare base64"},
        {"type": "input_file", "file_data": "data:text/plain;base64,no base64"},
    ],
)
def test_a_file_only_this_wire_can_read_returns_as_it_came(part: dict[str, Any]) -> None:
    assert again(input=[{"role": "user", "content": [part]}])["input"][0]["content"] == [part]


def test_a_text_file_goes_as_words_under_its_name() -> None:
    (said,) = items(Message.user(DocumentBlock("text/plain", "hi", None, "a.txt")))

    assert said["content"] == [{"type": "input_text", "text": "a.txt:\nhi"}]


def test_a_results_parts_are_read_and_sound_among_them_leaves_a_word() -> None:
    parts = [
        {"type": "input_image", "image_url": "data:image/png;base64,aGk=", "detail": "auto"},
        {"type": "input_audio", "input_audio": {"data": "aGk=", "format": "wav"}},
    ]
    request = read(input=[{"type": "function_call_output", "call_id": "call_1", "output": parts}])

    picture, sound = request.messages[0].content[0].content  # type: ignore[union-attr]
    assert picture == ImageBlock("image/png", "aGk=", opaque=own(part={"detail": "auto"}))
    assert sound == TextBlock("[left out: a tool's result holds no sound]")


def test_an_unknown_part_in_the_models_message_stays_whole_beside_its_words() -> None:
    part = {"type": "output_sparkle", "x": 1}
    came = {"type": "message", "role": "assistant", "id": "msg_1", "content": [part]}

    assert again(input=[came])["input"][0]["content"] == [part]


def test_openais_key_goes_as_bearer() -> None:
    assert wire.auth_headers("k") == {"authorization": "Bearer k"}


@st.composite
def requests(draw: st.DrawFn) -> ChatRequest:
    """Draw a request as this wire's own reader makes it."""
    turns: list[Message] = []
    for at in range(draw(st.integers(0, 3))):
        turns.append(Message.user(*draw(st.lists(words.map(TextBlock), min_size=1, max_size=2))))
        call = ToolCall(f"call_{at}", draw(names), draw(arguments), None, own(item={"id": f"fc_{at}"}))
        thought = ThinkingBlock("Hm.", draw(st.none() | base64s.filter(bool)), opaque=own(item={"id": f"rs_{at}"}))
        turns.append(Message("assistant", draw(st.sampled_from([[call], [thought, call], [thought, TextBlock("Hi")]]))))
    offered = draw(
        st.lists(st.builds(Tool, names, st.just("") | words, schemas, st.sampled_from([None, True])), max_size=2)
    )
    offered = [replace(tool, opaque=None if tool.strict else own(strict=False)) for tool in offered]
    return ChatRequest(
        model=draw(names),
        messages=turns,
        system=draw(st.lists(words.map(TextBlock), max_size=1)),
        tools=offered,
        tool_choice=draw(st.none() | tool_choices) if offered else None,
        max_tokens=draw(st.none() | counts),
        temperature=draw(st.none() | st.floats(0, 2)),
        logprobs=draw(st.none() | st.integers(0, 20)),
        user=draw(st.none() | words),
        response_format=draw(st.none() | formats),
        stream=draw(st.booleans()),
        opaque=own(**draw(st.sampled_from([{}, {"store": True}, {"metadata": {"a": "b"}}]))),
    )


@given(requests())
def test_a_request_comes_back_as_it_was(request: ChatRequest) -> None:
    assert wire.parse_request(json.encode(wire.render_request(request))) == request


def test_a_limit_below_the_apis_least_is_raised_to_it_and_named() -> None:
    request = ChatRequest(model="m", messages=[Message.user("Hi")], max_tokens=5)
    assert wire.render_request(request)["max_output_tokens"] == 16
    assert wire.find_losses(request) == ("max_tokens: 5 becomes 16, the least the API takes",)
    own = wire.parse_request({"model": "m", "input": "Hi", "max_output_tokens": 5})
    assert (wire.render_request(own)["max_output_tokens"], wire.find_losses(own)) == (5, ())
