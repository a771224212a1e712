"""The config as a text: edited without its secrets, checked, saved, put together, taken back."""

from __future__ import annotations

import json
import random
import stat
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from jackfield.config.json5 import parse
from jackfield.config.lex import find_comments
from tests.admin.setting import CONFIG, KEY, OLD, SECRETS, TEAM, TOKEN, change, config, hash_now, path, refuse
from tests.commands import run, write_config
from tests.gateway.command import Process, gateway_process

PLACES = (
    "config",
    "config/text",
    "config/history",
    "config/change?number=1",
    "models",
    "models?all=1",
    "status",
    "health",
    "keys",
)


@pytest.fixture
def process(home) -> Iterator[Process]:
    write_config(config())
    with gateway_process() as found:
        yield found


def shown(process: Process, name: str = "jackfield.json") -> str:
    said = process.admin("config/text")[1]
    text: str = next(file["text"] for file in said["files"] if file["name"] == name)
    return text


def files(text: str, name: str = "jackfield.json") -> Any:
    return {"files": [{"path": str(path().with_name(name)), "text": text}]}


def check(process: Process, text: str) -> Any:
    status, said = process.admin("config/check", files(text))
    assert status == 200
    assert not any(secret in json.dumps(said) for secret in SECRETS)
    return said


def test_no_answer_holds_a_secret_of_the_config(process: Process) -> None:
    write_config(config(text=CONFIG.replace('tiny", status', 'wee", status')))
    answers = [change(process, "models/default", {"ref": "box/house-8b"})]
    answers += [change(process, "config/text", files(shown(process).replace("// never show it", "// never")))]
    answers += [change(process, "config/text", files(shown(process).replace("  env:", "  // env:")))]
    answers += [change(process, "config/undo", {"number": 2})]
    answers += [process.admin(place)[1] for place in PLACES]
    answers += [process.admin("config/check", files(shown(process).replace("house-70b", "h")))[1]]
    answers += [process.admin("models/details", {"refs": ["box/house-70b"]})[1]]
    answers += [refuse(process, "models/default", {"ref": "home"}, if_match="other")]
    both = {"path": str(path()), "base": "{}", "mine": shown(process)}
    answers += [process.admin("config/merge", both)[1]]
    for text in (path().read_text("utf-8").replace("models: {", "models: ", 1), '{ a: "' + KEY, f"/* {TOKEN}"):
        path().write_text(text, encoding="utf-8")
        process.admin("reload", {})
        answers += [process.admin(place)[1] for place in PLACES]
        answers += [refuse(process, "models/default", {"ref": "home"}, if_match="other")]
    heard = json.dumps(answers)
    assert len(heard) > 5000
    assert [secret for secret in SECRETS if secret in heard] == []


def test_an_untouched_text_saves_to_the_very_same_bytes(process: Process) -> None:
    before = path().read_bytes()
    said = change(process, "config/text", files(shown(process)))
    assert (said["changed"], said["diff"], path().read_bytes()) == (False, "", before)


def test_a_saved_text_has_its_keys_in_place(process: Process) -> None:
    said = change(
        process, "config/text", files(shown(process).replace("contextWindow: 131072", "contextWindow: 65536"))
    )
    assert said["changed"]
    assert path().read_text("utf-8") == config().replace("contextWindow: 131072", "contextWindow: 65536")
    assert '+          { id: "house-70b"' in said["diff"]
    row = process.admin("models")[1]["rows"][0]
    assert row[2] == 65536


# -- what is wrong -----------------------------------------------------------------


def test_faults_are_told_at_the_lines_of_the_editor(process: Process) -> None:
    text = shown(process)
    found = check(process, text.replace("contextWindow: 131072", 'contextWindow: "many"'))["issues"]
    assert [each["path"] for each in found] == ["models.providers.box.models[0].contextWindow"]
    spot = text.splitlines()[found[0]["line"] - 1]
    assert "contextWindow" in spot
    found = check(process, text.replace("aliases: {", "aliases: "))["issues"]
    assert "expected" in found[0]["message"]
    assert "aliases" in text.splitlines()[found[0]["line"] - 1]
    found = check(process, text.replace("models: {\n", "models: { providrs: {},\n", 1))["issues"]
    assert 'did you mean "providers"' in found[0]["message"]
    unknown = text.replace("      /* ours */", '      nowhere: { apiKey: "${K}" },')
    assert 'no provider "nowhere" is known' in check(process, unknown)["issues"][0]["message"]


