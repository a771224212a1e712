"""Sessions of the page: begun with a code or the token, signed by it, over in time."""

from __future__ import annotations

import pytest

from jackfield.admin.session import CODE_MS, SESSION_MS, Sessions, SignedOut, make_code
from jackfield.credential import Secret

TOKEN = Secret("jf-the-admin-token")


class Clock:
    now = 1_000_000

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sessions(clock) -> Sessions:
    return Sessions(lambda: TOKEN, clock)


def test_a_session_holds_until_its_end(sessions, clock) -> None:
    began = sessions.begin(token=TOKEN.reveal())
    sessions.check(began["token"])
    assert TOKEN.reveal() not in began["token"]
    clock.now += SESSION_MS
    with pytest.raises(SignedOut, match="the session has ended"):
        sessions.check(began["token"])


def test_a_session_holds_over_a_restart_and_ends_with_the_token(sessions, clock) -> None:
    began = sessions.begin(token=TOKEN.reveal())["token"]
    Sessions(lambda: TOKEN, clock).check(began)
    with pytest.raises(SignedOut):
        Sessions(lambda: Secret("another"), clock).check(began)


def test_a_code_begins_one_session_within_a_minute(sessions, clock) -> None:
    code = make_code(TOKEN, clock())
    sessions.check(sessions.begin(code=code)["token"])
    with pytest.raises(SignedOut, match="used already"):
        sessions.begin(code=code)
    late = make_code(TOKEN, clock())
    clock.now += CODE_MS
    with pytest.raises(SignedOut, match="too old"):
        sessions.begin(code=late)


def test_a_code_is_no_session_and_a_session_no_code(sessions, clock) -> None:
    with pytest.raises(SignedOut):
        sessions.check(make_code(TOKEN, clock()))
    with pytest.raises(SignedOut):
        sessions.begin(code=sessions.begin(token=TOKEN.reveal())["token"])


@pytest.mark.parametrize("given", ["", "session", "session.9.x", "session.99999999999999.x.00", "session.x.y.z", "é"])
def test_what_nobody_signed_is_nothing(sessions, given) -> None:
    with pytest.raises(SignedOut):
        sessions.check(given)
    with pytest.raises(SignedOut):
        sessions.begin(code=given)
    with pytest.raises(SignedOut):
        sessions.begin(token=given)


def test_a_session_cannot_be_made_longer(sessions) -> None:
    kind, until, *rest = sessions.begin(token=TOKEN.reveal())["token"].split(".")
    with pytest.raises(SignedOut):
        sessions.check(".".join([kind, str(int(until) + 1), *rest]))
