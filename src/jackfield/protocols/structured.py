"""Structured output where a server has none, or wants it said too: the format as an instruction.

The model is told what to answer with; nothing holds it to it, which is why the fate of the
feature says so.
"""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from jackfield.message import ChatRequest, TextBlock
from jackfield.protocols.features import every_block

AS_INSTRUCTION = "as an instruction, which nothing enforces"

WORD = "json"


def with_json_word(request: ChatRequest, api: str) -> ChatRequest:
    """Return a request for any JSON object with the word somewhere in its texts.

    OpenAI refuses one without it (platform.openai.com/docs/guides/structured-outputs, JSON mode,
    read 2026-11-21). What came in on the wire `api` goes on as its caller wrote it.
    """
    wanted = request.response_format
    if wanted is None or wanted.schema is not None or api in (request.opaque or {}):
        return request
    texts = (getattr(block, "text", "") for block in (*request.system, *every_block(request)))
    if any(WORD in text.lower() for text in texts):
        return request
    return replace(request, system=[*request.system, TextBlock("Answer in JSON.")])


def as_instruction(request: ChatRequest) -> ChatRequest:
    """Return the request with its wanted format said in the system text instead."""
    wanted = request.response_format
    if wanted is None:
        return request
    words = "Answer with one JSON object and nothing else: no words around it, no code fence."
    if wanted.schema is not None:
        words += f" It must fit this JSON Schema:\n{msgspec.json.encode(wanted.schema).decode()}"
    return replace(request, response_format=None, system=[*request.system, TextBlock(words)])
