"""Every protocol's package is what `base.Protocol` promises."""

from __future__ import annotations

import inspect

import pytest

from jackfield.errors import ConfigError, InvalidRequest
from jackfield.protocols import ONE_SIDED, PACKAGES, load
from jackfield.protocols.base import Protocol, StreamParser, StreamRenderer

FUNCTIONS = [name for name, held in vars(Protocol).items() if isinstance(held, staticmethod)]
SERVERS_HALF = ("render_response", "render_error")
BOTH = [(name, function) for name in PACKAGES for function in FUNCTIONS]
KEPT = [(name, function) for name, function in BOTH if name not in ONE_SIDED or function not in SERVERS_HALF]


@pytest.mark.parametrize("name", PACKAGES)
def test_a_protocol_has_every_name_of_the_contract(name: str) -> None:
    protocol = load(name)
    assert name == protocol.NAME
    assert protocol.STREAM_TYPE
    parts: list[tuple[type, type]] = [(protocol.StreamParser, StreamParser)]
    if name not in ONE_SIDED:
        parts.append((protocol.StreamRenderer, StreamRenderer))
    for part, contract in parts:
        assert {method for method in vars(contract) if not method.startswith("_")} <= vars(part).keys()


@pytest.mark.parametrize(("name", "function"), KEPT)
def test_a_protocols_function_takes_what_the_contract_says(name: str, function: str) -> None:
    own, contract = inspect.signature(getattr(load(name), function)), inspect.signature(getattr(Protocol, function))
    assert list(own.parameters) == list(contract.parameters)
    assert [p.default is p.empty for p in own.parameters.values()] == [
        p.default is p.empty for p in contract.parameters.values()
    ]
    assert own.return_annotation == contract.return_annotation


def test_an_unknown_protocol_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigError) as caught:
        load("telegraph")
    assert "openai-completions" in caught.value.hint


@pytest.mark.parametrize("name", PACKAGES)
@pytest.mark.parametrize("body", [b"", b"[]", b"{"])
def test_a_request_that_is_no_object_is_the_callers_fault(name: str, body: bytes) -> None:
    with pytest.raises(InvalidRequest) as caught:
        load(name).parse_request(body)
    assert caught.value.status == 400


OWN_KEYS = {"anthropic-messages", "azure-openai-responses", "google-generative-ai", "openai-codex-responses"}


@pytest.mark.parametrize("name", sorted(PACKAGES.keys() - OWN_KEYS))
def test_a_key_goes_as_most_wires_ask_for_it(name: str) -> None:
    assert load(name).auth_headers("k") == {"authorization": "Bearer k"}
