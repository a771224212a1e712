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
from typing import Literal

from msgspec import Struct
from msgspec.structs import force_setattr

from jackfield.block import (
    AudioBlock,
    Block,
    Citation,
    DocumentBlock,
    ImageBlock,
    JsonObject,
    OpaqueBlock,
    RefusalBlock,
    TextBlock,
    ThinkingBlock,
    ToolCall,
    ToolResult,
    VideoBlock,
    as_tuple,
)

__all__ = [
    "Attempt",
    "AudioBlock",
    "Block",
    "Builtin",
    "ChatRequest",
    "ChatResponse",
    "Citation",
    "DocumentBlock",
    "Effort",
    "FinishReason",
    "ImageBlock",
    "JsonObject",
    "Message",
    "OpaqueBlock",
    "RefusalBlock",
    "ResponseFormat",
    "Role",
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
]  # fmt: skip
Role = Literal["user", "assistant"]
FinishReason = Literal["stop", "length", "tool_calls", "content_filter"]
Effort = Literal["off", "minimal", "low", "medium", "high", "xhigh"]
Builtin = Literal["web_search", "web_fetch", "code_execution"]
NO_PARAMETERS: JsonObject = {"type": "object", "properties": {}}  # of a function that takes nothing
EFFORTS: tuple[Effort, ...] = ("off", "minimal", "low", "medium", "high", "xhigh")


# -- requests ----------------------------------------------------------------------


class Message(Struct, frozen=True):
    """One turn. System text lives on the request; tool results are user content."""

    role: Role
    content: Sequence[Block]
    model: str | None = None  # the `provider/model` that wrote an assistant turn, when known
    opaque: JsonObject | None = None

    def __post_init__(self) -> None:
        as_tuple(self, "content")

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

    A tool the wire runs itself has `parameters=None`: `builtin` says what it does where other
    wires have the like, and its own wire's spelling stands whole in `opaque`.
    """

    name: str
    description: str = ""
    parameters: JsonObject | None = None
    strict: bool | None = None
    cache_control: JsonObject | None = None
    opaque: JsonObject | None = None
    builtin: Builtin | None = None

    def __post_init__(self) -> None:
        if self.parameters is None and self.builtin is None and self.opaque is None:
            # A function that takes nothing.
            force_setattr(self, "parameters", NO_PARAMETERS)


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
    top_k: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    stop: Sequence[str] = ()
    seed: int | None = None
    logprobs: int | None = None  # how likely each word was, with so many alternatives (0: the word alone)
    service_tier: str | None = None  # the provider's own word: `auto`, `default`, `flex`, `priority`, …
    user: str | None = None  # the caller's name for who asks, for the provider's abuse checks
    cache_key: str | None = None  # requests that share it find each other's cached prefix
    thinking: Thinking | None = None
    response_format: ResponseFormat | None = None
    stream: bool = False
    extras: JsonObject = {}  # further fields of the body, as the asked server knows them
    opaque: JsonObject | None = None  # fields that a caller's wire left over; for that wire alone

    def __post_init__(self) -> None:
        for name in ("messages", "system", "tools", "stop"):
            as_tuple(self, name)


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
    estimated: bool = False  # counted by us, where the provider did not
    cache_write_1h: int | None = None  # inside cache_write: what is kept for an hour
    audio_input: int | None = None  # inside input
    audio_output: int | None = None  # inside output


class TokenLogprob(Struct, frozen=True):
    """How likely a token of the answer was (natural logarithm), and what else could have stood there."""

    token: str
    logprob: float
    top: Sequence[TokenLogprob] = ()

    def __post_init__(self) -> None:
        as_tuple(self, "top")


class TokenCount(Struct, frozen=True):
    """How many tokens a request is, who says so, and whether it is only an estimate."""

    tokens: int
    estimated: bool
    source: str  # the address that counted, or why nobody did


class Attempt(Struct, frozen=True):
    """One try at one candidate: which model and profile, why it failed (`None`: it answered)."""

    model: str
    profile: str | None = None
    reason: str | None = None
    ms: int | None = None  # `None`: it was not tried
    message: str | None = None
    usage: Usage | None = None  # what it used up, where anything was heard
    cost_usd: Decimal | None = None
    at_ms: int | None = None  # when it began, Unix milliseconds
    api: str = ""  # the provider's protocol; empty: the caller's own
    status: int | None = None  # the provider's HTTP status, where it refused


class ChatResponse(Struct, frozen=True, kw_only=True):
    """One whole answer. The fields from `requested` on are the client's; a codec leaves them alone."""

    id: str = ""
    model: str = ""  # who answered
    content: Sequence[Block] = ()
    finish_reason: FinishReason = "stop"
    raw_finish_reason: str | None = None  # the wire's own word, where it says more
    usage: Usage = Usage()
    logprobs: Sequence[TokenLogprob] = ()
    extras: JsonObject = {}
    requested: str = ""
    attempts: Sequence[Attempt] = ()
    warnings: Sequence[str] = ()
    losses: Sequence[str] = ()  # of the warnings: what was left out on the way, or said otherwise
    cost_usd: Decimal | None = None  # of all attempts together, as the usage
    notice: str = ""  # that another model than the one asked for answers, or that it answers again

    def __post_init__(self) -> None:
        for name in ("content", "logprobs", "attempts", "warnings", "losses"):
            as_tuple(self, name)

    @property
    def text(self) -> str:
        """All visible words, in order."""
        return "".join(block.text for block in self.content if isinstance(block, TextBlock))

    @property
    def thinking(self) -> str:
        """All reasoning the model showed, in order; a blank line between one thought and the next."""
        return "\n\n".join(block.text for block in self.content if isinstance(block, ThinkingBlock) and block.text)

    @property
    def refusal(self) -> str:
        """The model's words for declining; empty when it did not."""
        return "".join(block.text for block in self.content if isinstance(block, RefusalBlock))

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """The tools the model asks for, in order."""
        return tuple(block for block in self.content if isinstance(block, ToolCall))
