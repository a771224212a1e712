"""Mistral's own client as the judge of its dialect: it reads what we write, and its models take what we ask."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from mistralai.client import Mistral, errors, models
from msgspec.structs import replace

import jackfield.catalog
from jackfield.errors import AuthError, StreamBroken
from jackfield.events import split_events
from jackfield.message import (
    AudioBlock,
    ChatRequest,
    ChatResponse,
    DocumentBlock,
    ImageBlock,
    Message,
    RefusalBlock,
    ResponseFormat,
    TextBlock,
    Thinking,
    ThinkingBlock,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    Usage,
    VideoBlock,
)
from jackfield.model import Compat
from jackfield.protocols import openai_completions as wire
from tests.patience import PATIENCE_S
from tests.protocols.conformance import Heard
from tests.servers import json_reply, serve, stream_reply

ROW = tomllib.loads(
    (Path(jackfield.catalog.__file__).parent / "data" / "mistral.toml").read_text(encoding="utf-8"))  # fmt: skip
COMPAT = msgspec.convert(ROW["compat"], Compat)
REPLY = ChatResponse(
    id="r1",
    model="mistral-small",
    content=[
        TextBlock("It is mild."),
        ToolCall("abcdefghi", "weather", '{"city":"Rom"}'),
        ToolCall("jklmnopqr", "now", "{}"),
    ],
    finish_reason="tool_calls",
    usage=Usage(3, 6),
    extras={"created": 1700000000},
)
WEATHER = Tool(
    "weather", "Tell the weather.", {"type": "object", "properties": {"city": {"type": "string"}}}, strict=True
)
THOUGHT = {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}], "signature": "s1g", "closed": True}


# -- it reads what we write --------------------------------------------------------


@contextmanager
def client(*replies: Any) -> Iterator[Mistral]:
    with (
        serve(*replies) as server,
        Mistral(server_url=server.url, api_key="k", timeout_ms=int(PATIENCE_S * 1000)) as sdk,
    ):
        yield sdk


QUESTION: Any = {"model": "mistral-small", "messages": [{"role": "user", "content": "Hi"}]}


def test_mistrals_client_reads_a_whole_reply() -> None:
    with client(json_reply(wire.render_response(REPLY))) as sdk:
        reply = sdk.chat.complete(**QUESTION)
    choice = reply.choices[0]
    assert (reply.id, reply.model, choice.finish_reason) == ("r1", "mistral-small", "tool_calls")
    assert choice.message.content == "It is mild."
    called = [(call.id, call.function.name, call.function.arguments) for call in choice.message.tool_calls or ()]
    assert called == [("abcdefghi", "weather", '{"city":"Rom"}'), ("jklmnopqr", "now", "{}")]
    assert (reply.usage.prompt_tokens, reply.usage.completion_tokens, reply.usage.total_tokens) == (3, 6, 9)


def test_mistrals_client_reads_a_stream() -> None:
    renderer = wire.StreamRenderer(names_pieces=True)
    data = b"".join(map(renderer.feed, split_events(REPLY))) + renderer.close()
    pieces = [data[at : at + 50] for at in range(0, len(data), 50)]
    words, calls, reasons, counts = "", {}, [], []
    with client(stream_reply(*pieces)) as sdk, sdk.chat.stream(**QUESTION) as events:
        for event in events:
            counts += [event.data.usage.total_tokens] if event.data.usage else []
            for choice in event.data.choices:
                words += choice.delta.content or ""
                reasons += [choice.finish_reason] if choice.finish_reason else []
                for call in choice.delta.tool_calls or ():
                    calls[call.index] = calls.get(call.index, "") + str(call.function.arguments)
    assert (words, reasons, counts) == ("It is mild.", ["tool_calls"], [9])
    assert calls == {0: '{"city":"Rom"}', 1: "{}"}


def test_mistrals_client_reads_thoughts_that_its_own_server_wrote() -> None:
    said = {
        "index": 0,
        "finish_reason": "stop",
        "message": {"role": "assistant", "content": [THOUGHT, {"type": "text", "text": "Yes."}]},
    }
    used = {"prompt_tokens": 3, "completion_tokens": 6, "total_tokens": 9}
    reply = wire.parse_response({"id": "r", "model": "m", "choices": [said], "usage": used})
    assert (reply.thinking, reply.text) == ("Hm.", "Yes.")
    assert "reasoning_content" not in wire.render_response(reply)["choices"][0]["message"]  # said once
    with client(json_reply(wire.render_response(reply))) as sdk:
        thought, words = sdk.chat.complete(**QUESTION).choices[0].message.content  # type: ignore[misc]  # a list, as it was said
    assert isinstance(thought, models.ThinkChunk)
    assert (thought.thinking[0].text, thought.signature, thought.closed) == ("Hm.", "s1g", True)  # type: ignore[union-attr]  # its text
    assert isinstance(words, models.TextChunk)


def test_mistrals_client_raises_our_errors() -> None:
    status, body = wire.render_error(AuthError("who are you?"))
    with client(json_reply(body, status)) as sdk, pytest.raises(errors.SDKError, match="who are you"):
        sdk.chat.complete(**QUESTION)
    assert wire.StreamRenderer().fail(StreamBroken("gone")).startswith(b"data: ")


# -- its models take what we ask ---------------------------------------------------

ROLES = {
    "system": models.SystemMessage, "user": models.UserMessage, "assistant": models.AssistantMessage, "tool": models.ToolMessage,
}  # fmt: skip


def check(body: dict[str, Any]) -> models.ChatCompletionRequest:
    """Read a request as Mistral's models do; its server refuses a key that they do not name."""
    request = models.ChatCompletionRequest.model_validate(body)
    assert not body.keys() - models.ChatCompletionRequest.model_fields.keys()
    for said, message in zip(body["messages"], request.messages, strict=True):
        assert isinstance(message, ROLES[said["role"]])
        assert not said.keys() - type(message).model_fields.keys()
        assert not any(isinstance(chunk, models.UnknownContentChunk) for chunk in _chunks(message.content))
    return request


