"""Requests that want to be something else: smuggled, ambiguous, endless, or full of other people's lines."""

from __future__ import annotations

import json
import resource
import socket
import zlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache

import pytest

from jackfield.gateway.log import Log
from jackfield.gateway.metrics import Metrics, render
from jackfield.scripted.script import Script
from jackfield.scripted.server import open_server
from tests.gateway.serving import TOKEN, configured, provider, running
from tests.patience import PATIENCE_S
from tests.servers import Step, head, serve, stream_reply

BODY = json.dumps({"model": "box/m", "messages": [{"role": "user", "content": "x"}]})
AUTH, HOST = f"authorization: Bearer {TOKEN}\r\n", "host: localhost\r\n"
CHUNKED = "transfer-encoding: chunked\r\n"
CHUNK = f"{len(BODY):x}\r\n{BODY}\r\n"
META = "169.254.169.254"
NAMES = ("box/a\r\nx-evil: 1", "box/\x1b[2J\x9b2J", "box/a\x00b", "box/é\u2028b", 'box/"} 1\n#', "box/" + "m" * 50_000)


@pytest.fixture(scope="module")
def script():
    return Script([{"text": "Hi", "repeat": True}])


@pytest.fixture(scope="module")
def gateway(script, tmp_path_factory):
    with open_server(script) as url, running(configured(box=provider(f"{url}/v1"))) as found:
        yield found


def post(*, path: str = "/v1/chat/completions", head: str = "", body: str = BODY, plain: bool = True) -> bytes:
    """Return a request; not `plain`: who asks and how long it is are in `head`."""
    usual = f"{HOST}{AUTH}content-length: {len(body)}\r\n" if plain else ""
    return f"POST {path} HTTP/1.1\r\n{usual}{head}\r\n{body}".encode()


def talk(gateway, data: bytes, replies: int = 1) -> list[tuple[int, bytes]]:
    """Send bytes and return the answers until there are so many, or the connection ends."""
    said: list[tuple[int, bytes]] = []
    with socket.create_connection(("127.0.0.1", int(gateway.url.rpartition(":")[2])), timeout=PATIENCE_S) as line:
        with suppress(ConnectionError):
            line.sendall(data)
        with line.makefile("rb") as file, suppress(ConnectionError):
            while len(said) < replies and (first := file.readline()):
                fields = dict(each.lower().split(b": ") for each in iter(file.readline, b"\r\n"))
                said.append(
                    (
                        int(first.split()[1]),
                        file.read(int(fields[b"content-length"])) if b"content-length" in fields else b"",
                    )
                )
    return said


