"""Everything that is wrong is said at once, each with its place and the nearest right word."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jackfield.config.json5 import parse
from jackfield.config.keypath import KeyPath
from jackfield.config.schema import InvalidConfig
from tests.config.setup import check, load, write
from tests.config.test_edit import paths_of
from tests.config.test_load import FULL
from tests.depth import examples

WRONG = """{
  models: {
    mode: "merged",
    provider: {},
    providers: {
      x: {
        baseurl: "http://x",
        api: "openai-completion",
        headers: ["a"],
        compat: { supportsTool: true, maxTokensField: "max_token" },
        models: [
          { name: "no id", contextWindow: "131072", cost: { input: "0.1", output: 1e16, cache: 1 } },
          "m",
        ],
        timeouts: { total: "60s" },
      },
      y: "http://y",
    },
    routes: { r: { fallbacks: "a/b" } },
    policy: { minPrivacy: "secret" },
  },
  agents: { defaults: { model: { primary: 3 }, models: ["a/b"] } },
  auth: { profiles: { p: { provider: "x", mode: "apikey" } }, cooldowns: { failureWindowHours: NaN } },
  gateway: { port: -1 },
}
"""
ISSUES = """\
models.mode · 3:11 · "merged" is not one of merge, replace; did you mean "merge"?
models.provider · 4:15 · unknown key; did you mean "providers"?
models.providers.x.baseurl · 7:18 · unknown key; did you mean "baseUrl"?
models.providers.x.api · 8:14 · "openai-completion" is not one of openai-completions, openai-responses, \
anthropic-messages, google-generative-ai, google-vertex, google-gemini-cli, openai-codex-responses, ollama, cohere, \
bedrock-converse-stream, azure-openai-responses, openai-chatgpt-responses, github-copilot; \
did you mean "openai-completions"?
models.providers.x.headers · 9:18 · expected an object, found a list
models.providers.x.compat.supportsTool · 10:33 · unknown key; did you mean "supportsTools"?
models.providers.x.compat.maxTokensField · 10:55 · "max_token" is not one of max_tokens, max_completion_tokens; \
did you mean "max_tokens"?
models.providers.x.models[0].contextWindow · 12:43 · expected a whole number, found a text; write it without quotes
models.providers.x.models[0].cost.input · 12:68 · expected a number, found a text; write it without quotes
models.providers.x.models[0].cost.output · 12:83 · expected a number, found 1e16
models.providers.x.models[0].cost.cache · 12:96 · unknown key; did you mean "cacheRead"?
models.providers.x.models[0] · 12:11 · the key "id" is missing
models.providers.x.models[1] · 13:11 · expected an object, found a text
models.providers.x.timeouts.total · 15:28 · expected a number, found a text; write it without quotes
models.providers.y · 17:10 · expected an object, found a text
models.routes.r.fallbacks · 19:31 · expected a list, found a text
models.routes.r · 19:18 · the key "primary" is missing
models.policy.minPrivacy · 20:27 · "secret" is not one of local, private, zdr, anonymized, standard
agents.defaults.model.primary · 22:43 · expected a text, found a number
agents.defaults.models · 22:56 · expected an object, found a list
auth.profiles.p.mode · 23:49 · "apikey" is not one of api_key, oauth, token, aws-sdk; did you mean "api_key"?
auth.cooldowns.failureWindowHours · 23:96 · expected a number, found NaN
gateway.port · 24:20 · -1 is less than 0
"""


def test_all_issues_come_at_once(tmp_path: Path) -> None:
    found = [f"{issue.path} · {issue.line}:{issue.column} · {issue.message}" for issue in check(tmp_path, WRONG).issues]

    assert "\n".join(found) + "\n" == ISSUES
    assert {issue.file for issue in check(tmp_path, WRONG).issues} == {f"{tmp_path}/jackfield.json"}


def test_a_wrong_part_does_not_hide_the_right_ones(tmp_path: Path) -> None:
    config = check(tmp_path, WRONG).config

    assert config.providers["x"].models == ()
    assert config.mode == "merge"


@pytest.mark.parametrize("text", ["[]", "'x'", "null", "5"])
def test_a_config_is_an_object(tmp_path: Path, text: str) -> None:
    issue = check(tmp_path, text).issues[0]

    assert (issue.path, issue.line) == ("", 1)
    assert issue.message.startswith("expected an object")
    assert str(issue).startswith("<root> · ")


def test_an_unparsable_config_names_line_and_column(tmp_path: Path) -> None:
    with pytest.raises(InvalidConfig) as caught:
        load(tmp_path, "{\n  models: {\n    mode 'merge'\n  }\n}")

    assert str(caught.value.issues[0]) == (
        f'<root> · {tmp_path}/jackfield.json:3:10 · expected ":" after the key mode, found "\'"'
    )


def test_a_secret_is_not_quoted(tmp_path: Path) -> None:
    text = "{ env: { A: 5551234 }, models: { providers: { x: { apiKey: 5551234, headers: { A: 5551234 } } } } }"
    issues = check(tmp_path, text).issues

    assert len(issues) == 3
    assert "5551234" not in str(issues)


ANY = st.sampled_from(["null", "true", "0", "-1", "1e999", "NaN", "0.5", "''", "'x'", "'${NO}'", "'${A}'", "[]", "{}", "[[]]", "['x', 1]",
    "{ a: 1 }", "{ id: 'x' }", "{ id: '' }", "{ source: 'env', id: 'A' }", "{ primary: 'a/b' }", "9" * 400, "1e-400"])  # fmt: skip


@settings(max_examples=examples(100), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=st.sampled_from(paths_of(parse(FULL).plain())), text=ANY)
def test_any_value_anywhere_is_taken_or_complained_about(tmp_path: Path, path: KeyPath, text: str) -> None:
    node = parse(FULL).find(path)
    assert node
    checked = check(tmp_path, FULL[: node.start] + text + FULL[node.end :], A="value")

    assert all(issue.line and issue.message for issue in checked.issues)


# -- files that cannot be read -----------------------------------------------------


def refusal(folder: Path, text: bytes = b"") -> str:
    with pytest.raises(InvalidConfig) as caught:
        load_bytes(folder, text)
    assert caught.value.issues[0].file == f"{folder}/jackfield.json"
    return caught.value.issues[0].message


def load_bytes(folder: Path, text: bytes) -> None:
    from jackfield.config.load import load_config
    from jackfield.config.paths import locate

    if text:
        write(folder, text)
    load_config(locate({"JACKFIELD_HOME": str(folder)}), {}, cwd=folder)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b'{a: "\xff"}', "is not UTF-8: byte 0xff"),
        ("{}".encode("utf-16"), "is UTF-16; save it as UTF-8"),
        (b"[" * 100_000, "nested deeper than 200 levels"),
    ],
)
def test_a_text_that_is_no_config_is_refused(tmp_path: Path, text: bytes, message: str) -> None:
    assert refusal(tmp_path, text) == message


def test_a_huge_file_is_refused_unread(tmp_path: Path) -> None:
    with (tmp_path / "jackfield.json").open("wb") as file:
        file.truncate(100 << 20)

    assert refusal(tmp_path) == "is 100 MB large; the limit is 16 MB"


def test_a_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "jackfield.json").mkdir()

    assert refusal(tmp_path) == "is a directory, not a file"


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    import os

    if not hasattr(os, "mkfifo"):
        pytest.skip("no named pipes on this system")
    os.mkfifo(tmp_path / "jackfield.json")

    assert refusal(tmp_path) == "is not a regular file"


def test_a_loop_of_links_is_refused(tmp_path: Path) -> None:
    (tmp_path / "jackfield.json").symlink_to(tmp_path / "jackfield.json")

    assert refusal(tmp_path).startswith("cannot be read: ")


def test_a_linked_config_is_read(tmp_path: Path) -> None:
    (tmp_path / "real.json").write_text("{ models: { mode: 'replace' } }", encoding="utf-8")
    (tmp_path / "jackfield.json").symlink_to("real.json")

    from jackfield.config.load import load_config
    from jackfield.config.paths import locate

    assert load_config(locate({"JACKFIELD_HOME": str(tmp_path)}), {}, cwd=tmp_path).mode == "replace"
