"""Asking providers for their lists: what is kept, what is asked again, what a failure leaves alone."""

from __future__ import annotations

import asyncio
import json
import threading
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from jackfield import AsyncClient, Client
from jackfield.catalog.load import Catalog
from jackfield.config.default import load_default
from jackfield.config.disk import hold_lock
from tests.auth.oauth_server import keep, make_info, rotating
from tests.patience import PATIENCE_S, until
from tests.servers import Received, Step, free_port, json_reply, serve, text_reply

KEY = "sk-box-0123456789"


def config(**bases: str) -> dict[str, Any]:
    return {"models": {"providers": {name: {"baseUrl": url, "apiKey": KEY} for name, url in bases.items()}}}


def listing(*ids: str) -> dict[str, Any]:
    return {"data": [{"id": name, "context_length": 1000} for name in ids]}


def refs(client: AsyncClient | Client, provider: str) -> list[str]:
    return [ref for ref, _ in client.models(provider)]


async def test_a_list_is_kept_and_known_to_the_next_client_without_a_network(home: Path) -> None:
    with serve(json_reply(listing("a", "b"), etag='"1"')) as server:
        said = config(box=f"{server.url}/v1")
        async with AsyncClient(said) as client:
            [done] = await client.refresh_models()
            assert refs(client, "box") == ["box/a", "box/b"]
    assert (done.provider, len(done.models), done.new, done.gone, done.error) == ("box", 2, (), (), None)
    assert server.journal[0].headers["authorization"] == f"Bearer {KEY}"
    assert refs(AsyncClient(said, offline=True), "box") == ["box/a", "box/b"]
    text = (home / ".jackfield/cache/models/box.json").read_text(encoding="utf-8")
    assert KEY not in text
    assert not (home / ".jackfield/jackfield.json").exists()


async def test_changes_are_told_and_an_unchanged_list_is_not_sent_again() -> None:
    def answer(received: Received) -> list[Step]:
        if received.headers.get("if-none-match") == '"2"':
            return text_reply("", 304)
        return json_reply(listing("b", "c"), etag='"2"') if len(server.journal) > 1 else json_reply(listing("a", "b"))

    with serve(answer) as server:
        async with AsyncClient(config(box=f"{server.url}/v1")) as client:
            await client.refresh_models()
            [changed] = await client.refresh_models()
            [same] = await client.refresh_models()
    assert (changed.new, changed.gone) == (("c",), ("a",))
    assert (same.new, same.gone, same.error, [row.id for row in same.models]) == ((), (), None, ["b", "c"])
    assert "if-none-match" not in server.journal[1].headers


async def test_a_failure_keeps_the_last_list_and_says_why() -> None:
    replies = [json_reply(listing("a")), json_reply({"error": {"message": f"bad key {KEY}"}}, 401)]
    with serve(*replies) as server, serve(json_reply(listing("z"))) as other:
        async with AsyncClient(config(box=f"{server.url}/v1", well=f"{other.url}/v1")) as client:
            await client.refresh_models(["box"])
            results = {each.provider: each for each in await client.refresh_models()}
            assert refs(client, "box") == ["box/a"]
            head = client.catalog.fetched("box")
    failed = results["box"]
    assert failed.error is not None
    assert failed.error.type == "auth"
    assert KEY not in failed.error.message
    assert [row.id for row in failed.models] == ["a"]
    assert head is not None
    assert head.error == failed.error.message
    assert head.fetched_at > 0
    assert results["well"].error is None


async def test_pages_are_followed_to_the_end() -> None:
    def answer(received: Received) -> list[Step]:
        last = "after_id=b" in received.target
        return json_reply(
            {"data": [{"id": "c" if last else "b"}], "has_more": not last, "last_id": "c" if last else "b"}
        )

    with serve(answer) as server:
        said = config(box=server.url)
        said["models"]["providers"]["box"]["api"] = "anthropic-messages"
        async with AsyncClient(said) as client:
            [done] = await client.refresh_models()
    assert [row.id for row in done.models] == ["b", "c"]
    assert [got.target for got in server.journal] == ["/v1/models", "/v1/models?after_id=b"]
    assert server.journal[0].headers["x-api-key"] == KEY


