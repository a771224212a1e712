"""Enabled plugins in a client: what they add, what they may not, and what becomes of broken ones."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from jackfield import AsyncClient, ChatRequest, Client, Message
from jackfield.auth.store import open_store
from jackfield.catalog.load import Catalog
from jackfield.config.default import load_default
from jackfield.credential import Profile, Secret
from jackfield.embedding import EmbedRequest
from jackfield.errors import AuthError
from jackfield.listings import refresh_listings
from jackfield.plugins.hookspecs import Plugin
from jackfield.plugins.load import Plugins, is_enabled
from jackfield.transport.http import Transport
from tests.cli.test_chat import whole
from tests.commands import local_provider, run
from tests.plugins.folder import ROW, load, plugin_home, switched_on, write_code, write_row
from tests.servers import json_reply, serve, text_reply


class Silent:
    """Nobody at the terminal."""

    def tell(self, text: str) -> None: ...

    def ask(self, question: str) -> str:
        return "answer"

    def ask_secret(self, question: str) -> str:
        return "answer"


def box(url: str, *ids: str) -> dict[str, Any]:
    return {**json.loads(local_provider(url)), **switched_on(*ids)}


def ask(config: dict[str, Any]) -> Any:
    with Client(config) as client:
        return client.chat(ChatRequest(model="box/m", messages=[Message.user("Hello")]))


def test_a_toml_file_adds_a_provider_once_it_is_enabled(home: Path) -> None:
    write_row(plugin_home(home))
    off, on = load_default({}), load_default(switched_on("acme"))

    assert Catalog(off, Plugins(off).providers).provider("acme") is None
    catalog = Catalog(on, Plugins(on).providers)
    assert [model.id for model in catalog.models("acme")] == ["small"]
    assert [row.id for row in catalog.outlines("acme")] == ["small"]
    assert "acme" in catalog.provider_ids()
    assert catalog.near("acme/smal") == ("acme/small",)
    assert is_enabled(on, "acme")
    assert not is_enabled(off, "acme")


def test_a_key_for_a_plugins_provider_is_kept_as_any_other(home: Path) -> None:
    write_row(plugin_home(home), ROW.replace("[[models]]", '[[auth]]\nchoice = "acme-key"\n[[models]]'))
    assert run("plugins", "enable", "acme").code == 0
    done = run("onboard", "--non-interactive", "--auth-choice", "acme-key", "--token", "sk-acme-0123456789",
               "--token-provider", "acme")  # fmt: skip

    assert done.code == 0, done.err
    assert run("models", "auth", "list", "--json").json()["profiles"][0]["provider"] == "acme"
    assert run("models", "set", "acme/small").code == 0


def test_the_config_wins_over_a_plugins_rows(home: Path) -> None:
    write_row(plugin_home(home))
    entry = {"baseUrl": "http://127.0.0.1:1/v2", "models": [{"id": "small", "contextWindow": 5}]}
    config = load_default({**switched_on("acme"), "models": {"providers": {"acme": entry}}})
    catalog = Catalog(config, Plugins(config).providers)

    info = catalog.provider("acme")
    assert info is not None
    assert (info.base_url, catalog.model("acme", "small").context_window) == ("http://127.0.0.1:1/v2", 5)


def test_a_question_reaches_a_plugins_provider(home: Path) -> None:
    with serve(json_reply(whole())) as server:
        write_row(plugin_home(home), ROW.replace("http://127.0.0.1:9", server.url))
        with Client(switched_on("acme")) as client:
            assert client.chat(ChatRequest(model="acme/small", messages=[Message.user("Hi")])).text == "Hi there"


def test_code_that_is_not_enabled_is_not_run(home: Path) -> None:
    mark = home / "ran"
    write_code(plugin_home(home), f"open({str(mark)!r}, 'w').close()")

    assert load("other").problems == ()
    assert load("mine", deny=["mine"]).problems == ()
    assert load("mine", allow=["other"]).problems == ()
    assert load("mine", enabled=False).problems == ()
    assert not mark.exists()
    assert load("mine").problems == ()
    assert mark.exists()


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("import sys; sys.exit(3)", "SystemExit: 3"),
        ("import nothing_of_that_name", "ModuleNotFoundError: No module named 'nothing_of_that_name'"),
        ("def f(:", "SyntaxError: invalid syntax"),
        ("def configure(settings): settings['url']", "KeyError: 'url'"),
        ("def providers(): return ['acme']", "TypeError: providers() returns something else"),
        ("def providers(): raise ValueError('two\\nlines')", "ValueError: two"),
    ],
    ids=["error", "exit", "import", "syntax", "configure", "values", "lines"],
)
def test_a_broken_plugin_is_named_and_the_others_work(home: Path, code: str, said: str) -> None:
    write_code(plugin_home(home), code)
    write_row(plugin_home(home))
    plugins = load("mine", "acme")

    assert [info.id for info in plugins.providers] == ["acme"]
    assert len(plugins.problems) == 1
    assert plugins.problems[0].startswith(f"plugin 'mine' is left out: {said}")
    assert "\n" not in plugins.problems[0]
    assert list(plugins.broken) == ["mine"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("id = ", "acme.toml: "),
        ('id = "other"\n', "acme.toml: the id 'other' is not the file's name"),
        (ROW.replace("name", "title"), "acme.toml: unknown keys of the file: title"),
        (ROW.replace('"small"', "7"), "acme.toml: Expected `str`, got `int`"),
        (ROW.replace("http://", "http://[").replace("]", ""), "acme.toml: "),
    ],
    ids=["toml", "id", "key", "type", "address"],
)
def test_a_broken_row_is_named(home: Path, text: str, said: str) -> None:
    write_row(plugin_home(home), text)

    assert load("acme").problems[0].startswith(f"plugin 'acme' is left out: {said}")


@pytest.mark.parametrize("name", ["openai", "gemini"], ids=["a provider", "an alias"])
def test_no_plugin_takes_the_name_of_another_provider(home: Path, name: str) -> None:
    write_row(plugin_home(home), ROW.replace('"acme"', f'"{name}"'), name)
    plugins = load(name)

    assert plugins.providers == ()
    assert f"there is a provider '{name}' already" in plugins.problems[0]


def test_the_first_of_an_id_wins_and_the_configs_paths_come_first(home: Path, tmp_path: Path) -> None:
    write_row(plugin_home(home))
    (tmp_path / "more").mkdir()
    path = write_row(tmp_path / "more", ROW.replace("small", "large"))
    for place in (path, path.parent):
        config = load_default(switched_on("acme", load={"paths": [str(place)]}))
        assert [row.id for info in Plugins(config).providers for row in info.models] == ["large"]


def test_a_path_of_the_config_that_leads_nowhere_is_told(home: Path) -> None:
    plugins = load("gone", load={"paths": ["~/gone.toml"]})

    assert plugins.problems == ("plugin 'gone' is left out: plugins.load.paths: nothing is there",)


def test_an_openclaw_manifest_is_read_and_its_other_language_told(home: Path) -> None:
    own = plugin_home(home) / "voice"
    own.mkdir()
    own.joinpath("openclaw.plugin.json").write_text('{"id": "voice-call", "configSchema": {}}', encoding="utf-8")

    assert "other languages are not run" in load("voice-call").problems[0]


# -- hooks -------------------------------------------------------------------------


def test_settings_come_before_everything_and_the_config_fills_its_variables(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WHERE", "http://127.0.0.1:9/v1")
    code = """
