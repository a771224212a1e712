"""docs/plugins.md: its examples work as they stand there."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

from jackfield import ChatRequest, Client, Message
from jackfield.config.json5 import parse
from jackfield.plugins.find import GROUP, bundled
from tests.cli.test_chat import whole
from tests.commands import run
from tests.plugins.folder import plugin_home
from tests.servers import json_reply, serve

PAGE = Path(__file__).parents[2].joinpath("docs", "plugins.md").read_text(encoding="utf-8")


def snippets(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def test_the_commands_work_with_the_file_of_the_page(home: Path) -> None:
    (home / "acme.toml").write_text(snippets("toml")[0], encoding="utf-8")
    said = [line.partition("#")[0].split()[1:] for line in snippets("sh")[0].splitlines()]

    assert [run(*line).code for line in said] == [0] * len(said)
    assert [line[1] for line in said] == ["list", "install", "enable", "doctor", "disable", "uninstall"]


def test_the_python_of_the_page_answers(home: Path) -> None:
    code = snippets("python")[0]
    own = plugin_home(home) / "acme-desk"
    own.mkdir()
    own.joinpath("jackfield.plugin.json").write_text(snippets("json")[0], encoding="utf-8")
    own.joinpath("plugin.py").write_text(code, encoding="utf-8")
    with serve(json_reply(whole())) as server:
        config = parse(snippets("json5")[0].replace("http://127.0.0.1:9", server.url)).plain()
        with Client(config) as client:
            assert client.chat(ChatRequest(model="desk/fast", messages=[Message.user("Hi")])).text == "Hi there"

    assert server.journal[0].headers["x-cost-centre"] == "4711"
    assert sum(bool(line.strip()) for line in code.splitlines()) <= 15


def test_the_page_names_the_group_and_the_bundled_plugins() -> None:
    assert GROUP in tomllib.loads(snippets("toml")[1])["project"]["entry-points"]
    assert [each.id for each in bundled() if f"`{each.id}`" not in PAGE] == []
    assert json.loads(snippets("json")[0])["id"] == "acme-desk"
