"""The catalog a user sees: built-in providers and models under what the config says of them.

It decodes what ships with the package and merges values. What a row does not say stays
`UNSET` (see `defaults`); nothing here asks a provider what it offers. What one said when it was
last asked (`discovered`) comes last: config before built-in before discovered.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache

from msgspec import UNSET
from msgspec.structs import replace

from jackfield.catalog import near
from jackfield.catalog.defaults import FREE
from jackfield.catalog.discovered import Fetched, Shelf
from jackfield.catalog.effort import split_effort, with_effort
from jackfield.catalog.index import (
    Index,
    Outline,
    add_providers,
    load_index,
    parse_ids,
    parse_info,
    parse_outlines,
    parse_rows,
)
from jackfield.catalog.merge import UNKNOWN, fill_row, is_local, netloc, over_discovered, over_provider, over_row
from jackfield.config.schema import Config, ProviderConfig
from jackfield.model import Compat, Model, ModelRef, ProviderInfo

__all__ = ["Catalog", "is_local"]

# `${A|B:-c}`: the first of A and B that is set, else c.
VARIABLE = re.compile(r"\$\{([\w|]+)(?::-([^}]*))?\}")


class Catalog:
    """Providers and models by name. Everything is decoded and merged when first asked for, then kept."""

    def __init__(self, config: Config, plugged: Sequence[ProviderInfo] = ()) -> None:
        """`plugged` are the providers of plugins, each under names that no built-in one has."""
        self._config = config
        self.shelf = Shelf(config.paths.cache / "models")
        self._index = add_providers(load_index(), plugged) if config.mode == "merge" else Index()
        self._info = cache(self._merge_provider)
        self._rows = cache(self._merge_rows)
        self._builtin = cache(self._parse_builtin)

    def normalise(self, provider_id: str) -> str:
        """Return the id that a spelling means; a literal entry of the config beats an alias."""
        name = provider_id.strip().lower()
        return name if name in self._config.providers else self._index.aliases.get(name, name)

    def provider_ids(self) -> tuple[str, ...]:
        """Return every provider: those of the config and the built-in ones, sorted."""
        return tuple(sorted({*self._index.providers, *self._config.providers}))

    def provider(self, provider_id: str) -> ProviderInfo | None:
        """Return what is known of a provider, `None` when nothing is; `models` stays empty: ask `models()`."""
        return self._info(self.normalise(provider_id))

    def models(self, provider_id: str) -> tuple[Model, ...]:
        """Return a provider's rows: the config's first, then the built-in ones it does not name, then discovered ones."""
        return tuple(self._rows(self.normalise(provider_id)).values())

    def outlines(self, provider_id: str) -> tuple[Model | Outline, ...]:
        """Return the same rows, at least as far as a table shows them: quicker where the config says nothing of them."""
        name = self.normalise(provider_id)
        if name not in self._index.providers or self._entry(name) is not None:
            return self.models(name)
        shipped, info = parse_outlines(self._index.providers[name]), self._info(name)
        found = self.shelf.outlines(name, info.base_url) if info else ()
        known = {each for row in shipped for each in (row.id, row.upstream or row.id)} if found else set()
        return (*shipped, *(row for row in found if row.id not in known))

    def fetched(self, provider_id: str) -> Fetched | None:
        """Return when a provider last listed its models and what went wrong since; `None`: its list is not asked for.

        That is so where it has none, and where the config gives the models itself.
        """
        name = self.normalise(provider_id)
        info = self._info(name)
        return self.shelf.head(name, info.base_url) if info and self.has_list(name) else None

    def has_list(self, provider_id: str) -> bool:
        """Tell whether a provider's list of models counts: it has one, and the config does not give the models itself."""
        name = self.normalise(provider_id)
        info, entry = self._info(name), self._entry(name)
        return info is not None and bool(info.discovery) and not (entry is not None and entry.models)

    def discovered(self, provider_id: str) -> tuple[Model, ...]:
        """Return the rows a provider listed when it was last asked, as it said them."""
        name = self.normalise(provider_id)
        info = self._info(name)
        return self.shelf.models(name, info.base_url) if info and self.has_list(name) else ()

    def model(self, provider_id: str, model_id: str) -> Model:
        """Return the row of a model; an id that no row has is passed through as it is.

        Found by its id, by an alias, or by the one id that differs only in case, dots and dashes.
        """
        return self.find(provider_id, model_id) or self._pass_through(provider_id, model_id)

    def find(self, provider_id: str, model_id: str) -> Model | None:
        """Return the row of a model, `None` when there is none."""
        if found := self._find(provider_id, model_id):
            return found
        named = split_effort(model_id)
        stem = self._find(provider_id, named[0]) if named else None
        return with_effort(stem, model_id, named[1]) if stem and named else None

    def _find(self, provider_id: str, model_id: str) -> Model | None:
        rows = self._rows(self.normalise(provider_id))
        if model_id in rows:
            return rows[model_id]
        if row := next((row for row in rows.values() if row.aliases is not UNSET and model_id in row.aliases), None):
            return row
        wanted = near.loose(model_id)
        alike = [row for row in rows.values() if near.loose(row.id) == wanted]
        return alike[0] if len(alike) == 1 else None

    def only_discovered(self, provider_id: str) -> frozenset[str]:
        """Return the ids that neither the config nor the package knows, but the provider's last list."""
        name = self.normalise(provider_id)
        rows = self.discovered(name)
        known = self._known_rows(name, self._entry(name)) if rows else {}
        return frozenset(over_discovered(rows, known)) - known.keys()

    def reload_discovered(self) -> None:
        """Forget what was read of the discovered lists: they have changed."""
        self.shelf = Shelf(self.shelf.folder)
        self._rows.cache_clear()

    def canonical(self, text: str) -> str:
        """Return a ref under the provider's own id and the row's own; `provider/*` keeps its end, other text stays."""
        ref = ModelRef.parse(text)
        if ref is None:
            return text
        name = self.normalise(ref.provider)
        row = None if ref.model.endswith("*") else self.find(name, ref.model)
        return f"{name}/{row.id if row else ref.model}"

    def near(self, text: str) -> tuple[str, ...]:
        """Return the refs, or the providers, that a mistyped name may have meant; best first, at most five."""
        ref = ModelRef.parse(text)
        if ref is None:
            ids = self._all_ids()
            if inside := near.holding(text, ids, self._favourites()):
                return inside
            return (*near.names(text, self._names()), *near.resembling(text, ids))[: near.LIMIT]
        provider = self.normalise(ref.provider)
        if self._info(provider) is not None:
            return near.refs(ref.model, {provider: tuple(self._rows(provider))})
        return near.elsewhere(ref.model, near.names(ref.provider, self._names()), self._all_ids(), self._index.aliases)

    # -- merging -----------------------------------------------------------------------

    def _merge_provider(self, name: str) -> ProviderInfo | None:
        entry, base = self._entry(name), self._base(name)
        if entry is None:
            return replace(base, base_url=self._address(base)) if base and "${" in base.base_url else base
        if base is None:
            # Nobody knows the id and the config does not say where its server is: most likely a typing error.
            # An address that waits for a variable is one: the variable is asked for when it is used.
            awaited = any(each.key.endswith((".baseUrl", ".endpoint")) for each in entry.missing)
            if not (entry.base_url or entry.endpoint or awaited):
                return None
            base = replace(UNKNOWN, id=name, name=name, compat=self._compat_of_host(entry))
        return over_provider(replace(base, id=name, base_url=self._address(base)), entry)

    def _merge_rows(self, name: str) -> dict[str, Model]:
        entry = self._entry(name)
        known = self._known_rows(name, entry)
        rows = {}
        for row in entry.models if entry else ():
            rows[row.id] = over_row(known[row.id], row) if row.id in known else fill_row(row)
        rest = {key: row for key, row in known.items() if key not in rows}
        return rows | over_discovered(self.discovered(name), rest)

    def _known_rows(self, name: str, entry: ProviderConfig | None) -> Mapping[str, Model]:
        base = self._base(name)
        source = base.id if base else self._same_host(entry) if entry else None
        rows = self._builtin(source) if source else {}
        # An address the user gives is meant for every model, also for those that have one of their own.
        is_moved = entry is not None and bool(entry.base_url or entry.endpoint)
        elsewhere = {key: row.base_url for key, row in rows.items() if row.base_url is not UNSET}
        own = {
            key: replace(rows[key], base_url=UNSET if is_moved else self._fill(url)) for key, url in elsewhere.items()
        }
        return {**rows, **own}

    def _parse_builtin(self, name: str) -> Mapping[str, Model]:
        return {row.id: row for row in parse_rows(self._index.providers[name])}

    def _entry(self, name: str) -> ProviderConfig | None:
        """Return what the config says of a provider, under its id or under an alias of it."""
        entries = self._config.providers
        spelt = [
            key for key in entries if self._index.aliases.get(key) == name and self._designates(entries[key], name)
        ]
        return entries.get(name) or (entries[spelt[0]] if spelt else None)

    def _base(self, name: str) -> ProviderInfo | None:
        """Return the built-in provider of that id, or the one the id is an alias of if its address is meant."""
        entry, meant = self._config.providers.get(name), self._index.aliases.get(name, "")
        if name not in self._index.providers and entry and self._designates(entry, meant):
            name = meant
        builtin = self._index.providers.get(name)
        return parse_info(builtin) if builtin else None

    def _designates(self, entry: ProviderConfig, name: str) -> bool:
        builtin = self._index.providers.get(name)
        return (builtin is not None and entry.base_url is None) or name in self._at_host(entry)

    def _at_host(self, entry: ProviderConfig) -> tuple[str, ...]:
        return self._index.hosts.get(netloc(entry.endpoint or entry.base_url or ""), ())

    def _same_host(self, entry: ProviderConfig) -> str | None:
        """Return the built-in provider that answers at a custom provider's address.

        Several may share a host; then the base URLs must begin alike.
        """
        url = entry.endpoint or entry.base_url or ""
        at_host = () if is_local(url) else self._at_host(entry)
        bases = {name: parse_info(self._index.providers[name]).base_url for name in at_host}
        alike = [name for name in at_host if len(at_host) == 1 or url.startswith(bases[name])]
        return max(alike, key=lambda name: len(bases[name]), default=None)

    def _compat_of_host(self, entry: ProviderConfig) -> Compat:
        source = self._same_host(entry)
        return parse_info(self._index.providers[source]).compat if source else Compat()

    def _address(self, base: ProviderInfo) -> str:
        url = self._fill(base.base_url)
        for name, meant in base.rewrites.items():
            url = url.replace(name, meant)
        return url

    def _fill(self, url: str) -> str:
        """Put the environment's values into an address; an unknown variable stays visible."""
        environ = self._config.environ

        def value(match: re.Match[str]) -> str:
            return next(filter(None, map(environ.get, match[1].split("|"))), None) or match[2] or match[0]

        return VARIABLE.sub(value, url)

    def _pass_through(self, provider_id: str, model_id: str) -> Model:
        info = self.provider(provider_id)
        embedding = next((row for row in info.embeddings if row.id == model_id), None) if info else None
        if embedding:
            return embedding
        return Model(id=model_id, cost=FREE) if info and info.local else Model(id=model_id)

    def _favourites(self) -> set[str]:
        """Return the providers that onboarding starts with a model of, and the user's own."""
        infos = map(self._info, self.provider_ids())
        return {info.id for info in infos if info and (info.default_model or info.id in self._config.providers)}

    def _names(self) -> tuple[str, ...]:
        return (*self.provider_ids(), *self._index.aliases)

    def _all_ids(self) -> dict[str, tuple[str, ...]]:
        entries = self._config.providers
        return {
            name: tuple(self._rows(name)) if name in entries else parse_ids(self._index.providers[name])
            for name in self.provider_ids()
        }
