"""One output item of a stream, from its first word to its last.

Some servers send only pieces, some only the whole, most both: pieces are said as they come,
and what the whole has beyond them is said when it comes.
"""

from __future__ import annotations

from itertools import chain, count

from jackfield.events import BlockEnd
from jackfield.message import JsonObject, RefusalBlock, TextBlock, ThinkingBlock, TokenLogprob, ToolCall
from jackfield.protocols.fields import as_list, as_object, as_text, rest
from jackfield.protocols.openai_responses.citations import parse_citations, parse_logprobs
from jackfield.protocols.openai_responses.items import MESSAGE_KEYS, parse_call, parse_item
from jackfield.protocols.openai_responses.parts import parse_part
from jackfield.protocols.openai_responses.reasoning import BETWEEN_PARTS, parse_reasoning
from jackfield.protocols.openai_responses.wire import keep
from jackfield.protocols.outbox import Outbox

CALLS = ("function_call", "custom_tool_call")
# How an item's words are heard: the kind of block of each kind of part.
WORDS: dict[str, type[TextBlock] | type[RefusalBlock]] = {"output_text": TextBlock, "refusal": RefusalBlock}


class OpenItem:
    """Says an item's blocks; `parts` are counted as the wire counts them."""

    def __init__(self, box: Outbox, wire: JsonObject, spare_id: str) -> None:
        self.wire = wire
        self.kind = as_text(wire.get("type"))
        self.is_done = False
        self.logprobs: list[TokenLogprob] = []
        self._box = box
        self._spare_id = spare_id
        self._blocks: dict[int, int] = {}  # part → block
        self._heard: dict[int, list[str]] = {}
        self._sources: dict[int, list[object]] = {}  # annotations that came by themselves
        if self.kind in CALLS and wire.get("name"):
            self._begin_call()

    # -- pieces --------------------------------------------------------------------

    def say(self, part: int, text: str, sort: str) -> None:
        """Say more of a part; `sort` is the part's kind, or which of a thought's texts it is."""
        if not text or self.is_done:
            return
        self._heard.setdefault(part, []).append(text)
        if part not in self._blocks and self.kind in CALLS:
            # Its name comes with the whole.
            return
        if part not in self._blocks:
            self._begin(part, sort)
        self._box.grow(self._blocks[part], text)

    def catch_up(self, part: int, whole: str, sort: str) -> None:
        """Say what the whole text of a part has beyond its pieces."""
        heard = "".join(self._heard.get(part, ()))
        if whole.startswith(heard):
            self.say(part, whole[len(heard) :], sort)

    def hear_logprobs(self, tokens: list[TokenLogprob]) -> None:
        """Keep the likelihood of what was said, until the whole has it."""
        if not self.is_done:
            self.logprobs += tokens

    def cite(self, part: int, annotation: object) -> None:
        """Keep a source of a part's words."""
        self._sources.setdefault(part, []).append(annotation)

    def _begin(self, part: int, sort: str) -> None:
        item = {"id": self.wire["id"]} if isinstance(self.wire.get("id"), str) else {}
        if self.kind == "message":
            is_first = not self._blocks
            block = WORDS.get(sort, TextBlock)("", opaque=keep({"item": item if is_first else None}))
            self._blocks[part] = self._box.start(block)
        elif self._blocks:
            # Another part of the same thought.
            self._blocks[part] = next(iter(self._blocks.values()))
            self._box.grow(self._blocks[part], BETWEEN_PARTS)
        else:
            field = "content" if sort == "content" else None
            self._blocks[part] = self._box.start(ThinkingBlock("", opaque=keep({"item": item, "field": field})))

    def _begin_call(self) -> None:
        said = {**self.wire, "arguments": "", "input": ""}
        call = parse_call(said, self._spare_id)
        started = ToolCall(call.id, call.name, "", None, call.opaque)
        self._blocks[0] = self._box.start(started)

    # -- the whole -----------------------------------------------------------------

    def finish(self, wire: JsonObject) -> None:
        """Say what is left, and end; an item nobody finished ends as it was heard."""
        if self.is_done:
            return
        whole = {**self.wire, **wire}
        FINISHERS.get(self.kind, OpenItem._finish_other)(self, whole)
        self.is_done = True

    def _finish_message(self, wire: JsonObject) -> None:
        fields: JsonObject = rest(wire, MESSAGE_KEYS)
        content = self._by_part([as_object(part) for part in as_list(wire.get("content"))])
        if found := [token for part in content.values() for token in parse_logprobs(part.get("logprobs"))]:
            self.logprobs = found
        for at in sorted({*content, *self._blocks}):
            if self._finish_part(at, content.get(at, {}), fields):
                fields = {}

    def _by_part(self, content: list[JsonObject]) -> dict[int, JsonObject]:
        """Return the parts of the whole by the numbers their pieces had."""
        heard = sorted(self._blocks)
        if not heard or heard[-1] < len(content):
            return dict(enumerate(content))
        # Some servers count the parts of all items: then their order tells.
        return dict(zip(chain(heard, count(heard[-1] + 1)), content, strict=False))

    def _finish_part(self, at: int, part: JsonObject, item: JsonObject) -> bool:
        """End a part's block; `False` when it has none."""
        block = parse_part(part)
        if part and not isinstance(block, TextBlock | RefusalBlock):
            self._box.end(self._box.start(block))
            return True
        self.catch_up(at, getattr(block, "text", ""), as_text(part.get("type")))
        if at not in self._blocks:
            return False
        left = rest(part, ("type", "text", "refusal", "logprobs"))
        sources = left.get("annotations") or self._sources.get(at)
        left = {name: value for name, value in {**left, "annotations": sources}.items() if value}
        opaque = keep({"item": item or None, "part": left or None})
        self._box.end(self._blocks[at], opaque, parse_citations(sources))
        return True

    def _finish_thought(self, wire: JsonObject) -> None:
        block = parse_reasoning(wire)
        if not block.text and self._heard:
            text = BETWEEN_PARTS.join("".join(pieces) for _, pieces in sorted(self._heard.items()))
            block = parse_reasoning({**wire, "summary": [{"type": "summary_text", "text": text}]})
        if self._blocks:
            index = next(iter(self._blocks.values()))
            heard = BETWEEN_PARTS.join("".join(pieces) for pieces in self._heard.values())
            self._box.grow(index, block.text[len(heard) :] if block.text.startswith(heard) else "")
        else:
            index = self._box.start(ThinkingBlock("", None, not block.text))
            self._box.grow(index, block.text)
        self._box.add(BlockEnd(index, block.signature, block.opaque))

    def _finish_call(self, wire: JsonObject) -> None:
        call = parse_call(wire, self._spare_id)
        if not self._blocks:
            self.wire, pieces = wire, self._heard.pop(0, [])
            self._begin_call()
            self.say(0, "".join(pieces), "")
        if not self._heard or wire.get("input" if self.kind == "custom_tool_call" else "arguments"):
            self.catch_up(0, call.arguments, "")
        self._box.end(self._blocks[0], call.opaque)

    def _finish_other(self, wire: JsonObject) -> None:
        self._box.end(self._box.start(parse_item(wire, self._spare_id)))


FINISHERS = {
    "message": OpenItem._finish_message,
    "reasoning": OpenItem._finish_thought,
    **dict.fromkeys(CALLS, OpenItem._finish_call),
}
