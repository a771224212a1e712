"""Refused requests on this wire: `{"message": …}` and the status; newer ones name their kind (`error_type`)."""

from __future__ import annotations

from collections.abc import Mapping

from jackfield.errors import BadReply, Error, classify
from jackfield.protocols.base import Body, decode
from jackfield.protocols.fields import as_object, as_text
from jackfield.protocols.refusal import parse_retry_after_s, plain_words


def parse_error(status: int, body: Body, headers: Mapping[str, str] = {}) -> Error:
    """Read a refused request; never raises, whatever the body is. `status` is 200 inside a reply."""
    try:
        wire = decode(body)
    except BadReply:
        wire = {"message": plain_words(body)}
    nested = as_object(wire.get("error"))
    words = as_text(wire.get("message")) or as_text(nested.get("message")) or as_text(wire.get("error"))
    kind = as_text(wire.get("error_type")) or as_text(nested.get("type")) or None
    shown = words or kind or f"HTTP {status} without a reason"
    error = classify(status, shown, kind=kind)(shown, status=status, retry_after_s=parse_retry_after_s(headers))
    error.code = kind
    return error
