"""The strictest server of each wire: what it does not know, and every null, is a 422.

Which fields there are is judged by each vendor's own types (their SDKs', AWS's service model) or,
where none ships, by closed structs written from the reference. None of it is read off our renderers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NotRequired, Required, Union, get_args, get_origin

import botocore.session
from anthropic.types import message_create_params as anthropic_params
from botocore.validate import ParamValidator
from google.genai import types as google
from mistralai.client.models.chatcompletionrequest import ChatCompletionRequestTypedDict
from msgspec import Struct, ValidationError, convert
from openai.types.chat import completion_create_params as chat_params
from openai.types.responses import response_create_params as responses_params
from pydantic import BaseModel
from pydantic import ValidationError as PydanticError
from typing_extensions import TypeAliasType, get_type_hints, is_typeddict

from tests.protocols.closed import CloudCodeBody, CohereBody, GoogleBody, OllamaBody

Json = dict[str, Any]
Problems = Iterator[str]


def find_problems(api: str, body: Json, extensions: frozenset[str] = frozenset()) -> list[str]:
    """Say everything for which the strictest server of a wire answers 422; `extensions` are fields its docs add."""
    if isinstance(body.get("model"), str):
        body = {**body, "model": "m"}  # any name will do: most providers are sent the same body but for it
    return list(_judge(api, json.dumps(body), extensions))


@cache
def _judge(api: str, said: str, extensions: frozenset[str]) -> tuple[str, ...]:
    body = json.loads(said)
    known = {name: value for name, value in body.items() if name not in extensions}
    return (*nulls(body), *JUDGES[api](known))


def nulls(value: Any, at: str = "") -> Problems:
    """Yield the place of every null; a schema and a default may hold one."""
    if value is None:
        yield f"{at}: null"
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, part in inner:
        if name not in ("schema", "parameters", "input_schema", "inputSchema", "default", "enum"):
            yield from nulls(part, f"{at}.{name}")


# -- typed dicts -------------------------------------------------------------------


@cache
def fields_of(kind: type) -> tuple[dict[str, Any], frozenset[str]]:
    """Return the fields of a typed dict, and which must be there."""
    hints = get_type_hints(kind, include_extras=True)
    # Where annotations are text, only their evaluation tells what may be missing.
    origins: dict[str, Any] = {name: get_origin(hint) for name, hint in hints.items()}
    required = {name for name in kind.__required_keys__ if origins[name] is not NotRequired}  # type: ignore[attr-defined]  # a typed dict's
    return hints, frozenset(required)


def misfits(value: Any, kind: Any, at: str) -> list[str]:
    """Say where a JSON value is not of a type; a dict has no other keys than its typed dict names."""
    origin, args = get_origin(kind), get_args(kind)
    if isinstance(kind, TypeAliasType):
        return misfits(value, kind.__value__, at)
    if origin in (Required, NotRequired, Annotated) or isinstance(origin, TypeAliasType):
        return misfits(value, args[0], at)
    if origin in (Union, UnionType):
        found = [misfits(value, one, at) for one in args if one is not NoneType]
        return min(found, key=lambda wrong: (len(wrong), "".join(wrong)), default=[])
    if is_typeddict(kind):
        return _misfits_of_dict(value, kind, at) if isinstance(value, dict) else [f"{at}: no object"]
    if origin is Literal:
        return [] if value in args else [f"{at}: {value!r} is none of {args}"]
    if origin in (list, tuple) or getattr(origin, "__name__", "") in ("Iterable", "Sequence"):
        if not isinstance(value, list):
            return [f"{at}: no list"]
        return [line for n, part in enumerate(value) for line in misfits(part, args[0], f"{at}[{n}]")]
    if origin in (dict, Mapping) or getattr(origin, "__name__", "") == "Mapping":
        return [] if isinstance(value, dict) else [f"{at}: no object"]
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return [f"{at}: only a reply holds it"] * 99
    plain = {str: str, int: int, float: int | float, bool: bool}.get(kind)
    fits = plain is None or (isinstance(value, plain) and (kind is bool or not isinstance(value, bool)))
    return [] if fits else [f"{at}: {value!r} is no {kind.__name__}"]


def _misfits_of_dict(value: Json, kind: type, at: str) -> list[str]:
    known, required = fields_of(kind)
    wrong = [f"{at}.{name}: unknown" for name in value if name not in known]
    wrong += [f"{at}.{name}: missing" for name in required - value.keys()]
    wrong += [
        line for name in value.keys() & known.keys() for line in misfits(value[name], known[name], f"{at}.{name}")
    ]
    # Another kind of block misfits in its type before all else.
    return [*wrong, *[f"{at}: no {kind.__name__}"] * 9] if any(f"{at}.type: " in line for line in wrong) else wrong


# -- each wire ---------------------------------------------------------------------


def judge_chat(body: Json) -> Problems:
    """Judge a chat completion by OpenAI's own types, and the order of its messages."""
    kind = (
        chat_params.CompletionCreateParamsStreaming
        if body.get("stream")
        else chat_params.CompletionCreateParamsNonStreaming
    )
    yield from misfits(body, kind, "")
    yield from _chat_order(body["messages"])


