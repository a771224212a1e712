"""Chat requests of this wire, both ways: all of the body but its messages.

Ollama cuts what does not fit its window, which is small unless a request says otherwise, and
says nothing of it. So `options.num_ctx` goes along whenever it is known, and `truncate: false`
always: what is still too long is then refused (github.com/ollama/ollama, pull 17944, read
2026-11-21). The window is known from `extras`: as `num_ctx` or `numCtx`, which are a user's
words, or in `options`, where the provider's layer puts the model's own. The smallest holds.
"""

from __future__ import annotations

from msgspec.structs import replace

from jackfield.message import (
    EFFORTS,
    ChatRequest,
    Effort,
    JsonObject,
    ResponseFormat,
    Thinking,
    ToolChoice,
)
from jackfield.model import Compat
from jackfield.protocols.base import NATIVE, Body, as_count, decode_request
from jackfield.protocols.fields import (
    as_list,
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
from jackfield.protocols.ollama.limits import LEVELS, LIMITS
from jackfield.protocols.ollama.messages import parse_messages, render_messages
from jackfield.protocols.ollama.wire import NAME, keep, own
from jackfield.protocols.spare import spare

KNOWN = frozenset(("model", "messages", "tools", "format", "options", "think", "stream", "logprobs", "top_logprobs"))
# Field of ours → the name among `options` (docs.ollama.com/modelfile, read 2026-11-21).
OPTIONS: dict[str, str] = {
    "temperature": "temperature", "top_p": "top_p", "top_k": "top_k", "seed": "seed", "max_tokens": "num_predict",
    "presence_penalty": "presence_penalty", "frequency_penalty": "frequency_penalty",
}  # fmt: skip
# Fields that people write beside the body's own, though they are options.
LOOSE = frozenset((
    "num_ctx", "num_keep", "num_batch", "num_gpu", "main_gpu", "num_thread", "use_mmap", "numa", "low_vram", "min_p",
    "typical_p", "tfs_z", "repeat_last_n", "repeat_penalty", "penalize_newline", "mirostat", "mirostat_tau",
    "mirostat_eta", "draft_num_predict",
))  # fmt: skip
WINDOW, WINDOW_NAMES = "num_ctx", ("num_ctx", "numCtx")


# -- value → wire ------------------------------------------------------------------


def render_request(request: ChatRequest, compat: Compat = NATIVE) -> JsonObject:
    """Write the body of `POST /api/chat`; it always says whether to stream, which is the default here."""
    asked = _narrow(spare(request, NAME, LIMITS, compat))
    body: JsonObject = {"model": asked.model, "messages": render_messages(asked), "stream": asked.stream}
    tools = [render_function(tool, NAME, compat) for tool in asked.tools]
    if tools and compat.supports_tools is not False:
        body["tools"] = tools
    if wanted := asked.response_format:
        body["format"] = "json" if wanted.schema is None else wanted.schema
    if asked.thinking is not None:
        body["think"] = _render_thinking(asked.thinking, compat)
    if asked.logprobs is not None:
        body["logprobs"] = True
        body |= {"top_logprobs": asked.logprobs} if asked.logprobs else {}
    body["truncate"] = False
    merge_fields(body, rest(own(asked), ("options",)))
    merge_fields(body, rest(request.extras, ("options", *LOOSE, *WINDOW_NAMES)))
    if options := _render_options(asked, request.extras):
        body["options"] = options
    return body


def _narrow(request: ChatRequest) -> ChatRequest:
    """Return the request with the tools that its choice leaves."""
    match request.tool_choice:
        case ToolChoice("none"):
            return replace(request, tools=())
        case ToolChoice("tool", name):
            pinned = [tool for tool in request.tools if tool.name == name]
            return replace(request, tools=pinned or request.tools)
        case _:
            return request


def _render_options(request: ChatRequest, extras: JsonObject) -> JsonObject:
    held = as_object(own(request).get("options"))
    given = {**rest(extras, extras.keys() - LOOSE), **as_object(extras.get("options"))}
    ours = {name: getattr(request, field) for field, name in OPTIONS.items()}
    options = {**held, **said({**ours, "stop": list(request.stop) or None}), **said(given)}
    windows = [held.get(WINDOW), as_object(extras.get("options")).get(WINDOW), *map(extras.get, WINDOW_NAMES)]
    known = [count for window in windows if (count := as_count(window)) and count > 0]
    return {**options, WINDOW: min(known)} if known else options


def _render_thinking(thinking: Thinking, compat: Compat) -> bool | str:
    """Return `think`; a level only where the row says that the model takes some: the others refuse it."""
    if "think" in (held := own(thinking)):
        return bool(held["think"]) if isinstance(held["think"], bool) else str(held["think"])
    if thinking.effort == "off":
        return False
    levels = [word for word in LEVELS if word in (compat.supported_reasoning_efforts or ())]
    if not levels or thinking.effort is None:
        return True
    # The strongest that is not above the wish, else the weakest there is.
    below = [word for word in levels if EFFORTS.index(_level(word)) <= EFFORTS.index(thinking.effort)]
    return below[-1] if below else levels[0]


def _level(word: str) -> Effort:
    return next((level for level in EFFORTS if level == word), "medium")


# -- wire → value ------------------------------------------------------------------


def parse_request(body: Body) -> ChatRequest:
    """Read a request; fields and options this codec does not know stay in `opaque`."""
    wire = decode_request(body)
    system, messages = parse_messages(require(wire, "messages", list))
    options = read(wire, "options", dict) or {}
    more = {**rest(wire, KNOWN), "options": rest(options, ("stop", *OPTIONS.values())) or None}
    at = "options."
    return ChatRequest(
        model=require(wire, "model", str),
        messages=messages,
        system=system,
        tools=[parse_function(tool, NAME) for _, tool in objects(read(wire, "tools", list) or [], "tools")],
        max_tokens=read(options, "num_predict", int, at),
        temperature=read(options, "temperature", float, at),
        top_p=read(options, "top_p", float, at),
        top_k=read(options, "top_k", int, at),
        presence_penalty=read(options, "presence_penalty", float, at),
        frequency_penalty=read(options, "frequency_penalty", float, at),
        seed=read(options, "seed", int, at),
        stop=_parse_stop(options.get("stop")),
        logprobs=(read(wire, "top_logprobs", int) or 0) if read(wire, "logprobs", bool) else None,
        thinking=_parse_thinking(wire.get("think")),
        response_format=_parse_format(wire.get("format")),
        stream=read(wire, "stream", bool) is not False,
        opaque=keep(more),
    )


def _parse_stop(wire: object) -> list[str]:
    return [text for text in ([wire] if isinstance(wire, str) else as_list(wire)) if isinstance(text, str)]


def _parse_thinking(wire: object) -> Thinking | None:
    if wire is None:
        return None
    if isinstance(wire, bool):
        return Thinking("medium" if wire else "off", opaque=keep({"think": wire}))
    if not isinstance(wire, str):
        raise wrong("think", f"is {wire!r}, not true, false or a level")
    # Words beyond ours are the strongest there is.
    return Thinking(next((level for level in EFFORTS if level == wire), EFFORTS[-1]), opaque=keep({"think": wire}))


def _parse_format(wire: object) -> ResponseFormat | None:
    if isinstance(wire, dict):
        return ResponseFormat(wire)
    return ResponseFormat() if wire == "json" else None
