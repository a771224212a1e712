"""`models refresh`, and what listings make of the lists it keeps."""

from __future__ import annotations

import json
import re
from pathlib import Path

from tests.commands import Result, run, write_config
from tests.servers import free_port, json_reply, serve

LIST = {"data": [{"id": "one", "context_length": 4096}, {"id": "two"}]}


def configure(url: str) -> None:
    write_config(json.dumps({"models": {"providers": {"box": {"baseUrl": url, "apiKey": "sk-0123456789"}}}}))


def rows(result: Result) -> dict[str, dict[str, object]]:
    return {row["key"]: row for row in result.json()["models"]}


def age_by(home: Path, days: int) -> None:
    path = home / ".jackfield/cache/models/box.json"
    text = path.read_text(encoding="utf-8")
    path.write_text(
        re.sub(r'"fetchedAt":([\d.]+)', lambda found: f'"fetchedAt":{float(found[1]) - days * 86400}', text),
        encoding="utf-8",
    )


def test_a_refreshed_list_is_listed_without_a_network_and_says_its_age(home: Path) -> None:
    with serve(json_reply(LIST)) as server:
        # An address beyond this machine, as far as the listing knows.
        configure(f"http://127.0.0.1:{server.port}/v1")
        done = run("models", "refresh")
    assert (done.code, done.out, done.err) == (0, "box: 2 models, nothing new\n", "")

    age_by(home, 9)
    listed = run("models", "list", "--provider", "box", "--json")
    found = rows(listed)["box/one"]
    assert (found["source"], found["contextWindow"]) == ("discovered", 4096)
    assert isinstance(found["ageSeconds"], int)
    assert 9 * 86400 <= found["ageSeconds"] < 9 * 86400 + 600
    assert "the list of box is 9 days old: jackfield models refresh box" in listed.err


def test_a_failure_keeps_the_list_and_fails_only_when_nothing_worked(home: Path) -> None:
    with serve(json_reply(LIST), json_reply({"error": {"message": "nope"}}, 401)) as server:
        configure(f"{server.url}/v1")
        assert run("models", "refresh", "box").code == 0
        age_by(home, 3)
        failed = run("models", "refresh", "box")
        as_json = run("models", "refresh", "box", "--json")
    assert (failed.code, as_json.code) == (1, 1)
    assert failed.out.startswith("box: failed: the key is refused (source: config: models.providers.box.apiKey): nope")
    assert failed.out.endswith("; the list of 3 days ago is kept\n")
    [result] = as_json.json()["providers"]
    assert (result["ok"], result["count"], result["error"]["type"]) == (False, 2, "auth")


def test_without_a_credential_there_is_nobody_to_ask() -> None:
    result = run("models", "refresh")
    assert (result.code, result.out) == (0, "")
    assert "jackfield onboard" in result.err


def test_an_unknown_provider_is_an_error_with_the_nearest_name() -> None:
    result = run("models", "refresh", "venise")
    assert result.code == 1
    assert "did you mean venice" in result.err


def test_offline_asks_nobody_but_this_machine() -> None:
    result = run("--offline", "models", "refresh", "venice", env={"VENICE_API_KEY": "vapi_x"})
    assert result.code == 1
    assert "--offline allows this machine only" in result.out
    with serve(json_reply(LIST)) as server:
        configure(f"{server.url}/v1")
        assert run("--offline", "models", "refresh").code == 0


def test_a_server_that_is_gone_is_named_because_the_config_names_it() -> None:
    configure(f"http://127.0.0.1:{free_port()}/v1")
    result = run("models", "refresh")
    assert (result.code, result.out.startswith("box: failed: cannot reach")) == (1, True)


def test_a_broken_list_stops_no_command(home: Path) -> None:
    folder = home / ".jackfield/cache/models"
    folder.mkdir(parents=True)
    for name in ("venice", "box"):
        (folder / f"{name}.json").write_bytes(b'{"format":1,"baseUrl":"https://api.venice.ai/api/v1"}\n[{"id":')
    listed = run("models", "list", env={"VENICE_API_KEY": "vapi_x"})
    assert (listed.code, listed.out.count("\nvenice/"), listed.err) == (0, 25, "")


def test_what_a_running_server_says_now_beats_its_last_list() -> None:
    now = {"data": [{"id": "one", "max_model_len": 8192}]}
    with serve(json_reply(LIST), json_reply(now)) as server:
        configure(f"{server.url}/v1")
        run("models", "refresh")
        found = rows(run("models", "list", "--provider", "box", "--json"))
    assert list(found) == ["box/one"]
    assert (found["box/one"]["contextWindow"], found["box/one"]["source"]) == (8192, "server")
