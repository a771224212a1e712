"""docs/testing.md: what it shows works."""

import re
from pathlib import Path

import msgspec

from jackfield.scripted.faults import SCENARIOS
from jackfield.scripted.load import load_script
from jackfield.scripted.reply import Reply, When

PAGE = Path(__file__).parents[2].joinpath("docs", "testing.md").read_text(encoding="utf-8")


def snippets(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def test_its_python_runs() -> None:
    for snippet in snippets("python"):
        exec(compile(snippet, "docs/testing.md", "exec"), {})


def test_its_script_loads(tmp_path: Path) -> None:
    (tmp_path / "s.json5").write_text(snippets("json5")[0], "utf-8")
    assert len(load_script(tmp_path / "s.json5")) == 7


def test_it_names_every_key_and_every_fault() -> None:
    keys = {field.encode_name for kind in (Reply, When) for field in msgspec.structs.fields(kind)}
    assert {key for key in keys if f"`{key}`" not in PAGE} == set()
    assert [name for name in SCENARIOS if name not in {"s02", "s03", "s15"} and f"`{name}`" not in PAGE] == []
