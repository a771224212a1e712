"""A head that was let in is known again, and by nothing that another one might say as well."""

from __future__ import annotations

import pytest

from jackfield.errors import AuthError
from jackfield.gateway.access import Access
from jackfield.gateway.door import Places
from jackfield.gateway.entry import LONGEST, Entries
from jackfield.gateway.exchange import ANSWER, END, QUIET, START, TAKE, WATCH, WRITE, Exchange
from jackfield.gateway.keybook import KeyBook
from jackfield.gateway.keys import Key, digest
from jackfield.gateway.meters import LocalMeters
from jackfield.gateway.refusal import Forbidden, WrongMethod
from jackfield.gateway.wires import MESSAGES

ONE, TWO = "one-0123456789", "two-0123456789"
KEYS = (Key(id="1", name="one", digest=digest(ONE), expires_ms=2_000), Key(id="2", name="two", digest=digest(TWO)))
CHAT = "/v1/chat/completions"


class Clock:
    ms = 1_000

    def now_ms(self) -> int:
        return self.ms


def door(clock: Clock | None = None) -> Entries:
    access = Access(KeyBook(KEYS), LocalMeters(), now=(clock or Clock()).now_ms)
    return Entries(access, Places("127.0.0.1", (), is_open=False), frozenset(), is_open=False)


def head(token: str = ONE, path: str = CHAT, method: str = "POST", query: bytes = b"", **more: str) -> Exchange:
    said = {"host": "127.0.0.1", "authorization": f"Bearer {token}", **more}
    headers = [(name.replace("_", "-").encode(), text.encode()) for name, text in said.items()]
    scope = {"method": method, "path": path, "query_string": query, "headers": headers}
    own = dict.fromkeys((WATCH, TAKE, ANSWER, START, WRITE, END, QUIET))
    return Exchange(scope | {"extensions": own}, None, None, str)  # type: ignore[arg-type]  # nothing is read or sent


def test_heads_alike_lead_to_one_entry_and_others_to_their_own() -> None:
    entries = door()
    first = entries.find(head(content_length="10"))
    assert entries.find(head(content_length="20", x_request_id="r")) is first
    others = [head(TWO), head(path="/v1/messages"), head(query=b"a=b"), head(x_openclaw_model="m")]
    assert all(entries.find(each) is not first for each in others)
    assert entries.find(head(TWO)).key.id == "2"
    assert entries.find(head(path="/v1/models/m", method="GET", anthropic_version="1")).route.wire == MESSAGES


def test_a_known_head_is_refused_once_its_key_has_expired() -> None:
    clock = Clock()
    entries = door(clock)
    entries.find(head())
    clock.ms = 2_000
    with pytest.raises(AuthError, match="expired"):
        entries.find(head())


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"token": "three"}, AuthError),
        ({"host": "evil.example"}, Forbidden),
        ({"method": "GET"}, WrongMethod),
        ({"x_api_key": "?", "authorization": ""}, AuthError),
    ],
)
def test_who_is_refused_is_refused_whoever_was_let_in_before(more: dict[str, str], error: type[Exception]) -> None:
    entries = door()
    entries.find(head())
    for _ in range(2):
        with pytest.raises(error):
            entries.find(head(**more))  # type: ignore[arg-type]  # of texts only


def test_long_heads_take_no_room() -> None:
    entries = door()
    long = head(query=b"x" * LONGEST)
    assert entries.find(long) is not entries.find(long)
