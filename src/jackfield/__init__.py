"""Name a model as `provider/model`, get an answer. This is the public API and nothing else.

Names are imported when first used, so that `import jackfield` costs next to nothing.
"""

from __future__ import annotations

__version__ = "0.1.0"

# Type checkers know the name; importing it from typing would double what `--version` costs.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from jackfield import errors, protocols
    from jackfield.client import AsyncClient
    from jackfield.credential import Profile, Secret
    from jackfield.embedding import EmbedRequest, EmbedResponse
    from jackfield.errors import Error
    from jackfield.events import Accumulator, BlockDelta, BlockEnd, BlockStart, MessageEnd, MessageStart, StreamEvent
    from jackfield.message import (
        Attempt,
        AudioBlock,
        Block,
        ChatRequest,
        ChatResponse,
        Citation,
        DocumentBlock,
        ImageBlock,
        Message,
        OpaqueBlock,
        RefusalBlock,
        ResponseFormat,
        TextBlock,
        Thinking,
        ThinkingBlock,
        TokenCount,
        TokenLogprob,
        Tool,
        ToolCall,
        ToolChoice,
        ToolResult,
        Usage,
        VideoBlock,
    )
    from jackfield.model import Compat, Cost, Model, ModelRef, ProviderInfo
    from jackfield.reply import ChatStream
    from jackfield.scripted.client import FakeTransport, fake
    from jackfield.sync import Client, chat, count_tokens, embed, explain, stream

# module → the public names it holds
_HOMES: dict[str, tuple[str, ...]] = {
    "jackfield.client": ("AsyncClient",),
    "jackfield.credential": ("Profile", "Secret"),
    "jackfield.embedding": ("EmbedRequest", "EmbedResponse"),
    "jackfield.errors": ("Error",),
    "jackfield.events": (
        "Accumulator", "BlockDelta", "BlockEnd", "BlockStart", "MessageEnd", "MessageStart", "StreamEvent",
    ),
    "jackfield.message": (
        "Attempt", "AudioBlock", "Block", "ChatRequest", "ChatResponse", "Citation", "DocumentBlock", "ImageBlock",
        "Message", "OpaqueBlock", "RefusalBlock", "ResponseFormat", "TextBlock", "Thinking",
        "ThinkingBlock", "TokenCount", "TokenLogprob", "Tool", "ToolCall", "ToolChoice", "ToolResult", "Usage", "VideoBlock",
    ),
    "jackfield.model": ("Compat", "Cost", "Model", "ModelRef", "ProviderInfo"),
    "jackfield.scripted.client": ("FakeTransport", "fake"),
    "jackfield.reply": ("ChatStream",),
    "jackfield.sync": ("Client", "chat", "count_tokens", "embed", "explain", "stream"),
}  # fmt: skip
_HOME = {name: home for home, names in _HOMES.items() for name in names}
_MODULES = ("errors", "protocols")

__all__ = [
    "Accumulator",
    "AsyncClient",
    "Attempt",
    "AudioBlock",
    "Block",
    "BlockDelta",
    "BlockEnd",
    "BlockStart",
    "ChatRequest",
    "ChatResponse",
    "ChatStream",
    "Citation",
    "Client",
    "Compat",
    "Cost",
    "DocumentBlock",
    "EmbedRequest",
    "EmbedResponse",
    "Error",
    "FakeTransport",
    "ImageBlock",
    "Message",
    "MessageEnd",
    "MessageStart",
    "Model",
    "ModelRef",
    "OpaqueBlock",
    "Profile",
    "ProviderInfo",
    "RefusalBlock",
    "ResponseFormat",
    "Secret",
    "StreamEvent",
    "TextBlock",
    "Thinking",
    "ThinkingBlock",
    "TokenCount",
    "TokenLogprob",
    "Tool",
    "ToolCall",
    "ToolChoice",
    "ToolResult",
    "Usage",
    "VideoBlock",
    "chat",
    "count_tokens",
    "embed",
    "errors",
    "explain",
    "fake",
    "protocols",
    "stream",
]


def __getattr__(name: str) -> object:
    """Import a public name when it is first used."""
    from importlib import import_module  # noqa: PLC0415  costs a tenth of a bare interpreter's start

    if name in _MODULES:
        return import_module(f"jackfield.{name}")
    if name not in _HOME:
        raise AttributeError(f"module 'jackfield' has no attribute {name!r}")
    value: object = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Return the public names."""
    return sorted(__all__)
