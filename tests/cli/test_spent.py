"""What commands, and programs that want it, have asked is in the ledger, and costs no answer."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from jackfield import Client
from jackfield.message import ChatRequest, Message
from tests.cli.test_chat import HELLO, whole
from tests.commands import local_provider, run, write_config
from tests.servers import Server, json_reply, serve, text_reply

COST = {"input": 1, "output": 2, "cacheRead": 1, "cacheWrite": 0}


def configure(server: Server, **gateway: Any) -> dict[str, Any]:
    config: dict[str, Any] = json.loads(local_provider(server.url))
    config["models"]["providers"]["box"]["models"] = [{"id": "m", "cost": COST}]
    config["gateway"] = gateway
    write_config(json.dumps(config))
    return config


def used(*options: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = run("usage", "--json", *options).json()["rows"]
    return rows


def column(home: Path, name: str) -> list[Any]:
    with sqlite3.connect(home / ".jackfield" / "state.sqlite") as database:
        found = [value for (value,) in database.execute(f"SELECT {name} FROM attempts ORDER BY at_ms, attempt")]
    database.close()
    return found


@pytest.mark.parametrize("options", [(), ("--no-stream",), ("--json",)], ids=lambda said: "".join(said) or "streamed")
def test_what_a_chat_has_cost_is_shown(options: tuple[str, ...]) -> None:
    with serve(lambda asked: HELLO if asked.json().get("stream") else json_reply(whole())) as server:
        configure(server)
        assert run("chat", *options, "Hello").code == 0
    (row,) = used()
    assert (row["name"], row["requests"], row["input"], row["cacheRead"], row["output"]) == ("box/m", 1, 6, 4, 2)
    assert row["costUsd"] == "0.000014"
    assert [row["name"] for row in used("--by", "key")] == ["command line"]


def test_each_try_is_a_row_with_how_it_ended(home: Path) -> None:
    with serve(text_reply("slow down", 429), HELLO) as server:
        configure(server)
        assert run("chat", "Hello").code == 0
    assert column(home, "outcome") == ["rate_limit", "ok"]
    assert column(home, "attempt") == [1, 2]
    assert len(set(column(home, "request"))) == 1
    assert column(home, "source") == ["cli"] * 2
    assert column(home, "wire_out") == ["openai-completions"] * 2


def test_vectors_and_batches_are_in_it_too(home: Path) -> None:
    vectors = {"data": [{"index": 0, "embedding": [1.0]}], "usage": {"prompt_tokens": 5, "total_tokens": 5}}
    rows = [json.dumps({"messages": [{"role": "user", "content": text}]}) for text in ("one", "two")]
    (home / "in.jsonl").write_text("\n".join(rows), encoding="utf-8")
    answer = json_reply(whole())
    with serve(lambda asked: json_reply(vectors) if "embeddings" in asked.target else answer) as server:
        configure(server)
        assert run("embed", "--model", "box/m", "some text").code == 0
        assert run("batch", "in.jsonl", "out.jsonl", "--model", "box/m").code == 0
    (row,) = used()
    assert (row["requests"], row["input"]) == (3, 5 + 2 * 6)


def test_who_wants_no_rows_of_commands_has_none() -> None:
    with serve(HELLO) as server:
        configure(server, ledger={"commandLine": False})
        assert run("chat", "Hello").code == 0
    assert used() == []


def test_a_replay_costs_nothing_and_leaves_no_row(home: Path) -> None:
    tape = str(home / "tape")
    with serve(HELLO) as server:
        configure(server)
        assert run("chat", "--record", tape, "Hello").code == 0
    recorded = len(used())
    assert run("chat", "--replay", tape, "Hello").out == "Hi there\n"
    assert len(column(home, "id")) == recorded


def test_a_ledger_that_cannot_be_written_costs_no_answer(home: Path) -> None:
    with serve(HELLO) as server:
        configure(server, database=f"sqlite:///{home}/.jackfield")
        result = run("chat", "Hello")
    assert (result.code, result.out) == (0, "Hi there\n")
    assert "1 row of the ledger is lost" in result.err


def test_nobody_who_left_in_order_stays_in_the_list_of_writers(home: Path) -> None:
    with serve(HELLO, HELLO) as server:
        configure(server)
        for _ in range(2):
            assert run("chat", "Hello").code == 0
    with sqlite3.connect(home / ".jackfield" / "state.sqlite") as database:
        assert database.execute("SELECT count(*) FROM ledger_writers").fetchone() == (0,)
    database.close()


def test_a_program_leaves_rows_where_it_says_so(home: Path) -> None:
    asked = ChatRequest(model="box/m", messages=[Message.user("Hello")])
    with serve(json_reply(whole()), json_reply(whole())) as server:
        config = configure(server)
        with Client(config) as client:
            client.chat(asked)
        assert used() == []
        with Client(config, ledger="library") as client:
            client.chat(asked)
    assert column(home, "source") == ["library"]
    assert [row["requests"] for row in used()] == [1]


def test_who_never_asks_opens_nothing(home: Path) -> None:
    with Client({}, ledger="library"):
        pass
    assert list(home.rglob("state.sqlite")) == []
