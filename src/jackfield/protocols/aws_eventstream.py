"""AWS event stream frames, read incrementally.

A frame is: total length, header length, CRC of both, headers, payload, CRC of all before
(docs.aws.amazon.com/transcribe/latest/dg/streaming-setting-up.html, read 2026-11-21).
Knows no service; `as_sse` says frames that wrap another stream's events as that stream.
"""

from __future__ import annotations

import base64
import binascii
import struct
import zlib
from collections.abc import Iterator, Mapping
from functools import lru_cache

import msgspec
from msgspec import Struct

from jackfield.errors import BadReply, StreamBroken
from jackfield.message import JsonObject
from jackfield.protocols.sse import encode

MAX_FRAME_BYTES = 32 * 1024 * 1024
# Header value types of fixed size; 6 and 7 carry their own length, 7 is text.
SIZES = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}


class Frame(Struct, frozen=True):
    """One checked frame; only the headers that are text are kept."""

    headers: Mapping[str, str]
    payload: bytes


class FrameDecoder:
    """Cuts bytes into frames; `feed` takes pieces of any size."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Take the next bytes and yield every frame they complete; raise `BadReply` on a wrong checksum."""
        self._rest += data
        while len(self._rest) >= 12:
            total, head, crc = struct.unpack_from(">III", self._rest)
            if zlib.crc32(self._rest[:8]) != crc or not 16 + head <= total <= MAX_FRAME_BYTES:
                raise BadReply("the event stream holds a frame with a wrong checksum")
            if len(self._rest) < total:
                return
            frame = bytes(self._rest[:total])
            del self._rest[:total]
            if zlib.crc32(frame[:-4]) != int.from_bytes(frame[-4:]):
                raise BadReply("the event stream holds a frame with a wrong checksum")
            yield Frame(_parse_headers(frame[12 : 12 + head]), frame[12 + head : -4])

    def close(self) -> None:
        """Say that the stream has ended; raise `StreamBroken` inside a frame."""
        if self._rest:
            raise StreamBroken("the event stream ended inside a frame")


@lru_cache(maxsize=64)  # every event of a kind has the same
def _parse_headers(data: bytes) -> Mapping[str, str]:
    headers: dict[str, str] = {}
    at = 0
    try:
        while at < len(data):
            start = at + 1
            name = data[start : start + data[at]].decode()
            at = start + data[at]
            kind, at = data[at], at + 1
            size = SIZES.get(kind)
            if size is None:
                size, at = int.from_bytes(data[at : at + 2]), at + 2
            if kind == 7:
                headers[name] = data[at : at + size].decode()
            at += size
    except (IndexError, UnicodeDecodeError) as error:
        raise BadReply("the event stream holds a frame with broken headers") from error
    return headers


def as_sse(frame: Frame) -> bytes:
    """Return the event a frame wraps (`{"bytes": base64}`) as a server-sent one, or an exception as `error`."""
    payload = _decode(frame.payload)
    if frame.headers.get(":message-type", "event") != "event":
        kind = frame.headers.get(":exception-type") or frame.headers.get(":error-code") or "error"
        said = payload.get("message") or payload.get("Message") or frame.headers.get(":error-message") or kind
        body = {"type": "error", "error": {"type": kind, "message": said}}
        return encode(msgspec.json.encode(body), "error")
    try:
        data = base64.b64decode(payload.get("bytes", ""), validate=True)
    except (binascii.Error, TypeError, ValueError) as error:
        raise BadReply("the event stream holds an event that is not base64") from error
    return encode(data, str(_decode(data).get("type", ""))) if data else b""


def _decode(data: bytes) -> JsonObject:
    try:
        value = msgspec.json.decode(data or b"{}")
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise BadReply("the event stream holds an event that is not JSON") from error
    return value if isinstance(value, dict) else {}
