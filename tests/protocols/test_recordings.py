"""Recorded traffic of real providers, replayed: every reply, error and request of every wire we speak."""

from __future__ import annotations

import re
from pathlib import Path
from random import Random
from typing import Any

import pytest
from msgspec.structs import replace

from jackfield.errors import BadReply, Error, InvalidRequest, StreamBroken
from jackfield.message import ChatResponse, Usage
from jackfield.model import Compat
from jackfield.protocols import load
from tests.depth import DEPTH
from tests.protocols.conformance import (
    STREAMS,
    Case,
    Heard,
    cut,
    differences,
    load_cases,
    random_cuts,
    read_case,
    rewrites,
    sse_bytes,
)
from tests.protocols.normal_bedrock import bedrock_buckets, normal_bedrock
from tests.protocols.normal_cohere import cohere_buckets, normal_cohere
from tests.protocols.normal_google import google_buckets, normal_google, normal_vertex
from tests.protocols.normal_ollama import normal_ollama, ollama_buckets
from tests.protocols.normal_responses import normal_responses, responses_buckets

pytestmark = pytest.mark.wire

# Folder of recordings → the protocol that reads them.
WIRES = {
    "openai-completions": "openai-completions",
    "mistral": "openai-completions",
    "anthropic-messages": "anthropic-messages",
    "bedrock-converse": "bedrock-converse-stream",
    "cohere": "cohere",
    "ollama-native": "ollama",
    "google-generative-ai": "google-generative-ai",
    "google-vertex": "google-vertex",
    "openai-responses": "openai-responses",
}
# Case → why our answer is another, and rightly so.
EXCEPTIONS = {
    "amazon-bedrock/empty-text-n-4dcce08d84": "words with their sources are words; the other reader looks at bare text",
    "azure-openai/empty-text-s-cef7f4da15": "chunks of Chat Completions are no answer of this wire, not an empty one",
    "cerebras/tool-call-s-6fd354ee60": "two calls with two ids under one index are two calls, not one with `{}{}`",
    "snowflake/text-s-5e0869bc0e": "a stream that counts its tokens and says [DONE] without a finish reason has stopped",
}
# Requests their own provider refused, for the same reason as we do.
REFUSED = {
    "anthropic/error-400-n-ab3db694f1": "tools[0].input_schema",
    "llamacpp/error-400-n-ee45f5d640": "temperature",
    "ollama/text-n-b0d9196f29": "messages",  # another endpoint: a prompt instead of messages
}


def cases_of(wire: str, shared_wire: Path) -> tuple[Case, ...]:
    cases = load_cases(shared_wire / wire)
    assert cases
    return cases


def streams_of(wire: str, shared_wire: Path) -> list[Case]:
    streams = [c for c in cases_of(wire, shared_wire) if c.status < 400 and c.framing in STREAMS]
    assert streams
    return streams


@pytest.mark.parametrize("wire", WIRES)
def test_every_recorded_answer_reads_as_its_own_sdk_reads_it(wire: str, shared_wire: Path) -> None:
    protocol, wrong = load(WIRES[wire]), []
    cases = cases_of(wire, shared_wire)
    for case in cases:
        usage = BUCKETS[WIRES[wire]](case.expect.get("usage") or {})
        outcome = read_case(protocol, case)
        if isinstance(outcome, Error) and "error_in" not in str(case.expect.keys()):
            usage = Usage()
        found = list(differences(case, _without_extras(outcome), usage))
        wrong += [f"{case.name}: {line}" for line in found if case.name not in EXCEPTIONS]
        assert not (case.name in EXCEPTIONS and not found), f"{case.name} is no exception any more"
    assert not wrong, "\n".join(wrong)
    # One, or one in a hundred.
    assert 100 * (len({case.name for case in cases} & EXCEPTIONS.keys()) - 1) < len(cases)


def _without_extras(outcome: ChatResponse | Error) -> ChatResponse | Error:
    """Return the answer with the main counts alone; shares of them have tests of their own."""
    if isinstance(outcome, Error):
        return outcome
    shares = {"cache_write_1h": None, "audio_input": None, "audio_output": None}
    return replace(outcome, usage=replace(outcome.usage, extras=None, **shares))


