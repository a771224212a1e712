"""A canary in every place where a gateway has a credential, or is handed one: no log, page, row, span or answer has it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.commands import write_config
from tests.gateway.callers import APIS, request_of
from tests.gateway.command import Process, gateway_process
from tests.servers import CUT, Received, Step, head, json_reply, serve, sse_reply

pytest.importorskip("opentelemetry.sdk.trace")

# What each is for; every word stands once in the whole set-up.
CANARIES = {
    "upstream": "sk-canary-upstream-7Hq2", "header": "canary-header-9Kx4", "token": "canary-token-Zr51", "admin": "canary-admin-Lw83",
    "key": "jfk-canary-key-Qm60", "redis": "canary-redis-Vt19", "wrong": "sk-proj-canary-wrong-Bn72", "made": "",
}  # fmt: skip
WORD = {"id": "c", "model": "m", "choices": [{"index": 0, "delta": {"content": "one "}}]}
WHOLE = {"id": "c", "model": "m", "choices": [{"index": 0, "message": {"content": "Hi"}, "finish_reason": "stop"}]}
PLACES = ("authorization", "x_api_key", "x_goog_api_key", "query")
OWN_FILES = {"gateway-token", "admin-token", "jackfield.json"}


def answer(received: Received) -> list[Step]:
    """Say the credentials back: in headers, in a whole error, in the midst of a stream; serve the model `good`."""
    if "/v1/" not in received.target:
        return json_reply({})  # of spans
    body = received.json()
    said = " ".join((*received.headers.values(), received.target))
    match body.get("model"):
        case "good" if body.get("stream"):
            error = {"error": {"message": f"bad key in {said}", "code": said}}
            return sse_reply(WORD, error, x_echo=received.headers.get("authorization", ""))
        case "good":
            return json_reply(WHOLE, x_echo=said)
        case "text":
            return [head(400, content_type="text/plain", x_echo=said), f"no: {said}".encode(), CUT]
    return json_reply({"error": {"message": f"bad key in {said!r}", "param": said, "code": said}}, 401, x_echo=said)


def set_up(home: Path, url: str, form: str) -> None:
    box: dict[str, Any] = {"baseUrl": f"{url}/v1", "api": "openai-completions", "apiKey": "${UP_KEY}"}
    box |= {"headers": {"x-trace": "${UP_HEADER}"}, "models": [{"id": "m"}, {"id": "good"}, {"id": "text"}]}
    gateway = {
        "auth": {"token": "${GW_TOKEN}"}, "admin": {"token": "${GW_ADMIN}", "port": 0}, "log": {"format": form},
        "keys": {"app": {"key": "${GW_KEY}"}}, "sharedState": "redis://:${GW_REDIS}@127.0.0.1:9/0",
    }  # fmt: skip
    write_config(json.dumps({"models": {"providers": {"box": box}, "policy": {"maxWait": 0}}, "gateway": gateway}))
    for name in ("gateway-token", "admin-token"):  # what a test's process reads; this gateway has others
        (home / ".jackfield" / name).write_text("unused", encoding="utf-8")


def calls() -> Iterator[tuple[str, bytes]]:
    """Yield questions on every route that may fail with something to tell."""
    for api in APIS:
        for model in ("m", "good", "text", "sk-canary-no-model"):
            for stream in (False, True):
                path, body = request_of(api, f"box/{model}", "x", stream=stream)
                yield path, json.dumps(body).encode()
    yield "/v1/embeddings", json.dumps({"model": "box/m", "input": "x"}).encode()
    yield "/v1/messages/count_tokens", json.dumps({"model": "box/m", "messages": []}).encode()
    yield "/v1/route/explain", json.dumps({"model": "box/m", "messages": [{"role": "user", "content": "x"}]}).encode()
    yield "/v1/nowhere", b"{}"
    yield "/v1/chat/completions", b"no JSON"
    for path in ("/v1/models", "/v1/models/box/m", "/v1beta/models", "/metrics", "/readyz", "/", "/v1/nowhere"):
        yield path, b""


def ask_all(process: Process, secrets: Mapping[str, str]) -> bytes:
    """Ask every question with every credential in every place; return all that was said."""
    said = b""
    for number, (path, body) in enumerate(calls()):
        for name in ("token", "key", "made", "wrong"):
            where = PLACES[(number + len(name)) % len(PLACES)]
            secret, asked = secrets[name], path
            heads = {"authorization": ""}
            if where == "query":
                asked += f"{'&' if '?' in path else '?'}key={secret}"
            else:
                heads |= {where: f"Bearer {secret}" if where == "authorization" else secret}
            status, headers, answered = process.request("POST" if body else "GET", asked, body, **heads)
            assert (name == "wrong") <= (status in {401, 404} or path in {"/readyz", "/"}), (path, status)
            said += repr((status, headers)).encode() + answered + b"\n"
    return said


@pytest.mark.parametrize("form", ["json", "text"])
def test_no_credential_is_anywhere_but_where_it_belongs(home: Path, monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    secrets = dict(CANARIES)
    with serve(answer) as server:
        set_up(home, server.url, form)
        for name, variable in (
            ("upstream", "UP_KEY"),
            ("header", "UP_HEADER"),
            ("token", "GW_TOKEN"),
            ("admin", "GW_ADMIN"),
            ("key", "GW_KEY"),
            ("redis", "GW_REDIS"),
        ):
            monkeypatch.setenv(variable, secrets[name])
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", server.url)
        monkeypatch.setenv("JACKFIELD_GATEWAY_TOKEN", "unused")
        with gateway_process() as process:
            said, admin = b"", {"authorization": f"Bearer {secrets['admin']}"}
            made = process.admin("keys", {"name": "made"}, **admin)
            assert made[0] in {200, 201}, made
            secrets["made"] = made[1]["key"]
            known = {"authorization": f"Bearer {secrets['made']}"}
            process.wait_for(lambda: str(process.request("GET", "/v1/models", **known)[0]), "200")
            said += ask_all(process, secrets)
            for view in ("status", "config", "health", "usage", "keys", "nowhere"):
                said += json.dumps(process.admin(view, **admin)).encode()
            said += json.dumps(process.admin("status", authorization=f"Bearer {secrets['wrong']}")).encode()
            said += json.dumps(process.admin("reload", {}, **admin)).encode()
            said += "".join(process.lines).encode()
        said += process.err.encode()
        spans = b"".join(
            each.body for each in server.journal if "/v1/traces" in each.target or "/v1/metrics" in each.target
        )
    assert spans
    assert process.err.count("\n") > 50, "it has written a log"
    assert "Traceback" not in process.err
    files = {
        path: path.read_bytes()
        for path in home.rglob("*")
        if path.is_file() and path.name not in OWN_FILES | {"stderr"}
    }
    assert any(path.suffix.startswith(".sqlite") or "sqlite" in path.name for path in files), "there is a ledger"
    asked = [each for each in server.journal if "chat/completions" in each.target]
    assert {each.headers["authorization"] for each in asked} == {f"Bearer {secrets['upstream']}"}
    for name, secret in secrets.items():
        half = len(secret) // 2
        for word in (secret, secret[: half + 4], secret[half:]):
            told = word.encode()
            assert (name, told in said) == (name, False), said[max(0, said.find(told) - 300) :][:500]
            assert (name, told in spans) == (name, False)
            assert (name, [path.name for path, data in files.items() if told in data]) == (name, [])
    assert os.environ["UP_KEY"] == secrets["upstream"]
