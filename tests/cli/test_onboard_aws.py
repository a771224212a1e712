"""`onboard` for a provider that takes signed requests: nothing is kept, but there must be something to sign with."""

from __future__ import annotations

import json
from pathlib import Path

from tests.commands import run

CHOICE = ("onboard", "--non-interactive", "--json", "--auth-choice", "amazon-bedrock")


def test_keys_of_the_environment_are_used_where_they_are(home: Path) -> None:
    result = run(*CHOICE, env={"AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "s3cret"})
    assert (result.code, json.loads(result.out)["profileId"]) == (0, None)
    assert not (home / ".jackfield" / "auth-profiles.json").exists()


def test_awss_own_files_are_enough(home: Path) -> None:
    (home / ".aws").mkdir()
    (home / ".aws" / "config").write_text("[default]\nsso_session = work\n", encoding="utf-8")
    assert run(*CHOICE).code == 0


def test_a_bedrock_key_is_kept_like_any_other() -> None:
    result = run(*CHOICE, env={"AWS_BEARER_TOKEN_BEDROCK": "bedrock-api-key-1234"})
    assert json.loads(result.out)["profileId"] == "amazon-bedrock:default"


def test_a_machine_without_any_says_what_works() -> None:
    result = run(*CHOICE)
    assert result.code == 1
    assert "AWS_PROFILE" in json.loads(result.out)["error"]["hint"]
