"""Asking a provider for its list of models, and keeping what it says.

One function asks and returns a value, one writes it down. A list that cannot be had leaves the
last one as it is, with the reason beside it. Knows no config and no clock: both are arguments.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from jackfield.catalog.defaults import as_local
from jackfield.catalog.discovered import FORMAT, Fetched, Shelf, render_fetched
from jackfield.config.disk import hold_lock, save_text
from jackfield.credential import RequestAuth
from jackfield.errors import AuthError, BadReply, ConfigError, ConnectError, Error, ProviderError
from jackfield.model import ListFormat, Model, Network, ProviderInfo, Timeouts
from jackfield.protocols import PACKAGES, load
from jackfield.providers.delay import parse_delay_s
from jackfield.providers.listing import Listing, parse_listing
from jackfield.providers.listing.address import AT_ROOT, ROOT, list_url, plain_url
from jackfield.providers.listing.ollama import parse_details
from jackfield.providers.provider import Headers, move, render_headers
from jackfield.providers.reply import redact
from jackfield.providers.url import side_url
from jackfield.transport.reply import HttpReply, Sender
from jackfield.transport.request import HttpRequest, merge_timeouts

Freshen = Callable[[ProviderInfo, RequestAuth], Awaitable[RequestAuth]]

PATIENCE = Timeouts(connect=5, first_token=10, idle=10, total=30)
PAGES = 20  # a list that goes on is cut here
LIST_LIMIT = 16 * 1024 * 1024  # bytes of one page
NO_LIST = frozenset({404, 405, 501})
DETAILS_LIMIT = 200  # models of one Ollama server that are asked about one by one


class Refreshed(Struct, frozen=True, kw_only=True):
    """What came of asking one provider."""

    provider: str
    head: Fetched
    models: tuple[Model, ...] = ()
    new: tuple[str, ...] = ()  # ids that the last list did not have
    gone: tuple[str, ...] = ()  # ids that only the last list has
    error: Error | None = None  # why there is no new list; the last one is kept


async def as_it_is(_info: ProviderInfo, auth: RequestAuth) -> RequestAuth:
    """Return a credential unchanged, for who renews none."""
    return auth


async def refresh_one(
    transport: Sender, info: ProviderInfo, auth: RequestAuth, shelf: Shelf, now_s: float, freshen: Freshen = as_it_is
) -> Refreshed:
    """Ask a provider for its list, keep it, and return it with what changed; a failure is part of the value.

    Raises `ConfigError` only when the list cannot be written down.
    """
    last, rows = shelf.head(info.id, info.base_url), shelf.models(info.id, info.base_url)
    last = replace(last, format=FORMAT, base_url=info.base_url)
    try:
        head, models = await _fetch(transport, info, await freshen(info, auth), last)
    except Error as error:
        failed = replace(last, error=error.message)
        # Nothing is written of a server of this machine that has never run.
        if last.fetched_at or not (info.local or isinstance(error, ConfigError)):
            await asyncio.to_thread(save, shelf, info.id, failed, rows)
        return Refreshed(provider=info.id, head=failed, models=rows, error=error)
    found = rows if models is None else models
    head = replace(head, fetched_at=now_s, error="")
    # Another process may hold the lock; the answers of the other providers do not wait for it.
    await asyncio.to_thread(save, shelf, info.id, head, found)
    before, after = {row.id for row in rows}, {row.id for row in found}
    return Refreshed(
        provider=info.id,
        head=head,
        models=found,
        new=tuple(row.id for row in found if row.id not in before) if last.fetched_at else (),
        gone=tuple(row.id for row in rows if row.id not in after),
    )


async def ask_list(transport: Sender, info: ProviderInfo, auth: RequestAuth) -> tuple[Model, ...]:
    """Return what a provider lists now; keeps nothing, and raises what the asking raises."""
    _, models = await _fetch(transport, info, auth, Fetched())
    return models or ()


def save(shelf: Shelf, provider: str, head: Fetched, models: Sequence[Model]) -> None:
    """Write a provider's list down, whole or not at all."""
    path = shelf.path(provider)
    with hold_lock(shelf.folder / ".lock"):
        save_text(path, render_fetched(head, tuple(models)))


# -- asking ------------------------------------------------------------------------


