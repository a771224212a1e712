"""The config as a text: written, checked, saved, put together with another's, taken back, mended."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.admin.setting import KEY, SECRETS, change, config, hash_now, path
from tests.commands import run, write_config
from tests.gateway.command import Process, gateway_process
from tests.page.conftest import PageOf


@pytest.fixture
def process(home) -> Iterator[Process]:
    write_config(config())
    with gateway_process() as found:
        yield found


def editor(page: Page, name: str = "jackfield.json") -> Locator:
    found = page.get_by_label(f"Text of {name}")
    expect(found).to_have_value(re.compile(r"\w"))
    return found


def write(page: Page, old: str, new: str) -> None:
    """Put something in the place of something else in the editor."""
    field = editor(page)
    text = field.input_value()
    assert old in text
    field.fill(text.replace(old, new))


def save(page: Page) -> None:
    page.get_by_role("button", name="Review and save").click()
    page.get_by_role("dialog", name="Save these changes?").get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved. New requests use it.")).to_be_visible()


def test_a_change_is_reviewed_saved_and_used_and_no_key_reaches_the_browser(process: Process, page_of: PageOf) -> None:
    page = page_of(process)
    heard: list[str] = []
    page.on("response", lambda reply: heard.append(reply.text() if "/admin/api/" in reply.url else ""))
    page.goto(page.url.partition("#")[0] + "#/config")
    write(page, "131072", "65536")
    expect(page.get_by_text("Changed, not saved: jackfield.json")).to_be_visible()
    page.get_by_role("button", name="Review and save").click()
    dialog = page.get_by_role("dialog", name="Save these changes?")
    expect(dialog.get_by_label("What changes")).to_contain_text('+          { id: "house-70b"')
    dialog.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved. New requests use it.")).to_be_visible()
    assert path().read_text("utf-8") == config().replace("131072", "65536")
    expect(page.get_by_text("Not changed")).to_be_visible()
    assert process.admin("models")[1]["rows"][0][2] == 65536
    assert len("".join(heard)) > 2000
    assert [secret for secret in SECRETS if secret in "".join(heard) + page.content()] == []


def test_faults_are_told_while_one_types_and_lead_to_their_lines(process: Process, page_of: PageOf) -> None:
    page = page_of(process, "config")
    write(page, "reasoning: true", "reasoning: 7")
    fault = page.get_by_role("listitem").filter(has_text="reasoning")
    expect(fault).to_contain_text("expected true or false")
    expect(editor(page)).to_have_attribute("aria-invalid", "true")
    expect(page.locator(".editor-mark.bad")).to_have_count(1)
    fault.get_by_role("button", name="Line 23").press("Enter")
    expect(editor(page)).to_be_focused()
    spot = editor(page).evaluate("field => field.value.slice(field.selectionStart, field.selectionEnd)")
    assert spot.startswith("7 }")
    page.get_by_role("button", name="Review and save").click()
    expect(page.get_by_text("Not saved: expected true or false")).to_be_visible()
    write(page, "reasoning: 7", "reasoning: {")
    expect(page.get_by_text("1 problem", exact=True)).to_be_visible()
    write(page, "reasoning: {", "reasoning: false")
    expect(page.get_by_text("Nothing is wrong with it.")).to_be_visible()
    assert path().read_text("utf-8") == config()


def test_tab_indents_and_escape_lets_go(process: Process, page_of: PageOf) -> None:
    page = page_of(process, "config")
    field = editor(page)
    field.focus()
    page.keyboard.press("Control+Home")
    page.keyboard.press("Tab")
    expect(field).to_be_focused()
    assert field.input_value().startswith("  // whose")
    page.keyboard.press("Control+z")
    assert field.input_value().startswith("// whose")
    page.keyboard.press("Escape")
    expect(page.get_by_text("Tab leaves the editor now.")).to_be_visible()
    page.keyboard.press("Tab")
    expect(field).not_to_be_focused()
    field.focus()
    page.keyboard.press("Shift+Tab")
    expect(field).not_to_be_focused()


def test_a_key_is_kept_replaced_and_never_moved(process: Process, page_of: PageOf) -> None:
    page = page_of(process, "config")
    word = re.search(r'apiKey: "(••••[^"]+)"', editor(page).input_value())
    assert word
    write(page, "      /* ours */", f'      thief: {{ baseUrl: "https://evil.example", apiKey: "{word[1]}" }},')
    expect(page.get_by_text("is good nowhere else: type the key anew")).to_be_visible()
    write(page, "thief", "second")
    write(page, "https://evil.example", "http://127.0.0.1:9")
    expect(page.get_by_text("is good nowhere else: type the key anew")).to_be_visible()
    page.get_by_role("button", name="Discard changes").click()
    page.get_by_role("dialog").get_by_role("button", name="Discard").click()
    write(page, word[1], "sk-typed-in-0123456789")
    expect(page.get_by_text("better: add it to box under Providers")).to_be_visible()
    save(page)
    assert path().read_text("utf-8") == config().replace(KEY, "sk-typed-in-0123456789")
    expect(editor(page)).not_to_have_value(re.compile("sk-typed"))


def test_what_is_written_survives_a_look_at_another_view(process: Process, page_of: PageOf) -> None:
    page = page_of(process, "config")
    write(page, "House 70B", "Big House")
    page.get_by_role("link", name="Models").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Models")
    page.get_by_role("link", name="Config").click()
    expect(editor(page)).to_have_value(re.compile("Big House"))
    page.on("dialog", lambda dialog: dialog.dismiss())
    with page.expect_event("dialog") as asked:
        page.evaluate("setTimeout(() => location.reload())")
    assert asked.value.type == "beforeunload"
    expect(editor(page)).to_have_value(re.compile("Big House"))


def test_history_shows_who_did_what_and_takes_it_back(process: Process, page_of: PageOf) -> None:
    page = page_of(process, "config")
    write(page, "for Ann", "for Bob")
    save(page)
    assert run("models", "set", "box/tiny").code == 0
    changes = page.get_by_role("list", name="Changes").locator("li")
    expect(changes).to_have_count(2)
    expect(changes.nth(0)).to_contain_text("jackfield models set agents.defaults.model.primary")
    expect(changes.nth(1)).to_contain_text("This page the text")
    page.get_by_role("button", name="Undo change 1").click()
    dialog = page.get_by_role("dialog", name="Undo change 1")
    expect(dialog.get_by_label("What undoing changes")).to_contain_text('-      model: { primary: "box/tiny"')
    dialog.get_by_role("button", name="Undo", exact=True).click()
    expect(page.get_by_text("The config is what it was before change 1.")).to_be_visible()
    assert path().read_text("utf-8") == config()
    expect(changes).to_have_count(3)
    expect(editor(page)).to_have_value(re.compile("for Ann"))


def test_two_write_at_once_and_nothing_is_lost(process: Process, page_of: PageOf) -> None:
    one = page_of(process, "config")
    two = page_of(process, "config", forgive="status of 409")
    write(two, "House 70B", "Big House")
    write(one, "for Ann", "for Bob")
    save(one)
    expect(two.get_by_text("The config was changed elsewhere while you were writing.")).to_be_visible()
    expect(editor(two)).to_have_value(re.compile("Big House"))
    two.get_by_role("button", name="See what changed").click()
    dialog = two.get_by_role("dialog", name="The config was changed elsewhere")
    expect(dialog.get_by_label("What was changed elsewhere")).to_contain_text("// for Bob")
    dialog.get_by_role("button", name="Put mine on top").click()
    expect(editor(two)).to_have_value(re.compile("Big House"))
    save(two)
    assert path().read_text("utf-8") == config().replace("for Ann", "for Bob").replace("House 70B", "Big House")


def test_who_saves_second_is_told_by_the_gateway_and_may_take_theirs(process: Process, page_of: PageOf) -> None:
    page = page_of(process, "config", forgive="status of 409")
    write(page, "House 70B", "Big House")
    page.get_by_role("button", name="Review and save").click()
    dialog = page.get_by_role("dialog", name="Save these changes?")
    expect(dialog).to_be_visible()
    change(process, "models/default", {"ref": "box/tiny"}, hash_now(process))
    dialog.get_by_role("button", name="Save", exact=True).click()
    torn = page.get_by_role("dialog", name="The config was changed elsewhere")
    expect(torn.get_by_label("What was changed elsewhere")).to_contain_text('+      model: { primary: "box/tiny"')
    torn.get_by_role("button", name="Decide later").click()
    expect(editor(page)).to_have_value(re.compile("Big House"))
    page.get_by_role("button", name="See what changed").click()
    torn.get_by_role("button", name="Take theirs").click()
    expect(editor(page)).to_have_value(re.compile('primary: "box/tiny"'))
    expect(editor(page)).not_to_have_value(re.compile("Big House"))
    assert "House 70B" in path().read_text("utf-8")


def test_a_file_that_breaks_while_the_page_is_open_is_mended_on_it(process: Process, page_of: PageOf) -> None:
    page = page_of(process, "models", forgive="status of 400")
    path().write_text(config().replace("aliases: {", "aliases: "), encoding="utf-8")
    expect(page.get_by_role("alert").filter(has_text="The config on disk cannot be used")).to_be_visible()
    page.get_by_role("link", name="Mend it").click()
    expect(page.get_by_text("1 problem", exact=True)).to_be_visible()
    assert [secret for secret in SECRETS if secret in editor(page).input_value()] == []
    assert process.ask("default")["error"]["message"]  # the gateway goes on with what it had
    write(page, "aliases: ", "aliases: {")
    expect(page.get_by_text("Nothing is wrong with it.")).to_be_visible()
    save(page)
    assert path().read_text("utf-8") == config()
    expect(page.get_by_text("The config on disk cannot be used")).to_be_hidden()


def test_included_files_have_a_tab_each(home, page_of: PageOf) -> None:
    write_config('{ $include: "./models.json5" }')
    path().with_name("models.json5").write_text('{ models: { mode: "merge" } }', encoding="utf-8")
    with gateway_process() as process:
        page = page_of(process, "config")
        page.get_by_role("tab", name="models.json5").click()
        field = editor(page, "models.json5")
        field.fill('{ models: { mode: "x" } }')
        page.get_by_role("tab", name="jackfield.json").click()
        page.get_by_role("button", name="Line 1, column 19").click()
        expect(page.get_by_role("tab", name="models.json5")).to_have_attribute("aria-selected", "true")
        field.fill('{ models: { mode: "replace" } }')
        expect(page.get_by_text("Nothing is wrong with it.")).to_be_visible()
        save(page)
        assert path().with_name("models.json5").read_text("utf-8") == '{ models: { mode: "replace" } }'


@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (360, "dark")])
def test_it_can_be_used_by_everybody(
    process: Process, page_of: PageOf, check_axe, shot, width: int, theme: str
) -> None:
    change(process, "models/default", {"ref": "box/tiny"}, hash_now(process))
    page = page_of(process, "config", width=width, theme=theme)
    write(page, "reasoning: true", "reasoning: 7")
    expect(page.get_by_text("1 problem", exact=True)).to_be_visible()
    check_axe(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    shot(page, f"config-{theme}-{width}")
    write(page, "reasoning: 7", "reasoning: false")
    page.get_by_role("button", name="Review and save").press("Enter")
    expect(page.get_by_label("What changes")).to_be_visible()
    check_axe(page)
    shot(page, f"config-review-{theme}-{width}")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Undo change 1").press("Enter")
    expect(page.get_by_label("What undoing changes")).to_be_visible()
    check_axe(page)
