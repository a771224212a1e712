"""`jackfield` on a real terminal, as a fork: with pexpect one reads its screen and types."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import sys
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests import forks
from tests.patience import LOOK_S, PATIENCE_S, await_true

pexpect = pytest.importorskip("pexpect")
if not hasattr(pexpect, "spawn"):
    pytest.skip("no terminals on this system", allow_module_level=True)
fdpexpect = pytest.importorskip("pexpect.fdpexpect")


class Terminal(fdpexpect.fdspawn):
    """What `pexpect.spawn` is, of a command that was forked."""

    def __init__(
        self,
        args: tuple[str, ...],
        env: Mapping[str, str],
        cwd: Path | str,
        size: tuple[int, int],
        name: str = "jackfield",
        **more: Any,
    ) -> None:
        own, its = pty.openpty()
        fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
        self._child = forks.spawn(args, (its, its, its), env=env, cwd=cwd, name=name)
        os.close(its)
        super().__init__(own, **more)
        self.pid = self._child.pid
        self.exitstatus: int | None = None
        self.signalstatus: int | None = None

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
        code = self._child.end(PATIENCE_S)
        self.exitstatus, self.signalstatus = (code, None) if code >= 0 else (None, -code)


class Started(pexpect.spawn):  # type: ignore[misc, valid-type]  # pexpect has no types
    """A process on a terminal whose end is waited for, once its screen has ended."""

    def close(self, force: bool = True) -> None:
        """Hang up, and say how the command ended; pexpect alone kills whoever is a tenth of a second late."""
        if not self.closed and self.flag_eof:
            await_true(lambda: not self.isalive(), "the end of a command")
            self.ptyproc.delayafterclose = 0
        super().close(force)


def interrupt(child: Any) -> None:
    """Press Ctrl-C once the command waits: between a question and the reading of its answer nobody notices."""
    await_true(lambda: all(_is_asleep(child.pid) for _ in range(3)), "a command that waits")
    child.sendintr()


def _is_asleep(pid: int) -> bool:
    time.sleep(LOOK_S)
    told = Path(f"/proc/{pid}/stat")
    return not told.exists() or told.read_text(encoding="utf-8").rpartition(")")[2].split()[0] == "S"


def open_terminal(
    *args: str,
    env: Mapping[str, str] | None = None,
    cwd: Path | str | None = None,
    size: tuple[int, int] = (50, 160),
    start: bool = False,
    name: str = "jackfield",
    **more: Any,
) -> Any:
    """Run `jackfield ARGS` on a terminal of that size (rows, columns); `more` is pexpect's, `start` is no fork."""
    whole, folder, more = {**os.environ, **(env or {})}, cwd or os.environ["HOME"], {"timeout": PATIENCE_S, **more}
    if forks.fits(whole) and not start:
        return Terminal(args, whole, folder, size, name, **more)
    return Started(sys.executable, ["-m", "jackfield", *args], env=whole, cwd=folder, dimensions=size, **more)


def open_command(command: Sequence[str], **more: Any) -> Any:
    """Run any command on a terminal; `more` is pexpect's."""
    child = Started(command[0], [*command[1:]], timeout=PATIENCE_S, **more)
    child.delaybeforesend = None
    return child
