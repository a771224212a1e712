"""Gemini's requests: what we send, and what we read of a caller's."""

from __future__ import annotations

import json
from typing import Any

import pytest

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
from jackfield.protocols import google_generative_ai as wire
from jackfield.protocols.base import NATIVE
from jackfield.protocols.google_generative_ai import cloud_code, vertex
from jackfield.protocols.google_generative_ai.schema import OPENAPI, compile_schema
from jackfield.protocols.opening import OPENING

LEVELS = Compat(supported_reasoning_efforts=("low", "high"))
DUMMY = "skip_thought_signature_validator"
WEATHER = Tool("weather", "Say the weather", {"type": "object", "properties": {"city": {"type": "string"}}})


def ask(*messages: Message, **fields: Any) -> ChatRequest:
    return ChatRequest(model="gemini", messages=messages or [Message.user("Hi")], **fields)


def config(request: ChatRequest, compat: Compat = NATIVE) -> dict[str, Any]:
    held: dict[str, Any] = wire.render_request(request, compat)["generationConfig"]
    return held


def parts(*messages: Message, compat: Compat = NATIVE) -> list[list[dict[str, Any]]]:
    return [content["parts"] for content in said(wire.render_request(ask(*messages), compat))]


def said(body: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the turns of a body without the word before those that the model begins."""
    return [content for content in body["contents"] if content["parts"] != [{"text": OPENING}]]


def read(**body: Any) -> ChatRequest:
    return wire.parse_request(json.dumps({"contents": [{"role": "user", "parts": [{"text": "Hi"}]}], **body}))


def read_parts(*given: dict[str, Any], role: str = "user") -> list[Any]:
    return list(read(contents=[{"role": role, "parts": list(given)}]).messages[0].content)


# -- the frame ---------------------------------------------------------------------


def test_a_body_names_neither_the_model_nor_whether_it_streams() -> None:
    body = wire.render_request(ask(stream=True))
    assert body == {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]}


def test_a_caller_may_spell_fields_with_underscores_but_names_of_its_own_stay() -> None:
    request = read(
        system_instruction={"parts": [{"text": "Be brief"}]},
        generation_config={"max_output_tokens": 5, "stop_sequences": ["END"]},
        tools=[{"function_declarations": [{"name": "f", "parameters_json_schema": {"type": "object", "max_size": 1}}]}],
        contents=[
            {"role": "user", "parts": [{"inline_data": {"mime_type": "image/png", "data": "aGk="}}]},
            {"role": "model", "parts": [{"function_call": {"name": "f", "args": {"snake_case": 1}}}]},
        ],
    )
    assert (request.system[0].text, request.max_tokens, request.stop) == ("Be brief", 5, ("END",))
    assert request.messages[0].content[0] == ImageBlock("image/png", "aGk=")
    assert request.messages[1].content[0].arguments == '{"snake_case":1}'  # type: ignore[union-attr]  # a call
    assert request.tools[0].parameters == {"type": "object", "max_size": 1}


def test_every_setting_has_its_place() -> None:
    settings = {
        "maxOutputTokens": 9, "temperature": 0.5, "topP": 0.9, "topK": 3, "seed": 7, "presencePenalty": 0.1,
        "frequencyPenalty": 0.2, "stopSequences": ["END"], "responseLogprobs": True, "logprobs": 2,
    }  # fmt: skip
    request = read(generationConfig=settings)
    assert (request.top_k, request.seed, request.logprobs) == (3, 7, 2)
    assert request.opaque is None
    assert config(request) == settings


def test_numbers_may_come_as_text_and_whole_ones_with_a_point() -> None:
    request = read(generationConfig={"maxOutputTokens": "50", "topK": 3.0, "temperature": "0.5"})
    assert (request.max_tokens, request.top_k, request.temperature) == (50, 3, 0.5)


def test_only_the_first_five_stop_words_are_sent_and_the_loss_is_named() -> None:
    request = ask(stop=list("abcdef"))
    assert config(request)["stopSequences"] == list("abcde")
    assert wire.find_losses(request) == ("stop: only the first 5",)


def test_what_has_no_value_of_ours_comes_back_to_this_wire_alone() -> None:
    body = {
        "contents": [{"role": "user", "parts": [{"text": "Hi"}]}],
        "generationConfig": {"candidateCount": 2, "responseModalities": ["AUDIO"], "speechConfig": {"a": 1}},
        "safetySettings": [{"category": "c", "threshold": "t"}],
        "cachedContent": "cachedContents/x",
        "labels": {"my_team": "x"},
        "toolConfig": {"includeServerSideToolInvocations": True},
    }
    request = wire.parse_request(json.dumps(body))
    assert request.extras == {}
    assert wire.render_request(request) == body


def test_extras_join_the_settings_they_belong_to() -> None:
    request = ask(max_tokens=5, extras={"generationConfig": {"candidateCount": 2}, "labels": {"a": "b"}})
    assert config(request) == {"maxOutputTokens": 5, "candidateCount": 2}
    assert wire.render_request(request)["labels"] == {"a": "b"}


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "contents"),
        ({"contents": [{"role": "system", "parts": []}]}, "contents[0].role"),
        ({"contents": [{"parts": [{"text": 1}]}]}, "contents[0].parts[0].text"),
        ({"contents": [{"parts": [{"functionCall": {"args": []}}]}]}, "contents[0].parts[0].functionCall.args"),
        ({"contents": [], "generationConfig": {"topK": 1.5}}, "generationConfig.topK"),
        ({"contents": [], "tools": [{"functionDeclarations": [{}]}]}, "tools[0].functionDeclarations[0].name"),
    ],
)
def test_a_wrong_field_is_refused_by_its_name(body: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        wire.parse_request(json.dumps(body))
    assert caught.value.param == param


# -- parts -------------------------------------------------------------------------

SIGNED: list[dict[str, Any]] = [
    {"text": "Yes", "thoughtSignature": "c2ln"},
    {"text": "", "thoughtSignature": "c2ln"},
    {"text": "Hm.", "thought": True, "thoughtSignature": "c2ln"},
    {"functionCall": {"id": "i", "name": "f", "args": {}}, "thoughtSignature": "c2ln"},
    {"executableCode": {"language": "PYTHON", "code": "1"}, "thoughtSignature": "c2ln"},
    {"inlineData": {"mimeType": "image/png", "data": "aGk="}, "thoughtSignature": "c2ln"},
]


@pytest.mark.parametrize("part", SIGNED, ids="+".join)
def test_a_signature_goes_back_on_the_very_part_it_came_on(part: dict[str, Any]) -> None:
    assert parts(Message("assistant", read_parts(part, role="model"))) == [[part]]


def test_the_result_of_a_call_that_came_without_an_id_goes_without_one() -> None:
    reply = {
        "candidates": [{"content": {"parts": [{"functionCall": {"name": "now", "args": {}}}]}, "finishReason": "STOP"}]
    }
    (call,) = wire.parse_response(json.dumps(reply)).tool_calls
    asked, answered = parts(Message.assistant(call), Message.user(ToolResult(call.id, [TextBlock("noon")])))
    assert asked == [{"functionCall": {"name": "now", "args": {}}}]
    assert answered == [{"functionResponse": {"name": "now", "response": {"output": "noon"}}}]


def test_vertex_gets_no_ids_which_it_refuses() -> None:
    turns = [Message.assistant(ToolCall("a", "now", "{}")), Message.user(ToolResult("a", [TextBlock("noon")]))]
    _, asked, answered = vertex.render_request(ask(Message.user("Hi"), *turns))["contents"]
    assert asked["parts"] == [{"functionCall": {"name": "now", "args": {}}}]
    assert answered["parts"] == [{"functionResponse": {"name": "now", "response": {"output": "noon"}}}]


def test_json_beside_tools_is_asked_for_in_words_where_the_api_refuses_both() -> None:
    request = ask(tools=[WEATHER], response_format=ResponseFormat({"type": "object"}))
    body = wire.render_request(request)
    assert "generationConfig" not in body
    assert '{"type":"object"}' in body["systemInstruction"]["parts"][0]["text"]
    assert wire.find_losses(request) == ("response_format: beside tools as an instruction, which nothing enforces",)
    assert config(request, LEVELS)["responseMimeType"] == "application/json"
    assert wire.find_losses(request, LEVELS) == ()


def test_signatures_of_another_wire_are_not_sent() -> None:
    call = ToolCall("i", "f", "{}", opaque={"telegraph": {"thoughtSignature": "x"}})
    assert parts(Message.assistant(call)) == [[{"functionCall": {"id": "i", "name": "f", "args": {}}}]]


def test_files_go_as_data_or_by_their_address_each_with_its_type() -> None:
    blocks = [
        ImageBlock("image/png", "aGk="),
        ImageBlock(url="data:image/gif;base64,aGk="),
        ImageBlock(url="https://example.com/a.webp?x=1"),
        VideoBlock(url="https://youtu.be/x"),
        AudioBlock("audio/wav", "aGk="),
        DocumentBlock("text/plain", "hi"),
        DocumentBlock(url="https://example.com/a"),
    ]
    assert parts(Message("user", blocks)) == [[
        {"inlineData": {"mimeType": "image/png", "data": "aGk="}},
        {"inlineData": {"mimeType": "image/gif", "data": "aGk="}},
        {"fileData": {"mimeType": "image/webp", "fileUri": "https://example.com/a.webp?x=1"}},
        {"fileData": {"mimeType": "video/mp4", "fileUri": "https://youtu.be/x"}},
        {"inlineData": {"mimeType": "audio/wav", "data": "aGk="}},
        {"inlineData": {"mimeType": "text/plain", "data": "aGk="}},
        {"fileData": {"mimeType": "application/pdf", "fileUri": "https://example.com/a"}},
    ]]  # fmt: skip


def test_files_are_read_by_their_type_with_what_only_this_wire_says_of_them() -> None:
    film = {"fileData": {"mimeType": "video/mp4", "fileUri": "gs://a"}, "videoMetadata": {"fps": 1}}
    named = {"inlineData": {"mimeType": "application/pdf", "data": "a-_b", "displayName": "a.pdf"}}
    blocks = read_parts(film, named, {"inlineData": {"mimeType": "text/csv", "data": "MSwy"}})
    assert [type(block) for block in blocks] == [VideoBlock, DocumentBlock, DocumentBlock]
    assert (blocks[1].name, blocks[1].data, blocks[2].data) == ("a.pdf", "a+/b", "1,2")
    assert parts(Message("user", blocks[:1])) == [[film]]


def test_text_that_is_no_text_and_pictures_that_are_drafts_stay_whole() -> None:
    broken = {"inlineData": {"mimeType": "text/plain", "data": "/w=="}}
    draft = {"inlineData": {"mimeType": "image/png", "data": "aGk="}, "thought": True}
    assert read_parts(broken, draft) == [OpaqueBlock(wire.NAME, broken), OpaqueBlock(wire.NAME, draft)]


def test_a_refusal_is_text_and_what_says_nothing_is_left_out() -> None:
    turns = [Message.assistant(RefusalBlock("No"), TextBlock("")), Message.assistant(""), Message.user("Hi")]
    assert parts(*turns) == [[{"text": "No"}], [{"text": "Hi"}]]


# -- calls and results -------------------------------------------------------------


def test_calls_without_ids_get_stable_ones_their_results_find_them_and_none_is_sent_back() -> None:
    contents = [
        {"role": "model", "parts": [{"functionCall": {"name": name, "args": {}}} for name in ("f", "g", "f")]},
        {"role": "user", "parts": [{"functionResponse": {"name": n, "response": {"output": n}}} for n in ("g", "f", "f")]},
    ]  # fmt: skip
    request = read(contents=contents)
    calls, results = (message.content for message in request.messages)
    ids = [block.id for block in calls if isinstance(block, ToolCall)]
    assert len(set(ids)) == 3
    assert [block.call_id for block in results if isinstance(block, ToolResult)] == [ids[1], ids[0], ids[2]]
    assert read(contents=contents) == request
    assert said(wire.render_request(request)) == contents


def test_results_stand_first_in_one_turn_right_behind_their_calls() -> None:
    calls = Message.assistant(ToolCall("a", "f", '{"x":1}'), ToolCall("b", "g", ""))
    answers = [Message.user(ToolResult("a", [TextBlock("1")])), Message.user("So?", ToolResult("b", is_error=True))]
    body = said(wire.render_request(ask(calls, *answers)))
    assert [turn["role"] for turn in body] == ["model", "user"]
    assert [next(iter(part)) for part in body[1]["parts"]] == ["functionResponse", "functionResponse", "text"]
    assert [part["functionResponse"] for part in body[1]["parts"][:2]] == [
        {"id": "a", "name": "f", "response": {"output": "1"}},
        {"id": "b", "name": "g", "response": {"error": ""}},
    ]


def test_a_result_of_any_shape_is_read_and_comes_back_as_it_was() -> None:
    given: list[dict[str, Any]] = [
        {"result": "40 C"},
        {"error": {"code": 1}},
        {},
        {"output": ["a", "b"]},
        {"output": ["a", 1]},
    ]
    calls = [{"functionCall": {"id": str(n), "name": "f", "args": {}}} for n in range(len(given))]
    answers = [{"functionResponse": {"id": str(n), "name": "f", "response": held}} for n, held in enumerate(given)]
    request = read(contents=[{"role": "model", "parts": calls}, {"role": "user", "parts": answers}])
    results = [block for block in request.messages[1].content if isinstance(block, ToolResult)]
    assert [[inner.text for inner in r.content if isinstance(inner, TextBlock)] for r in results] == [
        ['{"result":"40 C"}'], ['{"error":{"code":1}}'], [], ["a", "b"], ['{"output":["a",1]}'],
    ]  # fmt: skip
    assert [r.is_error for r in results] == [False, True, False, False, False]
    assert said(wire.render_request(request))[1]["parts"] == answers


PICTURE = ToolResult("a", [TextBlock("Seen"), ImageBlock("image/png", "aGk=")])
PIXELS = {"inlineData": {"mimeType": "image/png", "data": "aGk="}}


def test_a_picture_in_a_result_stands_inside_it_for_models_that_look_there() -> None:
    turns = [Message.assistant(ToolCall("a", "f", "{}")), Message.user(PICTURE)]
    answer = parts(*turns, compat=LEVELS)[1][0]["functionResponse"]
    assert answer["parts"] == [PIXELS]
    assert parts(*turns, compat=Compat(supports_images_in_tool_results=True))[1] == parts(*turns, compat=LEVELS)[1]
    assert wire.find_losses(ask(Message.user("Look"), *turns), LEVELS) == ()
    back = wire.parse_request(json.dumps(wire.render_request(ask(*turns), LEVELS)))
    assert back.messages[2].content[0].content == PICTURE.content  # type: ignore[union-attr]  # a result


def test_a_picture_in_a_result_stands_behind_it_for_models_that_do_not() -> None:
    turns = [Message.assistant(ToolCall("a", "f", "{}")), Message.user(PICTURE)]
    assert parts(*turns)[1][1:] == [{"text": "[result of f]"}, PIXELS]
    assert wire.find_losses(ask(Message.user("Look"), *turns)) == ("tool_result.image: behind the results",)


def test_arguments_that_are_no_object_stand_under_one_key() -> None:
    calls = [ToolCall("a", "f", '{"cut": "sho'), ToolCall("b", "f", "[1]"), ToolCall("c", "f", "null")]
    assert [part["functionCall"]["args"] for part in parts(Message.assistant(*calls))[0]] == [
        {"arguments": '{"cut": "sho'}, {"arguments": "[1]"}, {},
    ]  # fmt: skip


# -- signatures that are missing ---------------------------------------------------


def _signatures(*turns: Message, compat: Compat) -> list[str | None]:
    return [
        part.get("thoughtSignature") for turn in parts(*turns, compat=compat) for part in turn if "functionCall" in part
    ]


OLD = [Message.user("One"), Message.assistant(ToolCall("o", "f", "{}")), Message.user(ToolResult("o"))]
STEP = [
    Message.assistant(ToolCall("a", "f", "{}"), ToolCall("b", "f", "{}")),
    Message.user(ToolResult("a"), ToolResult("b")),
]


def test_the_first_call_of_each_step_of_the_current_turn_gets_the_documented_word() -> None:
    signed = ToolCall("c", "f", "{}", opaque={wire.NAME: {"thoughtSignature": "c2ln"}})
    turns = [*OLD, Message.user("Two"), *STEP, Message.assistant(signed), Message.user(ToolResult("c"))]
    assert _signatures(*turns, compat=LEVELS) == [None, DUMMY, None, "c2ln"]


def test_models_that_check_no_signature_get_no_such_word() -> None:
    assert _signatures(*OLD, *STEP, compat=Compat()) == [None, None, None]


# -- tools -------------------------------------------------------------------------


def test_functions_share_an_entry_and_servers_tools_have_their_own() -> None:
    tools = [WEATHER, Tool("s", builtin="web_search"), Tool("now", parameters={}), Tool("x", builtin="code_execution")]
    rendered = wire.render_request(ask(tools=tools))["tools"]
    assert [sorted(entry) for entry in rendered] == [["functionDeclarations"], ["googleSearch"], ["codeExecution"]]
    assert [f["name"] for f in rendered[0]["functionDeclarations"]] == ["weather", "now"]
    assert rendered[0]["functionDeclarations"][1]["parametersJsonSchema"] == {"type": "object"}


def test_a_servers_tool_is_known_for_what_it_does_and_comes_back_as_it_was() -> None:
    tools = [
        {"googleSearchRetrieval": {"mode": "x"}},
        {"urlContext": {}},
        {"fileSearch": {"fileSearchStoreNames": ["s"]}},
    ]
    request = read(tools=tools)
    assert [tool.builtin for tool in request.tools] == ["web_search", "web_fetch", None]
    assert wire.render_request(request)["tools"] == tools


def test_a_function_declared_in_the_older_language_is_read_as_json_schema_and_returned_as_it_was() -> None:
    given = {"type": "OBJECT", "properties": {"type": {"type": "STRING", "nullable": True}}}
    declared = {"name": "f", "parameters": given, "behavior": "BLOCKING"}
    request = read(tools=[{"functionDeclarations": [declared, {"name": "g"}]}])
    assert request.tools[0].parameters == {"type": "object", "properties": {"type": {"type": ["string", "null"]}}}
    assert request.tools[1].parameters == {"type": "object", "properties": {}}
    assert wire.render_request(request)["tools"] == [{"functionDeclarations": [declared, {"name": "g"}]}]


@pytest.mark.parametrize(
    ("choice", "mode"),
    [
        (ToolChoice("auto"), {"mode": "AUTO"}),
        (ToolChoice("none"), {"mode": "NONE"}),
        (ToolChoice("required"), {"mode": "ANY"}),
        (ToolChoice("tool", "weather"), {"mode": "ANY", "allowedFunctionNames": ["weather"]}),
    ],
)
def test_a_choice_of_tools_has_its_mode(choice: ToolChoice, mode: dict[str, Any]) -> None:
    body = wire.render_request(ask(tools=[WEATHER], tool_choice=choice))
    assert body["toolConfig"] == {"functionCallingConfig": mode}
    assert wire.parse_request(json.dumps(body)).tool_choice == choice


@pytest.mark.parametrize("mode", [{"mode": "VALIDATED"}, {"mode": "ANY", "allowedFunctionNames": ["f", "g"]}])
def test_a_mode_that_only_this_wire_knows_comes_back_as_it_was(mode: dict[str, Any]) -> None:
    tools = [{"functionDeclarations": [{"name": "f"}]}]
    body = wire.render_request(read(tools=tools, toolConfig={"functionCallingConfig": mode}))
    assert body["toolConfig"] == {"functionCallingConfig": mode}


def test_a_choice_without_a_function_is_not_sent_and_the_loss_is_named() -> None:
    request = ask(tool_choice=ToolChoice("required"))
    assert "toolConfig" not in wire.render_request(request)
    assert wire.find_losses(request) == ("tool_choice: there is no function to choose",)


# -- schemas -----------------------------------------------------------------------

TORTURE: dict[str, Any] = {
    "$schema": "x",
    "type": "object",
    "$defs": {"Pet": {"type": "object", "properties": {"of": {"$ref": "#/$defs/Pet"}, "age": {"type": "integer"}}}},
    "properties": {
        "ref": {"type": "string", "examples": ["x"]},
        "const": {"const": "a"},
        "title": {"description": "no type"},
        "pet": {"$ref": "#/$defs/Pet", "description": "The pet"},
        "maybe": {"anyOf": [{"$ref": "#/$defs/Pet"}, {"type": "null"}]},
        "many": {"type": ["string", "integer", "null"]},
        "list": {"type": "array"},
        "level": {"enum": [1, 2]},
        "map": {"type": "object", "additionalProperties": {"type": "number"}},
        "when": {"type": "string", "format": "uri"},
    },
    "required": ["ref", "gone"],
    "additionalProperties": False,
}


def test_a_schema_of_every_kind_of_trouble_becomes_one_the_api_reads() -> None:
    schema = compile_schema(TORTURE)
    pet = {"type": "object", "properties": {"of": {"type": "object"}, "age": {"type": "integer"}}}
    assert schema == {
        "type": "object",
        "properties": {
            "ref": {"type": "string"},
            "const": {"type": "string", "enum": ["a"]},
            "title": {"description": "no type", "type": "string"},
            "pet": {**pet, "description": "The pet"},
            "maybe": {"anyOf": [pet, {"type": "null"}]},
            "many": {"anyOf": [{"type": "string"}, {"type": "integer"}, {"type": "null"}]},
            "list": {"type": "array", "items": {"type": "string"}},
            "level": {"type": "integer", "enum": [1, 2]},
            "map": {"type": "object", "additionalProperties": {"type": "number"}},
            "when": {"type": "string", "format": "uri"},
        },
        "required": ["ref"],
        "additionalProperties": False,
    }


def test_the_older_language_says_null_apart_and_numbers_of_an_enum_in_words() -> None:
    properties = compile_schema(TORTURE, OPENAPI)["properties"]
    assert properties["maybe"]["nullable"] is True
    assert properties["many"] == {"anyOf": [{"type": "string"}, {"type": "integer"}], "nullable": True}
    assert properties["level"] == {"type": "integer", "description": "One of [1, 2]."}
    assert properties["map"] == {"type": "object"}
    assert properties["when"] == {"type": "string"}


def test_a_server_that_knows_only_the_older_language_gets_it() -> None:
    compat = Compat(tool_schema_profile="gemini")
    body = wire.render_request(ask(tools=[WEATHER]), compat)
    assert body["tools"][0]["functionDeclarations"][0].keys() == {"name", "description", "parameters"}
    request = ask(response_format=ResponseFormat({"type": "object"}))
    assert config(request, compat) == {"responseMimeType": "application/json", "responseSchema": {"type": "object"}}


def test_definitions_that_double_at_each_step_end() -> None:
    grown: dict[str, Any] = {
        f"d{n}": {"properties": {s: {"$ref": f"#/$defs/d{n + 1}"} for s in "ab"}} for n in range(40)
    }
    schema = compile_schema({"$defs": grown, "$ref": "#/$defs/d0"})
    assert len(json.dumps(schema)) < 400_000


@pytest.mark.parametrize("form", ["anyOf", "items", "properties"])
def test_a_schema_without_end_is_cut(form: str) -> None:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(3000):
        schema = {form: {"a": schema} if form == "properties" else [schema] if form == "anyOf" else schema}
    assert compile_schema(schema)


def test_branches_that_all_hold_are_one_schema() -> None:
    branches = [{"$ref": "#/$defs/A"}, {"properties": {"b": {"type": "string"}}, "required": ["b"]}]
    schema = {"$defs": {"A": {"properties": {"a": {"type": "string"}}, "required": ["a"]}}, "allOf": branches}
    assert compile_schema(schema)["properties"].keys() == {"a", "b"}


# -- answers of a form -------------------------------------------------------------


def test_a_wanted_form_is_a_type_and_a_schema() -> None:
    request = ask(response_format=ResponseFormat({"type": "object"}))
    assert config(request) == {"responseMimeType": "application/json", "responseJsonSchema": {"type": "object"}}
    assert config(ask(response_format=ResponseFormat())) == {"responseMimeType": "application/json"}


def test_a_form_in_the_older_language_comes_back_as_it_was() -> None:
    given = {"responseMimeType": "application/json", "responseSchema": {"type": "OBJECT"}}
    request = read(generationConfig=given)
    assert request.response_format == ResponseFormat({"type": "object"})
    assert config(request) == given


# -- thinking ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("thinking", "compat", "wanted"),
    [
        (Thinking("low"), Compat(), {"thinkingBudget": 2048, "includeThoughts": True}),
        (Thinking("off"), Compat(), {"thinkingBudget": 0}),
        (Thinking(budget_tokens=99), Compat(), {"thinkingBudget": 99, "includeThoughts": True}),
        (Thinking("off"), Compat(reasoning_effort_map={"off": "128"}), {"thinkingBudget": 128, "includeThoughts": True}),
        (Thinking("off"), Compat(thinking_format="gemini-always"), {"thinkingBudget": 128, "includeThoughts": True}),
        (Thinking("low"), LEVELS, {"thinkingLevel": "low", "includeThoughts": True}),
        (Thinking("medium"), LEVELS, {"thinkingLevel": "low", "includeThoughts": True}),
        (Thinking("off"), LEVELS, {"thinkingLevel": "low", "includeThoughts": True}),
        (Thinking("xhigh"), LEVELS, {"thinkingLevel": "high", "includeThoughts": True}),
        (Thinking(budget_tokens=99_999), LEVELS, {"thinkingLevel": "high", "includeThoughts": True}),
        (Thinking("xhigh"), Compat(supports_reasoning_effort=True), {"thinkingLevel": "high", "includeThoughts": True}),
    ],
)  # fmt: skip
def test_how_hard_to_think_is_said_in_the_models_own_measure(
    thinking: Thinking, compat: Compat, wanted: dict[str, Any]
) -> None:
    assert config(ask(thinking=thinking), compat)["thinkingConfig"] == wanted


def test_a_budget_made_from_a_level_leaves_half_of_the_answer() -> None:
    assert config(ask(thinking=Thinking("high"), max_tokens=1000))["thinkingConfig"]["thinkingBudget"] == 500


def test_a_server_that_takes_no_thinking_is_not_asked() -> None:
    compat = Compat(thinking_format="none")
    assert "generationConfig" not in wire.render_request(ask(thinking=Thinking("low")), compat)


@pytest.mark.parametrize(
    ("given", "effort", "budget"),
    [
        ({"thinkingBudget": 0}, "off", None),
        ({"thinkingBudget": -1}, None, None),
        ({"thinkingBudget": 99, "includeThoughts": True}, None, 99),
        ({"thinkingLevel": "HIGH"}, "high", None),
        ({"includeThoughts": True}, None, None),
    ],
)
def test_a_callers_thinking_is_read_and_comes_back_as_it_was(
    given: Any, effort: str | None, budget: int | None
) -> None:
    request = read(generationConfig={"thinkingConfig": given})
    assert request.thinking
    assert (request.thinking.effort, request.thinking.budget_tokens) == (effort, budget)
    assert config(request, LEVELS)["thinkingConfig"] == given


def test_a_level_that_the_model_has_not_is_named() -> None:
    assert wire.find_losses(ask(thinking=Thinking("off")), LEVELS) == ("thinking: off becomes low",)
    assert wire.find_losses(ask(thinking=Thinking(budget_tokens=9999)), LEVELS) == (
        "thinking: medium becomes low",
        "thinking.budget: as the level low",
    )
    always = Compat(thinking_format="gemini-always")
    assert wire.find_losses(ask(thinking=Thinking("off")), always) == ("thinking: off becomes 128 tokens",)
    assert wire.find_losses(ask(thinking=Thinking("low")), LEVELS) == ()
    assert wire.find_losses(ask(thinking=Thinking("low"))) == ()


# -- other doors -------------------------------------------------------------------


def test_vertex_takes_the_same_body_and_a_token() -> None:
    assert vertex.render_request(ask()) == wire.render_request(ask())
    assert vertex.auth_headers("t") == {"authorization": "Bearer t"}
    assert wire.auth_headers("k") == {"x-goog-api-key": "k"}


def test_cloud_code_puts_a_request_into_an_envelope() -> None:
    thoughts = Message.assistant(ThinkingBlock("Hm."), ThinkingBlock("Hm.", "c2ln"), "Yes")
    request = ask(Message.user("Hi"), thoughts, extras={"project": "p", "labels": {"a": "b"}})
    body = cloud_code.render_request(request)
    assert (body["project"], body["model"], body["request"]["labels"]) == ("p", "gemini", {"a": "b"})
    assert [part.get("thoughtSignature") for part in body["request"]["contents"][1]["parts"]] == ["c2ln", None]
    back = cloud_code.parse_request(json.dumps(body))
    assert (back.model, back.extras) == ("gemini", {"project": "p"})
    assert cloud_code.render_request(back) == body


def test_a_request_to_cloud_code_that_is_no_json_is_refused() -> None:
    with pytest.raises(InvalidRequest):
        cloud_code.parse_request(b"{")
