"""A real browser on a real gateway, and what every test of the page asks of it besides its own question.

Any word on the browser's console, any error in a script and any request to another place fails the test that
had it. Playwright is started for each module anew: while it is open it holds the thread's event loop, which
the asynchronous tests of other modules need.
"""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect, sync_playwright

from jackfield.admin.session import make_code
from jackfield.credential import Secret
from tests.admin.ledgered import used_gateway
from tests.gateway.command import Process, gateway_process
from tests.patience import PATIENCE_S

CHROMIUM = shutil.which("chromium")
AXE = Path(__file__).parents[2] / ".venv/axe-core/package/axe.min.js"
ARTEFACTS = Path(__file__).parent / "artefacts"
IMAGES = Path(__file__).parents[2] / "docs/images"
# A picture for people shows the font that most of them have.
FONTS = {"FONTCONFIG_FILE": str(Path(__file__).parent / "fonts.conf")} if os.environ.get("WRITE_README") else {}
WAIT_MS = 1000 * PATIENCE_S  # a busy machine is no failure
UNREACHED = "Failed to load resource: net::ERR_"
GRAVE = {"serious", "critical"}
WIDTHS = [1280, 768, 360]
OVERFLOW = "() => document.documentElement.scrollWidth - innerWidth"  # pixels that a page is wider than the screen
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

expect.set_options(timeout=WAIT_MS)


class PageOf(Protocol):
    """Open the page of a gateway in a browser of its own, signed in."""

    def __call__(
        self,
        process: Process,
        view: str = "",
        *,
        width: int = 1280,
        height: int = 800,
        theme: str = "light",
        is_signed_in: bool = True,
        forgive: str = "",
    ) -> Page: ...


class Ears:
    """Write down what a page should not say or ask."""

    def __init__(self, process: Process, forgive: str, wrong: list[str]) -> None:
        self._process = process
        self._own = address(process)
        self._forgive = forgive
        self._wrong = wrong

    def listen(self, page: Page) -> None:
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self._tell(f"script: {error}"))
        page.on("request", self._look)

    def _hear(self, message: ConsoleMessage) -> None:
        # A page still looks how its gateway is while that ends with the test.
        is_over = message.text.startswith(UNREACHED) and self._process.has_ended()
        if message.type in {"error", "warning"} and not is_over:
            self._tell(f"console: {message.text} ({message.location.get('url', '')})")

    def _look(self, request: Request) -> None:
        if not request.url.startswith((f"{self._own}/", "data:", f"blob:{self._own}/")):
            self._tell(f"request to {request.url}")

    def _tell(self, words: str) -> None:
        if not (self._forgive and re.search(self._forgive, words)):
            self._wrong.append(words)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Start Debian's Chromium; skips where there is none."""
    if not CHROMIUM:
        pytest.skip("there is no chromium on this machine")
    home = str(tmp_path_factory.mktemp("chromium"))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"],
            env={**os.environ, "HOME": home, **FONTS},
        )
        yield browser
        browser.close()


@pytest.fixture
def page_of(browser: Browser) -> Iterator[PageOf]:
    """Open pages that fail the test at any word on the console, error of a script or request elsewhere.

    `forgive` is a pattern of what a test provokes: the browser itself tells of every refused request.
    """
    wrong: list[str] = []
    contexts = []

    def open_page(
        process: Process,
        view: str = "",
        *,
        width: int = 1280,
        height: int = 800,
        theme: Any = "light",
        is_signed_in: bool = True,
        forgive: str = "",
    ) -> Page:
        context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=theme)
        contexts.append(context)
        context.set_default_timeout(WAIT_MS)
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        page = context.new_page()
        own = address(process)
        Ears(process, forgive, wrong).listen(page)
        page.goto(f"{own}/{f'#code={code_of(process)}' if is_signed_in else ''}")
        if is_signed_in:
            expect(page.get_by_role("button", name="Sign out")).to_be_visible()
        if view:
            page.goto(f"{own}/#/{view}")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert wrong == []


@pytest.fixture
def used(home: Path) -> Iterator[Process]:
    """A gateway that has been used by real calls."""
    with used_gateway() as process:
        yield process


@pytest.fixture
def fresh(home: Path) -> Iterator[Process]:
    """A gateway that is not set up, and that nobody has used."""
    with gateway_process() as process:
        yield process


@pytest.fixture
def shot() -> Callable[..., None]:
    """Keep a screenshot: an artefact, or with `readme=True` and WRITE_README set the README's."""

    def take(page: Page, name: str, *, readme: bool = False) -> None:
        folder = IMAGES if readme and os.environ.get("WRITE_README") else ARTEFACTS
        folder.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=folder / f"{name}.png", animations="disabled", caret="hide")

    return take


@pytest.fixture
def check_axe() -> Callable[[Page], None]:
    """Hold a page as it stands against WCAG 2.2 AA; skips without axe-core."""
    if not AXE.is_file():
        pytest.skip("axe-core is not set up: scripts/setup fetches it with npm")

    def check(page: Page) -> None:
        page.evaluate(AXE.read_text(encoding="utf-8"))
        found = page.evaluate("rules => axe.run(document, {runOnly: rules})", RULES)
        grave = [
            f"{each['id']}: {each['help']}: " + "; ".join(node["html"][:200] for node in each["nodes"][:5])
            for each in found["violations"]
            if each["impact"] in GRAVE
        ]
        assert grave == []

    return check


class Work:
    """Processor time that a page's own thread takes from here on: it does not grow with what else the machine does."""

    def __init__(self, page: Page) -> None:
        self._session = page.context.new_cdp_session(page)
        self._session.send("Performance.enable", {"timeDomain": "threadTicks"})
        self._before_s = self._total_s()

    def spent_s(self) -> float:
        return self._total_s() - self._before_s

    def _total_s(self) -> float:
        found = {each["name"]: each["value"] for each in self._session.send("Performance.getMetrics")["metrics"]}
        return float(found["TaskDuration"])


def address(process: Process) -> str:
    """Return where the page of a gateway is."""
    return f"http://127.0.0.1:{process.admin_port}"


def code_of(process: Process) -> str:
    """Return a one-time code, as `--open` makes one."""
    return make_code(Secret(process.kept("admin-token")), time.time_ns() // 1_000_000)
