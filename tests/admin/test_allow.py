"""The list of models that may be used, as edits: it never opens by accident, and nothing else is lost."""

from __future__ import annotations

from typing import Any

import pytest

from jackfield.config.save import Append, Set, Unset
from jackfield.errors import InvalidRequest
from jackfield.setup.allow import MODELS, POLICY, allow, forbid, list_patterns, switch_off, switch_on


def said(models: Any = None, policy: Any = None) -> Any:
    defaults = {} if models is None else {"models": models}
    return {"agents": {"defaults": {**defaults, **({} if policy is None else {"modelPolicy": {"allow": policy}})}}}


def test_a_list_without_entries_is_never_made() -> None:
    with pytest.raises(InvalidRequest, match="would allow every one"):
        forbid("a/b", [])(said({"a/b": {}}))
    with pytest.raises(InvalidRequest, match="would allow every one"):
        forbid("a/b", [], str.lower)(said(policy=["A/B", "a/b"]))
    with pytest.raises(InvalidRequest, match="would allow every one"):
        switch_on([])(said())


def test_the_list_that_decides_is_the_one_that_is_changed() -> None:
    both = said({"a/b": {}, "c/d": {}}, ["a/b", "e/*"])
    assert list_patterns(both) == (POLICY, ["a/b", "e/*"])
    assert list(allow("x/y")(both)) == [Append(POLICY, "x/y")]
    assert list(forbid("a/b", [])(both)) == [Unset((*POLICY, 0))]
    assert list(allow("x/y")(said({"a/b": {}}))) == [Set((*MODELS, "x/y"), {})]
    assert list(allow("a/b")(said({"a/b": {}}))) == list(allow("x/y")(said())) == []


def test_what_a_pattern_allows_is_said_and_stays() -> None:
    with pytest.raises(InvalidRequest) as caught:
        forbid("e/f", [])(said(policy=["a/b", "e/*"]))
    assert 'the pattern "e/*" allows it' in caught.value.hint


def test_spellings_of_one_model_go_together() -> None:
    assert list(forbid("a/b", [], str.lower)(said({"A/B": {}, "a/b": {}, "c/d": {}}))) == [
        Unset((*MODELS, "A/B")),
        Unset((*MODELS, "a/b")),
    ]


def test_switching_off_drops_bare_entries_and_keeps_what_says_more() -> None:
    assert list(switch_off(said({"a/b": {}}))) == [Unset(MODELS)]
    assert list(switch_off(said({"a/b": {"alias": "x"}}))) == [Set(POLICY, ["*"])]
    assert list(switch_off(said(policy=["a/b"]))) == [Unset(POLICY)]
    assert list(switch_off(said())) == []
    assert list(switch_on(["a/b", "c/d"])(said({"a/b": {"alias": "x"}}, ["*"]))) == [
        Unset(POLICY),
        Set((*MODELS, "c/d"), {}),
    ]
    assert list(switch_on(["c/d"])(said({"a/b": {}}))) == []
