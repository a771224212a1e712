"""`onboard` and `configure` with a person: on a real terminal, one that can draw and one that cannot."""

from __future__ import annotations

from typing import Any

import pytest

from tests.commands import local_provider, run, write_config
from tests.servers import Received, free_port, json_reply, serve
from tests.wizard.terminal import CTRL_C, ENTER, NO_CHECK, drive, folder, load, primary

KEY = "vapi_1234567890abcd"
REPLY = {
    "id": "1", "object": "chat.completion", "created": 1, "model": "m",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "OK."}, "finish_reason": "stop"}],
}  # fmt: skip
KEY_STEP = ("Venice API key", KEY + ENTER)


@pytest.mark.parametrize("term", ["dumb", "xterm-256color"])
def test_a_person_is_led_from_the_provider_to_the_written_config(term: str) -> None:
    steps = [
        ("Provider", "venice" + ENTER),
        KEY_STEP,
        ("Default model", "uncensored" + ENTER),
        NO_CHECK,
        ("Write this", "y" + ENTER),
    ]
    code, shown = drive("onboard", steps=steps, term=term)
    assert code == 0
    assert load("auth-profiles.json")["profiles"]["venice:default"]["key"] == KEY
    assert primary() == "venice/venice-uncensored"
    assert KEY not in shown
    assert "vapi…abcd" in shown


def test_every_model_of_the_provider_is_offered_with_its_window_and_privacy() -> None:
    _, shown = drive("onboard", "--auth-choice", "venice-api-key", steps=[KEY_STEP, ("Default model", CTRL_C)])
    rows = [line for line in shown.splitlines() if line.rstrip().endswith(("private", "anonymized"))]
    assert len(rows) == 25
    assert "131k" in rows[0]


def test_the_default_is_the_choices_model_and_the_diff_is_shown_before_the_yes() -> None:
    steps = [KEY_STEP, ("Default model", ENTER), NO_CHECK, ("Write this", ENTER)]
    code, shown = drive("onboard", "--auth-choice", "venice-api-key", steps=steps)
    assert (code, primary()) == (0, "venice/llama-3.3-70b")
    assert shown.index('+        "primary": "venice/llama-3.3-70b"') < shown.index("Write this")


def test_no_at_the_end_writes_nothing() -> None:
    steps = [KEY_STEP, ("Default model", ENTER), NO_CHECK, ("Write this", "n" + ENTER)]
    code, _ = drive("onboard", "--auth-choice", "venice-api-key", steps=steps)
    assert code == 0
    assert not (folder() / "auth-profiles.json").exists()
    assert not (folder() / "jackfield.json").exists()


@pytest.mark.parametrize("term", ["dumb", "xterm-256color"])
@pytest.mark.parametrize("done", range(5), ids=["provider", "key", "model", "check", "yes"])
def test_ctrl_c_at_any_step_writes_nothing(term: str, done: int) -> None:
    steps = [
        ("Provider", "venice" + ENTER),
        KEY_STEP,
        ("Default model", ENTER),
        NO_CHECK,
        ("Write this", "y" + ENTER),
    ]
    steps[done] = (steps[done][0], CTRL_C)
    code, _ = drive("onboard", steps=steps[: done + 1], term=term)
    assert code == 130
    assert not (folder() / "auth-profiles.json").exists()
    assert not (folder() / "jackfield.json").exists()


def test_a_present_variable_is_offered_masked() -> None:
    steps = [
        (r"Use existing VENICE_API_KEY \(env, vapi…abcd\)", "y" + ENTER),
        ("Default model", ENTER),
        NO_CHECK,
        ("Write this", "y" + ENTER),
    ]
    code, _ = drive("onboard", "--auth-choice", "venice-api-key", steps=steps, env={"VENICE_API_KEY": KEY})
    assert code == 0
    assert load("auth-profiles.json")["profiles"]["venice:default"]["key"] == KEY


def test_a_variable_may_be_referred_to_instead_of_copied() -> None:
    steps = [("Use existing", "y" + ENTER), ("Default model", ENTER), NO_CHECK, ("Write this", ENTER)]
    line = ("onboard", "--auth-choice", "venice-api-key", "--secret-input-mode", "ref")
    assert drive(*line, steps=steps, env={"VENICE_API_KEY": KEY})[0] == 0
    assert load("auth-profiles.json")["profiles"]["venice:default"]["keyRef"]["id"] == "VENICE_API_KEY"
    assert KEY not in (folder() / "auth-profiles.json").read_text(encoding="utf-8")


