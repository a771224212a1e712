"""Rows as tests write them."""

from __future__ import annotations

import secrets
from typing import Any

from jackfield.ledger.row import Row

AT_MS = 1_795_000_000_000  # 2026-11-18


def row(**fields: Any) -> Row:
    """Return a row with an id of its own; what is not said is as after a good call."""
    said = {"id": secrets.token_hex(16), "at_ms": AT_MS, "served": "venice/m", "provider": "venice", "total_ms": 10}
    return Row(**(said | fields))
