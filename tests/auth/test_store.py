"""The credential store as other programs and a killed writer meet it."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from jackfield.auth.store import FileStore, HeldProfile
from jackfield.config.disk import hold_lock
from jackfield.credential import Profile, Secret
from jackfield.errors import ConfigError

# Forks, so that twenty processes cost no twenty starts; they begin when the pipe is closed.
ADD_TWENTY = """
import os, sys
from pathlib import Path
from jackfield.auth.store import FileStore
from jackfield.credential import Profile, Secret
path, (go, shot) = Path(sys.argv[1]), os.pipe()
children = []
for number in range(20):
    if not (child := os.fork()):
        code, name = 1, f"venice:{number}"
        try:
            os.close(shot)
            os.read(go, 1)
            new = Profile(id=name, provider="venice", type="api_key", secret=Secret("vapi_" + name))
            FileStore(path).modify(name, lambda old: new)
            code = 0
        finally:
            os._exit(code)
    children.append(child)
os.close(shot)
print([os.waitpid(child, 0)[1] for child in children])
"""
WRITE_FOREVER = """
import sys
from pathlib import Path
from jackfield.auth.store import FileStore, HeldProfile
from jackfield.credential import Profile, Secret
store = FileStore(Path(sys.argv[1]))
print("ready", flush=True)
for n in range(10**9):
    new = Profile(id="a:b", provider="a", type="api_key", secret=Secret(str(n) * 5000))
    store.modify("a:b", lambda old: new)
