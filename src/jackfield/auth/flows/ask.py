"""The network of a sign-in: one question over an open sender, its answer read whole."""

from __future__ import annotations

from msgspec.structs import replace

from jackfield.auth.flows.token import Answer, parse_answer
from jackfield.model import Network, ProviderInfo
from jackfield.transport.reply import Sender
from jackfield.transport.request import HttpRequest

REPLY_LIMIT = 1024 * 1024


async def ask_over(sender: Sender, request: HttpRequest, info: ProviderInfo) -> Answer:
    """Return what the server says, on the way that the provider's settings name; raises `TransportError`."""
    reply = await sender.open(replace(request, network=info.network or Network()))
    return parse_answer(reply.status, await reply.read(REPLY_LIMIT))
