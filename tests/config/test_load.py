"""From a file to a `Config`."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from msgspec import UNSET

from jackfield.config.schema import AllowList, ConfigSecret, InvalidConfig
from jackfield.credential import Secret, SecretRef
from jackfield.model import Compat, Cost, Network, Tier, Timeouts
from tests.config.setup import check, load

FULL = """{
  models: {
    mode: "replace",
    providers: {
      Box: {
        name: "The Box",
        baseUrl: " https://box.test/v1/ ",
        endpoint: "https://box.test/chat/",
        apiKey: "${BOX_KEY}",
        auth: "token",
        api: "anthropic-messages",
        headers: { "X-Team": "${TEAM}", "X-Plain": "plain text" },
        authHeader: true,
        compat: { maxTokensField: "max_completion_tokens", reasoningEffortMap: { high: "max" } },
        params: { top_k: 5, note: "${TEAM}", deep: [{ a: null }] },
        maxTokens: 4096,
        timeouts: { connect: 2, firstToken: 30.5 },
        timeoutSeconds: 90,
        network: { proxy: "http://proxy:3128", systemTrust: false },
        privacy: "zdr",
        models: [
          { id: "Org/Model:free" },
          {
            id: "m", name: "M", reasoning: true, input: ["text", "image"], contextWindow: 200000.0, maxTokens: -1,
            cost: { input: 0.30000000000000000000001, output: 15, cacheRead: 1e-2 },
            headers: { "X-Model": "h" }, compat: { supportsTools: false }, privacy: "local", timeouts: { idle: 5 },
          },
        ],
      },
    },
    aliases: { Quick: "box/m", same: "box/m" },
    routes: { careful: { primary: "box/m", fallbacks: ["quick"], onStreamBreak: "restart", timeouts: { total: 9 } } },
    policy: { minPrivacy: "private" },
  },
  agents: { defaults: {
    model: { primary: "box/m", fallbacks: ["a/b", "c/d"] },
    imageModel: "e/f",
    models: { "box/m": { alias: "Boxy", params: { temperature: 0 } }, "anthropic/claude-opus-4-5": {}, "openai/gpt-5.2": { alias: "" } },
    params: { seed: 1 },
    thinkingDefault: "low",
    timeoutSeconds: 60,
    workspace: "~/elsewhere",
  } },
  auth: {
    profiles: { "box:me": { provider: "Box", mode: "api_key", email: "me@box.test" } },
    order: { Box: ["box:me"] },
    cooldowns: { failureWindowHours: 12 },
  },
  plugins: { entries: { "a-auth": { enabled: true }, "b-auth": { enabled: true }, "c-auth": {} }, deny: ["b-auth"] },
}"""


def test_everything_the_file_says_is_there(tmp_path: Path) -> None:
    config = load(tmp_path, FULL, BOX_KEY="sk-box", TEAM="blue")
    box = config.providers["box"]
    plain, full = box.models

    assert config.mode == "replace"
    assert (box.id, box.name, box.base_url, box.endpoint) == (
        "box", "The Box", "https://box.test/v1", "https://box.test/chat/",
    )  # fmt: skip
    assert (box.api, box.auth, box.auth_header, box.max_tokens, box.privacy) == (
        "anthropic-messages", "token", True, 4096, "zdr",
    )  # fmt: skip
    assert box.api_key == ConfigSecret(Secret("sk-box"), "config: models.providers.Box.apiKey")
    assert box.headers == {"X-Team": Secret("blue"), "X-Plain": Secret("plain text")}
    assert box.compat == Compat(max_tokens_field="max_completion_tokens", reasoning_effort_map={"high": "max"})
    assert box.params == {"top_k": 5, "note": "blue", "deep": [{"a": None}]}
    assert box.timeouts == Timeouts(connect=2, first_token=30.5, total=90)
    assert box.network == Network(proxy="http://proxy:3128", system_trust=False)
    assert (plain.id, plain.name, plain.cost, plain.context_window) == ("Org/Model:free", UNSET, UNSET, UNSET)
    assert (full.reasoning, full.input, full.context_window, full.max_tokens) == (
        True,
        ("text", "image"),
        200000,
        UNSET,
    )
    assert full.cost == Cost(Decimal("0.30000000000000000000001"), Decimal(15), Decimal("0.01"))
    assert (full.headers, full.privacy, full.timeouts) == ({"X-Model": Secret("h")}, "local", Timeouts(idle=5))
    assert full.compat == Compat(supports_tools=False)
    assert (config.primary, config.fallbacks) == ("box/m", ("a/b", "c/d"))
    assert (config.image_primary, config.image_fallbacks) == ("e/f", ())
    assert config.aliases == {"boxy": "box/m", "quick": "box/m", "same": "box/m", "opus": "anthropic/claude-opus-4-5"}
    assert config.configured == ("box/m", "anthropic/claude-opus-4-5", "openai/gpt-5.2")
    assert config.params == {"": {"seed": 1}, "box/m": {"temperature": 0}}
    route = config.routes["careful"]
    assert (route.primary, route.fallbacks, route.on_stream_break) == ("box/m", ("quick",), "restart")
    assert route.timeouts == Timeouts(total=9)
    assert (config.min_privacy, config.thinking_default, config.timeout_s) == ("private", "low", 60)
    assert config.auth_order == {"box": ("box:me",)}
    assert (config.auth_profiles["box:me"].provider, config.auth_profiles["box:me"].email) == ("box", "me@box.test")
    assert config.failure_window_hours == 12
    assert config.plugins == {"a-auth": True, "b-auth": False, "c-auth": False}
    assert config.warnings == ()


@pytest.mark.parametrize("text", ["", "{}", " \n\ufeff", "{ /* empty */ }"])
def test_an_empty_config_is_all_defaults(tmp_path: Path, text: str) -> None:
    config = load(tmp_path, text, A="1")

    assert (config.mode, config.providers, config.primary, config.allow, config.warnings) == (
        "merge",
        {},
        None,
        None,
        (),
    )
    assert config.environ == {"A": "1"}


# -- the allowlist -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("defaults", "allow"),
    [
        ("{}", None),
        ("{ models: {} }", None),
        ("{ modelPolicy: {} }", None),
        ("{ models: { 'a/b': {} } }", AllowList(("a/b",), "agents.defaults.models (jackfield.json:1)")),
        ("{ models: { 'a/b': {} }, modelPolicy: { allow: [] } }", None),
        (
            "{ models: { 'a/b': {} },\n modelPolicy: { allow: ['c/*', 'fast'] } }",
            AllowList(("c/*", "fast"), "agents.defaults.modelPolicy.allow (jackfield.json:2)"),
        ),
    ],
)
def test_the_allowlist_says_which_rule_it_is(tmp_path: Path, defaults: str, allow: AllowList | None) -> None:
    assert load(tmp_path, "{ agents: { defaults: @ } }".replace("@", defaults)).allow == allow


def test_an_allowlist_of_missing_variables_allows_nothing(tmp_path: Path) -> None:
    config = load(tmp_path, "{ agents: { defaults: { modelPolicy: { allow: ['${M}'] } } } }")

    assert config.allow == AllowList((), "agents.defaults.modelPolicy.allow (jackfield.json:1)")


# -- older spellings ---------------------------------------------------------------


def test_the_older_word_fallback_works_with_a_warning(tmp_path: Path) -> None:
    config = load(tmp_path, "{\n agents: { defaults: {\n model: { primary: 'a/b', fallback: ['c/d'] } } } }")

    assert config.fallbacks == ("c/d",)
    assert config.warnings == (
        'agents.defaults.model.fallback (jackfield.json:3) is an older spelling; write "fallbacks"',
    )


def test_the_older_section_agent_works_with_a_warning(tmp_path: Path) -> None:
    config = load(tmp_path, "{ agent: { model: 'a/b', models: { 'a/b': { alias: 'x' } }, workspace: '.' } }")

    assert (config.primary, config.aliases) == ("a/b", {"x": "a/b"})
    assert config.allow == AllowList(("a/b",), "agents.defaults.models (jackfield.json:1)")
    assert [warning.split(" ")[0] for warning in config.warnings] == ["agent.model", "agent.models"]


def test_the_newer_place_beats_the_older_one(tmp_path: Path) -> None:
    assert load(tmp_path, "{ agent: { model: 'a/b' }, agents: { defaults: { model: 'c/d' } } }").primary == "c/d"


# -- variables ---------------------------------------------------------------------

UNUSED = """{
  agents: { defaults: { model: "good/m" } },
  models: { providers: {
    good: { baseUrl: "http://good", apiKey: "${GOOD}" },
    bad: {
      baseUrl: "http://${HOST}/v1",
      apiKey: "${NOT_THERE}",
      headers: { "X-A": "a", "X-B": "${EMPTY}" },
      models: [{ id: "m", name: "${NAME}" }],
    },
  } },
}"""


def test_a_missing_variable_breaks_only_what_uses_it(tmp_path: Path) -> None:
    config = load(tmp_path, UNUSED, GOOD="k", EMPTY="")
    bad = config.providers["bad"]

    assert config.providers["good"].missing == ()
    assert (bad.base_url, bad.api_key, bad.headers) == (None, None, {"X-A": Secret("a")})
    assert [(missing.name, missing.key, missing.where) for missing in bad.missing] == [
        ("HOST", "models.providers.bad.baseUrl", "jackfield.json:6"),
        ("NOT_THERE", "models.providers.bad.apiKey", "jackfield.json:7"),
        ("EMPTY", 'models.providers.bad.headers.X-B', "jackfield.json:8"),
        ("NAME", "models.providers.bad.models[0].name", "jackfield.json:9"),
    ]  # fmt: skip
    assert config.warnings[1] == "models.providers.bad.apiKey (jackfield.json:7): NOT_THERE is not set"
    assert len(config.warnings) == 4


def test_a_missing_variable_outside_providers_is_a_warning(tmp_path: Path) -> None:
    config = load(tmp_path, "{ agents: { defaults: { model: { primary: '${M}', fallbacks: ['${M}', 'a/b'] } } } }")

    assert (config.primary, config.fallbacks) == (None, ("a/b",))
    assert len(config.warnings) == 2


def test_other_sections_may_hold_anything(tmp_path: Path) -> None:
    config = load(
        tmp_path, "{ channels: { telegram: { token: '${NO}', x: [1] } }, tools: 5, agents: { list: [{ id: 1 }] } }"
    )

    assert config.warnings == ()


def test_variables_fill_choices_too(tmp_path: Path) -> None:
    assert load(tmp_path, "{ models: { mode: '${MODE}' } }", MODE="replace").mode == "replace"
    checked = check(tmp_path, "{ models: { mode: '${MODE}' } }", MODE="sk-secret")
    assert checked.issues[0].message == "'${MODE}' is not one of merge, replace"


@pytest.mark.parametrize(
    ("key", "environ", "secret"),
    [
        ("'LMSTUDIO_KEY'", {}, "LMSTUDIO_KEY"),
        ("'LMSTUDIO_KEY'", {"LMSTUDIO_KEY": "real"}, "real"),
        ("'LMSTUDIO_KEY'", {"LMSTUDIO_KEY": " "}, "LMSTUDIO_KEY"),
        ("'sk-1 '", {}, "sk-1"),
        ("'${A}-${B}'", {"A": "1", "B": "2"}, "1-2"),
        ("'$${A}'", {"A": "1"}, "${A}"),
        ("'${A:-x}'", {}, "x"),
        ("{ source: 'env', provider: 'default', id: 'A' }", {"A": "1"}, "1"),
    ],
)
def test_a_key_is_text_variable_or_reference(tmp_path: Path, key: str, environ: dict[str, str], secret: str) -> None:
    provider = load(tmp_path, "{ models: { providers: { x: { apiKey: @ } } } }".replace("@", key), **environ).providers[
        "x"
    ]

    assert provider.api_key == ConfigSecret(Secret(secret), "config: models.providers.x.apiKey")


@pytest.mark.parametrize(
    ("key", "text"),
    [
        (
            "'!security find-key'",
            'models.providers.x.apiKey (jackfield.json:1): a text that begins with "!" is a command, which is never run from a text: '
            'write {source: "exec", id: "…"}',
        ),
        ("{ source: 'env', id: 'A' }", "models.providers.x.apiKey (jackfield.json:1): A is not set"),
        (
            "{ source: 'store', provider: 'vault', id: 'a/b' }",
            'models.providers.x.apiKey (jackfield.json:1): a/b is a reference of source "store", which Jackfield does not know',
        ),
    ],
)
def test_a_reference_without_value_is_missing(tmp_path: Path, key: str, text: str) -> None:
    config = load(tmp_path, "{ models: { providers: { x: { apiKey: @ } } } }".replace("@", key))

    assert config.providers["x"].api_key is None
    assert [str(missing) for missing in config.providers["x"].missing] == [text]
    assert config.warnings == (text,)


@pytest.mark.parametrize("source", ["file", "exec", "keyring"])
def test_a_reference_to_a_place_is_kept_unfollowed(tmp_path: Path, source: str) -> None:
    text = "{ models: { providers: { x: { apiKey: REF, headers: { 'x-key': REF, plain: 'text' } } } } }"
    said = f"{{ source: '{source}', provider: 'p', id: 'touch {tmp_path}/run' }}"
    entry = load(tmp_path, text.replace("REF", said)).providers["x"]

    ref = SecretRef(source, f"touch {tmp_path}/run", "p")
    assert entry.api_key == ConfigSecret(Secret(""), "config: models.providers.x.apiKey", ref)
    assert entry.header_refs == {"x-key": ConfigSecret(Secret(""), "config: models.providers.x.headers.x-key", ref)}
    assert entry.headers == {"plain": Secret("text")}
    assert not (tmp_path / "run").exists()


def test_a_header_that_refers_to_a_variable_has_its_value(tmp_path: Path) -> None:
    said = "{ headers: { a: { source: 'env', id: 'A' } }, models: [{ id: 'm', headers: { b: { source: 'exec', id: 'b' } } }] }"
    entry = load(tmp_path, "{ models: { providers: { x: SAID } } }".replace("SAID", said), A="1").providers["x"]

    assert entry.headers == {"a": Secret("1")}
    assert [missing.reason for missing in entry.missing] == [
        'is a reference of source "exec", which Jackfield does not follow here'
    ]


def test_a_blank_key_is_none(tmp_path: Path) -> None:
    assert load(tmp_path, "{ models: { providers: { x: { apiKey: ' ' } } } }").providers["x"].api_key is None


# -- the env block -----------------------------------------------------------------


def test_the_env_block_is_flat_or_under_vars_and_flat_wins(tmp_path: Path) -> None:
    text = "{ env: { A: 'flat', B: ' ', vars: { A: 'vars', C: 'vars', D: 'vars' } } }"
    config = load(tmp_path, text, D="process")

    assert config.environ == {"A": "flat", "C": "vars", "D": "process"}


def test_values_of_the_env_block_are_literal(tmp_path: Path) -> None:
    config = load(tmp_path, "{ env: { A: '${B}', B: 'b' } }")

    assert config.environ["A"] == "${B}"
    assert config.warnings == ("env.A (jackfield.json:1) holds ${…}, which is not filled in here",)


def test_the_env_block_takes_texts_only(tmp_path: Path) -> None:
    checked = check(tmp_path, "{ env: { A: 1, vars: { B: true }, shellEnv: { enabled: true } } }")

    assert [(issue.path, issue.message) for issue in checked.issues] == [
        ("env.A", "expected a text, found a number"),
        ("env.vars.B", "expected a text, found true or false"),
    ]
    assert checked.config.warnings == (
        "env.shellEnv (jackfield.json:1): no effect here; set variables in the shell or in `.env`",
    )


def test_dotenv_files_come_before_the_env_block(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=dotenv\n", encoding="utf-8")

    assert load(tmp_path, "{ env: { A: 'block' } }").environ["A"] == "dotenv"


# -- odd but harmless --------------------------------------------------------------


def test_a_repeated_key_is_a_warning_with_its_place(tmp_path: Path) -> None:
    config = load(tmp_path, "{ models: { mode: 'merge',\n mode: 'replace' } }")

    assert config.mode == "replace"
    assert config.warnings == (f"{tmp_path}/jackfield.json:2:2: the key 'mode' is written twice; the later one holds",)


def test_a_misspelt_section_is_a_warning(tmp_path: Path) -> None:
    config = load(tmp_path, "{ modles: {}, toolz: {}, agents: { defaults: { imageModle: 'x', workspace: 'y' } } }")

    assert config.warnings == (
        'modles (jackfield.json:1) is no key of the model layer; did you mean "models"?',
        'agents.defaults.imageModle (jackfield.json:1) is no key of the model layer; did you mean "imageModel"?',
    )


def test_a_name_given_twice_is_a_warning(tmp_path: Path) -> None:
    defaults = "{ models: { 'a/b': { alias: 'Fast' }, 'c/d': { alias: 'fast' } } }"
    config = load(tmp_path, f"{{ agents: {{ defaults: {defaults} }}, models: {{ aliases: {{ FAST: 'e/f' }} }} }}")

    assert config.aliases == {"fast": "c/d"}
    assert config.warnings == (
        'agents.defaults.models.a/b.alias (jackfield.json:1) takes the name "Fast" from e/f',
        'agents.defaults.models.c/d.alias (jackfield.json:1) takes the name "fast" from a/b',
    )


OPENCLAW = """{
  meta: { lastTouchedVersion: "2026.1.30" }, wizard: { lastRunMode: "local" }, logging: { level: "info" },
  agents: {
    defaults: { workspace: "~/w", contextTokens: 1, sandbox: { mode: "off" }, heartbeat: { every: "30m" }, pdfModel: "a/b" },
    list: [{ id: "main", model: "a/b", tools: { allow: ["x"] } }],
  },
  auth: { profiles: { "a:b": { provider: "a", mode: "oauth" } }, cooldowns: { overloadedBackoffMs: 5 } },
  gateway: { mode: "local", port: 18789, bind: "loopback", auth: { mode: "password", password: "p" }, reload: { mode: "hybrid" } },
  plugins: { slots: { memory: "none" }, load: { paths: ["/p"] }, installs: {}, entries: { p: { enabled: true, config: { a: 1 } } } },
  channels: { telegram: { enabled: true } }, tools: {}, messages: {}, session: {}, skills: {}, hooks: {}, bindings: [],
}"""


def test_an_openclaw_config_loads_without_a_word(tmp_path: Path) -> None:
    config = load(tmp_path, OPENCLAW)

    assert config.warnings == ()
    assert config.plugins == {"p": True}


def test_a_key_without_effect_is_named_once(tmp_path: Path) -> None:
    rows = ",".join(f"{{ id: '{n}', contextTokens: 1 }}" for n in range(40))
    config = load(tmp_path, "{ models: { providers: { x: { models: [@] } } } }".replace("@", rows))

    assert config.warnings == (
        "models.providers.x.models[0].contextTokens (jackfield.json:1) and 39 more: no effect here; "
        "set `contextWindow`",
    )


def test_a_config_named_and_absent_is_a_warning(tmp_path: Path) -> None:
    from jackfield.config.load import load_config
    from jackfield.config.paths import locate

    paths = locate({"JACKFIELD_HOME": str(tmp_path)}, config=str(tmp_path / "typo.json"))
    assert load_config(paths, {}, cwd=tmp_path).warnings == (
        f"{tmp_path}/typo.json does not exist: every default holds",
    )
    assert load_config(locate({"JACKFIELD_HOME": str(tmp_path)}), {}, cwd=tmp_path).warnings == ()


def test_a_config_shows_no_secret(tmp_path: Path) -> None:
    config = load(tmp_path, FULL, BOX_KEY="sk-box-canary", TEAM="blue-canary")

    assert "canary" not in repr(config.providers["box"].api_key) + repr(config.providers["box"].headers)
    assert "canary" not in repr(config).replace("'note': 'blue-canary'", "")


def test_an_invalid_config_raises_with_its_issues(tmp_path: Path) -> None:
    with pytest.raises(InvalidConfig) as caught:
        load(tmp_path, "{ models: { mode: 1 } }")

    assert caught.value.message == (
        f"the config has 1 problem:\n- models.mode · {tmp_path}/jackfield.json:1:19 · expected a text, found a number"
    )


def with_cost(folder: Path, cost: str) -> Cost:
    row = f'{{ id: "m", cost: {cost} }}'
    text = f'{{ models: {{ providers: {{ box: {{ baseUrl: "https://box.test", models: [{row}] }} }} }} }}'
    found = load(folder, text).providers["box"].models[0].cost
    assert found
    return found


def test_prices_may_have_tiers_an_hour_and_sound(tmp_path: Path) -> None:
    tiers = "[{ above: 200000, input: 1.5, cacheWrite1h: 4 }]"
    found = with_cost(tmp_path, f"{{ input: 1, cacheWrite1h: 2, audioInput: 3, tiers: {tiers} }}")
    tier = Tier(above=200_000, input=Decimal("1.5"), cache_write_1h=Decimal(4))
    assert found == Cost(Decimal(1), cache_write_1h=Decimal(2), audio_input=Decimal(3), tiers=(tier,))


@pytest.mark.parametrize("tier", ["{ input: 1 }", "{ above: -1, input: 1 }", "{}"])
def test_a_tier_without_a_size_holds_always(tier: str, tmp_path: Path) -> None:
    assert [each.above for each in with_cost(tmp_path, f"{{ tiers: [{tier}] }}").tiers] == [0]
