"""One catalog row, one model and one request, made into the HTTP request that asks it.

What differs between providers comes from the row (`ProviderInfo`, `Model`, `Compat`); what
differs between wires from the protocol. No provider is known here by name.
"""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from jackfield import __version__
from jackfield.catalog import defaults
from jackfield.credential import RequestAuth, Secret
from jackfield.errors import InvalidRequest
from jackfield.message import ChatRequest, JsonObject, Thinking
from jackfield.model import Compat, Model, Network, ProviderInfo, Timeouts
from jackfield.protocols import load
from jackfield.protocols.base import Protocol
from jackfield.protocols.features import LEFT_OUT
from jackfield.providers.limits import find_model_losses, spare_model
from jackfield.providers.names import with_legal_names
from jackfield.providers.params import apply_params
from jackfield.providers.reply import check_reply
from jackfield.providers.thoughts import drop_foreign_thoughts
from jackfield.providers.turns import find_gaps, mend_turns
from jackfield.providers.url import beside_url, chat_url
from jackfield.transport.request import HttpRequest, merge_timeouts

__all__ = ["check_reply", "find_losses", "for_wire", "load_protocol", "move", "render", "render_side"]

Headers = dict[str, str | Secret]
# Wires that refuse a request without a limit to its answer.
NEEDS_MAX_TOKENS = frozenset({"anthropic-messages"})
# Ollama cuts a conversation to a window of its own, in silence, unless it is told how long one may be.
WINDOW_FIELD = {"ollama": "num_ctx"}
# Before its first word a reasoning model thinks, and a local one is read from the disk.
SLOW_START = Timeouts(first_token=300)
NO_KEY = "\0"  # stands where a key would, so that the headers that carry one can be left out


def render(request: ChatRequest, info: ProviderInfo, model: Model, auth: RequestAuth) -> HttpRequest:
    """Return the HTTP request that asks `model` of `info` the question.

    Raises `ConfigError` for a URL that is none and for an api without a protocol,
    `InvalidRequest` for what no JSON can hold.
    """
    info = move(info, auth.base_url)
    if auth.params:
        request = replace(request, extras={**auth.params, **request.extras})
    asked = for_wire(request, info, model)
    return HttpRequest(
        url=chat_url(
            model.base_url or info.base_url,
            defaults.api(model, info),
            endpoint=_endpoint(info, model),
            model=asked.model,
            stream=asked.stream,
        ),
        headers=render_headers(info, model, auth, stream=asked.stream),
        body=_encode(_render_body(asked, info, model)),
        stream=asked.stream,
        aws=auth.aws,
        adc=auth.adc,
        timeouts=timers_of(info, model, stream=asked.stream),
        network=info.network or Network(),
        settings=f"models.providers.{info.id}",
    )


def move(info: ProviderInfo, base_url: str) -> ProviderInfo:
    """Return the provider at the address where a credential is good; empty: at its own."""
    if not base_url:
        return info
    endpoint = info.endpoint
    if endpoint.startswith(info.base_url):
        endpoint = base_url.rstrip("/") + endpoint.removeprefix(info.base_url)
    return replace(info, base_url=base_url, endpoint=endpoint)


def _endpoint(info: ProviderInfo, model: Model) -> str | None:
    """Return the full request URL, where one is given: it is the provider's wire's; another wire's stands beside it."""
    api = defaults.api(model, info)
    if not info.endpoint or api == info.api:
        return info.endpoint or None
    return beside_url(info.endpoint, info.api, api, model=defaults.wire_id(model)) or info.endpoint


def render_side(url: str, body: JsonObject, info: ProviderInfo, model: Model, auth: RequestAuth) -> HttpRequest:
    """Return the HTTP request that puts another question than a chat to the same server."""
    return HttpRequest(
        url=url,
        headers=render_headers(info, model, auth, stream=False),
        body=_encode(body),
        aws=auth.aws,
        adc=auth.adc,
        timeouts=merge_timeouts(Timeouts(), info.timeouts, model.timeouts or None),
        network=info.network or Network(),
        settings=f"models.providers.{info.id}",
    )


def _render_body(asked: ChatRequest, info: ProviderInfo, model: Model) -> JsonObject:
    compat = defaults.compat(model, info)
    body = load_protocol(info, model).render_request(asked, compat)
    return {name: value for name, value in body.items() if name not in (compat.unsupported_fields or ())}


def _encode(body: JsonObject) -> bytes:
    try:
        return msgspec.json.encode(body)
    except UnicodeEncodeError as error:
        raise InvalidRequest(
            f"the request holds half a character, U+{ord(error.object[error.start]):04X}, which no service reads",
            hint="decode text with errors='replace', or send the bytes as an attachment",
        ) from error


