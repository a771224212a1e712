"""What odd callers need: who offers HTTP/2, who speaks HTTP/1.0, whose head has no end."""

from __future__ import annotations

import re

from uvicorn._types import ASGISendEvent
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

# Java's own client offers HTTP/2 with its first request. An offer may be passed over, but this parser
# would stop at it, and lose the body: it gets to read another name.
OFFER = re.compile(rb"\r\nupgrade(?=:[ \t]*h2c)", re.IGNORECASE)
PASSED_OVER = b"\r\nx-offer"
TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: text/plain\r\n"
    b"content-length: 33\r\nconnection: close\r\n\r\nthe head of the request is too big"
)


async def send_unchunked(cycle: RequestResponseCycle, message: ASGISendEvent) -> None:
    """Send to a caller of HTTP/1.0, who knows no chunks: what has no length ends with the connection (RFC 9112, 6.3)."""
    while cycle.flow.write_paused and not cycle.disconnected:
        await cycle.flow.drain()
    if message["type"] == "http.response.start":
        if all(name != b"content-length" for name, _ in message.get("headers", ())):
            cycle.chunked_encoding = False
    elif message["type"] == "http.response.body":
        cycle.expected_content_length = max(cycle.expected_content_length, len(message.get("body", b"")))
    await RequestResponseCycle.send(cycle, message)


def without_offer(data: bytes) -> bytes:
    """Return the first bytes of a connection without the offer that this parser would stop at."""
    found = OFFER.search(data, 0, data.find(b"\r\n\r\n") + 4 or len(data))
    return data[: found.start()] + PASSED_OVER + data[found.end() :] if found else data
