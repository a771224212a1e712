"""One request for every feature of the table, beside the same request without it.

What a wire leaves out must leave no trace: there both render to the same body.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from jackfield.message import (
    AudioBlock,
    Block,
    ChatRequest,
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
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    VideoBlock,
)

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
WEATHER = Tool("weather", "Say the weather", SCHEMA)
MARK = {"type": "ephemeral"}
# The least PNG there is, one pixel; a server that opens it finds a picture.
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
PDF = "JVBERi0xLjQKJSVFT0YK"
SOUND = "UklGRiQAAABXQVZFZm10IBAAAAABAAEA"
FILM = "AAAAIGZ0eXBpc29tAAACAGlzb21pc28y"
CALL = ToolCall("call_1", "weather", '{"city":"Rom"}')
PLAIN = ChatRequest(model="m", messages=[Message.user("What is it?")], max_tokens=9000)
TO_JSON = replace(PLAIN, system=[TextBlock("Answer in JSON.")])  # some wires take no such request without the word


class Example(Struct, frozen=True):
    """A request that uses a feature, and the same without it."""

    request: ChatRequest
    without: ChatRequest


def said(**fields: Any) -> Example:
    """Ask plainly, with these fields of the request or without them."""
    return Example(replace(PLAIN, **fields), PLAIN)


def tooled(without: dict[str, Any], **fields: Any) -> Example:
    """Ask with a tool; `without` says the fields that stay when the feature goes."""
    offered = replace(PLAIN, tools=[WEATHER])
    return Example(replace(offered, **fields), replace(offered, **without))


def turns(*messages: Message) -> ChatRequest:
    """Ask with these turns."""
    return replace(PLAIN, messages=messages)


def medium(block: Block, word: str) -> Example:
    """Show the model a file; where it cannot go a word stands in its place."""
    gone = TextBlock(f"[{word} left out: it cannot be sent to this model]")
    return Example(turns(Message.user("What is it?", block)), turns(Message.user("What is it?", gone)))


def answered(result: ToolResult, without: ToolResult) -> Example:
    """Go on after a tool's result."""
    asked = [Message.user("What is it?"), Message.assistant(CALL)]
    one, other = (replace(turns(*asked, Message.user(held)), tools=[WEATHER]) for held in (result, without))
    return Example(one, other)


def earlier(block: Block, *instead: Block) -> Example:
    """Go on after a turn of the model's that held the block."""

    def after(*blocks: Block) -> ChatRequest:
        return turns(Message.user("What is it?"), Message.assistant(*blocks, "It is."), Message.user("Sure?"))

    return Example(after(block), after(*instead))


def called(*said: str | Block) -> ChatRequest:
    """Go on after a turn of the model's that called a tool."""
    answer = Message.user(ToolResult("call_1", [TextBlock("mild")]))
    return replace(turns(Message.user("What is it?"), Message.assistant(*said), answer), tools=[WEATHER])


def url(name: str) -> str:
    """Return a file's address."""
    return f"https://example.com/{name}"