def _chunks(content: object) -> list[Any]:
    return content if isinstance(content, list) else []


def ask(*messages: Message, **fields: Any) -> dict[str, Any]:
    return wire.render_request(ChatRequest(model="mistral-small-latest", messages=messages, **fields), COMPAT)


def test_mistrals_models_take_every_field_we_send() -> None:
    request = check(ask(
        Message.user("Hi"), system=[TextBlock("Be brief.")], tools=[WEATHER], tool_choice=ToolChoice("required"),
        parallel_tools=False, max_tokens=9, temperature=0.5, top_p=0.9, presence_penalty=0.1, frequency_penalty=0.2,
        stop=["END"], seed=7, response_format=ResponseFormat({"type": "object"}), cache_key="c", stream=True,
    ))  # fmt: skip
    assert (request.random_seed, request.stream, request.max_tokens) == (7, True, 9)
    assert request.tool_choice == "required"
    assert request.tools[0].function.strict is True  # type: ignore[index,union-attr]  # a function it is


def test_a_seed_comes_in_under_its_own_name() -> None:
    body = {"model": "m", "messages": [], "random_seed": 7, "safe_prompt": True, "prompt_mode": "reasoning"}
    request = wire.parse_request(body)
    assert request.seed == 7
    assert wire.render_request(request, COMPAT) == body


def test_mistrals_models_take_files_pictures_and_sound() -> None:
    blocks = [
        DocumentBlock("application/pdf", "JVBERi0=", None, "a.pdf"), DocumentBlock(url="https://example.com/b.pdf"),
        ImageBlock("image/png", "iVBO"), AudioBlock("audio/mpeg", "SUQz"), AudioBlock(url="https://example.com/c.mp3"),
    ]  # fmt: skip
    request = check(ask(Message.user(*blocks)))
    pdf, page, picture, sound, heard = _chunks(request.messages[0].content)
    assert (pdf.document_url, pdf.document_name) == ("data:application/pdf;base64,JVBERi0=", "a.pdf")
    assert page.document_url == "https://example.com/b.pdf"
    assert picture.image_url.url == "data:image/png;base64,iVBO"
    assert (sound.input_audio, heard.input_audio) == ("SUQz", "https://example.com/c.mp3")
    asked = ChatRequest(model="m", messages=[Message.user(*blocks)])
    assert not wire.find_losses(asked, COMPAT)


