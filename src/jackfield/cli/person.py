"""The person at the terminal, as a sign-in sees them: lines shown, a page opened, a line pasted.

Waiting for a line can be given up, so that a page landed on in the browser ends the question.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from jackfield.auth.flows.headless import pick_opener
from jackfield.cli import ask, ui

LONGEST_LINE = 65_536


class Terminal:
    """Speaks on stderr, reads standard input. `platform` is `sys.platform`."""

    def __init__(self, environ: Mapping[str, str], platform: str = sys.platform) -> None:
        self._environ = environ
        self._platform = platform

    def tell(self, text: str) -> None:
        """Show a line."""
        ui.note(text)

    def browse(self, url: str) -> None:
        """Open a page in the person's browser; where that fails, the address is there to be copied."""
        import threading

        # Some browsers return only when they are closed.
        threading.Thread(target=_browse, args=(url, self._environ, self._platform), daemon=True).start()

    async def paste(self, question: str) -> str:
        """Return the next line typed or pasted, Esc leaves; at the end of the input it waits to be cancelled."""
        import asyncio

        ui.note(question)
        loop = asyncio.get_running_loop()
        line: asyncio.Future[str] = loop.create_future()
        if self._platform == "win32":
            _read_beside(loop, line)
            return ask.leave_on_escape(await line)
        held = bytearray()
        fd = sys.stdin.fileno()
        loop.add_reader(fd, _take, fd, held, line)
        try:
            return ask.leave_on_escape(await line)
        finally:
            loop.remove_reader(fd)


def _browse(url: str, environ: Mapping[str, str], platform: str) -> None:
    import shutil
    import subprocess
    import webbrowser

    opener = pick_opener(environ, platform)
    program = shutil.which(opener[0], path=environ.get("PATH")) if opener else None
    if program is None:
        webbrowser.open(url)
        return
    quiet = subprocess.DEVNULL
    words = [program, *opener[1:], url]
    subprocess.run(words, stdin=quiet, stdout=quiet, stderr=quiet, check=False)  # noqa: S603  no shell; an address we checked


def _take(fd: int, held: bytearray, line: Any) -> None:
    import os

    data = os.read(fd, 4096)
    held += data
    if (b"\n" in data or len(held) > LONGEST_LINE) and not line.done():
        line.set_result(held.decode("utf-8", "replace").strip())


def _read_beside(loop: Any, line: Any) -> None:
    # Windows has no way to wait for the console and for something else at once.
    import threading

    def read() -> None:
        text = sys.stdin.readline()
        loop.call_soon_threadsafe(lambda: None if line.done() else line.set_result(text.strip()))

    threading.Thread(target=read, daemon=True).start()
