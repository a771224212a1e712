"""Requests on Anthropic's wire: what the API refuses is put right, what it knows passes whole."""

from __future__ import annotations

import json
import re
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
)
from jackfield.model import Compat
from jackfield.protocols import anthropic_messages as wire
from jackfield.protocols.anthropic_messages.tools import BUILTINS
from jackfield.protocols.structured import AS_INSTRUCTION

MARK = {"type": "ephemeral"}
HOUR = {"type": "ephemeral", "ttl": "1h"}
WEATHER = {"name": "weather", "description": "Say the weather", "input_schema": {"type": "object", "properties": {}}}


def render(*messages: Message, **fields: Any) -> Any:
    compat = fields.pop("compat", Compat())
    return wire.render_request(ChatRequest(model="claude", messages=messages, **fields), compat)


def passes(**fields: Any) -> Any:
    """Read a wire body and write it again."""
    body = {"model": "claude", "max_tokens": 100, "messages": [{"role": "user", "content": "Hi"}], **fields}
    return wire.render_request(wire.parse_request(json.dumps(body).encode()))


def turns(*content: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"role": "user", "content": list(content)}]


@pytest.mark.parametrize(
    "block",
    [
        {"type": "text", "text": "Hi", "cache_control": HOUR, "citations": [{"type": "char_location", "cited_text": "x"}]},
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGk="}, "cache_control": MARK},
        {"type": "image", "source": {"type": "url", "url": "https://example.com/cat.png"}},
        {"type": "image", "source": {"type": "file", "file_id": "file_1"}, "transformations": {"oversize": "crop"}},
        {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "aGk="}},
        {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "words"}, "title": "T",
         "context": "C", "citations": {"enabled": True}, "cache_control": MARK},
        {"type": "document", "source": {"type": "url", "url": "https://example.com/a.pdf"}},
        {"type": "document", "source": {"type": "content", "content": [{"type": "text", "text": "chunk"}]}, "title": "T"},
        {"type": "document", "source": {"type": "file", "file_id": "file_2"}},
        {"type": "search_result", "source": "https://example.com", "title": "T", "content": [{"type": "text", "text": "x"}]},
        {"type": "container_upload", "file_id": "file_3"},
    ],
)  # fmt: skip
def test_every_kind_of_user_block_passes_whole(block: dict[str, Any]) -> None:
    messages = turns({"type": "text", "text": "Look:"}, block)
    assert passes(messages=messages)["messages"] == messages


@pytest.mark.parametrize(
    "block",
    [
        {"type": "thinking", "thinking": "Hm.", "signature": "c2ln+/=="},
        {"type": "redacted_thinking", "data": "ZGF0YQ=="},
        {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {}, "caller": {"type": "direct"}},
        {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "x"}},
        {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": [{"encrypted_content": "x"}]},
        {"type": "of_tomorrow", "depth": {"of": [1, None, "field"]}},
    ],
)
def test_every_kind_of_assistant_block_passes_whole(block: dict[str, Any]) -> None:
    said = {"role": "assistant", "content": [block, {"type": "text", "text": "Well"}]}
    messages = [*turns({"type": "text", "text": "Hi"}), said]
    assert passes(messages=messages)["messages"] == messages


def test_tool_results_carry_text_pictures_documents_and_marks() -> None:
    result = {
        "type": "tool_result",
        "tool_use_id": "toolu_1",
        "content": [
            {"type": "text", "text": "seen", "cache_control": MARK},
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGk="}},
            {"type": "document", "source": {"type": "url", "url": "https://example.com/a.pdf"}},
            {"type": "tool_reference", "tool_name": "other"},
        ],
        "is_error": True,
        "cache_control": HOUR,
        "toolset_name": "browser",
    }
    messages = turns(result, {"type": "tool_result", "tool_use_id": "toolu_2", "content": "plain"})
    assert passes(messages=messages)["messages"] == messages


