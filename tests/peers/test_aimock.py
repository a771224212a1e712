"""Every wire aimock speaks, spoken to a server that others wrote for it: words, streams, tools, refusals."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from jackfield.client import AsyncClient
from jackfield.errors import RateLimit, StreamBroken
from jackfield.message import ChatRequest, ChatResponse, Message, TextBlock, Tool, ToolResult
from tests.pulse import Day

# Wire → its base URL below aimock's address, and a model's name it takes.
WIRES = {
    "openai-completions": ("/v1", "gpt-4o"),
    "openai-responses": ("/v1", "gpt-4o"),
    "azure-openai-responses": ("/openai/v1", "gpt-4o"),
    "anthropic-messages": ("", "claude-sonnet-4-5"),
    "google-generative-ai": ("/v1beta", "gemini-2.5-flash"),
    "google-vertex": ("/v1/projects/p/locations/l/publishers/google", "gemini-2.5-flash"),
    "ollama": ("", "llama3"),
    "bedrock-converse-stream": ("", "anthropic.claude-haiku-4-5-20251001-v1:0"),
    "cohere": ("/v2", "command-a"),
}
TOOLS = [
    Tool("get_weather", "Say the weather", {"type": "object", "properties": {"city": {"type": "string"}}}),
    Tool("get_time", "Say the time", {"type": "object", "properties": {"tz": {"type": "string"}}}),
]
HELLO = "Hello from somebody else's server."
wires = pytest.mark.parametrize("wire", WIRES)


@pytest.fixture
def ask(aimock: str, home: Path) -> Any:
    """Return a function that asks over a wire and returns the reply, streamed or whole."""

    async def asked(wire: str, *messages: Message, stream: bool = False, **fields: Any) -> ChatResponse:
        path, model = WIRES[wire]
        row = {"id": model, "name": model, "reasoning": True, "input": ["text", "image"]}
        provider = {"baseUrl": f"{aimock}{path}", "api": wire, "apiKey": "key", "models": [row]}
        async with AsyncClient({"models": {"providers": {"peer": provider}}}, pulse=Day().pulse) as client:
            request = ChatRequest(model=f"peer/{model}", messages=messages, **fields)
            return await (client.stream(request).response() if stream else client.chat(request))

    return asked


@wires
async def test_a_whole_reply_comes_over_every_wire(wire: str, ask: Any) -> None:
    reply = await ask(wire, Message.user("Hi"))
    assert (reply.text, reply.finish_reason) == (HELLO, "stop")


@wires
async def test_a_streamed_reply_comes_over_every_wire(wire: str, ask: Any) -> None:
    reply = await ask(wire, Message.user("Hi"), stream=True)
    assert (reply.text, reply.finish_reason) == (HELLO, "stop")


@wires
@pytest.mark.parametrize("stream", [False, True])
async def test_two_tools_are_called_and_answered(wire: str, stream: bool, ask: Any) -> None:
    question = Message.user("#weather")
    reply = await ask(wire, question, stream=stream, tools=TOOLS)
    assert reply.finish_reason == "tool_calls"
    calls = [(call.name, json.loads(call.arguments)) for call in reply.tool_calls]
    assert calls == [("get_weather", {"city": "Paris"}), ("get_time", {"tz": "Europe/Paris"})]
    results = [ToolResult(call.id, [TextBlock("mild")], name=call.name) for call in reply.tool_calls]
    last = await ask(wire, question, Message("assistant", reply.content), Message("user", results), tools=TOOLS)
    assert last.text == "It is mild in Paris."


@wires
@pytest.mark.parametrize("stream", [False, True])
async def test_a_rate_limit_is_one_on_every_wire(wire: str, stream: bool, ask: Any) -> None:
    with pytest.raises(RateLimit, match="Rate limit reached"):
        await ask(wire, Message.user("#limit"), stream=stream)


@wires
async def test_a_stream_that_is_cut_is_broken_on_every_wire(wire: str, ask: Any) -> None:
    with pytest.raises(StreamBroken) as caught:
        await ask(wire, Message.user("#cut"), stream=True)
    assert caught.value.partial
    assert caught.value.partial.text.startswith("this ")


# This server's own slips: in Cohere's shape thoughts are words, in Ollama's they have OpenAI's name.
@pytest.mark.parametrize("wire", [wire for wire in WIRES if wire not in {"cohere", "ollama"}])
@pytest.mark.parametrize("stream", [False, True])
async def test_thoughts_are_told_from_words(wire: str, stream: bool, ask: Any) -> None:
    reply = await ask(wire, Message.user("#think"), stream=stream)
    assert (reply.thinking, reply.text) == ("Let me think step by step.", "The answer is 42.")
