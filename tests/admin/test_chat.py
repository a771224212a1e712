"""A chat from the page: told line by line, stopped at once, kept as the page's."""

from __future__ import annotations

import base64
import http.client
import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from jackfield.gateway.server import END_S
from jackfield.scripted.script import Script
from jackfield.scripted.server import open_server
from tests.commands import write_config
from tests.gateway.command import Process, gateway_process
from tests.patience import PATIENCE_S
from tests.servers import HANG, RESET, Received, Reply, Server, Step, json_reply, serve, sse_reply

Lines = list[dict[str, Any]]
PRICED = {"input": 1, "output": 2}


def entry(url: str, **more: Any) -> dict[str, Any]:
    return {"baseUrl": f"{url}/v1", "api": "openai-completions", "apiKey": "sk-up-0123456789", **more}


def config(models: dict[str, Any] | None = None, **providers: Any) -> str:
    return json.dumps({
        "agents": {"defaults": {"model": {"primary": f"{next(iter(providers))}/m"}}},
        "models": {"providers": providers, **(models or {})},
    })  # fmt: skip


@contextmanager
def scripted(*replies: Any, **models: Any) -> Iterator[tuple[Process, Script]]:
    """Run a gateway before a scripted provider named box."""
    script = Script(replies)
    with open_server(script) as url:
        write_config(config(models, box=entry(url, models=[{"id": "m", "cost": PRICED}, {"id": "spare"}])))
        with gateway_process() as process:
            yield process, script


@contextmanager
def configured(server: Server) -> Iterator[Process]:
    """Run a gateway before a server named box."""
    write_config(config(box=entry(server.url, models=[{"id": "m"}])))
    with gateway_process() as process:
        yield process


