"""What the page of the gateway costs until a person sees something, and until it can be used.

    python bench/page.py [--rounds 15] [--write]         --write puts the table into bench/README.md

A real `jackfield gateway` in a process of its own, Debian's Chromium through Playwright. Every load is a cold
one, in a context that has no cache. `first paint` is the browser's own figure, `usable` is when
the view's heading stands and the gateway's state is told. Ends with status 1 when an aim is missed.
"""

from __future__ import annotations

import argparse
import datetime
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser, sync_playwright

from jackfield.admin.session import make_code
from jackfield.credential import Secret

README = Path(__file__).with_name("README.md")
VIEWS = ("providers", "models", "playground", "routes", "usage", "config")
PAINT_MS, TRANSFER_KB = 300, 150
PAINT = "() => performance.getEntriesByType('paint').find((each) => each.name === 'first-paint').startTime"
NOW = "() => performance.now()"


@dataclass(frozen=True)
class Load:
    """One cold load of a view."""

    paint_ms: float
    usable_ms: float
    requests: int
    kb: float


@contextmanager
def started() -> Iterator[tuple[str, Secret]]:
    """Run a gateway with an empty home; yields the page's address and the admin token."""
    with tempfile.TemporaryDirectory() as home:
        environ = {"PATH": os.environ["PATH"], "HOME": home}
        command = [sys.executable, "-m", "jackfield", "gateway", "--port", "0"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environ)
        try:
            assert process.stdout
            line = next(line for line in process.stdout if line.startswith("admin"))
            token = (Path(home) / ".jackfield/admin-token").read_text(encoding="utf-8").strip()
            time.sleep(1)
            yield line.split(",")[0].split()[1], Secret(token)
        finally:
            process.terminate()
            process.wait()


def load(browser: Browser, address: str, token: Secret, view: str) -> Load:
    """Open a view with nothing in the cache."""
    context = browser.new_context()
    page = context.new_page()
    told = context.new_cdp_session(page)
    sizes: list[float] = []
    told.send("Network.enable")
    told.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    # The session is begun on another page of the site, so that only the view's own load counts.
    page.goto(f"{address}/icon.svg")
    code = make_code(token, time.time_ns() // 1_000_000)
    page.evaluate(
        "async (code) => { const reply = await fetch('/admin/api/session', {method: 'POST', "
        "headers: {'content-type': 'application/json'}, body: JSON.stringify({code})}); "
        "sessionStorage.setItem('jackfield.session', (await reply.json()).token); }",
        code,
    )
    sizes.clear()
    page.goto(f"{address}/#/{view}")
    page.get_by_role("heading", level=1).wait_for()
    page.locator(".state.ok").wait_for()
    usable_ms = page.evaluate(NOW)
    page.wait_for_load_state("networkidle")
    found = Load(page.evaluate(PAINT), usable_ms, len(sizes), sum(sizes) / 1000)
    context.close()
    return found


def measure(rounds: int) -> dict[str, list[Load]]:
    """Load every view so often, in turns."""
    found: dict[str, list[Load]] = {view: [] for view in VIEWS}
    with started() as (address, token), sync_playwright() as playwright:
        args = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=args)
        load(browser, address, token, VIEWS[0])
        for _ in range(rounds):
            for view in VIEWS:
                found[view].append(load(browser, address, token, view))
        browser.close()
    return found


def render(found: dict[str, list[Load]], rounds: int) -> str:
    """Write the table."""
    today = datetime.datetime.now(datetime.UTC).date()
    lines = [
        f"{today}, medians of {rounds} cold loads of each view (the slowest in brackets).",
        "",
        "| view | first paint ms | usable ms | requests | kB |",
        "|---|---|---|---|---|",
    ]
    for view, loads in found.items():
        paint, usable = ([getattr(each, name) for each in loads] for name in ("paint_ms", "usable_ms"))
        lines.append(
            f"| {view} | {median(paint):.0f} ({max(paint):.0f}) | {median(usable):.0f} ({max(usable):.0f}) "
            f"| {loads[-1].requests} | {median(each.kb for each in loads):.0f} |"
        )
    return "\n".join(lines)


def main() -> int:
    """Measure, print, and tell whether the aims are kept."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--write", action="store_true", help="put the table into bench/README.md")
    said = parser.parse_args()
    found = measure(said.rounds)
    table = render(found, said.rounds)
    print(table)
    if said.write:
        text = README.read_text(encoding="utf-8")
        new = re.sub(r"(?s)<!-- page -->\n.*?<!-- end -->", f"<!-- page -->\n{table}\n<!-- end -->", text)
        README.write_text(new, encoding="utf-8")
    loads = [each for loads in found.values() for each in loads]
    is_kept = median(each.paint_ms for each in loads) <= PAINT_MS and max(each.kb for each in loads) <= TRANSFER_KB
    return 0 if is_kept else 1


if __name__ == "__main__":
    sys.exit(main())
