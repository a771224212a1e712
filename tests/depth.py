"""How deep tests of chance look: `TEST_DEPTH=10 make test` makes ten times the examples."""

from __future__ import annotations

import os

DEPTH = max(1, int(os.environ.get("TEST_DEPTH", "1")))


def examples(usual: int) -> int:
    """Return how many examples to make where so many are usual."""
    return usual * DEPTH
