"""What a caller of each wire sends and reads, by the wire's own rules and none of the product's code."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from tests.gateway.serving import TOKEN

APIS = ("openai-completions", "openai-responses", "anthropic-messages", "google-generative-ai")


@dataclass
class Heard:
    """One answer as its caller understands it. `ended`: it says of itself that it is whole."""

    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: bytes = b""
    text: str = ""
    model: str = ""
    output: int = 0  # tokens
    ended: bool = False
    error: str = ""
    torn: bool = False  # the connection was cut

    @property
    def is_whole(self) -> bool:
        return self.status == 200 and self.ended and not self.error and not self.torn


def request_of(api: str, model: str, text: str, *, stream: bool) -> tuple[str, dict[str, Any]]:
    """Return path and body of a question."""
    said = [{"role": "user", "content": text}]
    match api:
        case "openai-completions":
            more = {"stream_options": {"include_usage": True}} if stream else {}
            return "/v1/chat/completions", {"model": model, "stream": stream, "messages": said, **more}
        case "openai-responses":
            return "/v1/responses", {"model": model, "stream": stream, "input": text}
        case "anthropic-messages":
            return "/v1/messages", {"model": model, "stream": stream, "max_tokens": 99, "messages": said}
        case _:
            verb = "streamGenerateContent?alt=sse" if stream else "generateContent"
            return f"/v1beta/models/{model}:{verb}", {"contents": [{"role": "user", "parts": [{"text": text}]}]}


async def ask(
    session: aiohttp.ClientSession, url: str, api: str, model: str, *, stream: bool, text: str = "Sixty words, please."
) -> Heard:
    """Ask and read the answer to its end, whatever that is."""
    path, body = request_of(api, model, text, stream=stream)
    heard = Heard()
    try:
        async with session.post(url + path, json=body, headers={"x-api-key": TOKEN}) as reply:
            heard.status, heard.headers = reply.status, reply.headers
            async for piece in reply.content.iter_any():
                heard.raw += piece
    except aiohttp.ClientPayloadError:
        heard.torn = True
    if heard.status != 200:
        heard.error = json.dumps(json.loads(heard.raw)["error"])
    elif stream:
        for name, data in events_of(heard.raw):
            if data is None:
                heard.ended = True
            else:
                READERS[api](heard, name, data)
    else:
        heard.ended = True
        WHOLES[api](heard, json.loads(heard.raw))
    return heard


def events_of(raw: bytes) -> Iterator[tuple[str, Any]]:
    """Yield an SSE body's events; whatever is no JSON but OpenAI's end fails the test."""
    for event in raw.decode().replace("\r\n", "\n").split("\n\n"):
        lines = [line.partition(":") for line in event.split("\n") if line and not line.startswith(":")]
        fields = {name: value.strip() for name, _, value in lines}
        if data := fields.get("data"):
            yield fields.get("event", ""), None if data == "[DONE]" else json.loads(data)


# -- streams -------------------------------------------------------------------------


def _read_chat(heard: Heard, _: str, data: Any) -> None:
    if "error" in data:
        heard.error = json.dumps(data["error"])
        return
    heard.model = data.get("model") or heard.model
    heard.output = (data.get("usage") or {}).get("completion_tokens") or heard.output
    for choice in data["choices"]:
        heard.text += choice["delta"].get("content") or ""


def _read_response(heard: Heard, name: str, data: Any) -> None:
    assert name == data["type"]
    if name == "response.output_text.delta":
        heard.text += data["delta"]
    elif name in {"error", "response.failed"}:
        heard.error = json.dumps(data)
    elif name in {"response.completed", "response.incomplete"}:
        heard.ended = True
        heard.model = data["response"]["model"]
        heard.output = data["response"]["usage"]["output_tokens"]


def _read_message(heard: Heard, name: str, data: Any) -> None:
    assert name == data["type"]
    if name == "message_start":
        heard.model = data["message"]["model"]
    elif name == "content_block_delta":
        heard.text += data["delta"].get("text", "")
    elif name == "message_delta":
        heard.output = data["usage"]["output_tokens"]
    elif name == "message_stop":
        heard.ended = True
    elif name == "error":
        heard.error = json.dumps(data["error"])


def _read_gemini(heard: Heard, _: str, data: Any) -> None:
    if "error" in data:
        heard.error = json.dumps(data["error"])
        return
    heard.model = data.get("modelVersion") or heard.model
    heard.output = data.get("usageMetadata", {}).get("candidatesTokenCount") or heard.output
    for candidate in data.get("candidates", ()):
        heard.text += "".join(part.get("text", "") for part in candidate.get("content", {}).get("parts", ()))
        heard.ended = heard.ended or bool(candidate.get("finishReason"))


READERS: dict[str, Callable[[Heard, str, Any], None]] = dict(
    zip(APIS, (_read_chat, _read_response, _read_message, _read_gemini), strict=True)
)

# -- whole answers -------------------------------------------------------------------


def _take_chat(heard: Heard, data: Any) -> None:
    heard.text, heard.model = data["choices"][0]["message"]["content"], data["model"]
    heard.output = data["usage"]["completion_tokens"]


def _take_response(heard: Heard, data: Any) -> None:
    heard.text = "".join(part["text"] for item in data["output"] for part in item.get("content", ()))
    heard.model, heard.output = data["model"], data["usage"]["output_tokens"]


def _take_message(heard: Heard, data: Any) -> None:
    heard.text, heard.model = data["content"][0]["text"], data["model"]
    heard.output = data["usage"]["output_tokens"]


def _take_gemini(heard: Heard, data: Any) -> None:
    _read_gemini(heard, "", data)


WHOLES: dict[str, Callable[[Heard, Any], None]] = dict(
    zip(APIS, (_take_chat, _take_response, _take_message, _take_gemini), strict=True)
)
