"""A key goes to its provider and nowhere else: not into a file, a listing, an error or a reply."""

from __future__ import annotations

import base64
import json
import os
import shlex
import sys
from pathlib import Path

import pytest
from keyrings.alt.file import PlaintextKeyring

from tests.commands import Result, run, write_config
from tests.servers import json_reply, serve

KEY = "sk-canary-4242424242424242"
LINES = (
    ("chat", "Hello"),
    ("chat", "--json", "Hello"),
    ("-v", "chat", "Hello"),
    ("models", "list"),
    ("models", "list", "--json"),
    ("models", "status"),
    ("models", "status", "--json"),
    ("models", "set", "box/other"),
    ("models", "aliases", "add", "quick", "box/m"),
    ("models", "aliases", "list"),
    ("models", "fallbacks", "add", "box/two"),
    ("models", "auth", "list"),
    ("models", "auth", "list", "--json"),
    ("config", "get", "models.providers.box"),
    ("config", "get", "models.providers.box.apiKey"),
    ("config", "get", "env", "--json"),
    ("config", "set", "models.providers.box.name", "Box"),
    ("config", "validate", "--json"),
    ("config", "unset", "models.providers.box.name"),
)


def written(home: Path) -> bytes:
    """Return every byte of every file below the home, names included."""
    return b"\n".join(str(path).encode() + (path.read_bytes() if path.is_file() else b"") for path in home.rglob("*"))


def run_all(**env: str) -> list[Result]:
    return [run(*line, env=env) for line in LINES]


def test_a_key_in_a_variable_never_reaches_a_file_or_the_screen(home: Path) -> None:
    # The server repeats the key back in an error, as some do.
    with serve(json_reply({"error": {"message": f"bad key {KEY}"}}, 401)) as server:
        path = write_config(config_with("${BOX_KEY}", server.url))
        results = run_all(BOX_KEY=KEY)
    assert server.journal[0].headers["authorization"] == f"Bearer {KEY}"
    for line, result in zip(LINES, results, strict=True):
        assert KEY not in result.out + result.err, line
    assert KEY.encode() not in written(home)
    assert '"${BOX_KEY}"' in path.read_text("utf-8")


def test_a_key_in_the_env_block_stays_in_the_one_place_the_user_put_it(home: Path) -> None:
    with serve(json_reply({"error": {"message": f"bad key {KEY}"}}, 401)) as server:
        path = write_config(config_with("${BOX_KEY}", server.url, env={"BOX_KEY": KEY}))
        results = run_all()
    for line, result in zip(LINES, results, strict=True):
        assert KEY not in result.out + result.err, line
    holders = {file for file in home.rglob("*") if file.is_file() and KEY.encode() in file.read_bytes()}
    # What the config was before a change is kept beside it, for its owner alone.
    kept = {file for file in holders if file.parent.name == "config-history"}
    assert {file.name for file in holders - kept} <= {path.name, f"{path.name}.bak"}
    assert {file.stat().st_mode & 0o777 for file in holders} == {0o600}
    assert path.read_text("utf-8").count(KEY) == 1


def test_a_key_in_the_store_is_shown_masked_and_kept_in_the_store_alone(home: Path) -> None:
    with serve(json_reply({"error": {"message": f"bad key {KEY}"}}, 401)) as server:
        write_config(config_with(None, server.url))
        assert run("models", "auth", "paste-api-key", "--provider", "box", stdin=f'export BOX_KEY="{KEY}"\n').code == 0
        results = run_all()
    assert server.journal[0].headers["authorization"] == f"Bearer {KEY}"
    for line, result in zip(LINES, results, strict=True):
        assert KEY not in result.out + result.err, line
    holders = [file for file in home.rglob("*") if file.is_file() and KEY.encode() in file.read_bytes()]
    assert [holder.name for holder in holders] == ["auth-profiles.json"]
    assert holders[0].stat().st_mode & 0o777 == 0o600


def config_with(key: str | None, url: str, env: dict[str, str] | None = None) -> str:
    box = {"baseUrl": url, "models": [{"id": "m"}, {"id": "other"}, {"id": "two"}], **({"apiKey": key} if key else {})}
    return json.dumps(
        {
            **({"env": env} if env else {}),
            "agents": {"defaults": {"model": {"primary": "box/m"}}},
            "models": {"providers": {"box": box}},
        },
        indent=2,
    )


# -- references --------------------------------------------------------------------

# What follows a reference, and what must not: fewer than all commands, for each is tried in every place.
TELLING = (
    ("chat", "Hello"),
    ("-v", "chat", "--json", "Hello"),
    ("models", "list", "--json"),
    ("models", "status", "--json"),
    ("models", "auth", "list", "--json"),
    ("config", "get", "--json"),
    ("config", "set", "models.providers.box.name", "Box"),
    ("doctor", "--json"),
)
RING = ".local/share/python_keyring/keyring_pass.cfg"  # of the keyring on files, below the home
KEYRING = {"PYTHON_KEYRING_BACKEND": "keyrings.alt.file.PlaintextKeyring"}
# The key as itself, and as the keyring on files writes it.
SPELLINGS = (KEY.encode(), base64.b64encode(KEY.encode())[:24])