def test_fields_without_a_value_of_ours_survive_on_every_level() -> None:
    fields = {
        "metadata": {"user_id": "u"},
        "top_k": 5,
        "service_tier": "standard_only",
        "container": "c",
        "mcp_servers": [{"name": "m"}],
        "cache_control": MARK,
        "output_config": {"effort": "max", "of_tomorrow": 1},
        "tools": [{**WEATHER, "defer_loading": True, "strict": True, "cache_control": MARK}],
    }
    body = passes(**fields)
    assert {name: body[name] for name in fields} == fields


def test_a_message_keeps_the_fields_it_does_not_know() -> None:
    messages = [{"role": "user", "content": [{"type": "text", "text": "Hi"}], "of_tomorrow": 1}]
    assert passes(messages=messages)["messages"] == messages


@pytest.mark.parametrize(
    "tool",
    [
        {"type": "web_search_20250305", "name": "web_search", "max_uses": 3, "cache_control": MARK},
        {"type": "mcp_toolset", "mcp_server_name": "m"},
        {"type": "custom", **WEATHER},
    ],
)
def test_tools_the_server_runs_pass_whole(tool: dict[str, Any]) -> None:
    assert passes(tools=[tool])["tools"] == [tool]


@pytest.mark.parametrize(
    "fields",
    [
        {"thinking": {"type": "enabled", "budget_tokens": 64}},
        {"thinking": {"type": "enabled", "budget_tokens": 64, "display": "omitted"}},
        {"thinking": {"type": "adaptive"}, "output_config": {"effort": "max"}},
        {"thinking": {"type": "adaptive", "display": "summarized"}},
        {"thinking": {"type": "between_tools"}},
        {"thinking": {"type": "disabled"}},
        {"output_config": {"effort": "low"}},
    ],
)
def test_thinking_passes_as_it_came(fields: dict[str, Any]) -> None:
    body = passes(**fields)
    assert {name: body.get(name) for name in ("thinking", "output_config") if name in body} == fields


@pytest.mark.parametrize("name", ["output_config", "output_format"])
def test_a_schema_for_the_answer_is_read_under_both_names(name: str) -> None:
    form = {"type": "json_schema", "schema": {"type": "object"}}
    body = passes(**{name: {"format": form} if name == "output_config" else form})
    assert body["output_config"] == {"format": form}
    assert "output_format" not in body


@pytest.mark.parametrize(
    "choice",
    [
        {"type": "auto"},
        {"type": "any", "disable_parallel_tool_use": True},
        {"type": "tool", "name": "weather", "disable_parallel_tool_use": False},
        {"type": "none"},
    ],
)
def test_the_choice_of_tools_passes_with_its_switch(choice: dict[str, Any]) -> None:
    assert passes(tools=[WEATHER], tool_choice=choice)["tool_choice"] == choice


def test_calls_one_at_a_time_need_a_choice_to_say_so() -> None:
    body = render(Message.user("Hi"), tools=[Tool("weather", "", {})], parallel_tools=False)
    assert body["tool_choice"] == {"type": "auto", "disable_parallel_tool_use": True}
    assert body["tools"] == [{"name": "weather", "input_schema": {"type": "object"}}]


def test_a_choice_without_tools_is_not_sent() -> None:
    assert "tool_choice" not in render(Message.user("Hi"), tool_choice=ToolChoice("auto"))


def test_the_system_text_may_be_a_string_or_marked_blocks() -> None:
    blocks = [{"type": "text", "text": "One", "cache_control": HOUR}, {"type": "text", "text": "Two"}]
    assert passes(system=blocks)["system"] == blocks
    assert passes(system="Be kind")["system"] == "Be kind"
    assert "system" not in passes(system="")


def test_a_system_turn_in_the_middle_stays_where_it_is_and_one_at_the_top_becomes_the_system_text() -> None:
    middle = {"role": "system", "content": [{"type": "text", "text": "Now in French"}]}
    user = turns({"type": "text", "text": "Hi"})
    body = passes(messages=[{"role": "system", "content": "Be kind"}, *user, middle])
    assert body["system"] == "Be kind"
    assert body["messages"] == [*user, middle]


