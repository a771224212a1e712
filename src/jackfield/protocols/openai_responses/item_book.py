"""The items of a streamed reply, found however little an event says of its own."""

from __future__ import annotations

from collections.abc import Iterator

from jackfield.message import JsonObject
from jackfield.protocols.openai_responses.open_item import OpenItem
from jackfield.protocols.outbox import Outbox


class ItemBook:
    """Opens items and finds them: by index, by id, else the last open one of the kind."""

    def __init__(self, box: Outbox) -> None:
        self.reply_id = ""
        self._box = box
        self._items: list[OpenItem] = []
        self._at: dict[int, OpenItem] = {}  # by the wire's index
        self._named: dict[tuple[str, str], OpenItem] = {}  # by kind, and id or id of the call
        self._last: dict[str, list[OpenItem]] = {}  # by kind

    def __iter__(self) -> Iterator[OpenItem]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def open(self, wire: JsonObject, at: int | None) -> OpenItem:
        """Begin an item; without an index it takes the next."""
        item = OpenItem(self._box, wire, f"call_{self.reply_id}_{len(self._items)}")
        self._items.append(item)
        self._at[len(self._items) - 1 if at is None else at] = item
        self._last.setdefault(item.kind, []).append(item)
        for name in (wire.get("id"), wire.get("call_id")):
            if isinstance(name, str) and name:
                self._named[item.kind, name] = item
        return item

    def at(self, index: int) -> OpenItem | None:
        """Return the item the wire counts so."""
        return self._at.get(index)

    def find(self, kind: str, at: int | None, *names: object) -> OpenItem | None:
        """Return the item an event means; an index counts only where the kind fits, since some servers give 0 to all."""
        item = None if at is None else self._at.get(at)
        if item is not None and item.kind == kind:
            return item
        for name in names:
            if isinstance(name, str) and (item := self._named.get((kind, name))):
                return item
        same = self._last.get(kind, [])
        while same and same[-1].is_done:
            same.pop()
        return same[-1] if same else None
