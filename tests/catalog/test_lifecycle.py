"""When models end: dates from the table, judged on a given day."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path

import pytest

from jackfield.catalog.index import load_index, parse_rows
from jackfield.catalog.lifecycle import Fate, foretell, judge
from jackfield.model import Model

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))

import compile_catalog

TODAY = date(2026, 11, 21)
END = Model(id="m", retires="2026-12-11", replacement="n")


@pytest.mark.parametrize(
    ("model", "fate"),
    [
        (Model(id="m"), Fate()),
        (END, Fate(state="retiring", retires="2026-12-11", replacement="acme/n")),
        (Model(id="m", retires="2026-11-21"), Fate(state="retired", retires="2026-11-21")),
        (Model(id="m", status="deprecated"), Fate(state="deprecated")),
        (Model(id="m", status="retired"), Fate(state="retired")),
        (Model(id="m", retires="soon", replacement="acme/n"), Fate(retires="soon", replacement="acme/n")),
    ],
)
def test_a_rows_dates_are_judged_by_the_day(model: Model, fate: Fate) -> None:
    assert judge(model, "acme", TODAY) == fate


def test_only_what_ends_soon_or_has_ended_is_warned_of() -> None:
    assert foretell("acme/m", END, TODAY) == ("acme/m retires on 2026-12-11; its provider names acme/n in its place",)
    assert foretell("acme/m", END, date(2026, 11, 10)) == ()
    assert foretell("acme/m", END, date(2026, 12, 12)) == (
        "acme/m was to be retired on 2026-12-11; its provider names acme/n in its place",
    )
    assert foretell("acme/m", Model(id="m", status="deprecated"), TODAY) == ()


def test_the_tables_dates_are_in_the_shipped_rows() -> None:
    rows = {row.id: row for row in parse_rows(load_index().providers["openai"])}
    assert (rows["gpt-5"].retires, rows["gpt-5"].replacement, rows["gpt-5"].status) == (
        "2026-12-11",
        "gpt-5.6-sol",
        "deprecated",
    )


def test_a_date_for_a_model_without_a_row_stops_the_build() -> None:
    info = compile_catalog.parse(compile_catalog.DATA / "openai.toml")
    without = compile_catalog.replace(info, models=tuple(row for row in info.models if row.id != "o3"))

    with pytest.raises(ValueError, match=r"no row for openai/o3"):
        compile_catalog.with_ends([without])
