"""The models as the page gets and changes them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest

from jackfield.config.json5 import parse
from jackfield.config.lex import find_comments
from tests.admin.setting import CONFIG, change, config, hash_now, path, refuse
from tests.commands import write_config
from tests.gateway.command import Process, gateway_process
from tests.servers import json_reply, serve


@pytest.fixture
def process(home) -> Iterator[Process]:
    write_config(config())
    with gateway_process() as found:
        yield found


def rows(said: Any) -> dict[str, dict[str, Any]]:
    return {row[0]: dict(zip(said["columns"], row, strict=True)) for row in said["rows"]}


def test_the_models_that_can_be_asked_are_listed_with_what_is_known_of_them(process: Process) -> None:
    said = process.admin("models")[1]
    found = rows(said)
    assert list(found) == ["box/house-70b", "box/house-8b", "box/tiny"]
    assert found["box/house-70b"] == {
        "ref": "box/house-70b", "name": "House 70B", "context": 131072, "maxTokens": 8192, "input": 0.4, "output": 1.2,
        "takes": "text", "tools": True, "reasoning": False, "privacy": "local", "status": "", "ready": True, "allowed": True,
        "source": "config", "tags": ["default"],
    }  # fmt: skip
    assert (found["box/house-8b"]["takes"], found["box/house-8b"]["input"]) == ("text+image", 0)
    assert found["box/house-8b"]["tags"] == ["fallback#1", "alias:home"]
    assert found["box/tiny"]["status"] == "deprecated"
    assert [each["ref"] for each in said["choice"]["text"]["fallbacks"]] == ["box/house-8b", "box/tiny"]
    assert (said["aliases"], said["allow"]["isOn"]) == ([{"name": "home", "ref": "box/house-8b"}], False)


def test_the_whole_catalog_comes_packed_and_small(process: Process) -> None:
    bearer = {"authorization": f"Bearer {process.kept('admin-token')}", "accept_encoding": "gzip"}
    status, head, body = process.request("GET", "/admin/api/models?all=1", port=process.admin_port, **bearer)
    assert (status, head["content-encoding"], head["vary"]) == (200, "gzip", "accept-encoding")
    said = json.loads(gzip.decompress(body))
    assert len(said["rows"]) > 3000
    assert len(body) < 150_000
    assert not rows(said)["openai/gpt-5.2"]["ready"]
    plain = process.request("GET", "/admin/api/status", port=process.admin_port, **bearer)[1]
    assert "content-encoding" not in plain


def test_details_say_all_and_name_who_is_unknown(process: Process) -> None:
    found = process.admin("models/details", {"refs": ["home", "anthropic/claude-opus-4-5", "nobody/x"]})[1]["models"]
    assert [each["key"] for each in found] == ["box/house-8b", "anthropic/claude-opus-4-5", "nobody/x"]
    assert found[1]["cost"]["cacheRead"] is not None
    assert found[2]["missing"]


def test_a_default_is_chosen_and_its_fallbacks_and_comments_stay(process: Process) -> None:
    said = change(process, "models/default", {"ref": "home"})
    assert said["hash"] == hash_now(process)
    assert '-      model: { primary: "box/house-70b", fallbacks: [' in said["diff"]
    choice = parse(path().read_text("utf-8")).plain()["agents"]["defaults"]["model"]
    assert choice == {"primary": "box/house-8b", "fallbacks": ["box/house-8b", "box/tiny"]}
    assert find_comments(path().read_text("utf-8")) == find_comments(CONFIG)
    assert process.ask("default")["error"]  # the gateway uses it; nobody listens there
    change(process, "models/default", {"ref": "box/house-8b", "kind": "image"})
    assert process.admin("models")[1]["choice"]["image"]["primary"]["ref"] == "box/house-8b"
    warned = change(process, "models/default", {"ref": "box/unheard-of"})["warnings"]
    assert any("not in the catalog" in each for each in warned)
    assert refuse(process, "models/default", {"ref": "nobody/x"})["type"] == "model_not_found"


def test_fallbacks_are_added_moved_and_removed(process: Process) -> None:
    refs = lambda: [each["text"] for each in process.admin("models")[1]["choice"]["text"]["fallbacks"]]  # noqa: E731
    change(process, "models/fallbacks", {"do": "add", "ref": "openai/gpt-5.2"})
    assert refs() == ["box/house-8b", "box/tiny", "openai/gpt-5.2"]
    change(process, "models/fallbacks", {"do": "order", "refs": ["openai/gpt-5.2", "box/house-8b", "box/tiny"]})
    assert refs() == ["openai/gpt-5.2", "box/house-8b", "box/tiny"]
    change(process, "models/fallbacks", {"do": "remove", "ref": "box/house-8b"})
    assert refs() == ["openai/gpt-5.2", "box/tiny"]
    text = path().read_text("utf-8")
    assert sorted(find_comments(text)) == sorted(find_comments(CONFIG))
    assert "others by now" in refuse(process, "models/fallbacks", {"do": "order", "refs": ["a/b"]})["message"]
    assert "no fallback" in refuse(process, "models/fallbacks", {"do": "remove", "ref": "a/b"})["message"]
    assert refuse(process, "models/fallbacks", {"do": "dance"})["status"] == 400
    change(process, "models/fallbacks", {"do": "clear"})
    assert refs() == []


def test_short_names_come_and_go(process: Process) -> None:
    change(process, "models/aliases", {"do": "add", "alias": "big", "ref": "box/house-70b"})
    names = {each["name"]: each["ref"] for each in process.admin("models")[1]["aliases"]}
    assert names == {"big": "box/house-70b", "home": "box/house-8b"}
    assert (
        "already points to"
        in refuse(process, "models/aliases", {"do": "add", "alias": "big", "ref": "box/tiny"})["message"]
    )
    assert (
        "is no alias" in refuse(process, "models/aliases", {"do": "add", "alias": "a b", "ref": "box/tiny"})["message"]
    )
    change(process, "models/aliases", {"do": "remove", "alias": "HOME"})
    assert [each["name"] for each in process.admin("models")[1]["aliases"]] == ["big"]
    assert "no alias" in refuse(process, "models/aliases", {"do": "remove", "alias": "home"})["message"]
    assert sorted(find_comments(path().read_text("utf-8"))) == sorted(find_comments(CONFIG))


def test_an_allowlist_is_switched_filled_and_never_empties_itself(process: Process) -> None:
    allowed = lambda: [ref for ref, row in rows(process.admin("models")[1]).items() if row["allowed"]]  # noqa: E731
    change(process, "models/allow", {"do": "on"})
    assert allowed() == ["box/house-70b", "box/house-8b", "box/tiny"]
    change(process, "models/fallbacks", {"do": "clear"})
    change(process, "models/allow", {"do": "remove", "ref": "box/tiny"})
    assert allowed() == ["box/house-70b", "box/house-8b"]
    assert process.admin("models")[1]["allow"]["isOn"]
    assert "not allowed" in process.ask("box/tiny")["error"]["message"]
    assert "in use" in refuse(process, "models/allow", {"do": "remove", "ref": "box/house-70b"})["message"]
    change(process, "models/allow", {"do": "add", "ref": "box/tiny"})
    assert "box/tiny" in allowed()
    change(process, "models/allow", {"do": "off"})
    assert not process.admin("models")[1]["allow"]["isOn"]


def test_switching_the_list_off_keeps_what_it_says_besides(process: Process) -> None:
    change(process, "models/allow", {"do": "on"})
    change(process, "models/aliases", {"do": "add", "alias": "big", "ref": "box/house-70b"})
    change(process, "models/allow", {"do": "off"})
    said = process.admin("models")[1]
    assert said["allow"]["isOn"] is False or said["allow"]["patterns"] == ["*"]
    assert all(row["allowed"] for row in rows(process.admin("models?all=1")[1]).values())
    assert "big" in [each["name"] for each in said["aliases"]]
    change(process, "models/allow", {"do": "on"})
    assert process.admin("models")[1]["allow"]["patterns"][0] == "box/house-70b"


def test_a_change_of_a_config_that_was_not_seen_is_refused_and_says_what_happened(process: Process) -> None:
    seen = hash_now(process)
    change(process, "models/default", {"ref": "box/tiny"})
    error = refuse(process, "models/default", {"ref": "box/house-8b"}, if_match=seen)
    assert (error["status"], error["type"], error["hash"]) == (409, "conflict", hash_now(process))
    assert '+      model: { primary: "box/tiny", fallbacks: [' in error["diff"]
    assert process.admin("models/default", {"ref": "box/house-8b"})[0] == 400  # without a hash
    change(process, "models/default", {"ref": "box/house-8b"}, if_match=error["hash"])


def test_lists_are_refreshed_and_a_failure_is_told(home) -> None:
    with serve(json_reply({"data": [{"id": "fresh-1"}, {"id": "fresh-2"}]})) as server:
        text = json.dumps({"models": {"providers": {
            "box": {"baseUrl": f"{server.url}/v1", "apiKey": "sk-canary-0123456789abcd"},
            "gone": {"baseUrl": "http://127.0.0.1:1/v1", "apiKey": "sk-canary-0123456789abcd"},
        }}})  # fmt: skip
        write_config(text)
        with gateway_process() as process:
            said = process.admin("models/refresh", {})[1]["providers"]
            found = {each["provider"]: each for each in said}
            assert (found["box"]["ok"], found["box"]["count"]) == (True, 2)
            assert (found["gone"]["ok"], "error" in found["gone"]) == (False, True)
            assert {"box/fresh-1", "box/fresh-2"} <= set(rows(process.admin("models")[1]))
            assert "canary" not in json.dumps(said)
