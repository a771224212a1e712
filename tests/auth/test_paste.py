"""Keys as people paste them."""

from __future__ import annotations

import pytest

from jackfield.auth.paste import check_key, clean_key, key_warnings
from jackfield.errors import AuthError


@pytest.mark.parametrize(
    "pasted",
    [
        "vapi_abc-123",
        "  vapi_abc-123\n",
        '"vapi_abc-123"',
        "'vapi_abc-123';",
        "“vapi_abc-123”",
        "`vapi_abc-123`",
        "\ufeffvapi_abc-123\u200b",
        "export VENICE_API_KEY=vapi_abc-123",
        'export VENICE_API_KEY="vapi_abc-123";',
        "VENICE_API_KEY=vapi_abc-123",
        "VENICE_API_KEY = 'vapi_abc-123'",
        '$env:VENICE_API_KEY = "vapi_abc-123"',
        "set venice_key=vapi_abc-123",
        "Bearer vapi_abc-123",
        "Authorization: Bearer vapi_abc-123",
        '"Bearer vapi_abc-123"',
        "x-api-key: vapi_abc-123",
        "vapi_abc\n-123",
        "vapi_abc\r\n   -123\r\n",
    ],
)
def test_a_key_is_found_in_whatever_was_pasted(pasted):
    assert clean_key(pasted) == "vapi_abc-123"


@pytest.mark.parametrize("key", ["QUJDRA==", "ABC=", "ABC_DEF==", "a=b", "key:with:colons", "bearer", "sk-a b"])
def test_a_key_that_only_looks_like_an_assignment_stays_whole(key):
    assert clean_key(key) == key


def test_nothing_pasted_is_nothing():
    assert clean_key(' "" ;\n') == ""


@pytest.mark.parametrize("key", ["", "  ", "abc\ndef", "abc\x00def", "abc\x1b[0m", "sk-a…wxyz", "ключ"])
def test_a_key_that_cannot_be_sent_is_refused_without_showing_it(key):
    with pytest.raises(AuthError) as caught:
        check_key(key, "env: X_API_KEY")
    assert "env: X_API_KEY" in str(caught.value)
    assert not key.strip() or key.strip() not in str(caught.value) + caught.value.hint


def test_a_sendable_key_loses_only_the_blanks_around_it():
    assert check_key(" caf\xe9-key\n", "here").reveal() == "caf\xe9-key"


def test_an_unusual_start_is_a_warning_and_never_a_refusal():
    assert key_warnings("vapi_1234", "vapi_") == ()
    assert "vapi_" in key_warnings("sk-1234", "vapi_")[0]
    assert "1234" not in key_warnings("sk-1234", "vapi_")[0]


@pytest.mark.parametrize("key", ["vapi_xxxxxxxxxxxx", "sk-...", "your-api-key", "<key>"])
def test_an_example_key_is_warned_of(key):
    assert any("example" in warning for warning in key_warnings(key))