from jackfield.model import ProviderInfo
said = {}
def configure(settings): said.update(settings)
def providers(): return [ProviderInfo(id="made", base_url=said["url"])]
"""
    write_code(plugin_home(home), code)
    config = {"plugins": {"entries": {"mine": {"enabled": True, "config": {"url": "${WHERE}"}}}}}
    plugins = Plugins(load_default(config))

    assert [(info.id, info.base_url) for info in plugins.providers] == [("made", "http://127.0.0.1:9/v1")]
    assert plugins.provider_ids("mine") == ("made",)


def test_headers_are_added_and_none_of_ours_is_replaced(home: Path) -> None:
    code = """
def headers(request):
    assert "sk-box" not in repr(request), request
    return {"x-trace": request.model, "x-size": str(len(request.body)), "AUTHORIZATION": "Bearer mine"}
"""
    write_code(plugin_home(home), code)
    with serve(json_reply(whole())) as server:
        reply = ask(box(server.url, "mine"))
    sent = server.journal[0]

    assert sent.headers["x-trace"] == "box/m"
    assert sent.headers["x-size"] == str(len(sent.body))
    assert sent.headers["authorization"] == "Bearer sk-box-0123456789"
    assert reply.warnings == ()


@pytest.mark.parametrize("value", ["1 / 0", "{'a\\r\\nb': 'c'}", "{'x-a': 'b\\r\\nc'}", "{'x-a': 1}", "7"])
def test_a_failing_hook_costs_a_warning_and_no_answer(home: Path, value: str) -> None:
    write_code(plugin_home(home), f"def headers(request): return {value}")
    with serve(json_reply(whole())) as server:
        reply = ask(box(server.url, "mine"))

    assert reply.text == "Hi there"
    assert [each.startswith("plugin 'mine' is left out: ") for each in reply.warnings] == [True]


def test_every_try_is_told_well_or_not(home: Path) -> None:
    log = home / "log"
    code = f"""
