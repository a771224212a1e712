"""Server-sent events: the standard's own examples, every cut, and what servers do besides."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jackfield.errors import BadReply
from jackfield.protocols import sse
from jackfield.protocols.sse import SseDecoder, SseEvent, encode
from tests.protocols.conformance import cut


def decode(*pieces: bytes) -> list[SseEvent]:
    decoder = SseDecoder()
    return [event for piece in pieces for event in decoder.feed(piece)] + decoder.close()


CASES = {
    b"data: YHOO\ndata: +2\ndata: 10\n\n": [SseEvent("YHOO\n+2\n10")],
    b": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n": [
        SseEvent("first event"), SseEvent("second event"), SseEvent(" third event"),
    ],
    b"data\n\ndata\ndata\n\ndata:": [SseEvent(""), SseEvent("\n"), SseEvent("")],
    b"data:test\n\ndata: test\n\n": [SseEvent("test"), SseEvent("test")],
    b"event: error\ndata: {}\n\ndata: x\n\n": [SseEvent("{}", "error"), SseEvent("x")],
    b"event: lonely\n\ndata: x\n\n": [SseEvent("x")],
    b"retry: 10\nfoo: bar\ndata: x\n\n": [SseEvent("x")],
    b"\xef\xbb\xbfdata: x\n\n": [SseEvent("x")],
    b"data: a\r\n\r\ndata: b\r\n\r\n": [SseEvent("a"), SseEvent("b")],
    b"data: a\r\rdata: b\r\r": [SseEvent("a"), SseEvent("b")],
    b"data: a\rdata: b\n\r\n": [SseEvent("a\nb")],
    b"data: no blank line": [SseEvent("no blank line")],
    b"data: one newline\n": [SseEvent("one newline")],
    "data: Grüße 🌍\n\n".encode(): [SseEvent("Grüße 🌍")],
    b"data: \xff\n\n": [SseEvent("\ufffd")],
    b"": [],
    b"\n\n\n": [],
    b": only a comment\n\n": [],
}  # fmt: skip


@pytest.mark.parametrize(("data", "events"), CASES.items())
def test_events_are_read_as_the_standard_says_wherever_they_are_cut(data: bytes, events: list[SseEvent]) -> None:
    assert decode(data) == events
    assert decode(*(data[at : at + 1] for at in range(len(data)))) == events
    for first in range(len(data) + 1):
        for second in range(first, len(data) + 1):
            assert decode(*cut(data, [first, second])) == events


def test_an_event_is_given_as_soon_as_it_is_whole() -> None:
    decoder = SseDecoder()
    assert decoder.feed(b"data: x\n") == []
    assert decoder.feed(b"\n") == [SseEvent("x")]
    assert decoder.feed(b"data: y\r\n\r") == []
    assert decoder.feed(b"\n") == [SseEvent("y")]


@given(
    st.lists(
        st.tuples(
            st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"])), st.sampled_from(["", "ping"])
        )
    )
)
def test_what_is_written_is_read(events: list[tuple[str, str]]) -> None:
    data = b"".join(encode(text, name) for text, name in events)
    assert decode(data) == [SseEvent(text, name) for text, name in events]


@given(st.binary(max_size=60), st.data())
def test_no_bytes_make_it_stumble_and_no_cut_changes_them(data: bytes, draw: st.DataObject) -> None:
    positions = draw.draw(st.lists(st.integers(0, len(data)), max_size=4))
    assert decode(*cut(data, positions)) == decode(data)


@pytest.mark.parametrize("line", [b"x" * 1000, b"data: " + b"x" * 10_000 + b"\n"])
def test_an_endless_event_is_refused(line: bytes) -> None:
    decoder = SseDecoder()
    for _ in range(sse.MAX_EVENT_BYTES // 1_000_000 - 2):
        assert decoder.feed(line * (1_000_000 // len(line))) == []
    with pytest.raises(BadReply, match="over"):
        decoder.feed(line * (3_000_000 // len(line)))


@pytest.mark.parametrize("line", [b"data\n", b"data:x\n"])
def test_an_event_of_very_many_short_lines_is_refused(line: bytes) -> None:
    decoder = sse.SseDecoder()
    with pytest.raises(BadReply, match="over"):
        decoder.feed(line * 1_000_000)
