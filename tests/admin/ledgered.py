"""Gateways whose ledger is filled by real calls: some answered, some by who stands in, some failed, one left."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from tests.commands import write_config
from tests.gateway.command import Process, gateway_process
from tests.patience import PATIENCE_S
from tests.servers import HANG, Received, Step, json_reply, serve, sse_reply

EVIL = '<img src=x onerror="document.title=1">'
USAGE = {"prompt_tokens": 1000, "completion_tokens": 200, "prompt_tokens_details": {"cached_tokens": 400}}
QUOTA = {
    "x_ratelimit_limit_requests": "100", "x_ratelimit_remaining_requests": "25", "x_ratelimit_reset_requests": "1h0m0s",
}  # fmt: skip
COST = {"input": 2, "output": 10, "cacheRead": 0.5}


def answer(received: Received) -> Sequence[Step]:
    """Answer by the model's name: some fail, one hangs amid its words."""
    body = received.json()
    match body["model"]:
        case "broken":
            return json_reply({"error": {"message": f"no room for {EVIL}"}}, 503)
        case "refused":
            return json_reply({"error": {"message": "too many requests"}}, 429, retry_after="600")
        case "slow":
            return sse_reply({"choices": [{"index": 0, "delta": {"content": "He"}}]}, HANG)
    if not body.get("stream"):
        choice = {"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}
        whole = {"id": "c", "model": body["model"], "choices": [choice], "usage": USAGE}
        return [0.02, *json_reply(whole, **QUOTA)]
    said = {"index": 0, "delta": {"role": "assistant", "content": "Hi"}}
    end = {"index": 0, "delta": {}, "finish_reason": "stop"}
    return sse_reply(0.02, {"choices": [said]}, 0.03, {"choices": [end]}, {"choices": [], "usage": USAGE}, "[DONE]")


def configure(url: str, *, per_day: float = 50, **gateway: Any) -> None:
    """Write a config with a chain of three models at this address."""
    models = [{"id": name, "cost": COST, "contextWindow": 8000} for name in ("good", "broken", "refused", "slow", EVIL)]
    entry = {"baseUrl": f"{url}/v1", "api": "openai-completions", "apiKey": "sk-up-0123456789", "models": models}
    spare = {**entry, "models": [{"id": "big", "cost": COST, "contextWindow": 200_000, "input": ["text", "image"]}]}
    write_config(json.dumps({
        "agents": {"defaults": {"model": {"primary": "box/good"}}},
        "models": {
            "providers": {"box": entry, "spare": spare}, "policy": {"maxWait": 0},
            "budget": {"perDay": per_day},
            "routes": {"team": {"primary": "box/broken", "fallbacks": ["box/refused", "box/good"]}},
        },
        "gateway": gateway,
    }))  # fmt: skip


@contextmanager
def used_gateway(**gateway: Any) -> Iterator[Process]:
    """Run a gateway that has answered, failed over, failed and been left."""
    with serve(answer) as server:
        configure(server.url, **gateway)
        with gateway_process() as process:
            use(process)
            yield process


def use(process: Process) -> None:
    """Make the calls; returns when the ledger has them."""
    for _ in range(3):
        process.ask("box/good")
    process.request("POST", "/v1/chat/completions", _body("team", stream=True), x_request_id="went-elsewhere")
    process.ask("box/broken")
    process.ask(f"box/{EVIL}")
    leave(process, "box/slow")
    process.wait_for(lambda: process.admin("attempts?outcome=cancelled")[1], "box/slow")


def leave(process: Process, model: str) -> None:
    """Begin a stream and go away after its first words."""
    body = _body(model, stream=True)
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {process.token}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", process.port), PATIENCE_S) as connection:
        connection.sendall(head.encode() + body)
        connection.settimeout(PATIENCE_S)
        while b"He" not in connection.recv(65536):
            pass


def _body(model: str, **more: Any) -> bytes:
    return json.dumps({"model": model, "messages": [{"role": "user", "content": "Hello"}], **more}).encode()
