"""Recorded refusals of real providers, served again byte for byte."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from jackfield.errors import AuthError, Error, ModelNotFound
from jackfield.model import Api, Model, ProviderInfo
from jackfield.providers.reply import check_reply
from jackfield.transport.http import Transport
from jackfield.transport.request import HttpRequest
from tests.servers import serve, text_reply

# Folder of the recordings → the wire they speak.
WIRES: dict[str, Api] = {
    "openai-completions": "openai-completions",
    "mistral": "openai-completions",
    "anthropic-messages": "anthropic-messages",
}
# What a status means whoever says it; the other classes depend on the body's words.
CERTAIN: dict[int, type[Error]] = {401: AuthError, 404: ModelNotFound}


@pytest.mark.wire
@pytest.mark.parametrize("folder", WIRES)
async def test_a_recorded_refusal_names_its_provider_and_keeps_its_class(folder: str, shared_wire: Path) -> None:
    seen = 0
    async with Transport() as transport:
        for path in sorted((shared_wire / folder).glob("*/*/meta.json")):
            meta = json.loads(path.read_text(encoding="utf-8"))
            if meta["http_status"] < 400:
                continue
            seen += 1
            error = await refused(transport, path.parent, meta, WIRES[folder])
            assert meta["provider"] in error.message, path
            assert error.status == meta["http_status"], path
            assert isinstance(error, CERTAIN.get(error.status, Error)), path
            assert error.type not in {"internal", "connection"}, path
    assert seen


async def refused(transport: Transport, case: Path, meta: dict[str, object], api: Api) -> Error:
    """Serve a recorded refusal and return what a user would be told."""
    body = (case / str(meta["response_file"])).read_bytes()
    with serve(text_reply(body, int(str(meta["http_status"])), "application/json")) as server:
        info = ProviderInfo(id=str(meta["provider"]), base_url=server.url, api=api)
        reply = await transport.open(HttpRequest(url=f"{server.url}/v1/chat", body=b"{}"))
        with pytest.raises(Error) as caught:
            await check_reply(reply, info, Model(id=str(meta["model"] or "m")), "none")
    return caught.value
