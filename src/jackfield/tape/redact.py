"""Taking secrets out of an exchange before it reaches a disk. Pure.

A secret is every header value that is one, whatever a URL's query hides, and their echoes in
any body, also cut in two by the wire, escaped, encoded or half-masked by a server. In a body
each byte of it becomes `*`, so that lengths, and with them the cuts of a stream, stay.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from jackfield.credential import Secret, reveal
from jackfield.transport.request import SHOWN_QUERY, HttpRequest, shown_url

MASK = "****"
SHORTEST = 6  # a shorter word is no key, and blotting it out would spoil innocent ones
SHOWN_START = 6  # what servers leave of a key that they mask themselves: `sk-abc****wxyz`
# Headers that name a person, a company or a session, in either direction.
PRIVATE = re.compile(
    r"cookie|authorization|api-?key|secret|credential|signature|password|passphrase"
    r"|(?:^|-)(?:organi[sz]ation|org|project|account|user|tenant|customer)(?:-|$)"
    r"|(?:access|auth|session|security|csrf|id)-?token|session",
    re.IGNORECASE,
)
HARMLESS = frozenset({"user-agent"})


class Redactor:
    """Knows the secrets of one request; everything of its exchange goes through it."""

    def __init__(self, request: HttpRequest) -> None:
        self._words = sorted(_spellings(_secrets(request)), key=len, reverse=True)
        starts = {re.escape(word[:SHOWN_START]) for word in self._words if len(word) > 2 * SHOWN_START}
        masked = [start + rb"[\w-]*(?:\*|\.{2,}|\xe2\x80\xa6)[\w*.-]*" for start in sorted(starts)]
        every = [*map(re.escape, self._words), *masked]
        self._pattern = re.compile(b"|".join(every)) if every else None

    def body(self, body: bytes) -> bytes:
        """Return a body of the same length without the secrets."""
        return self._pattern.sub(lambda match: b"*" * len(match[0]), body) if self._pattern else body

    def pieces(self, pieces: Sequence[bytes]) -> list[bytes]:
        """Return the pieces of a body, cut where they were, without the secrets."""
        whole = self.body(b"".join(pieces))
        ends = list(accumulate(map(len, pieces)))
        return [whole[start:end] for start, end in zip([0, *ends], ends, strict=False)]

    def text(self, text: str) -> str:
        """Return a text without the secrets."""
        return self.body(text.encode("utf-8", "replace")).decode("utf-8", "replace")

    def headers(self, headers: Mapping[str, str | Secret]) -> dict[str, str]:
        """Return headers fit to be kept: private ones keep their name alone."""
        return {
            name: MASK if isinstance(value, Secret) or _is_private(name) else self.text(value)
            for name, value in headers.items()
        }

    def url(self, url: str) -> str:
        """Return a URL without user name and hidden query values."""
        return self.text(shown_url(url))


def _is_private(name: str) -> bool:
    return name.lower() not in HARMLESS and bool(PRIVATE.search(name))


def _secrets(request: HttpRequest) -> Iterable[str]:
    for name, value in request.headers.items():
        if isinstance(value, Secret) or _is_private(name):
            said = reveal(value)
            # `Bearer sk-…` is echoed without its first word.
            yield from {said, said.rpartition(" ")[2]}
    parts = urlsplit(request.url)
    yield from (value for name, value in parse_qsl(parts.query) if name.lower() not in SHOWN_QUERY)
    yield from filter(None, (parts.password, unquote(parts.password or "")))


def _spellings(secrets: Iterable[str]) -> set[bytes]:
    """Return every way in which a body may spell the secrets."""
    found = set()
    for secret in secrets:
        plain = secret.encode("utf-8", "replace")
        quoted = json.dumps(secret)[1:-1].encode()
        # Some servers escape the slash in JSON, too.
        spelled = {plain, quoted, quoted.replace(b"/", b"\\/"), quote(secret, safe="").encode(), b64encode(plain)}
        found |= {word for word in spelled if len(secret) >= SHORTEST and len(word) >= SHORTEST}
    return found
