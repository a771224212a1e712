"""Bedrock's Converse: its counters by hand, and what two spellings of a request mean the same."""

from __future__ import annotations

import json
from typing import Any

from jackfield.message import Usage

# What says nothing: `end_turn` would come of it as well.
SILENT = ({}, [], None)


def bedrock_buckets(raw: dict[str, Any]) -> Usage:
    """Count a raw `usage` by hand: it is disjoint already."""
    return Usage(
        raw.get("inputTokens"),
        raw.get("outputTokens"),
        raw.get("cacheReadInputTokens"),
        raw.get("cacheWriteInputTokens"),
    )


def normal_bedrock(body: dict[str, Any]) -> dict[str, Any]:
    """Spell a request as we do, where two spellings mean the same:

    what is empty left out; `status: success` left out; a format as its own word, not as a media
    type; a schema's text without blanks; an empty description left out; `type: object` said.
    """
    body = {name: value for name, value in body.items() if value not in SILENT}
    config = {name: value for name, value in body.pop("inferenceConfig", {}).items() if value not in SILENT}
    if config:
        body["inferenceConfig"] = config
    if "outputConfig" in body:
        form = body["outputConfig"]["textFormat"]["structure"]["jsonSchema"]
        plain = json.dumps(json.loads(form["schema"]), separators=(",", ":"))
        body["outputConfig"]["textFormat"]["structure"]["jsonSchema"] = {**form, "schema": plain}
    for name, kind in (("temperature", float), ("topP", float)):
        if name in config:
            config[name] = kind(config[name])
    return {**body, "messages": [_normal_turn(turn) for turn in body.get("messages", [])]}


def _normal_turn(turn: dict[str, Any]) -> dict[str, Any]:
    return {**turn, "content": [_normal_block(block) for block in turn["content"]]}


def _normal_block(block: dict[str, Any]) -> dict[str, Any]:
    if "video" in block:
        return {"video": {**block["video"], "format": block["video"]["format"].removeprefix("video/")}}
    if "document" in block and "text" in block["document"]["source"]:
        return block
    if "toolResult" in block:
        result = {name: value for name, value in block["toolResult"].items() if (name, value) != ("status", "success")}
        return {"toolResult": result}
    return block
