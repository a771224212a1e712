"""The list of a real model server: refreshed, kept, and listed."""

from __future__ import annotations

import json

from jackfield.demo.server import DemoServer
from tests.commands import run, write_config


def test_a_real_servers_list_is_kept_with_its_window(llama: DemoServer) -> None:
    said = llama.provider()
    box = {"baseUrl": said["baseUrl"], "apiKey": said["apiKey"]}
    claude = {**box, "baseUrl": llama.root, "api": "anthropic-messages"}
    write_config(json.dumps({"models": {"providers": {"box": box, "claude": claude}}}))

    done = run("models", "refresh", "--json")
    assert (done.code, {each["provider"]: each["ok"] for each in done.json()["providers"]}) == (
        0,
        {"box": True, "claude": True},
    )
    listed = run("models", "list", "--provider", "box", "--json").json()["models"]
    assert [row["available"] for row in listed] == [True]
    assert 0 < listed[0]["contextWindow"] < 200_000
    refused = {**box, "apiKey": "sk-wrong-0123456789"}
    write_config(json.dumps({"models": {"providers": {"box": refused}}}))
    failed = run("models", "refresh", "box")
    assert failed.code == 1
    assert "box: failed: the key is refused (source: config: models.providers.box.apiKey)" in failed.out
    assert failed.out.rstrip().endswith("is kept")
