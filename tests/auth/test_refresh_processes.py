"""Fifty processes with one expired profile, and many that are killed in the middle of it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.auth.oauth_server import keep, rotating
from tests.depth import DEPTH
from tests.patience import PATIENCE_S

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked")


def run(*args: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.auth.refreshing", *args],
        cwd=ROOT, capture_output=True, text=True, encoding="utf-8", timeout=5 * PATIENCE_S, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_fifty_processes_with_one_expired_profile_refresh_it_once(tmp_path: Path) -> None:
    keep(tmp_path / "auth.json")
    with rotating(before=[0.05]) as server:
        assert run("race", str(tmp_path / "auth.json"), server.url, "50") == ["a1"] * 50
        assert (server.spent, server.reused) == (["r0"], [])


def test_who_comes_after_one_that_was_killed_gets_a_token_or_is_told_to_sign_in(tmp_path: Path) -> None:
    keep(tmp_path / "auth.json")
    rounds = 40 * DEPTH
    # A token of one second is expired when it comes: everybody refreshes.
    with rotating(lasts_s=1, before=[0.03]) as server:
        said = run("kill", str(tmp_path / "auth.json"), server.url, str(rounds))
        assert server.reused == []
    assert len(said) == rounds
    lost = [line for line in said if not line.startswith("a")]
    assert all("OAuth token refresh failed for box: " in line for line in lost)
    assert all("may be spent | run: jackfield models auth login --provider box" in line for line in lost)
    # Both ends were reached: the moment of the kill was a real choice.
    assert 0 < len(lost) < rounds
