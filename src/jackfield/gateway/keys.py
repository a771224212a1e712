"""Keys for callers: made once, shown once, kept as a digest; and what each of them may do.

A key is 256 random bits, so its plain SHA-256 cannot be guessed backwards: salt and a slow hash
defend words that people choose, and would cost every request what they cost a thief. Knows the
table of keys; no request and no server, so that the command line makes keys without either.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from functools import cached_property

import msgspec
from msgspec import Struct

from jackfield.config.gateway import Limits
from jackfield.credential import Secret
from jackfield.errors import UsageError
from jackfield.gateway.rules import Rules, compile_rules
from jackfield.ledger.database import Database
from jackfield.message import JsonObject

PREFIX = "jf-"  # so that a scanner of repositories knows one when it sees it
SECRET_BYTES = 32
NAME = re.compile(r"[\w.@-]{1,64}")


class Key(Struct, frozen=True, kw_only=True, dict=True):
    """A caller's key, without the key itself."""

    id: str
    name: str
    digest: str
    limits: Limits = Limits()
    made_ms: int = 0
    expires_ms: int | None = None
    revoked_ms: int | None = None

    @cached_property
    def rules(self) -> Rules:
        """Its limits as plain numbers, worked out once."""
        return compile_rules(self.limits)

    def state(self, now_ms: int) -> str:
        """Return `active`, `expired` or `revoked`."""
        if self.revoked_ms is not None:
            return "revoked"
        return "expired" if self.expires_ms is not None and now_ms >= self.expires_ms else "active"


def digest(token: str) -> str:
    """Return what is kept of a key."""
    return hashlib.sha256(token.encode(errors="surrogateescape")).hexdigest()


def create_key(
    database: Database, name: str, limits: Limits, *, now_ms: int, expires_ms: int | None = None
) -> tuple[Key, Secret]:
    """Make a key and write its digest; the secret exists only in the answer.

    Raises `UsageError` when the name is none, or a key in use has it.
    """
    if not NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} is no name for a key", hint="use letters, digits, '.', '_', '-' and '@', 64 at most"
        )
    if any(key.name == name and key.revoked_ms is None for key in list_keys(database)):
        raise UsageError(
            f"there is a key {name!r} already", hint=f"revoke it first: jackfield gateway keys revoke {name}"
        )
    token = PREFIX + secrets.token_urlsafe(SECRET_BYTES)
    key = Key(
        id=secrets.token_hex(4), name=name, digest=digest(token), limits=limits, made_ms=now_ms, expires_ms=expires_ms
    )
    rules = msgspec.json.encode(limits).decode()
    database.write(
        (
            "INSERT INTO gateway_keys (id, name, digest, made_ms, expires_ms, rules) VALUES (?, ?, ?, ?, ?, ?)",
            [(key.id, key.name, key.digest, key.made_ms, key.expires_ms, rules)],
        ),
        _CHANGED,
    )
    return key, Secret(token)


def change_key(database: Database, named: str, limits: Limits, *, expires_ms: int | None = None) -> Key:
    """Give a key in use, by its name or id, other limits; running gateways hold it to them within a second.

    What it has used so far counts against the new ones.
    """
    found = _find(database, named)
    rules = msgspec.json.encode(limits).decode()
    database.write(
        ("UPDATE gateway_keys SET rules = ?, expires_ms = ? WHERE id = ?", [(rules, expires_ms, found.id)]), _CHANGED
    )
    return msgspec.structs.replace(found, limits=limits, expires_ms=expires_ms)


def revoke_key(database: Database, named: str, *, now_ms: int) -> Key:
    """End a key in use, by its name or id; running gateways refuse it within a second."""
    found = _find(database, named)
    database.write(("UPDATE gateway_keys SET revoked_ms = ? WHERE id = ?", [(now_ms, found.id)]), _CHANGED)
    return msgspec.structs.replace(found, revoked_ms=now_ms)


def _find(database: Database, named: str) -> Key:
    found = next((key for key in list_keys(database) if named in {key.name, key.id} and key.revoked_ms is None), None)
    if found is None:
        raise UsageError(f"no key in use is called {named!r}", hint="see: jackfield gateway keys list")
    return found


def list_keys(database: Database) -> tuple[Key, ...]:
    """Return every key that was ever made, the oldest first."""
    rows = database.rows(
        "SELECT id, name, digest, made_ms, expires_ms, revoked_ms, rules FROM gateway_keys ORDER BY made_ms, id"
    )
    return tuple(
        Key(
            id=id_,
            name=name,
            digest=kept,
            made_ms=made_ms,
            expires_ms=expires_ms,
            revoked_ms=revoked_ms,
            limits=msgspec.json.decode(rules, type=Limits),
        )
        for id_, name, kept, made_ms, expires_ms, revoked_ms, rules in rows
    )


def render_key(key: Key, now_ms: int) -> JsonObject:
    """Write a key as values for JSON, without its secret."""
    return {
        "id": key.id,
        "name": key.name,
        "state": key.state(now_ms),
        "madeMs": key.made_ms,
        "expiresMs": key.expires_ms,
        "revokedMs": key.revoked_ms,
        "limits": msgspec.to_builtins(key.limits),
    }


def keys_version(database: Database) -> int:
    """Return a number that grows with every change to the keys."""
    ((version,),) = database.rows("SELECT version FROM gateway_changes WHERE subject = ?", "keys")
    return int(version)


_CHANGED = ("UPDATE gateway_changes SET version = version + 1 WHERE subject = ?", [("keys",)])
