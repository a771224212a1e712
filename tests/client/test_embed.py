"""Vectors through the client, sync and async, against scripted servers."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

import jackfield
from jackfield import AsyncClient, EmbedRequest, EmbedResponse
from jackfield.errors import BadReply, InvalidRequest, ModelNotFound, UsageError
from tests.commands import local_provider, write_config
from tests.servers import Server, json_reply, serve

VECTORS = {
    "object": "list",
    "model": "m-2024",
    "data": [{"object": "embedding", "index": 1, "embedding": [3, 4]}, {"index": 0, "embedding": [1, 2]}],
    "usage": {"prompt_tokens": 7, "total_tokens": 7},
}


def config(server: Server, **more: Any) -> dict[str, Any]:
    models = [{"id": "m", "cost": {"input": 2}}]
    return {"models": {"providers": {"own": {"baseUrl": server.url, "apiKey": "sk-own-key", "models": models, **more}}}}


async def embed(server: Server, *texts: str, model: str = "own/m", **more: Any) -> EmbedResponse:
    async with AsyncClient(config(server, **more)) as client:
        return await client.embed(EmbedRequest(model=model, inputs=texts, dimensions=2))


async def test_texts_become_vectors_in_their_order_with_their_price() -> None:
    with serve(json_reply(VECTORS)) as server:
        reply = await embed(server, "one", "two")
    assert reply.vectors == ((1.0, 2.0), (3.0, 4.0))
    assert (reply.model, reply.requested, reply.usage.input) == ("own/m", "own/m", 7)
    assert reply.cost_usd == Decimal("0.000014")
    received = server.journal[0]
    assert received.target == "/v1/embeddings"
    assert received.json() == {"model": "m", "input": ["one", "two"], "dimensions": 2}
    assert received.headers["authorization"] == "Bearer sk-own-key"


async def test_what_is_not_counted_is_estimated() -> None:
    with serve(json_reply({**VECTORS, "usage": None})) as server:
        reply = await embed(server, "one", "two")
    assert (reply.usage.input, reply.usage.estimated) == (2, True)


@pytest.mark.parametrize(
    ("api", "path", "answer"),
    [
        ("google-generative-ai", "/v1beta/models/m:batchEmbedContents", {"embeddings": [{"values": [1, 2]}]}),
        ("cohere", "/v2/embed", {"embeddings": {"float": [[1, 2]]}}),
        ("ollama", "/api/embed", {"embeddings": [[1, 2]]}),
        ("openai-responses", "/v1/embeddings", {"data": [{"embedding": [1, 2]}]}),
    ],
)
async def test_each_wire_has_its_own_address(api: str, path: str, answer: dict[str, Any]) -> None:
    with serve(json_reply(answer)) as server:
        reply = await embed(server, "one", api=api)
    assert (server.journal[0].target, reply.vectors) == (path, ((1.0, 2.0),))


async def test_fewer_vectors_than_texts_are_no_answer() -> None:
    with serve(json_reply(VECTORS)) as server, pytest.raises(BadReply, match="2 vectors for 3 texts"):
        await embed(server, "one", "two", "three")


async def test_a_wire_without_embeddings_is_not_asked() -> None:
    with serve(json_reply(VECTORS)) as server, pytest.raises(InvalidRequest, match="no embeddings"):
        await embed(server, "one", api="anthropic-messages")
    assert server.journal == []


async def test_a_refusal_is_told_as_for_a_chat() -> None:
    refusal = {"error": {"message": "The model `m` does not exist", "code": "model_not_found"}}
    with serve(json_reply(refusal, 404)) as server, pytest.raises(ModelNotFound, match="own/m"):
        await embed(server, "one")


async def test_a_model_must_be_named() -> None:
    with serve(json_reply(VECTORS)) as server, pytest.raises(UsageError, match="no embedding model"):
        await embed(server, "one", model="")


def test_one_line_embeds() -> None:
    answer = {**VECTORS, "data": VECTORS["data"][1:]}
    with serve(json_reply(answer)) as server:
        write_config(local_provider(server.url))
        assert jackfield.embed("box/m", "one").vectors == ((1.0, 2.0),)
