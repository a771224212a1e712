"""Random values in the form a protocol itself writes them, so that reading what it wrote gives the same.

The first part is every protocol's; each protocol then says which blocks it writes, and where.
"""

from __future__ import annotations

import base64
import json
from typing import Any

from hypothesis import strategies as st

from jackfield.message import (
    EFFORTS,
    AudioBlock,
    Block,
    ChatRequest,
    ChatResponse,
    DocumentBlock,
    ImageBlock,
    Message,
    RefusalBlock,
    ResponseFormat,
    TextBlock,
    Thinking,
    ThinkingBlock,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    Usage,
)

# -- pieces ------------------------------------------------------------------------

# Any text a JSON document can hold: no lone halves of a surrogate pair.
words = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)
names = st.text("abcdefghijklmnopqrstuvwxyz_-0123456789", min_size=1, max_size=12)
base64s = st.binary(max_size=12).map(lambda data: base64.b64encode(data).decode())
counts = st.integers(0, 10**9)
scalars = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | words
json_values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3), max_leaves=6
)
objects = st.dictionaries(names, json_values, max_size=3)
schemas = objects.map(lambda properties: {"type": "object", "properties": properties})
marks = st.none() | st.just({"type": "ephemeral"})
arguments = objects.map(json.dumps) | st.just('{"cut": "sho')
urls = names.map(lambda name: f"https://example.com/{name}.png")
extras = st.dictionaries(
    names.map(lambda name: f"x_{name}"), json_values.filter(lambda value: value is not None), max_size=2
)

texts = st.builds(TextBlock, words, marks)
image_sources = st.builds(lambda kind, data: (kind, data, None), st.sampled_from(["image/png", "image/jpeg"]), base64s)
image_sources |= urls.map(lambda url: ("", None, url))
images = st.builds(lambda source, mark: ImageBlock(*source, mark), image_sources, marks)
pdfs = st.builds(
    lambda data, name, mark: DocumentBlock("application/pdf", data, None, name, mark), base64s, words, marks
)
calls = st.builds(ToolCall, words, names, arguments)
# Plain texts alone would be joined to one.
answers = st.lists(texts, max_size=1) | st.builds(
    lambda image, said: [image, *said], images, st.lists(texts, max_size=2)
)
results = st.builds(ToolResult, words, answers)
tools = st.builds(Tool, names, st.just("") | words, schemas, st.none() | st.booleans(), marks)
tool_choices = st.builds(ToolChoice, st.sampled_from(["auto", "none", "required"])) | names.map(
    lambda name: ToolChoice("tool", name)
)
formats = st.just(ResponseFormat()) | st.builds(
    ResponseFormat, schemas, names, st.none() | st.booleans(), st.none() | words
)


# -- openai-completions ------------------------------------------------------------


def openai_thoughts() -> st.SearchStrategy[ThinkingBlock]:
    """Return thoughts as they come from a server of this wire."""
    fields = st.sampled_from(["reasoning_content", "reasoning", "reasoning_text"])
    details = st.none() | objects.map(lambda more: [{"type": "reasoning.text", "text": "…", **more}])

    def build(text: str, field: str, held: list[dict[str, Any]] | None) -> ThinkingBlock:
        return ThinkingBlock(text, opaque=_own({"field": field} | ({"details": held} if held else {})))

    return st.builds(build, words, fields, details)


def _own(fields: dict[str, Any]) -> dict[str, Any]:
    return {"openai-completions": fields}


voices = names.map(lambda name: AudioBlock(opaque=_own({"audio": {"id": name}})))
spoken = st.builds(
    lambda data, name: AudioBlock(data=data, opaque=_own({"audio": {"id": name, "transcript": name}})),
    base64s.filter(bool),
    names,
)
sounds = st.builds(AudioBlock, st.sampled_from(["audio/mpeg", "audio/wav", "audio/flac"]), base64s, st.none(), marks)


@st.composite
def openai_users(draw: st.DrawFn) -> Message:
    """Draw a user's turn: tool results first, then at least one word."""
    answers = draw(st.lists(results, max_size=2))
    said: list[Block] = draw(st.lists(texts | images | pdfs | sounds, min_size=bool(answers), max_size=3))
    return Message("user", [*answers, *said])


