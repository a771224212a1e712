"""Streams on OpenAI's chat wire: read however a server cuts them, written as clients expect."""

from __future__ import annotations

import json
from typing import Any

import pytest

from jackfield import errors
from jackfield.errors import BadReply, ContextLength, Error, RateLimit, StreamBroken
from jackfield.events import BlockDelta, BlockEnd, BlockStart, MessageEnd, MessageStart
from jackfield.message import (
    AudioBlock,
    ChatRequest,
    ChatResponse,
    Citation,
    ImageBlock,
    Message,
    OpaqueBlock,
    RefusalBlock,
    TextBlock,
    ThinkingBlock,
    ToolCall,
    Usage,
)
from jackfield.protocols import openai_completions as wire
from jackfield.protocols.sse import SseDecoder
from tests.protocols.conformance import Heard, render_stream

STOP = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}


def chunk(**delta: Any) -> dict[str, Any]:
    return {"id": "1", "model": "gpt", "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}


def calls(*entries: dict[str, Any]) -> dict[str, Any]:
    return chunk(tool_calls=list(entries))


def said(*chunks: dict[str, Any] | str, done: bool = True) -> bytes:
    lines = [step if isinstance(step, str) else json.dumps(step) for step in chunks]
    return "".join(f"data: {line}\n\n" for line in [*lines, *["[DONE]"] * done]).encode()


def hear(*chunks: dict[str, Any] | str, done: bool = True) -> ChatResponse:
    heard = Heard(wire, [said(*chunks, done=done)])
    assert heard.error is None
    return heard.reply


def fail(*chunks: dict[str, Any] | str, done: bool = False) -> Error:
    heard = Heard(wire, [said(*chunks, done=done)])
    assert heard.error is not None
    return heard.error


# -- words -------------------------------------------------------------------------


def test_words_come_as_they_are_heard() -> None:
    parser = wire.StreamParser()
    events = list(parser.feed(said(chunk(role="assistant", content=""), done=False)))
    events += parser.feed(said(chunk(content="Hi"), done=False))
    assert events == [MessageStart("1", "gpt"), BlockStart(0, TextBlock("")), BlockDelta(0, "Hi")]
    assert parser.feed(said(STOP)) == (BlockEnd(0), MessageEnd("stop"))
    assert parser.close() == ()


def test_thoughts_and_words_take_turns() -> None:
    reply = hear(chunk(reasoning="Hm"), chunk(reasoning="."), chunk(content="Hi"), chunk(reasoning="Oh"), STOP)
    assert [type(block).__name__ for block in reply.content] == ["ThinkingBlock", "TextBlock", "ThinkingBlock"]
    assert reply.content[0] == ThinkingBlock("Hm.", opaque={wire.NAME: {"field": "reasoning"}})


def test_details_of_thoughts_are_put_together_for_their_way_back() -> None:
    detail = {"type": "reasoning.text", "format": "anthropic-claude-v1", "index": 0}
    reply = hear(
        chunk(reasoning="Hm", reasoning_details=[{**detail, "text": "Hm"}]),
        chunk(reasoning=".", reasoning_details=[{**detail, "text": "."}]),
        chunk(reasoning_details=[{**detail, "signature": "c2ln"}]),
        chunk(content="Hi"),
        STOP,
    )
    thought = reply.content[0]
    assert isinstance(thought, ThinkingBlock)
    assert (thought.text, thought.signature) == ("Hm.", "c2ln")
    whole = [{**detail, "text": "Hm.", "signature": "c2ln"}]
    assert thought.opaque == {wire.NAME: {"field": "reasoning", "details": whole}}


def test_details_without_words_are_kept_at_the_end() -> None:
    detail = {"type": "reasoning.encrypted", "data": "eA==", "format": "google-gemini-v1", "index": 0}
    words, thought = hear(chunk(content="Hi"), chunk(reasoning_details=[detail]), STOP).content
    assert words == TextBlock("Hi")
    assert thought == ThinkingBlock("", redacted=True, opaque={wire.NAME: {"details": [detail]}})


def test_mistrals_parts_are_thoughts_and_words() -> None:
    part = {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}
    reply = hear(chunk(content=[part]), chunk(content=[{"type": "text", "text": "Hi"}]), chunk(content="!"), STOP)
    assert (reply.thinking, reply.text) == ("Hm.", "Hi!")
    echo = wire.render_request(ChatRequest(model="m", messages=[Message("assistant", reply.content)]))
    assert echo["messages"][0]["content"] == [part, {"type": "text", "text": "Hi!"}]


def test_a_part_we_have_no_value_for_arrives_whole() -> None:
    part = {"type": "reference", "reference_ids": [1]}
    reply = hear(chunk(content=[{"type": "text", "text": "Hi"}, part]), STOP)
    assert reply.content == (TextBlock("Hi"), OpaqueBlock(wire.NAME, part))


def test_a_refusal_pictures_and_speech_arrive() -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}}
    reply = hear(
        chunk(refusal="N"),
        chunk(refusal="o"),
        chunk(images=[image]),
        chunk(audio={"id": "a", "data": "aG", "transcript": "H"}),
        chunk(audio={"data": "k=", "transcript": "i"}),
        STOP,
    )
    assert reply.content[:2] == (RefusalBlock("No"), ImageBlock("image/png", "aGk="))
    sound = reply.content[2]
    assert isinstance(sound, AudioBlock)
    assert sound.data == "aGk="
    assert sound.opaque == {wire.NAME: {"audio": {"id": "a", "transcript": "Hi"}}}


