"""`jackfield chat` as a person and as a script use it, against scripted servers."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from tests.commands import impatient, local_provider, run, write_config
from tests.servers import CUT, json_reply, serve, sse_reply, text_reply

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
USAGE = {"prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 12, "prompt_tokens_details": {"cached_tokens": 4}}


def chunk(delta: dict[str, Any], finish: str | None = None, **more: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m-2", "choices": [choice], **more}


def whole(text: str | None = "Hi there", **message: Any) -> dict[str, Any]:
    choice = {"index": 0, "message": {"role": "assistant", "content": text, **message}, "finish_reason": "stop"}
    return {"id": "c1", "object": "chat.completion", "created": 1, "model": "m-2", "choices": [choice], "usage": USAGE}


HELLO = sse_reply(
    chunk({"role": "assistant", "content": ""}), chunk({"content": "Hi"}), chunk({"content": " there"}),
    chunk({}, "stop", usage=USAGE), "[DONE]",
)  # fmt: skip


def test_a_message_is_answered_on_stdout_and_nothing_else() -> None:
    with serve(HELLO) as server:
        write_config(local_provider(server.url))
        result = run("chat", "--model", "box/m", "Hello")
    assert (result.code, result.out, result.err) == (0, "Hi there\n", "")
    sent = server.journal[0]
    assert sent.json()["messages"] == [{"role": "user", "content": "Hello"}]
    assert sent.target == "/v1/chat/completions"
    assert sent.headers["authorization"] == "Bearer sk-box-0123456789"
    assert sent.headers["user-agent"].startswith("jackfield/")


def test_the_default_model_answers_when_none_is_named() -> None:
    with serve(HELLO) as server:
        write_config(local_provider(server.url))
        assert run("chat", "Hello").out == "Hi there\n"


def test_piped_input_is_the_message() -> None:
    with serve(HELLO) as server:
        write_config(local_provider(server.url))
        assert run("chat", stdin="what is this?\n").out == "Hi there\n"
    assert server.journal[0].json()["messages"][0]["content"] == "what is this?"


def test_json_prints_one_object_with_the_promised_fields() -> None:
    with serve(json_reply(whole())) as server:
        write_config(
            local_provider(server.url, models=[{"id": "m", "cost": {"input": 3, "output": 15, "cacheRead": 0.3}}])
        )
        said = run("chat", "--json", "Hello").json()
    assert said.pop("attempts")[0].items() >= {"model": "box/m", "reason": None}.items()
    assert said == {
        "ok": True, "model": "box/m", "requested": "default", "text": "Hi there", "thinking": None, "toolCalls": [],
        "finishReason": "stop", "usage": {"input": 6, "output": 2, "cacheRead": 4, "cacheWrite": None, "reasoning": None},
        "costUsd": "0.0000492", "warnings": [], "citations": [], "files": [],
    }  # fmt: skip
    assert "stream" not in server.journal[0].json()


def test_no_stream_asks_for_the_whole_answer() -> None:
    with serve(json_reply(whole())) as server:
        write_config(local_provider(server.url))
        assert run("chat", "--no-stream", "Hello").out == "Hi there\n"
    assert "stream" not in server.journal[0].json()


def test_options_reach_the_wire() -> None:
    with serve(HELLO) as server:
        write_config(local_provider(server.url, models=[{"id": "m", "reasoning": True}]))
        options = ("--system", "Be brief", "--max-tokens", "7", "--temperature", "0.5", "--thinking", "low")
        assert run("chat", *options, "Hello").code == 0
    body = server.journal[0].json()
    assert body["messages"][0] == {"role": "system", "content": "Be brief"}
    assert (body["max_tokens"], body["temperature"], body["reasoning_effort"]) == (7, 0.5, "low")


def test_files_are_attached_by_their_content(home: Path) -> None:
    (home / "photo.dat").write_bytes(PNG)
    (home / "notes.txt").write_text("remember", encoding="utf-8")
    (home / "paper.pdf").write_bytes(b"%PDF-1.4 tiny")
    with serve(HELLO) as server:
        write_config(local_provider(server.url, models=[{"id": "m", "input": ["text", "image", "document"]}]))
        result = run("chat", "-f", "photo.dat", "--file", "notes.txt", "-f", "paper.pdf", "What is this?")
    assert result.code == 0, result.err
    parts = server.journal[0].json()["messages"][0]["content"]
    assert [part["type"] for part in parts] == ["image_url", "text", "file", "text"]
    assert parts[0]["image_url"]["url"].startswith("data:image/png;base64,")
    assert "remember" in parts[1]["text"]


def test_a_schema_asks_for_json_and_checks_it(home: Path) -> None:
    (home / "s.json").write_text('{"type": "object", "title": "city"}', encoding="utf-8")
    with serve(json_reply(whole('{"a": 1}')), json_reply(whole("not json"))) as server:
        write_config(local_provider(server.url))
        good = run("chat", "--schema", "s.json", "--no-stream", "Hello")
        bad = run("chat", "--schema", "s.json", "--no-stream", "Hello")
    assert (good.code, good.out) == (0, '{"a": 1}\n')
    assert server.journal[0].json()["response_format"]["type"] == "json_schema"
    assert bad.code == 1
    assert "did not answer in JSON" in bad.err


def test_a_fallback_answers_and_says_so() -> None:
    with serve(json_reply({"error": {"message": "busy"}}, 503), HELLO) as server:
        write_config(impatient(local_provider(server.url)))
        result = run("chat", "--model", "box/m", "--fallback", "box/other", "Hello")
    assert (result.code, result.out) == (0, "Hi there\n")
    assert "box/other answers in place of box/m (overloaded)" in result.err


def test_without_a_fallback_an_explicit_model_stands_alone() -> None:
    with serve(json_reply({"error": {"message": "busy"}}, 503), HELLO) as server:
        write_config(impatient(local_provider(server.url)))
        result = run("chat", "--json", "--model", "box/m", "Hello")
    said = result.json()
    assert result.code == 1
    assert said["ok"] is False
    assert said["error"]["type"] == "overloaded"
    assert said["error"]["status"] == 503
    assert said["error"]["attempts"][0]["model"] == "box/m"
    assert len(server.journal) == 1


def test_a_broken_stream_is_an_error_and_keeps_what_was_heard() -> None:
    with serve(sse_reply(chunk({"content": "Hi"}), CUT)) as server:
        write_config(local_provider(server.url))
        result = run("chat", "Hello")
    assert result.code == 1
    assert result.out == "Hi\n"
    assert "error:" in result.err


def test_a_web_page_instead_of_an_answer_names_the_url() -> None:
    with serve(text_reply("<html>Welcome</html>", content_type="text/html")) as server:
        write_config(local_provider(server.url))
        result = run("chat", "Hello")
    assert result.code == 1
    assert f"text/html from {server.url}/v1/chat/completions" in result.err


def test_a_wrong_key_says_where_the_key_came_from() -> None:
    with serve(json_reply({"error": {"message": "Incorrect API key provided: sk-box-0123456789"}}, 401)) as server:
        write_config(local_provider(server.url))
        result = run("chat", "Hello")
    assert result.code == 1
    assert "models.providers.box.apiKey" in result.err
    assert "sk-box-0123456789" not in result.err


def test_an_empty_answer_is_a_failure() -> None:
    with serve(json_reply(whole(""))) as server:
        write_config(local_provider(server.url))
        result = run("chat", "--no-stream", "Hello")
    assert result.code == 1
    assert "empty answer" in result.err


def test_terminal_escapes_of_a_model_pass_into_a_pipe_unchanged() -> None:
    with serve(json_reply(whole("\x1b[31mred"))) as server:
        write_config(local_provider(server.url))
        assert run("chat", "--no-stream", "Hello").out == "\x1b[31mred\n"


def test_a_configured_image_model_sees_the_picture(home: Path) -> None:
    (home / "p.png").write_bytes(PNG)
    with serve(HELLO) as server:
        config = json.loads(
            local_provider(
                server.url, models=[{"id": "m", "input": ["text"]}, {"id": "eyes", "input": ["text", "image"]}]
            )
        )
        write_config(json.dumps(config))
        refused = run("chat", "-f", "p.png", "What is this?")
        config["agents"]["defaults"]["imageModel"] = "box/eyes"
        write_config(json.dumps(config))
        seen = run("chat", "-f", "p.png", "What is this?")
    assert refused.code == 1
    assert "models set-image" in refused.err
    assert seen.code == 0
    assert server.journal[0].json()["model"] == "eyes"


def test_a_message_is_needed_somewhere() -> None:
    write_config(local_provider("http://127.0.0.1:9"))
    empty = run("chat", stdin="")
    assert empty.code == 2
    assert "standard input is empty" in empty.err
    for blank in ("", " \n"):
        assert "the message is empty" in run("chat", blank).err


@pytest.mark.parametrize(
    ("data", "says"),
    [(PNG, "is image/png"), (b"caf\xe9", "is not UTF-8 text"), (b"a\x00b", "is not UTF-8 text"), (b"a" * (2**25 + 1), "is over 32 MB")],
)  # fmt: skip
def test_piped_input_that_is_no_message_is_refused_unsent(data: bytes, says: str) -> None:
    write_config(local_provider("http://127.0.0.1:9"))
    refused = run("chat", stdin=data)
    assert (refused.code, says in refused.err) == (2, True)


def test_a_temperature_is_a_number() -> None:
    write_config(local_provider("http://127.0.0.1:9"))
    refused = run("chat", "--temperature", "nan", "Hello")
    assert (refused.code, "'nan' is not a number" in refused.err) == (2, True)


def test_a_question_to_nobody_names_who_could_answer() -> None:
    nobody = run("chat", "Hello")
    somebody = run("chat", "Hello", env={"VENICE_API_KEY": "vapi_0123456789abcdef"})
    assert (nobody.code, somebody.code) == (1, 1)
    assert "jackfield onboard" in nobody.err
    assert "jackfield chat --model venice/llama-3.3-70b" in somebody.err


def test_a_failing_provider_is_named_with_its_status_and_what_helps() -> None:
    with serve(json_reply({"error": {"message": "slow down"}}, 429)) as server:
        write_config(impatient(local_provider(server.url)))
        limited = run("chat", "Hello").err
    assert limited == "error: box/m: slow down (HTTP 429)\nhint: wait a little, or give a fallback model\n"
    with serve(sse_reply(chunk({"content": "Hi"}))) as server:
        write_config(local_provider(server.url))
        cut = run("chat", "Hello")
    assert cut.out == "Hi\n"
    assert cut.err.startswith("error: box/m: the stream ended before")
    assert "hint: ask again" in cut.err


def test_a_schema_that_is_none_is_wrong_usage_and_any_title_is_a_name(home: Path) -> None:
    (home / "deep.json").write_text("[" * 100_000, "utf-8")
    with serve(json_reply(whole("{}"))) as server:
        write_config(local_provider(server.url))
        refused = run("chat", "--schema", "deep.json", "Hello")
        run("chat", "--no-stream", "--schema", '{"title": 5, "type": "object"}', "Hello")
    assert (refused.code, "the schema deep.json is not JSON" in refused.err) == (2, True)
    assert server.journal[0].json()["response_format"]["json_schema"]["name"] == "5"