def test_a_key_that_cannot_be_one_is_asked_for_again() -> None:
    steps = [("Venice API key", ENTER), ("is empty", ""), KEY_STEP, ("Default model", CTRL_C)]
    assert drive("onboard", "--auth-choice", "venice-api-key", steps=steps)[0] == 130


def test_a_present_default_stays_unless_another_model_is_picked() -> None:
    write_config('{ "agents": { "defaults": { "model": { "primary": "groq/a" } } } }')
    steps = [KEY_STEP, ("Default model", ENTER), NO_CHECK, ("Write this", "y" + ENTER)]
    _, shown = drive("onboard", "--auth-choice", "venice-api-key", steps=steps)
    assert primary() == "groq/a"
    assert "Ask venice/llama-3.3-70b for one word" in shown
    steps = [("stored key", "y" + ENTER), ("Default model", "opus" + ENTER), NO_CHECK, ("Write this", "y" + ENTER)]
    drive("onboard", "--auth-choice", "venice-api-key", steps=steps)
    assert primary() == "venice/claude-opus-45"


def test_a_model_can_be_typed() -> None:
    steps = [
        KEY_STEP,
        ("Default model", "manually" + ENTER),
        ("Model id", "new-one" + ENTER),
        NO_CHECK,
        ("Write", "y\r"),
    ]
    drive("onboard", "--auth-choice", "venice-api-key", steps=steps)
    assert primary() == "venice/new-one"


def test_a_model_that_answers_is_saved_and_one_that_does_not_only_on_request() -> None:
    answers = [json_reply({"error": {"message": "invalid api key"}}, 401), json_reply(REPLY)]
    models = json_reply({"object": "list", "data": [{"id": "m"}, {"id": "another"}]})
    with serve(lambda call: models if call.method == "GET" else answers.pop(0)) as server:
        line = ("onboard", "--custom-base-url", f"{server.url}/v1", "--custom-model-id", "m")
        asked = [("speak", "1" + ENTER), ("Key for", "sk-1234567890" + ENTER), ("another", "2" + ENTER)]
        code, shown = drive(*line, steps=[*asked, ("one word", ENTER), ("Save anyway", ENTER)])
        assert (code, primary()) == (0, None)
        assert "invalid api key" in shown
        code, _ = drive(*line, steps=[*asked, ("one word", ENTER), ("it answers", ""), ("Write this", ENTER)])
    assert code == 0
    assert primary() == f"custom-127-0-0-1-{server.port}/m"
    asked_with = [call.headers["authorization"] for call in server.journal if call.method == "POST"]
    assert asked_with == ["Bearer sk-1234567890"] * 2


def test_a_wrong_key_may_be_entered_again_and_another_model_chosen_until_it_answers() -> None:
    def answer(call: Received) -> Any:
        if call.method == "GET":
            return json_reply({"object": "list", "data": [{"id": "m"}, {"id": "better"}]})
        if call.headers["authorization"] != "Bearer sk-right-1234567":
            return json_reply({"error": {"message": f"bad {call.headers['authorization']}"}}, 401)
        gone = {"error": {"message": "no model m", "code": "model_not_found"}}
        return json_reply(REPLY) if call.json()["model"] == "better" else json_reply(gone, 404)

    with serve(answer) as server:
        line = ("onboard", "--custom-base-url", f"{server.url}/v1", "--custom-model-id", "m")
        steps = [
            ("speak", "1" + ENTER),
            ("Key for", "sk-wrong-1234567" + ENTER),
            ("Default model", "2" + ENTER),
            ("one word", ENTER),
            ("What now", "another key" + ENTER),
            ("Key for", "sk-right-1234567" + ENTER),
            ("no model m[^?]*What now", "another model" + ENTER),
            ("Default model", "better" + ENTER),
            ("it answers", ""),
            ("Write this", "y" + ENTER),
        ]
        code, shown = drive(*line, steps=steps)
    assert (code, primary()) == (0, f"custom-127-0-0-1-{server.port}/better")
    [profile] = load("auth-profiles.json")["profiles"].values()
    assert profile["key"] == "sk-right-1234567"
    assert "-1234567" not in shown