# -- what the API refuses ----------------------------------------------------------


def test_max_tokens_is_always_sent() -> None:
    assert render(Message.user("Hi"))["max_tokens"] == 8192
    assert render(Message.user("Hi"), max_tokens=0)["max_tokens"] == 0


@pytest.mark.parametrize(("said", "sent"), [(None, 8192 + 5000), (100, 5100), (5000, 10000), (9000, 9000)])
def test_max_tokens_exceeds_a_thinking_budget(said: int | None, sent: int) -> None:
    body = render(Message.user("Hi"), thinking=Thinking(budget_tokens=5000), max_tokens=said)
    assert (body["thinking"], body["max_tokens"]) == ({"type": "enabled", "budget_tokens": 5000}, sent)


@pytest.mark.parametrize(
    ("compat", "said", "thinking", "config", "max_tokens"),
    [
        (Compat(), None, {"type": "enabled", "budget_tokens": 16384}, None, 24576),
        (Compat(), 10000, {"type": "enabled", "budget_tokens": 5000}, None, 10000),
        (Compat(), 50, {"type": "enabled", "budget_tokens": 1024}, None, 1074),
        (Compat(supports_reasoning_effort=True), 50, {"type": "adaptive"}, {"effort": "high"}, 50),
        (Compat(supports_reasoning_effort=True, reasoning_effort_map={"high": "max"}), 50, {"type": "adaptive"},
         {"effort": "max"}, 50),
        (Compat(supports_reasoning_effort=True, supported_reasoning_efforts=("low", "medium")), 50,
         {"type": "adaptive"}, {"effort": "medium"}, 50),
        (Compat(supported_reasoning_efforts=("low", "max")), 50, {"type": "adaptive"}, {"effort": "low"}, 50),
        (Compat(supported_reasoning_efforts=("low", "high")), 50, {"type": "enabled", "budget_tokens": 1024}, None, 1074),
        (Compat(thinking_format="none"), 50, None, None, 50),
    ],
)  # fmt: skip
def test_a_level_becomes_what_the_model_takes(
    compat: Compat, said: int | None, thinking: Any, config: Any, max_tokens: int
) -> None:
    body = render(Message.user("Hi"), thinking=Thinking("high"), max_tokens=said, compat=compat)
    assert (body.get("thinking"), body.get("output_config"), body["max_tokens"]) == (thinking, config, max_tokens)


BESIDE = "not beside thinking or another sampling"


@pytest.mark.parametrize(
    ("fields", "sent", "lost"),
    [
        ({"temperature": 0.5}, {"temperature": 0.5}, ()),
        ({"top_p": 0.9}, {"top_p": 0.9}, ()),
        ({"temperature": 0.5, "top_p": 0.9}, {"temperature": 0.5, "top_p": 0.9}, ()),
        ({"temperature": 0.5, "top_p": 0.9, "thinking": Thinking("high")}, {}, ("temperature", "top_p")),
        ({"temperature": 1, "thinking": Thinking("high")}, {"temperature": 1}, ()),
        ({"temperature": 0.5, "top_p": 0.95, "thinking": Thinking("high")}, {"top_p": 0.95}, ("temperature",)),
        ({"temperature": 0.5, "thinking": Thinking("off")}, {"temperature": 0.5}, ()),
    ],
)
def test_only_the_sampling_the_api_takes_is_sent(fields: Any, sent: Any, lost: Any) -> None:
    body = render(Message.user("Hi"), **fields)

    assert {name: body[name] for name in ("temperature", "top_p") if name in body} == sent
    losses = wire.find_losses(ChatRequest(model="claude", messages=[Message.user("Hi")], **fields))
    assert losses == tuple(f"{name}: {BESIDE}" for name in lost)