def test_a_file_that_came_as_text_goes_to_another_server_of_this_wire_as_its_own() -> None:
    part = {"type": "document_url", "document_url": "data:application/pdf;base64,JVBERi0=", "document_name": "a.pdf"}
    request = wire.parse_request({"model": "m", "messages": [{"role": "user", "content": [part]}]})
    assert wire.render_request(request)["messages"][0]["content"] == [part]
    (sent,) = wire.render_request(request, Compat(media_parts="openai"))["messages"][0]["content"]
    assert sent == {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERi0="}}


def test_mistrals_models_take_a_conversation_with_tools_and_thoughts() -> None:
    history = wire.parse_response({"id": "r", "model": "m", "choices": [{"message": {
        "role": "assistant", "content": [THOUGHT], "tool_calls": [{"id": "call_too_long_for_mistral", "function": {"name": "weather", "arguments": "{}"}}],
    }}]})  # fmt: skip
    result = ToolResult("call_too_long_for_mistral", [TextBlock("mild")])
    request = check(ask(Message.user("Hi"), Message("assistant", history.content), Message.user(result, "And?")))
    _, said, answer, bridge, asked = request.messages
    assert isinstance(said, models.AssistantMessage)
    (thought,) = _chunks(said.content)
    assert (thought.signature, thought.thinking[0].text) == ("s1g", "Hm.")
    call_id = said.tool_calls[0].id  # type: ignore[index]  # there is one
    assert len(str(call_id)) == 9
    assert isinstance(answer, models.ToolMessage)
    assert (answer.tool_call_id, answer.name) == (call_id, "weather")
    assert isinstance(bridge, models.AssistantMessage)
    assert isinstance(asked, models.UserMessage)


def test_what_only_other_servers_take_of_a_turn_does_not_reach_mistral() -> None:
    deepseek = {"role": "assistant", "content": "Yes.", "reasoning_content": "Hm.", "annotations": [], "name": "bot"}
    turns = wire.parse_request(
        {"model": "m", "messages": [{"role": "user", "content": "Hi", "name": "me"}, deepseek]}
    ).messages
    request = check(ask(*turns, Message.user("And?"), Message.assistant(RefusalBlock("No.")), Message.user("Why?")))
    assert [message.content for message in request.messages] == ["Hi", "Yes.", "And?", "No.", "Why?"]


def test_what_mistral_has_no_part_for_is_left_out_and_told() -> None:
    film, drawn = VideoBlock("video/mp4", "AAAA"), ImageBlock("image/png", "iVBO")
    asked = ChatRequest(
        model="m", messages=[Message.user("Look:", film), Message.assistant("Nice.", drawn), Message.user("?")]
    )
    request = check(wire.render_request(asked, COMPAT))
    assert "left out" in _chunks(request.messages[0].content)[1].text
    assert request.messages[1].content == "Nice."
    assert wire.find_losses(asked, COMPAT) == ("video: left out", "image: not in the model's own turn")


def test_a_last_turn_of_the_model_is_marked_as_the_start_of_its_answer() -> None:
    request = check(ask(Message.user("Hi"), Message.assistant("Well,")))
    assert [getattr(message, "prefix", None) for message in request.messages] == [None, True]
    assert "prefix" not in ask(Message.assistant("Well,"), Message.user("And?"))["messages"][0]


@pytest.mark.parametrize(("level", "word"), [("off", "none"), ("low", "high"), ("high", "high")])
def test_a_level_is_one_that_the_model_takes(level: Any, word: str) -> None:
    compat = COMPAT.merged(Compat(supported_reasoning_efforts=("none", "high")))
    asked = ChatRequest(model="mistral-small-latest", messages=[Message.user("Hi")], thinking=Thinking(level))
    assert check(wire.render_request(asked, compat)).reasoning_effort == word


# -- its streams -------------------------------------------------------------------


def test_a_streamed_thought_goes_back_with_its_signature() -> None:
    def chunk(content: Any, reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": {"content": content}, "finish_reason": reason}
        return b"data: " + msgspec.json.encode({"id": "r", "model": "m", "choices": [choice]}) + b"\n\n"

    def thought(text: str, **more: Any) -> list[dict[str, Any]]:
        return [{"type": "thinking", "thinking": [{"type": "text", "text": text}], **more}]

    seen = {"type": "thinking", "thinking": [{"type": "reference", "reference_ids": [2]}]}
    data = chunk("") + chunk(thought("H")) + chunk([seen]) + chunk(thought("m.", signature="s1g", closed=True))
    data += chunk("Yes.", "stop")
    reference = [{"type": "reference", "reference_ids": [1]}]
    heard = Heard(wire, [data + chunk(reference) + b"data: [DONE]\n\n"])
    assert heard.error is None
    block, words, cited = heard.reply.content
    assert isinstance(block, ThinkingBlock)
    assert (block.text, block.signature) == ("Hm.", "s1g")
    body = ask(Message("assistant", heard.reply.content), Message.user("And?"))
    whole = {**THOUGHT, "thinking": [*THOUGHT["thinking"], *seen["thinking"]]}
    assert body["messages"][0]["content"] == [whole, {"type": "text", "text": "Yes."}, *reference]
    check(body)
    assert replace(block, opaque=None) == ThinkingBlock("Hm.", "s1g")
    assert words == TextBlock("Yes.")
    assert cited is not None
