"""Errors and credentials on this wire (platform.claude.com/docs/en/api/errors, read 2026-11-21).

The body is `{"type": "error", "error": {"type", "message"}, "request_id"}`. Servers that
speak this wire answer with OpenAI's, AWS's or no JSON at all, which is read as well.
"""

from __future__ import annotations

from collections.abc import Mapping

from jackfield import errors
from jackfield.errors import BadReply, Error
from jackfield.message import JsonObject
from jackfield.protocols.base import Body, decode, preview
from jackfield.protocols.refusal import as_error, plain_words

VERSION = "2023-06-01"
# Tokens of `claude setup-token` and of a login go as Bearer and need this beta.
OAUTH_PREFIX = "sk-ant-oat"
OAUTH_BETA = "oauth-2025-04-20"

# What an error inside an HTTP 200 stream would have had as its status.
STATUSES = {
    "invalid_request_error": 400, "authentication_error": 401, "billing_error": 402, "permission_error": 403,
    "not_found_error": 404, "request_too_large": 413, "rate_limit_error": 429, "api_error": 500,
    "timeout_error": 504, "overloaded_error": 529,
}  # fmt: skip
# Order matters: the first class that fits. What happened on our way to the provider is a 502.
RENDERED: tuple[tuple[type[Error], int, str], ...] = (
    (errors.PermissionDenied, 403, "permission_error"),
    (errors.AuthError, 401, "authentication_error"),
    (errors.ModelNotFound, 404, "not_found_error"),
    (errors.NotAllowed, 403, "permission_error"),
    (errors.RequestError, 400, "invalid_request_error"),
    (errors.UsageError, 400, "invalid_request_error"),
    (errors.RateLimit, 429, "rate_limit_error"),
    (errors.Overloaded, 529, "overloaded_error"),
    (errors.Quota, 402, "billing_error"),
    (errors.TimeoutExpired, 504, "timeout_error"),
    (errors.BadReply, 502, "api_error"),
    (errors.TransportError, 502, "api_error"),
    (Error, 500, "api_error"),
)


def auth_headers(secret: str) -> dict[str, str]:
    """Return the headers that carry a credential: a key, or a token that starts with `sk-ant-oat`."""
    if secret.startswith(OAUTH_PREFIX):
        return {"authorization": f"Bearer {secret}", "anthropic-version": VERSION, "anthropic-beta": OAUTH_BETA}
    return {"x-api-key": secret, "anthropic-version": VERSION}


def render_error(error: Error) -> tuple[int, JsonObject]:
    """Write an error in the wire's shape: HTTP status and body."""
    status, kind = next((status, kind) for known, status, kind in RENDERED if isinstance(error, known))
    said: JsonObject = {"type": kind, "message": error.message}
    if isinstance(error, errors.ContextLength) and "prompt is too long" not in error.message:
        said["message"] = f"prompt is too long: {error.message}"  # the words that clients compact upon
    if isinstance(error, errors.ContentFilter):
        said["code"] = "content_filter"
    return status, {"type": "error", "error": said}


def parse_error(status: int, body: Body, headers: Mapping[str, str] = {}) -> Error:
    """Read a refused request; never raises, whatever the body is. `status` is 200 inside a stream."""
    held = _read_body(body)
    said = {name: _text(held.get(name)) for name in ("message", "type", "code", "param")}
    error = as_error(STATUSES.get(said["type"] or "", status) if status == 200 else status, said, headers)
    error.status = status
    return error


def _read_body(body: Body) -> JsonObject:
    """Return an object with `message` and perhaps `type`, `code`, `param`, from whatever came."""
    try:
        wire = decode(body)
    except BadReply:
        return {"message": plain_words(body)}
    said = wire.get("error", wire)
    if isinstance(said, dict):
        return {**said, "message": next((said[k] for k in ("message", "Message", "detail") if said.get(k)), None)}
    return {**wire, "message": said}


def _text(value: object) -> str | None:
    if value is None or value == "":
        return None
    return value if isinstance(value, str) else preview(str(value), 500).strip("'\"")
