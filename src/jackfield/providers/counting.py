"""Count a request's tokens: the provider's own counter where the catalog names one, else an estimate that says so."""

from __future__ import annotations

import re

import msgspec

from jackfield.catalog import defaults
from jackfield.credential import RequestAuth
from jackfield.errors import Error
from jackfield.message import ChatRequest, TokenCount
from jackfield.model import Model, ProviderInfo
from jackfield.protocols import counting
from jackfield.protocols.estimate import estimate_input, estimate_text
from jackfield.providers.provider import for_wire, move, render_side
from jackfield.providers.reply import check_reply
from jackfield.providers.url import side_url
from jackfield.transport.reply import Sender
from jackfield.transport.request import HttpRequest, shown_url


def estimate(request: ChatRequest, info: ProviderInfo, model: Model, why: str = "") -> TokenCount:
    """Return an estimate; `why` says what kept the provider from counting."""
    tokens = estimate_input(request, defaults.api(model, info))
    return TokenCount(tokens, estimated=True, source=f"estimate: {why or 'the provider has no counter'}")


def render_count(request: ChatRequest, info: ProviderInfo, model: Model, auth: RequestAuth) -> HttpRequest | None:
    """Return the HTTP request that has a chat request counted, `None` where nobody counts."""
    if not info.counting:
        return None
    info = move(info, auth.base_url)
    asked = for_wire(request, info, model)
    counter = counting.find_counter(info.counting)
    base = model.base_url or info.base_url
    url = side_url(base, info.counting, counter.path, endpoint=info.endpoint or None, model=asked.model)
    if url is None:
        return None
    if counter.version is not None:
        url = re.sub(rf"(/v\d+)?{counter.path}$", f"{counter.version}{counter.path}", url)
    body = counting.render_request(asked, info.counting, defaults.compat(model, info))
    return render_side(url, body, info, model, auth)


async def count(
    request: ChatRequest, info: ProviderInfo, model: Model, auth: RequestAuth, sender: Sender
) -> TokenCount:
    """Ask the provider how many tokens a request is; an estimate stands in for an answer that does not come."""
    try:
        sent = render_count(request, info, model, auth)
        if sent is None:
            return estimate(request, info, model)
        reply = await sender.open(sent)
        try:
            await check_reply(reply, info, model, auth.source)
            tokens = counting.parse_response(await reply.read(), info.counting)
        finally:
            await reply.close()
    except Error as error:
        return estimate(request, info, model, error.message)
    is_whole, source = counting.find_counter(info.counting).is_whole, shown_url(sent.url)
    if not is_whole:
        words = msgspec.json.decode(sent.body)["text"]
        rest = estimate_input(request, defaults.api(model, info)) - estimate_text(words)
        return TokenCount(tokens + max(rest, 0), estimated=True, source=f"estimate: {source} counts the words alone")
    return TokenCount(tokens, estimated=False, source=source)