def test_citations_end_with_the_words_they_belong_to() -> None:
    notes = [{"type": "url_citation", "url_citation": {"url": "x"}}]
    reply = hear(chunk(content="Hi", annotations=notes), chunk(annotations=notes), STOP)
    held = {wire.NAME: {"message": {"annotations": notes * 2}}}
    assert reply.content == (TextBlock("Hi", opaque=held, citations=[Citation("x")] * 2),)


# -- tool calls --------------------------------------------------------------------


def entry(index: int | None, call_id: str | None, name: str | None, arguments: str | None) -> dict[str, Any]:
    """Write one entry of `tool_calls`; the index is left out when it is -1."""
    held = {"index": index, "id": call_id, "function": {"name": name, "arguments": arguments}}
    return {key: value for key, value in held.items() if (key, value) != ("index", -1)}


WANTED = [("a", "f", '{"x":1}'), ("b", "g", '{"y":2}')]
CUTS = {
    "as OpenAI does": [
        [entry(0, "a", "f", "")], [entry(0, None, None, '{"x"')], [entry(0, None, None, ":1}")],
        [entry(1, "b", "g", "")], [entry(1, None, None, '{"y":2}')],
    ],
    "in one piece": [[entry(0, "a", "f", '{"x":1}'), entry(1, "b", "g", '{"y":2}')]],
    "interleaved": [
        [entry(0, "a", "f", ""), entry(1, "b", "g", "")], [entry(1, None, None, '{"y"')], [entry(0, None, None, '{"x"')],
        [entry(1, None, None, ":2}")], [entry(0, None, None, ":1}")],
    ],
    "every index 0": [[entry(0, "a", "f", '{"x":1}')], [entry(0, "b", "g", '{"y":2}')]],
    "every index 0, in pieces": [
        [entry(0, "a", "f", '{"x"')], [entry(0, "a", None, ":1}")], [entry(0, "b", "g", '{"y"')], [entry(0, "b", None, ":2}")],
    ],
    "no index": [
        [entry(-1, "a", "f", '{"x"')], [entry(-1, None, None, ":1}")], [entry(-1, "b", "g", ""), entry(-1, "b", None, '{"y":2}')],
    ],
    "name and id said again": [
        [entry(0, "a", "f", "")], [entry(0, "a", "f", '{"x"')], [entry(0, "a", "f", ":1}")], [entry(1, "b", "g", '{"y":2}')],
    ],
    "name late": [
        [entry(0, "a", None, "")], [entry(0, None, "", '{"x"')], [entry(0, None, "f", ":1}")], [entry(1, "b", "g", '{"y":2}')],
    ],
    "id late": [
        [entry(0, "", "f", None)], [entry(0, "a", None, '{"x":1}')], [entry(1, None, "g", "")], [entry(1, "b", "", '{"y":2}')],
    ],
    "another id without a name": [[entry(0, "a", "f", '{"x"')], [entry(0, "zzz", None, ":1}")], [entry(1, "b", "g", '{"y":2}')]],
}  # fmt: skip


@pytest.mark.parametrize("cuts", CUTS.values(), ids=CUTS)
def test_calls_are_put_together_however_they_are_cut(cuts: list[list[dict[str, Any]]]) -> None:
    reply = hear(*(calls(*entries) for entries in cuts), STOP)
    assert [(call.id, call.name, call.arguments) for call in reply.tool_calls] == WANTED
    assert reply.finish_reason == "tool_calls"


