"""A server that is nothing but a socket, for what a scripted one is too well-behaved for."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

Play = Callable[[socket.socket], None]


@contextmanager
def listen(play: Play) -> Iterator[str]:
    """Run `play` for every connection, each in a thread; yields the URL."""
    opened: list[socket.socket] = []

    def talk(plug: socket.socket) -> None:
        with suppress(OSError):
            play(plug)

    def accept(listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                plug, _ = listener.accept()
                opened.append(plug)
                threading.Thread(target=talk, args=(plug,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=accept, args=(listener,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            for plug in opened:
                plug.close()
            thread.join(5)


def read_head(plug: socket.socket) -> bytes:
    """Read a request's head, and what of its body came with it."""
    raw = b""
    while b"\r\n\r\n" not in raw and (piece := plug.recv(65536)):
        raw += piece
    return raw
