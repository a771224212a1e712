"""Cohere's recordings: which spellings of a request mean the same, and its counts by hand."""

from __future__ import annotations

from typing import Any

from jackfield.message import Usage

EMPTY: tuple[Any, ...] = (None, [], "")


def normal_cohere(body: dict[str, Any]) -> dict[str, Any]:
    """Spell a request as we do, where two spellings mean the same:

    nulls, `stream: false` and empty lists left out; words as parts.
    """
    messages = [_normal_message(message) for message in body["messages"]]
    kept = {name: value for name, value in body.items() if value not in EMPTY and (name, value) != ("stream", False)}
    return {**kept, "messages": messages}


def _normal_message(message: dict[str, Any]) -> dict[str, Any]:
    content = message.get("content")
    parts = [{"type": "text", "text": content}] if isinstance(content, str) and content else content
    return {name: value for name, value in {**message, "content": parts}.items() if value not in EMPTY}


def cohere_buckets(raw: dict[str, Any]) -> Usage:
    """Count a raw `usage` by hand: what is billed; thoughts are part of it."""
    billed, tokens = raw.get("billed_units") or {}, raw.get("tokens") or {}
    return Usage(billed.get("input_tokens"), billed.get("output_tokens"), None, None, tokens.get("reasoning_tokens"))
