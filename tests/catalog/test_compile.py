"""The index is what its sources say, and the sources are held to the record's shape."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

import build_catalog  # noqa: E402
import compile_catalog  # noqa: E402

HEAD = 'id = "acme"\nname = "Acme"\nbaseUrl = "https://api.acme.example/v1"\nsource = "acme.example, 2026-07-01"\n'


def write(folder: Path, text: str) -> Path:
    path = folder / "acme.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_shipped_index_is_up_to_date() -> None:
    script = ROOT / "scripts" / "compile_catalog.py"
    run = subprocess.run([sys.executable, str(script), "--check"], check=False, capture_output=True, text=True)
    assert (run.returncode, run.stderr) == (0, "")


def test_compiling_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    paths = [write(tmp_path, HEAD + '[[models]]\nid = "m"\ncost = { input = 0.10, output = 2 }\n')]
    assert compile_catalog.compile_index(paths) == compile_catalog.compile_index(paths)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (HEAD + "colour = 1\n", "acme.toml: unknown keys of the file: colour"),
        (HEAD + '[[models]]\nid = "m"\ncontext_window = 1\n', "unknown keys of model 'm': context_window"),
        (HEAD + '[[models]]\nid = "m"\ncost = { inptu = 1 }\n', "unknown keys of the cost of model 'm': inptu"),
        (HEAD + '[[models]]\nid = "m"\n[[models]]\nid = "m"\n', "model ids given twice: m"),
        (HEAD + 'defaultModel = "n"\n[[models]]\nid = "m"\n', "no row for the default model 'n'"),
        (HEAD.replace("source", "doc"), "no source is named"),
        (HEAD.replace('"acme"', '"other"'), "the id 'other' is not the file's name"),
        (HEAD + "[compat]\nsupportsEverything = true\n", "unknown field `supportsEverything`"),
    ],
)
def test_a_mistake_in_a_file_stops_the_build_and_is_named(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint.replace("'", ".")):
        compile_catalog.parse(write(tmp_path, text))


# -- rows from a snapshot ----------------------------------------------------------

MODEL = {
    "id": "big-1", "name": "Big 1 (latest)", "context": 1000, "output_limit": 100, "input": ["text", "pdf"],
    "output": ["text"], "reasoning": True, "tool_call": False, "temperature": False, "release_date": "2026-01-02",
    "cost": {"input": build_catalog.Decimal("10.0"), "output": build_catalog.Decimal("0.30"), "cached_input": 0},
    "reasoning_options": [{"type": "effort", "values": ["low", "high"]}],
}  # fmt: skip


def refresh(text: str, *models: dict[str, object]) -> str:
    mark = build_catalog.MARK.search(text)
    assert mark is not None
    return build_catalog.refresh(text, mark, list(models), "2026-07-02")


def test_a_row_of_the_snapshot_becomes_a_row_of_ours() -> None:
    text = refresh(HEAD + "\n# -- rows from models.dev/acme, old ---\n", MODEL)
    assert text.endswith(
        "# -- rows from models.dev/acme, 2026-07-02 -----------------------------------------\n\n"
        '[[models]]\nid = "big-1"\nname = "Big 1"\nreasoning = true\ninput = ["text", "document"]\n'
        "cost = { input = 10, output = 0.3, cacheRead = 0 }\ncontextWindow = 1000\nmaxTokens = 100\ntools = false\n"
        'compat = { supportsTemperature = false, supportedReasoningEfforts = ["low", "high"] }\nreleased = "2026-01-02"\n'
    )


def test_a_row_written_by_hand_wins_and_refreshing_twice_changes_nothing() -> None:
    by_hand = HEAD + '\n[[models]]\nid = "big-1"\n\n# -- rows from models.dev/acme, old ---\n'
    once = refresh(by_hand, MODEL)
    assert once.count("[[models]]") == 1
    assert refresh(once, MODEL) == once


def test_rules_below_the_line_are_kept_and_followed() -> None:
    rules = "# api openai-responses: big-*\n# alias big-1: big\n# skip: small*\n# refuses supportsStop: big-1\n"
    text = refresh(HEAD + "\n# -- rows from models.dev/acme, old ---\n" + rules, MODEL, {**MODEL, "id": "small-1"})
    assert rules in text
    assert 'api = "openai-responses"' in text
    assert 'aliases = ["big"]' in text
    assert "supportsStop = false" in text
    assert "small-1" not in text


def test_models_that_hold_no_conversation_are_left_out() -> None:
    others = [
        {**MODEL, "id": "text-embedding-1"},
        {**MODEL, "id": "draw", "output": ["image"]},
        {**MODEL, "id": "x", "context": 0},
    ]
    assert "[[models]]" not in refresh(HEAD + "\n# -- rows from models.dev/acme, old ---\n", *others)
