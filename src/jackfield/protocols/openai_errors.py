"""OpenAI's errors, `{"error": {"message", "type", "param", "code"}}`, and everything that servers of its wires send instead."""

from __future__ import annotations

from collections.abc import Mapping

from jackfield import errors
from jackfield.errors import BadReply, Error
from jackfield.message import JsonObject
from jackfield.protocols.base import Body, as_count, decode
from jackfield.protocols.fields import as_list, as_object, as_text
from jackfield.protocols.refusal import as_error, plain_words

# Order matters: the first class that fits. A provider's trouble is not the caller's: it becomes a 502.
RENDERED: tuple[tuple[type[Error], int, str, str | None], ...] = (
    (errors.NotAllowed, 403, "permission_error", "model_not_allowed"),
    (errors.ModelNotFound, 404, "invalid_request_error", "model_not_found"),
    (errors.ContextLength, 400, "invalid_request_error", "context_length_exceeded"),
    (errors.ContentFilter, 400, "invalid_request_error", "content_filter"),
    (errors.RequestError, 400, "invalid_request_error", None),
    (errors.UsageError, 400, "invalid_request_error", None),
    (errors.PermissionDenied, 403, "permission_error", "permission_denied"),
    (errors.AuthError, 401, "authentication_error", "invalid_api_key"),
    (errors.RateLimit, 429, "rate_limit_error", "rate_limit_exceeded"),
    (errors.Overloaded, 503, "server_error", "overloaded"),
    (errors.Quota, 402, "insufficient_quota", "insufficient_quota"),
    (errors.TimeoutExpired, 504, "server_error", "timeout"),
    (errors.StreamBroken, 502, "server_error", "stream_broken"),
    (errors.TransportError, 502, "server_error", "connection_error"),
    (errors.BadReply, 502, "server_error", "bad_reply"),
    (errors.ServerError, 502, "server_error", "server_error"),
    (Error, 500, "server_error", None),
)
MESSAGES = ("message", "detail", "msg", "error_description", "reason", "title", "errors")


def render_error(error: Error) -> tuple[int, JsonObject]:
    """Write an error in the wire's shape: HTTP status and body."""
    _, status, kind, code = next(row for row in RENDERED if isinstance(error, row[0]))
    said = {"message": error.message, "type": kind, "param": error.param, "code": code or error.code}
    return status, {"error": said}


def parse_error(status: int, body: Body, headers: Mapping[str, str] = {}) -> Error:
    """Read a refused request; never raises, whatever the body is. `status` is 200 inside a reply."""
    held = read_body(body)
    said = {"message": as_text(held.get("message")), **{n: _word(held.get(n)) for n in ("type", "code", "param")}}
    if status < 400:
        status = next((s for name in ("status", "status_code", "code") if (s := _status(name, held))), status)
    return as_error(status, said, headers)


def _status(field: str, said: JsonObject) -> int | None:
    count = as_count(said.get(field))
    return count if count is not None and 400 <= count < 600 else None


def _word(value: object) -> str | None:
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) and value != "" else None


def read_body(body: Body) -> JsonObject:
    """Return an object with `message` and perhaps `type`, `code`, `param`, from whatever came."""
    try:
        wire = decode(body)
    except BadReply:
        wire = as_object((_decode_list(body) or [None])[0])
        if not wire:
            return {"message": plain_words(body)}
    held = wire.get("error") or wire
    if isinstance(held, str):
        held = {"code": wire.get("code"), "type": wire.get("type"), "message": held}
    said = as_object(held[0] if isinstance(held, list) and held else held)
    words = next((text for name in MESSAGES if (text := _words(said.get(name)))), "")
    # OpenRouter puts the provider's own words behind a sentence of its own.
    raw = _words(as_object(said.get("metadata")).get("raw"))
    return {**said, "message": f"{words}: {raw}" if words and raw else words or raw}


def _decode_list(body: Body) -> list[object]:
    # Google's compatible endpoint wraps its error in a list.
    if isinstance(body, Mapping):
        return []
    text = body if isinstance(body, str) else body.decode("utf-8", "replace")
    try:
        return as_list(decode(f'{{"list": {text}}}').get("list"))
    except BadReply:
        return []


def _words(value: object) -> str:
    """Return the words of a message: text, or a list of complaints (FastAPI, Cloudflare)."""
    match value:
        case str():
            return value.strip()
        case list():
            return "; ".join(filter(None, map(_words, value)))
        case dict():
            where = ".".join(str(step) for step in as_list(value.get("loc")))
            words = next((text for name in MESSAGES if (text := _words(value.get(name)))), "")
            return f"{where}: {words}" if where and words else words
        case _:
            return ""
