"""OpenClaw's own directory: the same format, its keys moved out of the config."""

from __future__ import annotations

from jackfield.imports.openclaw import parse_openclaw
from tests.imports.trees import KNOWN, file, keys

CONFIG = """{
  // mine
  env: { VENICE_API_KEY: "vapi_0123456789", EDITOR: "vi" },
  agents: { defaults: {
    model: { primary: "box/m1", fallbacks: ["venice/v"] }, imageModel: "venice/pic",
    models: { "box/m1": { alias: "Box", params: { temperature: 1 } } },
  } },
  models: { mode: "merge", providers: {
    box: { baseUrl: "http://10.0.0.5/v1", apiKey: "box-0123456789", localService: { command: "x" }, models: [{ id: "m1", name: "M" }] },
    venice: { apiKey: "${VENICE_API_KEY}", headers: { "X-Key": "plain-secret", "X-Team": "red" } },
    far: { baseUrl: "https://far.example/v1", apiKey: "${FAR_KEY}" },
    named: { baseUrl: "https://named.example/v1", apiKey: "NAMED_KEY" },
    ref: { baseUrl: "https://ref.example/v1", apiKey: { source: "env", provider: "default", id: "REF_KEY" } },
  } },
  auth: { order: { venice: ["venice:work"] } },
}
"""
STORE = {
    "version": 1,
    "profiles": {
        "venice:work": {"type": "api_key", "provider": "venice", "key": "vapi_9876543210"},
        "openai-codex:me": {"type": "oauth", "provider": "openai-codex", "access": "at", "refresh": "rt", "expires": 5, "accountId": "acc"},
        "google-antigravity:me": {"type": "oauth", "provider": "google-antigravity", "access": "at", "refresh": "rt", "expires": 5},
        "odd": {"type": "new"},
    },
}  # fmt: skip


def test_providers_come_without_secrets_and_keep_their_references() -> None:
    found = parse_openclaw([file("openclaw.json", CONFIG)], KNOWN)
    assert found.providers == {
        "box": {"baseUrl": "http://10.0.0.5/v1", "models": [{"id": "m1", "name": "M"}]},
        "venice": {"headers": {"X-Team": "red"}},
        "far": {"baseUrl": "https://far.example/v1", "apiKey": "${FAR_KEY}"},
        "named": {"baseUrl": "https://named.example/v1", "apiKey": "NAMED_KEY"},
        "ref": {
            "baseUrl": "https://ref.example/v1",
            "apiKey": {"source": "env", "provider": "default", "id": "REF_KEY"},
        },
    }
    assert keys(found) == {"box:default": "box-0123456789", "venice:default": "vapi_0123456789"}
    assert [line.split(": ")[1] for line in found.left_out] == [
        "models.providers.box.localService",
        "header X-Key",
        "variable EDITOR",
    ]


def test_the_selection_comes_as_it_is() -> None:
    found = parse_openclaw([file("openclaw.json", CONFIG)], KNOWN)
    assert (found.primary, found.fallbacks, found.image_primary) == ("box/m1", ("venice/v",), "venice/pic")
    assert found.aliases == {"Box": "box/m1"}
    assert found.allowed == {"box/m1": {"alias": "Box", "params": {"temperature": 1}}}
    assert found.order == {"venice": ("venice:work",)}


def test_profiles_keep_their_ids_and_what_is_known_of_them() -> None:
    found = parse_openclaw(
        [file("agents/main/agent/auth-profiles.json", STORE), file(".env", "GROQ_API_KEY=gsk_0123456789\n")], KNOWN
    )
    assert keys(found) == {"venice:work": "vapi_9876543210", "openai-codex:me": "at", "groq:default": "gsk_0123456789"}
    assert found.credentials[1].profile.details == {"accountId": "acc"}
    assert [line.split(": ")[1] for line in found.left_out] == ["login google-antigravity:me", "profile odd"]


def test_wrong_types_are_named_with_their_line_and_the_rest_is_read() -> None:
    text = '{\n models: { providers: {\n a: 7,\n box: { baseUrl: "http://10.0.0.5", headers: [] } } },\n agents: { defaults: { model: { primary: 3 }, models: [] } } }'
    found = parse_openclaw([file("openclaw.json", text), file("x/auth-profiles.json", "{ broken")], KNOWN)
    assert found.providers == {"box": {"baseUrl": "http://10.0.0.5"}}
    assert found.primary == ""
    assert {line.rpartition("openclaw.json")[2][:3] for line in found.left_out if "openclaw" in line} == {
        ":3:",
        ":4:",
        ":5:",
    }
    assert any(line.startswith("x/auth-profiles.json:1:") for line in found.left_out)


def test_a_models_secret_headers_stay_behind() -> None:
    text = '{ models: { providers: { box: { models: [{ id: "m", headers: { "X-Api-Key": "plain", "X-Token": "${T}", A: "b" } }] } } } }'
    found = parse_openclaw([file("openclaw.json", text)], KNOWN)
    assert found.providers["box"]["models"] == [{"id": "m", "headers": {"X-Token": "${T}", "A": "b"}}]
    assert "header X-Api-Key" in found.left_out[0]
