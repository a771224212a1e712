"""The values every layer speaks: messages, blocks, tools, requests, replies, stream events.

Pure data. Nothing here knows a provider, a wire format, a file or a clock, and two
values with equal fields are equal. Sequences are stored as tuples, whatever was passed.

`opaque` holds fields that only their issuer understands (citations, …), under the name of
its wire: `{"anthropic-messages": {"citations": […]}}`. They go back to that wire as they
came and to no other (`protocols.base.own_fields`, `as_opaque`).
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import force_setattr

# A JSON object as a wire carries it; `Any` stops here.
JsonObject: TypeAlias = dict[str, Any]
Role = Literal["user", "assistant"]
FinishReason = Literal["stop", "length", "tool_calls", "content_filter"]
Effort = Literal["off", "minimal", "low", "medium", "high", "xhigh"]
EFFORTS: tuple[Effort, ...] = ("off", "minimal", "low", "medium", "high", "xhigh")


# -- blocks: tagged, so that a conversation can be written as JSON and read back ----


class TextBlock(Struct, frozen=True, tag="text"):
    """Words. `cache_control` marks the end of a prefix worth caching (Anthropic's shape)."""

    text: str
    cache_control: JsonObject | None = None
    opaque: JsonObject | None = None


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
        _as_tuple(self, "content")


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
    | ToolCall
    | ToolResult
    | OpaqueBlock
)


# -- requests ----------------------------------------------------------------------


class Message(Struct, frozen=True):
    """One turn. System text lives on the request; tool results are user content."""

    role: Role
    content: Sequence[Block]
    model: str | None = None  # the `provider/model` that wrote an assistant turn, when known
    opaque: JsonObject | None = None

    def __post_init__(self) -> None:
        _as_tuple(self, "content")

    @classmethod
    def user(cls, *content: str | Block) -> Message:
        """Make a user turn; strings become text blocks."""
        return cls("user", [TextBlock(part) if isinstance(part, str) else part for part in content])

    @classmethod
    def assistant(cls, *content: str | Block, model: str | None = None) -> Message:
        """Make an assistant turn; strings become text blocks."""
        return cls("assistant", [TextBlock(part) if isinstance(part, str) else part for part in content], model)


class Tool(Struct, frozen=True):
    """A function the model may call; `parameters` is a JSON Schema.

    A tool the wire runs itself (web search, …) has `parameters=None` and stands whole in `opaque`.
    """

    name: str
    description: str = ""
    parameters: JsonObject | None = None
    strict: bool | None = None
    cache_control: JsonObject | None = None
    opaque: JsonObject | None = None


class ToolChoice(Struct, frozen=True):
    """May, must or must not the model call a tool; `name` pins one (mode `tool`)."""

    mode: Literal["auto", "none", "required", "tool"]
    name: str | None = None


class Thinking(Struct, frozen=True):
    """How hard to think: a level, a budget in tokens, or both (each wire takes what it knows)."""

    effort: Effort | None = None
    budget_tokens: int | None = None
    opaque: JsonObject | None = None


class ResponseFormat(Struct, frozen=True):
    """The answer must be JSON: any object (`schema=None`) or one that fits the JSON Schema."""

    schema: JsonObject | None = None
    name: str = "answer"
    strict: bool | None = None
    description: str | None = None


class ChatRequest(Struct, frozen=True, kw_only=True):
    """One question to one model; `None` means: not said, the provider's default holds."""

    model: str  # `provider/model`, an alias or a route for the client; the wire's own id for a codec
    messages: Sequence[Message] = ()
    system: Sequence[TextBlock] = ()
    tools: Sequence[Tool] = ()
    tool_choice: ToolChoice | None = None
    parallel_tools: bool | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    stop: Sequence[str] = ()
    seed: int | None = None
    thinking: Thinking | None = None
    response_format: ResponseFormat | None = None
    stream: bool = False
    extras: JsonObject = {}  # fields passed on unread

    def __post_init__(self) -> None:
        for name in ("messages", "system", "tools", "stop"):
            _as_tuple(self, name)


# -- replies -----------------------------------------------------------------------


class Usage(Struct, frozen=True):
    """Token counts in disjoint buckets, so that cost is a plain sum; `reasoning` is inside `output`.

    `None` means the provider did not say; 0 means it said zero.
    """

    input: int | None = None
    output: int | None = None
    cache_read: int | None = None
    cache_write: int | None = None
    reasoning: int | None = None
    extras: JsonObject | None = None  # the issuer's other counters


class Attempt(Struct, frozen=True):
    """One try at one candidate: which model and profile, why it failed (`None`: it answered)."""

    model: str
    profile: str | None = None
    reason: str | None = None
    ms: int | None = None
    message: str | None = None


class ChatResponse(Struct, frozen=True, kw_only=True):
    """One whole answer. The last four fields are the client's; a codec leaves them alone."""

    id: str = ""
    model: str = ""  # who answered
    content: Sequence[Block] = ()
    finish_reason: FinishReason = "stop"
    raw_finish_reason: str | None = None  # the wire's own word, where it says more
    usage: Usage = Usage()
    extras: JsonObject = {}
    requested: str = ""
    attempts: Sequence[Attempt] = ()
    warnings: Sequence[str] = ()
    cost_usd: Decimal | None = None

    def __post_init__(self) -> None:
        for name in ("content", "attempts", "warnings"):
            _as_tuple(self, name)

    @property
    def text(self) -> str:
        """All visible words, in order."""
        return "".join(block.text for block in self.content if isinstance(block, TextBlock))

    @property
    def thinking(self) -> str:
        """All reasoning the model showed, in order."""
        return "".join(block.text for block in self.content if isinstance(block, ThinkingBlock))

    @property
    def refusal(self) -> str:
        """The model's words for declining; empty when it did not."""
        return "".join(block.text for block in self.content if isinstance(block, RefusalBlock))

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """The tools the model asks for, in order."""
        return tuple(block for block in self.content if isinstance(block, ToolCall))


def _as_tuple(value: Struct, name: str) -> None:
    # Frozen values are built once; a caller's list becomes a tuple before anyone else sees it.
    held = getattr(value, name)
    if not isinstance(held, tuple):
        force_setattr(value, name, tuple(held))