@pytest.mark.parametrize(
    "entries",
    [
        [{"index": 0, "function": {"name": "f"}}],
        [{"index": 0, "id": None, "type": None, "function": {"name": "f", "arguments": ""}}],
        [{"function": {"name": "f", "arguments": None}}],
        [{"index": 0, "type": "function", "function": {"name": "f", "arguments": {}}}],
    ],
)
def test_a_call_without_arguments_or_id_has_both(entries: list[dict[str, Any]]) -> None:
    assert hear(calls(*entries), STOP).tool_calls == (ToolCall("call_1_0", "f", "{}"),)


def test_two_calls_without_ids_under_one_index_are_two() -> None:
    reply = hear(calls(entry(0, "", "f", '{"x":1}')), calls(entry(0, "", "f", '{"x":2}')), STOP)
    assert [call.arguments for call in reply.tool_calls] == ['{"x":1}', '{"x":2}']
    assert len({call.id for call in reply.tool_calls}) == 2


def test_calls_stay_open_until_the_end_and_end_once() -> None:
    heard = Heard(wire, [said(calls(entry(0, "a", "f", "{}")), calls(entry(1, "b", "g", "{}")), STOP)])
    ends = [event.index for event in heard.events if isinstance(event, BlockEnd)]
    assert ends == [0, 1]
    assert isinstance(heard.events[-1], MessageEnd)


def test_fields_of_a_call_are_kept() -> None:
    signed = {**entry(0, "a", "f", "{}"), "extra_content": {"google": {"thought_signature": "eA=="}}}
    call = hear(calls(signed), STOP).tool_calls[0]
    assert call.opaque == {wire.NAME: {"extra_content": {"google": {"thought_signature": "eA=="}}}}


def test_a_custom_call_and_one_of_the_first_days_are_calls() -> None:
    custom = {"index": 0, "id": "a", "type": "custom", "custom": {"name": "grep", "input": "x"}}
    call = hear(calls(custom), calls({"index": 0, "custom": {"input": "|y"}}), STOP).tool_calls[0]
    assert (call.name, call.arguments, call.opaque) == ("grep", "x|y", {wire.NAME: {"type": "custom"}})
    old = [chunk(function_call={"name": "f", "arguments": ""}), chunk(function_call={"arguments": "{}"})]
    assert hear(*old, STOP).tool_calls == (ToolCall("call_1_0", "f", "{}"),)


# -- usage, the start, the end -----------------------------------------------------


def usage(prompt: int | None, output: int | None) -> dict[str, Any]:
    return {"prompt_tokens": prompt, "completion_tokens": output}


@pytest.mark.parametrize(
    "chunks",
    [
        [chunk(content="Hi"), STOP, {"choices": [], "usage": usage(9, 2)}],
        [chunk(content="Hi"), {**STOP, "usage": usage(9, 2)}],
        [{**chunk(content="Hi"), "usage": usage(9, 1)}, {**STOP, "usage": usage(9, 2)}],
        [{**chunk(content="Hi"), "usage": usage(9, 2)}, {**STOP, "usage": None}],
        [{**chunk(content="Hi"), "usage": usage(9, 2)}, {**STOP, "usage": usage(9, None)}],
        [chunk(content="Hi"), {**STOP, "x_groq": {"usage": usage(9, 2)}}],
        [chunk(content="Hi"), {"choices": [{**STOP["choices"][0], "usage": usage(9, 2)}]}],
    ],
)
def test_the_last_count_is_the_usage_wherever_it_stands(chunks: list[dict[str, Any]]) -> None:
    assert hear(*chunks).usage == Usage(9, 2)


def test_no_count_is_unknown_and_zero_is_zero() -> None:
    assert hear(chunk(content="Hi"), STOP).usage == Usage()
    assert hear(chunk(content="Hi"), {**STOP, "usage": usage(0, 0)}).usage == Usage(0, 0)


def test_a_first_chunk_about_the_prompt_alone_waits_for_the_reply() -> None:
    first = {"id": "", "model": "", "choices": [], "prompt_filter_results": [{"prompt_index": 0}]}
    reply = hear(first, chunk(content="Hi"), STOP)
    assert (reply.id, reply.model) == ("1", "gpt")
    assert reply.extras == {"prompt_filter_results": [{"prompt_index": 0}]}


