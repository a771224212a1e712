"""Streams of every wire, written in every wire that callers speak: the vendors' own clients read the same."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest
from google import genai
from google.genai import types

from jackfield.message import ChatResponse
from jackfield.protocols import load
from jackfield.protocols.base import decode_object
from tests.protocols.conformance import STREAMS, Heard, load_cases, render_stream, sse_bytes
from tests.protocols.test_recordings import WIRES
from tests.servers import serve, sse_reply

QUESTION: Any = [{"role": "user", "content": "Hi"}]
EVERY = 40  # recordings of a folder, one of which is read
Read = tuple[str, list[tuple[str, Any]], bool]  # words, calls, whether it ends in calls


def read_chat(url: str) -> Read:
    sdk = openai.OpenAI(base_url=url, api_key="k", max_retries=0)
    with sdk, sdk.chat.completions.stream(model="m", messages=QUESTION) as events:
        choice = events.get_final_completion().choices[0]
    calls = [(call.function.name, json.loads(call.function.arguments)) for call in choice.message.tool_calls or ()]
    return choice.message.content or "", calls, choice.finish_reason == "tool_calls"


def read_response(url: str) -> Read:
    sdk = openai.OpenAI(base_url=url, api_key="k", max_retries=0)
    with sdk, sdk.responses.stream(model="m", input="Hi") as events:
        reply = events.get_final_response()
    calls: list[Any] = [
        (each.name, json.loads(each.arguments)) for each in reply.output if each.type == "function_call"
    ]
    assert reply.status == "completed"
    return reply.output_text, calls, bool(calls)


def read_message(url: str) -> Read:
    sdk = anthropic.Anthropic(base_url=url, api_key="k", max_retries=0)
    with sdk, sdk.messages.stream(model="m", max_tokens=9, messages=QUESTION) as events:
        reply = events.get_final_message()
    words = "".join(block.text for block in reply.content if block.type == "text")
    calls: list[Any] = [(block.name, block.input) for block in reply.content if block.type == "tool_use"]
    return words, calls, reply.stop_reason == "tool_use"


def read_content(url: str) -> Read:
    options = types.HttpOptions(base_url=url, api_version="v1beta")
    with genai.Client(api_key="k", http_options=options) as sdk:
        chunks = list(sdk.models.generate_content_stream(model="m", contents="Hi"))
    held = [chunk.candidates[0].content for chunk in chunks if chunk.candidates]
    parts = [part for content in held if content for part in content.parts or ()]
    words = "".join(part.text or "" for part in parts if not part.thought)
    calls = [(part.function_call.name or "", part.function_call.args or {}) for part in parts if part.function_call]
    return words, calls, bool(calls)


JUDGES: dict[str, Callable[[str], Read]] = {
    "openai-completions": read_chat, "openai-responses": read_response, "anthropic-messages": read_message, "google-generative-ai": read_content,
}  # fmt: skip


def is_whole(reply: ChatResponse) -> bool:
    """Tell a reply that no client refuses: some raise at one that was cut or filtered."""
    parsed = all(decode_object(call.arguments or "{}") is not None for call in reply.tool_calls)
    return reply.finish_reason in {"stop", "tool_calls"} and parsed and not reply.refusal


# Responses tells of moderation in another shape than chat, under the same name, which OpenAI's client warns of.
@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")
@pytest.mark.wire
@pytest.mark.parametrize("folder", WIRES)
@pytest.mark.parametrize("target", JUDGES)
def test_a_vendors_client_reads_another_wires_stream_as_it_was(folder: str, target: str, shared_wire: Path) -> None:
    ours, theirs = load(WIRES[folder]), load(target)
    cases = [case for case in load_cases(shared_wire / folder) if case.status < 400 and case.framing in STREAMS]
    heard = [Heard(ours, [sse_bytes(case)]) for case in cases[::EVERY]]
    heard = [each for each in heard if each.error is None and is_whole(each.reply)]
    with serve(*(sse_reply(render_stream(theirs, each.events)) for each in heard)) as server:
        read = [JUDGES[target](server.url) for _ in heard]
    for (words, calls, ends_in_calls), each in zip(read, heard, strict=True):
        said = each.reply
        assert words == said.text
        assert calls == [(call.name, decode_object(call.arguments or "{}")) for call in said.tool_calls]
        assert ends_in_calls == (said.finish_reason == "tool_calls")
    assert heard
