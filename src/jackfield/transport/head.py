"""The head of a request as bytes, and the place a URL names. Sends nothing.

What could be read as another request is refused here: a line break in a header splits it,
a blank in the target as well.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from msgspec import Struct

from jackfield import __version__
from jackfield.credential import Secret, reveal
from jackfield.model import Network
from jackfield.transport.network import DEFAULT_PORTS
from jackfield.transport.request import HttpRequest
from jackfield.transport.unpack import ACCEPTED

# The URLs that mean the same to everybody. Users, zones and letters beyond ASCII are the library's to read.
PLAIN_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>[\w.-]+|\[[0-9a-f:.]+\])(?::(?P<port>[1-9]\d{0,4}))?"
    r"(?P<target>[/?][!\"$-~]*)?(?:#[!-~]*)?",
    re.ASCII | re.IGNORECASE,
)
TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
# Control characters but the tab.
FORBIDDEN = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
DEFAULTS = {"accept": "*/*", "accept-encoding": ACCEPTED, "user-agent": f"jackfield/{__version__}"}
# What changes how a connection is used, which the library knows to do.
ELSEWHERE = frozenset({"connection", "expect", "te", "trailer", "transfer-encoding", "upgrade"})
WITHOUT_BODY = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


class Place(Struct, frozen=True):
    """Where a connection ends, and whom it must trust; two requests may share one when these are equal."""

    host: str
    port: int
    tls: bool
    network: Network


class Target(Struct, frozen=True):
    """What a URL says to a connection: its place, and the two lines that depend on it alone."""

    place: Place
    path: str
    host: str  # the header's value


class Repeated(dict[str, str | Secret]):
    """Headers of many requests that differ in nothing but their body: written once, and never changed."""

    __slots__ = ("lines",)

    def __init__(self, headers: Mapping[str, str | Secret]) -> None:
        super().__init__(headers)
        self.lines: str | None = None


def aim(url: str, network: Network) -> Target | None:
    """Return the target of a URL, `None` for one that is better read by the library."""
    found = PLAIN_URL.fullmatch(url)
    if not found:
        return None
    scheme, host = found["scheme"].lower(), found["host"].lower()
    port = int(found["port"] or DEFAULT_PORTS[scheme])
    name = host.rstrip(".")
    if port > 65535 or not name:
        return None
    path = found["target"] or "/"
    tls = scheme == "https"
    return Target(
        Place(host.strip("[]"), port, tls, network if tls else Network()),
        path if path.startswith("/") else f"/{path}",
        name if port == DEFAULT_PORTS[scheme] else f"{name}:{port}",
    )


def is_plain(headers: Mapping[str, str | Secret]) -> bool:
    """Tell whether headers ask nothing of the connection itself."""
    if isinstance(headers, Repeated) and headers.lines:
        return True  # only `http1` writes lines
    return ELSEWHERE.isdisjoint(map(str.lower, headers))


def render_head(request: HttpRequest, target: Target) -> bytes | None:
    """Return request line and headers, the empty line included; `None` where they could be read as another request."""
    if isinstance(request.headers, Repeated) and request.body:
        lines = request.headers.lines = request.headers.lines or _render_lines(request, target)
    else:
        lines = _render_lines(request, target)
    if lines is None:
        return None
    # The length is ours to say: one that is not the body's hides a second request in it.
    length = f"content-length: {len(request.body)}\r\n" if request.body or request.method not in WITHOUT_BODY else ""
    try:
        return f"{lines}{length}\r\n".encode()
    except UnicodeEncodeError:
        return None


def _render_lines(request: HttpRequest, target: Target) -> str | None:
    """Return all but the length of the body."""
    said = {_as_name(name): reveal(value) for name, value in request.headers.items()}
    values = "".join(said.values())
    # The regular expression takes as long as all the rest, and is seldom needed.
    is_split = not values.isprintable() and FORBIDDEN.search(values)
    if is_split or "" in said or not _as_name(request.method):
        return None
    lines = {"host": target.host, **DEFAULTS, **said}
    lines.pop("content-length", None)
    if request.body or request.method not in WITHOUT_BODY:
        lines.setdefault("content-type", "application/octet-stream")
    head = "\r\n".join([f"{name}: {value}" for name, value in lines.items()])
    return f"{request.method} {target.path} HTTP/1.1\r\n{head}\r\n"


@lru_cache(512)
def _as_name(name: str) -> str:
    """Return a header's name as it is sent, empty for what no header can be called."""
    return name.lower() if TOKEN.fullmatch(name) else ""
