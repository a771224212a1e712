"""`jackfield batch` as a person runs it."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from pathlib import Path

import pytest

from tests import forks
from tests.batch.box import CONFIG_COST, completion, echo, prompt_of, prompts, read_rows, refusing, write_rows
from tests.commands import impatient, local_provider, run, write_config
from tests.patience import PATIENCE_S, await_true
from tests.servers import Received, Reply, json_reply, serve

BATCH = ("batch", "in.jsonl", "out.jsonl")


def priced(url: str) -> str:
    return impatient(local_provider(url, models=[{"id": "m", "cost": CONFIG_COST, "maxTokens": 1000}]))


def ids(home: Path) -> list[str]:
    return [row["custom_id"] for row in read_rows(home / "out.jsonl")]


def test_every_row_gets_its_answer_with_what_it_took(home: Path) -> None:
    write_rows(home / "in.jsonl", prompts(3))
    with serve(echo) as server:
        write_config(priced(server.url))
        done = run(*BATCH, "--ordered")

    assert done.code == 0, done.err
    assert done.out.startswith("3 answered, 0 failed, 0 left · 30 tokens in, 30 out · $0.00006 · ")
    first = read_rows(home / "out.jsonl")[0]
    assert first["id"].startswith("batch_req_1_")
    assert (first["custom_id"], first["error"], first["text"]) == ("row-0", None, "say 0")
    assert first["response"]["status_code"] == 200
    assert first["response"]["body"]["choices"][0]["message"]["content"] == "say 0"
    took = first["jackfield"]
    assert (took["line"], took["model"], took["requested"], took["costUsd"]) == (1, "box/m", "default", "0.00002")
    assert took["usage"]["input"] == took["usage"]["output"] == 10
    assert [attempt["reason"] for attempt in took["attempts"]] == [None]


def test_answers_come_in_the_protocol_of_the_question(home: Path) -> None:
    talk = [{"role": "user", "content": "Hi"}]
    rows = [
        {"custom_id": "a", "url": "/v1/messages", "body": {"model": "box/m", "max_tokens": 9, "messages": talk}},
        {"custom_id": "b", "url": "/v1/responses", "body": {"model": "box/m", "input": "Hi"}},
        {"key": "c", "request": {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]}},
    ]
    write_rows(home / "in.jsonl", rows)
    with serve(echo) as server:
        write_config(priced(server.url))
        assert run(*BATCH, "--ordered").code == 0

    message, response, gemini = (row["response"]["body"] for row in read_rows(home / "out.jsonl"))
    assert message["content"][0]["text"] == "Hi"
    assert response["output"][0]["content"][0]["text"] == "Hi"
    assert gemini["candidates"][0]["content"]["parts"][0]["text"] == "Hi"


def test_vectors_come_in_openais_shape(home: Path) -> None:
    write_rows(home / "in.jsonl", [{"id": "v", "input": ["one", "two"]}])
    vectors = [{"object": "embedding", "index": index, "embedding": [0.5, index]} for index in range(2)]
    with serve(json_reply({"object": "list", "data": vectors, "model": "m", "usage": {"prompt_tokens": 2}})) as server:
        write_config(priced(server.url))
        assert run(*BATCH, "-m", "box/m").code == 0

    (row,) = read_rows(home / "out.jsonl")
    assert [each["embedding"] for each in row["response"]["body"]["data"]] == [[0.5, 0], [0.5, 1]]


def test_a_broken_line_fails_alone_and_names_itself(home: Path) -> None:
    write_rows(home / "in.jsonl", [prompts(1)[0], "{oops", {"id": "n"}])
    with serve(refusing("nothing")) as server:
        write_config(priced(server.url))
        done = run(*BATCH, "--json", "--ordered")

    assert done.code == 1
    told = done.json()
    assert (told["ok"], told["answered"], told["failed"], told["failures"]) == (False, 1, 2, {"invalid_request": 2})
    _, second, third = read_rows(home / "out.jsonl")
    assert second["error"]["message"].startswith("line 2: the row is not JSON")
    assert third["error"]["message"].startswith("line 3: a row needs one of prompt")
    assert third["custom_id"] == "n"


def test_a_refusal_stands_with_its_status_and_is_asked_again_on_demand(home: Path) -> None:
    write_rows(home / "in.jsonl", prompts(3))
    with serve(refusing("say 1")) as server:
        write_config(priced(server.url))
        assert run(*BATCH).code == 1
        again = run(*BATCH, "--json")
    refused = next(row for row in read_rows(home / "out.jsonl") if row["error"])
    assert refused["response"]["status_code"] == 400
    assert "no say 1" in refused["response"]["body"]["error"]["message"]
    assert (again.code, again.json()["before"]) == (1, {"rows": 3, "failed": 1})

    with serve(echo) as server:
        write_config(priced(server.url))
        mended = run(*BATCH, "--retry-failed", "--ordered")

    assert mended.code == 0, mended.err
    assert ids(home) == ["row-0", "row-1", "row-2"]


def test_a_limit_is_a_limit_of_this_run(home: Path) -> None:
    write_rows(home / "in.jsonl", prompts(5))
    with serve(echo) as server:
        write_config(priced(server.url))
        first = run(*BATCH, "--limit", "2", "--json")
        assert (first.code, first.json()["left"]) == (0, 3)
        assert run(*BATCH).code == 0

    assert sorted(ids(home)) == [f"row-{number}" for number in range(5)]


def test_the_cap_ends_the_run_and_says_what_is_left(home: Path) -> None:
    write_rows(home / "in.jsonl", prompts(20))
    with serve(lambda received: json_reply(completion(prompt_of(received), tokens=1000))) as server:
        write_config(priced(server.url))
        done = run(*BATCH, "--max-cost", "0.0052", "--json", "--concurrency", "2")
        told = done.json()
        person = run(*BATCH, "--max-cost", "0.0001")

    assert (done.code, told["answered"], told["left"], told["costUsd"]) == (1, 5, 15, "0.00505")
    assert told["error"]["type"] == "billing"
    assert person.code == 1
    assert "stopped: box/m is not asked: it may cost up to" in person.err
    assert "0 answered, 0 failed, 15 left" in person.out


def test_another_model_answers_where_the_first_fails(home: Path) -> None:
    write_rows(home / "in.jsonl", prompts(1))

    def reply(received: Received) -> Reply:
        bad = received.json()["model"] == "m"
        return json_reply({"error": {"message": "down"}}, 500) if bad else echo(received)

    with serve(reply) as server:
        write_config(impatient(local_provider(server.url, models=[{"id": "m"}, {"id": "n"}])))
        done = run(*BATCH, "-m", "box/m", "--fallback", "box/n")

    assert done.code == 0, done.err
    assert read_rows(home / "out.jsonl")[0]["jackfield"]["model"] == "box/n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("batch", "none.jsonl", "out.jsonl"), "cannot read none.jsonl"),
        (("batch", ".", "out.jsonl"), "is not a file"),
        (("batch", "in.jsonl", "in.jsonl"), "cannot go into the file of the questions"),
        (("batch", "in.jsonl", "no/out.jsonl"), "there is no folder no"),
        (("batch", "in.jsonl", "diary.txt"), "holds something else"),
        (("batch", "--ray", "in.jsonl", "out.jsonl"), "Missing argument"),
        (("batch", "in.jsonl", "out.jsonl", "--ray", "x y"), "is no address of a Ray cluster"),
    ],
)
def test_what_cannot_be_asked_or_written_is_wrong_usage(home: Path, arguments: tuple[str, ...], words: str) -> None:
    write_rows(home / "in.jsonl", prompts(1))
    (home / "diary.txt").write_text("Dear diary\n", encoding="utf-8")
    done = run(*arguments)

    assert (done.code, words.lower() in done.err.lower()) == (2, True), done.err
    assert (home / "diary.txt").read_text(encoding="utf-8") == "Dear diary\n"


@pytest.mark.skipif(os.name != "posix", reason="needs signals")
@pytest.mark.parametrize("times", [1, 2])
def test_ctrl_c_finishes_what_is_under_way_and_a_second_one_does_not(home: Path, times: int) -> None:
    write_rows(home / "in.jsonl", prompts(50))
    go_on, said, noted = threading.Event(), home / "said", home / "noted"

    def words() -> str:
        return noted.read_text(encoding="utf-8")

    with serve(lambda received: [go_on, *echo(received)]) as server:
        write_config(priced(server.url))
        with Path(os.devnull).open("rb") as nothing, said.open("wb") as out, noted.open("wb") as err:
            files = nothing.fileno(), out.fileno(), err.fileno()
            args = [*BATCH, "--json", "--concurrency", "3"]
            running = forks.spawn(args, files, env=os.environ, cwd=home)
        await_true(lambda: len(server.journal) == 3)
        os.kill(running.pid, signal.SIGINT)
        await_true(lambda: "finishing 3 rows under way" in words())
        if times == 1:
            go_on.set()
        else:
            os.kill(running.pid, signal.SIGINT)
        code = running.wait(PATIENCE_S)

    told = json.loads(said.read_text(encoding="utf-8"))
    answered = 3 if times == 1 else 0
    assert (code, told["stopped"], told["answered"]) == (130, "interrupted", answered)
    assert told["left"] == 50 - answered
    assert len(read_rows(home / "out.jsonl")) == answered


def test_without_the_extra_ray_says_what_to_install(home: Path) -> None:
    if sys.modules.get("ray") or any((Path(each) / "ray").is_dir() for each in sys.path):
        pytest.skip("Ray is installed")
    write_rows(home / "in.jsonl", prompts(1))
    done = run(*BATCH, "--ray")

    assert done.code == 1
    assert "pip install 'jackfield[ray]'" in done.err
