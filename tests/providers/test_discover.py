"""Model servers on this machine: found, misunderstood, and silent ones."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import pytest

from jackfield.credential import Secret
from jackfield.model import ProviderInfo
from jackfield.providers.discover import find_local, parse_models
from tests.servers import HANG, Received, Step, free_port, head, json_reply, serve, text_reply

VLLM = {"object": "list", "data": [{"id": "qwen3", "object": "model", "owned_by": "vllm", "max_model_len": 32768}]}
OLLAMA = {"models": [{"name": "llama3.3:70b", "model": "llama3.3:70b", "size": 1, "details": {"family": "llama"}}]}
LLAMA_CPP = {
    "data": [{"id": "/m/a.gguf", "meta": {"n_ctx": 4096, "n_ctx_train": 40960}}],
    "models": [{"name": "/m/a.gguf"}],
}


def local(provider: str, base: str, **fields: object) -> ProviderInfo:
    return ProviderInfo(id=provider, base_url=base, local=True, discovery="/models", **fields)


def test_servers_that_answer_are_found_in_the_order_of_their_rows() -> None:
    with serve(json_reply(VLLM)) as one, serve(json_reply(OLLAMA)) as two:
        found = find_local([local("ollama", f"{two.url}/v1"), local("vllm", one.url)])

    assert [server.provider for server in found] == ["ollama", "vllm"]
    assert [model.id for server in found for model in server.models] == ["llama3.3:70b", "qwen3"]
    assert found[1].url == f"{one.url}/v1/models"
    assert found[1].models[0].context_window == 32768
    assert found[1].models[0].privacy == "local"
    assert one.journal[0].target == "/v1/models"
    assert "authorization" not in one.journal[0].headers


@pytest.mark.parametrize(
    ("listing", "windows"),
    [
        (VLLM, {"qwen3": 32768}),
        (LLAMA_CPP, {"/m/a.gguf": 4096}),
        ({"data": [{"id": "a", "loaded_context_length": 8192, "max_context_length": 32768}]}, {"a": 8192}),
    ],
)
def test_a_window_is_taken_where_the_server_says_it(listing: object, windows: dict[str, int]) -> None:
    models = parse_models(json.dumps(listing).encode()) or ()

    assert {model.id: model.context_window for model in models} == windows


def test_embedding_models_are_left_out() -> None:
    rows = [
        {"id": "text-embedding-3"},
        {"id": "x", "type": "embeddings"},
        {"id": "nomic-embed-text:latest"},
        {"id": "chat"},
    ]

    assert [model.id for model in parse_models(json.dumps({"data": rows}).encode()) or ()] == ["chat"]


@pytest.mark.parametrize(
    "body", [b"<html>", b"", b"[]", b"{}", b'{"data": 1}', b'{"data": ["a"]}', b'{"models": null}', b"\xff", b"null"]
)
def test_what_is_no_model_list_is_none(body: bytes) -> None:
    assert parse_models(body) is None


def test_a_server_without_models_is_there_all_the_same() -> None:
    assert parse_models(b'{"object": "list", "data": []}') == ()


@pytest.mark.parametrize(
    "reply",
    [
        text_reply("<html>", content_type="text/html"),
        json_reply({"jupyter": 1}),
        json_reply(VLLM, 404),
        json_reply(VLLM, 401),
    ],
)
def test_a_server_that_is_something_else_is_left_out(reply: list[Step]) -> None:
    with serve(reply) as server:
        assert find_local([local("vllm", server.url)]) == ()


@pytest.mark.parametrize("silence", [[HANG], [head(200, content_length="9"), *[b"x", 0.05] * 40]])
def test_servers_that_do_not_answer_cost_300_ms_altogether(silence: list[Step]) -> None:
    with serve(silence) as one, serve(silence) as two, serve(json_reply(VLLM)) as three:
        started = time.perf_counter()
        found = find_local([local("a", one.url), local("b", two.url), local("vllm", three.url)])
        took = time.perf_counter() - started

    assert [server.provider for server in found] == ["vllm"]
    assert took < 0.4


def test_nothing_listening_costs_next_to_nothing() -> None:
    rows = [local(name, f"http://127.0.0.1:{free_port()}/v1") for name in "abcde"]
    started = time.perf_counter()

    assert find_local(rows) == ()
    assert time.perf_counter() - started < 0.05


def test_only_local_rows_on_this_machine_are_asked() -> None:
    with serve(json_reply(VLLM)) as server:
        rows = [
            ProviderInfo(id="remote", base_url=server.url),
            local("elsewhere", "http://192.0.2.1:8000/v1"),
            local("nonsense", "not a url"),
            local("unknown-wire", server.url, api="cohere"),
            local("nowhere", ""),
        ]
        assert find_local(rows) == ()

    assert not server.journal


def test_looking_around_loads_no_http_library() -> None:
    code = "import jackfield.providers.discover, sys; print({'aiohttp', 'asyncio', 'http.client', 'ssl'} & set(sys.modules))"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert said.stdout.strip() == "set()"


def test_a_server_that_wants_a_key_is_asked_with_the_users() -> None:
    def guard(received: Received) -> list[Step]:
        knows = received.headers.get("authorization") == "Bearer sk-local"
        return json_reply({"data": [{"id": "m"}]}) if knows else json_reply({"error": {"message": "no"}}, 401)

    with serve(guard) as server:
        info = ProviderInfo(id="box", base_url=f"{server.url}/v1", local=True)
        assert find_local([info]) == ()
        assert [found.models[0].id for found in find_local([info], keys={"box": Secret("sk-local")})] == ["m"]
