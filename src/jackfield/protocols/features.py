"""What a request may hold, feature by feature, and what becomes of it on a wire that lacks it.

`FEATURES` is the one table: the codecs drop by it (`spare.spare`), warnings are made of it, docs/protocols.md
shows it, the tests hold every codec to it. A protocol's `LIMITS` names the features it does
not carry and their fate there: `LEFT_OUT`, or in words what they become (`as an
instruction`); one that begins with `SAID_AS` is no loss, only another word. A feature that `LIMITS` does not name arrives as it was meant. A server's
compat record overrules both ways (`Feature.switch`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec import Struct

from jackfield.message import (
    AudioBlock,
    Block,
    ChatRequest,
    DocumentBlock,
    ImageBlock,
    OpaqueBlock,
    RefusalBlock,
    TextBlock,
    ThinkingBlock,
    ToolCall,
    ToolResult,
    VideoBlock,
)
from jackfield.model import Compat
from jackfield.protocols.signatures import is_foreign

LEFT_OUT = "left out"
SAID_AS = "said as "  # such a fate is another word for the same: in the table, no warning
Limits = Mapping[str, str]


class Feature(Struct, frozen=True):
    """One thing a request may hold."""

    name: str
    about: str  # for the documentation
    switch: str = ""  # the compat field that rules it out (False) or in (True)
    is_quiet: bool = False  # only who wrote it misses it: in the table, no warning
    is_foreign: bool = False  # another wire's own: left out everywhere else, by its nature


FEATURES: dict[str, Feature] = {row.name: row for row in (
    Feature("system", "the system text"),
    Feature("model first", "a conversation that the model begins"),
    Feature("tools", "functions the model may call", "supports_tools"),
    Feature("tools.strict", "arguments that must fit their schema", "supports_strict_mode"),
    Feature("tool_choice", "whether the model may or must call a tool"),
    Feature("tool_choice.tool", "which tool it must call"),
    Feature("parallel_tools", "whether it may call several at once", "supports_parallel_tool_calls"),
    Feature("web_search", "a search the provider runs itself"),
    Feature("web_fetch", "a page the provider fetches itself"),
    Feature("code_execution", "code the provider runs itself"),
    Feature("max_tokens", "the most tokens of the answer"),
    Feature("temperature", "how freely it chooses words", "supports_temperature"),
    Feature("top_p", "sampling from the likeliest share", "supports_temperature"),
    Feature("top_k", "sampling from so many words"),
    Feature("presence_penalty", "a malus for words it has used"),
    Feature("frequency_penalty", "a malus for words it uses often"),
    Feature("stop", "words that end the answer", "supports_stop"),
    Feature("seed", "the same answer to the same question"),
    Feature("logprobs", "how likely each word was"),
    Feature("service_tier", "which queue the request waits in"),
    Feature("user", "the caller's name for who asks"),
    Feature("cache_key", "which requests share a cached prefix", "supports_prompt_cache_key"),
    Feature("thinking.effort", "how hard to think, as a level"),
    Feature("thinking.budget", "how hard to think, in tokens"),
    Feature("response_format.json", "the answer is a JSON object"),
    Feature("response_format.schema", "the answer fits a JSON Schema", "supports_response_format"),
    Feature("cache_control", "marks where a cached prefix ends", "supports_cache_control"),
    Feature("image", "pictures, as data"),
    Feature("image.url", "pictures, by URL"),
    Feature("document", "files, as data"),
    Feature("document.url", "files, by URL"),
    Feature("audio", "sound, as data"),
    Feature("audio.url", "sound, by URL"),
    Feature("video", "moving pictures, as data"),
    Feature("video.url", "moving pictures, by URL"),
    Feature("tool_result.image", "pictures in a tool's result", "supports_images_in_tool_results"),
    Feature("tool_result.document", "files in a tool's result"),
    Feature("tool_result.error", "the mark that a tool failed"),
    Feature("words beside calls", "what the model said while it called tools", is_quiet=True),
    Feature("refusal", "earlier refusals, apart from the text", is_quiet=True),
    Feature("citations", "earlier answers' sources", is_quiet=True),
    Feature("thoughts", "the words of earlier thoughts", is_quiet=True),
    Feature("signatures", "signatures and encrypted thoughts, for their issuer", is_quiet=True),
    Feature("foreign signature", "a signature that another wire's model gave", is_quiet=True, is_foreign=True),
    Feature("foreign block", "a block that only another wire understands", is_foreign=True),
    Feature("foreign file", "a file known by another wire's id", is_foreign=True),
    Feature("foreign tool", "a tool that only another wire runs", is_foreign=True),
    Feature("foreign field", "a field that only another wire understands", is_foreign=True),
)}  # fmt: skip
# Features that are a field of the request, by the same name.
FIELDS = ("tool_choice", "parallel_tools", "max_tokens", "temperature", "top_p", "top_k", "presence_penalty",
          "frequency_penalty", "seed", "logprobs", "service_tier", "user", "cache_key")  # fmt: skip
MEDIA: dict[type, str] = {ImageBlock: "image", DocumentBlock: "document", AudioBlock: "audio", VideoBlock: "video"}


def find_losses(request: ChatRequest, api: str, limits: Limits, compat: Compat) -> tuple[str, ...]:
    """Name every feature of the request that does not arrive as it was meant, and its fate there."""
    found = fates(request, api, limits, compat)
    heard = {name: fate for name, fate in found.items() if not _feature(name).is_quiet}
    return tuple(f"{name}: {fate}" for name, fate in heard.items() if not fate.startswith(SAID_AS))


def fates(request: ChatRequest, api: str, limits: Limits, compat: Compat) -> dict[str, str]:
    """Return the fate of every feature of the request that does not arrive as it was meant."""
    said = {}
    for name in dict.fromkeys(find_features(request, api)):
        feature = _feature(name)
        fate = LEFT_OUT if feature.is_foreign else limits.get(feature.name)
        ruled = getattr(compat, feature.switch) if feature.switch else None
        if ruled is False:
            fate = fate or LEFT_OUT
        if fate and ruled is not True:
            said[name] = fate
    return said


def _feature(name: str) -> Feature:
    # Some uses add a detail to the feature's name: `foreign tool (bash)`.
    return FEATURES[name.partition(" (")[0]]


# -- what a request holds ----------------------------------------------------------


def find_features(request: ChatRequest, api: str) -> Iterator[str]:
    """Yield the features a request to the wire `api` uses; a name may come more than once."""
    yield from (name for name in FIELDS if getattr(request, name) is not None)
    yield from ("system",) if request.system else ()
    yield from ("model first",) if request.messages and request.messages[0].role == "assistant" else ()
    yield from ("stop",) if request.stop else ()
    if request.tool_choice and request.tool_choice.mode == "tool":
        yield "tool_choice.tool"
    if (thinking := request.thinking) and not (thinking.opaque or {}).get(api):
        yield from ("thinking.effort",) if thinking.effort else ()
        yield from ("thinking.budget",) if thinking.budget_tokens is not None else ()
    if wanted := request.response_format:
        yield "response_format.json" if wanted.schema is None else "response_format.schema"
    yield from _tools(request, api)
    for wire, fields in (request.opaque or {}).items():
        yield from () if wire == api else (f"foreign field ({name})" for name in fields)
    for text in request.system:
        yield from block_features(text, api)
    for message in request.messages:
        if {TextBlock, ToolCall} <= {type(block) for block in message.content}:
            yield "words beside calls"
        for block in message.content:
            yield from block_features(block, api)


def every_block(request: ChatRequest) -> Iterator[Block]:
    """Yield all blocks of a conversation, those inside tools' results too."""
    for message in request.messages:
        for block in message.content:
            yield block
            yield from block.content if isinstance(block, ToolResult) else ()


