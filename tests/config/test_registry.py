"""Providers that stand in `models.json`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from jackfield.config.load import load_config
from jackfield.config.paths import locate
from jackfield.config.schema import Config
from jackfield.credential import Secret


def write(home: Path, place: str, value: Any) -> None:
    path = home / ".jackfield" / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")


def load(home: Path, **environ: str) -> Config:
    environ = {"HOME": str(home), **environ}
    return load_config(locate(environ), environ, cwd=home)


def provider(url: str, **rest: Any) -> dict[str, Any]:
    return {"providers": {"own": {"baseUrl": url, **rest}}}


def test_a_provider_may_stand_in_a_file_beside_the_config(home: Path) -> None:
    write(home, "models.json", provider("https://own.example/v1", apiKey="${OWN}", models=[{"id": "m"}]))
    own = load(home, OWN="sk-own").providers["own"]
    assert (own.base_url, [row.id for row in own.models]) == ("https://own.example/v1", ["m"])
    assert own.api_key is not None
    assert own.api_key.secret == Secret("sk-own")


def test_the_agents_file_is_read_too_and_the_nearer_one_holds(home: Path) -> None:
    write(home, "agents/main/agent/models.json", provider("https://far.example/v1"))
    assert load(home).providers["own"].base_url == "https://far.example/v1"
    write(home, "models.json", provider("https://near.example/v1"))
    assert load(home).providers["own"].base_url == "https://near.example/v1"


def test_the_config_wins(home: Path) -> None:
    write(home, "models.json", provider("https://file.example/v1"))
    write(home, "jackfield.json", {"models": provider("https://config.example/v1")})
    assert load(home).providers["own"].base_url == "https://config.example/v1"


def test_a_damaged_file_is_a_warning_and_stops_nothing(home: Path) -> None:
    write(home, "models.json", "{ providers: ")
    write(home, "agents/main/agent/models.json", {**provider("https://own.example/v1"), "odd": 1})
    config = load(home)
    assert config.providers["own"].base_url == "https://own.example/v1"
    assert [("models.json" in warning) for warning in config.warnings] == [True, True]