def on_attempt(attempt):
    with open({str(log)!r}, "a") as file:
        file.write(f"{{attempt.model}} {{attempt.reason}}\\n")
"""
    write_code(plugin_home(home), code)
    with serve(text_reply("slow down", 429), json_reply(whole())) as server:
        ask(box(server.url, "mine"))
    assert log.read_text(encoding="utf-8") == "box/m rate_limit\nbox/m None\n"


def test_a_plugin_signs_in_in_its_own_way(home: Path) -> None:
    code = """
from jackfield.credential import Profile, Secret
class Login:
    def sign_in(self, provider, talk):
        return Profile(id=f"{provider}:default", provider=provider, type="token", secret=Secret(talk.ask_secret("?")))
sign_in = Login().sign_in
"""
    write_code(plugin_home(home), code)
    made = load("mine").sign_in("mine", "acme", Silent())

    assert made == Profile(id="acme:default", provider="acme", type="token", secret=Secret("answer"))


@pytest.mark.parametrize(
    "code", ["", "def sign_in(provider, talk): 1 / 0", "def sign_in(provider, talk): return 'key'"]
)
def test_a_login_that_is_none_is_one_clear_error(home: Path, code: str) -> None:
    write_code(plugin_home(home), code)
    with pytest.raises(AuthError, match="acme"):
        load("mine").sign_in("mine", "acme", Silent())


def test_there_are_at_most_six_hooks_and_all_are_told_of() -> None:
    hooks = [name for name in vars(Plugin) if not name.startswith("_")]
    page = (Path(__file__).parents[2] / "docs" / "plugins.md").read_text(encoding="utf-8")

    assert len(hooks) <= 6
    assert [name for name in hooks if f"| `{name}(" not in page] == []


def test_a_list_of_models_gets_the_headers_too(home: Path) -> None:
    write_code(plugin_home(home), "def headers(request): return {'x-trace': request.model, 'x-way': request.method}")
    with serve(json_reply({"data": [{"id": "m"}]})) as server:
        config = load_default(box(server.url, "mine"))
        plugins = Plugins(config)
        catalog = Catalog(config, plugins.providers)

        async def refresh() -> None:
            async with Transport(environ={}) as sender:
                await refresh_listings(plugins.over(sender), config, catalog, open_store(config), ["box"])

        asyncio.run(refresh())
    assert [(each.headers["x-trace"], each.headers["x-way"]) for each in server.journal] == [("box", "GET")]


def test_without_such_a_plugin_the_way_is_as_it_was(home: Path) -> None:
    sender = Transport(environ={})
    assert Plugins(load_default({})).over(sender) is sender


async def test_vectors_get_the_headers_too(home: Path) -> None:
    write_code(plugin_home(home), "def headers(request): return {'x-trace': request.model}")
    vectors = json_reply({"data": [{"index": 0, "embedding": [0.5]}], "model": "m"})
    with serve(vectors) as server:
        async with AsyncClient(box(server.url, "mine")) as client:
            await client.embed(EmbedRequest(model="box/m", inputs=["Hi"]))
    assert [each.headers["x-trace"] for each in server.journal] == ["box/m"]
