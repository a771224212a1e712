"""Requests to Bedrock's Converse: valid by AWS's own description, and everything said in them comes back."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator
from msgspec.structs import replace

from jackfield.errors import InvalidRequest
from jackfield.message import (
    AudioBlock,
    ChatRequest,
    Citation,
    DocumentBlock,
    ImageBlock,
    Message,
    OpaqueBlock,
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
from jackfield.protocols import bedrock_converse as bedrock
from jackfield.protocols.base import NATIVE
from jackfield.protocols.signatures import mark
from tests.protocols.test_hostile import changed, read_request, trials

MARK = {"type": "ephemeral"}
PNG = base64.b64encode(b"\x89PNG").decode()
SERVICE = ServiceModel(Loader().load_service_model("bedrock-runtime", "service-2"), "bedrock-runtime")
SHAPE = SERVICE.operation_model("Converse").input_shape
TOOL = Tool("weather", "Say the weather", {"type": "object", "properties": {"city": {"type": "string"}}})
CALL = ToolCall("call_1", "weather", '{"city":"Rome"}')
FULL = ChatRequest(
    model="",
    system=[TextBlock("Be brief", MARK)],
    messages=[
        Message.user(
            TextBlock("What is this?", {"type": "ephemeral", "ttl": "1h"}),
            ImageBlock("image/png", PNG),
            ImageBlock("image/jpeg", url="s3://bucket/cat.jpg"),
            DocumentBlock("application/pdf", PNG, name="annual report"),
            DocumentBlock("text/plain", "Twenty-two words", name="notes"),
            VideoBlock("video/3gpp", PNG),
            AudioBlock("audio/mpeg", PNG),
        ),
        Message.assistant(ThinkingBlock("Hm.", "c2ln"), ThinkingBlock("", "ZGF0YQ==", redacted=True), CALL),
        Message.user(ToolResult("call_1", [TextBlock("mild"), ImageBlock("image/png", PNG)], is_error=True), "So?"),
    ],
    tools=[TOOL, Tool("clock", parameters={"type": "object", "properties": {}}, strict=True, cache_control=MARK)],
    tool_choice=ToolChoice("tool", "weather"),
    max_tokens=99,
    temperature=0.5,
    top_p=0.9,
    top_k=40,
    stop=["END"],
    service_tier="flex",
    response_format=ResponseFormat({"type": "object"}, name="mood", description="A mood"),
)


def check(body: dict[str, Any]) -> dict[str, Any]:
    """Hold a body to AWS's own description of the call."""
    report = ParamValidator().validate({"modelId": "m", **_with_bytes(body)}, SHAPE)
    assert not report.has_errors(), report.generate_report()
    return body