def judge_mistral(body: Json) -> Problems:
    """Judge a chat completion by Mistral's own types."""
    yield from misfits(_as_sdk_says(body), ChatCompletionRequestTypedDict, "")
    yield from _chat_order(body["messages"])
    ids = [call["id"] for message in body["messages"] for call in message.get("tool_calls", ())]
    yield from (f"tool id {id}" for id in ids if not re.fullmatch(r"[a-zA-Z0-9]{9}", id))  # noqa: A001  # the wire's word


def _as_sdk_says(body: Json) -> Json:
    """Return a body with the one name that Mistral's SDK spells in another way than the wire."""
    wanted = body.get("response_format", {})
    if "json_schema" not in wanted:
        return body
    named = {"schema_definition" if name == "schema" else name: part for name, part in wanted["json_schema"].items()}
    return {**body, "response_format": {**wanted, "json_schema": named}}


def _chat_order(messages: list[Json]) -> Problems:
    due: list[str] = []
    for n, message in enumerate(messages):
        if message["role"] == "tool":
            if message["tool_call_id"] not in due:
                yield f"messages[{n}]: answers no call right before it"
            else:
                due.remove(message["tool_call_id"])
        elif due:
            yield f"messages[{n}]: stands before the results of {due}"
            due = []
        due += [call["id"] for call in message.get("tool_calls", ())]
    yield from [f"no result of {due}"] * bool(due)


def judge_responses(body: Json) -> Problems:
    """Judge a Responses request by OpenAI's own types, and that each output has its call."""
    kind = (
        responses_params.ResponseCreateParamsStreaming
        if body.get("stream")
        else responses_params.ResponseCreateParamsNonStreaming
    )
    yield from misfits(body, kind, "")
    items = body["input"] if isinstance(body.get("input"), list) else []
    calls = {item["call_id"] for item in items if item.get("type") == "function_call"}
    answers = {item["call_id"] for item in items if item.get("type") == "function_call_output"}
    yield from (f"a call or an output alone: {id}" for id in calls ^ answers)  # noqa: A001  # the wire's word


# Sampling is no longer in the SDK's types; the models that take it still do.
SAMPLING = ("temperature", "top_p", "top_k")


def judge_messages(body: Json) -> Problems:
    """Judge a Messages request by Anthropic's own types, and the order of its blocks."""
    held = {name: value for name, value in body.items() if name not in SAMPLING}
    streaming = anthropic_params.MessageCreateParamsStreaming
    kind = streaming if body.get("stream") else anthropic_params.MessageCreateParamsNonStreaming
    yield from misfits(held, kind, "")
    yield from turn_problems(body["messages"])


