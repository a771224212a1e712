"""The plan of a request as it would come: read by its own codec, and told with the reason of everybody who is left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from jackfield.client import AsyncClient
from jackfield.gateway.responses import narrow
from jackfield.gateway.wires import COMPLETIONS, GEMINI, MESSAGES, RESPONSES
from jackfield.message import ChatRequest, JsonObject
from jackfield.routing.explain import explain

# A field that only one protocol has → the protocol; what has none of them is OpenAI's chat.
MARKS = {
    "input": RESPONSES,
    "contents": GEMINI,
    "system": MESSAGES,
    "stop_sequences": MESSAGES,
    "anthropic_version": MESSAGES,
}


def guess_wire(body: Mapping[str, object]) -> str:
    """Return the protocol that the body of a chat is of."""
    return next((wire for field, wire in MARKS.items() if field in body), COMPLETIONS)


def tell_plan(
    client: AsyncClient, request: ChatRequest, *, fallbacks: Sequence[str] = (), session: str = ""
) -> JsonObject:
    """Return who would be asked, in which order and for how much, who not, and why; asks nobody.

    Raises what a call would raise before it leaves: no such model, or nobody who keeps what it refers to.
    """
    made = narrow(client.plan(request, fallbacks=fallbacks, session=session), request)
    return explain(made, request, client.config, client.pulse.now_ms())