def body(text: str = "Hello", **more: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": text}], **more}


def ask(process: Process, said: dict[str, Any], path: str = "chat") -> Lines:
    """Ask as the page does, and return every line of the answer."""
    head = {"authorization": f"Bearer {process.kept('admin-token')}"}
    status, headers, raw = process.request(
        "POST", f"/admin/api/{path}", json.dumps(said).encode(), port=process.admin_port, **head
    )
    if status != 200:
        return [{"status": status, **json.loads(raw)}]
    assert headers["content-type"] == "application/x-ndjson"
    return [json.loads(line) for line in raw.splitlines()]


@contextmanager
def opened(process: Process, said: dict[str, Any]) -> Iterator[http.client.HTTPResponse]:
    """Ask, and leave when the block ends."""
    connection = http.client.HTTPConnection("127.0.0.1", process.admin_port, timeout=PATIENCE_S)
    head = {"authorization": f"Bearer {process.kept('admin-token')}", "content-type": "application/json"}
    connection.request("POST", "/admin/api/chat", json.dumps(said).encode(), head)
    try:
        yield connection.getresponse()
    finally:
        connection.close()


def words(lines: Lines, kind: str = "text") -> str:
    return "".join(line["text"] for line in lines if line["type"] == kind)


def spent(process: Process) -> Any:
    """Return what the ledger has of the page, once it has something."""
    return process.wait_for(lambda: process.admin("usage?by=key&days=1")[1], '"page"')["rows"]


def test_an_answer_is_told_as_it_comes_with_what_it_cost(home) -> None:
    said = {"text": "Hello there", "thinking": "A greeting.", "usage": {"input": 100, "output": 10, "cacheRead": 5}}
    with scripted(said) as (process, script):
        lines = ask(process, body(model="box/m", temperature=0.5))
        assert lines[0] == {
            "type": "start", "requested": "box/m", "model": "box/m", "requestId": lines[0]["requestId"],
        }  # fmt: skip
        assert (words(lines), words(lines, "thinking")) == ("Hello there", "A greeting.")
        assert lines[1]["type"] == "served"
        assert lines[1]["model"] == "box/m"
        done = lines[-1]
        assert (done["type"], done["model"], done["finishReason"]) == ("done", "box/m", "stop")
        assert (done["usage"]["input"], done["usage"]["output"], done["usage"]["cacheRead"]) == (100, 10, 5)
        assert (done["costUsd"], done["warnings"], done["notice"]) == ("0.00012", [], "")
        assert 0 <= done["firstMs"] <= done["totalMs"]
        assert done["message"] == {"role": "assistant", "content": "Hello there", "reasoning_content": "A greeting."}
        assert [each["reason"] for each in done["attempts"]] == [None]
        assert script.requests[0].body["temperature"] == 0.5


def test_without_a_model_the_default_is_asked(home) -> None:
    with scripted("Hi") as (process, _):
        assert ask(process, body())[-1]["model"] == "box/m"


def test_a_tools_call_comes_in_pieces_and_its_result_goes_back(home) -> None:
    call = {"toolCalls": [{"name": "weather", "arguments": {"city": "Lisbon"}, "id": "call_1"}]}
    with scripted(call, {"when": {"toolResult": True}, "text": "It is 18 °C."}) as (process, script):
        tool = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
        first = body("Weather?", tools=[tool])
        lines = ask(process, first)
        calls = [line for line in lines if line["type"] == "call"]
        assert (calls[0]["name"], calls[0]["id"]) == ("weather", "call_1")
        assert json.loads("".join(line["arguments"] for line in calls)) == {"city": "Lisbon"}
        assert lines[-1]["finishReason"] == "tool_calls"
        turn = lines[-1]["message"]
        assert turn["tool_calls"][0]["function"]["name"] == "weather"
        result = {"role": "tool", "tool_call_id": "call_1", "content": "18 °C"}
        assert words(ask(process, {**first, "messages": [*first["messages"], turn, result]})) == "It is 18 °C."
        assert script.requests[-1].body["messages"][-1]["content"] == "18 °C"


def test_who_stands_in_is_told_before_the_answer_is_there(home) -> None:
    go_on = threading.Event()
    said = {"id": "c", "choices": [{"index": 0, "delta": {"content": "I stand in"}, "finish_reason": "stop"}]}

    def answer(received: Received) -> Reply:
        if received.json()["model"] == "m":
            return json_reply({"error": {"message": "slow down", "type": "rate_limit_error"}}, 429)
        return [go_on, *sse_reply(said, "[DONE]")]

    with serve(answer) as server:
        write_config(config(box=entry(server.url, models=[{"id": "m"}, {"id": "spare"}])))
        with gateway_process() as process, opened(process, body(model="box/m", fallbacks=["box/spare"])) as reply:
            lines = [json.loads(reply.readline()) for _ in range(2)]
            go_on.set()
            lines += [json.loads(line) for line in reply.read().splitlines()]
        assert [line["type"] for line in lines[:3]] == ["start", "attempt", "served"]
        assert (lines[1]["model"], lines[1]["reason"]) == ("box/m", "rate_limit")
        assert (lines[-1]["model"], words(lines)) == ("box/spare", "I stand in")
        assert [each["reason"] for each in lines[-1]["attempts"]] == ["rate_limit", None]
        assert "box/spare" in lines[-1]["notice"]


def test_nobody_answers_and_each_try_is_named(home) -> None:
    with scripted({"error": "auth", "repeat": True}) as (process, _):
        last = ask(process, body(model="box/m", fallbacks=["box/spare"]))[-1]
        assert (last["type"], last["error"]["type"]) == ("error", "auth")
        assert {each["model"] for each in last["attempts"]} == {"box/m", "box/spare"}
        assert "sk-up-0123456789" not in json.dumps(last)


def test_a_stream_that_breaks_ends_in_an_error_after_what_was_heard(home) -> None:
    with scripted({"text": "one two three four", "cutAfter": 2}) as (process, _):
        lines = ask(process, body())
        assert words(lines).split() == ["one", "two"]
        assert (lines[-1]["type"], lines[-1]["error"]["type"]) == ("error", "stream_broken")
        assert lines[-1]["usage"]["estimated"]
        assert spent(process)[0]["output"] > 0


def test_what_makes_no_sense_is_refused_and_named(home) -> None:
    with scripted("Hi") as (process, _):
        assert ask(process, {"messages": [{"role": "captain", "content": "Hi"}]})[0]["status"] == 400
        assert "fallbacks" in ask(process, body(fallbacks="box/m"))[0]["error"]["message"]
        unknown = ask(process, body(model="nobody/x"))[-1]
        assert (unknown["type"], "nobody" in unknown["error"]["message"]) == ("error", True)
        assert process.admin("chat")[0] == 405


def test_a_call_is_kept_as_the_pages_and_counted(home) -> None:
    with scripted({"text": "Hi", "usage": {"input": 1000, "output": 500}}) as (process, _):
        ask(process, body(model="box/m"))
        row = next(row for row in spent(process) if row["name"] == "page")
        assert (row["input"], row["output"]) == (1000, 500)
        page = process.page()
        assert 'jackfield_requests_total{wire="page",kind="chat",model="box/m",outcome="ok"} 1' in page


def test_a_budget_holds_for_the_page_too(home) -> None:
    with open_server(Script(["Hi"])) as url:
        write_config(json.dumps({
            "agents": {"defaults": {"model": {"primary": "box/m"}}},
            "models": {
                "providers": {"box": entry(url, models=[{"id": "m", "cost": {"input": 9e6, "output": 9e6}}])},
                "budget": {"perDay": 0.01},
            },
        }))  # fmt: skip
        with gateway_process() as process:
            last = ask(process, body(max_tokens=100))[-1]
            assert (last["type"], last["error"]["type"]) == ("error", "billing")


def test_a_browser_that_leaves_ends_the_providers_work_at_once(home) -> None:
    piece = {"id": "c", "model": "m", "choices": [{"index": 0, "delta": {"content": "Hello"}}]}
    with serve(sse_reply(piece, HANG)) as server:
        write_config(config(box=entry(server.url, models=[{"id": "m"}])))
        with gateway_process() as process:
            with opened(process, body()) as reply:
                said = b"".join(reply.readline() for _ in range(3))
            assert b"Hello" in said
            assert server.dropped.wait(PATIENCE_S)
            process.wait_for(process.page, 'outcome="cancelled"')
            row = next(row for row in spent(process) if row["name"] == "page")
            assert row["output"] > 0


def test_a_browser_that_leaves_before_the_first_word_is_noticed(home) -> None:
    with serve([HANG]) as server:
        write_config(config(box=entry(server.url, models=[{"id": "m"}])))
        with gateway_process() as process:
            with opened(process, body()) as reply:
                assert b"start" in reply.readline()
                assert server.heard.wait(PATIENCE_S)
            assert server.dropped.wait(PATIENCE_S)


def test_pictures_and_files_reach_the_model(home) -> None:
    picture = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(2**20)).decode()
    parts = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{picture}"}},
        {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERi0="}},
    ]
    with scripted("A picture") as (process, script):
        assert words(ask(process, {"messages": [{"role": "user", "content": parts}]})) == "A picture"
        sent = script.requests[0].body["messages"][0]["content"]
        assert (sent[1]["image_url"]["url"][-40:], sent[2]["file"]["filename"]) == (picture[-40:], "a.pdf")