def test_a_column_after_a_key_on_its_line_is_that_of_the_editor(process: Process) -> None:
    write_config(config().replace("// never show it", 'auth: "token", // never show it'))
    wrong = shown(process).replace('auth: "token"', 'auth: "none"')
    found = check(process, wrong)["issues"][0]
    assert wrong.splitlines()[found["line"] - 1][found["column"] - 1 :].startswith('"none"')


def test_a_text_that_cannot_be_loaded_is_not_saved(process: Process) -> None:
    for broken in ("{", shown(process).replace("131072", '"many"'), '{ models: { mode: "x" } }'):
        error = refuse(process, "config/text", files(broken))
        assert error["status"] == 400
        assert error["issues"][0]["line"] > 0
    assert process.admin("status")[1]["configTrouble"] == ""


def test_warnings_name_their_lines(process: Process) -> None:
    text = shown(process)
    said = check(process, text.replace('id: "tiny"', 'id: "tiny", name: "${NOBODY_SET_IT}"'))
    found = next(each for each in said["warnings"] if "NOBODY_SET_IT" in each["message"])
    assert "tiny" in text.splitlines()[found["line"] - 1]


# -- keys --------------------------------------------------------------------------


def word_of(text: str, line: str) -> str:
    found = next(each for each in text.splitlines() if line in each)
    return found[found.index("••••") : found.index('"', found.index("••••"))]


def test_a_kept_key_is_good_at_its_own_place_alone(process: Process) -> None:
    text = shown(process)
    word = word_of(text, "  apiKey")
    thief = f'      thief: {{ baseUrl: "https://evil.example/v1", apiKey: "{word}" }},\n      /* ours */'
    moved = text.replace("      /* ours */", thief)
    found = check(process, moved)["issues"]
    assert [(each["line"], "type the key anew" in each["message"]) for each in found] == [(15, True)]
    assert "models.providers.box.apiKey" in found[0]["message"]
    assert "type the key anew" in refuse(process, "config/text", files(moved))["message"]
    for place in ('"X-Other": ', "name: ", "baseUrl: "):
        error = refuse(process, "config/text", files(text.replace('"X-Team": ', f'{place}"{word}", "X-Team": ')))
        assert "type the key anew" in error["message"]
    renamed = text.replace("      box: {", "      other: {")
    assert "type the key anew" in refuse(process, "config/text", files(renamed))["message"]


def test_a_kept_key_does_not_travel_to_another_host(process: Process) -> None:
    text = shown(process)
    for url in ("https://evil.example/v1", "http://127.0.0.1:2/v1", "${EVIL}"):
        for moved in (
            text.replace("http://127.0.0.1:1/v1", url),
            text.replace("baseUrl", f'endpoint: "{url}", baseUrl'),
        ):
            error = refuse(process, "config/text", files(moved))
            assert "this key is kept for another host" in error["message"], url
    row = text.replace('{ id: "tiny"', '{ id: "tiny", baseUrl: "https://evil.example/v1"')
    assert "another host" in refuse(process, "config/text", files(row))["message"]
    change(process, "config/text", files(text.replace("127.0.0.1:1/v1", "127.0.0.1:1/v2")))
    anew = shown(process).replace("http://127.0.0.1:1/v2", "https://new.example/v1")
    for line, key in (("  apiKey", "sk-new-key-0123456789"), ("X-Team", "red-new-team")):
        anew = anew.replace(word_of(anew, line), key)
    change(process, "config/text", files(anew))
    assert "sk-new-key-0123456789" in path().read_text("utf-8")
    assert KEY not in path().read_text("utf-8")


def test_half_a_word_and_a_word_of_nothing_are_no_keys(process: Process) -> None:
    text = shown(process)
    word = word_of(text, "  apiKey")
    for wrong in (word[:-1], f"Bearer {word}", "••••", "••••beef kept #00000000"):
        error = refuse(process, "config/text", files(text.replace(f'  apiKey: "{word}"', f'  apiKey: "{wrong}"')))
        assert "type the key anew" in error["message"]


