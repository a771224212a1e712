"""Errors as the caller hears them: in their protocol's own shape, with the HTTP status that is theirs.

A provider's complaint about *our* credential is not the caller's fault: it is said as trouble
behind the gateway (502), so that no client asks its user for another key.
"""

from __future__ import annotations

import math

import msgspec
from msgspec import Struct

from jackfield import errors
from jackfield.errors import Error
from jackfield.gateway.wires import load_wire
from jackfield.message import JsonObject
from jackfield.protocols.fields import as_object

ANTHROPIC, GOOGLE = "anthropic-messages", "google-generative-ai"


class TooLarge(errors.InvalidRequest):
    """The body is over the limit."""


class NoRoute(errors.RequestError):
    """There is nothing at this address."""


class WrongMethod(errors.RequestError):
    """There is something at this address, for another method."""

    def __init__(self, message: str, allowed: str) -> None:
        super().__init__(message)
        self.allowed = allowed


class Forbidden(errors.RequestError):
    """The request comes from where none may come from."""

    type = "permission"


class Behind(errors.ProviderError):
    """A provider refused the gateway's own credential, or its account."""

    retryable = False

    def __init__(self, error: Error, word: str) -> None:
        super().__init__(error.message, hint=error.hint, status=error.status, retry_after_s=error.retry_after_s)
        self.word = word


class Shape(Struct, frozen=True):
    """What a protocol's own table has no row for: status, and the word for it on each wire."""

    status: int
    openai: str  # the type
    code: str
    anthropic: str
    google: str


SHAPES: tuple[tuple[type[Error], Shape], ...] = (
    (TooLarge, Shape(413, "invalid_request_error", "request_too_large", "request_too_large", "INVALID_ARGUMENT")),
    (NoRoute, Shape(404, "invalid_request_error", "unknown_url", "not_found_error", "NOT_FOUND")),
    (WrongMethod, Shape(405, "invalid_request_error", "method_not_allowed", "invalid_request_error", "UNIMPLEMENTED")),
    (Forbidden, Shape(403, "permission_error", "forbidden", "permission_error", "PERMISSION_DENIED")),
    (errors.OverBudget, Shape(429, "insufficient_quota", "insufficient_quota", "billing_error", "RESOURCE_EXHAUSTED")),
    (errors.Paced, Shape(429, "rate_limit_error", "rate_limit_exceeded", "rate_limit_error", "RESOURCE_EXHAUSTED")),
    (Behind, Shape(502, "api_error", "", "api_error", "FAILED_PRECONDITION")),
)
BILLING_STATUS = "provider_billing"


class Refusal(Struct, frozen=True):
    """An answer that is an error."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


def as_callers(error: Error, *, is_trusted: bool = True) -> Error:
    """Return a call's error as its caller should hear it; who is not trusted hears nothing of what was tried."""
    if not is_trusted and error.attempts:
        error = type(error)(f"no model could answer ({error.type})", retry_after_s=error.retry_after_s)
    if isinstance(error, errors.AuthError):
        return Behind(error, "provider_auth")
    return Behind(error, BILLING_STATUS) if isinstance(error, errors.Quota) else error


def render(error: Error, wire: str) -> Refusal:
    """Write an error in the shape of a wire."""
    status, body = load_wire(wire).render_error(error)
    shape = next((shape for kind, shape in SHAPES if isinstance(error, kind)), None)
    if shape is not None:
        status, body = shape.status, _reshaped(body, error, shape, wire)
    said = as_object(body.get("error"))
    if error.hint and "message" in said:
        body = {**body, "error": {**said, "message": f"{said['message']}\n{error.hint}"}}
    return Refusal(status, tuple(_headers(error)), msgspec.json.encode(body))


def _reshaped(body: JsonObject, error: Error, shape: Shape, wire: str) -> JsonObject:
    said = as_object(body.get("error"))
    if wire == ANTHROPIC:
        return {**body, "error": {**said, "type": shape.anthropic}}
    if wire == GOOGLE:
        return {**body, "error": {**said, "code": shape.status, "status": shape.google}}
    code = error.word if isinstance(error, Behind) else shape.code
    return {**body, "error": {**said, "type": shape.openai, "code": code}}


def _headers(error: Error) -> list[tuple[str, str]]:
    headers = [] if error.retryable else [("x-should-retry", "false")]  # the vendors' clients heed it
    if error.retry_after_s is not None and math.isfinite(error.retry_after_s):
        headers.append(("retry-after", str(max(1, math.ceil(error.retry_after_s)))))
    if isinstance(error, WrongMethod):
        headers.append(("allow", error.allowed))
    return headers
