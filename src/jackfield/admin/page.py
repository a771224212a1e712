"""The page's files, as a browser gets them: packed, marked, and held to themselves.

Nothing is built: what lies in `static` is what is sent. The policy lets a page load its own
scripts and ask its own address, and nothing else, whatever a model's answer holds.
"""

from __future__ import annotations

import gzip
import hashlib
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from msgspec import Struct

KINDS = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
HEAD = [
    ("content-security-policy", POLICY),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    # Asked for each time, and sent only when it is another: an update never mixes with what was there.
    ("cache-control", "no-cache"),
]


class Asset(Struct, frozen=True):
    """A file as it is sent."""

    kind: str
    mark: str  # what tells it from another
    plain: bytes
    packed: bytes


def find_asset(path: str) -> Asset | None:
    """Return what stands at a path of the page, `None` where nothing does."""
    name = path.removeprefix("/") or "index.html"
    return _load(name) if name in _list_files() else None


@cache
def _load(name: str) -> Asset:
    # Each when it is first asked for: all at once would hold up whoever the gateway answers meanwhile.
    data = _list_files()[name].read_bytes()
    mark = f'"{hashlib.sha256(data).hexdigest()[:16]}"'
    return Asset(KINDS[name[name.rfind(".") :]], mark, data, gzip.compress(data, 9, mtime=0))


@cache
def _list_files() -> dict[str, Traversable]:
    found = {}
    pending = [("", files("jackfield.admin") / "static")]
    while pending:
        prefix, folder = pending.pop()
        for entry in folder.iterdir():
            name = prefix + entry.name
            if entry.is_dir():
                pending.append((f"{name}/", entry))
            elif name[name.rfind(".") :] in KINDS:
                found[name] = entry
    return found


def answer(asset: Asset, *, known: str, packs: bool) -> tuple[int, list[tuple[str, str]], bytes]:
    """Return status, headers and body for who knows a mark already, and may or may not unpack."""
    head = [*HEAD, ("etag", asset.mark), ("content-type", asset.kind), ("vary", "accept-encoding")]
    if asset.mark in known:
        return 304, head, b""
    if packs:
        return 200, [*head, ("content-encoding", "gzip")], asset.packed
    return 200, head, asset.plain
