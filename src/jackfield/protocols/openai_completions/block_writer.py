"""The blocks of a streamed reply: this wire never ends one, so a block ends when another kind begins."""

from __future__ import annotations

from collections.abc import Sequence

from jackfield.events import BlockEnd
from jackfield.message import Block, Citation, JsonObject, RefusalBlock, TextBlock, ThinkingBlock
from jackfield.protocols.fields import as_list, as_object, as_text, rest
from jackfield.protocols.openai_completions.fields import keep, own
from jackfield.protocols.openai_completions.merge import merge_list
from jackfield.protocols.openai_completions.reasoning import make_thought, signature_of
from jackfield.protocols.outbox import Outbox

Words = TextBlock | ThinkingBlock | RefusalBlock
PART = "part"  # stands for the field of thoughts that came among the content parts


class BlockWriter:
    """Says a reply's blocks to an outbox."""

    def __init__(self, out: Outbox) -> None:
        self.out = out
        self._open: tuple[int, str, type[Words]] | None = None  # index, wire field and kind of the open words
        self._details: list[JsonObject] = []
        self._part: JsonObject = {}  # of a thought among the content parts, all but its words
        self._inside: list[JsonObject] = []  # what stands in such a thought and is no words

    @property
    def is_text(self) -> bool:
        """Say whether the open words are the answer's own."""
        return self._open is not None and self._open[2] is TextBlock

    def add_whole(self, block: Block) -> None:
        """Add a block that came in one piece."""
        self.end_words()
        self.out.end(self.out.start(block))

    def say(self, field: str, kind: type[Words], text: str) -> None:
        """Add words to the open block, or to a new one where another kind was open."""
        if not text:
            return
        if self._open is None or self._open[2] is not kind:
            self.end_words()
            opaque = keep({"field": field}) if kind is ThinkingBlock and field != PART else None
            self._open = self.out.start(kind("", opaque=opaque)), field, kind
        self.out.grow(self._open[0], text)

    def add_details(self, details: list[JsonObject]) -> None:
        """Keep details of thoughts for the end of theirs; pieces of one are put together."""
        merge_list(self._details, details)

    def add_thought(self, block: ThinkingBlock) -> None:
        """Add a piece of a thought that came among the content parts."""
        self.say(PART, ThinkingBlock, block.text)
        if self._open is not None:
            part = as_object(own(block.opaque).get("part"))
            self._part |= rest(part, ("thinking", "text", "reasoning"))
            inside = map(as_object, as_list(part.get("thinking")))
            self._inside += [item for item in inside if item and item.get("type") != "text"]

    def end_words(self, fields: JsonObject | None = None, citations: Sequence[Citation] = ()) -> bool:
        """End the open words; say whether they could carry the message's further `fields`."""
        if self._open is None:
            return False
        index, field, kind = self._open
        self._open = None
        if kind is ThinkingBlock:
            self.out.add(self._end_thought(index, field))
        else:
            cited = citations if kind is TextBlock else ()
            self.out.end(index, keep({"message": fields or None}), cited)
        return kind is TextBlock

    def _end_thought(self, index: int, field: str) -> BlockEnd:
        if field == PART:
            part, self._part, inside, self._inside = self._part, {}, self._inside, []
            return BlockEnd(
                index, as_text(part.get("signature")) or None, keep({"part": part, "inside": inside or None})
            )
        details, self._details = self._details, []
        return BlockEnd(index, signature_of(details), keep({"details": details or None}))

    def end_details(self) -> None:
        """Add a thought of the details that came without words or after them."""
        if self._details:
            self.add_whole(make_thought("", None, self._details))
