"""Refused requests on this wire: `{"error": "words"}` and the status; the same in the middle of a stream."""

from __future__ import annotations

import re
from collections.abc import Mapping

from jackfield.errors import BadReply, Error, ModelNotFound, classify
from jackfield.protocols.base import Body, decode
from jackfield.protocols.fields import as_object, as_text
from jackfield.protocols.refusal import parse_retry_after_s, plain_words

# `model 'llama3' not found`, older: `model "llama3" not found, try pulling it first`.
MISSING = re.compile(r"model ['\"]?([^'\"]+)['\"]? not found")


def parse_error(status: int, body: Body, headers: Mapping[str, str] = {}) -> Error:
    """Read a refused request; never raises, whatever the body is. `status` is 200 inside a reply."""
    try:
        wire = decode(body)
    except BadReply:
        wire = {"error": plain_words(body)}
    # Proxies before it answer in OpenAI's shape.
    words = as_text(wire.get("error")) or as_text(as_object(wire.get("error")).get("message"))
    shown = words or as_text(wire.get("message")) or f"HTTP {status} without a reason"
    missing = MISSING.search(shown)
    kind = ModelNotFound if missing else classify(status, shown)
    error = kind(shown, status=status, retry_after_s=parse_retry_after_s(headers))
    if missing:
        error.hint = f"pull it first: ollama pull {missing[1]}"
    return error
