"""One embedding request, made into the HTTP request that asks it, and its answer read.

Which codec speaks for a provider follows from the wire it chats in; no provider is known here by name.
"""

from __future__ import annotations

from msgspec.structs import replace

from jackfield.catalog import defaults
from jackfield.catalog.price import bill_usd
from jackfield.credential import RequestAuth
from jackfield.embedding import EmbedRequest, EmbedResponse
from jackfield.errors import BadReply, ConfigError
from jackfield.message import Usage
from jackfield.model import Model, ProviderInfo
from jackfield.protocols.embeddings import find_codec, find_losses
from jackfield.protocols.estimate import estimate_text
from jackfield.providers.provider import move, render_side
from jackfield.providers.reply import check_reply
from jackfield.providers.url import side_url
from jackfield.transport.reply import Sender
from jackfield.transport.request import HttpRequest


def render_embed(request: EmbedRequest, info: ProviderInfo, model: Model, auth: RequestAuth) -> HttpRequest:
    """Return the HTTP request; raise `ConfigError` where an endpoint written in full hides the server's others."""
    api, wire_id = defaults.api(model, info), defaults.wire_id(model)
    codec = find_codec(api)
    info = move(info, auth.base_url)
    base = model.base_url or info.base_url
    url = side_url(base, api, codec.PATH, endpoint=info.endpoint or None, model=wire_id)
    if url is None:
        raise ConfigError(
            f"the address of {info.id} does not tell where its embeddings are",
            hint=f"set models.providers.{info.id}.baseUrl to the API's base, such as https://api.example.com/v1",
        )
    body = codec.render_request(replace(request, model=wire_id), defaults.compat(model, info))
    return render_side(url, body, info, model, auth)


async def embed(
    request: EmbedRequest, info: ProviderInfo, model: Model, auth: RequestAuth, sender: Sender
) -> EmbedResponse:
    """Ask for vectors and price them; raise what the provider has to say, `BadReply` when their number is not that of the texts."""
    codec = find_codec(defaults.api(model, info))
    sent = render_embed(request, info, model, auth)
    reply = await sender.open(sent)
    try:
        await check_reply(reply, info, model, auth.source)
        answer = codec.parse_response(await reply.read())
    finally:
        await reply.close()
    if len(answer.vectors) != len(request.inputs):
        raise BadReply(f"{info.id}/{model.id} gave {len(answer.vectors)} vectors for {len(request.inputs)} texts")
    usage, ref = _fill_usage(answer.usage, request), f"{info.id}/{model.id}"
    return replace(
        answer,
        model=ref,
        usage=usage,
        cost_usd=bill_usd(usage, model.cost or None),
        warnings=[f"{ref}: {loss}" for loss in find_losses(request, codec)],
    )


def _fill_usage(usage: Usage, request: EmbedRequest) -> Usage:
    if usage.input is not None:
        return usage
    tokens = sum(estimate_text(text) if isinstance(text, str) else len(text) for text in request.inputs)
    return replace(usage, input=tokens, estimated=True)