def holders(folder: Path) -> set[str]:
    files = (file for file in folder.rglob("*") if file.is_file())
    return {str(file.relative_to(folder)) for file in files if any(each in file.read_bytes() for each in SPELLINGS)}


def put(place: str, vault: Path) -> dict[str, str]:
    """Put the key where a reference of this kind leads; return the reference."""
    vault.write_text(json.dumps({"box": KEY}) if place == "file" else KEY, encoding="utf-8")
    match place:
        case "env":
            return {"source": "env", "id": "CANARY"}
        case "file":
            return {"source": "file", "id": f"{vault}#/box"}
        case "exec":
            return {"source": "exec", "id": f"cat {vault}"}
    ring = PlaintextKeyring()
    ring.file_path = str(Path(os.environ["HOME"]) / RING)
    ring.set_password("jackfield", "box", KEY)
    return {"source": "keyring", "id": "box"}


@pytest.mark.parametrize("where", ["config", "header", "store"])
@pytest.mark.parametrize("place", ["env", "file", "exec", "keyring"])
def test_a_key_that_is_referred_to_stays_where_it_is(home: Path, tmp_path: Path, place: str, where: str) -> None:
    ref = put(place, tmp_path / "vault")
    env = {**KEYRING, "JACKFIELD_RECORD": str(home / "tape"), **({"CANARY": KEY} if place == "env" else {})}
    with serve(json_reply({"error": {"message": f"bad key {KEY}"}}, 401)) as server:
        root = json.loads(config_with(None, server.url))
        box = root["models"]["providers"]["box"]
        if where == "config":
            box["apiKey"] = ref
        elif where == "header":
            box["headers"] = {"authorization": ref}
        path = write_config(json.dumps(root, indent=2))
        if where == "store":
            profile = {"type": "api_key", "provider": "box", "keyRef": {"provider": "default", **ref}}
            content = json.dumps({"version": 1, "profiles": {"box:default": profile}})
            (path.parent / "auth-profiles.json").write_text(content, encoding="utf-8")
        results = [run(*line, env=env) for line in TELLING]
    sent = server.journal[0].headers["authorization"]
    assert sent == (KEY if where == "header" else f"Bearer {KEY}")
    for line, result in zip(TELLING, results, strict=True):
        assert KEY not in result.out + result.err, line
    assert holders(home) <= ({RING} if place == "keyring" else set())


def test_with_the_keyring_not_even_the_store_holds_the_key(home: Path) -> None:
    with serve(json_reply({"error": {"message": f"bad key {KEY}"}}, 401)) as server:
        root = json.loads(config_with(None, server.url))
        write_config(json.dumps({**root, "auth": {"store": "keyring"}}, indent=2))
        pasted = run("models", "auth", "paste-api-key", "--provider", "box", stdin=KEY, env=KEYRING)
        results = [pasted, *(run(*line, env=KEYRING) for line in TELLING)]
        assert holders(home) == {RING}
        assert server.journal[0].headers["authorization"] == f"Bearer {KEY}"
        assert run("models", "auth", "logout", "box:default", "--yes", env=KEYRING).code == 0
    assert all(KEY not in result.out + result.err for result in results)
    assert holders(home) == set()


def test_doctor_moves_a_key_into_the_keyring_and_leaves_none_behind(home: Path) -> None:
    with serve(json_reply({"error": {"message": "no"}}, 401)) as server:
        root = {**json.loads(config_with(KEY, server.url)), "auth": {"store": "keyring"}}
        root["models"]["providers"]["box"]["headers"] = {"x-key": KEY, "x-plain": "word"}
        write_config(json.dumps(root))
        run("config", "set", "models.providers.box.name", "Box", env=KEYRING)  # makes a backup that holds the key
        assert run("doctor", "--fix", "--yes", env=KEYRING).code == 0
        run("chat", "Hello", env=KEYRING)
    sent = server.journal[0].headers
    assert (sent["authorization"], sent["x-key"], sent["x-plain"]) == (f"Bearer {KEY}", KEY, "word")
    assert holders(home) == {RING}


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="no /proc")
def test_no_argument_and_no_childs_variable_holds_a_key(home: Path, tmp_path: Path) -> None:
    spy = f"import os; say = open({str(tmp_path / 'seen')!r}, 'ab')"
    spy += "; [say.write(open(f'/proc/{pid}/{what}', 'rb').read()) for pid in ('self', os.getppid())"
    spy += " for what in ('cmdline', 'environ')]; print('other-key')"
    with serve(json_reply({"error": {"message": "no"}}, 401)) as server:
        root = json.loads(config_with(None, server.url))
        ref = {"source": "exec", "id": shlex.join([sys.executable, "-c", spy])}
        root["models"]["providers"]["box"]["headers"] = {"x-other": ref}
        write_config(json.dumps(root))
        run("models", "auth", "paste-api-key", "--provider", "box", stdin=KEY)
        run("chat", "Hello", start=True)  # a fork has its parent's arguments in the system's eyes
    assert server.journal[0].headers["authorization"] == f"Bearer {KEY}"
    assert server.journal[0].headers["x-other"] == "other-key"
    seen = (tmp_path / "seen").read_bytes()
    assert b"jackfield" in seen
    assert KEY.encode() not in seen
