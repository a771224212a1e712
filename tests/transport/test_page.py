"""The page about the network says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

from jackfield.providers.provider import SLOW_START
from jackfield.transport.request import STREAM_TIMEOUTS, WHOLE_TIMEOUTS
from jackfield.transport.tls import CA_VARIABLES, CERT_VARIABLE, KEY_VARIABLE

PAGE = (Path(__file__).parents[2] / "docs" / "network.md").read_text(encoding="utf-8")


def test_the_defaults_of_the_timers_are_the_pages() -> None:
    said = {key: float(value) for key, value in re.findall(r"\| `timeouts\.(\w+)` \|.*\| (\d+) \|", PAGE)}

    assert said == {
        "connect": STREAM_TIMEOUTS.connect,
        "firstToken": STREAM_TIMEOUTS.first_token,
        "idle": STREAM_TIMEOUTS.idle,
        "total": STREAM_TIMEOUTS.total,
    }
    assert WHOLE_TIMEOUTS.first_token == WHOLE_TIMEOUTS.total
    assert f"it has {WHOLE_TIMEOUTS.total:g} seconds" in PAGE
    assert f"get {SLOW_START.first_token:g} seconds for the first token" in PAGE.replace("\n", " ")


def test_the_variables_are_the_pages() -> None:
    assert all(f"`{name}`" in PAGE for name in (*CA_VARIABLES, CERT_VARIABLE, KEY_VARIABLE))
