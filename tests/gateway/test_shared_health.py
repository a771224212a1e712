"""Gateways on several machines that share a Redis: what failed before one of them is asked by none."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.commands import write_config
from tests.gateway.test_keys_gateway import OWNER, await_ready
from tests.servers import Received, Step, free_port, json_reply, serve
from tests.stores import redis_server

ASKED = {"model": "both", "messages": [{"role": "user", "content": "Hello"}]}


def answer(received: Received) -> Sequence[Step]:
    """Refuse for one model, answer for the other."""
    if received.json()["model"] == "sick":
        return json_reply({"error": {"message": "no such model", "code": "model_not_found"}}, 404)
    choice = {"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}
    return json_reply({"id": "c", "model": "well", "choices": [choice], "usage": {}})


@contextmanager
def gateway(home: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Run a gateway as on another machine: with a home of its own."""
    port = free_port()
    command = [sys.executable, "-m", "jackfield", "gateway", "--port", str(port)]
    env = {**os.environ, "JACKFIELD_HOME": str(home)}
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=env) as process:
        try:
            await_ready(f"http://127.0.0.1:{port}")
            yield f"http://127.0.0.1:{port}", process
        finally:
            process.kill()


def ask(url: str) -> str:
    """Ask the route and return who answered."""
    head = {"authorization": f"Bearer {OWNER}", "content-type": "application/json"}
    request = urllib.request.Request(f"{url}/v1/chat/completions", json.dumps(ASKED).encode(), head)
    with urllib.request.urlopen(request, timeout=20) as reply:
        said: Any = json.loads(reply.read())
    return str(said["model"])


def test_what_failed_before_one_gateway_is_asked_by_none_though_that_one_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve(answer) as upstream, redis_server() as shared:
        box = {
            "baseUrl": f"{upstream.url}/v1",
            "apiKey": "sk-box-0123456789",
            "models": [{"id": "sick"}, {"id": "well"}],
        }
        routes = {"both": {"primary": "box/sick", "fallbacks": ["box/well"]}}
        path = write_config(
            json.dumps(
                {
                    "models": {"providers": {"box": {**box, "api": "openai-completions"}}, "routes": routes},
                    "gateway": {"sharedState": shared.url, "auth": {"token": OWNER}, "admin": {"enabled": False}},
                }
            )
        )
        monkeypatch.setenv("JACKFIELD_CONFIG", str(path))

        def sick() -> int:
            return sum(received.json()["model"] == "sick" for received in upstream.journal)

        with gateway(tmp_path / "one") as (one, dying), gateway(tmp_path / "two") as (two, _):
            assert ask(one) == "box/well"
            assert sick() == 1
            dying.kill()
            dying.wait()
            time.sleep(0.3)
            assert ask(two) == "box/well"
            assert sick() == 1, "the other gateway has heard of it"
            with gateway(tmp_path / "three") as (three, _):
                assert ask(three) == "box/well"
                assert sick() == 1, "and so has one that starts later"
            shared.stop()
            assert ask(two) == "box/well", "calls go on without the store"
            assert sick() <= 2
