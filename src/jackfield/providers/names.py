"""Names of functions as a wire takes them, and the caller's own names in the answer again.

Programs name functions freely (`files.read`, `mcp:server/tool`); most APIs refuse a request for
one such name. A replaced name depends on nothing but the name, so that no state is kept
and a cached prefix stays one. Tools that a provider runs itself keep their names.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import sha256

from msgspec.structs import replace

from jackfield.events import BlockStart, StreamEvent
from jackfield.message import Block, ChatRequest, ToolCall, ToolResult

PLAIN = re.compile(r"[a-zA-Z0-9_-]{1,64}")
# Their references, read 2026-11-21; wires that are not here have no rule.
FORMS: dict[str, re.Pattern[str]] = {
    **dict.fromkeys(("openai-completions", "openai-responses", "azure-openai-responses"), PLAIN),
    **dict.fromkeys(("openai-codex-responses", "bedrock-converse-stream"), PLAIN),
    "anthropic-messages": re.compile(r"[a-zA-Z0-9_-]{1,128}"),
    **dict.fromkeys(
        ("google-generative-ai", "google-vertex", "google-gemini-cli"), re.compile(r"[a-zA-Z_][a-zA-Z0-9_.:-]{0,63}")
    ),
}
ILLEGAL = re.compile(r"[^a-zA-Z0-9_-]")
KEPT, DIGEST = 54, 8  # characters of the old name, and of the digest that tells alike ones apart


def legal_name(name: str, api: str) -> str:
    """Return the name itself where the wire takes it, else its legal characters and a digest of the whole."""
    form = FORMS.get(api)
    if form is None or not name or form.fullmatch(name):
        return name
    digest = sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:DIGEST]
    return f"{ILLEGAL.sub('_', name)[:KEPT].lstrip('-0123456789') or 'f'}_{digest}"


def find_renamed(request: ChatRequest, api: str) -> Mapping[str, str]:
    """Return the replaced names and what each stands for; nearly always none."""
    names = [tool.name for tool in request.tools if tool.parameters is not None]
    names += [block.name for turn in request.messages for block in turn.content if isinstance(block, ToolCall)]
    return {legal: name for name in names if (legal := legal_name(name, api)) != name}


def with_legal_names(request: ChatRequest, api: str) -> ChatRequest:
    """Return the request with names that the wire takes, in tools, choice, calls and results."""
    renamed = {name: legal for legal, name in find_renamed(request, api).items()}
    if not renamed:
        return request

    def rename(block: Block) -> Block:
        if isinstance(block, ToolCall | ToolResult) and block.name in renamed:
            return replace(block, name=renamed[block.name])
        return block

    choice = request.tool_choice
    return replace(
        request,
        tools=[
            replace(tool, name=renamed.get(tool.name, tool.name)) if tool.parameters is not None else tool
            for tool in request.tools
        ],
        tool_choice=choice and replace(choice, name=renamed.get(choice.name or "", choice.name)),
        messages=[replace(turn, content=[rename(block) for block in turn.content]) for turn in request.messages],
    )


def as_named(event: StreamEvent, renamed: Mapping[str, str]) -> StreamEvent:
    """Return an answer's event with the caller's own name of the function called."""
    if renamed and isinstance(event, BlockStart) and isinstance(event.block, ToolCall):
        name = renamed.get(event.block.name, event.block.name)
        return replace(event, block=replace(event.block, name=name))
    return event
