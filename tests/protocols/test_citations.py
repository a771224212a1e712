"""Where an answer's words come from, on the two wires that have said it longest."""

from __future__ import annotations

import json
from typing import Any

import pytest

from jackfield.message import ChatResponse, Citation, Message, TextBlock, TokenLogprob
from jackfield.protocols import anthropic_messages as anthropic
from jackfield.protocols import openai_completions as openai
from tests.protocols.conformance import Heard

PAGE = "https://example.com/a"
SPAN = {"type": "url_citation", "url_citation": {"url": PAGE, "title": "A", "start_index": 0, "end_index": 2}}


def reply(message: dict[str, Any], **fields: Any) -> ChatResponse:
    choice = {"index": 0, "message": {"role": "assistant", "content": "Hi", **message}, "finish_reason": "stop"}
    return openai.parse_response({"id": "1", "model": "m", "choices": [choice], **fields})


def sources(response: ChatResponse) -> list[Citation]:
    return [one for block in response.content if isinstance(block, TextBlock) for one in block.citations]


@pytest.mark.parametrize(
    ("message", "fields", "read"),
    [
        ({"annotations": [SPAN]}, {}, [Citation(PAGE, "A", start=0, end=2)]),
        ({}, {"citations": [PAGE]}, [Citation(PAGE)]),
        ({}, {"citations": [PAGE], "search_results": [{"url": PAGE, "title": "A"}]}, [Citation(PAGE, "A")]),
        ({"annotations": [{"type": "file_citation"}, 7]}, {"citations": [7, {}]}, []),
    ],
)
def test_openais_wire_names_pages_in_three_ways(
    message: dict[str, Any], fields: dict[str, Any], read: list[Citation]
) -> None:
    found = reply(message, **fields)
    assert sources(found) == read
    again = openai.render_response(found)
    assert {name: again[name] for name in fields} == fields
    assert again["choices"][0]["message"].get("annotations") == message.get("annotations", _spans(read))


def _spans(read: list[Citation]) -> list[dict[str, Any]] | None:
    spans = [{"url": one.url, "title": one.title, "start_index": 0, "end_index": 2} for one in read]
    return [{"type": "url_citation", "url_citation": span} for span in spans] or None


def test_lists_beside_a_streams_choices_are_read_at_its_end() -> None:
    chunks = [
        {"id": "1", "model": "m", "citations": [PAGE], "choices": [{"index": 0, "delta": {"content": "Hi"}}]},
        {"id": "1", "model": "m", "citations": [PAGE], "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
    ]
    data = b"".join(b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks)
    assert sources(Heard(openai, [data]).reply) == [Citation(PAGE)]


@pytest.mark.parametrize(
    ("wire", "read"),
    [
        (
            {"type": "char_location", "cited_text": "x", "document_index": 1, "document_title": "T",
             "start_char_index": 3, "end_char_index": 4},
            Citation(title="T", cited="x", document=1),
        ),
        (
            {"type": "page_location", "cited_text": "x", "document_index": 0, "start_page_number": 1,
             "end_page_number": 2},
            Citation(cited="x", document=0),
        ),
        (
            {"type": "web_search_result_location", "cited_text": "x", "url": PAGE, "title": "A", "encrypted_index": "e"},
            Citation(PAGE, "A", "x"),
        ),
        (
            {"type": "search_result_location", "cited_text": "x", "source": PAGE, "title": "A",
             "search_result_index": 0, "start_block_index": 0, "end_block_index": 1},
            Citation(PAGE, "A", "x"),
        ),
    ],
)  # fmt: skip
def test_each_of_claudes_citations_is_read_and_goes_back_exactly(wire: dict[str, Any], read: Citation) -> None:
    content = [{"type": "text", "text": "Hi", "citations": [wire]}]
    found = anthropic.parse_response({"type": "message", "content": content, "stop_reason": "end_turn"})
    assert sources(found) == [read]
    request = anthropic.parse_request(
        {
            "model": "m",
            "max_tokens": 9,
            "messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": content}],
        }
    )
    assert anthropic.render_request(request)["messages"][1]["content"] == content


def test_a_source_of_another_wire_is_shown_to_claudes_client_and_not_sent_back_to_claude() -> None:
    shown = anthropic.render_response(reply({"annotations": [SPAN]}))["content"]
    assert shown[0]["citations"][0]["url"] == PAGE
    placed = anthropic.render_response(
        ChatResponse(content=[TextBlock("Hi", citations=[Citation(title="T", cited="x", document=0)])])
    )
    assert placed["content"][0]["citations"][0]["document_index"] == 0
    turns = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": shown}]
    sent = anthropic.render_request(anthropic.parse_request({"model": "m", "max_tokens": 9, "messages": turns}))
    assert sent["messages"][1]["content"] == [{"type": "text", "text": "Hi"}]


def test_a_source_of_another_wire_does_not_go_into_a_request() -> None:
    turn = Message.assistant(TextBlock("Hi", citations=[Citation(PAGE)]))
    for wire in (openai, anthropic):
        asked = wire.parse_request({"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]})
        body = wire.render_request(type(asked)(model="m", messages=[*asked.messages, turn, *asked.messages]))
        assert PAGE not in json.dumps(body)


# -- how likely each token was -----------------------------------------------------


def test_likelihoods_are_read_and_come_back_even_where_bytes_say_more() -> None:
    plain = {"token": "Hi", "logprob": -0.25, "bytes": [72, 105], "top_logprobs": []}
    odd = {"token": "\\xf0", "logprob": -0.5, "bytes": [240], "top_logprobs": []}
    for tokens in ([plain], [plain, odd]):
        choice = {"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}
        body = {"id": "1", "model": "m", "choices": [{**choice, "logprobs": {"content": tokens}}]}
        found = openai.parse_response(body)
        assert found.logprobs[0] == TokenLogprob("Hi", -0.25)
        assert openai.render_response(found)["choices"][0]["logprobs"] == {"content": tokens}
        assert ("choices" in found.extras) is (odd in tokens)
