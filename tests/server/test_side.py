"""What a real llama.cpp server does beside chatting: it counts tokens, gives vectors, or says why it gives none."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

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


@pytest.fixture
def vectors(tmp_path: Path) -> Iterator[str]:
    """Run a server that was started for embeddings; give its address."""
    pytest.importorskip("xllamacpp", exc_type=ImportError)
    command = [sys.executable, "-m", "tests.server.vectors", str(tmp_path)]
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding="utf-8", cwd=root
    ) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.terminate()


async def test_a_real_server_gives_the_same_vectors_however_they_are_asked_for(vectors: str) -> None:
    row = {"baseUrl": f"{vectors}/v1", "models": [{"id": "tiny"}]}
    texts = ["Hello", "Something quite different"]
    async with AsyncClient({"models": {"providers": {"llama-cpp": row}}}) as client:
        asked = EmbedRequest(model="llama-cpp/tiny", inputs=texts)
        plain = await client.embed(asked)
        packed = await client.embed(replace(asked, encoding="base64"))
    assert len(plain.vectors) == 2
    assert plain.vectors[0] != plain.vectors[1]
    assert plain.usage.input
    assert not plain.usage.estimated
    for one, other in zip(plain.vectors, packed.vectors, strict=True):
        assert one == pytest.approx(other, abs=1e-6)
