"""Model servers on this machine: found, misunderstood, and silent ones."""

from __future__ import annotations

import subprocess
import sys
import time
from math import inf

import pytest

from jackfield.credential import Secret
from jackfield.model import ProviderInfo
from jackfield.providers.discover import find_local
from tests.patience import PATIENCE_S, quickest_s, timed_s
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
        found = find_local([local("ollama", f"{two.url}/v1"), local("vllm", one.url)], limit_s=PATIENCE_S)

    assert [server.provider for server in found] == ["ollama", "vllm"]
    assert [model.id for server in found for model in server.models] == ["llama3.3:70b", "qwen3"]
    assert found[1].url == f"{one.url}/v1/models"
    assert found[1].models[0].context_window == 32768
    assert found[1].models[0].privacy == "local"
    assert one.journal[0].target == "/v1/models"
    assert "authorization" not in one.journal[0].headers


def test_a_window_is_taken_where_the_server_says_it() -> None:
    listings = [VLLM, LLAMA_CPP, {"data": [{"id": "a", "loaded_context_length": 8192, "max_context_length": 32768}]}]
    for listing, window in zip(listings, (32768, 4096, 8192), strict=True):
        with serve(json_reply(listing)) as server:
            [found] = find_local([local("box", server.url)], limit_s=PATIENCE_S)
        assert [model.context_window for model in found.models] == [window]


def test_a_server_with_a_list_of_its_own_is_asked_for_that_first() -> None:
    def answer(received: Received) -> list[Step]:
        return json_reply(OLLAMA) if received.target == "/api/tags" else json_reply({"error": "no"}, 404)

    with serve(answer) as server, serve(lambda got: json_reply(VLLM, 404 if "api" in got.target else 200)) as other:
        rows = [
            ProviderInfo(id=name, base_url=f"{url}/v1", local=True, discovery="/api/tags", discovery_format="ollama")
            for name, url in (("ollama", server.url), ("older", other.url))
        ]
        found = find_local(rows, limit_s=PATIENCE_S)

    assert [[model.id for model in each.models] for each in found] == [["llama3.3:70b"], ["qwen3"]]
    assert [got.target for got in other.journal] == ["/api/tags", "/v1/models"]


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
        rows = [local("a", one.url), local("b", two.url), local("vllm", three.url)]

        def look_s() -> float:
            began = time.perf_counter()
            found = [server.provider for server in find_local(rows)]
            # Who is slow to answer is left out: on a busy machine the third, too.
            return time.perf_counter() - began if found == ["vllm"] else inf

        assert quickest_s(look_s, 0.4) < 0.4


def test_nothing_listening_costs_next_to_nothing() -> None:
    rows = [local(name, f"http://127.0.0.1:{free_port()}/v1") for name in "abcde"]

    def look() -> None:
        assert find_local(rows) == ()

    assert quickest_s(lambda: timed_s(look), 0.05) < 0.05


def test_only_local_rows_on_this_machine_are_asked() -> None:
    with serve(json_reply(VLLM)) as server:
        rows = [
            ProviderInfo(id="remote", base_url=server.url),
            local("elsewhere", "http://192.0.2.1:8000/v1"),
            local("nonsense", "not a url"),
            local("unknown-wire", server.url, api="github-copilot"),
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
        info = local("box", f"{server.url}/v1")
        assert find_local([info]) == ()
        assert [
            found.models[0].id for found in find_local([info], keys={"box": Secret("sk-local")}, limit_s=PATIENCE_S)
        ] == ["m"]
