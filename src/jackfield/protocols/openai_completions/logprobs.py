"""How likely each token of a reply was, both ways (`choices[].logprobs`)."""

from __future__ import annotations

from collections.abc import Sequence

from jackfield.message import JsonObject, TokenLogprob
from jackfield.protocols.fields import as_list, as_object, as_text


def take_logprobs(choice: JsonObject) -> tuple[TokenLogprob, ...]:
    """Read the log probabilities of a choice, and take them out of it where `render_logprobs` would bring them back."""
    held = as_object(choice.get("logprobs"))
    tokens = tuple(_parse(wire) for wire in as_list(held.get("content")) if _is_token(wire))
    if tokens and render_logprobs(tokens) == held:
        del choice["logprobs"]
    return tokens


def _is_token(wire: object) -> bool:
    held = as_object(wire)
    return isinstance(held.get("token"), str) and isinstance(held.get("logprob"), int | float)


def _parse(wire: JsonObject) -> TokenLogprob:
    top = [_parse(inner) for inner in as_list(wire.get("top_logprobs")) if _is_token(inner)]
    return TokenLogprob(as_text(wire["token"]), wire["logprob"], top)


def render_logprobs(tokens: Sequence[TokenLogprob]) -> JsonObject:
    """Write the log probabilities of a reply's tokens."""
    return {
        "content": [{**_render(token), "top_logprobs": [_render(other) for other in token.top]} for token in tokens]
    }


def _render(token: TokenLogprob) -> JsonObject:
    octets = list(token.token.encode("utf-8", "replace"))
    return {"token": token.token, "logprob": token.logprob, "bytes": octets}
