"""What a mistyped name may have meant. Pure functions over names; quick enough for any error message."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Mapping

LIMIT = 5
LOOSE = re.compile(r"[._\s-]+")


def loose(name: str) -> str:
    """Return a name without case, dots and dashes: `Claude-Opus-4.5` and `claude-opus-45` are the same."""
    return LOOSE.sub("", name.lower())


def names(text: str, known: Iterable[str]) -> tuple[str, ...]:
    """Return the known names nearest to a text."""
    by_key = {loose(name): name for name in known}
    wanted = loose(text)
    inside = [name for key, name in by_key.items() if wanted and (wanted in key or key in wanted)]
    close = [by_key[key] for key in _alike(wanted, by_key)]
    return tuple(dict.fromkeys([*close, *sorted(inside, key=len)]))[:LIMIT]


def refs(text: str, models: Mapping[str, Iterable[str]]) -> tuple[str, ...]:
    """Return the refs nearest to a model's name, one per model: those that contain it, else those that look alike."""
    return holding(text, models) or resembling(text, models)


def holding(text: str, models: Mapping[str, Iterable[str]], first: Container[str] = ()) -> tuple[str, ...]:
    """Return the refs whose model's name holds a text, shortest first, one per model.

    `models` maps providers to model ids; of many that have a model those in `first` are named.
    """
    wanted, keys = loose(text), _keys(models)

    def rank(ref: str) -> tuple[bool, bool, int, str]:
        return (not _tail(keys[ref]).startswith(wanted), ref.partition("/")[0] not in first, len(ref), ref)

    inside = sorted((ref for ref, key in keys.items() if wanted and wanted in key), key=rank)
    return _one_per_model(inside, keys)


def resembling(text: str, models: Mapping[str, Iterable[str]]) -> tuple[str, ...]:
    """Return the refs whose model's name looks like a text, one per model."""
    keys = _keys(models)
    tails: dict[str, str] = {}
    for ref in sorted(keys, key=len):
        tails.setdefault(_tail(keys[ref]), ref)
    return tuple(tails[tail] for tail in _alike(_tail(loose(text)), tails))


def elsewhere(
    model: str, providers: Iterable[str], models: Mapping[str, tuple[str, ...]], aliases: Mapping[str, str]
) -> tuple[str, ...]:
    """Return where a model of a mistyped provider is to be had: at the nearest providers first."""
    wanted = loose(model)
    ids = dict.fromkeys(aliases.get(name, name) for name in providers)
    order = [*ids, *(name for name in models if name not in ids)]
    same = [f"{provider}/{name}" for provider in order for name in models.get(provider, ()) if loose(name) == wanted]
    return tuple((same or list(ids))[:LIMIT])


def _alike(wanted: str, known: Iterable[str]) -> list[str]:
    from difflib import get_close_matches  # noqa: PLC0415  only a mistake needs it

    return get_close_matches(wanted, list(known), n=LIMIT, cutoff=0.6)


def _keys(models: Mapping[str, Iterable[str]]) -> dict[str, str]:
    return {f"{provider}/{name}": loose(name) for provider, ids in models.items() for name in ids}


def _tail(key: str) -> str:
    return key.rpartition("/")[2]


def _one_per_model(found: list[str], keys: Mapping[str, str]) -> tuple[str, ...]:
    first: dict[str, str] = {}
    for ref in found:
        first.setdefault(_tail(keys[ref]), ref)
    return tuple(first.values())[:LIMIT]
