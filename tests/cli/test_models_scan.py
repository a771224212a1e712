"""`models scan`: OpenRouter's free models, asked for real, chosen or not."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.commands import Result, run, write_config
from tests.servers import Received, Server, Step, json_reply, serve

KEY = {"OPENROUTER_API_KEY": "sk-or-0123456789"}


def row(name: str, *, window: int = 8192, sees: bool = False, **more: Any) -> dict[str, Any]:
    inputs = ["text", "image"] if sees else ["text"]
    return {
        "id": name, "name": name, "context_length": window, "created": 1_700_000_000,
        "architecture": {"input_modalities": inputs, "output_modalities": ["text"]},
        "supported_parameters": ["tools"], "pricing": {"prompt": "0", "completion": "0"}, **more,
    }  # fmt: skip


ROWS = [
    row("acme/big-70b:free", window=100_000), row("acme/eye-8b:free", sees=True), row("acme/mute-9b:free"),
    row("other/small-3b:free", created=1_790_000_000), row("acme/paid-70b", pricing={"prompt": "0.1", "completion": "1"}),
]  # fmt: skip


def call() -> dict[str, Any]:
    function = {"name": "report_ready", "arguments": '{"ready": true}'}
    message = {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": "c", "type": "function", "function": function}],
    }
    return {"choices": [{"message": message, "finish_reason": "tool_calls"}]}


def words() -> dict[str, Any]:
    return {"choices": [{"message": {"role": "assistant", "content": "OK"}, "finish_reason": "stop"}]}


def answer(received: Received) -> list[Step]:
    if received.method == "GET":
        return json_reply({"data": ROWS})
    body = received.json()
    return json_reply(words() if "tools" not in body or "mute" in body["model"] else call())


def scan(
    *args: str, env: dict[str, str] = KEY, reply: Callable[[Received], list[Step]] = answer
) -> tuple[Result, Server]:
    with serve(reply) as server:
        openrouter = {"baseUrl": f"{server.url}/v1", "apiKey": "${OPENROUTER_API_KEY}"}
        config = {
            "agents": {"defaults": {"model": {"primary": "box/m"}}},
            "models": {"providers": {"openrouter": openrouter}},
        }
        write_config(json.dumps(config))
        return run("models", "scan", *args, env=env), server


def saved(home: Path) -> dict[str, Any]:
    config: dict[str, Any] = json.loads((home / ".jackfield/jackfield.json").read_text(encoding="utf-8"))
    return config["agents"]["defaults"]


def test_models_are_asked_for_a_tool_call_and_a_picture_and_the_best_comes_first(home: Path) -> None:
    result, server = scan("--json")
    found = result.json()
    results = {each["model"]: each for each in found["results"]}

    assert (result.code, found["found"], found["probed"], found["selected"]) == (0, 4, True, [])
    assert found["results"][0]["model"] == "openrouter/acme/eye-8b:free"
    assert (
        results["openrouter/acme/eye-8b:free"]["image"]["ok"],
        results["openrouter/acme/big-70b:free"]["image"],
    ) == (True, None)
    assert results["openrouter/acme/mute-9b:free"]["tool"]["error"] == "called no tool"
    assert results["openrouter/acme/big-70b:free"]["paramsB"] == 70
    assert len([got for got in server.journal if got.method == "POST"]) == 5
    assert saved(home)["model"] == {"primary": "box/m"}


def test_yes_makes_those_that_work_fallbacks_and_keeps_the_default(home: Path) -> None:
    result, _ = scan("--yes", "--set-image")
    defaults = saved(home)

    assert result.code == 0
    assert defaults["model"]["primary"] == "box/m"
    assert {*defaults["model"]["fallbacks"]} == {
        "openrouter/acme/big-70b:free", "openrouter/acme/eye-8b:free", "openrouter/other/small-3b:free",
    }  # fmt: skip
    assert defaults["imageModel"] == {"primary": "openrouter/acme/eye-8b:free", "fallbacks": []}


def test_set_default_takes_the_best(home: Path) -> None:
    scan("--no-input", "--set-default", "--max-candidates", "1")
    assert saved(home)["model"] == {"primary": "openrouter/acme/eye-8b:free", "fallbacks": []}


def test_filters_narrow_the_list() -> None:
    for args, refs in (
        (("--min-params", "9"), {"big-70b", "mute-9b"}),
        (("--provider", "other"), {"small-3b"}),
        (("--max-age-days", "365"), {"small-3b"}),
    ):
        found = scan("--no-probe", "--json", *args)[0].json()["results"]
        assert {each["model"].split("/")[-1].removesuffix(":free") for each in found} == refs


def test_without_a_key_the_list_alone_is_shown_and_it_is_said() -> None:
    with serve(answer) as server:
        # No key is needed on this machine; whoever asks the real one needs it.
        write_config(
            json.dumps({"models": {"providers": {"openrouter": {"baseUrl": f"{server.url}/v1", "auth": "api-key"}}}})
        )
        result = run("models", "scan", "--no-probe")
    assert (result.code, result.out.count(":free")) == (0, 4)
    assert not [got for got in server.journal if got.method == "POST"]


def test_nothing_is_written_when_nothing_works(home: Path) -> None:
    result, _ = scan(
        "--yes", reply=lambda got: json_reply({"data": ROWS}) if got.method == "GET" else json_reply(words())
    )
    assert result.code == 1
    assert "none of the models asked called a tool" in result.err
    assert saved(home)["model"] == {"primary": "box/m"}


def test_a_list_that_cannot_be_had_is_an_error() -> None:
    result, _ = scan(reply=lambda _: json_reply({"error": {"message": "down"}}, 503))
    assert (result.code, "down" in result.err) == (1, True)


def test_a_default_cannot_be_set_unseen() -> None:
    assert scan("--no-probe", "--set-default")[0].code == 2