def test_logprobs_and_other_choices_add_up_in_the_extras() -> None:
    def choice(index: int, text: str, reason: str | None = None) -> dict[str, Any]:
        return {"index": index, "delta": {"content": text}, "logprobs": {"content": [text]}, "finish_reason": reason}

    chunks = [
        {"id": "1", "choices": [choice(0, "H"), choice(1, "T")]},
        {"choices": [choice(1, "wo", "stop"), choice(0, "i", "stop")]},
    ]
    reply = hear(*chunks)
    assert reply.text == "Hi"
    other = {"index": 1, "message": {"content": "Two"}, "logprobs": {"content": ["T", "wo"]}, "finish_reason": "stop"}
    assert reply.extras["choices"] == [{"logprobs": {"content": ["H", "i"]}}, other]


def test_a_reply_is_complete_with_its_reason_even_without_done() -> None:
    assert hear(chunk(content="Hi"), STOP, done=False).text == "Hi"


def test_a_reply_that_counted_its_tokens_and_said_done_is_complete() -> None:
    assert hear(chunk(content="Hi"), {"choices": [], "usage": usage(9, 2)}).finish_reason == "stop"


@pytest.mark.parametrize("done", [True, False])
def test_a_reply_without_a_reason_is_broken_and_keeps_what_was_heard(done: bool) -> None:
    error = fail(chunk(content="Hi"), done=done)
    assert isinstance(error, StreamBroken)
    assert error.partial is not None
    assert error.partial.text == "Hi"


def test_what_comes_after_done_is_not_heard() -> None:
    assert hear(chunk(content="Hi"), STOP, "[DONE]", chunk(content="!")).text == "Hi"


def test_an_event_that_is_no_json_is_skipped_and_a_stream_of_them_is_none() -> None:
    assert hear(chunk(content="H"), '{"choices":[{"del', chunk(content="i"), STOP).text == "Hi"
    error = fail('{"choices":[{"del', "junk")
    assert isinstance(error, BadReply)
    assert "del" in error.message


@pytest.mark.parametrize(
    ("data", "says"), [(b"", "empty"), (b"\n\n", "empty"), (b"<html>Oops", "Oops"), (b": ping\n\n", "ping")]
)
def test_what_is_no_stream_is_no_reply(data: bytes, says: str) -> None:
    for heard in (Heard(wire, [data]), Heard(wire, [data[:1], data[1:]])):
        assert isinstance(heard.error, BadReply)
        assert says in str(heard.error)


# -- errors ------------------------------------------------------------------------


def test_an_error_among_the_events_is_raised_with_what_was_heard() -> None:
    error = fail(chunk(content="Hi"), {"error": {"message": "busy", "code": 429}}, chunk(content="!"), STOP)
    assert isinstance(error, RateLimit)
    assert error.partial is not None
    assert error.partial.text == "Hi"


def test_words_before_an_error_in_the_same_bytes_are_not_lost() -> None:
    parser = wire.StreamParser()
    data = said(chunk(content="Hi"), {"error": "busy"}, done=False)
    assert BlockDelta(0, "Hi") in parser.feed(data)
    with pytest.raises(errors.ServerError):
        parser.feed(b"")
    with pytest.raises(errors.ServerError):
        parser.close()


def test_an_error_first_is_raised_at_once() -> None:
    with pytest.raises(ContextLength):
        wire.StreamParser().feed(said({"error": {"message": "Context length exceeded"}}, done=False))


@pytest.mark.parametrize("pieces", [1, 7])
def test_a_whole_reply_instead_of_a_stream_is_read_too(pieces: int) -> None:
    body = wire.render_response(ChatResponse(id="1", content=[TextBlock("Hi")]))
    data = b"\n" + json.dumps(body).encode()
    size = len(data) // pieces + 1
    assert Heard(wire, [data[at : at + size] for at in range(0, len(data), size)]).reply.text == "Hi"
    heard = Heard(wire, [b'{"error": {"message": "nope", "code": 401}}'])
    assert isinstance(heard.error, errors.AuthError)


# -- written -----------------------------------------------------------------------


def chunks_of(data: bytes) -> list[Any]:
    events = [event.data for event in SseDecoder().feed(data)]
    return [event if event == "[DONE]" else json.loads(event) for event in events]


