"""Leave for vectors: held for the model that is asked, and for no other of its chain."""

from __future__ import annotations

from jackfield.config.gateway import Limits
from jackfield.gateway.access import Stores
from jackfield.gateway.keys import Key, digest
from tests.gateway.serving import TOKEN, configured, provider, running
from tests.servers import json_reply, serve

HELLO = [{"role": "user", "content": "Hello"}]
RESTING = {"retry-after": "100"}


def test_who_would_stand_in_for_a_chat_is_not_what_a_key_needs_leave_for() -> None:
    # Vectors of another model do not compare, so nobody stands in.
    stores = Stores(keys=(Key(id="k", name="k", digest=digest(TOKEN), limits=Limits(models=("box/m",))),))
    route = {"team": {"primary": "box/m", "fallbacks": ["other/m"]}}
    busy = json_reply({"error": {"message": "slow down"}}, 429, **RESTING)
    with serve(lambda _: busy) as server:
        entry = provider(f"{server.url}/v1")
        with running(configured(routes=route, box=entry, other=entry), stores=stores) as gateway:
            gateway.post("/v1/chat/completions", {"model": "box/m", "messages": HELLO})
            answer = gateway.post("/v1/embeddings", {"model": "team", "input": "some text"})
    assert answer.status == 503
    assert "box/m cannot be asked now" in answer.json()["error"]["message"]
