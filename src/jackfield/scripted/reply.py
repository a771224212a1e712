"""What a script may say: one reply, when it is given, and what goes wrong with it. Values alone."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from jackfield.message import FinishReason, JsonObject

# The types of errors a script may name; each is said in the caller's own protocol.
ErrorType = Literal[
    "auth", "permission", "billing", "rate_limit", "overloaded", "server_error", "timeout", "model_not_found",
    "context_overflow", "content_filter", "invalid_request",
]  # fmt: skip


Count = Annotated[int, Meta(ge=0)]
Seconds = Annotated[float, Meta(ge=0)]
HeaderName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9-]+\Z")]
HeaderText = Annotated[str, Meta(pattern=r"^[^\r\n\0]*\Z")]


class Table(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """A table of a script: a key it does not know is a mistake."""


class When(Table, frozen=True):
    """What must be true of a request; what is not said is not asked."""

    model: str | None = None  # glob: `gpt-*`
    user: str | None = None  # words in the last text of the user, or `/a regular expression/`
    tool_result: bool | None = None  # the last turn brings a tool's result
    prefill: bool | None = None  # the last turn is the assistant's


class Call(Table, frozen=True):
    """A tool the reply asks for; `arguments` as an object, or as the text the model wrote."""

    name: str
    arguments: JsonObject | str = {}
    id: str | None = None


class Counts(Table, frozen=True):
    """The tokens a reply reports, in disjoint buckets."""

    input: Count | None = None
    output: Count | None = None
    cache_read: Count | None = None
    cache_write: Count | None = None
    reasoning: Count | None = None


class Reply(Table, frozen=True):
    """One reply of a script."""

    text: str | None = None
    echo: bool = False  # the text is what the user said last
    thinking: str | None = None
    tool_calls: tuple[Call, ...] = ()
    finish_reason: FinishReason | None = None  # else `tool_calls` where there are some, `stop` where not
    usage: Counts | None = None  # else words are counted
    model: str | None = None  # the name in the reply; else the one that was asked
    when: When = When()
    repeat: Count | bool = 1  # how often; true: for good
    for_s: Seconds | None = None  # for so many seconds after the first request, instead of so many times
    delay_s: Seconds = 0  # between the headers and the first event
    per_token_s: Seconds = 0  # between two words
    fault: str | None = None  # one of the named scenarios, `s01` to `s16`
    error: ErrorType | None = None  # instead of an answer
    message: str | None = None  # the words of the error
    status: Annotated[int, Meta(ge=200, le=599)] | None = None
    headers: dict[HeaderName, HeaderText] = {}
    body: Any = None  # sent as it is, instead of an answer: a text or a JSON value
    content_type: str | None = None  # other than the answer has
    reset: bool = False  # the connection is lost before any byte
    cut_after: Count | None = None  # the connection closes after so many words
    silent_after: Count | None = None  # nothing more after so many words …
    silence_s: Seconds = 3600  # … for so long; then the connection closes
    malformed_after: Count | None = None  # an event that is no JSON after so many words
    without_end: bool = False  # the stream lacks its last mark (`[DONE]`)
