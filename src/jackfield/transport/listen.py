"""A listening socket for a server, so that a port that is taken is told before anything else is done."""

from __future__ import annotations

import errno
import os
import socket

from jackfield.errors import ConfigError

BACKLOG = 2048
Listener = socket.socket


def open_listener(host: str, port: int) -> socket.socket:
    """Return a socket that listens, on any free port where it is 0; raise `ConfigError` saying why not."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise ConfigError(f"cannot listen on {host}: {_reason(error)}", hint="name another address: --host") from error
    try:
        if os.name == "posix":  # elsewhere it would let two servers share a port unasked
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
        listener.setblocking(False)
        listener.set_inheritable(True)
    except OSError as error:
        listener.close()
        what, hint = _explain(error, host, port)
        raise ConfigError(what, hint=hint) from error
    return listener


def address_of(listener: socket.socket) -> str:
    """Return where a socket listens, as a URL of a client on this machine."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104  read, not bound
    return f"http://{host}:{port}"


def _explain(error: OSError, host: str, port: int) -> tuple[str, str]:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} of {host} is in use", "a gateway may be running already; or choose another: --port"
    if error.errno == errno.EADDRNOTAVAIL:
        return f"this machine has no address {host}", "name one that it has: --host 127.0.0.1"
    return f"cannot listen on {host}:{port}: {_reason(error)}", "choose another: --port"


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
