"""`jackfield` on a real terminal, as a fork: with pexpect one reads its screen and types."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import sys
import termios
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests import forks

pexpect = pytest.importorskip("pexpect")
if not hasattr(pexpect, "spawn"):
    pytest.skip("no terminals on this system", allow_module_level=True)
fdpexpect = pytest.importorskip("pexpect.fdpexpect")


class Terminal(fdpexpect.fdspawn):
    """What `pexpect.spawn` is, of a command that was forked."""

    def __init__(
        self, args: tuple[str, ...], env: Mapping[str, str], cwd: Path | str, size: tuple[int, int], **more: Any
    ) -> None:
        own, its = pty.openpty()
        fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
        self._child = forks.spawn(args, (its, its, its), env=env, cwd=cwd)
        os.close(its)
        super().__init__(own, **more)
        self.delaybeforesend: float | None = None
        self.exitstatus: int | None = None
        self.signalstatus: int | None = None

    def send(self, s: Any) -> int:
        """Type, after a pause where one is said."""
        if self.delaybeforesend:
            time.sleep(self.delaybeforesend)
        return int(super().send(s))

    def sendintr(self) -> None:
        """Type Ctrl-C."""
        self.send("\x03" if self.encoding else b"\x03")

    def sendeof(self) -> None:
        """Type Ctrl-D."""
        self.send("\x04" if self.encoding else b"\x04")

    def close(self, force: bool = True) -> None:
        """Hang up, and say how the command ended."""
        if self.child_fd == -1:
            return
        super().close()
        code = self._child.end(5)
        self.exitstatus, self.signalstatus = (code, None) if code >= 0 else (None, -code)


def open_terminal(
    *args: str,
    env: Mapping[str, str] | None = None,
    cwd: Path | str | None = None,
    size: tuple[int, int] = (50, 160),
    start: bool = False,
    **more: Any,
) -> Any:
    """Run `jackfield ARGS` on a terminal of that size (rows, columns); `more` is pexpect's, `start` is no fork."""
    whole, folder = {**os.environ, **(env or {})}, cwd or os.environ["HOME"]
    if forks.fits(whole) and not start:
        return Terminal(args, whole, folder, size, **more)
    return pexpect.spawn(sys.executable, ["-m", "jackfield", *args], env=whole, cwd=folder, dimensions=size, **more)
