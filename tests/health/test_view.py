"""What a snapshot answers."""

from __future__ import annotations

from jackfield.health.record import PROBE_MS, Place, Quota, Rest
from jackfield.health.view import NOTHING, View

NOW_MS = 1_800_000_000_000


def rest(place: Place, ends_in_s: int, **fields: int) -> Rest:
    return Rest(place=place, kind="rate_limit", until_ms=NOW_MS + ends_in_s * 1000, **fields)


def test_of_several_rests_the_longest_is_told() -> None:
    model, key, whole = rest(Place("a", "k", "m"), 5), rest(Place("a", "k"), 60), rest(Place("a"), 10)
    view = View([model, key, whole])
    assert view.rest_of("a", "k", "m", NOW_MS) == key
    assert view.rest_of("a", "other", "m", NOW_MS) == whole
    assert view.rest_of("b", "k", "m", NOW_MS) is None


def test_a_model_at_rest_keeps_no_sibling_and_no_other_key_away() -> None:
    view = View([rest(Place("a", "k", "m"), 5)])
    assert view.rest_of("a", "k", "sibling", NOW_MS) is None
    assert view.rest_of("a", "k2", "m", NOW_MS) is None
    assert view.half_open("a", "k", "sibling", NOW_MS + 60_000) is None


def test_after_its_rest_a_place_is_half_open_unless_something_else_rests() -> None:
    over, resting = rest(Place("a", "k", "m"), -1), rest(Place("a", "k"), 5)
    assert View([over]).half_open("a", "k", "m", NOW_MS) == over
    assert View([over]).rest_of("a", "k", "m", NOW_MS) is None
    assert View([over, resting]).half_open("a", "k", "m", NOW_MS) is None


def test_who_is_tried_just_now_rests_for_everybody_else() -> None:
    probed = View([rest(Place("a", "k", "m"), -1, probe_until_ms=NOW_MS + PROBE_MS)])
    found = probed.rest_of("a", "k", "m", NOW_MS)
    assert found is not None
    assert found.until_ms == NOW_MS + PROBE_MS
    assert probed.half_open("a", "k", "m", NOW_MS) is None
    assert probed.half_open("a", "k", "m", NOW_MS + PROBE_MS)


def test_quotas_are_those_of_one_credential() -> None:
    weekly = Quota(provider="a", credential="k", name="weekly", used=0.5)
    session = Quota(provider="a", credential="k", name="5h", used=0.1)
    view = View(quotas=[weekly, session, Quota(provider="a", credential="k2", name="5h")])
    assert view.quotas("a", "k") == (weekly, session)
    assert view.quotas("a", "nobody") == ()
    assert len(view.every_quota) == 3


def test_nothing_keeps_nobody_away() -> None:
    assert NOTHING.rest_of("a", "k", "m", NOW_MS) is None
    assert NOTHING.half_open("a", "k", "m", NOW_MS) is None
    assert NOTHING.rests == ()


def test_a_place_covers_its_parts() -> None:
    assert Place("a").covers(Place("a", "k", "m"))
    assert Place("a", "", "m").covers(Place("a", "k", "m"))
    assert not Place("a", "k").covers(Place("a", "k2", "m"))
    assert not Place("a", "k", "m").covers(Place("a", "k"))


def test_a_window_that_has_begun_anew_reaches_no_share() -> None:
    quota = Quota(provider="a", credential="k", name="5h", used=0.9, resets_ms=NOW_MS)
    assert quota.reaches(0.9, NOW_MS - 1)
    assert not quota.reaches(0.95, NOW_MS - 1)
    assert not quota.reaches(0.9, NOW_MS)
    assert not quota.reaches(None, NOW_MS - 1)
