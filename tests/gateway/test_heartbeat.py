"""Signs of life: one timer for all streams, and only for those that are quiet."""

from __future__ import annotations

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
