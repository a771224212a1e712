"""Who is let in, what is refused at the door, and in which words."""

from __future__ import annotations

import json
import socket

import pytest

from jackfield.gateway.parts import Settings
from jackfield.scripted.script import Script
from jackfield.scripted.server import open_server
from tests.gateway.serving import TOKEN, configured, provider, running
from tests.patience import PATIENCE_S

ASKED = {"model": "box/m", "max_tokens": 9, "messages": [{"role": "user", "content": "Hello"}]}
GEMINI = {"contents": [{"role": "user", "parts": [{"text": "Hello"}]}]}
SMALL = Settings(body_limit=1 << 20, disabled=frozenset({"responses"}))
IDS = [{"id": "m"}, {"id": "meta/llama-3.3:free"}, {"id": "hf:org/big-model"}]


@pytest.fixture(scope="module")
def script():
    return Script([{"text": "Hi", "repeat": True}])


@pytest.fixture
def gateway(script):
    with open_server(script) as address:
        config = configured(box=provider(f"{address}/v1", models=IDS))
        with running(config, settings=SMALL) as found:
            yield found


def error_of(answer) -> dict:
    return answer.json()["error"]


@pytest.mark.parametrize("wrong", ["Bearer wrong", "Bearer ' OR '1'='1", "Bearer ", None, "Basic eDp5", "Bearer ünï"])
def test_a_wrong_token_is_told_in_each_shape(gateway, wrong) -> None:
    said = None if wrong is None else wrong.encode("utf-8").decode("latin-1")
    first = gateway.post("/v1/chat/completions", ASKED, authorization=said)
    assert (first.status, error_of(first)["code"]) == (401, "invalid_api_key")
    second = gateway.post("/v1/messages", ASKED, authorization=said)
    assert (second.status, second.json()["type"], error_of(second)["type"]) == (401, "error", "authentication_error")
    third = gateway.post("/v1beta/models/box/m:generateContent", GEMINI, authorization=said)
    assert (third.status, error_of(third)["code"], error_of(third)["status"]) == (401, 401, "UNAUTHENTICATED")
    assert gateway.calls == []


def test_a_token_may_come_in_any_clients_way(gateway) -> None:
    for way in ({"authorization": f"bearer {TOKEN}"}, {"x_api_key": TOKEN}, {"x_goog_api_key": TOKEN}):
        assert gateway.post("/v1/messages", ASKED, **{"authorization": None, **way}).status == 200
    path = f"/v1beta/models/box/m:generateContent?alt=json&key={TOKEN}"
    assert gateway.post(path, GEMINI, authorization=None).status == 200


def test_health_is_told_to_everybody_and_numbers_are_not(gateway) -> None:
    assert gateway.get("/healthz", authorization=None).json() == {"status": "ok"}
    assert gateway.get("/readyz", authorization=None).status == 200
    assert gateway.get("/metrics", authorization=None).status == 401


def test_numbers_count_what_was_asked(gateway) -> None:
    gateway.post("/v1/chat/completions", ASKED)
    page = gateway.get("/metrics")
    assert page.headers["content-type"].startswith("text/plain")
    assert 'jackfield_requests_total{wire="openai-completions",kind="chat",model="box/m",outcome="ok"} 1' in page.text
    assert 'jackfield_attempts_total{model="box/m",outcome="ok"} 1' in page.text
    assert 'jackfield_tokens_total{model="box/m",kind="input"} 1' in page.text


def test_what_is_not_there_is_told_in_each_shape(gateway) -> None:
    first = gateway.post("/v1/nothing", {})
    assert (first.status, error_of(first)["code"]) == (404, "unknown_url")
    second = gateway.get("/anthropic/v1/nothing")
    assert (second.status, error_of(second)["type"]) == (404, "not_found_error")
    third = gateway.post("/v1beta/models/box/m:flyToTheMoon", GEMINI)
    assert (third.status, error_of(third)["status"]) == (404, "NOT_FOUND")
    wrong = gateway.get("/v1/chat/completions")
    assert (wrong.status, wrong.headers["allow"]) == (405, "POST")
    assert gateway.ask("PUT", "/v1/models/box/m").status == 405


def test_an_endpoint_may_be_switched_off(gateway) -> None:
    answer = gateway.post("/v1/responses", {"model": "box/m", "input": "Hello"})
    assert answer.status == 404
    assert "gateway.http.endpoints.responses" in answer.text


@pytest.mark.parametrize("ref", ["box/meta/llama-3.3:free", "box/hf:org/big-model", "box%2Fhf%3Aorg%2Fbig-model"])
def test_ids_may_hold_slashes_and_colons(gateway, script, ref) -> None:
    answer = gateway.post(f"/v1beta/models/{ref}:generateContent", GEMINI)
    assert answer.status == 200, answer.text
    plain = ref.replace("%2F", "/").replace("%3A", ":")
    assert answer.json()["modelVersion"] == plain
    assert script.requests[-1].request.model == plain.removeprefix("box/")
    assert gateway.get(f"/v1/models/{ref}").json()["id"] == plain
    assert gateway.get(f"/v1beta/models/{ref}").json()["name"] == f"models/{plain}"