def test_a_key_that_is_typed_is_saved_with_a_better_way_named(process: Process) -> None:
    text = shown(process)
    typed = text.replace(word_of(text, "  apiKey"), "sk-typed-0123456789")
    warnings = [each["message"] for each in check(process, typed)["warnings"]]
    assert any("better: add it to box under Providers" in each for each in warnings)
    diff = check(process, typed)["diff"]
    assert "sk-typed" not in diff
    assert "apiKey" in diff
    change(process, "config/text", files(typed))
    assert "sk-typed-0123456789" not in json.dumps(process.admin("config/text")[1])
    assert not any("sk-typed" in json.dumps(process.admin(place)[1]) for place in PLACES)


def test_a_key_that_is_commented_out_stays_in_the_file_and_out_of_sight(process: Process) -> None:
    change(process, "config/text", files(shown(process).replace("  apiKey:", '  apiKey: "${BOX_KEY}", // apiKey:')))
    assert f'// apiKey: "{KEY}"' in path().read_text("utf-8")
    assert KEY not in shown(process)
    prose = shown(process)
    word = word_of(prose, "BOX_KEY")
    change(process, "config/text", files(prose.replace("// for Ann", f"// for Ann, {word}")))
    assert not any(secret in shown(process) for secret in SECRETS)


def test_a_broken_file_is_shown_without_keys_and_can_be_mended_here(process: Process) -> None:
    broken = config().replace("aliases: {", "aliases: ")
    path().write_text(broken, encoding="utf-8")
    process.admin("reload", {})
    said = process.admin("config/text")[1]
    assert said["issues"][0]["line"] == broken[: broken.index("aliases")].count("\n") + 1
    text = said["files"][0]["text"]
    assert [secret for secret in SECRETS if secret in text] == []
    change(process, "config/text", files(text.replace("aliases: ", "aliases: {")))
    assert path().read_text("utf-8") == config()
    assert process.admin("status")[1]["configTrouble"] == ""


# -- several files -----------------------------------------------------------------


def test_included_files_are_edited_each_for_itself(home) -> None:
    write_config('{ models: { $include: "./models.json5" }, env: { $include: "./vars.json5" } }')
    path().with_name("vars.json5").write_text('{ NAME: "' + TOKEN + '" }', encoding="utf-8")
    provider = {
        "box": {"baseUrl": "http://127.0.0.1:1", "apiKey": KEY, "headers": {"X-Any": OLD}, "models": [{"id": "m"}]}
    }
    path().with_name("models.json5").write_text(json.dumps({"providers": provider}), encoding="utf-8")
    with gateway_process() as process:
        said = process.admin("config/text")[1]
        assert [file["name"] for file in said["files"]] == ["jackfield.json", "models.json5", "vars.json5"]
        assert [secret for secret in SECRETS if secret in json.dumps(said)] == []
        text = shown(process, "models.json5")
        change(process, "config/text", files(text.replace('"m"', '"n"'), "models.json5"))
        assert KEY in path().with_name("models.json5").read_text("utf-8")
        assert process.admin("models")[1]["rows"][0][0] == "box/n"
        moved = shown(process, "vars.json5").replace("NAME", "OTHER")
        assert "vars.json5" in refuse(process, "config/text", files(moved, "vars.json5"))["message"]
        outside = refuse(process, "config/text", {"files": [{"path": "/etc/passwd", "text": "{}"}]})
        assert "no file of the config" in outside["message"]
        swapped = text.replace("127.0.0.1:1", "evil.example")
        assert "another host" in refuse(process, "config/text", files(swapped, "models.json5"))["message"]


def test_a_file_that_is_included_no_more_is_shown_without_a_word_of_it(home) -> None:
    write_config('{ env: { $include: "./vars.json5" } }')
    path().with_name("vars.json5").write_text('{ NAME: "' + TOKEN + '" }', encoding="utf-8")
    assert run("config", "set", "env.OTHER", TEAM).code == 0
    write_config("{}")
    with gateway_process() as process:
        told = json.dumps(process.admin("config/change?number=1")[1])
        assert "NAME" in told
        assert [secret for secret in SECRETS if secret in told] == []


