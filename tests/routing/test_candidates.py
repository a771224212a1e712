"""Models × credentials: who may be tried now, in which order, and what is told of the others."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from jackfield.auth.sources import credential_id
from jackfield.config.schema import MissingVar, Route
from jackfield.credential import Profile, Secret, SecretRef
from jackfield.health.record import Quota
from jackfield.health.view import View
from jackfield.message import ChatRequest
from jackfield.model import Timeouts
from tests.routing.house import NOW_MS, configure, key, planned, refs, rest, skips, wallet

CHAIN = ("a/m1", "a/m2", "b/m3")


def test_all_credentials_of_a_model_come_before_the_next_model() -> None:
    made = planned(configure("a/m", "b/m"), credentials=wallet({"a": (key("one"), key("two"))}))
    assert [(str(each.ref), each.source.label if each.source else "") for each in made.candidates] == [
        ("a/m", "env: one"),
        ("a/m", "env: two"),
        ("b/m", "env: b"),
    ]


def test_a_rest_of_one_model_leaves_its_sibling_with_the_same_key() -> None:
    made = planned(configure(*CHAIN), health=View([rest("a", "a", "m1")]))
    assert refs(made) == ["a/m2", "b/m3"]
    assert skips(made) == [("a/m1", "cooling")]
    assert made.skipped[0].until_ms == NOW_MS + 60_000
    assert made.primary == "a/m1"


def test_a_used_up_account_keeps_all_its_models_away() -> None:
    made = planned(configure(*CHAIN), health=View([rest("a", "a")]))
    assert refs(made) == ["b/m3"]
    assert skips(made) == [("a/m1", "credential_exhausted"), ("a/m2", "credential_exhausted")]
    assert made.skipped[1].reason == "credential_exhausted: rate_limit, no more today"


def test_a_used_up_account_leaves_the_others_of_its_provider() -> None:
    made = planned(
        configure("a/m"), credentials=wallet({"a": (key("one"), key("two"))}), health=View([rest("a", "one")])
    )
    assert [each.credential for each in made.candidates] == [credential_id(key("two"))]
    assert made.skipped[0].credential == credential_id(key("one"))


def test_of_seventeen_fallbacks_every_one_that_does_not_rest_has_its_turn() -> None:
    chain = [f"{name}/m{at}" for at, name in enumerate("aabbccddeeffgghhi")]
    made = planned(configure("z/first", *chain), health=View([rest("a"), rest("b", kind="connection")]))
    assert refs(made) == ["z/first", *chain[4:]]
    assert [(skip.ref, skip.reason) for skip in made.skipped] == [
        ("a/m0", "cooling: rate_limit, no more today"),
        ("a/m1", "cooling: rate_limit, no more today"),
        ("b/m2", "cooling: connection, no more today"),
        ("b/m3", "cooling: connection, no more today"),
    ]


def test_when_all_rest_the_one_that_is_back_first_is_tried() -> None:
    view = View([rest("a", "a", "m1", 60), rest("a", "a", "m2", 20), rest("b", seconds=90)])
    made = planned(configure(*CHAIN), health=view)
    assert refs(made) == ["a/m2"]
    assert made.candidates[0].last_resort
    assert "all rest and it is back first" in made.candidates[0].reason
    assert skips(made) == [("a/m1", "cooling"), ("b/m3", "cooling")]


def test_who_rested_long_enough_keeps_its_place_and_is_marked() -> None:
    made = planned(configure("a/m", "b/m"), health=View([rest("a", "a", "m", seconds=-1)]))
    assert [(str(each.ref), each.half_open) for each in made.candidates] == [("a/m", True), ("b/m", False)]


# -- which credential --------------------------------------------------------------


def test_a_session_stays_with_its_credential() -> None:
    keys = {"a": (key("one"), key("two"), key("three"))}
    made = planned(configure("a/m"), credentials=wallet(keys), sticky={"a": credential_id(key("two"))}.get)
    assert [each.source.label for each in made.candidates if each.source] == ["env: two", "env: one", "env: three"]


@pytest.mark.parametrize(
    ("used", "resets_s", "first"), [(0.9, 60, "two"), (0.5, 60, "one"), (None, 60, "one"), (0.9, -1, "one")]
)
def test_a_credential_whose_quota_is_nearly_used_goes_last(used: float | None, resets_s: int, first: str) -> None:
    one = credential_id(key("one"))
    quota = Quota(provider="a", credential=one, name="5h", used=used, resets_ms=NOW_MS + resets_s * 1000)
    made = planned(
        configure("a/m"),
        credentials=wallet({"a": (key("one"), key("two"))}),
        health=View(quotas=[quota]),
        sticky={"a": one}.get,
        spill_at=0.8,
    )
    assert made.candidates[0].credential == credential_id(key(first))
    assert len(made.candidates) == 2


def test_a_useless_credential_is_told_beside_the_one_that_is_used() -> None:
    keys = {"a": (key("old", reason="expired"), key("other", reason="excluded_by_auth_order"), key("good"))}
    made = planned(configure("a/m"), credentials=wallet(keys))
    assert [each.source.label for each in made.candidates if each.source] == ["env: good"]
    assert [(skip.credential, skip.reason, skip.cause) for skip in made.skipped] == [
        ("env: old", "it has expired", "missing_credential"),
        ("env: other", "the order of profiles leaves it out", "excluded_credential"),
    ]


def test_a_model_without_a_credential_costs_the_others_nothing() -> None:
    made = planned(configure("a/m", "b/m"), credentials=wallet({"a": ()}))
    assert refs(made) == ["b/m"]
    assert [(skip.ref, skip.reason) for skip in made.skipped] == [("a/m", "no credential: A_API_KEY is not set")]


def test_the_only_model_without_a_credential_is_kept_to_say_what_is_missing() -> None:
    made = planned(configure("a/m"), credentials=wallet({"a": (key("old", reason="expired"),)}))
    assert refs(made) == ["a/m"]
    assert made.candidates[0].missing == "no credential: env: old: it has expired"
    assert made.skipped == ()


def test_a_provider_whose_address_waits_for_a_variable_costs_the_others_nothing() -> None:
    config = configure("a/m", "b/m")
    waiting = MissingVar("A_URL", "models.providers.a.baseUrl", "jackfield.json:7")
    config = replace(config, providers={**config.providers, "a": replace(config.providers["a"], missing=(waiting,))})
    made = planned(config)
    assert refs(made) == ["b/m"]
    assert skips(made) == [("a/m", "not_configured")]
    assert made.skipped[0].reason == "models.providers.a.baseUrl (jackfield.json:7): A_URL is not set"


def test_who_rests_is_asked_rather_than_who_has_no_key() -> None:
    made = planned(configure("a/m", "b/m"), credentials=wallet({"a": ()}), health=View([rest("b")]))
    assert refs(made) == ["b/m"]
    assert made.candidates[0].last_resort


def test_a_pinned_profile_is_the_only_one_also_where_an_order_leaves_it_out() -> None:
    profiles = [Profile(id=f"a:{name}", provider="a", type="api_key", secret=Secret(name)) for name in ("home", "work")]
    sources = tuple(
        key(each.id, kind="profile", label=f"profile:{each.id}", profile=each, reason="excluded_by_auth_order")
        for each in profiles
    )
    made = planned(configure("a/m", "b/m"), credentials=wallet({"a": sources, "b": ()}), profile_id="a:work")
    assert [each.profile_id for each in made.candidates] == ["a:work"]
    assert made.candidates[0].source is not None
    assert made.candidates[0].source.secret == Secret("work")
    assert made.skipped[0].reason == "b has no profile a:work"


def test_the_same_model_with_the_same_profile_is_tried_once() -> None:
    profile = Profile(id="a:work", provider="a", type="api_key", secret=Secret("k"))
    source = key("work", kind="profile", label="profile:a:work", profile=profile)
    made = planned(
        configure("a/m"), ChatRequest(model="a/m@a:work"), credentials=wallet({"a": (source,)}), fallbacks=["a/m"]
    )
    assert len(made.candidates) == 1


def test_what_may_not_be_paid_for_is_left_out() -> None:
    def afford(candidate: object) -> str:
        return "the budget of today is used up" if "a/" in str(getattr(candidate, "ref", "")) else ""

    made = planned(configure("a/m", "b/m"), afford=afford)
    assert refs(made) == ["b/m"]
    assert skips(made) == [("a/m", "not_affordable")]
    alone = planned(configure("a/m"), afford=afford)
    assert refs(alone) == ["a/m"], "to ask it only says which limit does not cover it"


def test_what_a_route_says_of_broken_streams_and_of_time_is_kept() -> None:
    route = Route(name="fast", primary="a/m", on_stream_break="restart", timeouts=Timeouts(idle=1))
    config = configure("a/m", routes={"fast": route}, aliases={"f": "fast"})
    made = planned(config, ChatRequest(model="f"))
    assert (made.on_break, made.candidates[0].model.timeouts) == ("restart", Timeouts(idle=1))
    assert planned(config).on_break == "error"


# -- names of credentials ------------------------------------------------------------


def test_another_key_in_the_same_place_is_another_credential() -> None:
    one, two = key("x", secret=Secret("first")), key("x", secret=Secret("second"))
    assert credential_id(one) != credential_id(two)
    assert credential_id(one).startswith("env: x#")
    assert "first" not in credential_id(one)


def test_what_is_renewed_or_looked_up_keeps_the_name_of_its_place() -> None:
    for source in (
        key("x", type="oauth", label="profile:a:me"),
        key("x", secret=None, ref=SecretRef("exec", "op read"), label="profile:a:me"),
    ):
        assert credential_id(source) == "profile:a:me"
