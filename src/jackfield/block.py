"""The blocks that turns are made of: words, thoughts, files, tool calls and their results.

Pure data; `message` has the values made of them and says what `opaque` is for. Tagged, so that
a conversation can be written as JSON and read back.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from msgspec import Struct
from msgspec.structs import force_setattr

# A JSON object as a wire carries it; `Any` stops here.
JsonObject: TypeAlias = dict[str, Any]


def as_tuple(value: Struct, name: str) -> None:
    """Make a sequence that was passed to a value a tuple."""
    # Frozen values are built once; a caller's list becomes a tuple before anyone else sees it.
    held = getattr(value, name)
    if not isinstance(held, tuple):
        force_setattr(value, name, tuple(held))


class Citation(Struct, frozen=True):
    """Where words of an answer come from: a page (`url`) or a document of the request (`document`)."""

    url: str = ""
    title: str = ""
    cited: str = ""  # the source's own words
    document: int | None = None  # which document of the request, from 0
    start: int | None = None  # characters of the block that rest on the source: from start …
    end: int | None = None  # … up to end


class TextBlock(Struct, frozen=True, tag="text"):
    """Words. `cache_control` marks the end of a prefix worth caching (Anthropic's shape)."""

    text: str
    cache_control: JsonObject | None = None
    opaque: JsonObject | None = None
    citations: Sequence[Citation] = ()

    def __post_init__(self) -> None:
        as_tuple(self, "citations")


class ThinkingBlock(Struct, frozen=True, tag="thinking"):
    """Reasoning the model chose to show.

    `signature` belongs to the model that issued it and must come back byte for byte or
    not at all. `redacted` means there is no text, only the signature's encrypted data.
    """

    text: str
    signature: str | None = None
    redacted: bool = False
    opaque: JsonObject | None = None


class RefusalBlock(Struct, frozen=True, tag="refusal"):
    """The model's own words for declining, where the wire keeps them apart from its answer."""

    text: str
    opaque: JsonObject | None = None


class ImageBlock(Struct, frozen=True, tag="image"):
    """A picture: base64 `data` with its media type, or a `url` (then the type may be empty)."""

    media_type: str = ""
    data: str | None = None
    url: str | None = None
    cache_control: JsonObject | None = None
    opaque: JsonObject | None = None


class DocumentBlock(Struct, frozen=True, tag="document"):
    """A file the model reads: base64 `data` (plain text for text/*), or a `url`."""

    media_type: str = ""
    data: str | None = None
    url: str | None = None
    name: str | None = None
    cache_control: JsonObject | None = None
    opaque: JsonObject | None = None


class AudioBlock(Struct, frozen=True, tag="audio"):
    """Sound: base64 `data` with its media type, or a `url`."""

    media_type: str = ""
    data: str | None = None
    url: str | None = None
    cache_control: JsonObject | None = None
    opaque: JsonObject | None = None


class VideoBlock(Struct, frozen=True, tag="video"):
    """Moving pictures: base64 `data` with its media type, or a `url`."""

    media_type: str = ""
    data: str | None = None
    url: str | None = None
    cache_control: JsonObject | None = None
    opaque: JsonObject | None = None


class ToolCall(Struct, frozen=True, tag="tool_call"):
    """The model asks for a tool. `arguments` is the JSON text as it wrote it; it may not parse."""

    id: str
    name: str
    arguments: str
    cache_control: JsonObject | None = None
    opaque: JsonObject | None = None


class ToolResult(Struct, frozen=True, tag="tool_result"):
    """What a tool answered, as user content. `name` is the tool's, where the caller knows it."""

    call_id: str
    content: Sequence[TextBlock | ImageBlock | DocumentBlock | OpaqueBlock] = ()
    is_error: bool = False
    name: str | None = None
    cache_control: JsonObject | None = None
    opaque: JsonObject | None = None

    def __post_init__(self) -> None:
        as_tuple(self, "content")


class OpaqueBlock(Struct, frozen=True, tag="opaque"):
    """A block only `api`'s own wire understands (server-side tools, …): kept whole for that wire."""

    api: str
    value: JsonObject


Block = (
    TextBlock
    | ThinkingBlock
    | RefusalBlock
    | ImageBlock
    | DocumentBlock
    | AudioBlock
    | VideoBlock
    | ToolCall
    | ToolResult
    | OpaqueBlock
)
