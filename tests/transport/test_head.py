"""The head of a request: what it says, and that nothing in it can be read as another request."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jackfield.credential import Secret
from jackfield.model import Network
from jackfield.transport.head import Place, aim, is_plain, render_head
from jackfield.transport.request import HttpRequest

PLAIN = Network()


@pytest.mark.parametrize(
    ("url", "place", "path", "host"),
    [
        ("http://Box.example", ("box.example", 80, False), "/", "box.example"),
        ("https://box.example/v1?a=b%20c#d", ("box.example", 443, True), "/v1?a=b%20c", "box.example"),
        ("HTTP://127.0.0.1:8080/", ("127.0.0.1", 8080, False), "/", "127.0.0.1:8080"),
        ("https://box.example:443/a//b/../c", ("box.example", 443, True), "/a//b/../c", "box.example"),
        ("http://box.example:443?x=/@", ("box.example", 443, False), "/?x=/@", "box.example:443"),
        ("http://[::1]:9/", ("::1", 9, False), "/", "[::1]:9"),
        ("https://box.example./", ("box.example.", 443, True), "/", "box.example"),
    ],
)
def test_a_url_names_a_place_and_a_path(url: str, place: tuple[str, int, bool], path: str, host: str) -> None:
    found = aim(url, PLAIN)

    assert found is not None
    assert found.place == Place(*place, PLAIN)
    assert (found.path, found.host) == (path, host)


@pytest.mark.parametrize(
    "url",
    [
        "http://me:pw@box/", "http://box/a b", "http://box/ä", "http://bö.example/", "ftp://box/", "http://box:0/",
        "http://box:70000/", "http://box:x/", "http:///x", "http://[::1%eth0]/", "http://box\\@other/", "http://./",
        "http://box/\r\nx: y", "http://box/\n", "//box/", "", "http://box?\t",
    ],
)  # fmt: skip
def test_any_other_url_is_the_librarys_to_read(url: str) -> None:
    assert aim(url, PLAIN) is None


def test_only_encrypted_connections_differ_by_whom_they_trust() -> None:
    other = Network(ca="/company.pem")

    assert aim("http://box/", PLAIN) == aim("http://box/", other)
    assert aim("https://box/", PLAIN) != aim("https://box/", other)


def test_a_head_says_what_is_asked_and_what_everybody_says() -> None:
    target = aim("http://box:8080/v1", PLAIN)
    assert target
    request = HttpRequest(
        url="",
        headers={"Authorization": Secret("Bearer k"), "Accept": "text/event-stream", "content-length": "99"},
        body=b"{}",
    )
    head = render_head(request, target)
    assert head
    first, *lines = head.decode().removesuffix("\r\n\r\n").split("\r\n")

    assert first == "POST /v1 HTTP/1.1"
    assert {"host: box:8080", "authorization: Bearer k", "accept: text/event-stream", "content-length: 2"} < set(lines)
    assert len({line.partition(":")[0] for line in lines}) == len(lines)


def test_headers_that_ask_something_of_the_connection_are_the_librarys() -> None:
    assert is_plain({"authorization": "x"})
    assert not is_plain({"Transfer-Encoding": "chunked"})
    assert not is_plain({"Upgrade": "websocket"})


@pytest.mark.parametrize("method", ["", "GE T", "GET /evil HTTP/1.1\r\nx:", "G\tT"])
def test_a_method_is_one_word(method: str) -> None:
    target = aim("http://box/v1", PLAIN)
    assert target
    assert render_head(HttpRequest(method=method, url=""), target) is None


@pytest.mark.parametrize("name", ["", "x y", "x:", "x\r\ny", "x\0", "\u00e9"])
def test_a_name_that_no_header_has_is_not_sent(name: str) -> None:
    target = aim("http://box/v1", PLAIN)
    assert target
    assert render_head(HttpRequest(url="", headers={name: "1"}), target) is None


SHARP = st.text(alphabet="ab \r\n\t:\0é\x7f", max_size=4)


@given(method=st.sampled_from(["GET", "POST", "G T"]), name=SHARP | st.just("x-a"), value=SHARP, host=SHARP)
def test_nothing_that_is_sent_holds_a_second_request(method: str, name: str, value: str, host: str) -> None:
    target = aim("http://box/v1", PLAIN)
    assert target
    request = HttpRequest(method=method, url="", headers={name: value, "host": host}, body=b"{}")
    head = render_head(request, target)
    if head is None:
        return
    lines = head.split(b"\r\n")

    assert head.count(b"\r") == head.count(b"\n") == len(lines) - 1
    assert lines.count(b"") == 2
    assert len(lines[0].split(b" ")) == 3
    assert sum(line.startswith(b"content-length:") for line in lines) == 1