@pytest.mark.parametrize("term", ["dumb", "xterm-256color"])
def test_without_a_network_nothing_is_written_unless_asked_for(term: str) -> None:
    line = ("onboard", "--custom-base-url", f"http://127.0.0.1:{free_port()}/v1", "--custom-model-id", "m")
    asked = [
        ("speak", ENTER),
        ("Key for", "sk-1234567890" + ENTER),
        ("Default model", ENTER),
        ("one word", "y" + ENTER),
    ]
    code, shown = drive(*line, steps=[*asked, ("no answer: .*127.0.0.1.*What now", ENTER)], term=term)
    assert (code, "nothing was written" in shown, load("auth-profiles.json")) == (0, True, {})
    anyway = "5" + ENTER if term == "dumb" else "\x1b[A" + ENTER  # the last one, from the first upwards
    code, _ = drive(*line, steps=[*asked, ("What now", anyway), ("Write this", "y" + ENTER)], term=term)
    assert (code, len(load("auth-profiles.json")["profiles"])) == (0, 1)


def test_a_second_accounts_key_does_not_take_the_first_ones_place_unasked() -> None:
    rest = [("Default model", ENTER), NO_CHECK, ("Write this", "y" + ENTER)]
    line = ("onboard", "--auth-choice", "venice-api-key")
    drive(*line, steps=[KEY_STEP, *rest])
    other = [("stored key", "n" + ENTER), ("Venice API key", "vapi_another567890" + ENTER)]
    drive(*line, steps=[*other, (r"venice:default holds another key \(vapi…abcd\)", ENTER), *rest])
    kept = load("auth-profiles.json")["profiles"]
    assert {name: row["key"] for name, row in kept.items()} == {
        "venice:default": KEY, "venice:account-2": "vapi_another567890",
    }  # fmt: skip
    drive(*line, steps=[*other, ("holds another", "in its place" + ENTER), *rest])
    assert load("auth-profiles.json")["profiles"]["venice:default"]["key"] == "vapi_another567890"


@pytest.mark.parametrize("done", range(4), ids=["provider", "key", "model", "yes"])
def test_the_end_of_input_at_any_step_writes_nothing(done: int) -> None:
    steps = [("Provider", "venice" + ENTER), KEY_STEP, ("Default model", ENTER), NO_CHECK, ("Write this", "y" + ENTER)]
    at = done if done < 3 else 4
    steps[at] = (steps[at][0], "\x04")
    code, _ = drive("onboard", steps=steps[: at + 1])
    assert code != 0
    assert (load("auth-profiles.json"), load("jackfield.json")) == ({}, {})


@pytest.mark.parametrize(
    ("choice", "model"),
    [
        ("apiKey", "anthropic/"),
        ("openai-api-key", "openai/"),
        ("synthetic-api-key", "synthetic/hf:MiniMaxAI/"),
        ("moonshot-api-key", "moonshot/kimi"),
        ("minimax-api", "minimax/MiniMax-M2"),
        ("zai-api-key", "zai/glm"),
        ("openrouter-api-key", "openrouter/"),
        ("gemini-api-key", "google/gemini"),
    ],
)
def test_each_choice_leads_to_a_summary_and_writes_nothing_before_the_yes(choice: str, model: str) -> None:
    steps = [
        ("(?i)(key|token)[^\n]*: ", "sk-0123456789abcdef0123456789" + ENTER),
        ("Default model", ENTER),
        (f"Ask {model}", "n" + ENTER),
        (r"\+[^\n]*primary.*Write this", CTRL_C),
    ]
    code, _ = drive("onboard", "--auth-choice", choice, steps=steps)
    assert (code, load("auth-profiles.json"), load("jackfield.json")) == (130, {}, {})


def test_a_local_server_is_asked_for_its_models() -> None:
    models = json_reply({"object": "list", "data": [{"id": "llama3.3"}, {"id": "tiny"}]})
    with serve(models) as server:
        steps = [
            ("Address of the server", f"{server.url}/v1{ENTER}"),
            ("Default model", "tiny" + ENTER),
            NO_CHECK,
            ("Write this", ENTER),
        ]
        code, _ = drive("onboard", "--auth-choice", "ollama", steps=steps)
    assert (code, primary()) == (0, "ollama/tiny")
    assert load("jackfield.json")["models"]["providers"]["ollama"] == {"baseUrl": f"{server.url}/v1"}
    assert load("auth-profiles.json") == {}


