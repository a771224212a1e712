"""The pages about the config: each block loads, and the table of keys is that of the code."""

import re
from pathlib import Path

import pytest

from jackfield.config.describe import render_reference
from jackfield.config.keypath import parse_path
from jackfield.config.load import load_config
from tests.commands import run
from tests.config.setup import write

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "config.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("block", re.findall(r"```json5\n(.*?)```", GUIDE, re.DOTALL))
def test_a_block_of_the_guide_loads(tmp_path: Path, block: str) -> None:
    for name in ("work.json5", "keys.json5"):
        write(tmp_path, "{}", name)
    config = load_config(write(tmp_path, block), {"OFFICE_KEY": "k"}, cwd=tmp_path)

    assert config.warnings == ()


def test_the_guides_commands_run(home: Path) -> None:
    commands = re.findall(r"^jackfield (config .*)$", GUIDE, re.MULTILINE)
    folder = home / ".jackfield"
    folder.mkdir()
    block = re.findall(r"```json5\n(.*?)```", GUIDE, re.DOTALL)
    write(folder, block[0].rstrip()[:-1] + block[1].lstrip()[1:].rstrip()[:-1] + "}")
    assert len(commands) >= 3
    for command in commands[:3]:
        words = [word.strip("'") for word in re.findall(r"'[^']*'|\S+", command)]
        assert parse_path(words[2])
        done = run(*words)
        assert done.code == 0, done.err


def test_the_page_of_keys_is_fresh() -> None:
    page = (ROOT / "docs" / "config-keys.md").read_text(encoding="utf-8")

    assert page.partition("-->\n\n")[2] == render_reference(), "run scripts/render_docs.py"
