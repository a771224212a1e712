"""The client: a request in, a reply out, over whichever provider and protocol the config names."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Self

from msgspec import convert
from msgspec.structs import replace

from jackfield.auth.details import has_flow
from jackfield.auth.resolve import is_moved, resolve
from jackfield.auth.store import FileStore, open_store
from jackfield.auth.use_notes import UseNotes
from jackfield.catalog import defaults
from jackfield.catalog.lifecycle import foretell
from jackfield.catalog.load import Catalog
from jackfield.config.default import load_default
from jackfield.config.schema import Config
from jackfield.credential import RequestAuth
from jackfield.embedding import EmbedRequest, EmbedResponse
from jackfield.errors import BadReply, MissingKey, StreamBroken, UsageError
from jackfield.events import MessageStart, StreamEvent, split_events
from jackfield.message import ChatRequest, ChatResponse, Thinking, TokenCount
from jackfield.model import Model, ProviderInfo
from jackfield.plugins.load import Plugins
from jackfield.protocols.base import StreamParser
from jackfield.providers.counting import count, estimate
from jackfield.providers.embedding import embed
from jackfield.providers.learn import TEACHING, describe, learn
from jackfield.providers.lessons import Lessons, with_lesson
from jackfield.providers.names import as_named, find_renamed
from jackfield.providers.provider import check_reply, load_protocol, render
from jackfield.providers.quota import Window, parse_quota
from jackfield.reply import ChatStream
from jackfield.routing.failover import Events
from jackfield.routing.plan import Candidate, Plan, plan
from jackfield.tape.record import Recorder
from jackfield.tape.replay import Player
from jackfield.transport.http import Transport
from jackfield.transport.reply import REPLY_LIMIT, HttpReply, Sender

Tell = Callable[[str], None]  # takes a warning
NO_AUTH = RequestAuth(secret=None, source="none")
if TYPE_CHECKING:
    from jackfield.auth.refresh import Refresher
    from jackfield.providers.refresh import Refreshed


class AsyncClient:
    """Asks models. Open it with `async with`, or `close()` it; it holds the connections.

    Without arguments the config comes from the usual places (`JACKFIELD_CONFIG`,
    `~/.jackfield/jackfield.json`, …); `config` may also be a path or the config itself as a
    mapping. Safe for any number of requests at the same time on one event loop. `record`
    keeps every exchange in a folder, `replay` answers from one, `transport` is any other network.
    """

    def __init__(  # noqa: PLR0913  all but the first are named
        self,
        config: Config | str | Path | Mapping[str, object] | None = None,
        *,
        catalog: Catalog | None = None,
        plugins: Plugins | None = None,
        store: FileStore | None = None,
        offline: bool = False,
        transport: Sender | None = None,
        record: str | Path | None = None,
        replay: str | Path | None = None,
    ) -> None:
        self.config = config if isinstance(config, Config) else load_default(config)
        self.plugins = plugins or Plugins(self.config)
        self.catalog = catalog or Catalog(self.config, self.plugins.providers)
        self.store = store or open_store(self.config)
        self._transport = transport or _open_sender(self.config, record, replay, offline=offline)
        self._offline = offline
        self._refresher: Refresher | None = None
        # What a script or a recording refuses says nothing of the real server.
        self._lessons = Lessons(self.config.paths.cache if self._transport.is_live else None, _now_ms)
        self._uses = UseNotes(self.store, _now_ms)
        self._told: dict[tuple[str, str], Mapping[str, str]] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections; streams still open break."""
        await self._uses.close()
        await self._transport.close()

    async def chat(
        self,
        request: ChatRequest,
        *,
        fallbacks: Sequence[str] = (),
        profile_id: str | None = None,
        strict: bool = False,
    ) -> ChatResponse:
        """Ask and return the whole reply; it says who answered, what it cost, what was tried."""
        made = self.plan(request, fallbacks=fallbacks, profile_id=profile_id)
        return await ChatStream(self, replace(request, stream=False), made, strict=strict).response()

    def stream(
        self,
        request: ChatRequest,
        *,
        fallbacks: Sequence[str] = (),
        profile_id: str | None = None,
        strict: bool = False,
    ) -> ChatStream:
        """Ask and return the reply as it comes: an async iterable of events.

        Nothing is sent before the first event is asked for. `strict` turns what the target's
        wire cannot carry into an error; otherwise it becomes a warning of the reply.
        """
        made = self.plan(request, fallbacks=fallbacks, profile_id=profile_id)
        return ChatStream(self, replace(request, stream=True), made, strict=strict)

    async def count_tokens(self, request: ChatRequest, *, profile_id: str | None = None) -> TokenCount:
        """Return how many tokens a request is: as its provider counts, or an estimate that says why."""
        candidate = self.plan(request, profile_id=profile_id).candidates[0]
        asked = with_thinking(request, candidate.model, self.config)
        try:
            auth = self.resolve(candidate) if candidate.info.counting else NO_AUTH
        except MissingKey as error:
            return estimate(asked, candidate.info, candidate.model, error.message)
        auth = await self.freshen(candidate.info, auth)
        return await count(asked, candidate.info, candidate.model, auth, self._transport)

    async def embed(self, request: EmbedRequest, *, profile_id: str | None = None) -> EmbedResponse:
        """Return one vector per text. Only the first model of a name is asked: vectors of another do not compare."""
        if not request.model:
            raise UsageError("no embedding model is named", hint="such as openai/text-embedding-3-small")
        made = self.plan(ChatRequest(model=request.model), profile_id=profile_id)
        candidate = made.candidates[0]
        auth = await self.freshen(candidate.info, self.resolve(candidate))
        answer = await embed(request, candidate.info, candidate.model, auth, self._transport)
        return replace(answer, requested=made.requested, warnings=(*made.warnings, *answer.warnings))

    def plan(self, request: ChatRequest, *, fallbacks: Sequence[str] = (), profile_id: str | None = None) -> Plan:
        """Return what would be tried for a request, and why; sends nothing."""
        made = plan(request, self.config, self.catalog, fallbacks=fallbacks, profile_id=profile_id)
        first, today = made.candidates[0], datetime.now(UTC).date()
        return replace(made, warnings=(*made.warnings, *foretell(str(first.ref), first.model, today)))

    def models(self, provider: str | None = None) -> tuple[tuple[str, Model], ...]:
        """Return every known model as (`provider/model`, row), of one provider or of all; sends nothing."""
        ids = self.catalog.provider_ids() if provider is None else (self.catalog.normalise(provider),)
        return tuple((f"{each}/{model.id}", model) for each in ids for model in self.catalog.models(each))

    async def refresh_models(self, providers: Sequence[str] = ()) -> tuple[Refreshed, ...]:
        """Ask providers for their lists of models, at once, and keep what they say; `models()` knows it then.

        Without names those are asked that have a list and a credential, and the servers of this
        machine that answer. A failure is part of the result and costs no other provider anything.
        """
        # Only who refreshes pays for the parsers of lists.
        from jackfield.listings import refresh_listings  # noqa: PLC0415

        return await refresh_listings(self._transport, self.config, self.catalog, self.store, providers, self.freshen)

    async def attempt(
        self, candidate: Candidate, request: ChatRequest, auth: RequestAuth, tell: Tell | None = None
    ) -> Events:
        """Yield one candidate's reply; raise what its provider, or the way there, has to say.

        With `tell`, a server that refuses a field is asked once more without it, and `tell` is told.
        """
        auth = await self.freshen(candidate.info, auth)
        renamed = find_renamed(request, defaults.api(candidate.model, candidate.info))
        reply = await self._open(candidate, with_thinking(request, candidate.model, self.config), auth, tell)
        try:
            async with aclosing(_read(reply, candidate, request, auth.source)) as events:
                async for event in events:
                    start = isinstance(event, MessageStart)
                    yield replace(event, model=str(candidate.ref)) if start else as_named(event, renamed)
        finally:
            await reply.close()

    async def _open(self, candidate: Candidate, asked: ChatRequest, auth: RequestAuth, tell: Tell | None) -> HttpReply:
        info, model = candidate.info, candidate.model
        sent = self.plugins.with_headers(render(asked, info, model, auth), str(candidate.ref))
        reply = await self._transport.open(sent)
        self._told.pop((info.id, auth.source), None)  # the last told is the last in the table
        self._told[info.id, auth.source] = reply.headers
        if tell is None or reply.status not in TEACHING:
            return reply
        lesson = learn(reply.status, await reply.read_refusal(), sent.body)
        again = render(asked, info, with_lesson(info, model, lesson), auth) if lesson else sent
        if lesson is None or again.body == sent.body:
            return reply
        again = self.plugins.with_headers(again, str(candidate.ref))
        tell(f"{candidate.ref}: {describe(lesson)}")
        reply = await self._transport.open(again)
        # A server that now refuses another field has accepted the loss of the first.
        if reply.status < 400 or learn(reply.status, await reply.read_refusal(), again.body):
            self._lessons.keep(info, model, lesson)
        return reply

    def quota(self, provider: str, source: str | None = None) -> tuple[Window, ...]:
        """Return what a provider's last reply told of its quota, to one credential (as in `RequestAuth`) or to any."""
        told = [headers for (name, of), headers in self._told.items() if name == provider and source in {None, of}]
        return parse_quota(told[-1]) if told else ()

    def problems(self) -> tuple[str, ...]:
        """Return what plugins, and the recording of exchanges, have failed at so far."""
        return (*self.plugins.problems, *(self._transport.problems if isinstance(self._transport, Recorder) else ()))

    def note_success(self, profile_id: str | None) -> None:
        """Remember that a profile answered, so that another one is next; sends and awaits nothing."""
        if profile_id and self._transport.is_live:
            self._uses.note(profile_id)

    def taught(self, candidate: Candidate) -> Candidate:
        """Return the candidate with what its server has refused before."""
        return replace(candidate, model=self._lessons.taught(candidate.info, candidate.model))

    async def freshen(self, info: ProviderInfo, auth: RequestAuth) -> RequestAuth:
        """Return the credential renewed where it has expired; raise `AuthError` saying how to sign in again."""
        if not (self._transport.is_live and has_flow(info)):
            return auth
        if self._refresher is None:
            # Only who has signed in somewhere pays for it.
            from jackfield.auth.refresh import Refresher  # noqa: PLC0415

            self._refresher = Refresher(self.store, self.config.environ, self._open_plain, _now_ms)
        return await self._refresher.fresh(info, auth, moved=is_moved(info, self.config))

    def _open_plain(self) -> Transport:
        # Tokens are never recorded, so their way leads past the recorder.
        return Transport(environ=self.config.environ, offline=self._offline)

    def resolve(self, candidate: Candidate) -> RequestAuth:
        """Return the credential a candidate gets now; raise `MissingKey` when there is none and one is needed."""
        try:
            return resolve(candidate.info, self.config, self.store, _now_ms(), candidate.profile_id)
        except MissingKey:
            if self._transport.is_live:
                raise
            return NO_AUTH


