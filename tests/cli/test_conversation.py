"""A conversation on a real terminal: lines, commands, an answer stopped half-way."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_chat import HELLO, PNG, chunk
from tests.commands import local_provider, run, write_config
from tests.patience import PATIENCE_S
from tests.servers import HANG, serve, sse_reply
from tests.terminals import open_command, open_terminal, pexpect

PROMPT = r">(\x1b\[0m| )"  # a capable terminal moves the cursor instead of printing the space
Open = Callable[..., Any]


@pytest.fixture
def talk() -> Iterator[Open]:
    opened: list[Any] = []

    def start(*args: str, term: str = "xterm") -> Any:
        variables = {"TERM": term, "PROMPT_TOOLKIT_NO_CPR": "1"}
        child = open_terminal("chat", *args, env=variables, size=(40, 120), encoding="utf-8")
        opened.append(child)
        child.expect("/help lists the commands")
        return child

    yield start
    for child in opened:
        child.close(force=True)


def type_line(child: Any, line: str) -> None:
    # What is typed before the prompt stands there would be read by the terminal's own line editor.
    child.expect(PROMPT)
    child.sendline(line)


def ended(child: Any) -> int | None:
    child.expect(pexpect.EOF)
    child.close()
    return child.exitstatus


@pytest.mark.parametrize("term", ["xterm", "dumb"])
def test_turns_build_on_each_other(talk: Open, term: str) -> None:
    with serve(HELLO) as server:
        write_config(local_provider(server.url))
        child = talk(term=term)
        type_line(child, "one")
        child.expect("Hi there")
        type_line(child, "two")
        child.expect("Hi there")
        type_line(child, "/exit")
        assert ended(child) == 0
    turns = server.journal[1].json()["messages"]
    assert [(turn["role"], turn["content"]) for turn in turns] == [
        ("user", "one"), ("assistant", "Hi there"), ("user", "two"),
    ]  # fmt: skip


def test_a_conversation_stays_with_its_account_and_the_next_one_takes_another(talk: Open, home: Path) -> None:
    with serve(HELLO) as server:
        path = write_config(local_provider(server.url)).with_name("auth-profiles.json")
        profiles = {f"box:{name}": {"type": "api_key", "provider": "box", "key": f"{name}-0123456789"} for name in "ab"}
        path.write_text(json.dumps({"version": 1, "profiles": profiles}), encoding="utf-8")
        for _ in range(2):
            child = talk()
            for line in ("one", "two"):
                type_line(child, line)
                child.expect("Hi there")
            type_line(child, "/exit")
            assert ended(child) == 0
    keys = [call.headers["authorization"].removeprefix("Bearer ")[0] for call in server.journal]
    assert keys == ["a", "a", "b", "b"]


def test_ctrl_c_stops_the_answer_and_not_the_program(talk: Open) -> None:
    with serve(sse_reply(chunk({"content": "Once upon"}), HANG), HELLO) as server:
        write_config(local_provider(server.url))
        child = talk()
        type_line(child, "a story")
        child.expect("Once upon")
        child.sendintr()
        child.expect("stopped")
        type_line(child, "go on")
        child.expect("Hi there")
        child.expect(PROMPT)
        child.sendeof()
        assert ended(child) == 0
        assert server.dropped.wait(PATIENCE_S)
    turns = server.journal[1].json()["messages"]
    assert [turn["content"] for turn in turns] == ["a story", "Once upon", "go on"]


def test_commands_change_the_model_and_start_over(talk: Open) -> None:
    with serve(HELLO) as server:
        write_config(local_provider(server.url, models=[{"id": "m"}, {"id": "other"}]))
        child = talk()
        type_line(child, "one")
        child.expect("Hi there")
        type_line(child, "/models")
        child.expect("2  box/other")
        type_line(child, "/model 2")
        child.expect("model: box/other")
        type_line(child, "/new")
        child.expect("new conversation")
        type_line(child, "fresh")
        child.expect("Hi there")
        type_line(child, "/status")
        child.expect("box/other")
        type_line(child, "/model nobody/x")
        child.expect("unknown provider")
        type_line(child, "/nonsense")
        child.expect("no such command /nonsense")
        type_line(child, "/exit")
        assert ended(child) == 0
    body = [received.json() for received in server.journal if received.method == "POST"][1]
    assert body["model"] == "other"
    assert [turn["content"] for turn in body["messages"]] == ["fresh"]


def test_lines_go_on_after_a_backslash_and_files_can_be_attached(talk: Open, home: Path) -> None:
    (home / "p.png").write_bytes(PNG)
    with serve(HELLO) as server:
        write_config(local_provider(server.url, models=[{"id": "m", "input": ["text", "image"]}]))
        child = talk()
        type_line(child, "/file p.png")
        child.expect("attached p.png")
        child.expect(PROMPT)
        child.send("two\\\rlines\r")
        child.expect("Hi there")
        type_line(child, "/exit")
        assert ended(child) == 0
    parts = server.journal[0].json()["messages"][0]["content"]
    assert [part["type"] for part in parts] == ["image_url", "text"]
    assert parts[1]["text"] == "two\nlines"


def test_a_conversation_can_be_saved_and_nothing_is_overwritten(talk: Open, home: Path) -> None:
    with serve(HELLO) as server:
        write_config(local_provider(server.url))
        child = talk()
        type_line(child, "one")
        child.expect("Hi there")
        type_line(child, "/save talk.json")
        child.expect("saved talk.json")
        type_line(child, "/save talk.json")
        child.expect("nothing is overwritten")
        type_line(child, "/exit")
        assert ended(child) == 0
    assert json.loads((home / "talk.json").read_text("utf-8")) == [
        {"role": "user", "content": "one"}, {"role": "assistant", "content": "Hi there"},
    ]  # fmt: skip


def test_a_failed_turn_is_told_and_forgotten(talk: Open) -> None:
    with serve([b"nonsense\r\n\r\n"], HELLO) as server:
        write_config(local_provider(server.url))
        child = talk()
        type_line(child, "one")
        child.expect("error:")
        type_line(child, "two")
        child.expect("Hi there")
        type_line(child, "/exit")
        assert ended(child) == 0
    assert [turn["content"] for turn in server.journal[1].json()["messages"]] == ["two"]


def test_what_was_typed_is_remembered_for_its_owner_only(talk: Open, home: Path) -> None:
    with serve(HELLO) as server:
        write_config(local_provider(server.url))
        assert run("config", "set", "models.providers.box.name", "Box").code == 0  # what is kept of it stands elsewhere
        child = talk()
        type_line(child, "a memorable question")
        child.expect("Hi there")
        type_line(child, "/exit")
        assert ended(child) == 0
    history = home / ".jackfield" / "history"
    assert "a memorable question" in history.read_text("utf-8")
    assert history.stat().st_mode & 0o777 == 0o600


def test_a_command_that_fails_changes_nothing(talk: Open) -> None:
    with serve(HELLO) as server:
        write_config(local_provider(server.url))
        child = talk()
        type_line(child, "one")
        child.expect("Hi there")
        type_line(child, "/new nobody/x")
        child.expect("unknown provider")
        type_line(child, "/file")
        child.expect("no file is named")
        type_line(child, "two")
        child.expect("Hi there")
        type_line(child, "/exit")
        assert ended(child) == 0
    assert len(server.journal[1].json()["messages"]) == 3


def test_bytes_that_are_no_utf8_do_not_end_a_conversation(talk: Open) -> None:
    with serve(HELLO) as server:
        write_config(local_provider(server.url))
        child = talk()
        child.expect(PROMPT)
        os.write(child.child_fd, b"caf\xe9\r")
        child.expect("Hi there")
        type_line(child, "/exit")
        assert ended(child) == 0


def test_answers_into_a_pipe_go_there_alone(home: Path) -> None:
    with serve(HELLO) as server:
        write_config(local_provider(server.url))
        line = f"{sys.executable} -m jackfield chat > said.txt"
        child = open_command(["/bin/sh", "-c", line], encoding="utf-8", cwd=home)
        type_line(child, "one")
        type_line(child, "/exit")
        assert ended(child) == 0
    assert (home / "said.txt").read_text("utf-8") == "Hi there\n"
