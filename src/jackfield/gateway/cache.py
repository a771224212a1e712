"""Whole answers, kept for a while and given again to equal requests; off unless the config says otherwise.

Equal is everything that an answer may depend on: what was said, every setting, every field that
only one wire knows, the models that may answer, and whose key it is. What is kept came to a good
end and is the work of the model that was asked for. It ends with the process, and with its config. Who asks what another one is
asking just now waits for that answer.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from decimal import Decimal

import msgspec
from msgspec.structs import replace

from jackfield.config.gateway import CacheRules
from jackfield.events import StreamEvent, split_events
from jackfield.gateway.call import Call
from jackfield.gateway.exchange import Exchange
from jackfield.message import ChatRequest, ChatResponse
from jackfield.routing.candidate import Plan

ENTRY_BYTES = 300  # of an entry, beside its answer
LARGEST_SHARE = 8  # no answer takes more than this part of the room
GOOD_ENDS = frozenset({"stop", "tool_calls"})
ENCODER, DECODER = msgspec.msgpack.Encoder(), msgspec.msgpack.Decoder(ChatResponse)
KEYS = msgspec.json.Encoder(order="deterministic")
FREE = Decimal(0)
FLOATS = ("temperature", "top_p", "presence_penalty", "frequency_penalty")


class Cache:
    """Answers by the digest of their question, the last used at the end; its size in bytes is bounded."""

    def __init__(self, rules: CacheRules, seconds: Callable[[], float]) -> None:
        self.size = 0
        self._rules = rules
        self._seconds = seconds
        self._kept: OrderedDict[bytes, tuple[float, bytes]] = OrderedDict()
        self.asked: dict[bytes, asyncio.Event] = {}  # questions under way

    def slot(self, call: Call, made: Plan, key_id: str, exchange: Exchange) -> Slot | None:
        """Return the place of a call's answer, `None` where it is not to be kept: its caller or the config says so."""
        said = words_of(exchange)
        if "no-store" in said or (self._rules.deterministic and not is_deterministic(call.request)):
            return None
        digest = digest_of(call, made, "" if self._rules.shared else key_id)
        return Slot(self, digest, made.primary, is_read="no-cache" not in said)

    def find(self, digest: bytes) -> ChatResponse | None:
        """Return what is kept."""
        until_s, data = self._kept.get(digest, (0.0, b""))
        if not data:
            return None
        if self._seconds() >= until_s:
            self._drop(digest)
            return None
        self._kept.move_to_end(digest)
        return DECODER.decode(data)

    def keep(self, digest: bytes, response: ChatResponse) -> None:
        """Keep an answer; those not used for the longest time make room."""
        data = ENCODER.encode(response)
        if len(data) + ENTRY_BYTES > self._rules.max_bytes // LARGEST_SHARE:
            return
        self._drop(digest)
        self._kept[digest] = self._seconds() + self._rules.ttl_seconds, data
        self.size += len(data) + ENTRY_BYTES
        while self.size > self._rules.max_bytes:
            self._drop(next(iter(self._kept)))

    def _drop(self, digest: bytes) -> None:
        if gone := self._kept.pop(digest, None):
            self.size -= len(gone[1]) + ENTRY_BYTES


class Slot:
    """One call's place in the cache."""

    def __init__(self, cache: Cache, digest: bytes, primary: str, *, is_read: bool) -> None:
        self._cache = cache
        self._digest = digest
        self._primary = primary
        self._is_read = is_read

    def find(self) -> ChatResponse | None:
        """Return the answer, where there is one and the caller takes one that was given before."""
        return self._cache.find(self._digest) if self._is_read else None

    @property
    def is_asked(self) -> bool:
        """Tell whether somebody asks the same just now, and the caller would take that answer."""
        return self._is_read and self._digest in self._cache.asked

    async def wait(self, longest_s: float) -> None:
        """Wait until whoever asks the same has an answer or none, but no longer than that."""
        with suppress(TimeoutError):
            async with asyncio.timeout(longest_s):
                await self._cache.asked[self._digest].wait()

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Have others who ask the same wait, unless they wait for somebody already."""
        asked, digest = self._cache.asked, self._digest
        if digest in asked:
            yield
            return
        done = asked[digest] = asyncio.Event()
        try:
            yield
        finally:
            del asked[digest]
            done.set()

    def keep(self, response: ChatResponse) -> None:
        """Keep an answer, if it is one: a stand-in's would outlive the trouble that called for it."""
        if response.finish_reason in GOOD_ENDS and response.content and response.model == self._primary:
            self._cache.keep(self._digest, response)


class Replay:
    """An answer that is given again, as a reply on its way is read."""

    def __init__(self, kept: ChatResponse, requested: str) -> None:
        self._kept = replace(kept, requested=requested, cost_usd=FREE, attempts=())

    def heard(self, *, billed: bool = True) -> ChatResponse:  # noqa: ARG002  it has cost nothing
        """Return the whole reply."""
        return self._kept

    async def response(self) -> ChatResponse:
        """Return the whole reply."""
        return self._kept

    async def batches(self, _: object = None) -> AsyncIterator[Sequence[StreamEvent]]:
        """Yield the whole reply as events, at once."""
        yield tuple(split_events(self._kept))

    async def aclose(self) -> None:
        """Do nothing: nothing is open."""


def words_of(exchange: Exchange) -> frozenset[str]:
    """Return what a caller says of caches."""
    return frozenset(word.strip().lower() for word in exchange.header(b"cache-control").split(","))


def is_deterministic(request: ChatRequest) -> bool:
    """Tell whether a request asks for the same answer every time."""
    return request.temperature == 0 or request.seed is not None


def digest_of(call: Call, made: Plan, key_id: str) -> bytes:
    """Return what tells a question from every other; the same whole or streamed, and through every protocol."""
    refs = {str(each.ref) for each in made.candidates} | {each.ref for each in made.skipped}
    # Wires differ in how they write a whole number: 0 and 0.0 are one temperature.
    numbers = {name: float(value) for name in FLOATS if (value := getattr(call.request, name)) is not None}
    asked = replace(call.request, model="", stream=False, **numbers)
    said = [key_id, made.primary, sorted(refs), call.is_strict, asked]
    return hashlib.sha256(KEYS.encode(said)).digest()
