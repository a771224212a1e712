"""Signs of life: one timer for all streams, and only for those that are quiet."""

from __future__ import annotations

import asyncio

from jackfield.gateway.heartbeat import LOOKS, Heart
from tests.patience import until

HEAD = [("content-type", "text/event-stream")]
PING = b": ping\n\n"


class Answer:
    """Stands for an exchange: notes what is said, and how often somebody looked."""

    def __init__(self, *, is_busy: bool = False) -> None:
        self.status = 0
        self.said: list[object] = []
        self.looks = 0
        self._is_busy = is_busy

    def was_quiet(self) -> bool:
        self.looks += 1
        return not self._is_busy

    async def start(self, head: object) -> None:
        self.status = 200
        self.said.append(head)

    async def write(self, data: bytes) -> None:
        self.said.append(data)


async def test_each_quiet_stream_is_kept_alive_and_no_other() -> None:
    heart, quiet, begun, busy = Heart(0.03), Answer(), Answer(), Answer(is_busy=True)
    begun.status = 200
    with heart.beat(quiet, PING, HEAD), heart.beat(begun, PING, HEAD), heart.beat(busy, PING, HEAD):  # type: ignore[arg-type]  # stands for one
        assert quiet.looks == 1, "what an earlier answer on the same connection wrote counts for nothing"
        await until(lambda: len(quiet.said) > 2)
        assert quiet.said[:3] == [HEAD, PING, PING]
        assert set(begun.said) == {PING}
        assert busy.said == []
        assert busy.looks > LOOKS, "what was written is asked for at each look"


async def test_nobody_looks_at_a_stream_that_has_ended() -> None:
    heart, first, second = Heart(0.03), Answer(), Answer()
    with heart.beat(first, PING, HEAD):  # type: ignore[arg-type]  # stands for one
        await until(lambda: first.said)
    looks, said = first.looks, len(first.said)
    with heart.beat(second, PING, HEAD):  # type: ignore[arg-type]  # stands for one
        await until(lambda: second.said)
    assert (first.looks, len(first.said)) == (looks, said)


async def test_what_is_written_right_after_a_look_is_followed_in_time() -> None:
    silence_s, looks = 60.0, 1
    heart, answer = Heart(silence_s), Answer(is_busy=True)
    with heart.beat(answer, PING, HEAD) as beat:  # type: ignore[arg-type]  # stands for one
        beat.look()
        answer._is_busy = False
        while not answer.said:
            beat.look()
            looks += 1
            await asyncio.sleep(0)
        assert looks * heart._every_s <= silence_s


async def test_who_reads_slowly_has_one_sign_waiting_and_no_more() -> None:
    class Slow(Answer):
        async def write(self, data: bytes) -> None:
            self.said.append(data)
            await asyncio.Event().wait()

    slow = Slow()
    slow.status = 200
    with Heart(60.0).beat(slow, PING, HEAD) as beat:  # type: ignore[arg-type]  # stands for one
        for _ in range(LOOKS * 4):
            beat.look()
            await asyncio.sleep(0)
        assert slow.said == [PING]
