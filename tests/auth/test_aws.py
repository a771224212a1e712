"""Keys that sign requests to AWS: where they are looked for, and in which order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jackfield.auth import aws
from jackfield.auth.resolve import resolve_all
from jackfield.auth.store import FileStore
from jackfield.catalog.load import Catalog
from jackfield.config.default import load_default
from jackfield.credential import AwsKeys, RequestAuth, Secret
from jackfield.errors import MissingKey

PAIR = {"AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "s3cret"}


@pytest.fixture
def found(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that says every credential a request to Bedrock may get with these variables."""

    def look(provider: dict[str, Any] | None = None, **environ: str) -> tuple[RequestAuth, ...]:
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        config = load_default({"models": {"providers": {"amazon-bedrock": provider}}} if provider else {})
        info, store = Catalog(config).provider("amazon-bedrock"), FileStore(tmp_path / "profiles.json")
        assert info
        return resolve_all(info, config, store, 0)

    return look


def test_the_order_is_a_bedrock_key_then_keys_then_a_profile_then_the_machine(found: Any, home: Path) -> None:
    (home / ".aws").mkdir()
    (home / ".aws" / "credentials").write_text("[default]\n", encoding="utf-8")
    all_of_them = found(AWS_BEARER_TOKEN_BEDROCK="abc", AWS_PROFILE="work", AWS_SESSION_TOKEN="t", **PAIR)
    assert [auth.source for auth in all_of_them] == [
        "env: AWS_BEARER_TOKEN_BEDROCK", "env: AWS_ACCESS_KEY_ID", "env: AWS_PROFILE", "AWS's own chain",
    ]  # fmt: skip
    assert all_of_them[1].aws == AwsKeys(access_key="AKID", secret_key=Secret("s3cret"), session_token=Secret("t"))
    assert all_of_them[2].aws == AwsKeys(profile="work")
    assert all_of_them[3].aws == AwsKeys()


def test_half_a_pair_of_keys_is_none(found: Any) -> None:
    with pytest.raises(MissingKey):
        found(AWS_ACCESS_KEY_ID="AKID")


def test_who_asks_for_awss_tools_gets_nothing_else(found: Any) -> None:
    wish = {"baseUrl": "https://bedrock-runtime.us-east-1.amazonaws.com", "auth": "aws-sdk", "models": []}
    (auth,) = found(wish, AWS_BEARER_TOKEN_BEDROCK="abc")
    assert auth.aws == AwsKeys()


def test_the_chain_is_tried_where_its_files_or_a_clusters_variables_are(tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.touch()
    assert not aws.has_chain({"HOME": str(tmp_path)})
    assert aws.has_chain({"AWS_CONFIG_FILE": str(file)})
    assert aws.has_chain({"AWS_WEB_IDENTITY_TOKEN_FILE": "/run/token"})


@pytest.mark.parametrize(
    ("environ", "region"),
    [
        ({"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "us-west-2"}, "eu-west-1"),
        ({"AWS_DEFAULT_REGION": "us-west-2"}, "us-west-2"),
        ({"AWS_REGION": " "}, "us-east-1"),
    ],
)
def test_the_region_is_the_first_that_is_named(environ: dict[str, str], region: str) -> None:
    assert aws.pick_region(environ) == region