def test_a_stream_is_written_as_openai_does() -> None:
    events = [
        MessageStart("1", "gpt", {"created": 7}),
        BlockStart(0, ThinkingBlock("")), BlockDelta(0, "Hm."), BlockEnd(0),
        BlockStart(1, TextBlock("")), BlockDelta(1, "Hi"), BlockEnd(1),
        BlockStart(2, ToolCall("a", "f", "")), BlockDelta(2, '{"x":1}'), BlockEnd(2),
        MessageEnd("tool_calls", Usage(3, 6)),
    ]  # fmt: skip
    *written, last = chunks_of(render_stream(wire, events))
    assert last == "[DONE]"
    assert all((c["id"], c["object"], c["created"]) == ("1", "chat.completion.chunk", 7) for c in written)
    deltas = [choice["delta"] for c in written for choice in c["choices"]]
    function = {"name": "f", "arguments": ""}
    assert deltas == [
        {"role": "assistant", "content": ""},
        {"reasoning_content": "Hm."},
        {"content": "Hi"},
        {"tool_calls": [{"index": 0, "id": "a", "type": "function", "function": function}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": '{"x":1}'}}]},
        {},
    ]
    assert written[-2]["choices"][0]["finish_reason"] == "tool_calls"
    assert (written[-1]["choices"], written[-1]["usage"]["total_tokens"]) == ([], 9)


def test_usage_is_left_out_for_a_caller_who_did_not_ask() -> None:
    renderer = wire.StreamRenderer(include_usage=False)
    data = renderer.feed(MessageStart("1", "gpt")) + renderer.feed(MessageEnd("stop", Usage(3, 6)))
    assert b"usage" not in data


def test_a_signed_thought_carries_its_signature_to_the_caller() -> None:
    events = [
        BlockStart(0, ThinkingBlock("")), BlockDelta(0, "Hm"), BlockDelta(0, "."), BlockEnd(0, "c2ln"),
        BlockStart(1, ThinkingBlock("", "ZGF0YQ==", redacted=True)), BlockEnd(1), MessageEnd(),
    ]  # fmt: skip
    written = chunks_of(render_stream(wire, events))[:-1]
    details = [d for c in written for choice in c["choices"] for d in choice["delta"].get("reasoning_details", ())]
    claude = {"format": "anthropic-claude-v1"}
    assert details == [
        {"type": "reasoning.text", "text": "Hm.", "signature": "c2ln", "index": 0, **claude},
        {"type": "reasoning.encrypted", "data": "ZGF0YQ==", "index": 1, **claude},
    ]


def test_a_broken_stream_ends_with_an_error_and_without_done() -> None:
    renderer = wire.StreamRenderer()
    data = renderer.feed(MessageStart("1", "gpt")) + renderer.fail(StreamBroken("the provider hung up"))
    *_, last = chunks_of(data)
    assert last["error"]["message"] == "the provider hung up"
    assert isinstance(Heard(wire, [data]).error, errors.ServerError)


def test_what_a_block_ends_with_is_written() -> None:
    events = [
        MessageStart("1", "gpt"),
        BlockStart(0, TextBlock("")), BlockDelta(0, "Hi"), BlockEnd(0, None, {wire.NAME: {"message": {"annotations": [1]}}}),
        BlockStart(1, ToolCall("a", "f", "")), BlockDelta(1, "{}"), BlockEnd(1, None, {wire.NAME: {"extra_content": 2}}),
        MessageEnd("tool_calls", extras={"choices": [{"logprobs": 3}], "citations": ["x"]}),
    ]  # fmt: skip
    reply = Heard(wire, [render_stream(wire, events)]).reply
    words, call = reply.content
    assert (words, call) == (
        TextBlock("Hi"),
        ToolCall("a", "f", "{}", None, {wire.NAME: {"extra_content": 2, "message": {"annotations": [1]}}}),
    )
    assert (reply.extras["choices"], reply.extras["citations"]) == ([{"logprobs": 3}], ["x"])


def test_fields_of_a_message_without_words_come_before_its_end() -> None:
    events = [MessageStart("1", "gpt"), MessageEnd(extras={"message": {"annotations": [1]}, "citations": ["x"]})]
    *written, _ = chunks_of(render_stream(wire, events))
    assert [choice["delta"] for c in written for choice in c["choices"]][1] == {"annotations": [1]}
    assert (written[-1]["citations"], "message" in written[-1]) == (["x"], False)
    assert Heard(wire, [render_stream(wire, events)]).reply.extras["message"] == {"annotations": [1]}