def turn_problems(messages: list[Json]) -> Problems:
    """Yield what is wrong with the order of Anthropic's turns: roles in turn, each call answered in the next one."""
    due: list[str] = []
    for n, message in enumerate(messages):
        if message["role"] != ("assistant" if n % 2 else "user"):
            yield f"messages[{n}]: {message['role']} is not in turn"
        blocks = message["content"] if isinstance(message["content"], list) else []
        answers = [block["tool_use_id"] for block in blocks if block["type"] == "tool_result"]
        if sorted(answers) != sorted(due):
            yield f"messages[{n}]: answers {answers}, not {due}"
        if any(block["type"] != "tool_result" for block in blocks[: len(answers)]):
            yield f"messages[{n}]: results do not come first"
        due = [block["id"] for block in blocks if block["type"] == "tool_use"]
        yield from (f"tool id {id}" for id in due if not re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", id))  # noqa: A001
    yield from [f"no result of {due}"] * bool(due)


def judge_google(body: Json) -> Problems:
    """Judge a Gemini request by Google's own types, which forbid what they do not know."""
    try:
        held = convert(body, GoogleBody)
    except ValidationError as error:
        yield str(error)
        return
    parts: list[tuple[type[BaseModel], Any]] = [(google.Content, content) for content in held.contents]
    parts += [(google.Tool, tool) for tool in held.tools]
    parts += [(google.SafetySetting, setting) for setting in held.safetySettings]
    parts += [(google.Content, held.systemInstruction), (google.ToolConfig, held.toolConfig)]
    parts += [(google.GenerationConfig, held.generationConfig)]
    for kind, value in parts:
        try:
            kind.model_validate(value)
        except PydanticError as error:
            yield f"{kind.__name__}: {error}"


def judge_cloud_code(body: Json) -> Problems:
    """Judge a Gemini request and the envelope it lies in."""
    yield from closed(CloudCodeBody)(body)
    yield from judge_google(body.get("request", {}))


def judge_bedrock(body: Json) -> Problems:
    """Judge a Converse request by AWS's own service model, and the order of its blocks."""
    errors = ParamValidator().validate({"modelId": "m", **body}, _converse())
    yield from [errors.generate_report()] * errors.has_errors()
    due: list[str] = []
    for n, message in enumerate(body["messages"]):
        if message["role"] != ("assistant" if n % 2 else "user"):
            yield f"messages[{n}]: {message['role']} is not in turn"
        answers = [block["toolResult"]["toolUseId"] for block in message["content"] if "toolResult" in block]
        if sorted(answers) != sorted(due):
            yield f"messages[{n}]: answers {answers}, not {due}"
        due = [block["toolUse"]["toolUseId"] for block in message["content"] if "toolUse" in block]
    yield from [f"no result of {due}"] * bool(due)


@cache
def _converse() -> Any:
    service = botocore.session.Session().get_service_model("bedrock-runtime")
    return service.operation_model("Converse").input_shape


def judge_cohere(body: Json) -> Problems:
    """Judge a chat by the reference, the order of its messages, and that no words stand beside calls."""
    yield from closed(CohereBody)(body)
    yield from _chat_order(body["messages"])
    yield from (
        f"words beside calls: {one['content']}" for one in body["messages"] if one.get("tool_calls") and _words_of(one)
    )


def _words_of(message: Json) -> list[Any]:
    content = message.get("content") or []
    return [part for part in content if isinstance(part, str) or part.get("type") == "text"]


def judge_ollama(body: Json) -> Problems:
    """Judge a chat by the reference, and the order of its messages."""
    yield from closed(OllamaBody)(body)
    yield from _chat_order(body["messages"])


def closed(kind: type[Struct]) -> Callable[[Json], Problems]:
    """Judge a body by a closed struct."""

    def judge(body: Json) -> Problems:
        try:
            convert(body, kind)
        except ValidationError as error:
            yield str(error)

    return judge


JUDGES: dict[str, Callable[[Json], Problems]] = {
    "anthropic-messages": judge_messages,
    "azure-openai-responses": judge_responses,
    "bedrock-converse-stream": judge_bedrock,
    "cohere": judge_cohere,
    "google-generative-ai": judge_google,
    "google-vertex": judge_google,
    "google-gemini-cli": judge_cloud_code,
    "mistral": judge_mistral,
    "ollama": judge_ollama,
    "openai-codex-responses": judge_responses,
    "openai-completions": judge_chat,
    "openai-responses": judge_responses,
}