def _tools(request: ChatRequest, api: str) -> Iterator[str]:
    for tool in request.tools:
        if tool.parameters is not None:
            yield "tools"
        elif tool.builtin:
            yield tool.builtin
        elif not (tool.opaque or {}).get(api):
            yield f"foreign tool ({tool.name})"
        if tool.strict is not None:
            yield "tools.strict"
        if tool.cache_control:
            yield "cache_control"


def block_features(block: Block, api: str) -> Iterator[str]:
    """Yield the features of a block."""
    if getattr(block, "cache_control", None):
        yield "cache_control"
    match block:
        case TextBlock():
            yield from ("citations",) if block.citations else ()
        case ThinkingBlock(text, signature):
            yield from ("thoughts",) if text else ()
            yield from ("signatures",) if signature or block.redacted else ()
            yield from ("foreign signature",) if is_foreign(block, api) else ()
        case RefusalBlock():
            yield "refusal"
        case ImageBlock() | DocumentBlock() | AudioBlock() | VideoBlock():
            yield _medium(block, api)
        case ToolResult():
            yield from ("tool_result.error",) if block.is_error else ()
            yield from (name for inner in block.content for name in inner_features(inner, api))
        case OpaqueBlock(wire) if wire != api:
            yield f"foreign block ({wire})"
        case ToolCall() | OpaqueBlock():
            pass


def inner_features(block: Block, api: str) -> Iterator[str]:
    """Yield the features of a block inside a tool's result: where it stands matters as much as what it is."""
    yield from block_features(block, api)
    if isinstance(block, ImageBlock | DocumentBlock):
        yield f"tool_result.{MEDIA[type(block)]}"


def _medium(block: ImageBlock | DocumentBlock | AudioBlock | VideoBlock, api: str) -> str:
    if block.data is not None:
        return MEDIA[type(block)]
    if block.url is not None:
        return f"{MEDIA[type(block)]}.url"
    return MEDIA[type(block)] if (block.opaque or {}).get(api) else "foreign file"