@pytest.mark.parametrize("ref", ["../../etc/passwd", "box/../../admin", "nobody/m", ""])
def test_a_model_that_is_none_is_not_found(gateway, ref) -> None:
    answer = gateway.post("/v1/chat/completions", {**ASKED, "model": ref or "nothing"})
    # An id the catalog does not know is passed on to its provider, whatever it looks like.
    assert answer.status == (200 if ref.startswith("box/") else 404), answer.text


def test_a_body_has_a_limit(gateway) -> None:
    big = {**ASKED, "messages": [{"role": "user", "content": "x" * (1 << 20)}]}
    first = gateway.post("/v1/chat/completions", big)
    assert (first.status, error_of(first)["code"]) == (413, "request_too_large")
    second = gateway.post("/v1/messages", big)
    assert (second.status, error_of(second)["type"]) == (413, "request_too_large")


def test_a_body_without_a_length_has_a_limit(gateway) -> None:
    with socket.create_connection(("127.0.0.1", int(gateway.url.rpartition(":")[2])), timeout=PATIENCE_S) as line:
        head = (
            f"POST /v1/messages HTTP/1.1\r\nhost: localhost\r\nx-api-key: {TOKEN}\r\ntransfer-encoding: chunked\r\n\r\n"
        )
        line.sendall(head.encode())
        piece = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
        for _ in range(20):
            line.sendall(piece)
        assert b" 413 " in line.recv(4096)


@pytest.mark.parametrize(
    "body",
    [b"", b"no json", b"[]", b"null", b'{"model": ', b"\xff\xfe", b"[" * 10_000, b'{"a":' * 10_000, b'{"messages": 3}'],
)  # fmt: skip
def test_a_body_that_is_none_is_refused(gateway, body) -> None:
    for path in ("/v1/chat/completions", "/v1/messages", "/v1beta/models/box/m:generateContent", "/v1/embeddings"):
        answer = gateway.ask("POST", path, body)
        assert answer.status == 400, (path, answer.text)
        assert error_of(answer)["message"]


def test_deep_json_inside_a_good_body_is_no_crash(gateway) -> None:
    deep = json.dumps({**ASKED, "tools": [{"type": "function", "function": {"name": "f", "parameters": "DEEP"}}]})
    deep = deep.replace('"DEEP"', '{"a":' * 900 + "1" + "}" * 900)
    assert gateway.ask("POST", "/v1/chat/completions", deep.encode()).status in {200, 400}


def test_a_packed_body_is_refused(gateway) -> None:
    assert gateway.ask("POST", "/v1/messages", b"x" * 40, content_encoding="gzip").status == 400


def test_a_head_has_a_limit(gateway) -> None:
    with socket.create_connection(("127.0.0.1", int(gateway.url.rpartition(":")[2])), timeout=PATIENCE_S) as line:
        line.sendall(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nx-a: ")
        try:
            for _ in range(256):
                line.sendall(b"a" * 4096)
        except OSError:
            pass
        assert line.recv(100).startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize("host", ["evil.example", "x/#@evil", "127.0.0.1.evil.example", "", "localhost:1:2"])
def test_a_name_that_is_not_ours_is_refused(gateway, host) -> None:
    assert gateway.get("/v1/models", host=host).status == 403


def test_our_own_names_are_good(gateway) -> None:
    for host in ("localhost", "127.0.0.1:4747", "[::1]:4747", "app.localhost"):
        assert gateway.get("/v1/models", host=host).status == 200


def test_without_a_token_no_page_of_elsewhere_may_ask(gateway) -> None:
    with running(configured(), settings=Settings(is_open=True)) as found:
        assert found.get("/v1/models", authorization=None).status == 200
        assert found.get("/v1/models", authorization="Bearer whatever").status == 200
        assert found.get("/v1/models", authorization=None, origin="http://localhost:3000").status == 200
        for origin in ("https://evil.example", "null", "http://localhost.evil.example"):
            assert found.get("/v1/models", authorization=None, origin=origin).status == 403
    assert gateway.get("/v1/models", origin="https://page.example").status == 200


def test_a_request_keeps_its_id(gateway) -> None:
    assert gateway.post("/v1/chat/completions", ASKED, x_request_id="mine-1").headers["x-request-id"] == "mine-1"
    assert gateway.last_call().request_id == "mine-1"
    assert gateway.get("/v1/nothing", x_request_id="bad id").headers["x-request-id"].startswith("req-")
