"""An unknown server that refuses a field is asked once more without it, and never again with it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import jackfield
from jackfield import ChatRequest, Message, TextBlock
from jackfield.errors import InvalidRequest
from tests.cli.test_chat import HELLO, whole
from tests.commands import local_provider, run, write_config
from tests.servers import Received, Reply, Server, json_reply, serve


def strict(*unknown: str, then: Reply | None = None) -> Callable[[Received], Reply]:
    """Answer as a server that refuses every field it does not know."""

    def reply(received: Received) -> Reply:
        sent = [name for name in received.json() if name in unknown]
        if not sent:
            return then or json_reply(whole())
        extra = [
            {"type": "extra_forbidden", "loc": ["body", name], "msg": "Extra inputs are not permitted"} for name in sent
        ]
        return json_reply({"detail": extra}, 422)

    return reply


def ask(server: Server, *, strictly: bool = False, stream: bool = False, **more: Any) -> jackfield.ChatResponse:
    config = json.loads(local_provider(server.url, **more))
    request = ChatRequest(
        model="box/m", messages=[Message.user("Hi")], system=[TextBlock("Be kind")], seed=7, max_tokens=5
    )
    with jackfield.Client(config) as client:
        return client.stream(request, strict=strictly).response() if stream else client.chat(request, strict=strictly)


def test_a_refused_field_costs_one_try_and_is_then_known() -> None:
    with serve(strict("seed")) as server:
        first = ask(server)
        second = ask(server)
        third = run("chat", "Hi", env={"JACKFIELD_CONFIG": str(write_config(local_provider(server.url)))})
    assert [("seed" in each.json()) for each in server.journal] == [True, False, False, False]
    assert first.text == second.text == third.out.strip() == "Hi there"
    assert first.warnings == ("box/m: the server refuses field seed: left out from now on",)
    assert second.warnings == ("box/m: seed: left out: the server refuses it",)
    assert len(first.attempts) == 1


def test_a_streamed_question_learns_as_well() -> None:
    with serve(strict("stream_options", then=HELLO)) as server:
        assert ask(server, stream=True).text == "Hi there"
        assert ask(server, stream=True).text == "Hi there"
    assert [("stream_options" in each.json()) for each in server.journal] == [True, False, False]


def test_a_token_limit_keeps_its_number_under_its_other_name() -> None:
    def reply(received: Received) -> Reply:
        if "max_tokens" not in received.json():
            return json_reply(whole())
        said = (
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
        )
        return json_reply({"error": {"message": said, "param": "max_tokens", "code": "unsupported_parameter"}}, 400)

    with serve(reply) as server:
        ask(server)
        ask(server)
    assert [each.json().get("max_completion_tokens") for each in server.journal] == [None, 5, 5]


def no_developers(received: Received) -> Reply:
    """Answer as a server that knows no developer."""
    if received.json()["messages"][0]["role"] == "system":
        return json_reply(whole())
    return json_reply({"error": {"message": "messages[0].role: unknown variant `developer`"}}, 400)


def test_a_server_under_openais_name_is_never_told_of_a_developer() -> None:
    with serve(no_developers) as server:
        entry = {"baseUrl": server.url, "api": "openai-completions", "apiKey": "sk-box-0123456789"}
        with jackfield.Client({"models": {"providers": {"openai": entry}}}) as client:
            request = ChatRequest(model="openai/gpt-4o", messages=[Message.user("Hi")], system=[TextBlock("Be kind")])
            assert client.chat(request).text == "Hi there"
    assert [[turn["role"] for turn in each.json()["messages"]] for each in server.journal] == [["system", "user"]]


def test_a_server_without_system_texts_gets_them_as_the_users_words_from_now_on() -> None:
    def reply(received: Received) -> Reply:
        if received.json()["messages"][0]["role"] == "user":
            return json_reply(whole())
        return json_reply({"error": {"message": "system role is not supported by this model"}}, 400)

    with serve(reply) as server:
        first, _ = ask(server), ask(server)
    turns = [[turn["role"] for turn in each.json()["messages"]] for each in server.journal]
    assert turns == [["system", "user"], ["user"], ["user"]]
    assert "Be kind" in json.dumps(server.journal[-1].json()["messages"])
    assert first.warnings == ("box/m: the server refuses role system: sent as the user's words from now on",)


def test_a_role_the_user_declares_is_not_tried_another_way() -> None:
    with serve(no_developers) as server:
        with pytest.raises(InvalidRequest):
            ask(server, models=[{"id": "m", "compat": {"supportsDeveloperRole": True}}])
        assert len(server.journal) == 1


def test_strict_asks_once_and_fails() -> None:
    with serve(strict("seed")) as server:
        with pytest.raises(InvalidRequest):
            ask(server, strictly=True)
        assert len(server.journal) == 1


def test_what_the_user_declares_is_not_unlearned() -> None:
    with serve(strict("seed")) as server:
        with pytest.raises(InvalidRequest):
            ask(server, compat={"unsupportedFields": []})
        assert len(server.journal) == 1


def test_a_second_refusal_is_the_callers_and_the_first_lesson_stays() -> None:
    def one_at_a_time(received: Received) -> Reply:
        name = next((name for name in ("seed", "max_tokens") if name in received.json()), None)
        message = {"error": {"message": f"Unknown parameter: '{name}'.", "param": name, "code": "unknown_parameter"}}
        return json_reply(message, 400) if name else json_reply(whole())

    with serve(one_at_a_time) as server:
        with pytest.raises(InvalidRequest, match="max_tokens"):
            ask(server)
        ask(server)
    assert [("seed" in each.json()) for each in server.journal] == [True, False, False, False]


def test_a_refusal_that_the_second_try_meets_again_is_not_remembered() -> None:
    refusal = {"error": {"message": "seed is not supported"}}
    with serve(json_reply(refusal, 400)) as server:
        for _ in range(2):
            with pytest.raises(InvalidRequest, match="seed is not supported"):
                ask(server)
    assert [("seed" in each.json()) for each in server.journal] == [True, False, True, False]


def test_what_a_script_refuses_is_not_remembered_of_the_real_server(home: Path) -> None:
    script = [{"status": 400, "body": {"error": {"message": "seed is not supported"}}}, {"text": "fine", "repeat": 2}]
    with jackfield.fake(script, config=json.loads(local_provider("http://127.0.0.1:1"))) as client:
        for _ in range(2):
            request = ChatRequest(model="box/m", messages=[Message.user("Hi")], seed=7)
            assert client.chat(request).text == "fine"
        assert ["seed" in asked.body for asked in client.requests] == [True, False, False]
    assert list(home.rglob("learned.json")) == []


def test_a_lesson_that_cannot_be_written_still_holds_for_the_program(home: Path) -> None:
    (home / ".jackfield").mkdir(parents=True)
    (home / ".jackfield" / "cache").write_text("a file where the folder should be", encoding="utf-8")
    request = ChatRequest(model="box/m", messages=[Message.user("Hi")], seed=7)
    with serve(strict("seed")) as server, jackfield.Client(json.loads(local_provider(server.url))) as client:
        assert [client.chat(request).text for _ in range(3)] == ["Hi there"] * 3
    assert [("seed" in each.json()) for each in server.journal] == [True, False, False, False]


@pytest.mark.parametrize(
    "text", ['{"version": 1, "x": ' + "[" * 100_000 + "]" * 100_000 + "}", "[[", "3"], ids=["deep", "cut", "3"]
)
def test_a_broken_file_of_lessons_is_an_empty_one(home: Path, text: str) -> None:
    path = home / ".jackfield" / "cache" / "learned.json"
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8")
    with serve(strict("seed")) as server:
        assert ask(server).text == "Hi there"
    assert "seed" in path.read_text(encoding="utf-8")
