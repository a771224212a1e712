"""Which question an address asks, and in which protocol. Looks at method and path alone.

Names of models may hold slashes and colons: what stands behind the last colon is Gemini's verb,
what stands before it belongs to the name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from jackfield.gateway.refusal import NoRoute, WrongMethod
from jackfield.gateway.wires import COMPLETIONS, GEMINI, LEGACY, MESSAGES, RESPONSES

Kind = Literal["chat", "count", "embed", "models", "model", "explain", "health", "ready", "metrics", "about"]


class Route(Struct, frozen=True):
    """One thing to ask for; `endpoint` is its name in the config."""

    kind: Kind
    wire: str = COMPLETIONS
    endpoint: str = ""
    stream: bool = False  # where the address says so and not the body
    model: str = ""  # where the address names it


EXACT: dict[str, tuple[str, Route]] = {
    "/v1/chat/completions": ("POST", Route("chat", COMPLETIONS, "chatCompletions")),
    "/v1/responses": ("POST", Route("chat", RESPONSES, "responses")),
    "/v1/messages": ("POST", Route("chat", MESSAGES, "messages")),
    "/v1/messages/count_tokens": ("POST", Route("count", MESSAGES, "messages")),
    "/v1/embeddings": ("POST", Route("embed", COMPLETIONS, "embeddings")),
    "/v1/completions": ("POST", Route("chat", LEGACY, "completions")),
    "/v1/responses/input_tokens": ("POST", Route("count", RESPONSES, "responses")),
    "/v1/models": ("GET", Route("models", COMPLETIONS, "models")),
    "/v1beta/models": ("GET", Route("models", GEMINI, "gemini")),
    "/v1/route/explain": ("POST", Route("explain")),
    "/healthz": ("GET", Route("health")),
    "/readyz": ("GET", Route("ready")),
    "/metrics": ("GET", Route("metrics")),
    "/": ("GET", Route("about")),
}
# What one asks of a Gemini model → kind of question, and whether it is streamed.
VERBS: dict[str, tuple[Kind, bool]] = {
    "generateContent": ("chat", False),
    "streamGenerateContent": ("chat", True),
    "countTokens": ("count", False),
    "embedContent": ("embed", False),
    "batchEmbedContents": ("embed", False),
}
# Vercel's client leaves `models/` out before a name that holds a slash.
GEMINI_MODELS = ("/v1beta/models/", "/v1alpha/models/", "/v1/models/", "/v1beta/", "/v1alpha/")
PREFIX = "/anthropic"


# Headers by which a client is known; all three have a list of models at the same address.
CLIENTS = ((b"anthropic-version", MESSAGES), (b"x-goog-api-key", GEMINI), (b"x-goog-api-client", GEMINI))


def find_client(headers: Mapping[bytes, bytes]) -> str:
    """Return the wire whose client this is, as its headers tell; OpenAI's have none of their own."""
    for name, wire in CLIENTS:
        if name in headers:
            return wire
    return COMPLETIONS


def find_route(method: str, path: str, client: str = COMPLETIONS) -> Route:
    """Return what an address asks for; raise `NoRoute` or `WrongMethod`.

    `path` is unquoted; `client` tells apart what several wires have at one address.
    """
    method = "GET" if method == "HEAD" else method  # the server leaves the body out
    own = path.removeprefix(PREFIX) if path.startswith(f"{PREFIX}/") else path
    if (found := EXACT.get(own)) is not None:
        wanted, route = found
        if method != wanted:
            raise _wrong_method(method, path, wanted)
        if route.kind == "models" and route.wire == COMPLETIONS:
            return Route("models", client if own is path else MESSAGES, "models")
        return route
    return _named(method, own, client if own is path else MESSAGES)


def _named(method: str, path: str, client: str) -> Route:
    prefix = next((each for each in GEMINI_MODELS if path.startswith(each) and len(path) > len(each)), None)
    if prefix is None:
        raise NoRoute(f"there is nothing at {method} {path}", hint="the routes: docs/gateway.md")
    name = path[len(prefix) :]
    if method == "GET":
        wire = client if prefix == "/v1/models/" else GEMINI
        return Route("model", wire, "gemini" if wire == GEMINI else "models", model=name)
    model, _, verb = name.rpartition(":")
    if method != "POST" or (verb not in VERBS and prefix == "/v1/models/"):
        raise _wrong_method(method, path, "GET")
    if verb not in VERBS or not model:
        raise NoRoute(f"Gemini's models have no method {verb!r} here", hint=f"they have {', '.join(VERBS)}")
    kind, stream = VERBS[verb]
    return Route(kind, GEMINI, "gemini", stream, model)


def guess_wire(path: str, client: str = COMPLETIONS) -> str:
    """Return the protocol to refuse a request in that has no route."""
    if path.startswith((f"{PREFIX}/", "/v1/messages")):
        return MESSAGES
    return GEMINI if path.startswith(("/v1beta", "/v1alpha")) else client


def _wrong_method(method: str, path: str, wanted: str) -> WrongMethod:
    return WrongMethod(f"{path} takes {wanted}, not {method}", wanted)