def test_a_body_beyond_what_the_gateway_takes_is_refused(home) -> None:
    with scripted("Hi") as (process, _):
        lines = ask(process, body("x" * (33 * 1024 * 1024)))
        assert lines[0]["status"] == 413


def test_a_reload_leaves_the_stream_alone(home) -> None:
    go_on = threading.Event()
    half, rest = ({"choices": [{"index": 0, "delta": {"content": text}}]} for text in ("one two ", "three"))
    end = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    after = {"choices": [{"index": 0, "delta": {"content": "after"}, "finish_reason": "stop"}]}
    with (
        serve(sse_reply(half, go_on, rest, end, "[DONE]"), sse_reply(after, "[DONE]")) as server,
        configured(server) as process,
    ):
        with opened(process, body()) as reply:
            begun = b"".join(reply.readline() for _ in range(3))
            assert process.admin("reload", {})[1]["ok"]
            go_on.set()
            ended = reply.read()
        lines = [json.loads(line) for line in (begun + ended).splitlines()]
        assert (words(lines), lines[-1]["type"]) == ("one two three", "done")
        assert words(ask(process, body())) == "after"


def test_a_lost_connection_is_tried_again_and_told(home) -> None:
    whole = {
        "id": "c", "model": "m", "choices": [{"index": 0, "message": {"content": "Hi"}, "finish_reason": "stop"}],
    }  # fmt: skip
    with serve([RESET], json_reply(whole)) as server:
        write_config(config(box=entry(server.url, models=[{"id": "m"}])))
        with gateway_process() as process:
            lines = ask(process, body())
            assert [line["type"] for line in lines] == ["start", "attempt", "served", "text", "done"]
            assert lines[1]["reason"] == "connection"


def test_an_answer_that_is_on_its_way_ends_before_the_gateway_does_and_no_other_begins(home) -> None:
    release = threading.Event()

    def reply(_: Received) -> Iterator[Step]:
        steps = sse_reply(
            {"choices": [{"index": 0, "delta": {"content": "Hello"}}]},
            {"choices": [{"index": 0, "delta": {"content": " again"}, "finish_reason": "stop"}]},
            "[DONE]",
        )
        yield from steps[:2]
        while not release.is_set():
            yield 0.1
        yield from steps[2:]

    with serve(reply) as server:
        write_config(config(box=entry(server.url, models=[{"id": "m"}])))
        with gateway_process() as process:
            with opened(process, body()) as stream:
                begun = [json.loads(stream.readline()) for _ in range(3)]
                assert begun[-1]["text"] == "Hello"
                assert process.admin("status")[1]["openRequests"] == 1
                os.kill(process.pid, signal.SIGTERM)
                process.wait_for(lambda: process.admin("status")[1], '"isDraining": true')
                [refused] = ask(process, body("Another"))
                assert (refused["status"], refused["error"]["message"]) == (503, "the gateway is ending")
                release.set()
                rest = [json.loads(line) for line in stream]
            assert (words(rest), rest[-1]["type"]) == (" again", "done")
            assert process.wait() == 0


def test_an_answer_that_does_not_end_is_waited_for_as_long_as_any_call(home) -> None:
    with serve(sse_reply({"choices": [{"index": 0, "delta": {"content": "Hello"}}]}, HANG)) as server:
        box = entry(server.url, models=[{"id": "m"}])
        drain_s = 3 * END_S  # the server's own end alone would be over before
        write_config(json.dumps(json.loads(config(box=box)) | {"gateway": {"drainSeconds": drain_s}}))
        with gateway_process() as process, opened(process, body()) as stream:
            while b"Hello" not in stream.readline():
                pass
            began = time.monotonic()
            os.kill(process.pid, signal.SIGTERM)
            assert process.wait() == 0
            assert time.monotonic() - began >= drain_s
