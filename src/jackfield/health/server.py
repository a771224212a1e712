"""Failures kept in Redis or Valkey (extra `redis`), for a gateway's replicas on many machines.

A record is JSON in a hash, under its place. What is decided from records that somebody else has
changed meanwhile is not written but decided again. Ends are in the time of the machine that
noted them: replicas' clocks should agree within a second or two.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any, TypeVar

import msgspec

from jackfield.errors import ConfigError
from jackfield.health.backend import Change, Decide, Trouble
from jackfield.health.record import Quota, Rest, parse_record, render_record
from jackfield.health.store import Clock

R = TypeVar("R")

PATIENCE_S = 0.1  # for one answer; a request waits for it
POLL_MS = 250  # how often another replica's notes are asked for
TRIES = 20  # each loses to somebody who got further
PREFIX = "jackfield:health"
# Writes nothing unless every field still holds what the decision was made from; an empty text is no field.
SWAP = """
for i = 1, #ARGV, 3 do
  if (redis.call('HGET', KEYS[1], ARGV[i]) or '') ~= ARGV[i + 1] then return 0 end
end
for i = 1, #ARGV, 3 do
  if ARGV[i + 2] == '' then redis.call('HDEL', KEYS[1], ARGV[i])
  else redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 2]) end
end
redis.call('INCR', KEYS[2])
return 1
"""


class StateServer:
    """See `Backend`; `errors` are those its client raises."""

    def __init__(self, client: Any, errors: tuple[type[Exception], ...], now_ms: Clock, prefix: str = PREFIX) -> None:
        self._client = client
        self._errors = errors
        self._now_ms = now_ms
        # The braces keep all of them on one node of a cluster.
        self._rests, self._quotas, self._count = (f"{{{prefix}}}:{name}" for name in ("rests", "quotas", "version"))
        self._swap = client.register_script(SWAP)
        self._asked_ms: int | None = None
        self._version: bytes | None = b"never read"

    def news(self) -> tuple[list[Rest], list[Quota]] | None:
        """See `Backend`."""
        now_ms = self._now_ms()
        if self._asked_ms is not None and abs(now_ms - self._asked_ms) < POLL_MS:
            return None
        version = self._ask(lambda client: client.get(self._count))
        self._asked_ms = now_ms
        if version == self._version:
            return None
        rests, quotas = self._ask(lambda client: (client.hvals(self._rests), client.hvals(self._quotas)))
        self._version = version
        return _parsed(rests, Rest), _parsed(quotas, Quota)

    def change(self, decide: Decide[R]) -> R:
        """See `Backend`."""
        for _ in range(TRIES):
            found: dict[bytes, bytes] = self._ask(lambda client: client.hgetall(self._rests))
            result, change = decide(_parsed(found.values(), Rest))
            if self._try(found, change):
                return result
        raise Trouble("the shared state changes too fast; a failure is remembered in memory only", mended=True)

    def save_quotas(self, quotas: Iterable[Quota]) -> None:
        """See `Backend`."""
        texts = {_field(quota.provider, quota.credential, quota.name): render_record(quota) for quota in quotas}
        if texts:
            self._ask(lambda client: (client.hset(self._quotas, mapping=texts), client.incr(self._count)))
            self._asked_ms = None

    def close(self) -> None:
        """See `Backend`."""
        self._client.close()

    def _try(self, found: dict[bytes, bytes], change: Change) -> bool:
        """Write a change unless somebody was faster."""
        new = {_field(*key): "" for key in change.drop} | {_field(*r.place.key): render_record(r) for r in change.keep}
        new = {field: text for field, text in new.items() if text or field in found}
        args = [arg for field, text in new.items() for arg in (field, found.get(field, b""), text)]
        self._asked_ms = None  # our own note is to be seen at once
        return not args or bool(self._ask(lambda _: self._swap(keys=[self._rests, self._count], args=args)))

    def _ask(self, ask: Callable[[Any], R]) -> R:
        try:
            return ask(self._client)
        except self._errors as error:
            self._asked_ms, self._version = None, b"never read"
            said = str(error).strip().partition("\n")[0] or type(error).__name__
            raise Trouble(
                f"the shared state is away ({said}): failures are known to this process only until it is back"
            ) from error


def open_server(url: str, now_ms: Clock, *, timeout_s: float = PATIENCE_S) -> StateServer:
    """Return the store at a URL (`redis://…`, `rediss://…`, `valkey://…`); it is reached when first asked."""
    try:
        redis, retry, backoff = (import_module(f"redis{name}") for name in ("", ".retry", ".backoff"))
    except ImportError as error:
        raise ConfigError("state shared over machines needs an extra", hint="pip install 'jackfield[redis]'") from error
    try:
        client = redis.from_url(
            f"redis{url.removeprefix('valkey')}" if url.startswith("valkey") else url,
            socket_timeout=timeout_s,
            socket_connect_timeout=timeout_s,
            # Who waits is a request; the next one tries again.
            retry=retry.Retry(backoff.NoBackoff(), 0),
        )
    except ValueError as error:
        raise ConfigError("gateway.sharedState is no URL of a store", hint="write redis://HOST:PORT") from error
    return StateServer(client, (redis.RedisError, OSError), now_ms)


def _field(*names: str) -> bytes:
    return msgspec.json.encode(names)


def _parsed(texts: Iterable[bytes], kind: type[Any]) -> list[Any]:
    return [record for text in texts if (record := parse_record(text, kind)) is not None]
