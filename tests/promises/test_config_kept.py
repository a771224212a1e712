"""Whatever a command changes in a config somebody wrote by hand, the rest stays as it was written."""

from __future__ import annotations

import difflib

from tests.commands import run, write_config

# Comments of both kinds, unknown sections, trailing commas, single quotes, a variable, odd spacing.
SECTION = """\
  // section {0}: kept as it is
  plugin{0}: {{
    'quoted-key': "value",   /* why {0} */
    list : [1,2,  3,], // a list
    nested: {{ deep: {{ deeper: 0x1F, }}, }},
  }},
"""
HAND_WRITTEN = (
    "/* my set-up\n   since 2024 */\n{\n"
    + "".join(SECTION.format(number) for number in range(66))
    + """\
  models: {
    // two servers of ours
    providers: {
      ours: { baseUrl: 'http://127.0.0.1:9/v1', apiKey: "${OURS_KEY}", models: [{ id: "m" }] }, // the first
    },
  },
  channels: { anything: { goes: true } },
}
"""
)


def changed_lines(before: str, after: str) -> tuple[list[str], list[str]]:
    """Return the lines taken away and the lines added."""
    diff = list(difflib.ndiff(before.splitlines(), after.splitlines()))
    return [line[2:] for line in diff if line[0] == "-"], [line[2:] for line in diff if line[0] == "+"]


def test_onboarding_a_provider_only_adds_lines() -> None:
    path = write_config(HAND_WRITTEN)
    assert len(HAND_WRITTEN.splitlines()) > 390
    custom = ("--custom-base-url", "http://127.0.0.1:8/v1", "--custom-model-id", "n", "--custom-provider-id", "theirs")
    done = run(
        "onboard", "--non-interactive", "--auth-choice", "custom-api-key", *custom, "--custom-api-key", "sk-0123456789"
    )
    assert done.code == 0, done.err
    removed, added = changed_lines(HAND_WRITTEN, path.read_text("utf-8"))
    assert removed == []
    assert any("theirs" in line for line in added)
    assert any("primary" in line for line in added)
    assert run("models", "list", "--plain").out.split() == ["ours/m", "theirs/n"]


def test_choosing_a_model_twice_changes_one_line() -> None:
    path = write_config(HAND_WRITTEN)
    run("models", "set", "ours/m")
    before = path.read_text("utf-8")
    run("models", "set", "venice/llama-3.3-70b")
    removed, added = changed_lines(before, path.read_text("utf-8"))
    assert len(removed) == 1
    assert len(added) == 1
    assert "${OURS_KEY}" in path.read_text("utf-8")
