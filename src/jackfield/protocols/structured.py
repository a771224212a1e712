"""Structured output where a server has none: the schema as an instruction.

The model is told what to answer with; nothing holds it to it, which is why the fate of the
feature says so.
"""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from jackfield.message import ChatRequest, TextBlock

AS_INSTRUCTION = "as an instruction, which nothing enforces"


def as_instruction(request: ChatRequest) -> ChatRequest:
    """Return the request with its wanted format said in the system text instead."""
    wanted = request.response_format
    if wanted is None:
        return request
    words = "Answer with one JSON object and nothing else: no words around it, no code fence."
    if wanted.schema is not None:
        words += f" It must fit this JSON Schema:\n{msgspec.json.encode(wanted.schema).decode()}"
    return replace(request, response_format=None, system=[*request.system, TextBlock(words)])
