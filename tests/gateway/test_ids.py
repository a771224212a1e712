"""Names of requests and rows are given once."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

from jackfield.gateway.ids import AT_ONCE, Ids


def test_a_name_is_its_prefix_and_128_random_bits() -> None:
    assert re.fullmatch(r"req_[0-9a-f]{32}", Ids("req_").make())


def test_no_name_is_given_twice_whoever_asks() -> None:
    ids, many = Ids(), 10 * AT_ONCE
    with ThreadPoolExecutor(4) as pool:
        drawn = list(pool.map(lambda _: ids.make(), range(many)))
    assert len(set(drawn)) == many
