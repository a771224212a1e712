"""`gateway keys` as a person and a script use it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tests.commands import run, write_config


def test_a_key_is_shown_once_and_then_only_its_limits(home: Path) -> None:
    made = run(
        "gateway", "keys", "create", "bob", "--models", "a/*", "--models", "b/m", "--budget-day", "0.50", "--rpm", "3"
    )
    listed = run("gateway", "keys", "list")

    secret = made.out.strip()
    assert made.code == 0
    assert secret.startswith("jf-")
    assert "not shown again" in made.err
    assert secret not in listed.out
    assert "a/*, b/m; $0.50 a day; 3 requests a minute" in listed.out
    assert secret.encode() not in b"".join(path.read_bytes() for path in (home / ".jackfield").glob("state.sqlite*"))


def test_scripts_get_a_key_and_its_limits_as_json() -> None:
    made = run(
        "gateway", "keys", "create", "ci", "--budget-month", "$2", "--tpm", "5", "--concurrency", "2", "--expires", "1d",
        "--allow-unpriced", "--json",
    ).json()  # fmt: skip
    (listed,) = run("gateway", "keys", "list", "--json").json()["keys"]

    assert made.pop("ok")
    assert made.pop("key").startswith("jf-")
    assert made == listed
    assert listed["expiresMs"] - listed["madeMs"] == 86_400_000
    assert listed["limits"] == {"budgetMonth": "2", "allowUnpriced": True, "tokensPerMinute": 5, "concurrency": 2}


def test_a_revoked_key_stays_in_the_list_and_its_name_is_free() -> None:
    first = run("gateway", "keys", "create", "bob", "--json").json()["id"]
    again = run("gateway", "keys", "create", "bob", "--json")
    revoked = run("gateway", "keys", "revoke", first, "--json")
    second = run("gateway", "keys", "create", "bob", "--json")

    assert again.code == 2
    assert again.json()["error"]["message"] == "there is a key 'bob' already"
    assert revoked.json()["state"] == "revoked"
    assert second.code == 0
    states = [key["state"] for key in run("gateway", "keys", "list", "--json").json()["keys"]]
    assert sorted(states) == ["active", "revoked"]


@pytest.mark.parametrize(
    "args",
    [["--budget-day", "-1"], ["--budget-day", "NaN"], ["--rpm", "0"], ["--expires", "soon"]],
    ids=["debt", "words", "zero", "span"],
)
def test_a_limit_that_is_none_is_wrong_usage(args: list[str]) -> None:
    assert run("gateway", "keys", "create", "bob", *args).code == 2
    assert run("gateway", "keys", "list", "--json").json()["keys"] == []


def test_revoking_what_is_not_there_is_wrong_usage() -> None:
    assert run("gateway", "keys", "revoke", "eve").code == 2


def test_keys_are_made_where_the_config_says(home: Path) -> None:
    path = home / "elsewhere.sqlite"
    write_config(f'{{ gateway: {{ database: "sqlite:///{path}" }} }}')

    run("gateway", "keys", "create", "bob")

    with sqlite3.connect(path) as database:
        assert database.execute("SELECT name FROM gateway_keys").fetchall() == [("bob",)]
    database.close()


def test_a_database_that_is_away_is_said_without_its_password() -> None:
    write_config('{ gateway: { database: "postgresql://u:hunter2@127.0.0.1:1/d" } }')

    result = run("gateway", "keys", "list")

    assert result.code == 1
    assert "127.0.0.1/d" in result.err
    assert "hunter2" not in result.err
