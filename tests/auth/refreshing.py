"""Processes that use one expired profile: `refreshing.py race|kill STORE TOKEN_SERVER COUNT`.

Forks, so that fifty of them, or four hundred one after another, cost no fifty starts. `race`
prints what each got; `kill` prints, per round, what the one got who came after one that was
killed at a random moment.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sys
import time
import urllib.request
from collections import deque
from pathlib import Path
from statistics import median

from jackfield.auth.refresh import Refresher
from jackfield.auth.store import FileStore
from jackfield.credential import RequestAuth, Secret
from jackfield.errors import AuthError
from jackfield.transport.http import Transport
from tests.auth.oauth_server import keep, make_info


def use(path: str, url: str) -> str:
    """Do what a request does just before it leaves."""
    refresher = Refresher(FileStore(Path(path)), {}, Transport, lambda: int(time.time() * 1000))
    auth = RequestAuth(secret=Secret("a0"), source="test", profile_id="box:me", type="oauth")
    try:
        fresh = asyncio.run(refresher.fresh(make_info(url), auth))
    except AuthError as error:
        return f"error: {error.message} | {error.hint}"
    return fresh.secret.reveal() if fresh.secret else ""


def start(path: str, url: str, go: int | None = None) -> tuple[int, int]:
    """Fork a process that uses the profile, once `go` is closed; return its id and where its result comes."""
    result, mine = os.pipe()
    pid = os.fork()
    if pid == 0:
        if go is not None:
            os.read(go, 1)
        os.write(mine, use(path, url).encode())
        os._exit(0)
    os.close(mine)
    return pid, result


def finish(pid: int, result: int) -> str:
    """Wait for such a process and return what it got."""
    with os.fdopen(result, encoding="utf-8") as pipe:
        said = pipe.read()
    os.waitpid(pid, 0)
    return said


def race(path: str, url: str, count: int) -> None:
    """Start them at one moment."""
    go, shot = os.pipe()
    children = [start(path, url, go) for _ in range(count)]
    for _ in range(count):
        os.write(shot, b"!")
    for child in children:
        print(finish(*child))


def kill(path: str, url: str, count: int) -> None:
    """Kill one, look what the next one gets, sign in anew where that is needed."""
    took_s: deque[float] = deque(maxlen=5)  # of the last ones: a machine is not always as busy as it was

    def use_timed() -> str:
        begun = time.monotonic()
        said = finish(*start(path, url))
        took_s.append(time.monotonic() - begun)
        return said

    for _ in range(3):
        use_timed()
    for _ in range(count):
        pid, result = start(path, url)
        time.sleep(random.uniform(0, 1.2 * median(took_s)))
        os.kill(pid, signal.SIGKILL)
        finish(pid, result)
        said = use_timed()
        print(said)
        if said.startswith("error"):
            with urllib.request.urlopen(f"{url}/login") as reply:
                keep(Path(path), refresh=json.load(reply)["refresh_token"])


if __name__ == "__main__":
    {"race": race, "kill": kill}[sys.argv[1]](sys.argv[2], sys.argv[3], int(sys.argv[4]))
