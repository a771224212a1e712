"""What an import adds: never over what is there, never a key to another server."""

from __future__ import annotations

from typing import Any

from jackfield.config.save import Append, Set
from jackfield.credential import Profile, Secret
from jackfield.imports.found import Credential, Imported
from jackfield.imports.plan import Plan, Wishes, drop_path, plan_import
from tests.imports.trees import KNOWN


def key(id_: str, text: str, kind: Any = "api_key") -> Credential:
    return Credential(Profile(id=id_, provider=id_.partition(":")[0], type=kind, secret=Secret(text)), "f:1")


FOUND = Imported(
    tool="t",
    providers={"box": {"baseUrl": "http://a/v1", "models": [{"id": "m"}]}},
    primary="box/m",
    aliases={"b": "box/m", "g": "groq/x", "a/b": "groq/x", "Kimi K2": "groq/k"},
    routes={"r": {"primary": "box/m"}},
    order={"groq": ("groq:t", "groq:gone"), "venice": ("venice:gone",)},
    credentials=(key("box:t", "one"), key("groq:t", "two"), key("qwen-portal:t", "three", "oauth")),
)


def plan(raw: dict[str, Any], *stored: Profile, **wishes: bool) -> Plan:
    return plan_import(FOUND, raw, stored, KNOWN, Wishes(**wishes))


def test_into_an_empty_config_everything_asked_for_goes() -> None:
    made = plan({})
    assert made.edits == (
        Set(("models", "providers", "box"), FOUND.providers["box"]),
        Set(("agents", "defaults", "model", "primary"), "box/m"),
        Set(("models", "aliases", "b"), "box/m"),
        Set(("models", "aliases", "g"), "groq/x"),
        Set(("models", "aliases", "Kimi K2"), "groq/k"),
        Set(("models", "routes", "r"), {"primary": "box/m"}),
        Set(("auth", "order", "groq"), ["groq:t"]),
    )
    assert [each.profile.id for each in made.credentials] == ["box:t", "groq:t"]
    assert made.kept == ("alias a/b: a name with a slash or an @ means something else here",)


def test_neither_keys_nor_names_go_to_another_server_of_that_name() -> None:
    made = plan({"models": {"providers": {"Box": {"baseUrl": "http://b/v1"}}}}, set_default=True)
    assert [edit.path for edit in made.edits] == [
        ("models", "aliases", "g"),
        ("models", "aliases", "Kimi K2"),
        ("auth", "order", "groq"),
    ]
    assert [each.profile.id for each in made.credentials] == ["groq:t"]
    assert made.kept[0] == "models.providers.box: it stands at another address"


def test_a_server_that_is_there_gets_the_rows_it_lacks() -> None:
    made = plan({"models": {"providers": {"box": {"baseUrl": "http://a/v1/", "models": [{"id": "old"}]}}}})
    assert made.edits[0] == Append(("models", "providers", "box", "models"), {"id": "m"})


def test_the_same_key_under_another_name_is_nothing_new() -> None:
    stored = Profile(id="groq:mine", provider="groq", type="api_key", secret=Secret("two"))
    assert [each.profile.id for each in plan({}, stored).credentials] == ["box:t"]


def test_an_order_of_the_users_is_lengthened_at_its_end() -> None:
    made = plan({"auth": {"order": {"groq": ["groq:mine"]}}}, models=False)
    assert made.edits == (Set(("auth", "order", "groq"), ["groq:mine", "groq:t"]),)


def test_a_login_brings_its_plugin_unless_that_was_disabled() -> None:
    enabled = Set(("plugins", "entries", "qwen-portal-auth", "enabled"), True)
    assert enabled in plan({}, logins=True).edits
    refused = plan({"plugins": {"entries": {"qwen-portal-auth": {"enabled": False}}}}, logins=True)
    assert enabled not in refused.edits
    assert "plugin qwen-portal-auth" in refused.kept[-1]


def test_a_fault_is_taken_out_of_an_edit_and_the_rest_stays() -> None:
    edits = (Set(("a", "b"), {"c": [{"d": 1, "e": 2}, {"f": 3}]}), Append(("x",), {"y": 1}))
    assert drop_path(edits, ("a", "b", "c", 0, "d"))[0] == Set(("a", "b"), {"c": [{"e": 2}, {"f": 3}]})
    assert drop_path(edits, ("a", "b", "c", 0))[0] == Set(("a", "b"), {"c": [{"f": 3}]})
    assert drop_path(edits, ("a", "b")) == edits[1:]
    assert drop_path(edits, ("x", 0, "y")) == edits[:1]
    assert drop_path(edits, ("z",)) == edits
