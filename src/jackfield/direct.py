"""One candidate asked once: its credential, its request, its reply's events. Another try is the walk's business.

What a server teaches on the way (fields it refuses, quotas it tells of) is remembered here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING

from msgspec import convert
from msgspec.structs import replace

from jackfield.auth.beside import Lookups
from jackfield.auth.details import has_flow
from jackfield.auth.resolve import is_moved, open_source, resolve
from jackfield.auth.secret import forget_commands
from jackfield.auth.store import FileStore
from jackfield.catalog import defaults
from jackfield.config.schema import Config
from jackfield.credential import NO_AUTH, RequestAuth
from jackfield.errors import AuthError, BadReply, Error, MissingKey, StreamBroken
from jackfield.events import MessageStart, StreamEvent, split_events
from jackfield.message import ChatRequest, Thinking
from jackfield.model import Model, ProviderInfo
from jackfield.plugins.load import Plugins
from jackfield.protocols.base import StreamParser
from jackfield.providers.learn import TEACHING, describe, learn
from jackfield.providers.lessons import Lessons, with_lesson
from jackfield.providers.names import as_named, find_renamed
from jackfield.providers.provider import check_reply, load_protocol, render
from jackfield.providers.quota import Window, parse_quota
from jackfield.providers.reply import redact
from jackfield.routing.candidate import Candidate
from jackfield.routing.walk import Batches
from jackfield.tape.record import Recorder
from jackfield.transport.http import Transport
from jackfield.transport.reply import REPLY_LIMIT, HttpReply, Sender
from jackfield.transport.request import HttpRequest

if TYPE_CHECKING:
    from jackfield.auth.refresh import Refresher

Tell = Callable[[str], None]  # takes a warning
Hear = Callable[[Mapping[str, str]], None]  # takes the headers of a reply
Take = Callable[[Sequence[StreamEvent]], bool]  # takes events in the moment they come, or tells that they must wait


class Direct:
    """Asks candidates, any number at the same time on one event loop; closes nothing."""

    def __init__(
        self,
        config: Config,
        plugins: Plugins,
        store: FileStore,
        sender: Sender,
        now_ms: Callable[[], int],
        *,
        offline: bool = False,
    ) -> None:
        self.sender = sender
        self._config = config
        self._plugins = plugins
        self._store = store
        self._now_ms = now_ms
        self._offline = offline
        self._lookups = Lookups(config, store)
        self._refresher: Refresher | None = None
        # What a script or a recording refuses says nothing of the real server.
        self._lessons = Lessons(config.paths.cache if sender.is_live else None, now_ms)
        self._told: dict[tuple[str, str], Mapping[str, str]] = {}

    async def attempt(
        self,
        candidate: Candidate,
        request: ChatRequest,
        auth: RequestAuth,
        tell: Tell | None = None,
        hear: Hear | None = None,
        take: Take | None = None,
    ) -> Batches:
        """Yield one candidate's reply, what came together together; raise what its provider, or the way there, has to say.

        With `tell`, a server that refuses a field is asked once more without it, and `tell` is told.
        `hear` gets the headers of every reply, a refusal's too. What `take` takes is not yielded.
        """
        auth = await self.freshen(candidate.info, auth)
        renamed = find_renamed(request, defaults.api(candidate.model, candidate.info))
        reply = await self._open(candidate, with_thinking(request, candidate.model, self._config), auth, tell, hear)
        try:
            await check_reply(reply, candidate.info, candidate.model, auth.source)
            take = None if renamed else take
            async with aclosing(_read(reply, candidate, tell, take, stream=request.stream)) as batches:
                async for batch in batches:
                    if renamed or isinstance(batch[0], MessageStart):
                        yield [_as_ours(event, candidate, renamed) for event in batch]
                    else:
                        yield batch
        except Error as error:
            if isinstance(error, AuthError) and auth.secret:
                forget_commands(auth.secret)
            redact(error, reply.request)  # a server may say the key back amid an answer, too
            raise
        finally:
            await reply.close()

    def taught(self, candidate: Candidate) -> Candidate:
        """Return the candidate with what its server has refused before."""
        return replace(candidate, model=self._lessons.taught(candidate.info, candidate.model))

    def resolve(self, candidate: Candidate) -> RequestAuth:
        """Return the credential a candidate gets now; raise `MissingKey` when there is none and one is needed."""
        info, config = candidate.info, self._config
        try:
            if candidate.source is not None:
                return open_source(candidate.source, info, config, self._store)
            return resolve(info, config, self._store, self._now_ms(), candidate.profile_id)
        except MissingKey:
            if self.sender.is_live:
                raise
            return NO_AUTH

    async def open_auth(self, candidate: Candidate) -> RequestAuth:
        """Return the credential as `resolve` does; a command or a keyring that is asked for it stops nobody else."""
        label = candidate.source.label if candidate.source else ""
        ask = partial(self.resolve, candidate)
        return await self._lookups.find(candidate.info, ask, profile_id=candidate.profile_id, label=label)

    async def freshen(self, info: ProviderInfo, auth: RequestAuth) -> RequestAuth:
        """Return the credential renewed where it has expired; raise `AuthError` saying how to sign in again."""
        if not (self.sender.is_live and has_flow(info)):
            return auth
        if self._refresher is None:
            # Only who has signed in somewhere pays for it.
            from jackfield.auth.refresh import Refresher  # noqa: PLC0415

            self._refresher = Refresher(self._store, self._config.environ, self._open_plain, self._now_ms)
        return await self._refresher.fresh(info, auth, moved=is_moved(info, self._config))

    def quota(self, provider: str, source: str | None = None) -> tuple[Window, ...]:
        """Return what a provider's last reply told of its quota, to one credential (as in `RequestAuth`) or to any."""
        told = [headers for (name, of), headers in self._told.items() if name == provider and source in {None, of}]
        return parse_quota(told[-1]) if told else ()

    def problems(self) -> tuple[str, ...]:
        """Return what plugins, and the recording of exchanges, have failed at so far."""
        return (*self._plugins.problems, *(self.sender.problems if isinstance(self.sender, Recorder) else ()))

    async def _open(
        self, candidate: Candidate, asked: ChatRequest, auth: RequestAuth, tell: Tell | None, hear: Hear | None
    ) -> HttpReply:
        info, model = candidate.info, candidate.model
        sent = render(asked, info, model, auth)
        reply = await self._send(sent, candidate, auth, hear)
        if tell is None or reply.status not in TEACHING:
            return reply
        lesson = learn(reply.status, await reply.read_refusal(), sent.body)
        again = render(asked, info, with_lesson(info, model, lesson), auth) if lesson else sent
        if lesson is None or again.body == sent.body:
            return reply
        tell(f"{candidate.ref}: {describe(lesson)}")
        reply = await self._send(again, candidate, auth, hear)
        # A server that now refuses another field has accepted the loss of the first.
        if reply.status < 400 or learn(reply.status, await reply.read_refusal(), again.body):
            self._lessons.keep(info, model, lesson)
        return reply

    async def _send(self, sent: HttpRequest, candidate: Candidate, auth: RequestAuth, hear: Hear | None) -> HttpReply:
        reply = await self.sender.open(self._plugins.with_headers(sent, str(candidate.ref)))
        key = candidate.info.id, auth.source
        self._told.pop(key, None)  # the last told is the last in the table
        self._told[key] = reply.headers
        if hear is not None:
            hear(reply.headers)
        return reply

    def _open_plain(self) -> Transport:
        # Tokens are never recorded, so their way leads past the recorder.
        return Transport(environ=self._config.environ, offline=self._offline)


