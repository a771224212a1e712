"""Clients at the edges of their life: closed, dropped, forked, shared, left behind at exit."""

from __future__ import annotations

import asyncio
import json
import os
import pickle
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

import jackfield
from jackfield import ChatRequest, Message
from jackfield.config.default import load_default
from jackfield.errors import Cancelled, ConfigError, UsageError
from tests.cli.test_chat import chunk, whole
from tests.commands import local_provider
from tests.patience import PATIENCE_S
from tests.servers import HANG, Server, json_reply, serve, sse_reply

HELLO = ChatRequest(model="box/m", messages=[Message.user("Hello")])


def config(server: Server) -> dict[str, Any]:
    return json.loads(local_provider(server.url))  # type: ignore[no-any-return]  # JSON


def hanging() -> Any:
    return serve(sse_reply(chunk({"content": "Hi"}), HANG))


def test_a_closed_client_says_so() -> None:
    with serve(json_reply(whole())) as server:
        client = jackfield.Client(config(server))
        client.close()
        client.close()
        with pytest.raises(UsageError, match="the client is closed"):
            client.chat(HELLO)
        with pytest.raises(UsageError, match="the client is closed"):
            list(client.stream(HELLO))


async def test_a_closed_async_client_says_so() -> None:
    with serve(json_reply(whole())) as server:
        async with jackfield.AsyncClient(config(server)) as client:
            await client.chat(HELLO)
        with pytest.raises(UsageError, match="the client is closed"):
            await client.chat(HELLO)


def test_an_async_client_stays_on_its_loop() -> None:
    with serve(json_reply(whole())) as server, asyncio.Runner() as runner:
        client = jackfield.AsyncClient(config(server))
        runner.run(client.chat(HELLO))
        with asyncio.Runner() as other, pytest.raises(UsageError, match="another event loop"):
            other.run(client.chat(HELLO))
        runner.run(client.close())


def test_closing_cancels_the_calls_of_other_threads() -> None:
    caught: list[BaseException] = []
    begun = threading.Event()

    def read() -> None:
        try:
            for event in client.stream(HELLO):
                if isinstance(event, jackfield.BlockDelta):
                    begun.set()
        except Cancelled as error:
            caught.append(error)

    with hanging() as server:
        client = jackfield.Client(config(server))
        reader = threading.Thread(target=read)
        reader.start()
        assert begun.wait(PATIENCE_S)
        client.close()
        reader.join(PATIENCE_S)
    assert not reader.is_alive()
    assert "closed during the call" in str(caught[0])


# In developers' mode a loop complains of steps that take a tenth of a second, as all do on a busy machine.
PROGRAM = """
import logging, os, sys, json, jackfield
logging.getLogger("asyncio").setLevel(logging.ERROR)
from jackfield import ChatRequest, Message
HELLO = ChatRequest(model="box/m", messages=[Message.user("Hello")])
client = jackfield.Client(json.loads(sys.argv[1]))
"""
LEFT_OPEN = "events = iter(client.stream(HELLO)); print(next(events).model)"
DROPPED = "next(iter(client.stream(HELLO))); del client; print('box/m')"
FORKED = """
client.chat(HELLO)
child = os.fork()
if not child:
    try:
        client.chat(HELLO)
    except jackfield.errors.UsageError as error:
        print("forked" in str(error), flush=True)
    os._exit(0)
os.waitpid(child, 0)
client.close()
"""


def run_program(text: str, server: Server) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-X", "dev", "-c", PROGRAM + text, local_provider(server.url)],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


@pytest.mark.parametrize("text", [LEFT_OPEN, DROPPED])
def test_a_stream_left_half_read_does_not_keep_a_program(text: str) -> None:
    with hanging() as server:
        done = run_program(text, server)
    assert (done.stdout, done.stderr) == ("box/m\n", "")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_is_told_to_open_its_own() -> None:
    with serve(json_reply(whole())) as server:
        done = run_program(FORKED, server)
    assert done.stdout == "True\n"


def test_a_wrong_config_survives_being_handed_to_another_process() -> None:
    with pytest.raises(ConfigError) as caught:
        jackfield.Client({"models": {"mode": "merg"}})
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (str(copy), copy.hint, copy.issues) == (str(caught.value), caught.value.hint, caught.value.issues)


def test_a_config_argument_that_is_none_says_why(home: Path) -> None:
    cases: tuple[tuple[Any, str], ...] = (
        ({"models": {"mode": "merg"}}, "models.mode · the config argument · "),
        ({"models": {"providers": object()}}, "the config argument holds what JSON cannot"),
        (home / "nowhere.json", "nowhere.json does not exist"),
        (5, "a config is a path or a mapping, not int"),
    )
    for given, says in cases:
        with pytest.raises(ConfigError, match=says) as caught:
            jackfield.Client(given)
        assert "config validate" not in caught.value.hint


def test_a_mapping_stands_in_for_a_config_that_is_a_loop_of_links(home: Path) -> None:
    usual = home / ".jackfield" / "jackfield.json"
    usual.parent.mkdir()
    usual.symlink_to(usual)
    assert load_default({"models": {"mode": "replace"}}).mode == "replace"
