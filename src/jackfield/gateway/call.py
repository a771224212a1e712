"""What a caller asks, out of the body, the address and the headers: a request, and how it is to be routed."""

from __future__ import annotations

import re
from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace

from jackfield.config.schema import Config
from jackfield.errors import BadReply, InvalidRequest
from jackfield.gateway.exchange import Exchange
from jackfield.gateway.responses import repeat
from jackfield.gateway.routes import Route
from jackfield.gateway.wires import RESPONSES, load_wire
from jackfield.message import ChatRequest, JsonObject
from jackfield.protocols.base import decode
from jackfield.routing.names import DEFAULT

# OpenClaw's names for whatever is configured, besides ours.
MEANS_DEFAULT = re.compile(r"auto|openclaw([:/].+)?|agent:.+")
FALLBACKS = "fallbacks"
YES = frozenset({"1", "true", "yes", "on"})


class Call(Struct, frozen=True, kw_only=True):
    """One question, and what was said about who may answer it."""

    request: ChatRequest
    fallbacks: tuple[str, ...] = ()
    is_strict: bool = False  # what cannot be said to the model is an error
    session: str = ""  # requests that share it prefer the credential whose cache is warm
    include_usage: bool = True  # the caller's wire counts tokens in a stream only when asked
    names_pieces: bool = False  # the caller wants every piece of a tool call to have a name
    repeated: JsonObject = {}  # what the reply says of the request


def decode_body(body: bytes) -> JsonObject:
    """Return a request's body; raise `InvalidRequest` when it is no JSON object."""
    try:
        return decode(body, "request")
    except BadReply as error:
        raise InvalidRequest(error.message) from error


def read_call(body: JsonObject, route: Route, exchange: Exchange, config: Config) -> Call:
    """Read a chat request of the route's wire; raise `InvalidRequest` naming the field that is wrong."""
    fallbacks = parse_fallbacks(body.pop(FALLBACKS, None)) or _split(exchange.header(b"x-jackfield-fallbacks"))
    request = load_wire(route.wire).parse_request(body)
    request = replace(
        request,
        model=find_model(route.model or request.model, exchange, config),
        stream=route.stream or (request.stream and not route.model),
    )
    options = body.get("stream_options")
    return Call(
        request=request,
        fallbacks=fallbacks,
        is_strict=exchange.header(b"x-jackfield-strict").lower() in YES,
        session=exchange.header(b"x-openclaw-session-key") or request.cache_key or request.user or "",
        include_usage=isinstance(options, Mapping) and options.get("include_usage") is True,
        names_pieces="mistralai" in exchange.header(b"user-agent"),
        repeated=repeat(body) if route.wire == RESPONSES else {},
    )


def find_model(said: str, exchange: Exchange, config: Config) -> str:
    """Return the name of the model that is asked for, in this program's words."""
    name = exchange.header(b"x-openclaw-model") or said
    if MEANS_DEFAULT.fullmatch(name) and name.lower() not in config.aliases and name not in config.routes:
        return DEFAULT
    return name or DEFAULT


def parse_fallbacks(value: object) -> tuple[str, ...]:
    """Read the models that a body names for when the others fail; raise `InvalidRequest`."""
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise InvalidRequest(f"{FALLBACKS} must be a list of texts")
    return tuple(value)


def _split(header: str) -> tuple[str, ...]:
    return tuple(name for each in header.split(",") if (name := each.strip()))
