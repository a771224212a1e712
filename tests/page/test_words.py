"""How the page writes numbers and times, and finds a name by few letters."""

from __future__ import annotations

from tests.gateway.command import gateway_process
from tests.page.conftest import PageOf

NOW = 1_800_000_000_000
SAID = {
    "usd(null)": "–",
    "usd(0)": "$0",
    "usd(12.3)": "$12.30",
    "usd(0.0042)": "$0.0042",
    "usd('0.15')": "$0.15",
    "usd(-2)": "-$2.00",
    "count(1234567)": "1,234,567",
    "count(null)": "–",
    "tokens(200000)": "200k",
    "tokens(131072)": "131k",
    "tokens(1048576)": "1.05M",
    "tokens(2000000)": "2M",
    "tokens(999)": "999",
    "ms(840)": "840 ms",
    "ms(2400)": "2.4 s",
    "ms(42000)": "42 s",
    "ms(190000)": "3 min 10 s",
    f"ago({NOW - 500}, {NOW})": "just now",
    f"ago({NOW - 7_500_000}, {NOW})": "2 h 5 min ago",
    f"ago({NOW - 200_000_000}, {NOW})": "2 days 7 h ago",
    f"until({NOW + 61_000}, {NOW})": "in 1 min 1 s",
    f"until({NOW - 1}, {NOW})": "now",
    "bytes(812)": "812 B",
    "bytes(1400)": "1.4 kB",
    "sentence('no key is set')": "No key is set.",
    "sentence('is it?')": "Is it?",
}
MODELS = ["openai/gpt-4.1", "groq/gemma2-9b-it", "openai/gpt-4o", "openai/gpt-4o-mini", "anthropic/claude-opus-4"]


def test_numbers_and_times_are_written_as_people_read_them(page_of: PageOf) -> None:
    with gateway_process() as process:
        page = page_of(process)
        page.evaluate("async () => { Object.assign(window, {ui: await import('/ui.js')}); }")
        assert {each: page.evaluate(f"() => window.ui.{each}") for each in SAID} == SAID


def test_a_time_of_another_day_is_told_with_its_day(page_of: PageOf) -> None:
    with gateway_process() as process:
        page = page_of(process)
        clock = """async () => {
          const { clock } = await import("/views/providers/words.js");
          const noon = new Date(2026, 10, 21, 12).getTime();
          return [1, 24].map((hours) => clock(noon + hours * 3_600_000, noon));
        }"""
        assert page.evaluate(clock) == ["13:00", "22 Nov, 12:00"]


def test_few_letters_find_a_name_best_fit_first(page_of: PageOf) -> None:
    with gateway_process() as process:
        page = page_of(process)
        search = "async ([needle, all]) => (await import('/ui.js')).search(needle, all, (each) => each)"
        assert page.evaluate(search, ["gpt4o", MODELS]) == ["openai/gpt-4o", "openai/gpt-4o-mini"]
        assert page.evaluate(search, ["4o mini", MODELS]) == ["openai/gpt-4o-mini"]
        assert page.evaluate(search, ["opus", MODELS]) == ["anthropic/claude-opus-4"]
        assert page.evaluate(search, ["xyz", MODELS]) == []
        assert page.evaluate(search, [" ", MODELS]) == MODELS
