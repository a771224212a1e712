"""Refresh: once among many, on disk before it is used, and never a refresh token twice."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

import pytest
from msgspec.structs import replace

from jackfield.auth.details import is_renewable
from jackfield.auth.refresh import Refresher
from jackfield.auth.resolve import resolve
from jackfield.config.default import load_default
from jackfield.credential import Profile, RequestAuth, Secret
from jackfield.errors import AuthError, MissingKey
from jackfield.model import ProviderInfo
from jackfield.transport.http import Transport
from tests.auth.oauth_server import form, keep, make_info, rotating
from tests.patience import until
from tests.servers import CUT, json_reply, serve, text_reply

AUTH = RequestAuth(secret=Secret("a0"), source="test", profile_id="box:me", type="oauth")
HINT = "run: jackfield models auth login --provider box"


def now_ms() -> int:
    return int(time.time() * 1000)


def refresher(store, environ: dict[str, str] | None = None) -> Refresher:
    return Refresher(store, environ or {}, Transport, now_ms)


async def fail(store, info: ProviderInfo) -> AuthError:
    with pytest.raises(AuthError) as caught:
        await refresher(store).fresh(info, AUTH)
    return caught.value


async def test_an_expired_profile_is_renewed_and_kept_before_it_is_used(tmp_path: Path) -> None:
    store = keep(tmp_path / "auth.json")
    with rotating() as server:
        fresh = await refresher(store).fresh(make_info(server.url), AUTH)
    stored = store.read("box:me")
    assert stored
    assert stored.refresh
    assert fresh.secret == stored.secret == Secret("a1")
    assert (stored.refresh.reveal(), stored.renewal) == ("r1", "")
    # Five minutes before its end it counts as expired.
    assert stored.expires_ms
    assert abs(stored.expires_ms - now_ms() - 3_300_000) < 30_000


async def test_a_good_token_asks_nobody(tmp_path: Path) -> None:
    store = keep(tmp_path / "auth.json", expires_ms=now_ms() + 60_000)
    with serve(json_reply({})) as server:
        fresh = await refresher(store).fresh(make_info(server.url), AUTH)
        assert (fresh, server.journal) == (AUTH, [])


async def test_many_requests_at_a_time_share_one_refresh(tmp_path: Path) -> None:
    store = keep(tmp_path / "auth.json")
    with rotating(before=[0.2]) as server:
        one, info = refresher(store), make_info(server.url)
        fresh = await asyncio.gather(*(one.fresh(info, AUTH) for _ in range(100)))
        assert {each.secret for each in fresh} == {Secret("a1")}
        assert (server.spent, server.reused) == (["r0"], [])


async def test_who_waits_may_leave_and_the_refresh_goes_on(tmp_path: Path) -> None:
    store = keep(tmp_path / "auth.json")
    with rotating(before=[0.3]) as server:
        one, info = refresher(store), make_info(server.url)
        first = asyncio.ensure_future(one.fresh(info, AUTH))
        await until(lambda: server.spent)
        first.cancel()
        assert (await one.fresh(info, AUTH)).secret == Secret("a1")
        assert server.spent == ["r0"]


async def test_a_refused_token_is_sent_once_and_the_old_profile_stays(tmp_path: Path) -> None:
    store = keep(tmp_path / "auth.json", refresh="stolen")
    with rotating() as server:
        info = make_info(server.url)
        first, second = await fail(store, info), await fail(store, info)
        assert server.reused == ["stolen"]
    assert first.message.startswith("OAuth token refresh failed for box: ")
    assert "no longer good" in first.message
    assert HINT == first.hint == second.hint
    assert "takes the refresh token no more" in second.message
    stored = store.read("box:me")
    assert stored
    assert stored.secret == Secret("a0")
    assert not is_renewable(info, stored)


@pytest.mark.parametrize(
    ("reply", "renewal"),
    [
        (json_reply({"error": "invalid_client"}, 401), ""),
        (json_reply({"error": "temporarily_unavailable"}, 503), ""),
        (text_reply("busy", 429), ""),
        (text_reply("<html>", 403), ""),
        (text_reply("oops", 500), "lost"),
        (json_reply({"token_type": "bearer"}), "lost"),
        ([CUT], "lost"),
        (json_reply({"error": {"code": "refresh_token_reused", "message": "used"}}, 401), "refused"),
    ],
    ids=["client", "unavailable", "busy", "forbidden", "broken", "empty", "cut", "reused"],
)
async def test_a_token_that_may_be_spent_is_not_sent_again(tmp_path: Path, reply, renewal: str) -> None:
    store = keep(tmp_path / "auth.json")
    with serve(reply) as server:
        info = make_info(server.url)
        first, second = await fail(store, info), await fail(store, info)
        sent = [form(each)["refresh_token"] for each in server.journal]
    stored = store.read("box:me")
    assert stored
    assert stored.renewal == renewal
    assert sent == (["r0"] if renewal else ["r0", "r0"])
    assert "r0" not in f"{first.message}{first.hint}{second.message}"
    assert HINT in second.hint


async def test_a_server_that_is_not_there_costs_nothing(tmp_path: Path) -> None:
    store = keep(tmp_path / "auth.json")
    error = await fail(store, make_info("http://127.0.0.1:9"))
    assert "connection refused" in error.message
    with rotating() as server:
        assert (await refresher(store).fresh(make_info(server.url), AUTH)).secret == Secret("a1")


async def test_tokens_that_stay_good_may_be_sent_again(tmp_path: Path) -> None:
    store = keep(tmp_path / "auth.json")
    with serve([CUT], json_reply({"access_token": "a1", "expires_in": 3600})) as server:
        info = make_info(server.url, keeps_refresh=True)
        await fail(store, info)
        assert (await refresher(store).fresh(info, AUTH)).secret == Secret("a1")
    stored = store.read("box:me")
    assert stored
    assert stored.refresh == Secret("r0")


async def test_a_note_of_a_refresh_cut_off_speaks_of_its_own_token_only(tmp_path: Path) -> None:
    path = tmp_path / "auth.json"
    store = keep(path)
    store.modify("box:me", begun)
    with rotating() as server:
        error = await fail(store, make_info(server.url))
        assert "may be spent" in error.message
        assert server.spent == []
        root = json.loads(path.read_text(encoding="utf-8"))
        # Another program signed in anew and kept the fields it does not know.
        root["profiles"]["box:me"]["refresh"] = server.good = "r9"
        path.write_text(json.dumps(root), encoding="utf-8")
        assert (await refresher(store).fresh(make_info(server.url), AUTH)).secret == Secret("a1")


def begun(old: Profile | None) -> Profile:
    assert old
    return replace(old, renewal="begun")


async def test_an_expired_profile_is_resolved_while_it_can_be_renewed(tmp_path: Path) -> None:
    config, info = load_default({}), make_info("http://127.0.0.1:9")
    store = keep(tmp_path / "auth.json")
    assert resolve(info, config, store, now_ms()).profile_id == "box:me"
    await fail(keep(tmp_path / "auth.json"), info)
    store.modify("box:me", begun)
    await fail(store, info)
    with pytest.raises(MissingKey, match="expired"):
        resolve(info, config, store, now_ms())


async def test_a_lasting_token_is_changed_once_for_its_time(tmp_path: Path) -> None:
    store = keep(tmp_path / "auth.json", expires_ms=now_ms() + 10**9)
    lent = {"token": "tid=1;exp=2;proxy-ep=proxy.business.copilot.example;", "expires_at": now_ms() // 1000 + 1800}
    with serve(json_reply(lent)) as server:
        info = make_info(server.url, exchange_url=f"{server.url}/v2/token")
        one = await refresher(store).fresh(info, AUTH)
        other = await refresher(store).fresh(info, AUTH)
        assert len(server.journal) == 1
        assert server.journal[0].headers["authorization"] == "Bearer a0"
        assert server.journal[0].headers["user-agent"].startswith("jackfield/")
    assert one.secret == other.secret == Secret(lent["token"])
    assert one.base_url == "https://api.business.copilot.example"
    assert lent["token"] not in repr(store.read("box:me"))


async def test_an_account_without_the_plan_is_told_so(tmp_path: Path) -> None:
    store = keep(tmp_path / "auth.json", expires_ms=now_ms() + 10**9)
    with serve(json_reply({"message": "Not Found"}, 404)) as server:
        error = await fail(store, make_info(server.url, exchange_url=f"{server.url}/v2/token"))
    assert "gives no token for this account" in error.message
    assert "models auth login --provider box" in error.hint
