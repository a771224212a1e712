"""Chat requests of this wire, both ways: all of the body but its messages."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from jackfield.message import (
    ChatRequest,
    Effort,
    JsonObject,
    Message,
    ResponseFormat,
    Thinking,
    Tool,
    ToolChoice,
)
from jackfield.model import Compat
from jackfield.protocols import structured
from jackfield.protocols.base import NATIVE, Body, decode_request
from jackfield.protocols.cohere.documents import parse_document, render_documents
from jackfield.protocols.cohere.limits import LIMITS, MAX_STOPS, RANGES, needs_instruction, within
from jackfield.protocols.cohere.messages import parse_messages, render_messages
from jackfield.protocols.cohere.wire import NAME, keep, own
from jackfield.protocols.fields import (
    as_object,
    merge_fields,
    objects,
    read,
    require,
    rest,
    said,
    wrong,
)
from jackfield.protocols.functions import parse_function, render_function
from jackfield.protocols.spare import spare

KNOWN = frozenset((
    "model", "messages", "tools", "strict_tools", "tool_choice", "documents", "response_format", "max_tokens", "stream",
    "stop_sequences", "seed", "logprobs", "thinking", *(bounds.name for bounds in RANGES.values()),
))  # fmt: skip
# What a level may cost; the strongest think as long as they like.
BUDGETS: dict[Effort, int | None] = {"minimal": 512, "low": 2048, "medium": 8192, "high": None, "xhigh": None}
CHOICES = {"none": "NONE", "required": "REQUIRED"}


# -- value → wire ------------------------------------------------------------------


def render_request(request: ChatRequest, compat: Compat = NATIVE) -> JsonObject:
    """Write the body of `POST /v2/chat`; never a null, never a number out of the field's range."""
    asked = _narrow(spare(request, NAME, LIMITS, compat))
    body: JsonObject = {"model": asked.model, "messages": render_messages(asked, compat)}
    if documents := render_documents(asked.messages):
        body["documents"] = documents
    body.update(_render_tools(asked, compat))
    body.update(_render_sampling(asked))
    if asked.thinking is not None:
        body.update(_render_thinking(asked.thinking))
    if asked.response_format is not None:
        wanted = asked.response_format
        body["response_format"] = said({"type": "json_object", "json_schema": wanted.schema})
    if asked.stream:
        body["stream"] = True
    merge_fields(body, own(asked))
    merge_fields(body, request.extras)
    return body


def _narrow(request: ChatRequest) -> ChatRequest:
    """Return the request with what this wire says in other fields than its own."""
    if request.response_format and needs_instruction(request):
        request = structured.as_instruction(request)
    choice = request.tool_choice
    if choice and choice.mode == "tool":
        pinned = [tool for tool in request.tools if tool.name == choice.name]
        request = replace(request, tools=pinned or request.tools, tool_choice=ToolChoice("required"))
    return request


def _render_tools(request: ChatRequest, compat: Compat) -> JsonObject:
    tools = [render_function(tool, NAME, compat) for tool in request.tools]
    if not tools or compat.supports_tools is False:
        return {}
    strict = {tool.strict for tool in request.tools if tool.parameters is not None}
    choice = request.tool_choice
    return said({
        "tools": tools,
        "strict_tools": strict.pop() if len(strict) == 1 else None,
        "tool_choice": CHOICES.get(choice.mode) if choice else None,  # its absence is `auto`
    })  # fmt: skip


def _render_sampling(request: ChatRequest) -> JsonObject:
    fields = {
        bounds.name: None if (value := getattr(request, name)) is None else within(name, value)
        for name, bounds in RANGES.items()
    }
    return said({
        **fields,
        "max_tokens": request.max_tokens,
        "stop_sequences": list(request.stop)[:MAX_STOPS] or None,
        "seed": request.seed,
        "logprobs": None if request.logprobs is None else True,
    })  # fmt: skip


