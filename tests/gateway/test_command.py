"""`jackfield gateway` as a person starts it: a process of its own, ended by a signal."""

from __future__ import annotations

import json
import os
import signal
import stat
import time
import urllib.request
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from jackfield.scripted.script import Script
from jackfield.scripted.server import open_server
from tests import forks
from tests.commands import run, write_config
from tests.gateway.command import gateway_child
from tests.patience import LOOK_S, PATIENCE_S
from tests.servers import free_port


def started(*args: str, err: str = "stderr") -> AbstractContextManager[tuple[forks.Child, list[str]]]:
    """Run a gateway until the block ends; gives the process and the lines it began with."""
    return gateway_child("gateway", *args, err=written(err))


def written(name: str = "stderr") -> Path:
    return Path(os.environ["HOME"]) / name


def ask(address: str, token: str = "") -> str:
    body = json.dumps({"model": "default", "messages": [{"role": "user", "content": "Hello"}]}).encode()
    request = urllib.request.Request(f"{address}/v1/chat/completions", body, {"authorization": f"Bearer {token}"})
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_S) as reply:
                return json.load(reply)["choices"][0]["message"]["content"]
        except ConnectionError:  # it says where it listens before it does
            if time.monotonic() > until:
                raise
            time.sleep(LOOK_S)


@pytest.fixture
def scripted():
    with open_server(Script([{"text": "Hi", "repeat": True}])) as address:
        entry = {"baseUrl": f"{address}/v1", "apiKey": "sk-up-0123456789", "models": [{"id": "m"}]}
        write_config(json.dumps({
            "agents": {"defaults": {"model": {"primary": "box/m"}}}, "models": {"providers": {"box": entry}},
        }))  # fmt: skip
        yield address


def test_it_says_where_it_listens_and_ends_well_when_told(scripted, home) -> None:
    with started("--port", "0") as (process, lines):
        address = lines[0].split()[1]
        assert lines[1].split()[1:] == [
            f"OPENAI_BASE_URL={address}/v1", f"ANTHROPIC_BASE_URL={address}", f"GOOGLE_GEMINI_BASE_URL={address}",
        ]  # fmt: skip
        kept = Path(lines[2].split()[1].rstrip(";"))
        assert kept == home / ".jackfield" / "gateway-token"
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600
        assert ask(address, kept.read_text(encoding="utf-8").strip()) == "Hi"
        other = run("gateway", "--port", address.rpartition(":")[2])
        assert (other.code, "is in use" in other.err, "--port" in other.err) == (1, True, True)
        os.kill(process.pid, signal.SIGTERM)
        assert process.wait(PATIENCE_S) == 0
    row = json.loads(written().read_text(encoding="utf-8").splitlines()[0])
    assert (row["model"], row["reason"], row["outcome"], row["attempt"]) == ("box/m", None, "ok", 1)
    assert row["request"].startswith("req_")


def test_workers_share_a_port(scripted) -> None:
    with started("run", "--port", "0", "--workers", "2", "--auth", "none") as (process, lines):
        assert "whoever is on this machine" in lines[2]
        address = lines[0].split()[1]
        assert [ask(address) for _ in range(6)] == ["Hi"] * 6
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        if children.exists():
            assert len(children.read_text(encoding="utf-8").split()) >= 2
        os.kill(process.pid, signal.SIGTERM)
        assert process.wait(PATIENCE_S) == 0


def test_a_second_gateway_of_the_same_home_says_so(scripted) -> None:
    with started("--port", "0") as (_, lines), started("--port", "0", err="second") as (_, more):
        assert more[2] == lines[2]
        assert "another gateway runs with" in written("second").read_text(encoding="utf-8")


def test_the_token_may_be_given(scripted, monkeypatch) -> None:
    monkeypatch.setenv("OPENCLAW_GATEWAY_TOKEN", "given-0123456789")
    with started("--port", "0") as (_, lines):
        assert "OPENCLAW_GATEWAY_TOKEN" in lines[2]
        assert ask(lines[0].split()[1], "given-0123456789") == "Hi"


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--host", "0.0.0.0", "--auth", "none"], "a token is needed"),
        (["--host", "0.0.0.0"], "needs a token that you know"),
        (["--host", "192.0.2.1"], "has no address 192.0.2.1"),
    ],
)
def test_what_would_be_open_to_others_does_not_start(args, said) -> None:
    result = run("gateway", *args, "--port", str(free_port()))
    assert result.code in {1, 2}
    assert said in result.err
