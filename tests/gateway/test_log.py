"""What a gateway writes: a line per attempt, of JSON or of words; never a word of what was asked."""

from __future__ import annotations

import json
import logging
import re
from decimal import Decimal

import msgspec
import pytest

from jackfield.gateway import log
from jackfield.gateway.log import Log, Notes, lines_of
from jackfield.gateway.record import Finished
from jackfield.message import Attempt, Usage
from tests.admin.test_admin import WHOLE, config
from tests.commands import write_config
from tests.gateway.command import gateway_process
from tests.servers import json_reply, serve, text_reply

CALL = Finished(
    request_id="req-1", at_ms=1_700_000_000_123, ms=30, wire="openai-completions", key_name="ann", requested="team",
    model="box/b", attempts=(Attempt("box/a", None, "rate_limit", 10, "the provider's words"), Attempt("box/b", ms=15)),
    usage=Usage(3, 2), cost_usd=Decimal("0.000123"),
)  # fmt: skip


def written(call: Finished, **how: str) -> list[str]:
    pieces: list[bytes] = []
    Log(pieces.append, **how).note(call)
    return b"".join(pieces).decode().splitlines()


def test_every_attempt_is_a_line() -> None:
    first, second = map(json.loads, written(CALL))
    assert (first["level"], first["model"], first["reason"], "outcome" in first) == (
        "warn",
        "box/a",
        "rate_limit",
        False,
    )
    assert (second["level"], second["attempt"], second["outcome"], second["totalMs"]) == ("info", 2, "ok", 30)
    assert (second["input"], second["output"], second["costUsd"], second["key"]) == (3, 2, 0.000123, "ann")
    assert {first["request"], second["request"]} == {"req-1"}
    assert second["at"] == "2023-11-14T22:13:20.123Z"
    assert "words" not in json.dumps([first, second])


def test_the_keys_are_those_of_the_glossary() -> None:
    glossary = set(re.findall(r"^    ((?:\w+ )+) ", log.__doc__ or "", re.MULTILINE))
    known = {word for line in glossary for word in line.split()}
    said = {key for line in lines_of(CALL) for key in msgspec.to_builtins(line)}
    assert said <= known
    assert known - said == {"message", "traceback"}


def test_it_may_be_words_for_people() -> None:
    first, second = written(CALL, form="text")
    assert first == "2023-11-14T22:13:20.123Z warn  req-1 openai-completions team → box/a #1 rate_limit 10ms"
    assert second.endswith("→ box/b #2 ok 15ms | ok 200 30ms")


def test_a_callers_words_make_no_second_line() -> None:
    from msgspec.structs import replace

    call = replace(CALL, requested='x\n{"level":"error"}\ud800', attempts=(Attempt("box/b", ms=1),))
    assert len(written(call, form="text")) == 1


@pytest.mark.parametrize(("level", "count"), [("info", 2), ("warn", 1), ("error", 0)])
def test_less_may_be_written(level, count) -> None:
    assert len(written(CALL, level=level)) == count


def test_notes_have_the_same_form() -> None:
    pieces: list[bytes] = []
    logger = logging.Logger("test")
    logger.addHandler(Notes(pieces.append))
    try:
        raise ValueError("odd")
    except ValueError:
        logger.exception("a part failed")
    (line,) = map(json.loads, pieces)
    assert (line["level"], line["event"], line["message"]) == ("error", "note", "a part failed")
    assert "ValueError: odd" in line["traceback"]


def test_an_id_goes_through_and_secrets_do_not(home) -> None:
    with serve(json_reply(WHOLE), text_reply('{"error": "bad key sk-up-0123456789"}', 401)) as server:
        write_config(config(server.url))
        with gateway_process() as process:
            body = json.dumps({"model": "default", "messages": [{"role": "user", "content": "blue door"}]}).encode()
            said = [
                process.request("POST", "/v1/chat/completions", body, x_request_id="mine-7"),
                process.request("POST", "/v1/chat/completions", body, x_request_id="not good!"),
                process.request("GET", "/v1/nothing", x_request_id="mine-8"),
                process.request("GET", "/healthz", x_request_id="mine-9"),
            ]
            ids = [headers["x-request-id"] for _, headers, _ in said]
            token = process.token
    assert (ids[0], ids[2], ids[3]) == ("mine-7", "mine-8", "mine-9")
    assert ids[1].startswith("req_")
    assert "x-request-id" not in server.journal[0].headers  # callers' ids are not the providers' business
    rows = [json.loads(line) for line in process.err.splitlines()]
    assert {row["request"] for row in rows if row["event"] == "attempt"} == set(ids[:2])
    for secret in ("blue door", "sk-up-0123456789", token):
        assert secret not in process.err


def test_the_command_chooses_the_form(home) -> None:
    with serve(json_reply(WHOLE)) as server:
        write_config(config(server.url, log={"format": "json", "level": "info"}))
        with gateway_process("--log-format", "text") as process:
            process.ask("default")
    assert "default → box/m #1 ok" in process.err