async def test_an_ollama_server_is_asked_about_each_model() -> None:
    def answer(received: Received) -> list[Step]:
        if received.method == "GET":
            return json_reply({"models": [{"model": "qwen3:4b"}, {"model": "odd"}, {"model": "vectors"}]})
        name = json.loads(received.body)["model"]
        if name == "odd":
            return json_reply({"error": "no"}, 500)
        can = ["completion", "tools", "thinking"] if name == "qwen3:4b" else ["embedding"]
        return json_reply({"capabilities": can, "model_info": {"general.architecture": "q", "q.context_length": 4096}})

    with serve(answer) as server:
        async with AsyncClient({"models": {"providers": {"ollama": {"baseUrl": f"{server.url}/v1"}}}}) as client:
            [done] = await client.refresh_models(["ollama"])
            row = client.catalog.find("ollama", "qwen3:4b")
    assert [model.id for model in done.models] == ["qwen3:4b", "odd"]
    assert row is not None
    assert (row.context_window, row.max_tokens, row.tools, row.reasoning, row.privacy) == (
        4096,
        40960,
        True,
        True,
        "local",
    )
    assert server.journal[1].target == "/api/show"


async def test_what_is_no_list_is_told_with_its_address() -> None:
    with serve(text_reply("<html>hello</html>", content_type="text/html")) as server:
        async with AsyncClient(config(box=f"{server.url}/v1")) as client:
            [done] = await client.refresh_models()
    assert done.error is not None
    assert (done.error.type, "models.providers.box.baseUrl" in done.error.hint) == ("protocol", True)


async def test_a_provider_whose_models_the_config_names_is_asked_only_by_name() -> None:
    said = config(box=f"http://127.0.0.1:{free_port()}/v1")
    said["models"]["providers"]["box"]["models"] = [{"id": "mine"}]
    async with AsyncClient(said) as client:
        assert await client.refresh_models() == ()
        assert refs(client, "box") == ["box/mine"]


def test_the_sync_client_refreshes_too() -> None:
    with serve(json_reply(listing("a"))) as server, Client(config(box=f"{server.url}/v1")) as client:
        assert [each.error for each in client.refresh_models()] == [None]
        assert refs(client, "box") == ["box/a"]


async def test_a_lock_that_another_program_holds_stops_nobody_else(home: Path) -> None:
    held, ticked = threading.Event(), threading.Event()

    def hold() -> None:
        with hold_lock(home / ".jackfield/cache/models/.lock"):
            held.set()
            ticked.wait(PATIENCE_S / 2)

    async def tick() -> None:
        await until(server.heard.is_set)
        # Long enough that who asked has come to the lock.
        for _ in range(30):
            await asyncio.sleep(0.01)
        ticked.set()

    with serve(json_reply(listing("a"))) as server:
        other = threading.Thread(target=hold)
        other.start()
        held.wait(PATIENCE_S)
        async with AsyncClient(config(box=f"{server.url}/v1")) as client:
            ticking = asyncio.create_task(tick())
            [done] = await client.refresh_models()
            is_alive = ticking.done()
            await ticking
        other.join()
    assert done.error is None
    assert is_alive, "the others of this loop went on while one waited for the lock"


async def test_a_sign_in_that_has_expired_is_renewed_before_the_list_is_asked_for(tmp_path: Path) -> None:
    with rotating() as issuer, serve(json_reply(listing("a"))) as server:
        url, said = f"{server.url}/v1", load_default({})
        info = replace(make_info(issuer.url), base_url=url, discovery="/models")
        async with AsyncClient(said, catalog=Catalog(said, [info]), store=keep(tmp_path / "a.json")) as client:
            [done] = await client.refresh_models(["box"])
            await client.refresh_models(["box"])
    assert done.error is None
    assert [each.headers["authorization"] for each in server.journal] == ["Bearer a1"] * 2
    assert issuer.spent == ["r0"]


async def test_a_sign_in_that_cannot_be_renewed_costs_no_other_provider_anything(tmp_path: Path) -> None:
    with rotating() as issuer, serve(json_reply(listing("a"))) as server:
        said = load_default(config(other=f"{server.url}/v1"))
        catalog, store = Catalog(said, [make_info(issuer.url)]), keep(tmp_path / "a.json", refresh="gone")
        async with AsyncClient(said, catalog=catalog, store=store) as client:
            box, other = await client.refresh_models(["box", "other"])
    assert box.error
    assert "models auth login --provider box" in box.error.hint
    assert other.error is None


async def test_a_command_whose_key_is_refused_is_asked_again(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("old", encoding="utf-8")

    def answer(received: Received) -> list[Step]:
        good = received.headers["authorization"] == "Bearer new"
        return json_reply(listing("a")) if good else json_reply({"error": {"message": "no"}}, 401)

    with serve(answer) as server:
        said = config(box=f"{server.url}/v1")
        said["models"]["providers"]["box"]["apiKey"] = {"source": "exec", "id": f"cat {tmp_path / 'key'}"}
        async with AsyncClient(said) as client:
            [refused] = await client.refresh_models()
            (tmp_path / "key").write_text("new", encoding="utf-8")
            [taken] = await client.refresh_models()
    assert refused.error
    assert not taken.error