def _open_sender(config: Config, record: str | Path | None, replay: str | Path | None, *, offline: bool) -> Sender:
    if record is None and replay is None:
        record, replay = config.paths.record, config.paths.replay
    if record and replay:
        raise UsageError("exchanges cannot be recorded and replayed at once", hint="give one of the two folders")
    if replay:
        return Player(Path(replay))
    live = Transport(environ=config.environ, offline=offline)
    return Recorder(live, Path(record)) if record else live


def _now_ms() -> int:
    return int(time.time() * 1000)


def with_thinking(request: ChatRequest, model: Model, config: Config) -> ChatRequest:
    """Return the request with the config's thinking level, where the call gives none and the model reasons."""
    if request.thinking is not None or not config.thinking_default or not model.reasoning:
        return request
    return replace(request, thinking=convert({"effort": config.thinking_default}, Thinking))


async def _read(reply: HttpReply, candidate: Candidate, request: ChatRequest, source: str) -> Events:
    protocol = load_protocol(candidate.info, candidate.model)
    await check_reply(reply, candidate.info, candidate.model, source)
    if not request.stream or reply.headers.get("content-type", "").startswith("application/json"):
        # Some servers answer a request for a stream with a whole reply.
        for event in split_events(protocol.parse_response(await reply.read())):
            yield event
        return
    parser = protocol.StreamParser()
    size = 0
    async for chunk in reply.chunks():
        size += len(chunk)
        if size > REPLY_LIMIT:
            raise BadReply(f"the stream of {reply.url} is over {REPLY_LIMIT} bytes")
        for event in parser.feed(chunk):
            yield event
    for event in _close(parser, candidate):
        yield event


def _close(parser: StreamParser, candidate: Candidate) -> Sequence[StreamEvent]:
    try:
        return parser.close()
    except StreamBroken as error:
        # The parser knows the words of a wire, not who spoke them.
        error.message = f"{candidate.ref}: {error.message}"
        error.args = (error.message,)
        error.hint = error.hint or "ask again; what came until then is not the whole answer"
        raise
