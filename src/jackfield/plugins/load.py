"""The enabled plugins of one config, imported when first asked for. No other plugin's code ever runs.

Foreign code may fail in any way; here its failure becomes a line in `problems`, and whatever was
asked goes on without it. Where nothing is enabled, nothing is looked for.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from msgspec.structs import replace

from jackfield.catalog.index import load_index
from jackfield.config.schema import Config
from jackfield.credential import Profile
from jackfield.errors import AuthError, ConfigError
from jackfield.message import Attempt, JsonObject
from jackfield.model import ProviderInfo
from jackfield.plugins.found import Found, Loaded
from jackfield.plugins.hookspecs import Outgoing, Talk
from jackfield.plugins.sender import Dressed
from jackfield.transport.reply import Sender
from jackfield.transport.request import HttpRequest, shown_url

HEADER = re.compile(r"[\w-]+")
PLAIN = re.compile(r"[\t\x20-\x7e\x80-\xff]*")  # what a header's value may hold


def is_enabled(config: Config, plugin_id: str) -> bool:
    """Tell whether the config lets a plugin run; one it does not name is off."""
    return config.plugins.get(plugin_id, False)


class Plugins:
    """The enabled plugins, loaded when this is made; `problems` names each that is broken, with its error."""

    def __init__(self, config: Config) -> None:
        self.broken: dict[str, str] = {}  # id → the last thing that went wrong
        self._problems: dict[str, None] = {}
        self._loaded = self._load_all(config)

    @property
    def problems(self) -> tuple[str, ...]:
        """What went wrong until now, one line each."""
        return tuple(self._problems)

    @property
    def providers(self) -> tuple[ProviderInfo, ...]:
        """The providers they add."""
        return tuple(info for plugin in self._loaded for info in plugin.rows)

    def provider_ids(self, plugin_id: str) -> tuple[str, ...]:
        """Return the providers that one of them adds."""
        return tuple(info.id for each in self._loaded if each.found.id == plugin_id for info in each.rows)

    def with_headers(self, sent: HttpRequest, model: str) -> HttpRequest:
        """Return a request with the headers they add; one that it has already stays."""
        asked = [plugin for plugin in self._loaded if hasattr(plugin.hooks, "headers")]
        if not asked:
            return sent
        view = Outgoing(model, sent.method, shown_url(sent.url), sent.body)
        taken = {name.lower() for name in sent.headers}
        given = [pair for plugin in asked for pair in self._headers(plugin, view) if pair[0].lower() not in taken]
        return replace(sent, headers={**sent.headers, **dict(given)})

    def over(self, sender: Sender, model: str = "") -> Sender:
        """Return a sender whose requests all get their headers; `model` is what they are about, empty: a whole provider."""
        return (
            Dressed(sender, self, model) if any(hasattr(plugin.hooks, "headers") for plugin in self._loaded) else sender
        )

    @property
    def hear_attempts(self) -> bool:
        """Tell whether any of them wants to hear of tries."""
        return any(hasattr(plugin.hooks, "on_attempt") for plugin in self._loaded)

    def tell_attempts(self, attempts: Iterable[Attempt]) -> None:
        """Tell them of tries that ended."""
        for plugin in self._loaded:
            if hasattr(plugin.hooks, "on_attempt"):
                for attempt in attempts:
                    self._ask(plugin.found.id, plugin.hooks.on_attempt, attempt)

    def sign_in(self, plugin_id: str, provider: str, talk: Talk) -> Profile:
        """Run a plugin's own login; raises `AuthError` when it has none or fails."""
        plugin = next((each for each in self._loaded if each.found.id == plugin_id), None)
        if plugin is None or not hasattr(plugin.hooks, "sign_in"):
            hint = f"run: jackfield plugins info {plugin_id}"
            raise AuthError(f"plugin {plugin_id!r} has no sign-in for {provider}", hint=hint)
        profile = self._ask(plugin_id, plugin.hooks.sign_in, provider, talk)
        if not isinstance(profile, Profile) or profile.provider != provider:
            raise AuthError(f"the sign-in to {provider} failed", hint="\n".join(self.problems))
        return profile

    # -- loading -----------------------------------------------------------------------

    def _load_all(self, config: Config) -> tuple[Loaded, ...]:
        wanted = [plugin_id for plugin_id, on in config.plugins.items() if on]
        if not wanted:
            return ()
        found = _find(config, wanted)
        taken = {*load_index().providers, *load_index().aliases}
        plugins = []
        for plugin_id in filter(found.__contains__, wanted):
            plugin = self._load(found[plugin_id], config.plugin_rules.settings.get(plugin_id, {}))
            names = [name for info in plugin.rows for name in (info.id, *info.aliases)] if plugin else []
            if twice := sorted(taken.intersection(names)):
                self._blame(plugin_id, f"there is a provider {twice[0]!r} already; its own needs another name")
            elif plugin:
                plugins.append(plugin)
                taken |= set(names)
        return tuple(plugins)

    def _load(self, found: Found, settings: JsonObject) -> Loaded | None:
        """Import one plugin; `None`, and a problem, where it is broken."""
        if found.error:
            self._blame(found.id, found.error)
            return None
        if not (found.code or found.entry):
            return Loaded(found, found.rows)
        loaded: Loaded | None = self._ask(found.id, _load_code, found, settings)
        return loaded

    # -- the border to foreign code ----------------------------------------------------

    def _headers(self, plugin: Loaded, view: Outgoing) -> list[tuple[str, str]]:
        said = self._ask(plugin.found.id, lambda: dict(plugin.hooks.headers(view))) or {}
        fit = [(name, value) for name, value in said.items() if _is_header(name, value)]
        if len(fit) < len(said):
            self._blame(plugin.found.id, "a header it gave cannot be sent")
        return fit

    def _ask(self, plugin_id: str, call: Callable[..., Any], *values: object) -> Any:
        """Return what a plugin answers, `None` and a problem when it fails in whatever way."""
        try:
            return call(*values)
        except (Exception, SystemExit) as error:  # noqa: BLE001  a plugin may raise anything, and stops nobody
            said = str(error) if isinstance(error, ConfigError) else f"{type(error).__name__}: {error}"
            self._blame(plugin_id, said.splitlines()[0])
            return None

    def _blame(self, plugin_id: str, error: str) -> None:
        self.broken[plugin_id] = error
        self._problems[f"plugin {plugin_id!r} is left out: {error}"] = None