@st.composite
def openai_assistants(draw: st.DrawFn) -> Message:
    """Draw the model's turn: thoughts, words, what stands beside them, calls."""
    said = draw(
        st.lists(words.map(TextBlock), max_size=1)
        | st.lists(st.builds(TextBlock, words, st.just({"type": "x"})), max_size=3)
    )
    beside: list[Block] = [
        *draw(st.lists(words.map(RefusalBlock), max_size=1)),
        *draw(st.lists(images, max_size=1)),
        *draw(st.lists(calls, max_size=2)),
        *draw(st.lists(voices, max_size=1)),
    ]
    thoughts = draw(st.lists(openai_thoughts(), max_size=1))
    return Message("assistant", [*thoughts, *said, *beside])


@st.composite
def openai_requests(draw: st.DrawFn) -> ChatRequest:
    """Draw a request that uses the whole wire."""
    offered = draw(st.lists(tools, max_size=2))
    wanted = draw(st.none() | formats)
    # OpenAI refuses a request for any JSON that does not say so in words too.
    said = [TextBlock("Answer in JSON.")] if wanted and wanted.schema is None else []
    efforts = st.sampled_from(EFFORTS[1:]).map(lambda word: Thinking(word, opaque=_own({"reasoning_effort": word})))
    return ChatRequest(
        model=draw(names),
        messages=draw(st.lists(openai_users() | openai_assistants(), max_size=4)),
        system=[*draw(st.lists(texts, max_size=2)), *said],
        tools=offered,
        tool_choice=draw(st.none() | tool_choices) if offered else None,
        parallel_tools=draw(st.none() | st.booleans()) if offered else None,
        max_tokens=draw(st.none() | counts),
        temperature=draw(st.none() | st.floats(0, 2)),
        top_p=draw(st.none() | st.floats(0, 1)),
        stop=draw(st.lists(words, max_size=2)),
        seed=draw(st.none() | st.integers(-(2**40), 2**40)),
        thinking=draw(st.none() | efforts),
        response_format=wanted,
        stream=draw(st.booleans()),
        service_tier=draw(st.none() | names),
        user=draw(st.none() | names),
        cache_key=draw(st.none() | names),
        top_k=draw(st.none() | counts),
        presence_penalty=draw(st.none() | st.floats(-2, 2)),
        frequency_penalty=draw(st.none() | st.floats(-2, 2)),
        logprobs=draw(st.none() | st.integers(0, 20)),
        opaque=draw(extras.map(lambda fields: _own(fields) if fields else None)),
    )


@st.composite
def openai_replies(draw: st.DrawFn, thoughts: st.SearchStrategy[ThinkingBlock] | None = None) -> ChatResponse:
    """Draw a whole reply; a reply that calls tools says so."""
    content: list[Block] = draw(st.lists(openai_thoughts() if thoughts is None else thoughts, max_size=1))
    for blocks in (words.map(TextBlock), words.map(RefusalBlock), images.map(_unmarked), calls, spoken):
        content += draw(st.lists(blocks, max_size=2 if blocks is calls else 1))
    reasons = (
        ["length", "tool_calls", "content_filter"]
        if any(isinstance(b, ToolCall) for b in content)
        else ["stop", "length"]
    )
    return ChatResponse(
        id=draw(words),
        model=draw(names),
        content=content,
        finish_reason=draw(st.sampled_from(reasons)),  # type: ignore[arg-type]  # drawn from the literal's words
        usage=draw(usages()),
        extras={"created": draw(counts), **draw(extras)},
    )


def _unmarked(image: ImageBlock) -> ImageBlock:
    return ImageBlock(image.media_type, image.data, image.url)


def usages() -> st.SearchStrategy[Usage]:
    """Return counts: any of them known or not."""
    some = st.none() | counts
    return st.builds(Usage, some, some, some, some, some, st.none() | names.map(lambda name: {f"x_{name}": 1}))
