"""What a real llama.cpp server does beside chatting: it counts tokens, and says why it gives no vectors."""

from __future__ import annotations

import pytest

from jackfield import AsyncClient, ChatRequest, EmbedRequest, Message
from jackfield.demo.server import DemoServer
from jackfield.errors import Error


async def test_a_real_server_counts_what_it_would_read(llama: DemoServer) -> None:
    config = {"models": {"providers": {"llama-cpp": llama.provider()}}}
    async with AsyncClient(config) as client:
        short = ChatRequest(model="llama-cpp/tiny", messages=[Message.user("Hello")])
        long = ChatRequest(model="llama-cpp/tiny", messages=[Message.user("Hello, hello, and hello again")])
        counts = [await client.count_tokens(each) for each in (short, long)]
        answered = await client.chat(short)
    assert not any(count.estimated for count in counts)
    assert counts[0].tokens < counts[1].tokens
    usage = answered.usage
    assert abs((usage.input or 0) + (usage.cache_read or 0) - counts[0].tokens) <= 5


async def test_a_real_server_without_embeddings_says_so(llama: DemoServer) -> None:
    async with AsyncClient({"models": {"providers": {"llama-cpp": llama.provider()}}}) as client:
        with pytest.raises(Error, match="does not support embeddings"):
            await client.embed(EmbedRequest(model="llama-cpp/tiny", inputs=["Hello"]))