"""


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path / "state" / "auth-profiles.json")


def add(store: FileStore, profile_id: str, key: str = "sk-secret", **more: object) -> None:
    fields = {
        "id": profile_id,
        "provider": profile_id.partition(":")[0],
        "type": "api_key",
        "secret": Secret(key),
        **more,
    }
    store.modify(profile_id, lambda _: Profile(**fields))


def write(store: FileStore, content: object) -> None:
    store.path.parent.mkdir(parents=True, exist_ok=True)
    store.path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")


def on_disk(store: FileStore) -> dict:
    return json.loads(store.path.read_text(encoding="utf-8"))


def test_a_missing_file_is_an_empty_store_and_reading_creates_nothing(store):
    assert store.list() == ()
    assert store.read("a:b") is None
    assert store.order("a") is None
    assert not store.path.parent.exists()


def test_a_new_profile_is_written_in_the_format_other_programs_read(store):
    add(store, "venice:default", "vapi_1", email="me@example.com")
    assert on_disk(store) == {
        "version": 1,
        "profiles": {
            "venice:default": {"type": "api_key", "provider": "venice", "key": "vapi_1", "email": "me@example.com"}
        },
    }


@pytest.mark.parametrize(
    ("kind", "field"), [("api_key", "key"), ("token", "token"), ("oauth", "access")], ids=["api_key", "token", "oauth"]
)
def test_each_type_keeps_its_secret_in_its_own_field(store, kind, field):
    add(store, "p:x", "s3cret", type=kind, expires_ms=1_800_000_000_000)
    assert on_disk(store)["profiles"]["p:x"][field] == "s3cret"
    assert FileStore(store.path).read("p:x").secret == Secret("s3cret")


@pytest.mark.skipif(os.name != "posix", reason="file modes")
def test_only_the_owner_may_read_the_file_and_its_new_directory(store):
    add(store, "a:b")
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(store.path.parent.stat().st_mode) == 0o700
    assert store.warning() == ""


@pytest.mark.skipif(os.name != "posix", reason="file modes")
def test_a_file_open_to_others_is_warned_of_and_closed_by_the_next_change(store):
    add(store, "a:b")
    store.path.chmod(0o644)
    assert "644" in store.warning()
    add(store, "a:c")
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked")
def test_twenty_processes_at_once_lose_no_profile(store):
    done = subprocess.run(
        [sys.executable, "-c", ADD_TWENTY, str(store.path)], capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == (f"{[0] * 20}\n", "")
    assert {profile.id for profile in store.list()} == {f"venice:{number}" for number in range(20)}


def test_threads_of_one_process_lose_no_profile(store):
    threads = [threading.Thread(target=add, args=(store, f"a:{n}")) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store.list()) == 12


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_a_writer_killed_at_any_moment_leaves_a_good_file_and_no_lock(store):
    for wait_s in (0.01, 0.03, 0.07):
        process = subprocess.Popen([sys.executable, "-c", WRITE_FOREVER, str(store.path)], stdout=subprocess.PIPE)
        process.stdout.readline()
        time.sleep(wait_s)
        process.send_signal(signal.SIGKILL)
        process.wait(60)
        process.stdout.close()
        assert isinstance(on_disk(store)["profiles"], dict) if store.path.exists() else True
    add(store, "a:after")
    assert store.read("a:after")
    assert sorted(path.name for path in store.path.parent.iterdir()) == [
        ".auth-profiles.json.lock",
        "auth-profiles.json",
    ]


def test_a_lock_held_too_long_is_an_error_that_names_the_file(tmp_path):
    path = tmp_path / "x.lock"
    with hold_lock(path), pytest.raises(ConfigError, match=r"x\.lock has been locked"), hold_lock(path, timeout_s=0.05):
        pass
    with hold_lock(path, timeout_s=0.05):
        pass


def test_a_broken_file_is_named_with_its_line_and_never_overwritten(store):
    write(store, '{\n  "version": 1,\n  "profiles": {,}\n}')
    before = store.path.read_bytes()
    with pytest.raises(ConfigError, match=r"auth-profiles\.json:3:16: not JSON") as caught:
        add(store, "a:b")
    assert "mv " in caught.value.hint
    with pytest.raises(ConfigError):
        store.list()
    assert store.path.read_bytes() == before


@pytest.mark.parametrize(
    "content", ["[]", '"text"', "[" * 100_000, '{"version": 2, "profiles": {}}', '{"version": "x"}']
)
def test_a_file_of_another_shape_is_never_overwritten(store, content):
    write(store, content)
    with pytest.raises(ConfigError):
        add(store, "a:b")
    assert store.path.read_text(encoding="utf-8") == content


def test_what_this_version_does_not_know_is_kept(store):
    write(
        store,
        {
            "version": 1,
            "profiles": {
                "a:new-kind": {"type": "passkey", "provider": "a", "x": 1},
                "a:b": {"type": "api_key", "provider": "a", "key": "old", "metadata": {"team": 7}},
            },
            "usageStats": {"a:b": {"errorCount": 3}},
            "lastGood": {"a": "a:b"},
            "future": [1, 2],
        },
    )
    add(store, "a:b", "new")
    after = on_disk(store)
    assert after["profiles"]["a:new-kind"] == {"type": "passkey", "provider": "a", "x": 1}
    assert after["profiles"]["a:b"] == {"type": "api_key", "provider": "a", "key": "new", "metadata": {"team": 7}}
    assert after["usageStats"] == {"a:b": {"errorCount": 3}}
    assert after["lastGood"] == {"a": "a:b"}
    assert after["future"] == [1, 2]
    assert [profile.id for profile in store.list()] == ["a:b"]


def test_a_profile_that_changes_its_type_leaves_no_secret_of_the_old_one(store):
    add(store, "a:b", "old-key")
    add(store, "a:b", "new-token", type="token")
    assert on_disk(store)["profiles"]["a:b"] == {"type": "token", "provider": "a", "token": "new-token"}


def test_the_old_flat_form_is_read_and_survives_the_first_change(store):
    write(store, {"anthropic": {"type": "api_key", "key": "sk-ant"}, "note": "mine"})
    assert store.read("anthropic:default").secret == Secret("sk-ant")
    add(store, "venice:default")
    assert {profile.id for profile in store.list()} == {"anthropic:default", "venice:default"}
    assert on_disk(store)["note"] == "mine"


def test_a_change_sees_what_another_process_wrote_meanwhile(store):
    add(store, "a:b", "first")
    assert store.read("a:b").secret == Secret("first")
    add(FileStore(store.path), "a:b", "second")
    seen = []
    store.modify("a:b", lambda old: seen.append(old) or old)
    assert seen[0].secret == Secret("second")
    assert store.read("a:b").secret == Secret("second")


def test_a_change_that_raises_writes_nothing(store):
    add(store, "a:b")
    before = store.path.read_bytes()
    with pytest.raises(ZeroDivisionError):
        store.modify("a:b", lambda _: 1 / 0)
    assert store.path.read_bytes() == before


def test_an_order_is_set_read_and_cleared(store):
    store.set_order("a", ["a:2", "a:1"])
    store.set_order("b", [])
    assert store.order("a") == ("a:2", "a:1")
    assert store.order("b") == ()
    store.set_order("a", None)
    store.set_order("b", None)
    assert store.order("a") is None
    assert "order" not in on_disk(store)


def test_deleting_a_profile_takes_it_out_of_every_order_and_drops_an_emptied_one(store):
    add(store, "a:1")
    add(store, "a:2")
    store.set_order("a", ["a:1", "a:2"])
    store.set_order("b", ["a:1"])
    assert store.delete("a:1") is True
    assert store.delete("a:1") is False
    assert store.order("a") == ("a:2",)
    assert store.order("b") is None


def test_characters_no_encoding_knows_survive_a_change(store):
    write(store, '{"profiles": {}, "note": "\\ud800"}')
    add(store, "a:b")
    assert "\\ud800" in store.path.read_text(encoding="utf-8")


def test_deleting_leaves_an_explicitly_empty_order_alone(store):
    add(store, "a:1")
    store.set_order("b", [])
    store.delete("a:1")
    assert store.order("b") == ()


def test_a_linked_store_stays_a_link(store, tmp_path):
    real = tmp_path / "elsewhere.json"
    real.write_text("{}", encoding="utf-8")
    store.path.parent.mkdir()
    store.path.symlink_to(real)
    add(store, "a:b")
    assert store.path.is_symlink()
    assert "a:b" in json.loads(real.read_text(encoding="utf-8"))["profiles"]


@pytest.mark.parametrize("expires", [0, -5, "soon", True, 1e300, float("inf")], ids=repr)
def test_a_date_that_is_none_counts_as_long_past(store, expires):
    write(
        store, json.dumps({"profiles": {"a:b": {"type": "token", "provider": "a", "token": "t", "expires": expires}}})
    )
    assert store.read("a:b").is_expired(1)


def test_a_directory_that_cannot_be_made_is_one_clear_error(tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(ConfigError, match="cannot write in"):
        add(FileStore(tmp_path / "file" / "home" / "auth-profiles.json"), "a:b")


def test_a_held_profile_is_read_like_a_stored_one_and_is_on_no_disk(tmp_path):
    profile = Profile(id="a:b", provider="a", type="token", secret=Secret("t"), expires_ms=5)
    held = HeldProfile(profile)
    assert held.read("a:b") == profile
    assert held.list() == (profile,)
    assert held.order("a") is None
    assert "t'" not in repr(held)


# -- who answered last -------------------------------------------------------------


def stats(store: FileStore) -> dict:
    return json.loads(store.path.read_text(encoding="utf-8")).get("usageStats", {})


def test_a_success_is_noted_and_ends_a_rest(store: FileStore) -> None:
    resting = {
        "lastUsed": 5,
        "errorCount": 3,
        "cooldownUntil": 9e15,
        "disabledUntil": 9e15,
        "disabledReason": "billing",
    }
    profiles = {name: {"type": "api_key", "provider": "a", "key": "k"} for name in ("a:b", "a:c")}
    write(store, {"version": 1, "profiles": profiles, "usageStats": {"a:b": {**resting, "theirs": 1}, "a:c": resting}})
    assert (store.usage("a:b").kind, store.usage("a:b").reason) == ("disabled", "billing")
    store.note_successes({"a:b": 7, "a:gone": 8})
    root = json.loads(store.path.read_text(encoding="utf-8"))
    assert root["usageStats"] == {"a:b": {"lastUsed": 7, "errorCount": 0, "theirs": 1}, "a:c": resting}
    assert root["lastGood"] == {"a": "a:b"}


def test_a_held_file_is_given_up_soon_and_the_process_knows_nevertheless(store: FileStore) -> None:
    add(store, "a:b")
    store.remember_use("a:b", 7)
    with hold_lock(store.path.with_name(f".{store.path.name}.lock")), pytest.raises(ConfigError):
        store.note_successes({"a:b": 7}, wait_s=0.01)
    assert (stats(store), store.usage("a:b").last_used_ms) == ({}, 7)


@pytest.mark.parametrize("record", [None, 3, [], {"lastUsed": "x", "cooldownUntil": True, "disabledUntil": -1}])
def test_odd_statistics_are_none(store: FileStore, record: object) -> None:
    write(store, {"version": 1, "profiles": {}, "usageStats": {"a:b": record}})
    assert store.usage("a:b").rests_until(0) == 0


def test_a_profile_that_is_on_no_disk_leaves_no_trace_of_its_use() -> None:
    HeldProfile(Profile(id="a:b", provider="a", type="api_key", secret=Secret("k"))).note_successes({"a:b": 7})
    assert not Path(os.devnull).with_name(".null.lock").exists()
