"""Throw what is no request at a gateway and at every parser, until the time is over: nothing fails inside, hangs or grows.

python scripts/fuzz.py [--minutes 3] [--seed N]

Valid bodies of each wire are changed in structure, besides random JSON and random bytes, on every
route, over real sockets. Ends with status 1, and an example of each, where there was an answer of 5xx that
no provider caused, a question without an answer within ten seconds, or growth beyond what a warm process needs.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import aiohttp

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.gateway.fuzzing import config_of, find_parser_failure, find_route_failure
from tests.gateway.serving import running

from jackfield.scripted.script import Script
from jackfield.scripted.server import open_server

PATIENCE_S = 10
GROWTH_KB = 60_000


def resident_kb() -> int:
    """Return how much memory this process has."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.partition("VmRSS:")[2].split()[0])


async def fuzz(
    url: str, until: float, chance: random.Random, forget: Callable[[], object]
) -> tuple[dict[str, str], Counter[str]]:
    """Go on until the time is over; return one failure of each kind, and the answers by status."""
    seen: Counter[str] = Counter()
    found: dict[str, str] = {}
    warm_kb, rounds = 0, 0
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(PATIENCE_S)) as session:
        while time.monotonic() < until:
            failures = await asyncio.gather(*(find_route_failure(session, url, chance, seen) for _ in range(8)))
            seen["parsed"] += 8
            failures += [find_parser_failure(chance) for _ in range(8)]
            found |= {each.partition("\n")[0][:60]: each for each in failures if each}
            rounds += 1
            forget()
            if rounds == 400:
                warm_kb = resident_kb()
            if warm_kb and resident_kb() - warm_kb > GROWTH_KB:
                found["memory"] = f"memory grew from {warm_kb} to {resident_kb()} kB"
                break
    return found, seen


def main() -> int:
    """Fuzz for the given time."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--minutes", type=float, default=3)
    arguments.add_argument("--seed", type=int, default=random.randrange(10**6))
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as home:
        os.environ["HOME"] = home
        before_kb = resident_kb()
        script = Script([{"text": "Hi", "repeat": True}])
        with (
            open_server(script) as upstream,
            running(config_of(f"{upstream}/v1")) as gateway,
        ):

            def forget() -> None:
                # What the servers around it keep is not the gateway's.
                script.requests.clear()
                gateway.calls.clear()

            until = time.monotonic() + given.minutes * 60
            found, seen = asyncio.run(fuzz(gateway.url, until, random.Random(given.seed), forget))
            if gateway.gateway.open:
                found["open"] = f"{len(gateway.gateway.open)} calls never ended"
    print(f"seed {given.seed}, answers {dict(seen)}, memory {before_kb} → {resident_kb()} kB")
    print("\n\n".join(found.values()) or "nothing failed")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