def test_a_model_that_takes_no_sampling_gets_none() -> None:
    sent = render(Message.user("Hi"), temperature=0.5, top_p=0.9, compat=Compat(supports_temperature=False))
    assert not {"temperature", "top_p"} & sent.keys()


def test_a_model_that_takes_one_of_both_gets_the_temperature() -> None:
    compat = Compat(supports_top_p_with_temperature=False)
    request = ChatRequest(model="claude", messages=[Message.user("Hi")], temperature=0.5, top_p=0.9)

    assert "top_p" not in wire.render_request(request, compat)
    assert wire.find_losses(request, compat) == (f"top_p: {BESIDE}",)
    assert wire.render_request(replace(request, temperature=None), compat)["top_p"] == 0.9


def test_a_model_that_takes_no_stop_sequences_gets_none() -> None:
    request = ChatRequest(model="claude", messages=[Message.user("Hi")], stop=["END"])

    assert "stop_sequences" not in wire.render_request(request, Compat(supports_stop=False))
    assert wire.find_losses(request, Compat(supports_stop=False)) == ("stop: left out",)


TOOL_LOOP = (Message.assistant(ToolCall("a", "look", "{}")), Message.user(ToolResult("a", [TextBlock("ok")])))
ADAPTIVE = Compat(supports_reasoning_effort=True)


@pytest.mark.parametrize(
    ("turns", "mode", "compat", "thinks"),
    [
        ((), "auto", Compat(), True),
        ((), "required", Compat(), False),
        ((), "tool", ADAPTIVE, False),
        (TOOL_LOOP, "auto", Compat(), False),
        (TOOL_LOOP, "auto", ADAPTIVE, True),
        ((Message.assistant(ThinkingBlock("Hm.", "sig"), *TOOL_LOOP[0].content), TOOL_LOOP[1]), "auto", Compat(), True),
        ((*TOOL_LOOP, Message.assistant("Done."), Message.user("More")), "auto", Compat(), True),
    ],
)
def test_a_model_does_not_think_where_the_api_forbids_it(turns: Any, mode: Any, compat: Compat, thinks: bool) -> None:
    request = ChatRequest(
        model="claude", messages=[Message.user("Hi"), *turns], tools=[Tool("look", parameters={})],
        tool_choice=ToolChoice(mode, "look" if mode == "tool" else None), thinking=Thinking("high"),
    )  # fmt: skip

    assert ("thinking" in wire.render_request(request, compat)) is thinks
    assert any("thinking" in loss for loss in wire.find_losses(request, compat)) is not thinks


def test_a_budget_below_the_apis_least_becomes_it() -> None:
    assert render(Message.user("Hi"), thinking=Thinking(budget_tokens=5))["thinking"]["budget_tokens"] == 1024


def test_turns_of_one_role_are_joined_and_tool_results_come_first() -> None:
    body = render(
        Message.assistant(ToolCall("a", "weather", "{}"), ToolCall("b", "weather", "{}")),
        Message.user(ToolResult("a", [TextBlock("sun")])),
        Message.user("And now?"),
        Message.user(ToolResult("b", [TextBlock("rain")])),
    )
    assert [turn["role"] for turn in body["messages"]] == ["user", "assistant", "user"]
    assert [block["type"] for block in body["messages"][2]["content"]] == ["tool_result", "tool_result", "text"]


def test_text_without_words_is_left_out_and_so_is_a_turn_of_nothing_else() -> None:
    body = render(Message.user("Hi"), Message.assistant("", " \n"), Message.user("", "You there?"))
    assert body["messages"] == turns({"type": "text", "text": "Hi"}, {"type": "text", "text": "You there?"})


def test_the_last_assistant_turn_ends_without_white_space() -> None:
    body = render(Message.user("Hi"), Message.assistant("So  "), Message.user("Go on"), Message.assistant("So \n"))
    assert [turn["content"][-1]["text"] for turn in body["messages"]] == ["Hi", "So  ", "Go on", "So"]


