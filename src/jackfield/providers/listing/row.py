"""What the parsers of model lists share: rows out of objects, prices out of whatever holds them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal, DecimalException
from math import isfinite
from typing import Any

from msgspec import UNSET, Struct, UnsetType

from jackfield.catalog.price import trim
from jackfield.model import Cost, Modality, Model
from jackfield.protocols.fields import as_object

Row = dict[str, Any]
# Names of models that hold no conversation, where the list does not say what they are for.
# A pattern is compiled when the first list is read, not when a command starts.
SPEECHLESS = (
    r"(?i)embed|rerank|whisper|transcri|(^|[-/])tts|-stt|realtime|moderation|prompt-guard|-image|dall-e|sora|lyria|voyage"
    r"|(^|/)(davinci|babbage|curie|ada)|all-minilm|(^|[-/])bge-|imagen|(^|/)veo-"
)
# Other words for what a model reads.
KINDS: dict[str, Modality] = {
    "text": "text", "image": "image", "vision": "image", "file": "document", "pdf": "document", "document": "document",
    "audio": "audio", "video": "video",
}  # fmt: skip
ORDER: tuple[Modality, ...] = ("text", "image", "document", "audio", "video")
# What is beyond these is a mistake or a joke, and is as good as not said.
LONGEST_NAME = 256
MOST_TOKENS = 10**12
MOST_USD = 10**9  # for a million tokens
# What a terminal would obey or a reader could not see: control characters, half characters, marks that turn the writing around.
UNSEEN = r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"


class Listing(Struct, frozen=True):
    """A page of a model list."""

    ids: tuple[str, ...]  # everything listed, as the provider writes it
    models: tuple[Model, ...]  # what one can talk to
    more: str = ""  # query that asks for the next page


def is_speechless(name: str) -> bool:
    """Tell whether a model's name says that it holds no conversation."""
    return re.search(SPEECHLESS, name) is not None


def to_listing(rows: object, id_of: Callable[[Row], object], to_model: Callable[[Row], Model | None]) -> Listing | None:
    """Return the rows as a listing, `None` when they are no list of objects; rows without an id one could type are skipped."""
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        return None
    named = {name: row for row in rows if isinstance(name := id_of(row), str) and _is_name(name)}
    found = (to_model(row) for row in named.values())
    return Listing(tuple(named), tuple(model for model in found if model is not None))


def child(row: Mapping[str, Any], name: str) -> Row:
    """Return an object inside an object; empty where there is none."""
    return as_object(row.get(name))


def size(row: Mapping[str, Any], *names: str) -> int | UnsetType:
    """Return the first of these fields that holds a count above zero."""
    counts = (_number(row.get(name)) for name in names)
    return next((int(count) for count in counts if 1 <= count <= MOST_TOKENS), UNSET)


def flag(row: Mapping[str, Any], *names: str) -> bool | UnsetType:
    """Return the first of these fields that says yes or no."""
    return next((value for name in names if isinstance(value := row.get(name), bool)), UNSET)


def words(row: Mapping[str, Any], *names: str) -> str | UnsetType:
    """Return the first of these fields that holds text."""
    return next((value for name in names if isinstance(value := row.get(name), str) and value.strip()), UNSET)


def is_kind(value: object, *known: str) -> bool:
    """Tell whether a field is one of these words, or not there."""
    return value is None or (isinstance(value, str) and value in known)


def kinds(said: object, **also: object) -> tuple[Modality, ...] | UnsetType:
    """Return what a model reads: the words of a list, and the keyword names whose value is true."""
    named = (
        {KINDS[word] for word in said if isinstance(word, str) and word in KINDS} if isinstance(said, list) else set()
    )
    named |= {KINDS[word] for word, value in also.items() if value is True}
    if not named and not any(isinstance(value, bool) for value in also.values()):
        return UNSET
    return tuple(kind for kind in ORDER if kind in named or kind == "text")


def price(value: object, per: Decimal = Decimal(1)) -> Decimal | None:
    """Return dollars per million tokens from an amount per `per` million; `None` for what is no price.

    A negative amount is how OpenRouter says that the price is another model's.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        amount = Decimal(str(value)) * per
    except DecimalException:
        return None
    return trim(amount) if amount.is_finite() and 0 <= amount <= MOST_USD else None


def cost(
    input: Decimal | None = None,  # noqa: A002  the field's name
    output: Decimal | None = None,
    cache_read: Decimal | None = None,
    cache_write: Decimal | None = None,
) -> Cost | UnsetType:
    """Return the prices as a value; `UNSET` when none is known."""
    found = Cost(input, output, cache_read, cache_write)
    return UNSET if found == Cost() else found


def day(value: object) -> str | UnsetType:
    """Return an ISO date from a date, a time or Unix seconds; zero is no date."""
    if isinstance(value, str) and re.match(r"\d{4}-\d\d-\d\d", value):
        return value[:10]
    if 1e9 < (seconds := _number(value)) < 1e11:
        return datetime.fromtimestamp(seconds, UTC).date().isoformat()
    return UNSET


def any_of(names: object, *wanted: str) -> bool:
    """Tell whether one of the wanted words is among the names; what is no list names nothing."""
    return isinstance(names, list) and not {name for name in names if isinstance(name, str)}.isdisjoint(wanted)


def _is_name(name: str) -> bool:
    return bool(name.strip()) and len(name) <= LONGEST_NAME and not re.search(UNSEEN, name)


def _number(value: object) -> float:
    return value if isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value) else 0
