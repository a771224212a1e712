"""What providers said of their models, kept on disk: read without a network, merged under everything else."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec import UNSET

from jackfield.catalog import discovered
from jackfield.catalog.discovered import Fetched, Shelf, render_fetched
from jackfield.catalog.load import Catalog
from jackfield.config.paths import locate
from jackfield.config.schema import Config, ProviderConfig
from jackfield.model import Cost, Model

VENICE = "https://api.venice.ai/api/v1"
ROWS = (
    Model(id="llama-3.3-70b", name="Other", context_window=1, cost=Cost(Decimal("0.7"), Decimal("2.8")), released="2024-12-06"),
    Model(id="brand-new", name="Brand New", privacy="private", cost=Cost(Decimal("0.10"), Decimal(2))),
)  # fmt: skip


def catalog(home: Path, *providers: ProviderConfig, **rest: Any) -> Catalog:
    paths = locate({"HOME": str(home)})
    return Catalog(Config(paths=paths, providers={each.id: each for each in providers}, **rest))


def keep(home: Path, provider: str, text: str | bytes) -> Path:
    folder = home / ".jackfield" / "cache" / "models"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{provider}.json"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def fetched(base_url: str = VENICE, **fields: Any) -> Fetched:
    return Fetched(format=discovered.FORMAT, base_url=base_url, fetched_at=1_000.0, **fields)


def test_a_known_model_keeps_its_row_and_gets_what_the_row_does_not_say(home: Path) -> None:
    plain = catalog(home).model("venice", "llama-3.3-70b")
    keep(home, "venice", render_fetched(fetched(), ROWS))
    row = catalog(home).model("venice", "llama-3.3-70b")

    assert (row.name, row.context_window, row.cost, row.privacy) == ("Llama 3.3 70B", 131072, plain.cost, "private")
    assert (plain.released, row.released) == (UNSET, "2024-12-06")


def test_a_model_nobody_knew_is_the_one_its_provider_describes(home: Path) -> None:
    keep(home, "venice", render_fetched(fetched(), ROWS))
    cat = catalog(home)

    assert cat.find("venice", "brand-new") == ROWS[1]
    assert [row.id for row in cat.outlines("venice")] == [row.id for row in cat.models("venice")]
    assert len(cat.models("venice")) == 26
    assert cat.fetched("venice") == fetched()


def test_what_the_config_says_wins_over_both(home: Path) -> None:
    keep(home, "box", render_fetched(fetched("http://127.0.0.1:9/v1"), ROWS))
    url = "http://127.0.0.1:9/v1"

    assert [row.id for row in catalog(home, ProviderConfig(id="box", base_url=url)).models("box")] == [
        row.id for row in ROWS
    ]
    own = catalog(home, ProviderConfig(id="box", base_url=url, models=(Model(id="mine"),)))
    assert [row.id for row in own.models("box")] == ["mine"]
    assert own.fetched("box") is None


def test_a_list_of_another_address_counts_for_nothing(home: Path) -> None:
    keep(home, "venice", render_fetched(fetched(), ROWS))
    moved = catalog(home, ProviderConfig(id="venice", base_url="https://proxy.example/v1"))

    assert moved.find("venice", "brand-new") is None
    assert moved.fetched("venice") == Fetched()


def test_a_row_under_its_upstream_name_is_not_listed_twice(home: Path) -> None:
    keep(home, "openrouter", render_fetched(fetched("https://openrouter.ai/api/v1"), (Model(id="openrouter/auto"),)))
    cat = catalog(home)

    for rows in (cat.models("openrouter"), cat.outlines("openrouter")):
        assert [row.id for row in rows if row.id.endswith("auto")] == ["auto"]


@pytest.mark.parametrize(
    "text",
    [
        b"", b"{", b"\xff\xfe", b"null\n[]", b'{"format":1}', b'{"format":"x"}\n[]', b'{"format":2,"baseUrl":"%s"}\n[{"id":"brand-new"}]' % VENICE.encode(),
        b'{"format":1,"baseUrl":"%s"}\n[{"id":3}]' % VENICE.encode(), b'{"format":1,"baseUrl":"%s"}\n[' % VENICE.encode(),
    ],
)  # fmt: skip
def test_a_broken_file_is_as_good_as_none(home: Path, text: bytes) -> None:
    keep(home, "venice", text)
    cat = catalog(home)

    assert (len(cat.models("venice")), len(cat.outlines("venice"))) == (25, 25)


def test_a_file_that_grew_too_large_is_not_read(home: Path) -> None:
    path = keep(home, "venice", render_fetched(fetched(), ROWS))
    path.write_bytes(path.read_bytes() + b" " * discovered.LIMIT)

    assert len(catalog(home).models("venice")) == 25


def test_a_list_without_end_is_kept_as_far_as_it_fits() -> None:
    text = render_fetched(fetched(), tuple(Model(id=f"m{number}", name="n" * 100_000) for number in range(100)))
    assert len(text.encode()) <= discovered.LIMIT


def test_a_folder_where_a_file_should_be_and_a_missing_one_are_no_lists(home: Path) -> None:
    (home / ".jackfield" / "cache" / "models" / "venice.json").mkdir(parents=True)

    assert len(catalog(home).models("venice")) == 25
    assert Shelf(home / "nowhere").names == frozenset()


@pytest.mark.parametrize("name", ["../../etc/passwd", "a/b", "..", ".", "", "a b", "wafer.ai"])
def test_a_providers_id_never_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    path = Shelf(tmp_path).path(name)
    assert path.parent == tmp_path
    assert path.resolve().parent == tmp_path.resolve()


# -- names with an effort ----------------------------------------------------------


@pytest.mark.parametrize(
    ("ref", "upstream", "effort"),
    [
        ("o3-mini-high", "o3-mini", "high"),
        ("gpt-5.2-xhigh", "gpt-5.2", "xhigh"),
        ("gpt-5.2:minimal", "gpt-5.2", "minimal"),
        ("GPT-5.2-Low", "gpt-5.2", "low"),
    ],
)
def test_a_name_may_say_how_hard_the_model_shall_think(home: Path, ref: str, upstream: str, effort: str) -> None:
    row = catalog(home).find("openai", ref)
    assert row is not None
    assert (row.id, row.upstream, row.effort) == (ref, upstream, effort)


@pytest.mark.parametrize("ref", ["gpt-4o-high", "nobody-high", "o3-mini-high-high", "gpt-5.2-max", "-high"])
def test_only_a_known_model_that_reasons_takes_an_effort_in_its_name(home: Path, ref: str) -> None:
    assert catalog(home).find("openai", ref) is None
    assert catalog(home).model("openai", ref).id == ref