def with_thinking(request: ChatRequest, model: Model, config: Config) -> ChatRequest:
    """Return the request with the config's thinking level, where the call gives none and the model reasons."""
    if request.thinking is not None or not config.thinking_default or not model.reasoning:
        return request
    return replace(request, thinking=convert({"effort": config.thinking_default}, Thinking))


def _as_ours(event: StreamEvent, candidate: Candidate, renamed: Mapping[str, str]) -> StreamEvent:
    """Return the event with the names the caller knows: of the model, and of the functions."""
    if isinstance(event, MessageStart):
        return replace(event, model=str(candidate.ref))
    return as_named(event, renamed)


async def _read(
    reply: HttpReply, candidate: Candidate, tell: Tell | None, take: Take | None, *, stream: bool
) -> Batches:
    protocol = load_protocol(candidate.info, candidate.model)
    if not stream or reply.headers.get("content-type", "").startswith("application/json"):
        # Some servers answer a request for a stream with a whole reply.
        yield tuple(split_events(protocol.parse_response(await reply.read())))
        return
    parser = protocol.StreamParser()
    size = 0

    def read(chunk: bytes) -> Sequence[StreamEvent]:
        nonlocal size
        size += len(chunk)
        if size > REPLY_LIMIT:
            raise BadReply(f"the stream of {reply.url} is over {REPLY_LIMIT} bytes")
        events = parser.feed(chunk)
        return () if take and events and take(events) else events

    async with aclosing(reply.pieces(read)) as batches:
        async for batch in batches:
            yield batch
    if events := _close(parser, candidate):
        yield events
    if parser.skipped and tell:
        tell(f"{candidate.ref}: malformed events of the stream were skipped: {parser.skipped}")


def _close(parser: StreamParser, candidate: Candidate) -> Sequence[StreamEvent]:
    try:
        return parser.close()
    except StreamBroken as error:
        # The parser knows the words of a wire, not who spoke them.
        error.message = f"{candidate.ref}: {error.message}"
        error.args = (error.message,)
        error.hint = error.hint or "ask again; what came until then is not the whole answer"
        raise