async def _fetch(
    transport: Sender, info: ProviderInfo, auth: RequestAuth, last: Fetched
) -> tuple[Fetched, tuple[Model, ...] | None]:
    """Return the list and how to ask for changes of it; `None` for a list that has not changed."""
    # A token may be good at an address of its own; the list is kept under the provider's.
    info = move(info, auth.base_url)
    url, plain = list_url(info), plain_url(info)
    if url is None:
        raise ConfigError(
            f"no list of models is known of {info.id}",
            hint=f"name its models in models.providers.{info.id}.models, or any id in a request",
        )
    try:
        found = await _ask(transport, info, auth, last, url, info.discovery_format)
    except (BadReply, ConnectError) as error:
        if plain is None or not (isinstance(error, BadReply) or error.status in NO_LIST):
            raise
        found = await _ask(transport, info, auth, last, plain, "openai")
    head, models = found
    if models is not None and info.local:
        models = tuple(map(as_local, models))
    return head, models


async def _ask(
    transport: Sender, info: ProviderInfo, auth: RequestAuth, last: Fetched, url: str, form: ListFormat
) -> tuple[Fetched, tuple[Model, ...] | None]:
    asked = _conditions(last) if last.fetched_at else {}
    reply = await transport.open(_request(info, auth, url, asked))
    if reply.status == 304 and asked:
        await reply.close()
        return last, None
    listing = await _read(reply, info, auth, form)
    # A list of several pages has no one mark of its version.
    marks = {} if listing.more else reply.headers
    head = replace(last, etag=marks.get("etag", ""), last_modified=marks.get("last-modified", ""))
    models = {model.id: model for model in listing.models}
    pages = 1
    while listing.more and pages < PAGES:
        page = f"{url}{'&' if '?' in url else '?'}{listing.more}"
        listing = await _read(await transport.open(_request(info, auth, page, {})), info, auth, form)
        models |= {model.id: model for model in listing.models}
        pages += 1
    if form == ROOT:
        return head, await _describe(transport, info, auth, tuple(models.values()))
    return head, tuple(models.values())


async def _describe(
    transport: Sender, info: ProviderInfo, auth: RequestAuth, models: tuple[Model, ...]
) -> tuple[Model, ...]:
    """Return the models with what the server says of each when asked; one it does not describe stays as it is."""
    url = side_url(info.base_url, ROOT, "/api/show", endpoint=info.endpoint or None)
    described: list[Model] = []
    for model in models[:DETAILS_LIMIT] if url else ():
        request = replace(
            _request(info, auth, url or "", {}), method="POST", body=msgspec.json.encode({"model": model.id})
        )
        reply = await transport.open(request)
        body = await reply.read_refusal()
        row = parse_details(model, body) if reply.status == 200 else model
        described += [row] if row else []
    return (*described, *models[DETAILS_LIMIT if url else 0 :])


def _request(info: ProviderInfo, auth: RequestAuth, url: str, more: Headers) -> HttpRequest:
    # The list is asked for as a model is; a provider whose wire this version lacks takes a key as OpenAI does.
    spoken = info if info.api in PACKAGES else replace(info, api="openai-completions")
    headers = render_headers(spoken, Model(id=""), auth, stream=False)
    return HttpRequest(
        method="GET",
        url=url,
        headers=headers | more,
        timeouts=merge_timeouts(PATIENCE, info.timeouts),
        network=info.network or Network(),
        settings=f"models.providers.{info.id}",
    )


def _conditions(last: Fetched) -> Headers:
    said = {"if-none-match": last.etag, "if-modified-since": last.last_modified}
    return {name: value for name, value in said.items() if value}


async def _read(reply: HttpReply, info: ProviderInfo, auth: RequestAuth, form: ListFormat) -> Listing:
    if reply.status == 200:
        body = await reply.read(LIST_LIMIT)
        try:
            return await asyncio.to_thread(parse_listing, body, form)
        except BadReply as error:
            error.hint = f"asked {reply.url}; check models.providers.{info.id}.baseUrl"
            raise redact(error, reply.request) from error.__cause__
    raise redact(await _refusal(reply, info, auth), reply.request)


async def _refusal(reply: HttpReply, info: ProviderInfo, auth: RequestAuth) -> Error:
    body = await reply.read_refusal()
    if reply.status in NO_LIST or reply.status < 400:
        return ConnectError(
            f"{reply.url} is no list of models: HTTP {reply.status}",
            hint=f"check models.providers.{info.id}.baseUrl",
            status=reply.status,
        )
    api = info.api if info.api in PACKAGES and info.discovery_format not in AT_ROOT else "openai-completions"
    error = load(api).parse_error(reply.status, body, reply.headers)
    error.status = reply.status
    if isinstance(error, AuthError):
        what = f"the key is refused (source: {auth.source})" if auth.secret else "a key is wanted"
        error.message = f"{what}: {error.message}"
        error.hint = f"store one: jackfield models auth paste-api-key --provider {info.id}"
    else:
        error.message = f"{error.message} (HTTP {reply.status})"
    if error.retry_after_s is None and isinstance(error, ProviderError):
        error.retry_after_s = parse_delay_s(reply.headers, body)
    return error
