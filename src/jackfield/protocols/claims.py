"""What a web token (RFC 7519) says of itself. Read without checking who signed it: only to say whose account it is."""

from __future__ import annotations

import base64

import msgspec

from jackfield.message import JsonObject

LONGEST_TOKEN = 65_536


def parse_claims(token: str) -> JsonObject:
    """Return what a JWT claims, unchecked; empty for a token that is none."""
    parts = token.split(".")
    if len(parts) != 3 or len(token) > LONGEST_TOKEN:
        return {}
    try:
        value = msgspec.json.decode(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