def test_a_server_that_is_slow_to_list_its_models_is_waited_for() -> None:
    models = [1.0, *json_reply({"object": "list", "data": [{"id": "m"}, {"id": "another"}]})]
    with serve(models) as server:
        line = ("onboard", "--custom-base-url", f"{server.url}/v1", "--custom-model-id", "m")
        steps = [("speak", "1" + ENTER), ("Key for", ENTER), ("Default model", CTRL_C)]
        _, shown = drive(*line, steps=steps)
    assert "another" in shown
    assert "nothing answers" not in shown


def test_a_local_server_that_is_not_running_is_said_and_its_model_can_be_typed() -> None:
    steps = [
        ("Address of the server", ENTER),
        ("Key for LM Studio", ENTER),
        ("nothing answers at", ""),
        ("Default model", "manually" + ENTER),
        ("Model id", "mine" + ENTER),
        NO_CHECK,
        ("Write this", ENTER),
    ]
    code, _ = drive("onboard", "--auth-choice", "lmstudio", steps=steps)
    assert (code, primary()) == (0, "lmstudio/mine")
    assert set(load("jackfield.json")) == {"agents"}


def test_a_sign_in_without_a_client_says_what_to_set() -> None:
    code, shown = drive("onboard", "--auth-choice", "openai-codex", steps=[])
    assert code == 1
    assert "needs an OAuth client id" in shown
    assert "JACKFIELD_OPENAI_CODEX_OAUTH_CLIENT_ID" in shown


def test_configure_leads_to_the_same_steps() -> None:
    steps = [
        ("What do you want to change", ENTER),
        ("Provider", "venice" + ENTER),
        KEY_STEP,
        ("Default model", ENTER),
        NO_CHECK,
        ("Write this", ENTER),
        ("Anything else", ENTER),
    ]
    code, shown = drive("configure", steps=steps)
    assert (code, primary()) == (0, "venice/llama-3.3-70b")
    assert "Model/auth" in shown


def test_an_allowlist_is_chosen_changed_and_cleared_on_request() -> None:
    write_config('{ "agents": { "defaults": { "models": { "venice/qwen3-4b": { "alias": "q" } } } } }')
    env = {"VENICE_API_KEY": KEY}
    line = ("configure", "--section", "allowlist")
    drive(*line, steps=[("may be used", "1 2" + ENTER), ("Write this", ENTER)], env=env)
    chosen = load("jackfield.json")["agents"]["defaults"]["models"]
    assert chosen == {"venice/qwen3-4b": {"alias": "q"}, "venice/llama-3.3-70b": {}}
    drive(*line, steps=[("may be used", "-" + ENTER), ("Clear", "y" + ENTER), ("Write this", ENTER)], env=env)
    assert "models" not in load("jackfield.json").get("agents", {}).get("defaults", {})


def test_an_allowlist_offers_servers_of_ones_own_and_says_when_there_is_nothing() -> None:
    line = ("configure", "--section", "allowlist")
    code, shown = drive(*line, steps=[])
    assert (code, "no model to choose yet" in shown) == (0, True)
    write_config(local_provider("http://127.0.0.1:9"))
    drive(*line, steps=[("may be used", "1" + ENTER), ("Write this", ENTER)])
    assert load("jackfield.json")["agents"]["defaults"]["models"] == {"box/m": {}}


@pytest.mark.parametrize("line", [("configure",), ("configure", "--section", "model")])
def test_configure_without_a_person_is_one_clear_line(line: tuple[str, ...]) -> None:
    result = run(*line)
    assert result.code == 1
    assert "needs a terminal" in result.err


def test_an_unknown_section_is_named() -> None:
    result = run("configure", "--section", "nope")
    assert result.code == 1
    assert "unknown section 'nope'" in result.err


def test_a_credential_is_added_step_by_step() -> None:
    steps = [
        ("Provider", "anthropic" + ENTER),
        ("What do you have", "token" + ENTER),
        ("Keep it as", "work" + ENTER),
        ("It ends in", "365d" + ENTER),
        ("Anthropic token", "sk-ant-oat01-" + "a" * 80 + ENTER),
    ]
    code, shown = drive("models", "auth", "add", steps=steps)
    assert code == 0, shown
    kept = load("auth-profiles.json")["profiles"]["anthropic:work"]
    assert (kept["type"], kept["expires"] > 1_700_000_000_000) == ("token", True)