def test_a_thought_without_a_signature_or_at_a_turns_end_is_dropped_whole() -> None:
    body = render(
        Message.user("Hi"),
        Message.assistant(ThinkingBlock("Hm."), ThinkingBlock("", redacted=True), ThinkingBlock("Signed.", "s"), "Yes"),
        Message.user("Why?"),
        Message.assistant(ThinkingBlock("Cut off", "s")),
    )
    assert [turn["role"] for turn in body["messages"]] == ["user", "assistant", "user"]
    assert [block["type"] for block in body["messages"][1]["content"]] == ["thinking", "text"]


def test_arguments_that_are_no_object_stand_as_text_inside_one() -> None:
    arguments = ["null", '{"a": 1}', "{broken", "[1]", "[" * 100_000, ""]
    body = render(Message.assistant(*(ToolCall(f"c{n}", "f", text) for n, text in enumerate(arguments))))
    inputs = [block["input"] for block in body["messages"][1]["content"]]
    assert inputs[:4] == [{}, {"a": 1}, {"arguments": "{broken"}, {"arguments": "[1]"}]
    assert inputs[4:] == [{"arguments": arguments[4]}, {}]


def test_tool_ids_become_legal_and_unique_and_results_follow_their_calls() -> None:
    ids = ["functions.bash:0", "functions_bash:0", "functions bash:0", "x" * 446, "x" * 445, "", "toolu_ok-1"]
    history = [
        Message.assistant(*(ToolCall(name, "f", "{}") for name in ids)),
        Message.user(*(ToolResult(name, [TextBlock(name)]) for name in reversed(ids))),
    ]
    body = render(*history)
    calls = [block["id"] for block in body["messages"][1]["content"]]
    assert all(re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", call) for call in calls)
    assert len(set(calls)) == len(ids)
    assert calls[-1] == "toolu_ok-1"
    assert [block["tool_use_id"] for block in body["messages"][2]["content"]] == calls[::-1]
    assert body == render(*history)
    assert history[0].content[0] == ToolCall(ids[0], "f", "{}")


def test_an_id_used_twice_is_told_apart_in_the_order_of_the_calls() -> None:
    turn = [Message.assistant(ToolCall("", "f", "{}")), Message.user(ToolResult("", [TextBlock("x")]))]
    body = render(*turn, *turn)
    calls = [block["id"] for message in body["messages"][1::2] for block in message["content"]]
    results = [block["tool_use_id"] for message in body["messages"][2::2] for block in message["content"]]
    assert calls == results
    assert len(set(calls)) == 2
    assert calls[:1] == [block["id"] for block in render(*turn)["messages"][1]["content"]]


def test_an_id_that_looks_like_a_cleaned_one_is_not_mistaken_for_it() -> None:
    [cleaned] = [
        block["id"] for block in render(Message.assistant(ToolCall("a:b", "f", "{}")))["messages"][1]["content"]
    ]
    body = render(Message.assistant(ToolCall(cleaned, "f", "{}"), ToolCall("a:b", "f", "{}")))
    calls = [block["id"] for block in body["messages"][1]["content"]]
    assert calls[0] == cleaned
    assert len(set(calls)) == 2


def test_a_temperature_above_the_apis_range_is_brought_into_it() -> None:
    assert render(Message.user("Hi"), temperature=1.5)["temperature"] == 1


def test_the_oldest_cache_marks_beyond_four_are_taken_off() -> None:
    texts = [TextBlock(str(n), MARK) for n in range(4)]
    result = ToolResult("a", [TextBlock("in", MARK)], cache_control=HOUR)
    request = ChatRequest(
        model="claude",
        tools=[Tool("f", "", {}, cache_control=MARK)],
        system=[TextBlock("Be kind", MARK)],
        messages=[
            Message.user(*texts[:2]),
            Message.assistant(ToolCall("a", "f", "{}")),
            Message.user(result, *texts[2:]),
        ],
    )
    body = wire.render_request(request)
    assert "cache_control" not in body["tools"][0]
    assert "cache_control" not in body["system"][0]
    assert json.dumps(body).count("cache_control") == 4
    assert body["messages"][2]["content"][0]["cache_control"] == HOUR
    assert wire.find_losses(request) == ("cache_control: the first 4 of 8 are left out",)
    assert "cache_control" not in json.dumps(wire.render_request(request, Compat(supports_cache_control=False)))


def test_pictures_in_data_urls_are_sent_as_data() -> None:
    body = render(Message.user(ImageBlock(url="data:image/png;base64,aGk=")))
    assert body["messages"][0]["content"][0]["source"] == {"type": "base64", "media_type": "image/png", "data": "aGk="}


def test_only_this_wires_own_unread_fields_and_the_users_extras_are_sent() -> None:
    opaque = {"openai-completions": {"n": 2}, wire.NAME: {"container": "c", "output_config": {"of_tomorrow": 1}}}
    extras = {"speed": "fast", "nothing": None, "output_config": {"more": 2}}
    request = ChatRequest(
        model="claude", messages=[Message.user("Hi")], opaque=opaque, extras=extras, stop=["\n", "END"]
    )
    body = wire.render_request(request)
    assert body.keys() == {"model", "max_tokens", "messages", "stop_sequences", "container", "output_config", "speed"}
    assert body["output_config"] == {"of_tomorrow": 1, "more": 2}
    assert body["stop_sequences"] == ["END"]
    assert wire.find_losses(request) == ("foreign field (n): left out", "stop: white space alone is left out")


def test_a_waiting_line_that_this_wire_does_not_know_is_not_asked_for() -> None:
    request = ChatRequest(model="claude", messages=[Message.user("Hi")], service_tier="flex")
    assert "service_tier" not in wire.render_request(request)
    assert wire.find_losses(request) == ("service_tier: this wire's words are auto and standard_only",)


def test_a_conversation_that_the_model_begins_stands_behind_a_neutral_word() -> None:
    request = ChatRequest(model="claude", messages=[Message.assistant("Welcome"), Message.user("Hi")])
    messages = wire.render_request(request)["messages"]
    assert [turn["role"] for turn in messages] == ["user", "assistant", "user"]
    assert wire.find_losses(request) == ("model first: behind a neutral word of the user's",)


def test_a_model_without_tools_gets_none() -> None:
    tools = [Tool("f", "", {}), Tool("web_search", builtin="web_search")]
    choice = ToolChoice("auto")
    request = ChatRequest(model="claude", messages=[Message.user("Hi")], tools=tools[:1], tool_choice=choice)
    assert not {"tools", "tool_choice"} & wire.render_request(request, Compat(supports_tools=False)).keys()
    assert "tools: left out" in wire.find_losses(request, Compat(supports_tools=False))


def test_what_the_provider_runs_is_asked_for_in_this_wires_words() -> None:
    tools = [Tool(name, builtin=name) for name in BUILTINS]
    body = render(Message.user("Hi"), tools=tools)
    assert [tool["name"] for tool in body["tools"]] == ["web_search", "web_fetch", "code_execution"]
    assert [tool.builtin for tool in wire.parse_request(body).tools] == ["web_search", "web_fetch", "code_execution"]


def test_what_another_wire_left_in_opaque_is_not_sent() -> None:
    foreign = {"openai-completions": {"annotations": [1]}}
    body = render(
        Message(
            "user", [TextBlock("Hi", None, foreign), OpaqueBlock("openai-responses", {"type": "x"})], opaque=foreign
        ),
        tools=[Tool("web", opaque={"openai-responses": {"type": "web_search"}})],
    )
    assert body["messages"] == turns({"type": "text", "text": "Hi"})
    assert "tools" not in body


def test_a_refusal_in_the_history_is_text() -> None:
    body = render(Message.user("Hi"), Message.assistant(RefusalBlock("I would rather not")), Message.user("Please"))
    assert body["messages"][1]["content"] == [{"type": "text", "text": "I would rather not"}]


def test_text_stays_one_string_where_a_server_needs_that() -> None:
    body = render(Message.user("Hi", "there"), compat=Compat(requires_string_content=True))
    assert body["messages"] == [{"role": "user", "content": "Hi\nthere"}]


def test_losses_name_what_cannot_be_carried() -> None:
    request = ChatRequest(
        model="claude",
        messages=[
            Message.user(AudioBlock("audio/wav", "aGk="), ImageBlock(opaque={"x": {"file": 1}}), DocumentBlock()),
            Message.assistant(ThinkingBlock("Hm."), OpaqueBlock("openai-responses", {})),
            Message.user(ToolResult("a", [OpaqueBlock("cohere", {})])),
        ],
        tools=[Tool("web", opaque={"openai-responses": {}})],
        seed=1,
        temperature=1.5,
        stop=["\n"],
        response_format=ResponseFormat(),
        opaque={"openai-completions": {"n": 2}},
    )
    assert set(wire.find_losses(request)) == {
        "audio: left out", "foreign file: left out", "foreign block (openai-responses): left out",
        "foreign block (cohere): left out", "foreign tool (web): left out", "seed: left out",
        "temperature: above 1 becomes 1", "stop: white space alone is left out", f"response_format.json: {AS_INSTRUCTION}",
        "foreign field (n): left out",
    }  # fmt: skip
    assert wire.find_losses(ChatRequest(model="claude", messages=[Message.user("Hi")])) == ()


# -- callers' mistakes -------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"model": 5}, "model"),
        ({"model": None}, "model"),
        ({"messages": "Hi"}, "messages"),
        ({"messages": ["Hi"]}, "messages[0]"),
        ({"messages": [{"role": "robot", "content": "Hi"}]}, "messages[0].role"),
        ({"messages": [{"role": "user", "content": 5}]}, "messages[0].content"),
        ({"messages": turns({"text": "Hi"})}, "messages[0].content[0].type"),
        ({"messages": turns({"type": "text", "text": 5})}, "messages[0].content[0].text"),
        ({"messages": turns({"type": "image"})}, "messages[0].content[0].source"),
        ({"messages": turns({"type": "tool_result", "tool_use_id": "a", "content": [{"type": "thinking"}]})},
         "messages[0].content[0].content[0].type"),
        ({"messages": turns({"type": "tool_use", "input": [1]})}, "messages[0].content[0].input"),
        ({"max_tokens": "many"}, "max_tokens"),
        ({"max_tokens": True}, "max_tokens"),
        ({"system": 5}, "system.content"),
        ({"system": [{"type": "image", "source": {}}]}, "system"),
        ({"tools": [{"name": "f", "input_schema": True}]}, "tools[0].input_schema"),
        ({"tools": {}}, "tools"),
        ({"tool_choice": {"type": "maybe"}}, "tool_choice.type"),
        ({"stop_sequences": [1]}, "stop_sequences"),
        ({"stream": "yes"}, "stream"),
        ({"thinking": True}, "thinking"),
    ],
)  # fmt: skip
def test_a_wrong_field_is_named(change: dict[str, Any], param: str) -> None:
    body = {"model": "claude", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}], **change}
    with pytest.raises(InvalidRequest) as caught:
        wire.parse_request(json.dumps(body))
    assert (caught.value.param, caught.value.status) == (param, 400)
    assert caught.value.message.startswith(param)


@pytest.mark.parametrize("body", [b"", b"nonsense", b"[1]", b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_object_is_the_callers_mistake(body: bytes) -> None:
    with pytest.raises(InvalidRequest):
        wire.parse_request(body)


def test_the_model_may_stand_in_the_url_where_the_version_stands_in_the_body() -> None:
    body = {
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 9,
        "messages": turns({"type": "text", "text": "Hi"}),
    }
    assert wire.render_request(wire.parse_request(body)) == body
