"""What servers have taught us, kept between processes: `<home>/cache/learned.json`.

A cache: a file that cannot be read is an empty one, one that cannot be written is none. A
lesson holds for one model at one address on one wire, and for thirty days; servers change.
Nobody's declaration is ever overruled by it (`learn.under`).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from jackfield.catalog import defaults
from jackfield.config.disk import hold_lock, save_text
from jackfield.errors import ConfigError
from jackfield.model import Compat, Model, ProviderInfo
from jackfield.providers.learn import under
from jackfield.transport.request import shown_url

FORMAT = 1
MOST = 500  # lessons; the oldest go first
KEPT_MS = 30 * 86_400_000
LOCK_S = 1.0  # a cache is not worth waiting for


class Lesson(Struct, frozen=True):
    """What one server was found to refuse, and when (Unix milliseconds)."""

    compat: Compat
    at: int


class _File(Struct, frozen=True):
    version: int = FORMAT
    lessons: dict[str, Lesson] = {}


class Lessons:
    """The lessons of one set-up, read when first asked for; without a `cache` they end with the program.

    `now_ms` is the clock.
    """

    def __init__(self, cache: Path | None, now_ms: Callable[[], int]) -> None:
        self._path = cache / "learned.json" if cache else None
        self._now_ms = now_ms
        self._held: dict[str, Lesson] | None = None

    def taught(self, info: ProviderInfo, model: Model) -> Model:
        """Return the row with what its server has taught us under what is declared."""
        if self._held is None:
            self._held = self._load()
        lesson = self._held.get(_key(info, model)) if self._held else None
        return with_lesson(info, model, lesson.compat) if lesson and self._is_fresh(lesson) else model

    def keep(self, info: ProviderInfo, model: Model, lesson: Compat) -> None:
        """Remember a lesson, beside earlier ones of the same server; this program does even where nothing can be written."""
        key, learned = _key(info, model), Lesson(lesson, self._now_ms())
        self._held = _added(self._held or {}, key, learned)
        if self._path is None:
            return
        try:
            with hold_lock(self._path.with_suffix(".lock"), timeout_s=LOCK_S):
                self._held = _added({**self._held, **self._load()}, key, learned)
                text = msgspec.json.format(msgspec.json.encode(_File(lessons=self._held)), indent=2)
                save_text(self._path, text.decode() + "\n")
        except ConfigError:
            # Not written: the next process asks, and learns, once more.
            return

    def _load(self) -> dict[str, Lesson]:
        if self._path is None:
            return {}
        try:
            file = msgspec.json.decode(self._path.read_bytes(), type=_File)
        except (OSError, msgspec.DecodeError, UnicodeError, RecursionError):
            return {}
        return (
            {key: each for key, each in file.lessons.items() if self._is_fresh(each)} if file.version == FORMAT else {}
        )

    def _is_fresh(self, lesson: Lesson) -> bool:
        return self._now_ms() - lesson.at < KEPT_MS


def _added(held: dict[str, Lesson], key: str, lesson: Lesson) -> dict[str, Lesson]:
    before = held[key].compat if key in held else Compat()
    held = {**held, key: replace(lesson, compat=under(lesson.compat, before))}
    return dict(sorted(held.items(), key=lambda item: item[1].at)[-MOST:])


def with_lesson(info: ProviderInfo, model: Model, lesson: Compat) -> Model:
    """Return the row with a lesson under what the config and the catalog declare."""
    return replace(model, compat=under(defaults.compat(model, info), lesson))


def _key(info: ProviderInfo, model: Model) -> str:
    url = shown_url(info.endpoint or model.base_url or info.base_url)
    return f"{url} {defaults.api(model, info)} {defaults.wire_id(model)}"
