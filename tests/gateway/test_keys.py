"""Keys that the gateway makes: shown once, kept as a digest, ended by a date or by hand."""

from __future__ import annotations

import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from jackfield.config.gateway import Limits
from jackfield.credential import Secret
from jackfield.errors import AuthError, NotAllowed, Overloaded, UsageError
from jackfield.gateway.access import Access, Stores
from jackfield.gateway.keys import Key, create_key, digest, list_keys, revoke_key
from jackfield.ledger.database import Database, open_database, sqlite_url
from tests.patience import await_true, quickest_s, timed_s

NOW_MS, DAY_MS = time.time_ns() // 1_000_000, 86_400_000


@pytest.fixture
def url(tmp_path: Path) -> str:
    return sqlite_url(tmp_path / "state.sqlite")


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    opened = open_database(url)
    yield opened
    opened.close()


async def refused(access: Access, token: str | None, model: str = "a/b") -> str:
    """Return why a token may not ask a model."""
    with pytest.raises((AuthError, NotAllowed, Overloaded)) as caught:
        await access.admit(token, model=model)
    return caught.value.message


def knows(access: Access, token: str) -> bool:
    try:
        access.identify([token])
    except AuthError:
        return False
    return True


def test_a_key_is_kept_as_a_digest_and_comes_back_without_its_secret(database: Database) -> None:
    limits = Limits(models=("a/*",), budget_day=Decimal("0.50"), requests_per_minute=3)
    key, secret = create_key(database, "bob", limits, now_ms=NOW_MS, expires_ms=NOW_MS + 5)

    (row,) = database.rows("SELECT * FROM gateway_keys")

    assert secret.reveal().startswith("jf-")
    assert len(secret.reveal()) >= 40
    assert secret.reveal() not in repr(row)
    assert list_keys(database) == (key,)


def test_two_keys_in_use_have_no_name_in_common(database: Database) -> None:
    create_key(database, "bob", Limits(), now_ms=NOW_MS)

    with pytest.raises(UsageError, match="there is a key 'bob' already"):
        create_key(database, "bob", Limits(), now_ms=NOW_MS)

    revoke_key(database, "bob", now_ms=NOW_MS)
    create_key(database, "bob", Limits(), now_ms=NOW_MS)
    assert [key.state(NOW_MS) for key in list_keys(database)].count("active") == 1


def test_a_key_that_is_not_there_cannot_be_revoked(database: Database) -> None:
    with pytest.raises(UsageError, match="no key in use is called 'eve'"):
        revoke_key(database, "eve", now_ms=NOW_MS)


@pytest.mark.parametrize("name", ["", "two words", "a" * 65, "x\n"], ids=["empty", "space", "long", "line"])
def test_a_name_is_one_short_word(database: Database, name: str) -> None:
    with pytest.raises(UsageError, match="is no name for a key"):
        create_key(database, name, Limits(), now_ms=NOW_MS)


async def test_a_made_key_and_the_gateways_token_open_the_door_and_nothing_else_does(
    database: Database, url: str
) -> None:
    key, secret = create_key(database, "bob", Limits(), now_ms=NOW_MS)
    access = await Access.open(Stores(token=Secret("owner-token"), database=url))

    assert access.identify([secret.reveal()]) == key
    assert access.identify(["wrong", "owner-token"]).name == "owner"
    assert await refused(access, "owner-toke") == "the gateway does not know this key"
    assert await refused(access, "' OR '1'='1") == "the gateway does not know this key"
    assert await refused(access, digest(secret.reveal())) == "the gateway does not know this key"
    assert await refused(access, "\udc80ü") == "the gateway does not know this key"
    assert await refused(access, None) == "no gateway token is given"
    await access.close()


async def test_anybody_comes_in_where_nobody_is_asked_but_no_wrong_key() -> None:
    access = await Access.open(Stores(anyone=True))

    assert access.identify([]).name == "anyone"
    assert await refused(access, "jf-wrong") == "the gateway does not know this key"
    await access.close()


async def test_a_key_asks_its_own_models_only(database: Database, url: str) -> None:
    _, secret = create_key(database, "bob", Limits(models=("anthropic/*", "venice/llama-3.3-70b")), now_ms=NOW_MS)
    access = await Access.open(Stores(database=url))

    async with await access.admit(secret.reveal(), model="Anthropic/claude-opus-4-5") as grant:
        assert grant.allows("venice/llama-3.3-70b")
        assert not grant.allows("venice/llama-3.3-70b-x")
    assert await refused(access, secret.reveal(), "openai/gpt-5") == "the key bob may not ask openai/gpt-5"
    await access.close()


async def test_a_key_ends_on_its_day(database: Database, url: str) -> None:
    _, secret = create_key(database, "bob", Limits(), now_ms=NOW_MS, expires_ms=NOW_MS + DAY_MS)
    access = await Access.open(Stores(database=url))

    assert knows(access, secret.reveal())
    access._now_ms = lambda: NOW_MS + DAY_MS
    assert not knows(access, secret.reveal())
    assert await refused(access, secret.reveal()) == "the key bob is expired"
    await access.close()


async def test_a_running_gateway_sees_a_key_made_and_revoked_elsewhere_within_a_second(
    database: Database, url: str
) -> None:
    access = await Access.open(Stores(token=Secret("t"), database=url))

    def see_s() -> float:
        nonlocal secret
        _, secret = create_key(database, "bob", Limits(), now_ms=NOW_MS)
        made_s = timed_s(lambda: await_true(lambda: knows(access, secret.reveal())))
        revoke_key(database, "bob", now_ms=NOW_MS)
        return max(made_s, timed_s(lambda: await_true(lambda: not knows(access, secret.reveal()))))

    secret = Secret("")
    assert quickest_s(see_s, 1) < 1
    assert await refused(access, secret.reveal()) == "the key bob is revoked"
    await access.close()


async def test_keys_that_were_never_read_are_told_to_come_again(tmp_path: Path) -> None:
    access = await Access.open(Stores(token=Secret("t"), database=sqlite_url(tmp_path / "file" / "..")))

    assert knows(access, "t")
    assert await refused(access, "jf-any") == "the gateway cannot read its keys just now"
    await access.close()


async def test_a_key_of_the_config_is_a_key() -> None:
    access = await Access.open(Stores(keys=(Key(id="config:ci", name="ci", digest=digest("s3cret")),)))

    assert access.identify(["s3cret"]).name == "ci"
    await access.close()
