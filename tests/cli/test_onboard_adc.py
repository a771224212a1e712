"""`onboard` for a provider that takes Google's own sign-in: nothing is kept, and what is missing is said."""

from __future__ import annotations

import json
from pathlib import Path

from tests.commands import run

CHOICE = ("onboard", "--non-interactive", "--json", "--auth-choice", "google-vertex")


def test_a_sign_in_of_gclouds_is_used_where_it_is(home: Path) -> None:
    folder = home / ".config" / "gcloud"
    folder.mkdir(parents=True)
    (folder / "application_default_credentials.json").write_text("{}", encoding="utf-8")
    env = {"GOOGLE_CLOUD_PROJECT": "p", "GOOGLE_CLOUD_LOCATION": "us-east5"}
    result = run(*CHOICE, env=env)
    assert (result.code, json.loads(result.out)["profileId"]) == (0, None)
    assert not (home / ".jackfield" / "auth-profiles.json").exists()
    assert "gcloud adc" in run("models", "status", env=env).out


def test_a_machine_without_one_says_what_works() -> None:
    result = run(*CHOICE)
    assert result.code == 1
    error = json.loads(result.out)["error"]
    assert "no Google credentials on this machine" in error["message"]
    assert "gcloud auth application-default login" in error["hint"]