SEEN = [TextBlock("Seen")]
IMAGE = ImageBlock("image/png", PIXEL)
DOCUMENT = DocumentBlock("application/pdf", PDF, None, "a.pdf")
LOST_IMAGE, LOST_DOCUMENT = (
    TextBlock(f"[{word} left out: it cannot be sent to this model]") for word in ("image", "document")
)
CITED = TextBlock("It is.", citations=[Citation("https://example.com/a", "A")])
EXAMPLES: dict[str, Example] = {
    "system": said(system=[TextBlock("Be brief")]),
    "model first": Example(turns(Message.assistant("Welcome"), Message.user("Hi")), turns(Message.user("Hi"))),
    "tools": said(tools=[WEATHER]),
    "tools.strict": tooled({}, tools=[replace(WEATHER, strict=True)]),
    "tool_choice": tooled({}, tool_choice=ToolChoice("required")),
    "tool_choice.tool": tooled({"tool_choice": ToolChoice("required")}, tool_choice=ToolChoice("tool", "weather")),
    "parallel_tools": tooled(
        {"tool_choice": ToolChoice("required")}, tool_choice=ToolChoice("required"), parallel_tools=False
    ),
    "web_search": said(tools=[Tool("web_search", builtin="web_search")]),
    "web_fetch": said(tools=[Tool("web_fetch", builtin="web_fetch")]),
    "code_execution": said(tools=[Tool("code_execution", builtin="code_execution")]),
    "max_tokens": Example(PLAIN, replace(PLAIN, max_tokens=None)),
    "temperature": said(temperature=0.5),
    "top_p": said(top_p=0.5),
    "top_k": said(top_k=40),
    "presence_penalty": said(presence_penalty=0.5),
    "frequency_penalty": said(frequency_penalty=0.5),
    "stop": said(stop=["END"]),
    "seed": said(seed=7),
    "logprobs": said(logprobs=2),
    "service_tier": said(service_tier="auto"),
    "user": said(user="u-1"),
    "cache_key": said(cache_key="k-1"),
    "thinking.effort": said(thinking=Thinking("high")),
    "thinking.budget": said(thinking=Thinking(budget_tokens=4096)),
    "response_format.json": Example(replace(TO_JSON, response_format=ResponseFormat()), TO_JSON),
    "response_format.schema": said(response_format=ResponseFormat(SCHEMA)),
    "cache_control": Example(turns(Message.user(TextBlock("What is it?", MARK))), PLAIN),
    "image": medium(IMAGE, "image"),
    "image.url": medium(ImageBlock("image/png", url=url("a.png")), "image"),
    "document": medium(DOCUMENT, "document"),
    "document.url": medium(DocumentBlock("application/pdf", url=url("a.pdf"), name="a.pdf"), "document"),
    "audio": medium(AudioBlock("audio/wav", SOUND), "audio"),
    "audio.url": medium(AudioBlock("audio/wav", url=url("a.wav")), "audio"),
    "video": medium(VideoBlock("video/mp4", FILM), "video"),
    "video.url": medium(VideoBlock("video/mp4", url=url("a.mp4")), "video"),
    "tool_result.image": answered(ToolResult("call_1", [*SEEN, IMAGE]), ToolResult("call_1", [*SEEN, LOST_IMAGE])),
    "tool_result.document": answered(
        ToolResult("call_1", [*SEEN, DOCUMENT]), ToolResult("call_1", [*SEEN, LOST_DOCUMENT])
    ),
    "tool_result.error": answered(ToolResult("call_1", SEEN, is_error=True), ToolResult("call_1", SEEN)),
    "words beside calls": Example(called("Let me see", CALL), called(CALL)),
    "refusal": Example(
        turns(Message.user("What is it?"), Message.assistant(RefusalBlock("I would rather not")), Message.user("Why?")),
        turns(Message.user("What is it?"), Message.user("Why?")),
    ),
    "citations": Example(
        turns(Message.user("What is it?"), Message.assistant(CITED), Message.user("Sure?")),
        turns(Message.user("What is it?"), Message.assistant("It is."), Message.user("Sure?")),
    ),
    "thoughts": earlier(ThinkingBlock("Hm.")),
    "signatures": earlier(ThinkingBlock("Hm.", "c2ln"), ThinkingBlock("Hm.")),
    "foreign signature": earlier(ThinkingBlock("Hm.", "gAAAAc2ln"), ThinkingBlock("Hm.")),
    "foreign block": earlier(OpaqueBlock("telegraph", {"dot": "dash"})),
    "foreign file": medium(ImageBlock(opaque={"telegraph": {"file_id": "f"}}), "image"),
    "foreign tool": tooled({}, tools=[WEATHER, Tool("telegraph", opaque={"telegraph": {"type": "telegraph"}})]),
    "foreign field": said(opaque={"telegraph": {"dash": 1}}),
}
