"""Our own HTTP/1.1 and the library: the same outcome of the same exchange, whatever the server does."""

from __future__ import annotations

import gzip
import re
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from jackfield.credential import Secret
from jackfield.errors import Error
from jackfield.model import Network, Timeouts
from jackfield.transport.http import Transport
from jackfield.transport.request import HttpRequest
from tests.patience import PATIENCE_S
from tests.servers import CUT, HANG, RESET, Step, chunk, free_port, head, json_reply, serve, sse_reply, text_reply

OK = b"HTTP/1.1 200 OK\r\n"
# What a server may answer, well or badly. Both ways say the same of it, to the letter.
REPLIES: dict[str, list[Step]] = {
    "a value": json_reply({"ok": True}),
    "a refusal": json_reply({"error": "no"}, 429, retry_after="7"),
    "nothing, by its length": [OK + b"content-length: 0\r\n\r\n"],
    "nothing, by its status": [b"HTTP/1.1 204 No Content\r\n\r\n"],
    "not modified": [b"HTTP/1.1 304 Not Modified\r\ncontent-length: 20\r\n\r\n"],
    "a body until the end": [OK + b"\r\nuntil the end", CUT],
    "an old server's body": [b"HTTP/1.0 200 OK\r\n\r\nold", CUT],
    "an old server that keeps": [b"HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 3\r\n\r\nold"],
    "chunks": [head(200, transfer_encoding="chunked"), chunk("one"), chunk("two"), chunk("")],
    "chunks with extensions": [head(200, transfer_encoding="chunked"), b"3;a=b\r\none\r\n0;last\r\n\r\n"],
    "chunks with trailers": [head(200, transfer_encoding="chunked"), b"3\r\none\r\n0\r\nx-sum: 7\r\n\r\n"],
    "chunks with blanks": [head(200, transfer_encoding="chunked"), b"3 \r\none\r\n0\r\n\r\n"],
    "announcements": [b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n", *json_reply(1)],
    "packed": text_reply(gzip.compress(b"packed", mtime=0), content_encoding="gzip"),
    "not packed as it says": text_reply("plain", content_encoding="gzip"),
    "packed as nobody asked": text_reply("plain", content_encoding="br"),
    "events": sse_reply("one", 0.01, "two"),
    "a redirect": [head(302, location="http://other.example/x?key=1", content_length="0")],
    "a redirect to nowhere": [head(307, content_length="0")],
    "a proxy's refusal": [head(407, content_length="0")],
    "no http": [b"SSH-2.0-OpenSSH_9.6\r\n", CUT],
    "two lengths": [OK + b"content-length: 1\r\ncontent-length: 2\r\n\r\n12"],
    "length and chunks": [OK + b"content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"],
    "a length that is none": [OK + b"content-length: -1\r\n\r\n"],
    "a length beyond all numbers": [OK + b"content-length: 99999999999999999999999\r\n\r\nx"],
    "no status": [b"HTTP/1.1 OK\r\n\r\n"],
    "closed at once": [CUT],
    "reset at once": [RESET],
    "closed in the head": [OK + b"content-le", CUT],
    "closed after the head": [head(200, content_length="5"), CUT],
    "closed in the body": [head(200, content_length="5") + b"abc", CUT],
    "closed in a chunk": [head(200, transfer_encoding="chunked"), b"5\r\nabc", CUT],
    "closed between chunks": [head(200, transfer_encoding="chunked"), chunk("abc"), CUT],
    "a header without value": [OK + b"x-empty:\r\ncontent-length: 1\r\n\r\n1"],
    "a header beyond ascii": [OK + "x-name: Zoë\r\ncontent-length: 1\r\n\r\n1".encode()],
    "a header said twice": [OK + b"x-id: 1\r\nx-id: 2\r\ncontent-length: 1\r\n\r\n1"],
    "line feeds alone": [b"HTTP/1.1 200 OK\ncontent-length: 1\n\n1"],
    "a zero in a header": [OK + b"x-a: 1\0 2\r\ncontent-length: 1\r\n\r\n1"],
    "a carriage return in a header": [OK + b"x-a: 1\rx-evil: 2\r\ncontent-length: 1\r\n\r\n1"],
    "a folded header": [OK + b"x-a: 1\r\n 2\r\ncontent-length: 1\r\n\r\n1"],
    "too many headers": [
        OK + b"".join(b"x-%d: 1\r\n" % number for number in range(500)) + b"content-length: 0\r\n\r\n"
    ],
    "silence": [HANG],
    "silence after the head": [head(200, content_length="5"), HANG],
    "silence in the body": [head(200, content_length="5") + b"abc", HANG],
}
TIMEOUTS = {
    "silence": Timeouts(first_token=0.3),
    "silence after the head": Timeouts(first_token=0.3),
    "silence in the body": Timeouts(first_token=PATIENCE_S, idle=0.3),
}
# Requests of every kind, to a server that answers well.
REQUESTS = {
    "a key": {"headers": {"authorization": Secret("Bearer k"), "X-Title": "t"}, "body": b"{}"},
    "nothing to say": {},
    "a get": {"method": "GET"},
    "a line break in a header": {"headers": {"x-a": "1\r\nx-evil: 1"}},
    "a line break in a name": {"headers": {"x-a: 1\r\nx-evil": "1"}},
    "a zero in a header": {"headers": {"x-a": "1\0"}},
    "a header beyond ascii": {"headers": {"x-a": "Zoë"}},
    "another host": {"headers": {"Host": "other.example"}},
    "another type": {"headers": {"content-type": "application/json"}, "body": b"{}"},
}
URLS = (
    "http://127.0.0.1:{closed}/v1",
    "http://api.nowhere.invalid/v1",
    "https://api.nowhere.invalid/v1",
    "http://a..b.invalid/v1",
    "http://{long}.invalid/v1",
    "http://127.0.0.1:99999/v1",
    "http:///v1",
    "ftp://127.0.0.1/v1",
)


CERTIFICATES = {
    "accepted": ("127.0.0.1", True, 1),
    "of an unknown authority": ("127.0.0.1", False, 1),
    "of another host": ("other.example", True, 1),
    "expired": ("127.0.0.1", True, -1),
}


async def outcome(request: HttpRequest, *, http1: bool) -> object:
    """Return status, headers and body, or the error with all that a user sees of it."""
    async with Transport(http1=http1) as transport:
        try:
            reply = await transport.open(request)
            return reply.status, dict(reply.headers), await reply.read()
        except Error as error:
            return type(error), error.code, error.status, re.sub(r":\d{4,5}\b", ":PORT", error.message), error.hint


@pytest.mark.parametrize("name", REPLIES)
async def test_an_answer_comes_to_the_same(name: str) -> None:
    with serve(REPLIES[name]) as server:
        limits = TIMEOUTS.get(name, Timeouts(first_token=PATIENCE_S, idle=PATIENCE_S))
        request = HttpRequest(url=f"{server.url}/v1", body=b"{}", timeouts=limits, settings="models.providers.venice")
        ours, library = [await outcome(request, http1=way) for way in (True, False)]

    assert ours == library


@pytest.mark.parametrize("name", REQUESTS)
async def test_a_request_is_sent_as_the_same(name: str) -> None:
    with serve(json_reply(1)) as server:
        request = HttpRequest(url=f"{server.url}/v1?x=a%20b#part", **REQUESTS[name])
        ours, library = [await outcome(request, http1=way) for way in (True, False)]
        sent = [(each.method, each.target, each.headers, each.body) for each in server.journal]

    assert ours == library
    assert sent[1:] == sent[:1]


@pytest.mark.parametrize("url", URLS)
async def test_a_way_that_leads_nowhere_is_named_the_same(url: str) -> None:
    request = HttpRequest(url=url.format(closed=free_port(), long="a" * 70), settings="models.providers.venice")
    ours, library = [await outcome(request, http1=way) for way in (True, False)]

    assert ours == library
    assert isinstance(ours, tuple)
    assert issubclass(ours[0], Error)


@pytest.mark.parametrize("name", CERTIFICATES)
async def test_a_certificate_is_judged_the_same(name: str, tmp_path: Path) -> None:
    host, is_known, days = CERTIFICATES[name]
    authority, ca_file = trustme.CA(), tmp_path / "ca.pem"
    (authority if is_known else trustme.CA()).cert_pem.write_to_path(ca_file)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(host, not_after=datetime.now(UTC) + timedelta(days=days)).configure_cert(context)
    with serve(json_reply(1), tls=context) as server:
        request = HttpRequest(url=server.url, network=Network(ca=str(ca_file)), settings="models.providers.venice")
        ours, library = [await outcome(request, http1=way) for way in (True, False)]

    assert ours == library
    assert server.connections == (2 if name == "accepted" else 0)


async def test_a_server_without_encryption_is_named_the_same() -> None:
    with serve([b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n"]) as server:
        request = HttpRequest(url=server.url.replace("http:", "https:"), settings="models.providers.venice")
        ours, library = [await outcome(request, http1=way) for way in (True, False)]

    assert ours == library
