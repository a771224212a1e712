"""Names of requests and rows are given once."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

from jackfield.gateway.ids import AT_ONCE, Ids


def test_a_name_is_its_prefix_a_time_and_80_random_bits() -> None:
    made = Ids("req_", lambda: 0x19A0123_4567).make()
    assert re.fullmatch(r"req_019a01234567[0-9a-f]{20}", made)


def test_later_names_are_greater_for_a_database_to_put_them_behind_the_others() -> None:
    now_ms = iter(range(1_800_000_000_000, 1_900_000_000_000))
    ids = Ids("", lambda: next(now_ms))
    made = [ids.make() for _ in range(3 * AT_ONCE)]
    assert max(made[:AT_ONCE]) < min(made[AT_ONCE : 2 * AT_ONCE]) < min(made[2 * AT_ONCE :])


def test_no_name_is_given_twice_whoever_asks() -> None:
    ids, many = Ids(), 10 * AT_ONCE
    with ThreadPoolExecutor(4) as pool:
        drawn = list(pool.map(lambda _: ids.make(), range(many)))
    assert len(set(drawn)) == many
