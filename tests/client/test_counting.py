"""Token counts through the client: the provider's own where the catalog names a counter, else an estimate that says so."""

from __future__ import annotations

from typing import Any

import jackfield
from jackfield import AsyncClient, ChatRequest, Message, TextBlock, TokenCount
from jackfield.credential import RequestAuth
from jackfield.model import Model, ProviderInfo
from jackfield.protocols.estimate import estimate_input
from jackfield.providers import counting
from jackfield.transport.http import Transport
from tests.commands import local_provider, write_config
from tests.servers import Server, free_port, json_reply, serve

HELLO = [Message.user("Hello there")]


def config(url: str, provider: str = "llama-cpp", **more: Any) -> dict[str, Any]:
    row = {"baseUrl": url, "apiKey": "sk-own-key", "models": [{"id": "m"}], **more}
    return {"models": {"providers": {provider: row}}}


async def count(url: str, ref: str = "llama-cpp/m", **more: Any) -> TokenCount:
    async with AsyncClient(config(url, ref.partition("/")[0], **more)) as client:
        return await client.count_tokens(ChatRequest(model=ref, system=[TextBlock("Be brief.")], messages=HELLO))


def paths(server: Server) -> list[str]:
    return [received.target for received in server.journal]


async def test_a_provider_that_counts_is_asked_with_the_whole_request() -> None:
    with serve(json_reply({"input_tokens": 641})) as server:
        found = await count(f"{server.url}/v1")
    assert found == TokenCount(641, estimated=False, source=f"{server.url}/v1/messages/count_tokens")
    sent = server.journal[0].json()
    assert sorted(sent) == ["messages", "model", "system"]
    assert server.journal[0].headers["authorization"] == "Bearer sk-own-key"


async def test_a_server_that_lists_the_tokens_is_asked_above_its_version() -> None:
    with serve(json_reply({"count": 12, "max_model_len": 4096, "tokens": [1] * 12})) as server:
        found = await count(f"{server.url}/v1", "vllm/m")
    assert found == TokenCount(12, estimated=False, source=f"{server.url}/tokenize")
    assert server.journal[0].json()["messages"][-1]["content"] == "Hello there"


async def test_a_count_of_the_words_alone_is_an_estimate() -> None:
    info = ProviderInfo(id="own", api="cohere", base_url="http://127.0.0.1:9/v2", counting="cohere")
    auth = RequestAuth(secret=None, source="none")
    asked = ChatRequest(model="own/m", system=[TextBlock("Be brief.")], messages=HELLO)
    with serve(json_reply({"tokens": [1, 2, 3]})) as server:
        transport = Transport()
        model = Model(id="m", base_url=f"{server.url}/v2")
        found = await counting.count(asked, info, model, auth, transport)
        await transport.close()
    assert 3 < found.tokens < 20
    assert (found.estimated, found.source) == (True, f"estimate: {server.url}/v1/tokenize counts the words alone")
    assert server.journal[0].json() == {"model": "m", "text": "Be brief.\nHello there"}


async def test_a_server_of_ones_own_is_not_tried() -> None:
    with serve(json_reply({"input_tokens": 641})) as server:
        found = await count(f"{server.url}/v1", "own/m")
    assert (paths(server), found.estimated) == ([], True)
    assert found.source == "estimate: the provider has no counter"


async def test_another_server_under_a_vendors_name_is_not_tried() -> None:
    with serve(json_reply({"input_tokens": 641})) as server:
        found = await count(server.url, "anthropic/m")
    assert (paths(server), found.estimated) == ([], True)


async def test_a_counter_that_fails_leaves_an_estimate_that_says_why() -> None:
    asked = ChatRequest(model="m", system=[TextBlock("Be brief.")], messages=HELLO)
    with serve(json_reply({"error": {"message": "not today"}}, 500)) as server:
        found = await count(f"{server.url}/v1")
    assert (found.tokens, found.estimated) == (estimate_input(asked), True)
    assert "not today" in found.source
    assert (await count(f"http://127.0.0.1:{free_port()}/v1")).estimated
    with serve(json_reply({"count": "many"})) as server:
        assert "no input_tokens" in (await count(f"{server.url}/v1")).source


async def test_an_endpoint_written_in_full_hides_the_counter() -> None:
    with serve(json_reply({"input_tokens": 641})) as server:
        found = await count(f"{server.url}/v1", endpoint=f"{server.url}/odd")
    assert (paths(server), found.estimated) == ([], True)


async def test_without_a_key_there_is_an_estimate() -> None:
    async with AsyncClient({}) as client:
        found = await client.count_tokens(ChatRequest(model="anthropic/claude-sonnet-4-5", messages=HELLO))
    assert found.estimated
    assert "no API key" in found.source


def test_one_line_counts() -> None:
    write_config(local_provider("http://127.0.0.1:9"))
    assert (
        jackfield.count_tokens("box/m", "Hello there").tokens
        == jackfield.count_tokens("box/m", ChatRequest(model="", messages=HELLO)).tokens
    )
