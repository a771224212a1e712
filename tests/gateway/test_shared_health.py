"""Gateways on several machines that share a Redis: what failed before one of them is asked by none."""

from __future__ import annotations

import json
import os
import signal
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests import forks
from tests.commands import write_config
from tests.gateway.command import gateway_child
from tests.gateway.test_keys_gateway import OWNER, await_ready
from tests.patience import PATIENCE_S, await_true
from tests.servers import Received, Step, json_reply, serve
from tests.stores import redis_server

ASKED = {"model": "both", "messages": [{"role": "user", "content": "Hello"}]}


def answer(received: Received) -> Sequence[Step]:
    """Refuse for one model, answer for the other."""
    if received.json()["model"] == "sick":
        return json_reply({"error": {"message": "no such model", "code": "model_not_found"}}, 404)
    choice = {"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}
    return json_reply({"id": "c", "model": "well", "choices": [choice], "usage": {}})


@contextmanager
def gateway(home: Path) -> Iterator[tuple[str, forks.Child]]:
    """Run a gateway as on another machine: with a home of its own."""
    env, err = {"JACKFIELD_HOME": str(home)}, home.with_suffix(".stderr")
    with gateway_child("gateway", "--port", "0", err=err, env=env) as (child, lines):
        url = lines[0].split()[1]
        await_ready(url)
        yield url, child


def ask(url: str) -> str:
    """Ask the route and return who answered."""
    return str(post(f"{url}/v1/chat/completions")["model"])


def has_heard(url: str) -> bool:
    """Tell whether a gateway would not ask who has failed."""
    return [each["model"] for each in post(f"{url}/v1/route/explain")["candidates"]] == ["box/well"]


def post(url: str) -> Any:
    head = {"authorization": f"Bearer {OWNER}", "content-type": "application/json"}
    request = urllib.request.Request(url, json.dumps(ASKED).encode(), head)
    with urllib.request.urlopen(request, timeout=PATIENCE_S) as reply:
        return json.loads(reply.read())


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
            os.kill(dying.pid, signal.SIGKILL)
            dying.wait(PATIENCE_S)
            await_true(lambda: has_heard(two), "the failure at the other gateway")
            assert ask(two) == "box/well"
            assert sick() == 1
            with gateway(tmp_path / "three") as (three, _):
                await_true(lambda: has_heard(three), "the failure at one that starts later")
                assert ask(three) == "box/well"
                assert sick() == 1
            shared.stop()
            assert ask(two) == "box/well", "calls go on without the store"
            assert sick() <= 2