def _with_bytes(value: Any) -> Any:
    if isinstance(value, list):
        return [_with_bytes(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    blobs = ("bytes", "redactedContent")
    return {name: base64.b64decode(v, validate=True) if name in blobs else _with_bytes(v) for name, v in value.items()}


def render(*messages: Message, compat: Compat = NATIVE, **fields: Any) -> dict[str, Any]:
    return check(bedrock.render_request(ChatRequest(model="m", messages=messages, **fields), compat))


def turns(*messages: Message) -> list[list[dict[str, Any]]]:
    return [turn["content"] for turn in render(*messages)["messages"]]


def test_all_that_the_wire_carries_is_valid_and_comes_back() -> None:
    body = check(bedrock.render_request(FULL))
    assert bedrock.parse_request(json.dumps(body)) == replace(FULL, messages=mark(FULL.messages, bedrock.NAME))
    assert bedrock.find_losses(FULL) == ()


def test_fields_of_its_own_come_back_untouched() -> None:
    body = {
        "messages": [
            {
                "role": "user",
                "content": [
                    {"guardContent": {"text": {"text": "Is it safe?", "qualifiers": ["query"]}}},
                    {"document": {"format": "txt", "name": "a", "source": {"text": "b"}, "citations": {"enabled": True}}},
                    {"image": {"format": "png", "source": {"s3Location": {"uri": "s3://b/c", "bucketOwner": "123456789012"}}}},
                    {"searchResult": {"source": "s", "title": "t", "content": [{"text": "u"}]}},
                ],
            },
            {"role": "assistant", "content": [
                {"citationsContent": {"content": [{"text": "Yes"}], "citations": [{"title": "a"}]}},
                {"toolUse": {"toolUseId": "s1", "name": "search", "input": {"q": 1}, "type": "server_tool_use"}},
            ]},
            {"role": "user", "content": [{"toolResult": {"toolUseId": "s1", "content": [{"json": {"a": [1]}}]}}]},
            {"role": "system", "content": [{"text": "Be kind"}]},
        ],
        "system": [{"text": "s"}, {"guardContent": {"text": {"text": "g"}}}, {"cachePoint": {"type": "default"}}],
        "toolConfig": {"tools": [{"systemTool": {"name": "nova_grounding"}}]},
        "inferenceConfig": {"maxTokens": 5},
        "additionalModelRequestFields": {"thinking": {"type": "enabled", "budget_tokens": 2000}, "anthropic_beta": ["x"]},
        "guardrailConfig": {"guardrailIdentifier": "g", "guardrailVersion": "1"},
        "performanceConfig": {"latency": "optimized"},
        "promptVariables": {"a": {"text": "b"}},
        "requestMetadata": {"team": "blue"},
    }  # fmt: skip
    check(body)
    sent = bedrock.render_request(bedrock.parse_request(body))
    assert sent == {**body, "inferenceConfig": {"maxTokens": 2005}}


def test_text_in_another_form_is_text_to_every_other_wire() -> None:
    content = [{"guardContent": {"text": {"text": "a"}}}, {"citationsContent": {"content": [{"text": "b"}], "citations": [
        {"title": "t", "source": "https://x.test", "sourceContent": [{"text": "c"}], "location": {"documentPage": {"documentIndex": 2}}}
    ]}}]  # fmt: skip
    (turn,) = bedrock.parse_request({"messages": [{"role": "user", "content": content}]}).messages
    assert [block.text for block in turn.content if isinstance(block, TextBlock)] == ["a", "b"]
    assert turn.content[1].citations == (Citation("https://x.test", "t", "c", 2),)


# -- turns -------------------------------------------------------------------------


def test_turns_alternate_and_begin_with_the_users() -> None:
    body = render(Message.assistant("Hi"), Message.user("a"), Message.user("b"), Message.assistant("so \n"))
    assert [turn["role"] for turn in body["messages"]] == ["user", "assistant", "user", "assistant"]
    assert body["messages"][2]["content"] == [{"text": "a"}, {"text": "b"}]
    assert body["messages"][3]["content"] == [{"text": "so"}]


def test_text_without_words_is_left_out() -> None:
    found = turns(Message.user(" \n", "a"), Message.assistant(""), Message.user(ToolResult("x", [TextBlock(" ")])))
    assert found == [[{"toolResult": {"toolUseId": "x", "content": []}}, {"text": "a"}]]


def test_results_stand_before_the_users_words_with_their_cache_point() -> None:
    asked = Message.assistant(CALL)
    _, _, last = turns(Message.user("Hi"), asked, Message.user("So?", ToolResult("call_1", [TextBlock("mild", MARK)])))
    assert [next(iter(block)) for block in last] == ["toolResult", "cachePoint", "text"]


def test_a_models_turn_does_not_end_in_a_thought() -> None:
    said = Message.assistant(TextBlock("Yes"), ThinkingBlock("Hm.", "c2ln"))
    assert turns(Message.user("Hi"), said, Message.user("Why?"))[1] == [{"text": "Yes"}]


def test_a_thought_without_a_signature_goes_back_only_when_it_came_from_here() -> None:
    own = {"reasoningContent": {"reasoningText": {"text": "Hm."}}}
    reply = bedrock.parse_response({"output": {"message": {"role": "assistant", "content": [own, {"text": "Yes"}]}}})
    assert turns(Message.user("Hi"), Message("assistant", reply.content))[1][0] == own
    assert turns(Message.user("Hi"), Message.assistant(ThinkingBlock("Hm."), "Yes"))[1] == [{"text": "Yes"}]


def test_ids_get_the_letters_the_service_takes() -> None:
    call = ToolCall("functions.weather:0", "weather", "{}")
    _, asked, answered = turns(Message.user("Hi"), Message.assistant(call), Message.user(ToolResult(call.id)))
    assert asked[0]["toolUse"]["toolUseId"] == answered[0]["toolResult"]["toolUseId"]
    assert asked[0]["toolUse"]["toolUseId"].startswith("functions_weather_0_")


def test_arguments_that_are_no_object_stand_under_one_key() -> None:
    calls = [ToolCall(str(n), "f", text) for n, text in enumerate(["", "null", "[1]", '{"a"'])]
    inputs = [block["toolUse"]["input"] for block in turns(Message.user("Hi"), Message.assistant(*calls))[1]]
    assert inputs == [{}, {}, {"arguments": "[1]"}, {"arguments": '{"a"'}]


# -- files -------------------------------------------------------------------------


def test_documents_get_names_the_service_takes_and_each_its_own() -> None:
    names = ["Q3: report_v2.pdf", "Q3  report v2 pdf", None, "  ", "ok (1) [a]-b", "ok (1) [a]-b", "x" * 300]
    files = [DocumentBlock("application/pdf", PNG, name=name) for name in names]
    sent = [block["document"]["name"] for block in turns(Message.user("Read", *files))[0][1:]]
    assert sent[:6] == [
        "Q3 report v2 pdf",
        "Q3 report v2 pdf (2)",
        "document",
        "document (2)",
        *["ok (1) [a]-b"],
        "ok (1) [a]-b (2)",
    ]
    assert len(sent[6]) <= 200


def test_a_document_that_comes_without_a_word_gets_one() -> None:
    file = DocumentBlock("application/pdf", PNG)
    assert [next(iter(block)) for block in turns(Message.user(file))[0]] == ["document", "text"]
    assert [next(iter(block)) for block in turns(Message.user("Read", file))[0]] == ["text", "document"]


def test_a_data_url_is_data_and_any_other_url_leaves_a_word() -> None:
    pictures = [ImageBlock(url=f"data:image/png;base64,{PNG}"), ImageBlock(url="https://x.test/a.png")]
    (content,) = turns(Message.user(*pictures))
    assert content[0] == {"image": {"format": "png", "source": {"bytes": PNG}}}
    assert "left out" in content[1]["text"]
    losses = bedrock.find_losses(ChatRequest(model="m", messages=[Message.user(*pictures)]))
    assert losses == ("image.url: left out: the service reads data and S3 addresses",)


@pytest.mark.parametrize(
    ("media_type", "form"),
    [
        ("text/markdown", "md"), ("text/x-python", "txt"), ("text/csv", "csv"), ("application/msword", "doc"),
        ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx"),
    ],
)  # fmt: skip
def test_a_media_type_is_said_as_a_format(media_type: str, form: str) -> None:
    (content,) = turns(Message.user(DocumentBlock(media_type, PNG)))
    assert content[0]["document"]["format"] == form


# -- tools -------------------------------------------------------------------------


def test_no_tool_choice_leaves_the_tools_out_unless_the_history_calls_some() -> None:
    none = ToolChoice("none")
    assert "toolConfig" not in render(Message.user("Hi"), tools=[TOOL], tool_choice=none)
    called = (Message.user("Hi"), Message.assistant(CALL), Message.user(ToolResult("call_1", [TextBlock("mild")])))
    assert render(*called, tools=[TOOL], tool_choice=none)["toolConfig"].keys() == {"tools"}
    request = ChatRequest(model="m", messages=called, tools=[TOOL], tool_choice=none)
    assert bedrock.find_losses(request) == ("tool_choice: the tools stay, since the history calls some",)


def test_a_history_of_calls_gets_its_tools_back_when_none_is_offered() -> None:
    called = (Message.user("Hi"), Message.assistant(CALL, ToolCall("b", "clock", "{}")), Message.user(ToolResult("b")))
    tools = render(*called)["toolConfig"]["tools"]
    assert [tool["toolSpec"]["name"] for tool in tools] == ["weather", "clock"]


@pytest.mark.parametrize(("mode", "wire"), [("auto", {"auto": {}}), ("required", {"any": {}})])
def test_a_tool_choice_has_its_word(mode: Any, wire: dict[str, Any]) -> None:
    assert render(Message.user("Hi"), tools=[TOOL], tool_choice=ToolChoice(mode))["toolConfig"]["toolChoice"] == wire


def test_the_last_four_cache_marks_are_kept() -> None:
    marked = Message.user(*(TextBlock(str(n), MARK) for n in range(5)))
    body = render(marked, tools=[Tool("f", "", {}, cache_control=MARK)])
    assert json.dumps(body).count("cachePoint") == 4
    assert "cachePoint" not in json.dumps(body["toolConfig"])
    request = ChatRequest(model="m", messages=[marked])
    assert bedrock.find_losses(request) == ("cache_control: the first 1 of 5",)
    assert "cachePoint" not in json.dumps(render(marked, compat=Compat(supports_cache_control=False)))


# -- thinking ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("thinking", "compat", "fields", "effort"),
    [
        (Thinking("low"), Compat(), {"thinking": {"type": "enabled", "budget_tokens": 2048}}, None),
        (Thinking(None, 500), Compat(), {"thinking": {"type": "enabled", "budget_tokens": 1024}}, None),
        (Thinking("off"), Compat(), {"thinking": {"type": "disabled"}}, None),
        (Thinking("high"), Compat(supported_reasoning_efforts=("low", "high", "max")), {"thinking": {"type": "adaptive"}}, "high"),
        (Thinking("minimal"), Compat(thinking_format="nova"), {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "low"}}, None),
        (Thinking("off"), Compat(thinking_format="nova"), {"reasoningConfig": {"type": "disabled"}}, None),
        (Thinking(None, 9000), Compat(thinking_format="openai"), {"reasoning_effort": "medium"}, None),
        (Thinking("high"), Compat(thinking_format="none"), None, None),
    ],
)  # fmt: skip
def test_a_level_is_said_in_the_models_own_words(
    thinking: Thinking, compat: Compat, fields: dict[str, Any] | None, effort: str | None
) -> None:
    body = render(Message.user("Hi"), thinking=thinking, compat=compat)
    assert body.get("additionalModelRequestFields") == fields
    assert body.get("outputConfig", {}).get("effort") == effort


