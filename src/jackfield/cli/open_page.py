"""Opening the page in the user's browser. Its address holds a code, so it is told to the browser and to nobody else."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from jackfield.credential import Secret

SCREENS = ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY")
REMOTE = ("SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY")


def open_page(
    address: str, token: Secret, now_ms: int, environ: Mapping[str, str], tell: Callable[[str], None]
) -> threading.Thread | None:
    """Open the page, signed in by a code that works once and for a minute; says so where there is no browser.

    Returns the thread that does it: some browsers let their caller wait until they are closed.
    """
    from jackfield.admin.session import make_code

    # Without a screen only browsers in the terminal are left, and the gateway needs the terminal.
    is_remote = any(map(environ.get, REMOTE))
    if (is_remote or sys.platform not in {"win32", "darwin"}) and not any(map(environ.get, SCREENS)):
        tell(f"there is no browser here: open {address} in one, and sign in with the admin token")
        if is_remote:
            place = urlsplit(address).netloc
            port = place.rpartition(":")[2]
            tell(f"from your own machine it is reached with: ssh -N -L {port}:{place} USER@HOST")
        return None
    url = f"{address}/#code={make_code(token, now_ms)}"
    opening = threading.Thread(target=_open, args=(url, address, tell), daemon=True)
    opening.start()
    return opening


def _open(url: str, address: str, tell: Callable[[str], None]) -> None:
    import webbrowser

    if not webbrowser.open(url):
        tell(f"no browser could be opened: open {address}, and sign in with the admin token")
