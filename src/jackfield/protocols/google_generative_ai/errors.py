"""Errors and credentials on this wire: `{"error": {"code", "message", "status", "details"}}`, at times in a list.

A 429 says the same words (`exceeded your current quota`) for a full minute and for a spent day;
its details tell which (google.rpc.QuotaFailure, RetryInfo; ai.google.dev/gemini-api/docs/rate-limits,
read 2026-11-21). A wrong key is a 400.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from jackfield import errors
from jackfield.errors import BadReply, Error
from jackfield.message import JsonObject
from jackfield.protocols.base import Body, as_count, decode, decode_object
from jackfield.protocols.fields import as_list, as_object, as_text, said
from jackfield.protocols.refusal import as_error, plain_words

TYPE_URL = "type.googleapis.com/google.rpc."
# Words of this API alone, in its message, status or reasons; the first row that fits.
WORDS: tuple[tuple[frozenset[int], re.Pattern[str], type[Error]], ...] = (
    (frozenset({400}), re.compile(r"input token count|exceeds the maximum number of tokens", re.IGNORECASE), errors.ContextLength),
    (frozenset({400, 401, 403}), re.compile(r"API_KEY_INVALID|API key (not valid|expired)|API_KEY_EXPIRED", re.IGNORECASE), errors.AuthError),
    (frozenset({400}), re.compile(r"location is not supported", re.IGNORECASE), errors.PermissionDenied),
    (frozenset({429}), re.compile(r"PerDay|INSUFFICIENT_QUOTA|limit: 0\b", re.IGNORECASE), errors.Quota),
    (frozenset({429}), re.compile(r"PerMinute|RetryInfo|retry in \d|has been exhausted|RATE_LIMIT", re.IGNORECASE), errors.RateLimit),
)  # fmt: skip
# Order matters: the first class that fits. What happened on our way to the provider is a 502.
RENDERED: tuple[tuple[type[Error], int, str, str], ...] = (
    (errors.NotAllowed, 403, "PERMISSION_DENIED", "MODEL_NOT_ALLOWED"),
    (errors.ModelNotFound, 404, "NOT_FOUND", ""),
    (errors.ContentFilter, 400, "INVALID_ARGUMENT", "CONTENT_FILTER"),
    (errors.RequestError, 400, "INVALID_ARGUMENT", ""),
    (errors.UsageError, 400, "INVALID_ARGUMENT", ""),
    (errors.PermissionDenied, 403, "PERMISSION_DENIED", ""),
    (errors.AuthError, 401, "UNAUTHENTICATED", ""),
    (errors.RateLimit, 429, "RESOURCE_EXHAUSTED", "RATE_LIMIT_EXCEEDED"),
    (errors.Quota, 429, "RESOURCE_EXHAUSTED", "INSUFFICIENT_QUOTA"),
    (errors.Overloaded, 503, "UNAVAILABLE", ""),
    (errors.TimeoutExpired, 504, "DEADLINE_EXCEEDED", ""),
    (errors.TransportError, 502, "UNAVAILABLE", ""),
    (errors.BadReply, 502, "INTERNAL", ""),
    (Error, 500, "INTERNAL", ""),
)
OVERFLOW = "The input token count exceeds the maximum number of tokens allowed"  # the words clients compact upon
# `retryDelay` of the details, or the same in the message's own words; Cloud Code says `reset after 3h22m17s`.
DELAY = re.compile(r"^(?:(\d{1,6})h)?(?:(\d{1,6})m)?(\d{1,9}(?:\.\d{1,9})?)s")
IN_WORDS = re.compile(r"(?:retry in|reset after) (?=\d)", re.IGNORECASE)


def auth_headers(secret: str) -> dict[str, str]:
    """Return the header that carries a key."""
    return {"x-goog-api-key": secret}


def render_error(error: Error) -> tuple[int, JsonObject]:
    """Write an error in the wire's shape: HTTP status and body."""
    _, status, word, reason = next(row for row in RENDERED if isinstance(error, row[0]))
    message = error.message
    if isinstance(error, errors.ContextLength) and "input token count" not in message:
        message = f"{OVERFLOW}: {message}"
    details = [{"@type": f"{TYPE_URL}ErrorInfo", "reason": reason, "domain": "googleapis.com"}] if reason else []
    if error.retry_after_s is not None:
        details.append({"@type": f"{TYPE_URL}RetryInfo", "retryDelay": f"{error.retry_after_s:g}s"})
    body = {"code": status, "message": message, "status": word, "details": details or None}
    return status, {"error": said(body)}


def parse_error(status: int, body: Body, headers: Mapping[str, str] = {}) -> Error:
    """Read a refused request; never raises, whatever the body is. `status` is 200 inside a reply."""
    held = read_body(body)
    details = [as_object(entry) for entry in as_list(held.get("details"))]
    code = as_count(held.get("code"))
    known = code if status < 400 and code is not None and 400 <= code < 600 else status
    told = {
        "message": as_text(held.get("message")),
        "type": as_text(held.get("status")) or None,
        "code": _reason(details),
    }
    error = as_error(known, told, headers)
    wholly = " ".join(filter(None, [error.message, error.code, *_marks(details)]))
    kind = next((kind for statuses, words, kind in WORDS if known in statuses and words.search(wholly)), type(error))
    if kind is not type(error):
        error = _as(kind, error)
    error.status = status
    if error.retry_after_s is None:
        error.retry_after_s = _delay_s(details, error.message)
    error.param = _field(details)
    return error


def _as(kind: type[Error], error: Error) -> Error:
    other = kind(error.message, status=error.status, retry_after_s=error.retry_after_s)
    other.code = error.code
    return other


def read_body(body: Body) -> JsonObject:
    """Return an object with `message` and perhaps `status`, `code`, `details`, from whatever came."""
    try:
        wire = decode(body)
    except BadReply:
        wire = _first(body)
        if not wire:
            return {"message": plain_words(body)}
    held = wire.get("error", wire)
    if isinstance(held, str):  # of Google's sign-in: a word, with the sentence beside it
        return {"message": as_text(wire.get("error_description")) or held, "status": held}
    return as_object(held)


def _first(body: Body) -> JsonObject:
    if isinstance(body, Mapping):
        return {}
    text = body if isinstance(body, str) else body.decode("utf-8", "replace")
    return as_object((as_list((decode_object(f'{{"list": {text}}}') or {}).get("list")) or [None])[0])


def _reason(details: list[JsonObject]) -> str | None:
    return next((reason for entry in details if (reason := as_text(entry.get("reason")))), None)


def _marks(details: list[JsonObject]) -> Iterator[str]:
    for entry in details:
        yield as_text(entry.get("reason"))
        yield as_text(entry.get("@type")).removeprefix(TYPE_URL)
        yield from (as_text(as_object(each).get("quotaId")) for each in as_list(entry.get("violations")))


def _field(details: list[JsonObject]) -> str | None:
    fields = [as_object(each) for entry in details for each in as_list(entry.get("fieldViolations"))]
    return next((field for each in fields if (field := as_text(each.get("field")))), None)


def _delay_s(details: list[JsonObject], message: str) -> float | None:
    said_there = [as_text(entry.get("retryDelay")) for entry in details]
    said_there += IN_WORDS.split(message, maxsplit=1)[1:]
    delays = [[float(part or 0) for part in found.groups()] for text in said_there if (found := DELAY.match(text))]
    return next((hours * 3600 + minutes * 60 + seconds for hours, minutes, seconds in delays), None)
