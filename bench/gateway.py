"""What the gateway costs, beside nginx, which is the limit, and LiteLLM's proxy, which is the peer.

All targets run at once and take turns within each round; what counts is the processor time of a
target's processes, one worker on one core. Upstream and callers are gateway_kit's own.

    python bench/gateway.py [--rounds 2] [--litellm PROGRAM] [--only NAME] [--write]

nginx is measured where it is installed. LiteLLM is installed once, apart, with
`pip install --require-hashes -r bench/peers/litellm.txt`.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from gateway_kit.targets import CHAT, UPSTREAM, Target, list_targets

KIT = Path(__file__).parent / "gateway_kit"
README = Path(__file__).with_name("README.md")
START_S = 90
SLOW = 20  # times fewer requests for who takes so much longer
LOAD_CORE, OWN_CORE = 0, 1


@dataclass(frozen=True)
class Case:
    """One thing to measure."""

    name: str
    model: str
    at_once: int
    total: int
    pieces: int = 0  # of a stream
    upstream: str = "chat"  # its wire; the caller's is chat
    ramp_s: float = 0.0
    warm: int = 0  # requests before it counts


CASES = (
    Case("request", "m-100-0", 32, 6_000, warm=500),
    Case("first piece", "m-3-1", 1, 400, 3, warm=20),
    Case("paced50", "m-100-20", 50, 100, 100, ramp_s=1),
    Case("paced50, translated", "m-100-20", 50, 100, 100, "messages", 1),
    Case("slow1000", "m-20-200", 1_000, 1_000, 20, ramp_s=1),
)


@dataclass(frozen=True)
class Running:
    """A target that has started, how long that took, and its memory when it rests."""

    target: Target
    process: subprocess.Popen[bytes]
    start_s: float
    idle_mb: float


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--rounds", type=int, default=2)
    options.add_argument("--litellm", default="")
    options.add_argument("--only", action="append", default=[])
    options.add_argument("--write", action="store_true")
    chosen = options.parse_args()
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder, upstream():
        targets = [
            each for each in list_targets(Path(folder), chosen.litellm) if not chosen.only or each.name in chosen.only
        ]
        with start_all(targets, Path(folder)) as running:
            for _ in range(chosen.rounds):
                for case in CASES:
                    for each in running:
                        if is_asked(case, each.target):
                            one = measure(case, each)
                            found.setdefault((case.name, each.target.name), []).append(one)
                            print(case.name, "|", each.target.name, "|", one, flush=True)
            table = "\n".join(render(running, found))
    print(table)
    if chosen.write:
        text = README.read_text(encoding="utf-8")
        marked = re.compile(r"(<!-- gateway -->\n).*?(<!-- end -->)", re.DOTALL)
        README.write_text(marked.sub(lambda match: match[1] + table + "\n" + match[2], text), encoding="utf-8")


def is_asked(case: Case, target: Target) -> bool:
    """Tell whether a target takes part in a case: nginx translates nothing, a thousand streams outlast LiteLLM's patience."""
    if target.name == "LiteLLM":
        return case.at_once < 1_000
    return case.upstream == "chat" or bool(target.models)


# -- processes ---------------------------------------------------------------------


@contextmanager
def upstream() -> Iterator[None]:
    with subprocess.Popen(pinned(LOAD_CORE, sys.executable, str(KIT / "upstream.py"), str(UPSTREAM))) as process:
        try:
            yield
        finally:
            process.kill()


@contextmanager
def start_all(targets: list[Target], folder: Path) -> Iterator[list[Running]]:
    """Start one after another, each alone, and stop all."""
    running: list[Running] = []
    try:
        running.extend(start(target, folder) for target in targets)
        yield running
    finally:
        for each in running:
            each.process.terminate()
        for each in running:
            with suppress(subprocess.TimeoutExpired):
                each.process.wait(5)
            each.process.kill()


def start(target: Target, folder: Path) -> Running:
    """Start a target; its start ends with its first good answer."""
    environ = {**os.environ, **target.environ}
    began_s = time.monotonic()
    with (folder / f"{target.port}.log").open("wb") as log:
        process = subprocess.Popen(pinned(OWN_CORE, *target.command), env=environ, stdout=log, stderr=log)
    while time.monotonic() < began_s + START_S and process.poll() is None:
        with suppress(OSError):
            body, headers = ask(target, CASES[0])
            urllib.request.urlopen(urllib.request.Request(url(target), body.encode(), headers), timeout=5).read()
            start_s = time.monotonic() - began_s
            time.sleep(1)
            return Running(target, process, start_s, memory_mb(process.pid))
        time.sleep(0.01)
    process.kill()
    raise SystemExit(
        f"{target.name} does not start: {(folder / f'{target.port}.log').read_text(encoding='utf-8', errors='replace')[-2000:]}"
    )


def pinned(core: int, *command: str) -> list[str]:
    return ["taskset", "-c", str(core), *command]


