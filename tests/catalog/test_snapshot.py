"""Every provider of the models.dev snapshot has a file, or a reason why it has none."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SNAPSHOT = ROOT.parent / "shared" / "catalog" / "models-dev.json"
sys.path.insert(0, str(ROOT / "scripts"))

import compile_catalog  # noqa: E402
import new_providers  # noqa: E402

SOURCE = {"repo": "acme/rows", "commit": "abcdef0123", "commit_date": "2026-07-02T00:00:00Z"}
ACME = {
    "id": "acme", "name": "Acme", "env": ["ACME_HOST", "ACME_KEY"], "api": "https://api.acme.example/v1/",
    "npm": "@ai-sdk/openai-compatible", "doc": "https://acme.example",
}  # fmt: skip


@pytest.mark.skipif(not SNAPSHOT.exists(), reason="no snapshot on this machine")
def test_every_provider_of_the_snapshot_is_in_the_catalog_or_has_a_reason_not_to_be() -> None:
    known = new_providers.find_known(compile_catalog.DATA)
    snapshot = json.loads(SNAPSHOT.read_text(encoding="utf-8"))["providers"].keys()

    assert snapshot - known == new_providers.UNSPOKEN.keys()
    assert len(snapshot) == 147


def test_a_new_provider_gets_a_file_that_compiles_and_is_never_written_again(tmp_path: Path) -> None:
    source = {"source": SOURCE, "providers": {"acme": ACME}}

    assert new_providers.write_missing(tmp_path, source) == ["acme"]
    info = compile_catalog.parse(tmp_path / "acme.toml")
    assert (info.base_url, info.env, info.api) == ("https://api.acme.example/v1", ("ACME_KEY",), "openai-completions")
    assert new_providers.write_missing(tmp_path, source) == []


def test_a_wire_that_nobody_has_looked_at_stops_the_build(tmp_path: Path) -> None:
    source = {"source": SOURCE, "providers": {"acme": {**ACME, "npm": "acme-sdk"}}}

    with pytest.raises(KeyError, match="acme-sdk"):
        new_providers.write_missing(tmp_path, source)
