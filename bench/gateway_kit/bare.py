"""The gateway with nobody who counts: no ledger, no log, an open door. What the rest costs is the difference to it.

python bench/gateway_kit/bare.py CONFIG.json PORT
"""

from __future__ import annotations

import json
import sys
import time
from functools import partial
from pathlib import Path

from jackfield.client import AsyncClient
from jackfield.gateway.access import Access, Stores
from jackfield.gateway.door import Places
from jackfield.gateway.gateway import Gateway
from jackfield.gateway.ids import Ids
from jackfield.gateway.parts import Clock, Parts, Settings
from jackfield.gateway.server import run
from jackfield.transport.listen import open_listener


def make(config: dict[str, object]) -> Gateway:
    async def build() -> Parts:
        access = await Access.open(Stores(anyone=True))
        return Parts(client=AsyncClient(config), access=access, settings=Settings(is_open=True))

    clock = Clock(lambda: time.time_ns() // 1_000_000, time.monotonic, Ids("req_").make)
    return Gateway(build, Places("127.0.0.1", (), is_open=True), clock)


if __name__ == "__main__":
    said = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    run(partial(make, said), [open_listener("127.0.0.1", int(sys.argv[2]))])