# The status decides, unless the body's own words say more.
ERRORS = {
    "error-401": "auth", "error-402": "billing", "error-403": "permission", "error-404": "model_not_found",
    "error-429": "rate_limit", "error-500": "server_error", "error-503": "overloaded", "error-529": "overloaded",
}  # fmt: skip
OTHER_ERRORS = {
    "azure-openai/error-in-200-body-n-23d457db8a": "content_filter",
    "deepseek/error-400-n-5b555f8a45": "model_not_found",
    "deepseek/error-400-n-b0775132f1": "context_overflow",
    "llamacpp/error-400-n-886771d868": "context_overflow",
    "mistral/error-400-n-d56a38ddd1": "model_not_found",
    "ollama-cloud/error-400-n-63a7e4820d": "context_overflow",
    "openai-compatible/sup-error-stream-first-chunk-context-a120a9bed7": "context_overflow",
    "openai/sup-error-429-insufficient-quota-9311534012": "billing",
    "openai/sup-error-500-server-5fa02865f5": "overloaded",
    "openrouter/error-400-n-6749b8876b": "context_overflow",
    "openrouter/error-in-stream-s-4f63ec99e4": "context_overflow",
    "perplexity/error-400-n-3ca64dcf5d": "context_overflow",
    "anthropic/error-400-n-5e973d1af0": "context_overflow",
    "amazon-bedrock/error-400-n-07061f9bb2": "model_not_found",
    "amazon-bedrock/error-400-n-08a214e6d2": "model_not_found",
    "amazon-bedrock/error-403-n-702f4e1001": "auth",  # an expired token, which AWS calls forbidden
    "cohere/error-400-n-eb7328c3fd": "context_overflow",
    "cohere/sup-error-500-message-only-a426b1580b": "overloaded",
    "google/error-400-n-eb19b08be8": "auth",  # Google calls a wrong key an invalid argument
    "google-vertex/error-400-n-40f264154e": "context_overflow",
    "azure-openai/empty-text-s-cef7f4da15": "protocol",
    "openai/error-400-n-52d29674b9": "context_overflow",
    "openai/error-400-n-a61aba9c68": "model_not_found",
    "openai/error-429-n-213a9cca78": "billing",
    "openai/error-in-stream-s-bcbff528cd": "billing",
    "xai/error-400-n-c2f1b91cc0": "model_not_found",
    "anthropic/sup-error-400-credit-balance-d491cf1f14": "billing",
    "anthropic/sup-error-400-prompt-too-long-f051297bfa": "context_overflow",
    "anthropic/sup-error-stream-first-event-overloaded-7715f247cb": "overloaded",
}


@pytest.mark.parametrize("wire", WIRES)
def test_every_recorded_error_is_of_the_class_that_decides_what_happens_next(wire: str, shared_wire: Path) -> None:
    protocol, wrong = load(WIRES[wire]), []
    for case in cases_of(wire, shared_wire):
        outcome = read_case(protocol, case)
        if isinstance(outcome, Error):
            kind = next((t for prefix, t in ERRORS.items() if prefix in case.name), "invalid_request")
            expected = OTHER_ERRORS.get(case.name, kind)
            if outcome.type != expected:
                wrong.append(f"{case.name}: {expected} became {outcome.type}: {outcome.message}")
    assert not wrong, "\n".join(wrong)


# -- usage -------------------------------------------------------------------------


def openai_buckets(raw: dict[str, Any]) -> Usage:
    """Count a raw `usage` by hand: cached tokens out of the prompt, what only the total counts where it belongs."""
    details, written = raw.get("prompt_tokens_details") or {}, raw.get("completion_tokens_details") or {}
    read = _first(details.get("cached_tokens"), raw.get("prompt_cache_hit_tokens"), raw.get("cache_read_input_tokens"),
                  raw.get("cached_tokens"), raw.get("num_cached_tokens"))  # fmt: skip
    write = _first(details.get("cache_write_tokens"), raw.get("cache_creation_input_tokens"))
    thoughts = _first(written.get("reasoning_tokens"), raw.get("reasoning_tokens"))
    prompt, output, total = (raw.get(f"{name}_tokens") for name in ("prompt", "completion", "total"))
    if prompt is None:
        return Usage(None, output, read, write, thoughts)
    cached = (read or 0) + (write or 0)
    fresh = prompt if cached > prompt else prompt - cached
    hidden = max(total - prompt - output, 0) if None not in (total, output) else 0
    if hidden and hidden == details.get("audio_tokens"):
        return Usage(fresh + hidden, output, read, write, thoughts)
    return Usage(fresh, output + hidden if output is not None else None, read, write, thoughts)


def anthropic_buckets(raw: dict[str, Any]) -> Usage:
    """Count a raw `usage` by hand: it is disjoint already."""
    names = ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
    return Usage(*(raw.get(name) for name in names), (raw.get("output_tokens_details") or {}).get("thinking_tokens"))


def _first(*counts: int | None) -> int | None:
    return next((count for count in counts if count is not None), None)


BUCKETS = {
    "openai-completions": openai_buckets,
    "anthropic-messages": anthropic_buckets,
    "bedrock-converse-stream": bedrock_buckets,
    "cohere": cohere_buckets,
    "ollama": ollama_buckets,
    "google-generative-ai": google_buckets,
    "google-vertex": google_buckets,
    "openai-responses": responses_buckets,
}


