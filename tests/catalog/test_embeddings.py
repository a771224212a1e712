"""Embedding models of the catalog: known and priced, and offered to nobody for a chat; counters that exist."""

from __future__ import annotations

from decimal import Decimal

from jackfield.catalog.index import load_index, parse_info
from jackfield.catalog.load import Catalog
from jackfield.config.default import load_default
from jackfield.message import ChatRequest
from jackfield.protocols.counting import COUNTERS
from jackfield.routing.plan import plan

INFOS = {name: parse_info(entry) for name, entry in load_index().providers.items()}


def test_an_embedding_model_has_its_price_and_earns_no_doubt() -> None:
    config = load_default({})
    made = plan(ChatRequest(model="mistral/mistral-embed"), config, Catalog(config))
    cost = made.candidates[0].model.cost
    assert cost
    assert (cost.input, made.warnings) == (Decimal("0.1"), ())


def test_no_embedding_model_is_listed_among_those_that_chat() -> None:
    catalog = Catalog(load_default({}))
    for name, info in INFOS.items():
        assert not {row.id for row in info.embeddings} & {row.id for row in catalog.models(name)}
    assert sum(len(info.embeddings) for info in INFOS.values()) > 30


def test_every_counter_that_a_provider_names_exists() -> None:
    named = {name: info.counting for name, info in INFOS.items() if info.counting}
    assert set(named.values()) <= COUNTERS.keys()
    assert {"anthropic", "openai", "google", "llama-cpp"} <= named.keys()