def tree(root: int) -> list[int]:
    """Return a process and all below it."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            parents[int(path.parent.name)] = int(path.read_text(encoding="utf-8").rpartition(")")[2].split()[1])
    found = [root]
    for each in found:
        found += [child for child, parent in parents.items() if parent == each]
    return found


def spent_s(root: int) -> float:
    """Return the processor time of a process, its threads and all below it, to the nanosecond."""
    total = 0
    for process in tree(root):
        for path in Path(f"/proc/{process}/task").glob("*/schedstat"):
            with suppress(OSError):
                total += int(path.read_text(encoding="utf-8").split()[0])
    return total / 1e9


def memory_mb(root: int) -> float:
    pages = 0
    for process in tree(root):
        with suppress(OSError):
            pages += int(Path(f"/proc/{process}/statm").read_text(encoding="utf-8").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


# -- measuring ---------------------------------------------------------------------


def url(target: Target) -> str:
    return f"http://127.0.0.1:{target.port}{CHAT}"


def ask(target: Target, case: Case) -> tuple[str, dict[str, str]]:
    """Return a body and its headers."""
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Cite the line you rely on. " * 26},
    ]
    model = target.models.get(case.upstream, "") + case.model
    body = {"model": model, "messages": messages, "max_tokens": 200, "temperature": 0.2}
    headers = {"content-type": "application/json", "authorization": f"Bearer {target.key or 'none'}"}
    return json.dumps(body | ({"stream": True} if case.pieces else {})), headers


def measure(case: Case, running: Running) -> dict[str, Any]:
    """Return a case's figures for one target: microseconds per request or piece, and what its callers saw."""
    total = (
        max(case.total // SLOW, case.at_once) if running.target.name == "LiteLLM" and not case.ramp_s else case.total
    )
    if case.warm:
        load(case, running.target, case.warm if total == case.total else case.at_once)
    settle(running.process.pid)
    before = spent_s(running.process.pid)
    said = load(case, running.target, total)
    settle(running.process.pid)
    cost_us = (spent_s(running.process.pid) - before) / max(said["units"], 1) * 1e6
    return {"us": round(cost_us, 1), "mb": round(memory_mb(running.process.pid), 1), **said}


def load(case: Case, target: Target, total: int) -> dict[str, Any]:
    body, headers = ask(target, case)
    spec = {"url": url(target), "headers": headers, "body": body, "at_once": case.at_once, "total": total,
            "pieces": case.pieces, "ramp_s": case.ramp_s}  # fmt: skip
    done = subprocess.run(
        pinned(LOAD_CORE, sys.executable, str(KIT / "load.py"), json.dumps(spec)),
        check=False, capture_output=True, timeout=120, text=True,
    )  # fmt: skip
    if done.returncode:
        return {"whole": 0, "failed": total, "wall_s": 0.0, "units": 0, "said": done.stderr[-200:]}
    return {name: round(figure, 3) for name, figure in json.loads(done.stdout).items()}


def settle(root: int) -> None:
    """Wait until a target rests, so that what it still has to write is its own."""
    for _ in range(20):
        before = spent_s(root)
        time.sleep(0.2)
        if spent_s(root) - before < 0.004:
            return


# -- the table ---------------------------------------------------------------------


def render(running: list[Running], found: dict[tuple[str, str], list[dict[str, Any]]]) -> Iterator[str]:
    """Yield the lines of the tables; a figure is the median of the rounds."""
    yield f"{time.strftime('%Y-%m-%d', time.gmtime())}.\n"
    yield "| | starts in s | at rest MB |\n|---|---|---|"
    for each in running:
        yield f"| {each.target.name} | {each.start_s:.2f} | {each.idle_mb:.0f} |"
    columns = ("us", "p50_ms", "first_p50_ms", "lag_p50_ms", "lag_p99_ms", "wall_s", "mb")
    yield "\n| case | target | µs | × nginx | p50 ms | first piece p50 ms | lag p50 ms | lag p99 ms | all in s | MB | whole | failed |"
    yield "|---|---|---|---|---|---|---|---|---|---|---|---|"
    for case in CASES:
        limit = found.get((case.name.partition(",")[0], "nginx"))
        for each in running:
            every = found.get((case.name, each.target.name), [])
            # A round in which nothing came has no figures, but its failures count.
            if rows := [row for row in every if row["units"]]:
                seen = {name: median(row.get(name, 0) for row in rows) for name in columns}
                ratio = f"{seen['us'] / median(row['us'] for row in limit):.1f}" if limit else "–"
                shown = " | ".join(f"{seen[name]:.4g}" for name in columns[1:])
                whole, failed = (sum(row[name] for row in every) for name in ("whole", "failed"))
                yield f"| {case.name} | {each.target.name} | {seen['us']:.0f} | {ratio} | {shown} | {whole} | {failed} |"


if __name__ == "__main__":
    main()
