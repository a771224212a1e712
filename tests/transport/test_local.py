"""Small questions to servers on this machine."""

from __future__ import annotations

import pytest

from jackfield.transport.local import fetch_local
from tests.patience import PATIENCE_S, quickest_s, timed_s
from tests.servers import CUT, HANG, Step, free_port, head, json_reply, serve, text_reply


def test_a_silent_port_is_told_in_no_time() -> None:
    def ask() -> None:
        assert fetch_local(f"http://127.0.0.1:{free_port()}", PATIENCE_S) is None

    assert quickest_s(lambda: timed_s(ask), 0.05) < 0.05


def test_a_small_answer_is_read_whole_without_waiting_for_the_end() -> None:
    with serve(json_reply([1, 2])) as server:
        # The connection stays open: who waited for its end would come to the limit, and to nothing.
        assert fetch_local(f"{server.url}/v1/models?x=1", PATIENCE_S, {"authorization": "Bearer k"}) == b"[1, 2]"

    assert server.journal[0].target == "/v1/models?x=1"
    assert server.journal[0].headers["authorization"] == "Bearer k"


def test_an_answer_without_a_length_is_read_to_its_end() -> None:
    with serve([head(200) + b"[1,", 0.02, b"2]", CUT]) as server:
        assert fetch_local(server.url, PATIENCE_S) == b"[1,2]"


@pytest.mark.parametrize(
    "reply", [text_reply("no", 404), json_reply([], 401), [b"SSH-2.0-x\r\n", CUT], [CUT], [b"\xff\xfe\r\n\r\n", CUT]]
)
def test_anything_but_an_answer_is_none(reply: list[Step]) -> None:
    with serve(reply) as server:
        assert fetch_local(server.url, PATIENCE_S) is None


@pytest.mark.parametrize("reply", [[HANG], [head(200, content_length="50"), *[b"x", 0.03] * 40]])
def test_the_limit_is_for_the_whole(reply: list[Step]) -> None:
    with serve(reply) as server:

        def ask() -> None:
            assert fetch_local(server.url, 0.2) is None

        assert quickest_s(lambda: timed_s(ask), 0.3) < 0.3


@pytest.mark.parametrize(
    "url", ["http://192.0.2.1/v1", "https://127.0.0.1:1/v1", "http://models.example/v1", "nonsense"]
)
def test_no_other_machine_is_asked(url: str) -> None:
    assert fetch_local(url, 0.1) is None


@pytest.mark.parametrize("left_s", [0, -0.5])
def test_nobody_is_asked_when_no_time_is_left(left_s: float) -> None:
    with serve(json_reply([])) as server:
        assert fetch_local(server.url, left_s) is None

    assert server.journal == []