def test_a_stored_key_that_would_follow_an_address_is_told_before(process: Process) -> None:
    stored = {"provider": "box", "key": "sk-stored-0123456789"}
    assert process.admin("providers/key", stored)[0] == 200
    text = shown(process)
    assert not [each for each in check(process, text)["warnings"] if "box:default" in each["message"]]
    assert check(process, text.replace(":1/v1", ":1/v2"))["warnings"] == check(process, text)["warnings"]
    for moved in (
        text.replace(":1/v1", ":2/v1"),
        text.replace("baseUrl", 'endpoint: "https://evil.example/v1", baseUrl'),
    ):
        [said] = [each for each in check(process, moved)["warnings"] if "box:default" in each["message"]]
        assert "127.0.0.1:1, and will be sent to" in said["message"]
        assert moved.splitlines()[said["line"] - 1].count("://") >= 1


def test_files_of_credentials_are_no_files_of_the_config(process: Process) -> None:
    change(process, "models/default", {"ref": "box/house-8b"})
    path().with_name("auth-profiles.json").write_text('{ "access": "' + OLD + '" }', encoding="utf-8")
    kept = next(path().with_name("config-history").iterdir())
    for name in ("auth-profiles.json", f"config-history/{kept.name}"):
        text = shown(process).replace("// whose this is: nobody's\n{", '{ "$include": "./' + name + '",')
        assert "holds credentials" in refuse(process, "config/text", files(text))["message"]


def test_a_config_does_not_say_itself_where_its_files_may_lie(process: Process, tmp_path) -> None:
    outside = tmp_path / "outside.json5"
    outside.write_text("{}", encoding="utf-8")
    roots = shown(process).replace("env: {", f'env: {{ OPENCLAW_INCLUDE_ROOTS: "{tmp_path}", ')
    change(process, "config/text", files(roots))
    text = shown(process).replace("// whose this is: nobody's\n{", f'{{ "$include": "{outside}",')
    assert "lies outside" in refuse(process, "config/text", files(text))["message"]


def test_a_key_in_a_comment_of_a_former_text_is_hidden_too(process: Process) -> None:
    write_config(config(text=CONFIG.replace("// never show it", f"// as {TEAM} has it")))
    text = shown(process)
    assert TEAM not in text
    said = check(process, text)
    assert said["diff"] == ""
    change(process, "config/text", files(text.replace("// whose this is", "// whose that is")))
    assert f"// as {TEAM} has it" in path().read_text("utf-8")
    gone = shown(process)
    start = gone.index("// as ")
    change(process, "config/text", files(gone[:start] + gone[gone.index("\n", start) :]))
    number = process.admin("config/history")[1]["changes"][0]["number"]
    told = process.admin(f"config/change?number={number}")[1]
    assert "// as ••••" in told["undo"]
    assert TEAM not in json.dumps(told)


# -- two at once -------------------------------------------------------------------


def test_the_second_of_two_is_told_and_can_put_theirs_on_top(process: Process) -> None:
    seen, mine = hash_now(process), shown(process)
    theirs = mine.replace("for Ann", "for Ann and Bob").replace("reasoning: true", "reasoning: false")
    change(process, "config/text", files(theirs))
    own = mine.replace("for Ann", "for Cid").replace("House 70B", "Big House")
    error = refuse(process, "config/text", files(own), if_match=seen)
    assert (error["status"], error["hash"]) == (409, hash_now(process))
    assert '+    aliases: { home: "box/house-8b" }, // for Ann and Bob' in error["diff"]
    merged = process.admin("config/merge", {"path": str(path()), "base": mine, "mine": own})[1]
    assert len(merged["overlaps"]) == 1
    assert "// for Cid" in merged["text"]
    assert "Big House" in merged["text"]
    assert "reasoning: false" in merged["text"]
    change(process, "config/text", files(merged["text"]), if_match=merged["hash"])
    assert "for Ann and Bob" in next((path().parent / "config-history").glob("000002-*")).read_text("utf-8")


def test_an_editor_that_saves_in_between_is_not_overwritten(process: Process) -> None:
    seen, mine = hash_now(process), shown(process)
    path().write_text(config().replace("nobody's", "somebody's"), encoding="utf-8")
    error = refuse(process, "config/text", files(mine.replace("tiny", "wee")), if_match=seen)
    assert "+// whose this is: somebody's" in error["diff"]


# -- what it was -------------------------------------------------------------------


