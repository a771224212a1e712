"""The Responses wire's recordings: token counts by hand, and requests in the one spelling that we write."""

from __future__ import annotations

from typing import Any

from jackfield.message import Usage

# Why two spellings of a part mean the same: what stands here is what leaving it out means.
UNSAID: tuple[tuple[str, Any], ...] = (("detail", "auto"), ("annotations", []), ("logprobs", []), ("content", []))


def responses_buckets(raw: dict[str, Any]) -> Usage:
    """Count a raw `usage` by hand: cached tokens, read and written, out of the input."""
    read = (raw.get("input_tokens_details") or {}).get("cached_tokens")
    write = (raw.get("input_tokens_details") or {}).get("cache_write_tokens")
    thoughts = (raw.get("output_tokens_details") or {}).get("reasoning_tokens")
    total = raw.get("input_tokens")
    fresh = None if total is None else total - (read or 0) - (write or 0)
    return Usage(fresh, raw.get("output_tokens"), read, write, thoughts)


def normal_responses(body: dict[str, Any]) -> dict[str, Any]:
    """Spell a request as we do, where two spellings mean the same:

    nulls, empty descriptions and `stream: false` left out; text content as a part; the type of a message said;
    neighbouring instructions of one role in one message; a picture's usual detail, no sources and no
    likelihoods left out; a text format left out.
    """
    body = {name: value for name, value in _without_nulls(body).items() if (name, value) != ("stream", False)}
    body["tools"] = [{n: v for n, v in tool.items() if (n, v) != ("description", "")} for tool in body.get("tools", [])]
    if body.get("instructions") == "":
        del body["instructions"]
    if body.get("text", {}).get("format") == {"type": "text"}:
        del body["text"]
    if isinstance(body.get("input"), str):
        body["input"] = [{"role": "user", "content": body["input"]}]
    if "input" in body:
        body["input"] = _joined([_normal_item(item) for item in body["input"]])
    return body


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nulls(inner) for name, inner in value.items() if inner is not None}
    return [_without_nulls(inner) for inner in value] if isinstance(value, list) else value


def _normal_item(item: dict[str, Any]) -> dict[str, Any]:
    if "role" in item:
        item = {"type": "message", **item}
        content = item["content"]
        kind = "output_text" if item["role"] == "assistant" else "input_text"
        parts = [{"type": kind, "text": content}] if isinstance(content, str) else content
        item["content"] = [_without_unsaid(part) for part in parts]
    if isinstance(output := item.get("output"), list) and [part.keys() for part in output] == [{"type", "text"}]:
        item = {**item, "output": output[0]["text"]}
    return _without_unsaid(item) if item["type"] == "reasoning" else item


def _without_unsaid(part: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in part.items() if (name, value) not in UNSAID}


def _joined(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    joined: list[dict[str, Any]] = []
    for item in items:
        is_system = item.get("role") in ("system", "developer") and len(joined) <= 1
        if is_system and joined and joined[-1].get("role") == item["role"]:
            joined[-1] = {**item, "content": [*joined[-1]["content"], *item["content"]]}
        else:
            joined.append(item)
    return joined
