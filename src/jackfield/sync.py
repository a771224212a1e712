"""The one bridge from async to sync: an event loop on a thread of its own.

The loop is not the caller's, so the same calls work in a plain program, in a notebook and
inside somebody else's running loop.
"""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError
from pathlib import Path
from threading import Thread, current_thread
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from msgspec.structs import replace

from jackfield.client import AsyncClient
from jackfield.config.schema import Config
from jackfield.embedding import EmbedRequest, EmbedResponse
from jackfield.errors import Cancelled, UsageError
from jackfield.events import StreamEvent
from jackfield.message import ChatRequest, ChatResponse, JsonObject, Message, TextBlock, TokenCount
from jackfield.model import Model
from jackfield.reply import ChatStream

if TYPE_CHECKING:
    from jackfield.providers.refresh import Refreshed

T = TypeVar("T")


class Client:
    """`AsyncClient` for programs without async: the same arguments and methods, waiting for their result.

    Safe to share between threads, not between processes: after a fork the child opens its own.
    One that is never closed closes when it is dropped, or with the program.
    """

    def __init__(
        self, config: Config | str | Path | Mapping[str, object] | None = None, *, offline: bool = False, **options: Any
    ) -> None:
        self._client = AsyncClient(config, offline=offline, **options)
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="jackfield", daemon=True)
        self._thread.start()
        # Also at exit, where a stream somebody left half-read would wait for a loop that no longer runs.
        self._end = weakref.finalize(self, _end, self._client, self._loop, self._thread)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections and the thread; calls that other threads still wait in are cancelled."""
        self._end()

    def chat(self, request: ChatRequest, **options: Any) -> ChatResponse:
        """Ask and return the whole reply; options as in `AsyncClient.chat`."""
        return self._wait(self._client.chat(request, **options))

    def stream(self, request: ChatRequest, **options: Any) -> SyncStream:
        """Ask and return the reply as it comes; options as in `AsyncClient.stream`."""
        return SyncStream(self, self._client.stream(request, **options))

    def count_tokens(self, request: ChatRequest, **options: Any) -> TokenCount:
        """Return how many tokens a request is; options as in `AsyncClient.count_tokens`."""
        return self._wait(self._client.count_tokens(request, **options))

    def embed(self, request: EmbedRequest, **options: Any) -> EmbedResponse:
        """Return one vector per text; options as in `AsyncClient.embed`."""
        return self._wait(self._client.embed(request, **options))

    def explain(self, request: ChatRequest, **options: Any) -> JsonObject:
        """Return who would be asked, and why; options as in `AsyncClient.explain`. Sends nothing."""
        return self._client.explain(request, **options)

    def models(self, provider: str | None = None) -> tuple[tuple[str, Model], ...]:
        """Return every known model as (`provider/model`, row)."""
        return self._client.models(provider)

    def refresh_models(self, providers: Sequence[str] = ()) -> tuple[Refreshed, ...]:
        """Ask providers for their lists of models; as in `AsyncClient.refresh_models`."""
        return self._wait(self._client.refresh_models(providers))

    def _is_open(self) -> bool:
        # In a forked child the thread is not there, whatever the parent's is doing.
        return self._end.alive and self._thread.is_alive()

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        if not self._is_open():
            work.close()
            raise UsageError(
                "the client is closed, or was opened before this process was forked",
                hint="open another: with jackfield.Client() as client",
            )
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except CancelledError:
            raise Cancelled("the client was closed during the call") from None
        except BaseException:
            # Ctrl-C reaches this thread, not the loop's: pass it on.
            future.cancel()
            raise


class SyncStream:
    """A reply on its way; iterate, then ask for `response()`."""

    def __init__(self, client: Client, stream: ChatStream, *, owned: bool = False) -> None:
        self._client = client
        self._stream = stream
        self._owned = owned
        self._closed = False

    def __iter__(self) -> Iterator[StreamEvent]:
        if self._closed:
            return
        events = self._stream.__aiter__()
        try:
            while (event := self._client._wait(_step(events))) is not None:
                yield event
        finally:
            self.close()

    def response(self) -> ChatResponse:
        """Read to the end and return the whole reply; raise what broke it, `Cancelled` when it was left early."""
        for _ in self:
            pass
        return self._stream.whole()

    def close(self) -> None:
        """Stop, and close the connection."""
        if self._closed:
            return
        self._closed = True
        if self._client._is_open():
            self._client._wait(self._stream.aclose())
        if self._owned:
            self._client.close()


def _end(client: AsyncClient, loop: asyncio.AbstractEventLoop, thread: Thread) -> None:
    if not thread.is_alive():
        return
    asyncio.run_coroutine_threadsafe(_wind_up(client, loop), loop)
    if current_thread() is thread:  # dropped there by the garbage collector: nobody can wait for it
        return
    thread.join()
    loop.close()


async def _wind_up(client: AsyncClient, loop: asyncio.AbstractEventLoop) -> None:
    try:
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await loop.shutdown_asyncgens()
        await client.close()
    finally:
        loop.stop()


async def _step(events: Any) -> StreamEvent | None:
    return await anext(events, None)


def chat(model: str, prompt: str | Sequence[Message], **options: Any) -> ChatResponse:
    """Ask a model once: `chat("venice/llama-3.3-70b", "Hello").text`.

    `prompt` is the user's words or a whole conversation; `system` and every field of
    `ChatRequest` can be given by name. For many calls keep a `Client`.
    """
    with Client() as client:
        return client.chat(to_request(model, prompt, options))


def stream(model: str, prompt: str | Sequence[Message], **options: Any) -> SyncStream:
    """Ask a model once and iterate over the events of its reply; arguments as in `chat`."""
    client = Client()
    return SyncStream(client, client._client.stream(to_request(model, prompt, {**options, "stream": True})), owned=True)


def count_tokens(model: str, prompt: str | Sequence[Message] | ChatRequest, **options: Any) -> TokenCount:
    """Return how many tokens a question to a model is; a whole request may stand for the words."""
    asked = replace(prompt, model=model) if isinstance(prompt, ChatRequest) else to_request(model, prompt, options)
    with Client() as client:
        return client.count_tokens(asked)


def explain(
    model: str, prompt: str | Sequence[Message] | ChatRequest = "", *, fallbacks: Sequence[str] = (), **options: Any
) -> JsonObject:
    """Return who would be asked for a question to a model, in which order and for how much, who not, and why.

    Sends nothing and follows no reference to a secret; a whole request may stand for the words.
    """
    asked = replace(prompt, model=model) if isinstance(prompt, ChatRequest) else to_request(model, prompt, options)
    with Client() as client:
        return client.explain(asked, fallbacks=fallbacks)


def embed(model: str, texts: str | Sequence[str], **options: Any) -> EmbedResponse:
    """Return one vector per text: `embed("openai/text-embedding-3-small", ["Hello"]).vectors`.

    Every field of `EmbedRequest` can be given by name.
    """
    with Client() as client:
        return client.embed(EmbedRequest(model=model, inputs=[texts] if isinstance(texts, str) else texts, **options))


def to_request(model: str, prompt: str | Sequence[Message], options: Mapping[str, Any]) -> ChatRequest:
    """Make a request of what a person would say; `system` may be plain words."""
    fields = dict(options)
    messages = [Message.user(prompt)] if isinstance(prompt, str) else prompt
    if isinstance(fields.get("system"), str):
        fields["system"] = [TextBlock(fields["system"])]
    return ChatRequest(model=model, messages=messages, **fields)
