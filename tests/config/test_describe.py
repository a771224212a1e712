"""The schema and the reference say what the check does."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest
from msgspec.structs import fields

from jackfield.config.describe import render_json_schema, render_reference
from jackfield.config.json5 import parse
from jackfield.config.mask import mask_plain, mask_text
from jackfield.config.table import MODEL
from jackfield.model import Model
from tests.config.setup import check
from tests.config.test_issues import WRONG
from tests.config.test_load import FULL
from tests.config.test_pages import PAGES

SCHEMA = render_json_schema()
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("text", [FULL, *(page[0] for page in PAGES.values())])
def test_what_loads_fits_the_schema(text: str) -> None:
    assert list(VALIDATOR.iter_errors(parse(text).plain())) == []


def test_what_has_issues_does_not_fit_the_schema(tmp_path: Path) -> None:
    paths = {error.json_path for error in VALIDATOR.iter_errors(parse(WRONG).plain())}

    assert len(paths) >= 12
    assert not check(tmp_path, "{ models: { mode: '${MODE}' } }").issues
    assert VALIDATOR.is_valid({"models": {"mode": "${MODE}"}})


def test_a_row_of_the_catalog_can_be_copied_into_the_config() -> None:
    known = set(MODEL.by_name)

    assert {field.encode_name for field in fields(Model)} <= known


def test_the_reference_names_every_section() -> None:
    reference = render_reference()

    for section in (
        "models.providers.<id>",
        "models.providers.<id>.models[]",
        "models.routes.<name>",
        "agents.defaults",
    ):
        assert f"\n## {section}\n" in reference


# -- masking -----------------------------------------------------------------------


def test_what_is_shown_masks_every_secret_and_nothing_else() -> None:
    text = """{
      env: { A: "0123456789abcdef", vars: { B: "0123456789abcdef" } },
      models: { providers: { x: {
        apiKey: "0123456789abcdef", baseUrl: "http://0123", headers: { H: "0123456789abcdef", I: "${V}" },
        models: [{ id: "m", headers: { H: "short" } }], params: { api_key: "0123456789abcdef", top: "k" },
        network: { proxy: "http://me:0123456789abcdef@proxy" },
      }, y: { apiKey: { source: "env", id: "Y" } } } },
      gateway: { auth: { mode: "token", token: "0123456789abcdef" } },
      channels: { slack: { botToken: "0123456789abcdef", name: "ops" } },
    }"""
    x = mask_plain(parse(text))["models"]["providers"]["x"]

    assert "456789ab" not in str(mask_plain(parse(text)))
    assert "456789ab" not in mask_text(text)
    assert (x["apiKey"], x["headers"], x["baseUrl"]) == ("0123…cdef", {"H": "0123…cdef", "I": "${V}"}, "http://0123")
    assert x["models"][0]["headers"] == {"H": "s…t"}
    assert x["params"] == {"api_key": "0123…cdef", "top": "k"}
    assert mask_plain(parse(text))["models"]["providers"]["y"] == {"apiKey": {"source": "env", "id": "Y"}}
    assert mask_plain(parse(text))["channels"]["slack"]["name"] == "ops"
    assert parse(mask_text(text)).plain() == mask_plain(parse(text))
