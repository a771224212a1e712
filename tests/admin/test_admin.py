"""The listener for whoever runs the gateway."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import socket

import pytest

from tests.commands import run, write_config
from tests.gateway.command import gateway_process
from tests.patience import PATIENCE_S
from tests.servers import free_port, json_reply, serve

WHOLE = {
    "id": "c", "model": "m", "usage": {"prompt_tokens": 3, "completion_tokens": 2},
    "choices": [{"index": 0, "message": {"content": "Hi"}, "finish_reason": "stop"}],
}  # fmt: skip


def config(url: str, **gateway: object) -> str:
    entry = {"baseUrl": f"{url}/v1", "api": "openai-completions", "apiKey": "sk-up-0123456789", "models": [{"id": "m"}]}
    return json.dumps({
        "agents": {"defaults": {"model": {"primary": "box/m"}}}, "models": {"providers": {"box": entry}}, "gateway": gateway,
    })  # fmt: skip


@pytest.fixture
def process(home):
    with serve(json_reply(WHOLE)) as server:
        write_config(config(server.url))
        with gateway_process() as found:
            yield found


def test_only_its_own_token_opens_it(process) -> None:
    assert process.admin("status")[0] == 200
    assert process.admin("status", authorization=f"Bearer {process.token}")[0] == 401
    assert process.admin("status", authorization="")[0] == 401
    assert process.admin("status", authorization="", x_api_key=process.kept("admin-token"))[0] == 401
    mixed = process.request("GET", "/v1/models", authorization=f"Bearer {process.kept('admin-token')}")
    assert mixed[0] == 401


def test_each_listener_has_its_own_addresses(process) -> None:
    assert process.request("GET", "/v1/models", port=process.admin_port)[0] in {401, 404}
    assert process.request("GET", "/admin/api/status")[0] == 404


@pytest.mark.parametrize(
    "headers",
    [{"host": "evil.example"}, {"origin": "http://evil.example"}, {"origin": "null"}, {"origin": "http://["}],
)
def test_pages_of_elsewhere_are_refused(process, headers) -> None:
    assert process.admin("status", **headers)[0] == 403
    assert process.admin("reload", {}, **headers)[0] == 403


@pytest.mark.parametrize("twice", ["host: evil.example", "authorization: Bearer guess"])
def test_a_head_that_says_two_things_is_refused(process, twice) -> None:
    own = f"host: 127.0.0.1\r\nauthorization: Bearer {process.kept('admin-token')}\r\n"
    with socket.create_connection(("127.0.0.1", process.admin_port), timeout=PATIENCE_S) as caller:
        caller.sendall(f"GET /admin/api/status HTTP/1.1\r\n{twice}\r\n{own}connection: close\r\n\r\n".encode())
        with caller.makefile("rb") as answer:
            assert answer.readline().startswith(b"HTTP/1.1 400")


@pytest.mark.parametrize("place", ["config/change?number=", "attempts?limit=", "usage?days="])
def test_a_number_without_end_is_no_failure_of_the_gateway(process, place) -> None:
    assert process.admin(place + "9" * 5000)[0] == 400


def test_a_form_of_another_page_changes_nothing(process) -> None:
    status, said = process.admin("keys", {"name": "mallory"}, content_type="text/plain")
    assert (status, "JSON" in said["error"]["message"]) == (400, True)
    assert [key["name"] for key in process.admin("keys")[1]["keys"]] == ["owner"]


def test_the_status_tells_what_runs(process) -> None:
    said = process.admin("status")[1]
    assert (said["workers"], said["pid"], said["ledger"], said["configTrouble"]) == (1, process.pid, "ok", "")
    assert said["listeners"] == [f"http://127.0.0.1:{process.port}", f"http://127.0.0.1:{process.admin_port}"]
    shown = process.admin("config")[1]
    assert shown["hash"] == said["configHash"]
    assert "sk-up-0123456789" not in json.dumps(shown)
    assert shown["config"]["models"]["providers"]["box"]["models"][0]["id"] == "m"


def test_a_reload_is_asked_for(process) -> None:
    before = process.admin("status")[1]["configHash"]
    path = write_config("{ nonsense")
    status, said = process.admin("reload", {})
    assert (status, said["ok"]) == (200, False)
    assert str(path) in said["trouble"]
    broken = process.admin("status")[1]["configHash"]
    assert broken not in {before, ""}
    assert process.admin("config")[0] >= 400
    write_config(config("http://127.0.0.1:1"))
    assert process.admin("reload", {})[1] == {"ok": True, "trouble": "", "told": 1}
    assert process.admin("status")[1]["configHash"] not in {before, broken, ""}


def test_keys_are_made_used_and_ended(process) -> None:
    made = process.admin("keys", {"name": "ann", "limits": {"models": ["box/*"], "requestsPerMinute": 9}})[1]
    head = {"authorization": f"Bearer {made['key']}"}
    process.wait_for(lambda: str(process.request("GET", "/v1/models", **head)[0]), "200")
    listed = process.admin("keys")[1]["keys"]
    assert [(key["name"], key["state"], "key" in key) for key in listed] == [
        ("ann", "active", False),
        ("owner", "active", False),
    ]
    assert process.admin("keys/revoke", {"name": "ann"})[1]["state"] == "revoked"
    process.wait_for(lambda: str(process.request("GET", "/v1/models", **head)[0]), "401")
    for wrong in ({"name": "bob", "limits": {"budgetDay": -1}}, {"name": "a b"}, {"name": 7}, {"nome": "x"}, {}):
        assert process.admin("keys", wrong)[0] == 400


def test_use_and_failures_are_told(process) -> None:
    process.ask("default")
    process.wait_for(lambda: process.admin("usage?by=key&days=1")[1], '"owner"')
    rows = process.admin("usage")[1]["rows"]
    assert [(row["name"], row["input"], row["output"]) for row in rows] == [("box/m", 3, 2)]
    assert process.admin("usage?by=secret")[0] == 400
    write_config(config("http://127.0.0.1:1"))
    assert process.admin("reload", {})[1]["ok"]
    process.ask("default")
    assert process.admin("health")[1]["rests"][0]["provider"] == "box"
    assert process.admin("health/reset", {"provider": "other"})[1] == {"ended": 0}
    assert process.admin("health/reset", {})[1]["ended"] >= 1
    assert process.admin("health")[1]["rests"] == []
    assert process.admin("health/reset", method="GET")[0] == 405


def test_its_port_is_named_off_or_taken(home) -> None:
    write_config(config("http://127.0.0.1:1", admin={"enabled": False}))
    with gateway_process() as off:
        assert off.lines[-1] == "admin    none"
        # A port that somebody named must be free.
        taken = run("gateway", "--port", str(free_port()), "--admin-port", str(off.port))
        assert (taken.code, "--admin-port" in taken.err) == (1, True)
    write_config(config("http://127.0.0.1:1", admin={"host": "0.0.0.0", "port": free_port()}))
    assert "JACKFIELD_ADMIN_TOKEN" in run("gateway", "--port", str(free_port())).err
    assert not pathlib.Path(home / ".jackfield" / "admin-token").exists()


def test_a_session_opens_what_the_token_opens(process) -> None:
    status, began = process.admin("session", {"token": process.kept("admin-token")}, authorization="")
    assert status == 200
    assert process.admin("status", authorization=f"Bearer {began['token']}")[0] == 200
    status, said = process.admin("session", {"token": "jf-wrong"}, authorization="")
    assert (status, said["error"]["type"]) == (401, "auth")


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_reload_takes_another_token_and_ends_the_sessions_of_the_one_before(home, workers) -> None:
    write_config(config("http://127.0.0.1:1", admin={"token": "first-of-two"}))
    with gateway_process("--workers", workers) as process:
        first, second = ({"authorization": f"Bearer {each}"} for each in ("first-of-two", "second-of-two"))
        session = process.admin("session", {"token": "first-of-two"}, authorization="")[1]["token"]
        write_config(config("http://127.0.0.1:1", admin={"token": "second-of-two"}))
        process.wait_for(lambda: process.admin("status", **second)[0], "200")
        assert process.admin("status", **first)[0] == 401
        assert process.admin("status", authorization=f"Bearer {session}")[0] == 401
        write_config('{"gateway": {"admin": {"token": "third", "port": "none"}}}')
        process.wait_for(lambda: process.admin("status", **second)[1], '"configTrouble": "the config has')
        assert process.admin("status", authorization="Bearer third")[0] == 401, "what holds is the config before"
    assert "start the gateway again" not in process.err


def test_one_of_several_workers_is_asked_and_another_takes_its_place(home) -> None:
    with serve(json_reply(WHOLE)) as server:
        write_config(config(server.url))
        with gateway_process("--workers", "2") as process:
            first = {process.admin("status")[1]["pid"] for _ in range(8)}
            assert len(first) == 1
            os.kill(first.pop(), signal.SIGKILL)
            assert process.admin("status")[0] == 200
