"""Secrets behind words, and back: for any text, at its own place, and in texts that are broken."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jackfield.config.json5 import parse
from jackfield.config.likely import find_likely
from jackfield.config.merge import merge_texts
from jackfield.config.source import parse_file
from jackfield.config.table import PROVIDER
from jackfield.config.unveil import find_travellers, lift_veil
from jackfield.config.veil import draw_veil

SECRET = "sk-canary-0123456789abcd"
NAMES = st.sampled_from(["apiKey", "baseUrl", "headers", "models", "env", "token", "a", "my key"])
TEXTS = st.sampled_from(["", SECRET, "${K}", "Bearer ${K}", "é\"'\\", "two\nlines", "plain"]) | st.text(max_size=12)
TREES = st.recursive(
    TEXTS | st.integers() | st.booleans(),
    lambda kids: st.lists(kids, max_size=3) | st.dictionaries(NAMES, kids, max_size=4),
)
CONFIGS = st.dictionaries(st.sampled_from(["env", "models", "gateway", "channels"]), TREES, max_size=4)


@given(CONFIGS, st.booleans())
def test_what_nobody_touches_comes_back_to_the_letter(said: object, is_wide: bool) -> None:
    text = json.dumps(said, ensure_ascii=is_wide, indent=2)
    veil = draw_veil(text, "f")
    assert lift_veil(veil.shown, "f", veil).text == text
    assert not lift_veil(veil.shown, "f", veil).issues


@given(st.integers(0, 400), st.sampled_from(["", "{", "}", '"', "'", "/*", "\n", ",", ":"]))
def test_a_text_that_is_cut_or_spoilt_anywhere_shows_no_key_that_was_seen(at: int, more: str) -> None:
    text = f"""{{
  models: {{ providers: {{ box: {{ baseUrl: "http://a", apiKey: "{SECRET}", headers: {{ A: '{SECRET}x' }} }} }} }}, // "{SECRET}"
  env: {{ A_KEY: "{SECRET}", B: "quiet-words-canary" }}, /* token: '{SECRET}' */
}}"""
    known = {SECRET, f"{SECRET}x", "quiet-words-canary"}
    for spoilt in (text[:at] + more, text[:at] + more + text[at:]):
        shown = draw_veil(spoilt, "f", known=known).shown
        if at >= len(text) or SECRET in spoilt:
            assert SECRET not in shown
        assert "quiet-words-canary" not in shown


def test_a_broken_text_hides_keys_by_what_they_look_like() -> None:
    text = f'{{ models: {{ providers: {{ box: {{ apiKey "{SECRET}", apiKey: {SECRET}, token: \'{SECRET}\n headers: {{ A: "b" }}'
    shown = draw_veil(text, "f").shown
    assert SECRET not in shown
    assert 'A: "b"' not in shown
    assert "models: { providers: { box:" in shown


def test_a_key_that_is_said_again_is_hidden_both_times() -> None:
    text = f'{{ models: {{ providers: {{ box: {{ apiKey: "{SECRET}1", apiKey: "{SECRET}2" }} }} }} }}'
    veil = draw_veil(text, "f")
    assert SECRET not in veil.shown
    assert len({each.word for each in veil.kept}) == 2
    assert lift_veil(veil.shown, "f", veil).text == text


@pytest.mark.parametrize(
    "entry",
    [
        '{ apiKey: "${KEY:-quiet words}" }',
        '{ baseUrl: "HTTPS://ann:quiet words@host/v1" }',
        '{ baseUrl: "https://quiet words@host/v1" }',
        '{ baseUrl: "https://host/v1?version=1&api_key=quiet words" }',
        '{ apiKey: { value: "quiet words" } }',
        '{ apiKey: { source: "plain", id: "quiet words" } }',
        '{ headers: ["X-Any: quiet words"] }',
        '{ headers: "X-Any: quiet words" }',
        '{ headers: { "X-Any": { value: "quiet words" } } }',
        '{ params: { headers: { "X-Any": "quiet words" } } }',
        '{ "a\\u0070iKey": "quiet words" }',
    ],
)
def test_a_secret_is_hidden_also_where_it_does_not_belong(entry: str) -> None:
    text = f"{{ models: {{ providers: {{ box: {entry} }} }}, env: ['A=quiet words', {{ B: ['quiet words'] }}] }}"
    veil = draw_veil(text, "f")
    assert "quiet words" not in veil.shown
    assert lift_veil(veil.shown, "f", veil).text == text


def test_what_only_names_a_secret_stays_readable() -> None:
    for said in (
        '{ apiKey: { source: "env", id: "MY_KEY" } }',
        '{ apiKey: "${MY_KEY}", baseUrl: "https://host/v1?key=${MY_KEY}&version=1" }',
        '{ headers: { "X-Any": { source: "file", id: "~/key" } } }',
        '{ name: "what? a key=value" }',
    ):
        text = f"{{ models: {{ providers: {{ box: {said} }} }} }}"
        assert draw_veil(text, "f").shown == text


def test_the_word_tells_little_and_is_another_at_each_place_and_in_each_file() -> None:
    text = json.dumps({"env": {"A": SECRET, "B": SECRET, "C": "short"}})
    words = [each.word for name in ("f", "g") for each in draw_veil(text, name).kept]
    assert len(set(words)) == 6
    assert all(len(word.replace("•", "")) < 24 for word in words)
    assert "hort" not in "".join(words)


def test_a_file_is_judged_by_what_stands_in_its_place() -> None:
    text = json.dumps({"baseUrl": "http://a", "headers": {"X-Any": "quiet"}})
    assert "quiet" in draw_veil(text, "f").shown
    assert "quiet" not in draw_veil(text, "f", (PROVIDER,)).shown


@pytest.mark.parametrize(
    ("comment", "secret"),
    [
        (f'apiKey: "{SECRET}"', SECRET),
        ("token = s3cret-words", "s3cret-words"),
        (f"use {SECRET} or not", SECRET),
        ("curl -H 'Authorization: Bearer abcdefgh123'", "abcdefgh123"),
        ("https://ann:pa55@host/v1", "pa55"),
        ('apiKey: "${KEY:-quiet words}"', "quiet words"),
    ],
)
def test_comments_hide_keys_too(comment: str, secret: str) -> None:
    text = f"{{ a: 1, // {comment}\n}}"
    veil = draw_veil(text, "f")
    assert secret not in veil.shown
    assert lift_veil(veil.shown, "f", veil).text == text


def test_a_key_is_not_put_into_a_comment_where_it_would_be_read() -> None:
    text = '{ env: { A: "quiet words" } } // note'
    veil = draw_veil(text, "f")
    word = veil.kept[0].word.strip('"')
    assert "quiet words" in lift_veil(veil.shown.replace("note", f'token: "{word}"'), "f", veil).text.partition("//")[2]
    for note in (word, f"{word} {word}", f"*/ {word}"):
        assert "quiet words" not in lift_veil(veil.shown.replace("note", note), "f", veil).text.partition("//")[2]


def test_ordinary_comments_stay_readable() -> None:
    for words in (
        "the key: see below",
        "context 131072, claude-sonnet-4-5-20250929",
        "tokens: 8192",
        "${API_KEY} of Ann",
    ):
        assert find_likely(words) == [], words


@pytest.mark.parametrize("piece", ["a", "A1", "key", "-", "key:", "token ", "://a", 'key="'])
def test_a_long_line_is_looked_through_as_fast_as_many_short_ones(piece: str) -> None:
    before = time.process_time()
    draw_veil(f"{{ // {piece * 50_000}\n", "f")
    assert time.process_time() - before < 60  # it takes less than one; letter by letter it took days


def test_deep_and_even_texts_are_gone_through_in_time() -> None:
    before = time.process_time()
    draw_veil("[" * 50_000 + '"a1",' * 20_000, "f")
    merge_texts("{\n" * 8000, "{\n" * 8000 + "}\n", "a\n" + "{\n" * 8000)
    assert time.process_time() - before < 60  # it takes two; each with each it took minutes


def test_a_word_is_refused_where_its_key_never_was() -> None:
    text = f'{{ models: {{ providers: {{ a: {{ apiKey: "{SECRET}" }}, b: {{ baseUrl: "http://b" }} }} }} }}'
    veil = draw_veil(text, "f")
    word = veil.kept[0].word
    moved = lift_veil(veil.shown.replace('"http://b"', f'"http://b", apiKey: {word}'), "f", veil)
    assert [issue.path for issue in moved.issues] == ["models.providers.b.apiKey"]
    assert moved.text.count(SECRET) == 1


def test_lines_and_columns_are_found_again_behind_keys_of_several_lines() -> None:
    text = f'{{ env: {{ A: "one \\\n two", B: "{SECRET}" }}, c: 7 }}'
    veil = draw_veil(text, "f")
    lifted = lift_veil(veil.shown, "f", veil)
    assert lifted.text == text
    node = parse(text).find(("c",))
    assert node
    line, column = lifted.locate(*node.source.locate(node.start))
    assert veil.shown.splitlines()[line - 1][column - 1 :].startswith("7")


def test_a_kept_key_travels_nowhere() -> None:
    text = json.dumps({"models": {"providers": {"a": {"baseUrl": "https://a.example/v1", "apiKey": SECRET}}}})
    veil, file = draw_veil(text, "/f"), Path("/f")

    def hosts(shown: str) -> int:
        lifted = lift_veil(shown, "/f", veil)
        return len(list(find_travellers(parse_file(file, text), parse_file(file, lifted.text), {file: lifted})))

    assert hosts(veil.shown) == 0
    assert hosts(veil.shown.replace("a.example/v1", "A.example/v2")) == 0
    assert hosts(veil.shown.replace("a.example", "b.example")) == 1
    assert hosts(veil.shown.replace("a.example", "a.example:444")) == 1
    assert hosts(veil.shown.replace("a.example", "a.example@b.example")) == 1
    assert hosts(veil.shown.replace("a.example", "b.example").replace(veil.kept[0].word, '"typed"')) == 0


@pytest.mark.parametrize(
    ("entry", "moves"),
    [
        ({"baseUrl": "https://a.example"}, {"https:": "http:"}),
        ({"baseUrl": "https://a.example"}, {'"baseUrl": "https://a.example", ': ""}),
        ({"baseUrl": "https://${HOST}/v1"}, {"h.example": "evil.example"}),
        ({"baseUrl": "http://a.example", "network": {"proxy": "http://p"}}, {"http://p": "http://evil"}),
    ],
)
def test_a_kept_key_does_not_travel_by_detours(entry: dict[str, object], moves: dict[str, str]) -> None:
    said = {"env": {"HOST": "h.example"}, "models": {"providers": {"a": {**entry, "apiKey": SECRET}}}}
    text = json.dumps(said)
    veil, file = draw_veil(text, "/f"), Path("/f")
    lifted = lift_veil(veil.shown, "/f", veil)
    assert list(find_travellers(parse_file(file, text), parse_file(file, text), {file: lifted})) == []
    shown = veil.shown.replace(next(each.word for each in veil.kept if each.text == "h.example"), '"h.example"')
    for old, new in moves.items():
        assert old in shown
        shown = shown.replace(old, new)
    moved = lift_veil(shown, "/f", veil)
    found = list(find_travellers(parse_file(file, text), parse_file(file, moved.text), {file: moved}))
    assert [issue.path for issue in found] == ["models.providers.a.apiKey"]
