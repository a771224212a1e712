"""AWS event stream frames: whole or in pieces, damaged, and as server-sent events."""

from __future__ import annotations

import base64
import struct
import zlib

import pytest

from jackfield.errors import BadReply, Overloaded, StreamBroken
from jackfield.protocols import anthropic_messages
from jackfield.protocols.aws_eventstream import Frame, FrameDecoder, as_sse


def frame(payload: bytes, **headers: str) -> bytes:
    head = b"".join(
        bytes([len(name) + 1]) + b":" + name.encode() + b"\x07" + struct.pack(">H", len(text)) + text.encode()
        for name, text in ((name.replace("_", "-"), text) for name, text in headers.items())
    )
    head += b"\x04flag\x00" + b"\x04date\x08" + bytes(8)
    prelude = struct.pack(">II", 16 + len(head) + len(payload), len(head))
    body = prelude + struct.pack(">I", zlib.crc32(prelude)) + head + payload
    return body + struct.pack(">I", zlib.crc32(body))


def wrapped(event: bytes) -> bytes:
    return frame(b'{"bytes":"%b","p":"abc"}' % base64.b64encode(event), message_type="event", event_type="chunk")


def read(*pieces: bytes) -> list[Frame]:
    decoder = FrameDecoder()
    frames = [found for piece in pieces for found in decoder.feed(piece)]
    decoder.close()
    return frames


def test_frames_are_cut_wherever_the_bytes_are() -> None:
    data = frame(b"one", message_type="event") + frame(b"", event_type="end")
    whole = read(data)
    assert whole == [Frame({":message-type": "event"}, b"one"), Frame({":event-type": "end"}, b"")]
    for position in range(len(data) + 1):
        assert read(data[:position], data[position:]) == whole


@pytest.mark.parametrize("position", [0, 5, 9, 20, -6, -1])
def test_a_damaged_frame_is_refused(position: int) -> None:
    data = bytearray(frame(b"payload", message_type="event"))
    data[position] ^= 1
    with pytest.raises(BadReply, match="checksum"):
        list(FrameDecoder().feed(bytes(data)))


def test_a_stream_that_ends_inside_a_frame_is_broken() -> None:
    with pytest.raises(StreamBroken):
        read(frame(b"payload")[:-3])


def test_a_wrapped_event_is_said_again() -> None:
    (found,) = read(wrapped(b'{"type":"ping"}'))
    assert as_sse(found) == b'event: ping\ndata: {"type":"ping"}\n\n'
    assert as_sse(Frame({}, b"{}")) == b""


def test_an_exception_becomes_the_protocols_own_error() -> None:
    (found,) = read(frame(b'{"message":"Overloaded"}', message_type="exception", exception_type="overloaded_error"))
    with pytest.raises(Overloaded, match="Overloaded"):
        anthropic_messages.StreamParser().feed(as_sse(found))
    assert b'{"type":"error","error":{"type":"overloaded_error"' in as_sse(found)


@pytest.mark.parametrize("payload", [b"junk", b'{"bytes":"%%"}', b'{"bytes":7}', b'{"bytes":"aGk="}'])
def test_a_frame_that_wraps_no_event_is_refused(payload: bytes) -> None:
    with pytest.raises(BadReply):
        as_sse(Frame({":message-type": "event"}, payload))


def test_broken_headers_are_refused() -> None:
    prelude = struct.pack(">II", 17, 1)
    body = prelude + struct.pack(">I", zlib.crc32(prelude)) + b"\x09"
    with pytest.raises(BadReply, match="headers"):
        list(FrameDecoder().feed(body + struct.pack(">I", zlib.crc32(body))))