@pytest.mark.parametrize(
    "fields",
    [
        {"thinking": {"type": "enabled", "budget_tokens": 4000}},
        {"reasoning_config": {"type": "enabled", "budget_tokens": 1024}},
        {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "low"}},
        {"reasoning_effort": "high"},
    ],
)
def test_every_familys_thinking_is_read_and_comes_back(fields: dict[str, Any]) -> None:
    request = bedrock.parse_request({"messages": [], "additionalModelRequestFields": fields})
    assert request.thinking
    assert bedrock.render_request(request)["additionalModelRequestFields"] == fields


def test_what_claude_refuses_beside_thinking_is_left_out_and_said() -> None:
    request = ChatRequest(
        model="m", messages=[Message.user("Hi")], thinking=Thinking(None, 2000), temperature=0.3, top_p=0.5, top_k=9, max_tokens=100
    )  # fmt: skip
    body = check(bedrock.render_request(request))
    assert body["inferenceConfig"] == {"maxTokens": 2100}
    assert "top_k" not in body["additionalModelRequestFields"]
    assert [loss.partition(":")[0] for loss in bedrock.find_losses(request)] == ["temperature", "top_p", "top_k"]


def test_claude_does_not_think_where_it_would_refuse_to() -> None:
    called = [Message.user("Hi"), Message.assistant(CALL), Message.user(ToolResult("call_1", [TextBlock("mild")]))]
    for request in (
        ChatRequest(model="m", messages=called, thinking=Thinking("low"), tools=[TOOL]),
        ChatRequest(
            model="m",
            messages=[Message.user("Hi")],
            thinking=Thinking("low"),
            tools=[TOOL],
            tool_choice=ToolChoice("required"),
        ),
    ):
        assert "additionalModelRequestFields" not in check(bedrock.render_request(request))
        assert any(loss.startswith("thinking:") for loss in bedrock.find_losses(request))


