"""Python's collector of cycles in a process that serves: while it looks, nobody is answered.

It looks at every object that is new, and a thousand open streams are a hundred thousand of them. Calls leave no
cycles behind, however they end (tests/gateway/test_collector.py), so it looks seldom, and never at what was there before the
first call.
"""

from __future__ import annotations

import gc

NEW_OBJECTS = 200_000  # at which it looks; an open stream has some hundred


async def calm_collector(_: object) -> None:
    """Let the collector look seldom from now on; whoever serves calls it when everything is loaded."""
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS)