def test_a_stored_key_that_would_follow_an_undone_address_is_told_before_and_after(process: Process) -> None:
    assert run("config", "set", "models.providers.box.baseUrl", "http://127.0.0.1:2/v1").code == 0
    process.wait_for(lambda: process.admin("providers")[1], "127.0.0.1:2")
    assert process.admin("providers/key", {"provider": "box", "key": "sk-stored-0123456789"})[0] == 200
    [warning] = process.admin("config/change?number=1")[1]["warnings"]
    assert "what is stored as box:default is for 127.0.0.1:2, and will be sent to 127.0.0.1:1" in warning
    dry = run("config", "undo", "1", "--dry-run")
    assert warning in dry.err
    assert run("config", "undo", "1", "--dry-run", "--json").json()["warnings"][-1] == warning
    assert warning in change(process, "config/undo", {"number": 1})["warnings"]
    assert process.admin("config/change?number=2")[1]["warnings"] != [], "and back again"
    change(process, "models/default", {"ref": "box/tiny"})
    assert process.admin("config/change?number=3")[1]["warnings"] == []


def test_changes_are_listed_by_author_and_undone(process: Process) -> None:
    change(process, "models/default", {"ref": "box/tiny"})
    assert run("models", "aliases", "add", "wee", "box/tiny").code == 0
    process.wait_for(lambda: process.admin("models")[1]["aliases"], "wee")
    listed = process.admin("config/history")[1]["changes"]
    assert [(each["number"], each["by"], each["keys"]) for each in listed] == [
        (2, "jackfield models aliases add", ["models.aliases.wee"]),
        (1, "page", ["agents.defaults.model.primary"]),
    ]
    one = process.admin("config/change?number=1")[1]
    assert '-      model: { primary: "box/tiny"' in one["undo"]
    assert not any(secret in json.dumps(one) for secret in SECRETS)
    change(process, "config/undo", {"number": 1})
    assert path().read_text("utf-8") == config()
    change(process, "config/undo", {"number": 3})
    assert "wee" in path().read_text("utf-8")
    assert refuse(process, "config/undo", {"number": 99})["message"] == "change 99 is not kept"
    assert refuse(process, "config/undo", {"number": 1}, if_match="old")["status"] == 409


def test_what_is_kept_is_for_its_owner_alone(process: Process) -> None:
    change(process, "models/default", {"ref": "box/tiny"})
    folder = path().parent / "config-history"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}


# -- comments ----------------------------------------------------------------------

REFS = ("box/house-70b", "box/house-8b", "box/tiny", "openai/gpt-5.2", "venice/llama-3.3-70b")


def make_change(chance: random.Random) -> tuple[str, dict[str, Any]]:
    """Return any change of the models that a page may ask for, sensible or not."""
    ref, alias = chance.choice(REFS), chance.choice(("home", "big", "wee"))
    some = [
        ("models/default", {"ref": ref, "kind": chance.choice(("text", "image"))}),
        ("models/fallbacks", {"do": chance.choice(("add", "remove")), "ref": ref}),
        ("models/fallbacks", {"do": "order", "refs": chance.sample(REFS, 2)}),
        ("models/fallbacks", {"do": "clear"}),
        ("models/aliases", {"do": chance.choice(("add", "remove")), "alias": alias, "ref": ref}),
        ("models/allow", {"do": chance.choice(("on", "off", "add", "remove")), "ref": ref}),
        ("config/undo", {"number": chance.randint(1, 12)}),
    ]
    where, body = chance.choice(some)
    if where == "models/fallbacks" and body["do"] == "order":
        listed = (parse(path().read_text("utf-8")).plain()["agents"]["defaults"]["model"] or {}).get("fallbacks", [])
        body["refs"] = chance.sample(listed, len(listed))
    return where, body


@pytest.mark.parametrize("seed", range(3))
def test_no_change_of_the_page_loses_a_comment(process: Process, seed: int) -> None:
    chance = random.Random(seed)
    wanted, taken = Counter(find_comments(config())), 0
    for _ in range(40):
        where, body = make_change(chance)
        status, said = process.admin(where, body, if_match=hash_now(process))
        assert status in {200, 400}, said
        taken += status == 200 and said["changed"]
        lost = wanted - Counter(find_comments(path().read_text("utf-8")))
        assert not lost, (where, body)
    assert taken > 10