def _render_thinking(thinking: Thinking) -> JsonObject:
    if held := own(thinking):
        return {"thinking": held}
    if thinking.effort == "off":
        return {"thinking": {"type": "disabled"}}
    budget = thinking.budget_tokens
    if budget is None and thinking.effort is not None:
        budget = BUDGETS[thinking.effort]
    return {"thinking": said({"type": "enabled", "token_budget": budget})}


# -- wire → value ------------------------------------------------------------------


def parse_request(body: Body) -> ChatRequest:
    """Read a request; fields this codec does not know stay in `opaque`."""
    wire = decode_request(body)
    system, messages = parse_messages(require(wire, "messages", list))
    tools = _parse_tools(wire)
    return ChatRequest(
        model=require(wire, "model", str),
        messages=_with_documents(messages, wire),
        system=system,
        tools=tools,
        tool_choice=_parse_choice(wire),
        max_tokens=read(wire, "max_tokens", int),
        stop=[text for text in read(wire, "stop_sequences", list) or () if isinstance(text, str)],
        seed=read(wire, "seed", int),
        logprobs=0 if read(wire, "logprobs", bool) else None,
        thinking=_parse_thinking(wire),
        response_format=_parse_format(wire),
        stream=bool(read(wire, "stream", bool)),
        temperature=read(wire, "temperature", float),
        top_p=read(wire, "p", float),
        top_k=read(wire, "k", int),
        presence_penalty=read(wire, "presence_penalty", float),
        frequency_penalty=read(wire, "frequency_penalty", float),
        opaque=keep({**rest(wire, KNOWN), **_left_over(wire, tools, messages)}),
    )


def _with_documents(messages: list[Message], wire: JsonObject) -> list[Message]:
    """Put the documents of the request before the first words of the user, whose question they are for."""
    documents = [parse_document(document) for document in read(wire, "documents", list) or ()]
    at = next((at for at, message in enumerate(messages) if message.role == "user"), None)
    if not documents or at is None:
        return messages
    first = replace(messages[at], content=[*documents, *messages[at].content])
    return [*messages[:at], first, *messages[at + 1 :]]


def _left_over(wire: JsonObject, tools: list[Tool], messages: list[Message]) -> JsonObject:
    """Return known fields that no value of ours says: explicit words for what is so anyway, documents of nobody."""
    left: JsonObject = {}
    if wire.get("documents") and not any(message.role == "user" for message in messages):
        left["documents"] = wire["documents"]
    if not tools and wire.get("strict_tools") is not None:
        left["strict_tools"] = wire["strict_tools"]
    if wire.get("logprobs") is False:
        left["logprobs"] = False
    if as_object(wire.get("response_format")).get("type") == "text":
        left["response_format"] = wire["response_format"]
    return left


def _parse_tools(wire: JsonObject) -> list[Tool]:
    strict = read(wire, "strict_tools", bool)
    tools = [parse_function(tool, NAME) for _, tool in objects(read(wire, "tools", list) or [], "tools")]
    return [tool if tool.parameters is None else replace(tool, strict=strict) for tool in tools]


def _parse_choice(wire: JsonObject) -> ToolChoice | None:
    word = read(wire, "tool_choice", str)
    if word is None:
        return None
    match word.upper():
        case "REQUIRED":
            return ToolChoice("required")
        case "NONE":
            return ToolChoice("none")
        case "AUTO":
            return ToolChoice("auto")
        case _:
            raise wrong("tool_choice", f"is {word!r}, not REQUIRED or NONE")


def _parse_thinking(wire: JsonObject) -> Thinking | None:
    held = read(wire, "thinking", dict)
    if not held:
        return None
    budget = read(held, "token_budget", int, "thinking.")
    level: Effort | None = "off" if held.get("type") == "disabled" else None
    if level is None and budget is None:
        level = "high"
    return Thinking(level, budget, keep(held))


def _parse_format(wire: JsonObject) -> ResponseFormat | None:
    held: Mapping[str, object] = read(wire, "response_format", dict) or {}
    if held.get("type") != "json_object":
        return None
    # The reference says `json_schema`, the guides `schema`.
    return ResponseFormat(as_object(held.get("json_schema")) or as_object(held.get("schema")) or None)