def _is_header(name: object, value: object) -> bool:
    return isinstance(name, str) and isinstance(value, str) and bool(HEADER.fullmatch(name) and PLAIN.fullmatch(value))


def _find(config: Config, wanted: list[str]) -> Mapping[str, Found]:
    # Only a set-up with plugins pays for finding them, and only one with a package's for reading all packages.
    from jackfield.plugins.find import find_plugins  # noqa: PLC0415

    found = {each.id: each for each in find_plugins(config, packages=False)}
    if all(name in found for name in wanted):
        return found
    return {each.id: each for each in find_plugins(config, packages=True)}


def _load_code(found: Found, settings: JsonObject) -> Loaded:
    hooks = found.entry.load() if found.entry else _import(found)
    if hasattr(hooks, "configure"):
        hooks.configure(settings)
    made = tuple(hooks.providers()) if hasattr(hooks, "providers") else ()
    if not all(isinstance(info, ProviderInfo) and info.id for info in made):
        raise TypeError("providers() returns something else than ProviderInfo")
    return Loaded(found, (*found.rows, *made), hooks)


def _import(found: Found) -> object:
    from importlib.util import module_from_spec, spec_from_file_location  # noqa: PLC0415

    name = re.sub(r"\W", "_", f"jackfield_plugin_{found.id}")
    spec = spec_from_file_location(name, found.code) if found.code else None
    if spec is None or spec.loader is None:
        raise ImportError(f"{found.code} cannot be imported")
    module = module_from_spec(spec)
    # Classes of the module look for it under its name.
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
