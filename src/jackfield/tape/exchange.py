"""One recorded exchange and the file it stands in: JSON that a person can read and correct.

A body is text where it is text, base64 elsewhere; a request's JSON body stands as JSON. The
pieces of an answer keep their cuts and the milliseconds after the request at which they came.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from jackfield.config.disk import save_text
from jackfield.errors import ConfigError

FORMAT = 1
NAME_LENGTH = 60


class Request(Struct, frozen=True, omit_defaults=True):
    """What was asked, without its secrets; one of the last three holds the body."""

    method: str
    url: str
    headers: dict[str, str] = {}
    json: Any = None
    text: str | None = None
    base64: str | None = None


class Piece(Struct, frozen=True, omit_defaults=True):
    """Bytes of the answer that came at once, `ms` after the request."""

    ms: int
    text: str | None = None
    base64: str | None = None

    def data(self) -> bytes:
        """Return the bytes."""
        return b64decode(self.base64) if self.base64 is not None else (self.text or "").encode()


class Answer(Struct, frozen=True, omit_defaults=True):
    """What came back; `broken` says how an answer ended that did not end well."""

    status: int
    headers: dict[str, str] = {}
    pieces: list[Piece] = []
    broken: str = ""


class Exchange(Struct, frozen=True, kw_only=True):
    """A request and its answer, and when it was asked."""

    format: int = FORMAT
    asked_at: str
    request: Request
    answer: Answer


def as_request(method: str, url: str, headers: dict[str, str], body: bytes) -> Request:
    """Return a request as it is kept."""
    try:
        return Request(method, url, headers, json=msgspec.json.decode(body))
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return Request(method, url, headers, **_as_text(body)) if body else Request(method, url, headers)


def as_piece(ms: int, data: bytes) -> Piece:
    """Return a piece of an answer as it is kept."""
    return Piece(ms, **_as_text(data))


def prepare_folder(folder: Path) -> None:
    """Make the folder of a recording, before an answer is paid for that could not be kept."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"cannot record into {folder}: {(error.strerror or str(error)).lower()}") from error


def save_exchange(folder: Path, exchange: Exchange, suffix: str) -> Path:
    """Write an exchange into a file of its own, readable by its owner only; files sort in the order of asking."""
    parts = urlsplit(exchange.request.url)
    what = re.sub(r"[^A-Za-z0-9.]+", "-", f"{parts.hostname}{parts.path}").strip("-.")[:NAME_LENGTH]
    path = folder / f"{re.sub(r'[^0-9T]', '', exchange.asked_at)}-{what}-{suffix}.json"
    save_text(path, msgspec.json.format(msgspec.json.encode(exchange), indent=1).decode() + "\n")
    return path


def load_exchange(path: Path) -> Exchange:
    """Read a recorded exchange; raise `ConfigError` naming what is wrong with the file."""
    try:
        exchange = msgspec.json.decode(path.read_bytes(), type=Exchange)
        for piece in exchange.answer.pieces:
            piece.data()
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigError(f"cannot read the recording {path}: {error}", hint="record it anew, or remove it") from error
    if exchange.format != FORMAT:
        raise ConfigError(f"the recording {path} has format {exchange.format}, not {FORMAT}", hint="record it anew")
    return exchange


def timestamp(seconds: float) -> str:
    """Return a moment as it is kept."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def _as_text(data: bytes) -> dict[str, str]:
    try:
        return {"text": data.decode("utf-8")}
    except UnicodeDecodeError:
        return {"base64": b64encode(data).decode()}
