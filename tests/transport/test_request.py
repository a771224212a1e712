"""What a request says of itself."""

from __future__ import annotations

import pytest

from jackfield.model import Timeouts
from jackfield.transport.request import HttpRequest, merge_timeouts, shown_url


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://h/v1", "https://h/v1"),
        ("https://me:pw@h:8/v1#top", "https://h:8/v1"),
        ("https://h/v1?api-version=2&key=abc&alt=sse", "https://h/v1?api-version=2&key=****&alt=sse"),
        ("https://h/v1?X-Amz-Signature=abc%3D&flag", "https://h/v1?X-Amz-Signature=****&flag"),
    ],
)
def test_a_shown_url_holds_no_secret(url: str, shown: str) -> None:
    assert shown_url(url) == shown


def test_the_narrower_timer_wins_and_silence_inherits() -> None:
    wide = Timeouts(connect=1, idle=2)

    assert merge_timeouts(wide, None, Timeouts(idle=3), Timeouts(total=4)) == Timeouts(connect=1, idle=3, total=4)


def test_a_whole_reply_may_take_as_long_for_its_first_byte_as_for_all() -> None:
    whole, stream = HttpRequest(url="http://h").limits(), HttpRequest(url="http://h", stream=True).limits()

    assert whole.first_token == whole.total
    assert stream.first_token is not None
    assert stream.total is not None
    assert stream.first_token < stream.total
    assert HttpRequest(url="http://h", timeouts=Timeouts(first_token=7)).limits().first_token == 7