def test_nova_takes_its_own_top_k_and_no_limits_when_it_thinks_hard() -> None:
    nova = Compat(thinking_format="nova")
    body = render(Message.user("Hi"), top_k=5, temperature=0.1, max_tokens=9, thinking=Thinking("high"), compat=nova)
    assert body["additionalModelRequestFields"]["inferenceConfig"] == {"topK": 5}
    assert "inferenceConfig" not in body


# -- the rest ----------------------------------------------------------------------


def test_a_schema_becomes_an_instruction_where_the_model_has_none() -> None:
    wanted, without = ResponseFormat({"type": "object"}), Compat(supports_response_format=False)
    body = render(Message.user("Hi"), response_format=wanted, compat=without)
    assert "outputConfig" not in body
    assert "JSON Schema" in body["system"][0]["text"]
    request = ChatRequest(model="m", messages=[Message.user("Hi")], response_format=wanted)
    assert bedrock.find_losses(request, without) == (
        "response_format.schema: as an instruction, which nothing enforces",
    )
    assert bedrock.find_losses(request) == ()


def test_each_thing_left_out_is_named() -> None:
    request = ChatRequest(
        model="m", messages=[Message.user("Hi", OpaqueBlock("cohere", {}))], seed=1, user="u", logprobs=2,
        parallel_tools=False, temperature=1.5, service_tier="auto", stop=["", "END"], presence_penalty=1.0,
        tools=[Tool("web", builtin="web_search")], response_format=ResponseFormat(),
    )  # fmt: skip
    body = check(bedrock.render_request(request))
    assert body.keys() == {"messages", "system", "inferenceConfig"}
    assert body["inferenceConfig"] == {"temperature": 1, "stopSequences": ["END"]}
    named = {loss.partition(":")[0] for loss in bedrock.find_losses(request)}
    assert named == {
        "parallel_tools", "temperature", "presence_penalty", "seed", "logprobs", "service_tier", "user", "stop",
        "response_format.json", "web_search", "foreign block (cohere)",
    }  # fmt: skip


def test_what_the_user_says_for_the_server_is_added_last() -> None:
    body = render(Message.user("Hi"), extras={"performanceConfig": {"latency": "optimized"}})
    assert body["performanceConfig"] == {"latency": "optimized"}


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"messages": [{"role": "robot", "content": []}]}, "messages[0].role"),
        ({"messages": [{"role": "user", "content": [{"text": 1}]}]}, "messages[0].content[0].text"),
        ({"messages": [{"role": "user", "content": [{"toolUse": {}}]}]}, "messages[0].content[0].toolUse.name"),
        ({"toolConfig": {"tools": [{"toolSpec": {"name": "a"}}]}}, "toolConfig.tools[0].toolSpec.inputSchema"),
        ({"inferenceConfig": {"maxTokens": "many"}}, "inferenceConfig.maxTokens"),
    ],
)
def test_a_wrong_field_is_named(body: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        bedrock.parse_request(body)
    assert caught.value.param == param


def test_a_request_with_any_one_value_wrong_is_read_or_refused() -> None:
    body = bedrock.render_request(FULL)
    for path, values in trials(body):
        for value in values:
            read_request(bedrock, json.dumps(changed(body, path, value)).encode())
