"""`jackfield chat` against a real model server: what a person and a script see."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from jackfield.demo.server import DemoServer
from tests.commands import impatient, run, write_config
from tests.patience import PATIENCE_S
from tests.server.conftest import Config, to_config
from tests.server.test_library import ANSWER, THOUGHT

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


@pytest.fixture(autouse=True)
def written(config: Config) -> Path:
    """Write the config into the test's home."""
    return write_config(json.dumps(config))


@pytest.mark.parametrize(
    "options", [[], ["--no-stream"], ["--model", "claude/tiny"]], ids=["stream", "whole", "anthropic"]
)
def test_the_answer_alone_goes_to_stdout(options: list[str]) -> None:
    result = run("chat", *options, "Hello")

    assert (result.code, result.out, result.err) == (0, f"{ANSWER}\n", "")


def test_json_has_the_promised_shape() -> None:
    result = run("chat", "--json", "--model", "demo/tiny", "--thinking", "high", "Hello")

    reply = result.json()
    counts = reply.pop("usage")
    (attempt,) = reply.pop("attempts")
    assert reply == {
        "ok": True,
        "model": "demo/tiny",
        "requested": "demo/tiny",
        "text": ANSWER,
        "thinking": THOUGHT,
        "toolCalls": [],
        "finishReason": "stop",
        "costUsd": reply["costUsd"],
        "warnings": [],
        "citations": [],
        "files": [],
    }
    assert Decimal(reply["costUsd"]) == 0
    assert set(counts) == {"input", "output", "cacheRead", "cacheWrite", "reasoning"}
    assert counts["output"] == 24
    assert (attempt["model"], attempt["reason"]) == ("demo/tiny", None)
    assert isinstance(attempt["ms"], int)
    assert result.err == ""


def test_a_piped_question_is_the_message() -> None:
    assert run("chat", stdin="Hello\n").out == f"{ANSWER}\n"


def test_an_answer_cut_at_the_limit_says_so() -> None:
    result = run("chat", "--max-tokens", "3", "Hello")

    assert (result.code, result.out) == (0, "Hello from Jackfield.\n")
    assert "cut off" in result.err


def test_a_schema_shapes_the_answer(home: Path) -> None:
    schema = home / "schema.json"
    schema.write_text(
        '{"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}', encoding="utf-8"
    )

    assert json.loads(run("chat", "--schema", str(schema), "Where?").out) == {"city": "Lisbon"}


def test_a_text_file_is_part_of_the_question(home: Path) -> None:
    notes = home / "notes.txt"
    notes.write_text("some words " * 40, encoding="utf-8")

    alone = run("chat", "--json", "Sum up.").json()["usage"]
    together = run("chat", "--json", "--file", str(notes), "Sum up.").json()["usage"]

    assert together["input"] + (together["cacheRead"] or 0) > alone["input"] + (alone["cacheRead"] or 0) + 100


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [("pixel.png", PIXEL, "image input is not supported"), ("page.pdf", b"%PDF-1.4\n%%EOF\n", "unsupported content")],
    ids=["image", "pdf"],
)
def test_a_file_the_server_cannot_read_is_refused_in_its_own_words(
    home: Path, config: Config, name: str, content: bytes, words: str
) -> None:
    write_config(impatient(json.dumps(config)))
    (home / name).write_bytes(content)

    result = run("chat", "--file", str(home / name), "What is this?")

    assert (result.code, result.out) == (1, "")
    assert words in result.err


def test_a_wrong_key_is_named_by_its_place_and_never_shown(config: Config) -> None:
    config["models"]["providers"]["demo"]["apiKey"] = "sk-not-the-one-0123456789"
    write_config(json.dumps(config))

    result = run("chat", "--json", "Hello")

    error = result.json()["error"]
    assert result.code == 1
    assert (error["type"], error["status"]) == ("auth", 401)
    assert "models.providers.demo.apiKey" in result.out
    assert "sk-not-the-one" not in result.out + result.err


def test_a_question_longer_than_the_window_is_told_apart() -> None:
    result = run("chat", "--json", stdin="word " * 12_000)

    assert result.code == 1
    assert result.json()["error"]["type"] == "context_overflow"
    assert result.json()["error"]["attempts"][0]["reason"] == "context_overflow"


def test_a_server_killed_in_mid_sentence_fails_the_command_and_keeps_what_was_said(brittle: DemoServer) -> None:
    write_config(json.dumps(to_config(brittle, params={"ignore_eos": True, "max_tokens": 4_000})))
    command = [sys.executable, "-m", "jackfield", "chat", "Hello"]

    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8", env=os.environ
    ) as asked:
        assert asked.stdout is not None
        heard = asked.stdout.read(5)
        brittle.process.kill()
        out, err = asked.communicate(timeout=PATIENCE_S)

    assert asked.returncode == 1
    assert (heard + out).startswith(ANSWER[:5])
    assert "error:" in err
    assert "Traceback" not in err


def test_a_server_of_ones_own_that_was_given_its_key_can_be_asked() -> None:
    models = run("models", "list", "--json").json()["models"]

    assert {row["key"]: row["available"] for row in models} == {
        "demo/tiny": True,
        "claude/tiny": True,
        "answers/tiny": True,
    }


def test_a_stopped_server_is_a_connection_error_with_its_address(brittle: DemoServer) -> None:
    write_config(json.dumps(to_config(brittle)))
    brittle.process.kill()
    brittle.process.wait()

    result = run("chat", "--json", "Hello")

    assert result.code == 1
    assert result.json()["error"]["type"] == "connection"
    assert brittle.root.removeprefix("http://") in result.json()["error"]["message"]
