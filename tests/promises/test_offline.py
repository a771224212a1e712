"""Without a network everything that needs none still works, at once."""

from __future__ import annotations

import json
import time
from pathlib import Path

from tests.commands import local_provider, run, write_config
from tests.patience import PATIENCE_S
from tests.servers import json_reply, serve

REPLY = {
    "id": "1", "object": "chat.completion", "created": 1, "model": "m",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "still here"}, "finish_reason": "stop"}],
}  # fmt: skip
# A process of its own in which any socket to another machine is an error, before the command starts.
NO_NETWORK = """
import sys
def guard(event, args):
    if event == "socket.getaddrinfo" and args[0] not in ("127.0.0.1", "localhost", "::1"):
        raise PermissionError(f"network denied: {args[0]}")
    if event == "socket.connect" and isinstance(args[1], tuple) and args[1][0] not in ("127.0.0.1", "::1"):
        raise PermissionError(f"network denied: {args[1]}")
sys.addaudithook(guard)
"""


def deny_network(folder: Path) -> dict[str, str]:
    (folder / "sitecustomize.py").write_text(NO_NETWORK, encoding="utf-8")
    return {"PYTHONPATH": str(folder)}


def test_models_list_shows_configured_models_quickly_without_a_network(tmp_path: Path) -> None:
    write_config(local_provider("https://models.example.com/v1", models=[{"id": "one"}, {"id": "two"}]))
    env = {**deny_network(tmp_path), "VENICE_API_KEY": "vapi_1234567890123456"}
    run("models", "list", env=env)
    started = time.perf_counter()
    listed = run("models", "list", "--plain", env=env)
    took_s = time.perf_counter() - started
    assert listed.code == 0, listed.err
    assert {"box/one", "box/two", "venice/llama-3.3-70b"} <= set(listed.out.split())
    assert len([line for line in listed.out.split() if line.startswith("venice/")]) == 25
    assert took_s < PATIENCE_S / 2  # a hang, not a slow machine; bench/startup.py holds the figure


def test_a_local_provider_answers_without_a_network(tmp_path: Path) -> None:
    with serve(json_reply(REPLY)) as server:
        write_config(local_provider(server.url))
        result = run("--offline", "chat", "--no-stream", "Hello", env=deny_network(tmp_path))
    assert (result.code, result.out) == (0, "still here\n"), result.err


def test_offline_refuses_another_machine_and_says_why() -> None:
    write_config(local_provider("https://models.example.com/v1"))
    result = run("--offline", "chat", "--json", "Hello")
    assert result.code == 1
    error = json.loads(result.out)["error"]
    assert error["type"] == "connection"
    assert "--offline" in error["message"] + error.get("hint", "")
