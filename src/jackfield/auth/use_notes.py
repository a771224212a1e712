"""Which profiles answered, written down beside the conversation: nobody waits for the disk."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

from jackfield.auth.store import FileStore
from jackfield.errors import Error


class UseNotes:
    """Notes of successes on their way into the store; what the store does not take is forgotten."""

    def __init__(self, store: FileStore, now_ms: Callable[[], int]) -> None:
        self._store = store
        self._now_ms = now_ms
        self._due: dict[str, int] = {}
        self._writing: asyncio.Task[None] | None = None

    def note(self, profile_id: str) -> None:
        """Remember that a profile answered just now; returns at once."""
        self._due[profile_id] = self._now_ms()
        self._store.remember_use(profile_id, self._due[profile_id])
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write())

    async def close(self) -> None:
        """Wait until everything is written."""
        if self._writing:
            await self._writing

    async def _write(self) -> None:
        while self._due:
            due, self._due = self._due, {}
            # Who answered is no more than a hint for the next choice.
            with suppress(Error):
                await asyncio.to_thread(self._store.note_successes, due)