LENGTH = f"content-length: {len(BODY)}\r\n"
REFUSED = {
    "a length and chunks": (post(head=CHUNKED), 400),
    "a request inside a body": (post(plain=False, head=f"{HOST}{AUTH}content-length: 4\r\n{CHUNKED}", body="5c\r\nGET /v1/models HTTP/1.1\r\n"), 400),
    "two lengths": (post(head="content-length: 3\r\n"), 400),
    "a length with a sign": (post(plain=False, head=f"{HOST}{AUTH}content-length: +{len(BODY)}\r\n"), 400),
    "a length below nothing": (post(plain=False, head=f"{HOST}{AUTH}content-length: -1\r\n"), 400),
    "chunks under another name": (post(plain=False, head=f"{HOST}{AUTH}transfer-encoding: xchunked\r\n"), 400),
    "a blank before the colon": (post(head="content-length : 3\r\n"), 400),
    "a folded header": (post(head="x-a: b\r\n c\r\n"), 400),
    "two hosts": (post(head="host: evil.example\r\n"), 400),
    "two tokens": (post(head="authorization: Bearer other\r\n"), 400),
    "two packings": (post(head="content-encoding: gzip\r\ncontent-encoding: identity\r\n"), 400),
    "no host": (post(plain=False, head=AUTH + LENGTH), 403),
    "a host that is none": (post(plain=False, head=f"host: x/#@evil\r\n{AUTH}{LENGTH}"), 403),
    "a token that asks a database": (post(plain=False, head=f"{HOST}authorization: Bearer ' OR '1'='1\r\n{LENGTH}"), 401),
    "a proxy's request": (f"CONNECT {META}:80 HTTP/1.1\r\n{HOST}\r\n".encode(), 400),
    "an address elsewhere": (f"GET http://{META}/latest/meta-data HTTP/1.1\r\n{HOST}{AUTH}\r\n".encode(), 404),
    "a way up": (post(path="/v1/../admin/api/status"), 404),
    "a quoted way up": (post(path="/v1/%2e%2e/admin/api/status"), 404),
    "a model elsewhere": (post(body=json.dumps({**json.loads(BODY), "model": f"http://{META}/x"})), 404),
    "a model elsewhere, in a header": (post(head=f"x-openclaw-model: http://{META}/x\r\n"), 404),
    "depth": (post(body=BODY[:-1] + ',"x":' + "[" * 10_000 + "]" * 10_000 + "}"), 400),
    "deep objects": (post(body=BODY[:-1] + ',"metadata":' + '{"a":' * 10_000 + "1" + "}" * 10_000 + "}"), 400),
    "half a pair of surrogates": (post(body=BODY.replace('"x"', '"\\ud800"')), 400),
    "a number without end": (post(body=BODY[:-1] + ',"max_tokens":' + "9" * 5000 + "}"), 400),
    "a head of a megabyte": (post(head="x-big: " + "a" * 2**20 + "\r\n"), 431),
    "a line of another protocol": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    "bytes of another protocol": (b"\x16\x03\x01\x02\x00\x01\x00", 400),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_may_mean_two_things_or_nothing_is_refused_and_asks_nobody(gateway, script, name) -> None:
    data, status = REFUSED[name]
    before = len(script.requests)
    found = talk(gateway, data, replies=2 if status == 400 and name == "a request inside a body" else 1)
    # A connection that is closed with unread bytes may lose its answer; nothing came of them all the same.
    assert [each for each, _ in found] in ([status], [] if status == 431 else [status])
    assert len(script.requests) == before
    assert gateway.get("/healthz").status == 200


def test_what_stands_behind_a_body_is_no_header(gateway) -> None:
    head, more = f"{HOST}{AUTH}{CHUNKED}", "authorization: Bearer x\r\nhost: evil\r\nx-openclaw-model: nope/x\r\n\r\n"
    ((status, said),) = talk(gateway, post(plain=False, head=head, body=f"{CHUNK}0\r\n{more}"))
    assert (status, json.loads(said)["model"]) == (200, "box/m")


@pytest.mark.parametrize("endless", ["0\r\nx-a: ", "0\r\n", "5;ext="])
def test_what_stands_around_a_body_has_an_end(gateway, endless) -> None:
    flood = ("x-a: 1\r\n" if endless == "0\r\n" else "a" * 8) * 2**15
    with socket.create_connection(("127.0.0.1", int(gateway.url.rpartition(":")[2])), timeout=PATIENCE_S) as line:
        line.sendall(post(plain=False, head=f"{HOST}{AUTH}{CHUNKED}", body=endless))
        with pytest.raises(ConnectionError):
            line.sendall(flood.encode() * 100)


def test_requests_in_a_row_are_answered_in_that_row(gateway) -> None:
    health = f"GET /healthz HTTP/1.1\r\n{HOST}\r\n".encode()
    found = talk(gateway, post() + post(path="/v1/nowhere") + health, replies=3)
    assert [status for status, _ in found] == [200, 404, 200]


@pytest.mark.parametrize("head", ["", "connection: keep-alive\r\n"])
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages"])
def test_a_caller_of_http_1_0_gets_a_stream_without_chunks(gateway, path, head) -> None:
    body = BODY[:-1] + ', "stream": true, "max_tokens": 9}'
    asked = post(path=path, head=head, body=body).replace(b"HTTP/1.1", b"HTTP/1.0")
    with socket.create_connection(("127.0.0.1", int(gateway.url.rpartition(":")[2])), timeout=PATIENCE_S) as line:
        line.sendall(asked)
        reply = b"".join(iter(lambda: line.recv(65536), b""))
    fields, _, said = reply.partition(b"\r\n\r\n")
    assert b"\r\nconnection: close" in fields
    assert b"transfer-encoding" not in fields
    assert said.startswith((b"data: {", b"event: message_start"))
    assert said.endswith((b"data: [DONE]\n\n", b'data: {"type":"message_stop"}\n\n'))
    assert all(line.startswith((b"data: ", b"event: ")) for line in said.split(b"\n") if line)


def test_an_offer_of_http2_is_passed_over(gateway) -> None:
    head = "connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAAP__\r\n"
    ((status, _),) = talk(gateway, post(head=head, body=BODY.replace('"x"', '"\\r\\nupgrade: h2c"')))
    assert status == 200


def test_probes_may_ask_for_the_head_alone(gateway) -> None:
    reply = gateway.ask("HEAD", "/healthz", authorization=None)
    assert (reply.status, reply.body) == (200, b"")
    assert gateway.ask("HEAD", "/v1/models", authorization=None).status == 401


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_a_name_makes_no_line_of_its_own_anywhere(gateway, name) -> None:
    gateway.calls.clear()
    reply = gateway.post(
        "/v1/chat/completions", {"model": name, "user": name, "messages": [{"role": "user", "content": "x"}]}
    )
    assert reply.status == 200
    assert "x-evil" not in reply.headers
    assert len(reply.headers["x-jackfield-model"]) <= 2000
    call = gateway.last_call()
    metrics = Metrics()
    metrics.note(call)
    written: list[bytes] = []
    for form in ("json", "text"):
        Log(written.append, form).note(call)
    written.append(render(metrics.numbers({})).replace(b"\\n", b"").replace(b"\n", b""))
    for line in written:
        assert line.count(b"\n") <= 1
        assert line.rstrip(b"\n").decode().isprintable()
        assert len(line) < 20_000
    assert max(map(len, (call.model, call.requested, call.end_user, *(each.model for each in call.attempts)))) <= 300


def test_a_token_in_the_address_is_in_no_record(gateway) -> None:
    gateway.calls.clear()
    path = f"/v1/chat/completions?key={TOKEN}"
    assert gateway.post(path, json.loads(BODY), authorization=None).status == 200
    assert TOKEN not in repr(gateway.last_call())
    assert TOKEN not in gateway.get("/metrics").text
    assert TOKEN not in gateway.post(f"/v1/nowhere?key={TOKEN}", {}).text


# -- what stands behind -----------------------------------------------------------------

BIG = b"x" * 2**20


@cache
def bomb() -> bytes:
    """Return a quarter of a gigabyte, packed."""
    packed = zlib.compressobj(1, wbits=31)
    return b"".join(packed.compress(BIG) for _ in range(256)) + packed.flush()


def exploding(**headers: str) -> Sequence[Step]:
    return [head(content_encoding="gzip", content_length=str(len(bomb())), **headers) + bomb()]


# Made when they are wanted: each test process reads this file.
UPSTREAMS: dict[str, Callable[[], Sequence[Step]]] = {
    "a line of 64 MB": lambda: stream_reply(b'data: {"choices":[{"index":0,"delta":{"content":"', *[BIG] * 64),
    "a packed quarter of a gigabyte": exploding,
    "the same as a stream": lambda: exploding(content_type="text/event-stream"),
    "an answer without end": lambda: [head(content_length=str(2**30)), *[BIG] * 80],
    "a head without end": lambda: [b"HTTP/1.1 200 OK\r\nx: ", *[BIG] * 20],
}


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages"], ids=["passed on", "said anew"])
@pytest.mark.parametrize("name", UPSTREAMS)
def test_a_provider_that_never_ends_is_an_error_of_bounded_size(name: str, path: str) -> None:
    with serve(UPSTREAMS[name]()) as server, running(configured(box=provider(f"{server.url}/v1"))) as gateway:
        asked = {"model": "box/m", "max_tokens": 9, "stream": "stream" in name or "line" in name}
        before_kb = peak_kb()
        reply = gateway.post(path, {**asked, "messages": [{"role": "user", "content": "x"}]})
        assert reply.status == 502
        assert len(reply.body) < 5000
        assert len(server.journal) == 1, "it is not asked again"
        # What is held is at most a limit's worth, here and there a second time.
        assert peak_kb() - before_kb < 300_000


def peak_kb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def test_twenty_megabytes_are_passed_on(gateway, script) -> None:
    body = {**json.loads(BODY), "messages": [{"role": "user", "content": "x" * 20_000_000}]}
    assert gateway.post("/v1/chat/completions", body).status == 200
    assert len(script.requests[-1].text) == 20_000_000
    script.requests.clear()
