"""Several accounts at one provider: whose turn it is."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from jackfield.auth.sources import sources
from jackfield.auth.store import FileStore
from jackfield.config.paths import locate
from jackfield.config.schema import Config
from jackfield.model import ProviderInfo
from tests.commands import local_provider, run, write_config
from tests.servers import Server, json_reply, serve

NOW = 1_700_000_000_000
HOUR = 3_600_000
INFO = ProviderInfo(id="box", base_url="https://box.example/v1")
REPLY = {"choices": [{"index": 0, "message": {"role": "assistant", "content": "OK."}, "finish_reason": "stop"}]}


def key(**more: Any) -> dict[str, Any]:
    return {"type": "api_key", "provider": "box", "key": "sk-0123456789", **more}


def oauth(**more: Any) -> dict[str, Any]:
    return {"type": "oauth", "provider": "box", "access": "a-0123456789", **more}


def turns(path: Path, profiles: dict[str, Any], usage: dict[str, Any], order: list[str] | None = None) -> list[str]:
    """Return the profiles of a store in the order they are tried at this moment."""
    home = {"JACKFIELD_HOME": str(path)}
    orders = {} if order is None else {"order": {"box": order}}
    root = {"version": 1, "profiles": profiles, "usageStats": usage, **orders}
    (path / "auth-profiles.json").write_text(json.dumps(root), encoding="utf-8")
    found = sources(INFO, Config(paths=locate(home)), FileStore(path / "auth-profiles.json"), NOW)
    return [each.profile.id for each in found if each.profile and not each.reason]


def test_the_one_that_waited_longest_is_next_and_one_never_used_before_it(tmp_path: Path) -> None:
    usage = {"box:a": {"lastUsed": NOW - 1}, "box:b": {"lastUsed": NOW - 2}}
    assert turns(tmp_path, {"box:a": key(), "box:b": key(), "box:c": key()}, usage) == ["box:c", "box:b", "box:a"]


def test_a_sign_in_comes_before_a_token_and_a_token_before_a_key(tmp_path: Path) -> None:
    token = {"type": "token", "provider": "box", "token": "t-0123456789"}
    usage = {"box:o": {"lastUsed": NOW}, "box:t": {"lastUsed": NOW}}
    assert turns(tmp_path, {"box:k": key(), "box:t": token, "box:o": oauth()}, usage) == ["box:o", "box:t", "box:k"]


@pytest.mark.parametrize("order", [None, ["box:a", "box:b", "box:c"]], ids=["in turn", "in the user's order"])
def test_who_rests_comes_last_and_the_one_that_is_back_first_before_the_others(
    tmp_path: Path, order: list[str] | None
) -> None:
    usage = {"box:a": {"disabledUntil": NOW + 2 * HOUR}, "box:b": {"cooldownUntil": NOW + HOUR}}
    profiles = {"box:a": key(), "box:b": key(), "box:c": key()}
    assert turns(tmp_path, profiles, usage, order) == ["box:c", "box:b", "box:a"]


def test_a_rest_that_is_over_changes_nothing(tmp_path: Path) -> None:
    usage = {"box:a": {"cooldownUntil": NOW}}
    assert turns(tmp_path, {"box:a": key(), "box:b": key()}, usage, ["box:a", "box:b"]) == ["box:a", "box:b"]


def test_an_order_is_kept_whoever_was_used_and_names_all_that_are_tried(tmp_path: Path) -> None:
    profiles = {"box:a": key(), "box:b": key(), "box:c": key()}
    assert turns(tmp_path, profiles, {"box:b": {"lastUsed": NOW}}, ["box:b", "box:a"]) == ["box:b", "box:a"]
    assert turns(tmp_path, profiles, {}, []) == []


# -- through the command -----------------------------------------------------------


def keep(**more: Any) -> Path:
    path = Path(os.environ["HOME"]) / ".jackfield" / "auth-profiles.json"
    profiles = {f"box:{name}": key(key=f"sk-{name}-0123456789") for name in "ab"}
    path.write_text(json.dumps({"version": 1, "profiles": profiles, **more}), encoding="utf-8")
    return path


def keys(server: Server) -> list[str]:
    return [call.headers["authorization"].removeprefix("Bearer sk-")[0] for call in server.journal]


def test_answers_rotate_and_only_answers_do() -> None:
    with serve(json_reply(REPLY), json_reply({"error": {"message": "no"}}, 400), json_reply(REPLY)) as server:
        write_config(local_provider(f"{server.url}/v1"))
        path = keep()
        codes = [run("chat", "--no-stream", "Hi").code for _ in range(4)]
    assert codes == [0, 1, 0, 0]
    assert keys(server)[0] == "a"
    assert set(keys(server)[1:-1]) == {"b"}
    assert keys(server)[-1] == "a"
    stats = json.loads(path.read_text(encoding="utf-8"))["usageStats"]
    assert all(stats[name]["lastUsed"] > NOW for name in ("box:a", "box:b"))


def test_an_answer_arrives_though_its_use_cannot_be_noted() -> None:
    with serve(json_reply(REPLY)) as server:
        write_config(local_provider(f"{server.url}/v1"))
        path = keep()
        path.with_name(f".{path.name}.lock").mkdir()
        result = run("chat", "--no-stream", "Hi")
    assert (result.code, result.out) == (0, "OK.\n")
    assert "usageStats" not in path.read_text(encoding="utf-8")
