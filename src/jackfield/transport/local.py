"""One small question to a server on this machine, without the HTTP library, which costs more than the answer.

For looking around: plain HTTP, loopback only, everything within one short time limit, and
no failure is an error.
"""

from __future__ import annotations

import socket
import time
from urllib.parse import urlsplit

from jackfield.transport.network import DEFAULT_PORTS, is_loopback

LIMIT = 4 * 1024 * 1024  # bytes; a list of a thousand models is a tenth of it


def fetch_local(url: str, timeout_s: float, headers: dict[str, str] | None = None) -> bytes | None:
    """Return the body that a server on this machine answers a GET with, or `None`: no server, no answer, no 200."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or DEFAULT_PORTS["http"]
    if parts.scheme != "http" or not is_loopback(host):
        return None
    target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    # HTTP/1.0 keeps the server from answering in chunks.
    lines = [f"GET {target} HTTP/1.0", f"Host: {parts.netloc}", "Accept: application/json", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    try:
        raw = _exchange((host, port), "\r\n".join([*lines, "", ""]).encode(), time.monotonic() + timeout_s)
    except OSError:
        return None
    head, _, body = raw.partition(b"\r\n\r\n")
    status = head.split(b"\r\n", 1)[0].split(b" ")
    return body if len(status) > 1 and status[1] == b"200" else None


def _connect(address: tuple[str, int], timeout_s: float) -> socket.socket:
    host, port = address
    # As bytes, because a text would import the codec of international names, slower than the whole question.
    return socket.create_connection((host.encode(), port), timeout_s)  # type: ignore[arg-type]  # typeshed wants text


def _exchange(address: tuple[str, int], request: bytes, until: float) -> bytes:
    with _connect(address, _left(until)) as connection:
        connection.sendall(request)
        raw = bytearray()
        while len(raw) <= LIMIT and not _is_whole(raw):
            # A server that sends a byte now and then must not hold us: the limit is for the whole.
            connection.settimeout(_left(until))
            if not (piece := connection.recv(65536)):
                break
            raw += piece
    return bytes(raw)


def _left(until: float) -> float:
    """Return the seconds until a moment; raise `TimeoutError` when none are left."""
    if (left_s := until - time.monotonic()) <= 0:
        raise TimeoutError
    return left_s


def _is_whole(raw: bytearray) -> bool:
    head, end, body = raw.partition(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n") if end else ():
        name, _, value = line.partition(b":")
        if name == b"content-length" and value.strip().isdigit():
            return len(body) >= int(value)
    return False
