"""What holds of every plan: nobody is lost, nobody comes twice, and the same question gives the same plan."""

from __future__ import annotations

from itertools import count
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from jackfield.auth.sources import credential_id
from jackfield.catalog.load import Catalog
from jackfield.errors import InvalidRequest
from jackfield.health.record import Place, Rest
from jackfield.health.view import View
from jackfield.message import ChatRequest, ImageBlock, Message, ResponseFormat, TextBlock, Tool
from jackfield.model import Compat, Model
from jackfield.routing.needs import fit, weigh
from jackfield.routing.plan import Moment, Plan, plan
from tests.routing.house import NOW_MS, configure, key, wallet

PROVIDERS = "abcd"
rows = st.builds(
    dict,
    input=st.sampled_from([UNSET, ("text",), ("text", "image")]),
    tools=st.sampled_from([UNSET, True, False]),
    context_window=st.sampled_from([UNSET, 0, 4_000, 32_000, 200_000]),
    compat=st.sampled_from([UNSET, Compat(supports_response_format=False)]),
)
models = st.lists(st.tuples(st.sampled_from(PROVIDERS), rows), min_size=1, max_size=12)
keys = st.fixed_dictionaries({name: st.integers(0, 3) for name in PROVIDERS})
places = st.tuples(
    st.sampled_from(PROVIDERS), st.sampled_from(["", "0", "1"]), st.sampled_from(["", "m0", "m1"]), st.integers(-9, 9)
)
requests = st.builds(
    ChatRequest,
    model=st.just(""),
    messages=st.builds(
        lambda size, picture: [Message("user", [*picture, TextBlock("word " * size)])],
        st.sampled_from([1, 3_000, 20_000, 100_000]),
        st.sampled_from([(), (ImageBlock("image/png", ""),)]),
    ),
    tools=st.sampled_from([(), (Tool("t"),)]),
    response_format=st.sampled_from([None, ResponseFormat({"type": "object"})]),
    max_tokens=st.sampled_from([None, 1, 30_000]),
)


class World:
    """One random config with its keys and its failures."""

    def __init__(self, chain: list[tuple[str, dict[str, Any]]], held: dict[str, int], rests: list[Any]) -> None:
        ids = count()
        named = [(provider, f"m{next(ids)}", fields) for provider, fields in chain]
        self.config = configure(*[(f"{name}/{each}", Model(id=each, **fields)) for name, each, fields in named])
        self.keys = {name: tuple(key(f"{name}{at}") for at in range(number)) for name, number in held.items()}
        self.health = View(self._rest(*each) for each in {each[:3]: each for each in rests}.values())

    def _rest(self, provider: str, at: str, model: str, seconds: int) -> Rest:
        known = credential_id(key(f"{provider}{at}")) if at else ""
        return Rest(place=Place(provider, known, model), kind="rate_limit", until_ms=NOW_MS + 1000 * seconds)

    def plan(self, request: ChatRequest, catalog: Catalog | None = None) -> Plan | None:
        catalog = catalog or Catalog(self.config)
        moment = Moment(credentials=wallet(self.keys), health=self.health, now_ms=NOW_MS)
        try:
            return plan(request, self.config, catalog, moment)
        except InvalidRequest:
            return None


worlds = st.builds(World, models, keys, st.lists(places, max_size=6))


@given(worlds, requests)
def test_every_pair_of_model_and_credential_is_tried_or_told_of_once(world: World, request: ChatRequest) -> None:
    made = world.plan(request)
    if made is None:
        return
    tried = [(str(each.ref), each.credential) for each in made.candidates]
    told = [(each.ref, each.credential) for each in made.skipped]
    assert len({*tried, *told}) == len(tried) + len(told)
    for provider, entry in world.config.providers.items():
        for model in entry.models:
            ref = f"{provider}/{model.id}"
            pairs = {(ref, credential_id(each)) for each in world.keys[provider]}
            found = {pair for pair in (*tried, *told) if pair[0] == ref}
            assert found in (pairs, {(ref, "")}), ref


@given(worlds, requests)
def test_who_fits_has_a_key_and_does_not_rest_is_never_left_out(world: World, request: ChatRequest) -> None:
    made, catalog = world.plan(request), Catalog(world.config)
    needs, able = weigh(request), set()
    for provider, entry in world.config.providers.items():
        info = catalog.provider(provider)
        assert info is not None
        for model in entry.models:
            fits = not fit(needs, info, catalog.model(provider, model.id))[0]
            ids = [credential_id(each) for each in world.keys[provider]]
            free = [each for each in ids if not world.health.rest_of(provider, each, model.id, NOW_MS)]
            able |= {(f"{provider}/{model.id}", each) for each in free if fits}
    if able:
        assert made is not None
        assert {(str(each.ref), each.credential) for each in made.candidates} == able
    elif made is not None:
        assert {each.ref for each in made.candidates} == {made.candidates[0].ref}
        assert made.candidates[0].last_resort or made.candidates[0].missing


@given(worlds, requests)
def test_the_users_order_holds_among_the_known_and_among_the_doubtful(world: World, request: ChatRequest) -> None:
    made = world.plan(request)
    if made is None:
        return
    chain = [world.config.primary, *world.config.fallbacks]
    doubtful = [bool(each.doubts) for each in made.candidates]
    assert doubtful == sorted(doubtful)
    for state in (False, True):
        order = [chain.index(str(each.ref)) for each in made.candidates if bool(each.doubts) is state]
        assert order == sorted(order)


@given(worlds, requests)
def test_the_same_question_gives_the_same_plan(world: World, request: ChatRequest) -> None:
    catalog = Catalog(world.config)
    first = world.plan(request, catalog)
    assert world.plan(request, catalog) == first
    assert world.plan(request) == first
