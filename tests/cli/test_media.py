"""What an answer holds beside words: pictures and sound that are saved, sources that are named."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from jackfield.cli.attach import detect_type
from jackfield.cli.media import keep_media
from jackfield.errors import BadReply
from jackfield.message import ChatResponse, ImageBlock
from tests.cli.test_chat import PNG, whole
from tests.commands import local_provider, run, write_config
from tests.servers import json_reply, serve

PICTURE: dict[str, Any] = {
    "images": [{"type": "image_url", "image_url": {"url": f"data:image/png;base64,{b64encode(PNG).decode()}"}}]
}


def test_a_picture_is_saved_where_the_user_says_and_no_file_is_overwritten(home: Path) -> None:
    folder = home / "out"
    with serve(json_reply(whole(None, **PICTURE)), json_reply(whole("Here", **PICTURE))) as server:
        write_config(local_provider(server.url))
        first = run("chat", "--no-stream", "--save", str(folder), "Draw")
        second = run("chat", "--json", "--save", str(folder), "Draw")
    assert (first.code, first.out) == (0, "")
    assert f"saved {folder / 'image-1.png'}" in first.err
    assert second.json()["files"] == [str(folder / "image-2.png")]
    assert [path.read_bytes() for path in sorted(folder.iterdir())] == [PNG, PNG]


def test_a_picture_that_nobody_saves_is_told() -> None:
    with serve(json_reply(whole("Here", **PICTURE))) as server:
        write_config(local_provider(server.url))
        result = run("chat", "--no-stream", "Draw")
    assert result.out == "Here\n"
    assert "the answer holds a picture (image/png, 1 kB)" in result.err
    assert "--save DIR" in result.err


def test_a_folder_that_cannot_be_written_is_named(home: Path) -> None:
    (home / "taken").write_text("a file", encoding="utf-8")
    with serve(json_reply(whole("Here", **PICTURE))) as server:
        write_config(local_provider(server.url))
        result = run("chat", "--no-stream", "--save", str(home / "taken"), "Draw")
    assert result.code == 2
    assert "cannot save to" in result.err
    assert result.out == "Here\n"


def test_an_answer_whose_files_cannot_be_saved_is_still_printed_as_json(home: Path) -> None:
    (home / "taken").write_text("a file", encoding="utf-8")
    with serve(json_reply(whole("Here", **PICTURE))) as server:
        write_config(local_provider(server.url))
        result = run("chat", "--json", "--save", str(home / "taken"), "Draw")
    said = result.json()
    assert (result.code, said["text"], said["files"]) == (2, "Here", [])
    assert "cannot save to" in said["warnings"][0]
    assert "error: cannot save to" in result.err


@pytest.mark.parametrize(
    ("media_type", "name"),
    [
        ("../../up", "file-1.up"),
        ("..\\..\\up/x", "file-1.x"),
        ("-rf/x", "file-1.x"),
        ("a\0b/c", "file-1.c"),
        ("x" * 999, "file-1.bin"),
    ],
    ids=["up", "back", "dash", "zero", "long"],
)
def test_no_media_type_leads_a_file_out_of_its_folder_or_gives_it_an_odd_name(
    tmp_path: Path, media_type: str, name: str
) -> None:
    reply = ChatResponse(content=[ImageBlock(media_type=media_type, data="aGk=")])
    assert keep_media(reply, str(tmp_path)) == [tmp_path / name]


@pytest.mark.parametrize("data", ["!!", "aGk", "é==="])
def test_what_is_no_base64_is_the_servers_fault(tmp_path: Path, data: str) -> None:
    with pytest.raises(BadReply, match="is no base64"):
        keep_media(ChatResponse(content=[ImageBlock(media_type="image/png", data=data)]), str(tmp_path))


def test_sources_are_named_after_the_answer_once_each() -> None:
    notes = [
        {"type": "url_citation", "url_citation": {"url": url, "title": title, "start_index": 0, "end_index": 2}}
        for url, title in (
            ("https://a.example/1", "First"),
            ("https://b.example/2", ""),
            ("https://a.example/1", "First"),
        )
    ]
    with serve(json_reply(whole("Hi", annotations=notes)), json_reply(whole("Hi", annotations=notes))) as server:
        write_config(local_provider(server.url))
        shown = run("chat", "--no-stream", "--search", "News?")
        said = run("chat", "--json", "News?").json()
    assert shown.out == "Hi\n"
    assert shown.err.splitlines()[-2:] == ["[1] First  https://a.example/1", "[2] https://b.example/2"]
    assert [each["url"] for each in said["citations"]] == ["https://a.example/1", "https://b.example/2"]


@pytest.mark.parametrize(
    ("start", "media_type"),
    [
        (b"\x00\x00\x00\x18ftypmp42", "video/mp4"),
        (b"\x00\x00\x00\x18ftypM4A ", "audio/mp4"),
        (b"\x00\x00\x00\x18ftypheic", "image/heic"),
        (b"\x1aE\xdf\xa3\x01", "video/webm"),
        (b"fLaC\x00", "audio/flac"),
        (b"OggS\x00", "audio/ogg"),
        (b"RIFF\x00\x00\x00\x00WAVE", "audio/wav"),
    ],
)
def test_a_file_is_what_its_first_bytes_say(start: bytes, media_type: str) -> None:
    assert detect_type(start) == media_type
