"""What came of asking a provider for its list of models, as JSON."""

from __future__ import annotations

from jackfield.errors import Error
from jackfield.message import JsonObject
from jackfield.providers.refresh import Refreshed


def render_refreshed(result: Refreshed) -> JsonObject:
    """Return how many models a provider has now, which are new and gone, and what went wrong."""
    head, error = result.head, result.error
    return {
        "provider": result.provider,
        "ok": error is None,
        "count": len(result.models),
        "new": list(result.new),
        "gone": list(result.gone),
        "fetchedAt": head.fetched_at or None,
        **({"error": render_cause(error)} if error else {}),
    }


def render_cause(error: Error) -> JsonObject:
    """Return an error's type, words and hint."""
    said: JsonObject = {"type": error.type, "message": error.message}
    if error.hint:
        said["hint"] = error.hint
    return said if error.status is None else {**said, "status": error.status}
