"""`jackfield tokens` and `jackfield embed`, as a person runs them."""

from __future__ import annotations

import json
from pathlib import Path

from tests.commands import local_provider, run, write_config
from tests.servers import json_reply, serve

VECTORS = {"data": [{"embedding": [1, 0.5]}, {"embedding": [-3, 4]}], "usage": {"prompt_tokens": 7}}


def counting(url: str) -> str:
    row = {"baseUrl": url, "apiKey": "sk-own-key", "models": [{"id": "m"}]}
    return json.dumps({"models": {"providers": {"llama-cpp": row}}})


def test_the_number_is_all_that_is_printed() -> None:
    with serve(json_reply({"input_tokens": 641})) as server:
        write_config(counting(f"{server.url}/v1"))
        result = run("tokens", "--model", "llama-cpp/m", "--system", "Be brief.", "Hello")
    assert (result.code, result.out, result.err) == (0, "641\n", "")
    assert server.journal[0].json()["system"] == "Be brief."


def test_an_estimate_says_so_on_standard_error() -> None:
    write_config(local_provider("http://127.0.0.1:9"))
    result = run("tokens", "Hello there")
    assert result.code == 0
    assert 5 <= int(result.out) <= 15
    assert "an estimate: the provider has no counter" in result.err


def test_json_names_the_source(tmp_path: Path) -> None:
    write_config(local_provider("http://127.0.0.1:9"))
    (tmp_path / "notes.txt").write_text("Some notes. " * 100, encoding="utf-8")
    said = run("tokens", "--json", "--file", str(tmp_path / "notes.txt"), "Hello").json()
    assert (said["ok"], said["model"]) == (True, "box/m")
    assert said["estimated"]
    assert 200 <= said["tokens"] <= 400
    assert said["source"].startswith("estimate")


def test_piped_words_are_counted_and_nothing_is_refused() -> None:
    write_config(local_provider("http://127.0.0.1:9"))
    assert int(run("tokens", stdin="Hello there").out) > 1
    assert (run("tokens").code, run("tokens", "--json").json()["error"]["type"]) == (2, "usage")


def test_without_a_model_the_way_on_is_shown() -> None:
    result = run("tokens", "Hello")
    assert result.code == 1
    assert "jackfield models set" in result.err


def test_each_text_becomes_one_line() -> None:
    with serve(json_reply(VECTORS)) as server:
        write_config(local_provider(server.url))
        result = run("embed", "--model", "box/m", "--dimensions", "2", "one", "two")
    assert (result.code, result.err) == (0, "")
    assert [json.loads(line) for line in result.out.splitlines()] == [[1.0, 0.5], [-3.0, 4.0]]
    assert server.journal[0].json() == {"model": "m", "input": ["one", "two"], "dimensions": 2}


def test_files_are_texts_and_json_tells_all(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("two", encoding="utf-8")
    with serve(json_reply(VECTORS)) as server:
        write_config(local_provider(server.url))
        said = run("embed", "--model", "box/m", "--json", "one", "--file", str(tmp_path / "a.txt")).json()
    assert server.journal[0].json()["input"] == ["one", "two"]
    assert (said["model"], said["usage"], said["costUsd"]) == ("box/m", {"input": 7}, "0")
    assert said["vectors"] == [[1.0, 0.5], [-3.0, 4.0]]


def test_what_is_left_out_is_said() -> None:
    with serve(json_reply(VECTORS)) as server:
        write_config(local_provider(server.url))
        result = run("embed", "--model", "box/m", "--purpose", "query", "one", "two")
    assert result.code == 0
    assert "purpose: left out" in result.err


def test_empty_texts_and_pictures_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n\0")
    assert run("embed", "--model", "box/m").code == 2
    assert run("embed", "--model", "box/m", "one", " ").code == 2
    assert "not UTF-8 text" in run("embed", "--model", "box/m", "--file", str(tmp_path / "a.png")).err
    assert run("embed", "one").code == 2