# -- streams -----------------------------------------------------------------------

# What a stream of events begins with; frames begin with their length.
TEXT = (b"data", b"event", b"id", b":")
# Where a stream first says why it ends.
REASON = re.compile(rb'"(?:finish|stop|done)_?[rR]eason": ?"[a-zA-Z]|"type": ?"response\.(?:completed|incomplete)"')


@pytest.mark.parametrize("wire", WIRES)
def test_no_cut_changes_what_a_short_stream_says(wire: str, shared_wire: Path) -> None:
    protocol = load(WIRES[wire])
    shortest = sorted(streams_of(wire, shared_wire), key=lambda case: len(sse_bytes(case)))[:20]
    for at, case in enumerate(shortest):
        data = sse_bytes(case)
        whole = Heard(protocol, [data]).signature()
        # Twice as long takes four times as long to cut everywhere: only the shortest is, the others where chance says.
        everywhere, some = range(len(data) + 1), min(len(data), 150_000 * DEPTH // len(data))
        for position in everywhere if at < DEPTH and len(data) < 5000 else Random(at).sample(everywhere, some):
            assert Heard(protocol, cut(data, [position])).signature() == whole, f"{case.name} cut at {position}"


@pytest.mark.parametrize("wire", WIRES)
def test_no_stream_depends_on_its_pieces_or_line_ends(wire: str, shared_wire: Path) -> None:
    protocol = load(WIRES[wire])
    for case in streams_of(wire, shared_wire):
        data = sse_bytes(case)
        whole = Heard(protocol, [data]).signature()
        for seed in range(2):
            assert Heard(protocol, random_cuts(data, seed)).signature() == whole, f"{case.name}, seed {seed}"
        for spelling, other in rewrites(data).items() if data.startswith(TEXT) else ():
            pieces = random_cuts(other, len(data), 5)
            assert Heard(protocol, pieces).signature() == whole, f"{case.name}, {spelling}"


@pytest.mark.parametrize("wire", WIRES)
def test_a_stream_cut_short_is_an_error_that_holds_what_was_heard(wire: str, shared_wire: Path) -> None:
    protocol = load(WIRES[wire])
    for case in streams_of(wire, shared_wire):
        data = sse_bytes(case)
        if (reason := REASON.search(data)) is None:
            continue
        end = data.rfind(b"\n\n", 0, reason.start()) + 2 if data.startswith(TEXT) else reason.start()
        heard = Heard(protocol, [data[:end]])
        assert isinstance(heard.error, StreamBroken | BadReply), case.name
        partial = heard.error.partial.text if heard.error.partial else ""
        assert (case.expect["text"] or "").startswith(partial), case.name


# -- requests ----------------------------------------------------------------------

# Everything a server may take, so that nothing recorded is left out on purpose.
GENEROUS = Compat(supports_cache_control=True, supports_images_in_tool_results=True)


@pytest.mark.parametrize("wire", WIRES)
def test_every_recorded_request_survives_our_reading_of_it(wire: str, shared_wire: Path) -> None:
    protocol, wrong = load(WIRES[wire]), []
    for case in cases_of(wire, shared_wire):
        if case.request is None:
            continue
        try:
            request = protocol.parse_request(case.request)
        except InvalidRequest as error:
            if REFUSED.get(case.name) != error.param:
                wrong.append(f"{case.name}: refused: {error}")
            continue
        rendered = protocol.render_request(request, GENEROUS)
        if protocol.render_request(protocol.parse_request(rendered), GENEROUS) != rendered:
            wrong.append(f"{case.name}: says something else the second time")
        want, got = (NORMAL[WIRES[wire]](body) for body in (case.request, rendered))
        wrong += [f"{case.name}: {line}" for line in body_differences(want, got)]
    assert not wrong, "\n".join(wrong)


def body_differences(want: Any, got: Any, at: str = "") -> list[str]:
    """Say where two JSON values differ."""
    if isinstance(want, dict) and isinstance(got, dict):
        names = dict.fromkeys([*want, *got])
        return [line for n in names for line in body_differences(want.get(n), got.get(n), f"{at}.{n}")]
    if isinstance(want, list) and isinstance(got, list) and len(want) == len(got):
        pairs = enumerate(zip(want, got, strict=True))
        return [line for i, (one, other) in pairs for line in body_differences(one, other, f"{at}[{i}]")]
    return [] if want == got else [f"{at}: {str(want)[:200]!r} became {str(got)[:200]!r}"]


# -- spellings that mean the same --------------------------------------------------


def normal_openai(body: dict[str, Any]) -> dict[str, Any]:
    """Spell a request as we do, where two spellings mean the same:

    nulls and `stream: false` left out; `max_completion_tokens` as `max_tokens`; a lone `stop` in a list;
    `random_seed` as `seed`; `developer` as `system`, leading instructions in one message; plain text as a string; a mark on a message
    on its last part; an empty answer beside tool calls left out; thoughts said under two names said once;
    old `functions` as tools, each with its type; `any` as `required`.
    """
    body = {name: value for name, value in _without_nulls(body).items() if (name, value) != ("stream", False)}
    for name, old in (
        ("max_tokens", "max_completion_tokens"),
        ("tool_choice", "function_call"),
        ("seed", "random_seed"),
    ):
        if old in body:
            body[name] = body.pop(old)
    body["tools"] = body.get("tools", []) + [{"type": "function", "function": f} for f in body.pop("functions", [])]
    body["tools"] = [_normal_tool(tool) for tool in body["tools"]]
    if body.get("tool_choice") == "any":
        body["tool_choice"] = "required"
    if body.get("stream"):
        body["stream_options"] = {"include_usage": True, **body.get("stream_options", {})}
    else:
        body.pop("stream_options", None)
    for name, kind in (("max_tokens", int), ("temperature", float), ("top_p", float)):
        if name in body:
            body[name] = kind(body[name])
    if isinstance(body.get("stop"), str):
        body["stop"] = [body["stop"]]
    body["messages"] = _joined([_normal_message(message) for message in body["messages"]])
    return {name: value for name, value in body.items() if value != []}


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nulls(inner) for name, inner in value.items() if inner is not None}
    return [_without_nulls(inner) for inner in value] if isinstance(value, list) else value


