"""Ollama's recordings: which spellings of a request mean the same, and its counts by hand."""

from __future__ import annotations

from typing import Any

from jackfield.message import Usage


def normal_ollama(body: dict[str, Any]) -> dict[str, Any]:
    """Spell a request as we do, where two spellings mean the same:

    the default `stream: true` said; nulls, empty lists, options and formats left out, `truncate: false` too,
    which we always send; empty words; a call's id and the name of a result's tool, which we always say.
    """
    body = {"stream": True, **body, "messages": [_normal_message(message) for message in body["messages"]]}
    empty: tuple[Any, ...] = (None, [], {}, "")
    return {name: value for name, value in body.items() if value not in empty and (name, value) != ("truncate", False)}


def _normal_message(message: dict[str, Any]) -> dict[str, Any]:
    ours = ("tool_call_id", "tool_name") if message["role"] == "tool" else ()
    kept = {name: value for name, value in message.items() if value not in (None, [], "") and name not in ours}
    if calls := kept.get("tool_calls"):
        kept["tool_calls"] = [{name: value for name, value in call.items() if name != "id"} for call in calls]
    return kept


def ollama_buckets(raw: dict[str, Any]) -> Usage:
    """Count a raw `usage` by hand."""
    return Usage(raw.get("prompt_eval_count"), raw.get("eval_count"))
