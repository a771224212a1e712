"""Errors and credentials on this wire (docs.aws.amazon.com/bedrock, troubleshooting, read 2026-11-21).

The body is `{"message": …}`; which exception it is stands in the header `x-amzn-errortype`, in
a stream in the frame's own. Both may be missing, so that the service's words count as well.
"""

from __future__ import annotations

from collections.abc import Mapping

from jackfield.errors import BadReply, Error
from jackfield.message import JsonObject
from jackfield.protocols.base import Body, decode
from jackfield.protocols.fields import as_object, as_text
from jackfield.protocols.refusal import as_error, plain_words

# What the exceptions would have as their status if it said whose fault it is.
STATUSES = {
    "accessdenied": 403, "expiredtoken": 401, "incompletesignature": 401, "internalserver": 500, "invalidsignature": 401,
    "missingauthenticationtoken": 401, "modelerror": 500, "modelnotready": 503, "modelstreamerror": 500,
    "modeltimeout": 408, "resourcenotfound": 404, "servicequotaexceeded": 429, "serviceunavailable": 503,
    "throttling": 429, "unrecognizedclient": 401, "validation": 400,
}  # fmt: skip
# The same by the service's words; a refused signature comes as 403, which would mean: may not.
SAID = (
    ("security token included in the request", 401), ("request signature we calculated", 401),
    ("signature expired", 401), ("bearer token", 401), ("model identifier is invalid", 404), ("on-demand throughput", 404),
)  # fmt: skip
HINTS = {
    "on-demand throughput": "name the inference profile instead: the model's id with `us.`, `eu.` or `global.` before it",
    "security token included in the request": "renew the AWS credentials: aws sso login, or new AWS_* variables",
}


def parse_error(status: int, body: Body, headers: Mapping[str, str] = {}) -> Error:
    """Read a refused request; never raises, whatever the body is. `status` is 200 inside a stream."""
    wire = _read_body(body)
    kind = headers.get("x-amzn-errortype", "") or as_text(wire.get("__type"))
    message = next(
        (words for name in ("message", "Message", "originalMessage") if (words := as_text(wire.get(name)))), ""
    )
    return make_error(status, kind, message or as_text(as_object(wire.get("error")).get("message")), headers)


def make_error(status: int, kind: str, message: str, headers: Mapping[str, str] = {}) -> Error:
    """Make the error for an exception's name, `ThrottlingException:http://…`, and its words."""
    name = kind.partition(":")[0].rpartition("#")[2]
    shown = message or name or f"HTTP {status} without a reason"
    said = message.lower()
    known = next((meant for words, meant in SAID if words in said), None)
    meant = known or STATUSES.get(name.lower().removesuffix("exception"), status)
    hint = next((hint for words, hint in HINTS.items() if words in said), "")
    error = as_error(meant, {"message": shown, "code": name or None}, headers)
    error.status, error.hint = status, hint
    return error


def _read_body(body: Body) -> JsonObject:
    try:
        return decode(body)
    except BadReply:
        return {"message": plain_words(body)}
