"""All providers at once on the loopback, under their own names: what the wizard reaches behind a proxy.

    with internet() as net:
        drive("onboard", ..., env=net.environ)
    net.calls("api.venice.ai")

A call whose credential holds `wrong` is refused with 401, whatever the wire. Sign-ins end well
at the first question.
"""

from __future__ import annotations

import base64
import functools
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from ssl import PROTOCOL_TLS_SERVER as SERVER
from ssl import SSLContext
from typing import Any
from urllib.parse import parse_qsl

import trustme

from tests.servers import Received, Reply, Server, json_reply, serve, sse_reply

CREDENTIALS = ("authorization", "x-api-key", "x-goog-api-key", "api-key")
COMPLETION = {
    "id": "1", "object": "chat.completion", "created": 1, "model": "m",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "OK."}, "finish_reason": "stop"}],
}  # fmt: skip
CHUNKS = tuple(
    {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [{"index": 0, **choice}]}
    for choice in ({"delta": {"role": "assistant", "content": "OK."}}, {"delta": {}, "finish_reason": "stop"})
)
MESSAGE = {
    "id": "1", "type": "message", "role": "assistant", "model": "m", "content": [{"type": "text", "text": "OK."}],
    "stop_reason": "end_turn", "usage": {"input_tokens": 1, "output_tokens": 1},
}  # fmt: skip
GENERATED = {"candidates": [{"content": {"role": "model", "parts": [{"text": "OK."}]}, "finishReason": "STOP"}]}
ITEM = {"id": "i", "type": "message", "role": "assistant", "status": "completed"}
RESPONSE = {
    "id": "r", "object": "response", "status": "completed", "model": "m",
    "output": [{**ITEM, "content": [{"type": "output_text", "text": "OK.", "annotations": []}]}],
}  # fmt: skip
CONVERSED = {
    "output": {"message": {"role": "assistant", "content": [{"text": "OK."}]}}, "stopReason": "end_turn",
    "usage": {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2},
}  # fmt: skip
EVENTS = (
    {"type": "response.created", "response": {**RESPONSE, "status": "in_progress", "output": []}},
    {"type": "response.output_item.added", "output_index": 0, "item": {**ITEM, "content": []}},
    {"type": "response.output_text.delta", "item_id": "i", "output_index": 0, "content_index": 0, "delta": "OK."},
    {"type": "response.output_item.done", "output_index": 0, "item": RESPONSE["output"][0]},
    {"type": "response.completed", "response": RESPONSE},
)
# end of the path → the answer of the wire that calls it; the first that fits
WIRES: tuple[tuple[str, Reply], ...] = (
    ("/codex/responses", sse_reply(*EVENTS)),
    ("/responses", json_reply(RESPONSE)),
    ("/chat/completions", json_reply(COMPLETION)),
    ("/messages", json_reply(MESSAGE)),
    ("v1internal:generateContent", json_reply({"response": GENERATED})),
    ("v1internal:streamGenerateContent", sse_reply({"response": GENERATED})),
    (":generateContent", json_reply(GENERATED)),
    ("/converse", json_reply(CONVERSED)),
)


@dataclass
class Internet:
    """A running one: what a process needs to be in it, and what it heard."""

    server: Server
    environ: dict[str, str]

    def calls(self, host: str) -> list[Received]:
        """Return what a host was asked, in order."""
        return [each for each in self.server.journal if each.headers.get("host") == host]


@contextmanager
def internet() -> Iterator[Internet]:
    """Run it until the block ends."""
    authority = trustme.CA()
    path = Path(os.environ["HOME"]).parent / "authority.pem"
    authority.cert_pem.write_to_path(str(path))

    @functools.cache
    def tunnel(host: str) -> SSLContext:
        context = SSLContext(SERVER)
        authority.issue_cert(host).configure_cert(context)
        return context

    with serve(answer, tunnel=tunnel) as server:
        yield Internet(server, {"HTTPS_PROXY": server.url, "SSL_CERT_FILE": str(path)})


def answer(received: Received) -> Reply:
    """Answer for whichever host was meant."""
    path = received.target.partition("?")[0]
    if found := _sign_in(received, path):
        return json_reply(found)
    if any("wrong" in received.headers.get(name, "") for name in CREDENTIALS):
        return json_reply({"error": {"type": "authentication_error", "message": "invalid api key"}}, 401)
    if received.method == "GET" and path.endswith("/models"):
        return json_reply({"object": "list", "data": [{"id": "listed-1"}, {"id": "listed-2"}]})
    if path.endswith("/chat/completions") and received.json().get("stream"):
        return sse_reply(*CHUNKS, "[DONE]")
    wire = next((reply for end, reply in WIRES if path.endswith(end)), None)
    return wire or json_reply({"error": {"message": f"nothing at {path}"}}, 404)


def _sign_in(received: Received, path: str) -> dict[str, Any] | None:
    asked = dict(parse_qsl(received.body.decode("utf-8", "replace")))
    if path.endswith(("/device/code", "/oauth/code")):
        return {
            "device_code": "d1", "user_code": "ABCD-1234", "verification_uri": "https://sign.in.example/device",
            "interval": 1, "expires_in": 900, "state": asked.get("state", ""),
        }  # fmt: skip
    if path.endswith(("/token", "/access_token")) and received.method == "POST":
        return {"access_token": ACCESS, "refresh_token": "refresh-1", "expires_in": 3600, "resource_url": ""}
    if path.endswith("/copilot_internal/v2/token"):
        return {"token": "tid=copilot-1", "expires_at": time.time() + 1500}
    if path.endswith("/userinfo"):
        return {"email": "me@box.example"}
    return {"cloudaicompanionProject": "project-1", "currentTier": {}} if path.endswith(":loadCodeAssist") else None


def _as_jwt(claims: dict[str, Any]) -> str:
    parts = ({"alg": "none"}, claims, {})
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)


ACCESS = _as_jwt({"https://api.openai.com/auth": {"chatgpt_account_id": "account-1"}})