def _normal_tool(tool: dict[str, Any]) -> dict[str, Any]:
    function = {name: value for name, value in tool.get("function", {}).items() if (name, value) != ("description", "")}
    return {"type": "function", **tool, "function": function} if function else tool


def _normal_message(message: dict[str, Any]) -> dict[str, Any]:
    message = dict(message)
    message["role"] = {"developer": "system"}.get(message["role"], message["role"])
    content = message.pop("content", "")
    parts = [{"type": "text", "text": content}] * bool(content) if isinstance(content, str) else [*content]
    if (mark := message.pop("cache_control", None)) and parts:
        parts[-1] = {**parts[-1], "cache_control": mark}
    if message["role"] == "assistant" and all(part.keys() == {"type", "text"} for part in parts):
        parts = [{"type": "text", "text": "".join(part["text"] for part in parts)}] * bool(parts)
    message["content"] = [part for part in parts if part != {"type": "text", "text": ""}]
    if message.get("reasoning_content") == message.get("reasoning"):
        message.pop("reasoning", None)
    for call in message.get("tool_calls", []):
        call.pop("index", None)
    return message


def _joined(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    system = [message for message in messages if message["role"] == "system"]
    if messages[: len(system)] != system or len(system) < 2:
        return messages
    return [{"role": "system", "content": [p for m in system for p in m["content"]]}, *messages[len(system) :]]


def normal_anthropic(body: dict[str, Any]) -> dict[str, Any]:
    """Spell a request as we do, where two spellings mean the same:

    nulls, `stream: false`, `is_error: false`, empty tools and descriptions left out; text as blocks;
    neighbours of one role in one message; `output_format` under its newer name.
    """
    body = _without(_without_nulls(body), ("stream", False), ("tools", []))
    if "system" in body:
        body["system"] = _as_blocks(body["system"])
    if "output_format" in body:
        body["output_config"] = {**body.get("output_config", {}), "format": body.pop("output_format")}
    if "tools" in body:
        body["tools"] = [_without(tool, ("description", ""), ("type", "custom")) for tool in body["tools"]]
    messages: list[dict[str, Any]] = []
    for message in body["messages"]:
        blocks = _as_blocks(message["content"])
        if messages and messages[-1]["role"] == message["role"]:
            messages[-1]["content"] += blocks
        else:
            messages.append({**message, "content": blocks})
    return {**body, "messages": messages}


def _as_blocks(content: Any) -> list[dict[str, Any]]:
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
    return [_normal_block(block) for block in blocks]


def _normal_block(block: dict[str, Any]) -> dict[str, Any]:
    if "content" in block and block["type"] == "tool_result":
        block = {**block, "content": _as_blocks(block["content"])}
    return _without(block, ("is_error", False))


def _without(value: dict[str, Any], *fields: tuple[str, Any]) -> dict[str, Any]:
    return {name: inner for name, inner in value.items() if (name, inner) not in fields}


NORMAL = {
    "openai-completions": normal_openai,
    "anthropic-messages": normal_anthropic,
    "bedrock-converse-stream": normal_bedrock,
    "cohere": normal_cohere,
    "ollama": normal_ollama,
    "google-generative-ai": normal_google,
    "google-vertex": normal_vertex,
    "openai-responses": normal_responses,
}
