"""A key goes to its provider and nowhere else: not into a file, a listing, an error or a reply."""

from __future__ import annotations

import json
from pathlib import Path

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
    holders = {file.name for file in home.rglob("*") if file.is_file() and KEY.encode() in file.read_bytes()}
    assert holders <= {path.name, f"{path.name}.bak"}
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
