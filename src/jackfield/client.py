"""The client: a request in, a reply out, over whichever provider and protocol the config names."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Self, Unpack

from msgspec.structs import replace

from jackfield.auth.sources import Source, sources
from jackfield.auth.store import FileStore, open_store
from jackfield.auth.use_notes import UseNotes
from jackfield.catalog import defaults
from jackfield.catalog.lifecycle import foretell
from jackfield.catalog.load import Catalog
from jackfield.config.default import load_default
from jackfield.config.schema import Config
from jackfield.credential import NO_AUTH
from jackfield.direct import Direct, with_thinking
from jackfield.embedding import EmbedRequest, EmbedResponse
from jackfield.errors import MissingKey, Overloaded, UsageError
from jackfield.health.store import HealthStore, MemoryHealth, open_health
from jackfield.ledger.journal import Asker, Journal
from jackfield.ledger.place import find_url
from jackfield.message import Attempt, ChatRequest, ChatResponse, JsonObject, TokenCount
from jackfield.model import Model, ProviderInfo
from jackfield.plugins.load import Plugins
from jackfield.providers.counting import count, estimate
from jackfield.providers.embedding import embed
from jackfield.providers.quota import Window
from jackfield.reply import ChatOptions, ChatStream
from jackfield.routing.candidate import Candidate, Plan
from jackfield.routing.explain import explain
from jackfield.routing.plan import Moment, plan
from jackfield.routing.session import Sessions
from jackfield.routing.walk import Pulse
from jackfield.spend.budget import open_budget
from jackfield.tape.record import Recorder
from jackfield.tape.replay import Player
from jackfield.toll import Toll
from jackfield.transport.http import Transport
from jackfield.transport.reply import Sender

if TYPE_CHECKING:
    from jackfield.providers.refresh import Refreshed


REAL = Pulse(time.monotonic, asyncio.sleep, random.random, lambda: int(time.time() * 1000))  # noqa: S311  spreads retries, keeps no secret


class AsyncClient:
    """Asks models. Open it with `async with`, or `close()` it; it holds the connections.

    Without arguments the config comes from the usual places (`JACKFIELD_CONFIG`,
    `~/.jackfield/jackfield.json`, …); `config` may also be a path or the config itself as a
    mapping. Safe for any number of requests at the same time on one event loop. `record`
    keeps every exchange in a folder, `replay` answers from one, `transport` is any other network,
    `health` another memory of failures than this user's, `pulse` another clock. With `ledger="library"`
    each try is a row of the ledger, so that `jackfield usage` shows it.
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
        health: HealthStore | None = None,
        pulse: Pulse | None = None,
        ledger: Asker | None = None,
    ) -> None:
        self.config = config if isinstance(config, Config) else load_default(config)
        self.plugins = plugins or Plugins(self.config)
        self.catalog = catalog or Catalog(self.config, self.plugins.providers)
        self.store = store or open_store(self.config)
        self._transport = transport or _open_sender(self.config, record, replay, offline=offline)
        # What a script or a recording does says nothing of the real server.
        is_live = self._transport.is_live
        self.pulse = pulse or REAL
        now_ms = self.pulse.now_ms
        self.health = health or (open_health(self.config, now_ms) if is_live else MemoryHealth(now_ms))
        self.direct = Direct(self.config, self.plugins, self.store, self._transport, now_ms, offline=offline)
        self.own = token_hex(8)  # the name of a session that has no other
        budget = open_budget(self.config, now_ms, self.own, is_live=is_live)
        self.toll = Toll(self.config, budget, self.health, self.pulse)
        self.sessions = Sessions()
        self.known: frozenset[str] = frozenset()  # problems from before the last plan, which may itself meet some
        self._uses = UseNotes(self.store, now_ms)
        self.journal = Journal(find_url(self.config), ledger) if ledger and is_live else None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections; streams still open break."""
        await self._uses.close()
        await self._transport.close()
        await self.toll.close()
        self.health.close()
        if self.journal:
            await asyncio.to_thread(self.journal.close)

    async def chat(self, request: ChatRequest, **how: Unpack[ChatOptions]) -> ChatResponse:
        """Ask and return the whole reply; it says who answered, what it cost, what was tried. Options as in `ChatOptions`."""
        return await self._open_stream(replace(request, stream=False), how).response()

    def stream(self, request: ChatRequest, **how: Unpack[ChatOptions]) -> ChatStream:
        """Ask and return the reply as it comes: an async iterable of events. Options as in `ChatOptions`.

        Nothing is sent before the first event is asked for.
        """
        return self._open_stream(replace(request, stream=True), how)

    def _open_stream(self, request: ChatRequest, how: ChatOptions) -> ChatStream:
        session = how.get("session", "")
        made = self.plan(request, fallbacks=how.get("fallbacks", ()), profile_id=how.get("profile_id"), session=session)
        return ChatStream(self, request, made, how)

    async def count_tokens(self, request: ChatRequest, *, profile_id: str | None = None) -> TokenCount:
        """Return how many tokens a request is: as its provider counts, or an estimate that says why."""
        candidate = self.plan(request, profile_id=profile_id).candidates[0]
        asked = with_thinking(request, candidate.model, self.config)
        try:
            auth = await self.direct.open_auth(candidate) if candidate.info.counting else NO_AUTH
        except MissingKey as error:
            return estimate(asked, candidate.info, candidate.model, error.message)
        auth = await self.direct.freshen(candidate.info, auth)
        sender = self.plugins.over(self._transport, str(candidate.ref))
        return await count(asked, candidate.info, candidate.model, auth, sender)

    async def embed(self, request: EmbedRequest, *, profile_id: str | None = None) -> EmbedResponse:
        """Return one vector per text. Only the first model of a name is asked: vectors of another do not compare."""
        if not request.model:
            raise UsageError("no embedding model is named", hint="such as openai/text-embedding-3-small")
        made = self.plan(ChatRequest(model=request.model), profile_id=profile_id)
        candidate = first_choice(made)
        auth = await self.direct.freshen(candidate.info, await self.direct.open_auth(candidate))
        async with self.toll.embedding(candidate, request) as paid:
            sender = self.plugins.over(self._transport, str(candidate.ref))
            began, at_ms = self.pulse.clock(), self.pulse.now_ms()
            answer = await embed(request, candidate.info, candidate.model, auth, sender)
            paid(answer.cost_usd)
        ms, spent = round((self.pulse.clock() - began) * 1000), (answer.usage, answer.cost_usd)
        api = defaults.api(candidate.model, candidate.info)
        tried = Attempt(answer.model, auth.profile_id, None, ms, None, *spent, at_ms, api)
        self.note_attempts(made.requested, (tried,))
        return replace(answer, requested=made.requested, warnings=(*made.warnings, *answer.warnings))

    def plan(
        self, request: ChatRequest, *, fallbacks: Sequence[str] = (), profile_id: str | None = None, session: str = ""
    ) -> Plan:
        """Return what would be tried for a request, and why; sends nothing and follows no reference to a secret."""
        now_ms, self.known = self.pulse.now_ms(), frozenset(self.problems())
        moment = Moment(
            credentials=partial(self._credentials, now_ms) if self._transport.is_live else None,
            health=self.health.view(),
            now_ms=now_ms,
            sticky=partial(self.sessions.sticky, session) if session else None,
            spill_at=self.config.spill_at,
            afford=self.toll.afford(request, session),
        )
        made = plan(request, self.config, self.catalog, moment, fallbacks=fallbacks, profile_id=profile_id)
        first, today = made.candidates[0], datetime.now(UTC).date()
        return replace(made, warnings=(*made.warnings, *foretell(str(first.ref), first.model, today)))

    def explain(
        self, request: ChatRequest, *, fallbacks: Sequence[str] = (), profile_id: str | None = None, session: str = ""
    ) -> JsonObject:
        """Return `plan` as JSON: who would be asked, in which order and for how much, who not, and why; sends nothing."""
        made = self.plan(request, fallbacks=fallbacks, profile_id=profile_id, session=session)
        return explain(made, request, self.config, self.pulse.now_ms())

    def _credentials(self, now_ms: int, info: ProviderInfo) -> Sequence[Source]:
        return tuple(sources(info, self.config, self.store, now_ms))

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

        return await refresh_listings(
            self.plugins.over(self._transport), self.config, self.catalog, self.store, providers, self.direct.freshen
        )

    def quota(self, provider: str, source: str | None = None) -> tuple[Window, ...]:
        """Return what a provider's last reply told of its quota, to one credential (as in `RequestAuth`) or to any."""
        return self.direct.quota(provider, source)

    def problems(self) -> tuple[str, ...]:
        """Return what plugins, the recording of exchanges and the notes of failures have failed at so far."""
        return (*self.direct.problems(), *self.health.problems)

    def note_attempts(self, requested: str, attempts: Sequence[Attempt], *, stream: bool = False) -> None:
        """Tell the ledger, where it is wanted, of a call's tries; waits for nothing."""
        if self.journal:
            self.journal.note(requested, attempts, streamed=stream)

    def note_success(self, profile_id: str | None) -> None:
        """Remember that a profile answered, so that another one is next; sends and awaits nothing."""
        if profile_id and self._transport.is_live:
            self._uses.note(profile_id)


def first_choice(made: Plan) -> Candidate:
    """Return the model that was asked for; raise when only another could be asked: its vectors do not compare."""
    for candidate in made.candidates:
        if str(candidate.ref) == made.primary:
            return candidate
    why = "; ".join(skip.reason for skip in made.skipped if skip.ref == made.primary)
    raise Overloaded(f"{made.primary} cannot be asked now: {why}", hint="see: jackfield health")


def _open_sender(config: Config, record: str | Path | None, replay: str | Path | None, *, offline: bool) -> Sender:
    if record is None and replay is None:
        record, replay = config.paths.record, config.paths.replay
    if record and replay:
        raise UsageError("exchanges cannot be recorded and replayed at once", hint="give one of the two folders")
    if replay:
        return Player(Path(replay))
    live = Transport(environ=config.environ, offline=offline)
    return Recorder(live, Path(record)) if record else live
