"""Compressed bodies, unpacked piece by piece: what is small on the wire may be huge.

The HTTP library would unpack all that has come at once, gigabytes for a hostile megabyte; here
whoever reads can stop after any piece.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

ACCEPTED = "gzip, deflate"
PIECE_BYTES = 256 * 1024
GZIP, ZLIB, RAW = zlib.MAX_WBITS | 16, zlib.MAX_WBITS, -zlib.MAX_WBITS
WINDOWS = {"gzip": GZIP, "x-gzip": GZIP, "deflate": ZLIB}


class Unpacker:
    """Unpacks one body of a content encoding; none at all for `identity`. Raises `zlib.error`."""

    def __init__(self, encoding: str) -> None:
        self._name = encoding.strip().lower()
        self._window = WINDOWS.get(self._name, 0)
        self._unzip = zlib.decompressobj(self._window) if self._window else None
        if not self._window and self._name not in ("", "identity"):
            raise zlib.error(f"nobody asked for {self._name}")

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield what the next bytes hold, in pieces of bounded size."""
        if self._unzip is None:
            yield data
            return
        unzip = self._unzip
        while data:
            if unzip.eof:  # a body may hold several, one after the other
                unzip = zlib.decompressobj(self._window)
            try:
                piece = unzip.decompress(data, PIECE_BYTES)
            except zlib.error:
                if self._window != ZLIB:
                    raise
                # Many servers say `deflate` and send it without zlib's header.
                self._window = RAW
                unzip = zlib.decompressobj(RAW)
                continue
            self._unzip = unzip
            if piece:
                yield piece
            data = unzip.unconsumed_tail or unzip.unused_data
