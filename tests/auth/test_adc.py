"""Google's application default credentials: when they count, and which file it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from jackfield.auth import adc
from jackfield.auth.resolve import is_available, resolve
from jackfield.auth.store import FileStore
from jackfield.catalog.load import Catalog
from jackfield.config.default import load_default
from jackfield.credential import AdcFile
from jackfield.errors import MissingKey

PLACE = {"GOOGLE_CLOUD_PROJECT": "p", "GOOGLE_CLOUD_LOCATION": "us-east5"}


@pytest.fixture
def file(home: Path) -> Path:
    """Return what gcloud writes, where gcloud writes it."""
    path = home / ".config" / "gcloud" / adc.FILE
    path.parent.mkdir(parents=True)
    path.write_text("{}", encoding="utf-8")
    return path


def test_file_project_and_location_together_make_the_provider_usable(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = FileStore(tmp_path / "profiles.json")

    def look() -> tuple[bool, str]:
        config = load_default({})
        info = Catalog(config).provider("google-vertex")
        assert info
        try:
            return is_available(info, config, store, 0), resolve(info, config, store, 0).source
        except MissingKey as error:
            return False, error.hint

    assert not look()[0]
    monkeypatch.setenv("GCLOUD_PROJECT", "p")
    usable, hint = look()
    assert not usable
    assert "onboard --auth-choice google-vertex" in hint
    monkeypatch.setenv("GOOGLE_CLOUD_LOCATION", "us-east5")
    assert look() == (True, "gcloud adc")
    file.unlink()
    assert not look()[0]


def test_a_key_in_the_config_comes_first(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in PLACE.items():
        monkeypatch.setenv(name, value)
    config = load_default({"models": {"providers": {"google-vertex": {"apiKey": "ya29.typed"}}}})
    info = Catalog(config).provider("google-vertex")
    assert info
    assert resolve(info, config, FileStore(tmp_path / "profiles.json"), 0).source.startswith("config: ")


def test_a_file_that_is_named_is_the_only_one(file: Path, home: Path, tmp_path: Path) -> None:
    environ = {"HOME": str(home), **PLACE}
    assert adc.find(environ) == AdcFile(path=str(file))
    named = {**environ, adc.NAMED: str(tmp_path / "key.json")}
    assert adc.find(named) is None
    assert adc.find_gap(named) == f"GOOGLE_APPLICATION_CREDENTIALS names no file: {tmp_path / 'key.json'}"
    (tmp_path / "key.json").touch()
    assert adc.find(named) == AdcFile(path=str(tmp_path / "key.json"))


def test_gclouds_own_folder_may_be_elsewhere(file: Path) -> None:
    assert adc.find({"CLOUDSDK_CONFIG": str(file.parent), **PLACE}) == AdcFile(path=str(file))
    assert adc.find({"APPDATA": str(file.parents[1]), **PLACE}) == AdcFile(path=str(file))


def test_what_is_missing_is_said(file: Path, home: Path) -> None:
    assert adc.find_gap({}) == "there is no application_default_credentials.json of gcloud's"
    assert adc.find_gap({"HOME": str(home)}) == "GOOGLE_CLOUD_PROJECT and GOOGLE_CLOUD_LOCATION are not set"
    assert adc.find_gap({"HOME": str(home), "GCLOUD_PROJECT": "p"}) == "GOOGLE_CLOUD_LOCATION is not set"
