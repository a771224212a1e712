"""Which models a listing shows, each with what is known of it here and now.

Gathers from catalog, config, credentials and the servers that run on this machine; prints nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache

from msgspec import Struct
from msgspec.structs import replace

from jackfield.auth.resolve import is_available, resolve
from jackfield.catalog.discovered import OLD_AGE_S
from jackfield.catalog.index import Outline
from jackfield.catalog.load import is_local
from jackfield.config.schema import Config
from jackfield.errors import Error
from jackfield.model import HIDDEN, Model, ModelRef, ProviderInfo
from jackfield.providers.discover import LocalServer, find_local
from jackfield.routing.chain import resolve_ref
from jackfield.routing.policy import admission, privacy_of
from jackfield.setup.installation import Installation

VARIANT = re.compile(r"_API_KEYS$|_API_KEY_\d+$|^OPENCLAW_LIVE_")


class ModelRow(Struct, frozen=True, kw_only=True):
    """One line of the listing; `info` and `model` are `None` for a ref that leads nowhere."""

    key: str
    info: ProviderInfo | None = None
    model: Model | Outline | None = None
    available: bool | None = None
    local: bool | None = None  # it runs on this machine or network
    tags: tuple[str, ...] = ()
    source: str = "unknown"  # catalog · config · server · discovered · unknown
    age_s: float | None = None  # of the list that a discovered row is from


class About(Struct, frozen=True, kw_only=True):
    """What all rows of a provider share."""

    info: ProviderInfo | None
    ready: bool  # it can be asked
    local: bool | None
    offered: frozenset[str]  # ids of its running server
    own: frozenset[str]  # ids the config gives
    listed: frozenset[str]  # ids that only its last list has
    age_s: float | None  # of that list


class Listing:
    """One look at the user's set-up; what is asked twice is looked up once.

    Rows of models nobody configured hold what a table shows, unless they are wanted `whole`.
    """

    def __init__(self, home: Installation, *, whole: bool = False) -> None:
        self._config, self._catalog, self._whole = home.config, home.catalog, whole
        self._known = self._catalog.models if whole else self._catalog.outlines
        self._tags = _tags(self._config, self.key_of)
        environ = self._config.environ
        self._names = {name for name, text in environ.items() if text}
        # Several keys of one provider, or one for tests: names the catalog does not list.
        self._has_variants = any(VARIANT.search(name) for name in environ)
        self._store = home.store
        self._keepers = {profile.provider for profile in self._store.list()}
        self._now_ms = home.now_ms()
        self._now_s = self._now_ms / 1000
        self._has_key = cache(self._look_for_key)
        self._servers = cache(self._find_servers)
        self._about = cache(self._look_up)
        self._admits = admission(self._config, self._catalog)
        self._own = cache(self._ids_of_config)

    def usable(self, *, allowed_only: bool = True) -> list[ModelRow]:
        """Return what is configured and all models of providers with a credential, as far as the allowlist goes."""
        named = [self._row_of(key) for key in self._tags]
        ready = {name: self._rows(name) for name in self._catalog.provider_ids() if self._is_ready(name)}
        own = {name: self._rows_of_config(name) for name in self._config.providers if name not in ready}
        offered = [row for rows in (*ready.values(), *own.values()) for row in rows]
        if self._config.allow and allowed_only:
            offered = [row for row in offered if self.is_allowed(row)]
        return _sorted([*named, *offered])

    def everything(self) -> list[ModelRow]:
        """Return every known model of every provider, and what is configured."""
        named = [self._row_of(key) for key in self._tags]
        return _sorted([*named, *(row for name in self._catalog.provider_ids() for row in self._rows(name))])

    def of_provider(self, provider: str) -> list[ModelRow]:
        """Return all models of a provider: those a running server offers, else those that are known."""
        return _sorted(self._rows(self._catalog.normalise(provider)))

    def old_lists(self, rows: Iterable[ModelRow]) -> list[tuple[str, float]]:
        """Return the shown providers whose last list is old, with its age in seconds."""
        shown = dict.fromkeys(row.info.id for row in rows if row.info) if self._catalog.shelf.names else ()
        ages = {name: self._age_s(name) for name in shown}
        return [(name, age_s) for name, age_s in ages.items() if age_s is not None and age_s > OLD_AGE_S]

    def _age_s(self, provider: str) -> float | None:
        head = self._catalog.fetched(provider)
        return self._now_s - head.fetched_at if head and head.fetched_at else None

    # -- rows ----------------------------------------------------------------------

    def _rows(self, name: str) -> list[ModelRow]:
        running, found = self._running(name), self._about(name)
        if running is None:
            return [self._row(name, found, row) for row in self._known(name) if row.status != HIDDEN]
        known = {row.id: row for row in self._catalog.models(name) if row.status != HIDDEN}
        # What a server says now beats what it said when its list was kept, and gives way to everything else.
        kept = self._catalog.only_discovered(name)
        offered = {
            row.id: known[row.id].merged(row) if row.id in kept else row.merged(known.get(row.id, row))
            for row in running.models
        }
        if found.own:  # who names a provider's models wants these and no others
            offered = {key: row for key, row in known.items() if key in found.own}
        return [self._row(name, found, row) for row in offered.values()]

    def _rows_of_config(self, name: str) -> list[ModelRow]:
        found = self._about(name)
        return [self._row(name, found, row) for row in self._catalog.models(name) if row.id in found.own]

    def _row(self, provider: str, found: About, model: Model | Outline) -> ModelRow:
        key = f"{provider}/{model.id}"
        tags = self._tags.get(key, ())
        if found.info and (privacy := privacy_of(found.info, model)) != "standard":
            tags = (*tags, privacy)
        sources = (("config", found.own), ("server", found.offered), ("discovered", found.listed))
        source = next((name for name, ids in sources if model.id in ids), "catalog")
        return ModelRow(
            key=key, info=found.info, model=model, available=found.ready, local=found.local, tags=tags, source=source,
            age_s=found.age_s if source == "discovered" else None,
        )  # fmt: skip

    def _row_of(self, key: str) -> ModelRow:
        ref = ModelRef.parse(key)
        info = self._catalog.provider(ref.provider) if ref else None
        if ref is None or info is None:
            return ModelRow(key=key, tags=(*self._tags[key], "missing"))
        found = self._catalog.find(info.id, ref.model)
        row = self._row(info.id, self._about(info.id), found or self._catalog.model(info.id, ref.model))
        return row if found or row.source == "server" else replace(row, source="unknown")

    def _look_up(self, provider: str) -> About:
        info, running = self._catalog.provider(provider), self._running(provider)
        return About(
            info=info,
            ready=self._is_ready(provider),
            local=is_local(info.endpoint or info.base_url) if info else None,
            offered=frozenset(row.id for row in running.models) if running else frozenset(),
            own=self._own(provider),
            listed=self._catalog.only_discovered(provider) if self._whole else frozenset(),
            age_s=self._age_s(provider) if self._whole else None,
        )

    def _ids_of_config(self, provider: str) -> frozenset[str]:
        entry = self._config.providers.get(provider)
        return frozenset(row.id for row in entry.models) if entry else frozenset()

    def key_of(self, text: str) -> str:
        """Return the ref a configured name means; the name itself when it means none."""
        try:
            return str(resolve_ref(text, self._config, self._catalog)[0])
        except Error:
            return text

    # -- who answers ---------------------------------------------------------------

    def _is_ready(self, name: str) -> bool:
        info = self._catalog.provider(name)
        if info is None or not info.local:
            return info is not None and self._has_key(name)
        # A server that wants a key tells a stranger nothing; whoever gave it one may ask.
        return self._running(name) is not None or self._was_given_key(name)

    def _was_given_key(self, name: str) -> bool:
        entry = self._config.providers.get(name)
        return name in self._keepers or (entry is not None and entry.api_key is not None)

    def _look_for_key(self, name: str) -> bool:
        info = self._catalog.provider(name)
        return (
            info is not None
            and self._may_have_key(info)
            and is_available(info, self._config, self._store, self._now_ms)
        )

    def _may_have_key(self, info: ProviderInfo) -> bool:
        """Tell whether a closer look is worth it: of a hundred providers a user has keys for two or three."""
        if not self._names.isdisjoint(info.env) or self._has_variants:
            return True
        known = {info.id, *info.aliases}
        return not known.isdisjoint(self._config.providers) or not known.isdisjoint(self._keepers)

    def _running(self, name: str) -> LocalServer | None:
        info = self._catalog.provider(name)
        return self._servers().get(name) if info and info.local else None

    def _find_servers(self) -> Mapping[str, LocalServer]:
        infos = [info for info in map(self._catalog.provider, self._catalog.provider_ids()) if info and info.local]
        keys = {}
        for info in infos:
            try:
                keys[info.id] = resolve(info, self._config, self._store, self._now_ms).secret
            except Error:
                continue  # asked without a key, as a stranger
        servers = find_local(infos, keys={name: key for name, key in keys.items() if key})
        return {server.provider: server for server in servers}

    def is_allowed(self, row: ModelRow) -> bool:
        """Tell whether the allowlist, if there is one, holds a model."""
        ref = ModelRef.parse(row.key)
        return ref is None or self._admits(ref)


def _tags(config: Config, key_of: Callable[[str], str]) -> dict[str, tuple[str, ...]]:
    """Return the configured refs with what each is configured as."""
    found: dict[str, list[str]] = {}
    said = [(config.primary, "default"), *_numbered(config.fallbacks, "fallback")]
    said += [(config.image_primary, "image"), *_numbered(config.image_fallbacks, "img-fallback")]
    said += [(ref, "configured") for ref in config.configured if not ref.endswith("*")]
    for text, tag in said:
        if text:
            found.setdefault(key_of(text), []).append(tag)
    names: dict[str, list[str]] = {}
    for alias, ref in config.aliases.items():
        names.setdefault(key_of(ref), []).append(alias)
    for ref, aliases in names.items():
        if ref in found:
            found[ref].append(f"alias:{','.join(sorted(aliases))}")
    return {ref: tuple(tags) for ref, tags in found.items()}


def _numbered(refs: Iterable[str], tag: str) -> Iterator[tuple[str, str]]:
    return ((ref, f"{tag}#{number}") for number, ref in enumerate(refs, 1))


def _sorted(rows: Iterable[ModelRow]) -> list[ModelRow]:
    unique = {row.key: row for row in rows}
    # By provider, then by id: the slash must sort before every character of a longer provider's name.
    return sorted(unique.values(), key=lambda row: row.key.replace("/", "\0", 1))