def load_protocol(info: ProviderInfo, model: Model) -> Protocol:
    """Return the protocol a model is spoken to in; raise `ConfigError` naming an api that has none."""
    return load(defaults.api(model, info))


def find_losses(request: ChatRequest, info: ProviderInfo, model: Model) -> tuple[str, ...]:
    """Name what of a request does not reach the model, or not as it was said, in words for the user."""
    protocol, compat = load_protocol(info, model), defaults.compat(model, info)
    # What another model signed is not sent, and what rests on it (Anthropic's thinking) neither.
    messages = drop_foreign_thoughts(request.messages, f"{info.id}/{model.id}")
    asked = spare_model(replace(request, messages=messages), model, protocol.NAME)
    return (
        *find_model_losses(request, model, protocol.NAME),
        *find_gaps(request.messages),
        *protocol.find_losses(asked, compat),
        *_find_refused(asked, protocol, compat),
    )


def _find_refused(asked: ChatRequest, protocol: Protocol, compat: Compat) -> list[str]:
    if not compat.unsupported_fields:
        return []
    body = protocol.render_request(asked, compat)
    return [f"{name}: {LEFT_OUT}: the server refuses it" for name in compat.unsupported_fields if name in body]


def render_headers(info: ProviderInfo, model: Model, auth: RequestAuth, *, stream: bool) -> Headers:
    """Return the headers of a request; those of the config win over ours, an empty one removes."""
    accept = f"{load_protocol(info, model).STREAM_TYPE}, application/json" if stream else "application/json"
    headers: Headers = {"content-type": "application/json", "accept": accept, "user-agent": f"jackfield/{__version__}"}
    headers |= _auth_headers(info, model, auth)
    for given in (info.headers, auth.headers, model.headers or {}):
        headers |= {name.lower(): value for name, value in given.items()}
    return {name: value for name, value in headers.items() if value}


def _auth_headers(info: ProviderInfo, model: Model, auth: RequestAuth) -> Headers:
    key = auth.secret.reveal() if auth.secret else NO_KEY
    wire = load_protocol(info, model).auth_headers(key)
    headers: Headers = {name.lower(): value for name, value in wire.items() if key not in value}
    if not auth.secret:
        return headers
    if info.auth_header:
        return headers | {"authorization": Secret(f"Bearer {key}")}
    return headers | {name.lower(): Secret(value) for name, value in wire.items() if key in value}


# -- the request as the wire's own -------------------------------------------------


def for_wire(request: ChatRequest, info: ProviderInfo, model: Model) -> ChatRequest:
    """Return the request as this model gets it: its own id, its settings, its limits, no one else's thoughts."""
    api = defaults.api(model, info)
    asked = apply_params(
        with_legal_names(request, api), {**_own_params(model, api), **info.params, **(model.params or {})}
    )
    asked = replace(
        asked,
        model=defaults.wire_id(model),
        messages=mend_turns(drop_foreign_thoughts(asked.messages, f"{info.id}/{model.id}")),
        max_tokens=_limit(asked.max_tokens, info, model),
    )
    if asked.thinking is None and model.effort:
        asked = replace(asked, thinking=msgspec.convert({"effort": model.effort}, Thinking))
    return spare_model(asked, model, load_protocol(info, model).NAME)


def _own_params(model: Model, api: str) -> JsonObject:
    """Return the fields of a wire whose server must be told what the row says, and would guess low."""
    return {WINDOW_FIELD[api]: model.context_window} if api in WINDOW_FIELD and model.context_window else {}


def timers_of(info: ProviderInfo, model: Model, *, stream: bool) -> Timeouts:
    """Return what is said of a model's timers, by the user or by its kind; `None` in it: nothing is."""
    # A whole reply has more time than that: it comes when its last word is written.
    kind = SLOW_START if stream and (info.local or defaults.reasons(model)) else Timeouts()
    return merge_timeouts(kind, info.timeouts, model.timeouts or None)


def _limit(asked: int | None, info: ProviderInfo, model: Model) -> int | None:
    """Return the most tokens to ask for, within what the model is known to write; `None` leaves it to the server."""
    if asked is None:
        return defaults.max_tokens(model, info) if defaults.api(model, info) in NEEDS_MAX_TOKENS else None
    bounds = (model.max_tokens or info.max_tokens, model.context_window)
    return min([asked, *(bound for bound in bounds if bound and bound > 0)])
