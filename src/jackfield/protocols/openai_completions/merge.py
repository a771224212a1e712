"""Adding up the fields of a streamed message that this codec passes on without reading."""

from __future__ import annotations

from typing import Any

from jackfield.message import JsonObject

# Only these grow; any other text (an id, a type) is said again whole.
GROWING = frozenset(("content", "reasoning_content", "reasoning", "reasoning_text", "refusal", "text", "summary",
                     "arguments", "input", "data", "transcript"))  # fmt: skip

OPEN_ITEMS = 64  # of a list that may still grow; a search through all would take a hostile stream's square


def merge(held: JsonObject, more: JsonObject) -> None:
    """Add a delta to what is held so far; a null adds nothing."""
    for name, value in more.items():
        old = held.get(name)
        if value is None:
            continue
        if isinstance(old, str) and isinstance(value, str) and name in GROWING:
            held[name] = old + value
        elif isinstance(old, dict) and isinstance(value, dict):
            merge(old, value)
        elif isinstance(value, list):
            merge_list(held.setdefault(name, []) if isinstance(old, list | None) else [], value)
        else:
            held[name] = _copy(value)


def merge_list(held: list[Any], more: list[Any]) -> None:
    """Add items; one with the index and type of an earlier one goes on where that stopped."""
    for item in more:
        if not isinstance(item, dict):
            held.append(item)
        elif (earlier := _find(held, item)) is not None:
            merge(earlier, item)
        else:
            held.append(_copy(item))


def _find(held: list[Any], item: JsonObject) -> JsonObject | None:
    # Encrypted data is never cut; a second piece under the same index is another one.
    if "index" not in item or "data" in item:
        return None
    same = (
        other
        for other in reversed(held[-OPEN_ITEMS:])
        if isinstance(other, dict) and other.get("index") == item["index"]
    )
    return next(
        (other for other in same if other.get("type", item.get("type")) == item.get("type", other.get("type"))), None
    )


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _copy(inner) for name, inner in value.items()}
    return [_copy(inner) for inner in value] if isinstance(value, list) else value
