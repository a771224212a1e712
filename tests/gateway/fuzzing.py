"""What is no request, and nearly one: bodies of each wire changed in structure, any JSON, any bytes. For `scripts/fuzz.py`, too."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import aiohttp

from jackfield.errors import Error
from jackfield.protocols import PACKAGES, load
from tests.gateway.callers import APIS
from tests.gateway.serving import TOKEN, configured, provider

TEXT = {"type": "text", "text": "Hello"}
PICTURE = "data:image/png;base64,iVBORw0KGgo="
TOOL = {
    "name": "look",
    "description": "Looks.",
    "parameters": {"type": "object", "properties": {"at": {"type": "string"}}},
}
CHAT: dict[str, Any] = {
    "model": "box/m", "max_tokens": 9, "temperature": 0.5, "stream": False, "stop": ["x"], "user": "u", "n": 1,
    "stream_options": {"include_usage": True}, "tools": [{"type": "function", "function": TOOL}], "tool_choice": "auto",
    "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "object"}}},
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [TEXT, {"type": "image_url", "image_url": {"url": PICTURE}}]},
        {"role": "assistant", "content": None, "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{}"}}]},
        {"role": "tool", "tool_call_id": "c1", "content": "Seen."},
    ],
}  # fmt: skip
RESPONSES: dict[str, Any] = {
    "model": "box/m", "max_output_tokens": 9, "instructions": "Be brief.", "reasoning": {"effort": "low"},
    "text": {"format": {"type": "json_schema", "name": "x", "schema": {"type": "object"}}}, "tools": [{"type": "function", **TOOL}],
    "input": [
        {"role": "user", "content": [{"type": "input_text", "text": "Hi"}, {"type": "input_image", "image_url": PICTURE}]},
        {"type": "reasoning", "id": "r", "summary": [{"type": "summary_text", "text": "Well."}], "encrypted_content": "x"},
        {"type": "function_call", "call_id": "c1", "name": "look", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c1", "output": "Seen."},
    ],
}  # fmt: skip
MESSAGES: dict[str, Any] = {
    "model": "box/m", "max_tokens": 9, "system": [{**TEXT, "cache_control": {"type": "ephemeral"}}], "top_k": 4,
    "tools": [{"name": "look", "input_schema": TOOL["parameters"]}], "tool_choice": {"type": "auto"},
    "thinking": {"type": "enabled", "budget_tokens": 1024}, "metadata": {"user_id": "u"},
    "messages": [
        {"role": "user", "content": [TEXT, {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}}]},
        {"role": "assistant", "content": [{"type": "thinking", "thinking": "Hm", "signature": "s"}, {"type": "tool_use", "id": "c1", "name": "look", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c1", "content": [TEXT]}]},
    ],
}  # fmt: skip
GEMINI: dict[str, Any] = {
    "systemInstruction": {"parts": [{"text": "Be brief."}]}, "tools": [{"functionDeclarations": [TOOL]}],
    "generationConfig": {"maxOutputTokens": 9, "temperature": 0.5, "stopSequences": ["x"], "responseSchema": {"type": "OBJECT"}},
    "contents": [
        {"role": "user", "parts": [{"text": "Hi"}, {"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgo="}}]},
        {"role": "model", "parts": [{"functionCall": {"name": "look", "args": {}}, "thoughtSignature": "s"}]},
        {"role": "user", "parts": [{"functionResponse": {"name": "look", "response": {"said": 1}}}]},
    ],
}  # fmt: skip
ROUTES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("/v1/chat/completions", CHAT),
    ("/v1/responses", RESPONSES),
    ("/v1/messages", MESSAGES),
    ("/v1beta/models/box/m:generateContent", GEMINI),
    ("/v1beta/models/box/m:streamGenerateContent?alt=sse", GEMINI),
    ("/v1beta/models/box/m:countTokens", {"contents": GEMINI["contents"]}),
    ("/v1beta/models/box/m:embedContent", {"content": {"parts": [{"text": "x"}]}}),
    ("/v1beta/models/box/m:batchEmbedContents", {"requests": [{"model": "m", "content": {"parts": [{"text": "x"}]}}]}),
    ("/v1/messages/count_tokens", MESSAGES),
    ("/v1/responses/input_tokens", RESPONSES),
    ("/v1/completions", {"model": "box/m", "prompt": "Hi", "max_tokens": 9, "stop": ["x"]}),
    ("/v1/embeddings", {"model": "box/m", "input": ["a", "b"], "encoding_format": "float", "dimensions": 2}),
    ("/v1/route/explain", CHAT),
)
ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**31, -(2**63), 2**64 - 1, 0.5, 1e308, -0.0, "", "x", "\x00", "\r\n", "é" * 100, "a" * 5000, "box/m",
    [], {}, [[]], [None], {"": None}, [{}], {"type": "text"}, {"type": 5}, "data:image/png;base64,###", "http://169.254.169.254/x", "../..",
)  # fmt: skip


def random_json(chance: random.Random, depth: int = 4) -> Any:
    """Return any value."""
    kind = chance.randrange(8) if depth else 0
    if kind == 6:
        return [random_json(chance, depth - 1) for _ in range(chance.randrange(4))]
    if kind == 7:
        keys = ("model", "messages", "role", "content", "type", "input", "tools", "x", "")
        return {chance.choice(keys): random_json(chance, depth - 1) for _ in range(chance.randrange(4))}
    return json.loads(json.dumps(chance.choice(ODD)))  # what is changed later is nobody else's


def places(value: Any) -> list[tuple[Any, Any]]:
    """Return every (container, key) of a value."""
    found: list[tuple[Any, Any]] = []
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        found += [(value, key), *places(child)]
    return found


def mutate(value: Any, chance: random.Random) -> Any:
    """Return a copy with some places changed, removed, doubled or exchanged."""
    changed = json.loads(json.dumps(value))
    for _ in range(chance.choice((1, 1, 1, 2, 3, 8))):
        found = places(changed)
        if not found:
            break
        container, key = chance.choice(found)
        match chance.randrange(5):
            case 0:
                del container[key]
            case 1 if isinstance(container, list):
                container.append(container[key])
            case 2:
                other, at = chance.choice(found)
                container[key] = json.loads(json.dumps(other[at])) if _has(other, at) else None
            case _:
                container[key] = random_json(chance)
    return changed


def _has(container: Any, key: Any) -> bool:
    return key in container if isinstance(container, dict) else key < len(container)


def random_body(value: Any, chance: random.Random) -> bytes:
    """Return a body that is nearly right, any JSON, or any bytes."""
    kind = chance.randrange(12)
    if kind == 0:
        return chance.randbytes(chance.randrange(200))
    if kind == 1:
        return json.dumps(random_json(chance)).encode()
    body = json.dumps(mutate(value, chance)).encode()
    if kind == 2:
        at = chance.randrange(len(body) + 1)
        return body[:at] + chance.randbytes(chance.randrange(4)) + body[at + chance.randrange(9) :]
    return body


# -- parsers -------------------------------------------------------------------------


def find_parser_failure(chance: random.Random) -> str:
    """Hand one thing to each reader of a random wire; return what failed, empty: nothing."""
    name = chance.choice(sorted(PACKAGES))
    wire: Any = load(name)
    body = random_body(chance.choice([value for _, value in ROUTES]), chance)
    events = b"".join(
        chance.choice((b"", b"event: x\n")) + b"data: " + random_body(CHAT, chance) + chance.choice((b"\n\n", b"\r\n\r\n", b"\n"))
        for _ in range(3)
    )  # fmt: skip

    def stream() -> None:
        parser, at = wire.StreamParser(), chance.randrange(len(events) + 1)
        for piece in (events[:at], events[at:]):
            parser.feed(piece)
        parser.close()

    readers: dict[str, Callable[[], Any]] = {
        "request": lambda: wire.parse_request(body),
        "response": lambda: wire.parse_response(body),
        "error": lambda: wire.parse_error(400, body, {}),
        "stream": stream,
    }
    for reader, read in readers.items():
        try:
            read()
        except Error:
            continue
        except Exception as error:  # noqa: BLE001  that is what it looks for
            return f"{name} {reader}: {type(error).__name__}: {error}\n{events if reader == 'stream' else body!r}"
    return ""


# -- the gateway -----------------------------------------------------------------------


async def find_route_failure(
    session: aiohttp.ClientSession, url: str, chance: random.Random, seen: Counter[str]
) -> str:
    """Ask one route; return what failed, empty: nothing."""
    path, value = chance.choice(ROUTES)
    target = chance.choice(APIS).encode() + b"/m"
    path, body = path.replace("box/m", target.decode()), random_body(value, chance).replace(b"box/m", target)
    if chance.random() < 0.3:
        body = body.replace(b'"stream": false', b'"stream": true').replace(b'"model": ', b'"stream": true, "model": ')
    try:
        async with session.post(url + path, data=body, headers={"x-api-key": TOKEN}) as reply:
            said = await reply.read()
            seen[f"{reply.status}"] += 1
            is_ours = reply.status >= 500 and b"gateway failed" in said
            return f"{path}: {reply.status} {said[:300]!r}\n{body!r}" if is_ours else ""
    except (TimeoutError, aiohttp.ClientError) as error:
        return f"{path}: {type(error).__name__}: {error}\n{body!r}"


def config_of(upstream: str) -> dict[str, Any]:
    """Return a config with a provider of every wire at one address."""
    rows = {api: provider(upstream, api) for api in APIS}
    return configured(primary=f"{APIS[0]}/m", **rows)
