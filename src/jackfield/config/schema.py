"""What a loaded configuration says, as values.

The one shape the rest of the program sees: variables are filled in, aliases collected,
old spellings gone. Nothing here reads a file. Secrets are wrapped and do not print.
"""

from __future__ import annotations

import copyreg
from collections.abc import Mapping
from typing import Any, Literal

from msgspec import Struct

from jackfield.config.gateway import CallerRules, ServerRules
from jackfield.config.paths import Paths
from jackfield.config.spend import BudgetRules, Pace
from jackfield.credential import Secret, SecretRef
from jackfield.errors import ConfigError
from jackfield.message import JsonObject
from jackfield.model import Api, Compat, Model, Network, Privacy, Timeouts

StreamBreak = Literal["error", "restart", "continue"]


class Issue(Struct, frozen=True):
    """One thing wrong with a config file; `line` and `column` count from 1, 0 means: the file as a whole."""

    path: str  # models.providers.venice.api
    message: str
    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return f"{self.path or '<root>'} · {place} · {self.message}"


class InvalidConfig(ConfigError):
    """A config that cannot be used; `.issues` lists everything that is wrong, not the first thing."""

    def __init__(self, issues: tuple[Issue, ...], *, changed: bool = False) -> None:
        count = "1 problem" if len(issues) == 1 else f"{len(issues)} problems"
        lines = "".join(f"\n- {issue}" for issue in issues)
        what, hint = _REFUSED if changed else _FOUND
        super().__init__(f"{what} {count}:{lines}", hint=hint)
        self.issues = issues

    def __reduce__(self) -> tuple[Any, ...]:
        # An exception is copied by calling its class with the message; this one is made of its issues.
        return copyreg.__newobj__, (type(self), *self.args), self.__dict__  # type: ignore[attr-defined]  # not in the stubs


_FOUND = ("the config has", 'correct the file, then run "jackfield config validate"')
_REFUSED = ("the config would have", "nothing was changed")


class Environ(dict[str, str]):
    """Variables by name, never shown: most of a user's secrets are in here."""

    def __repr__(self) -> str:
        return f"<{len(self)} variables>"


class MissingVar(Struct, frozen=True):
    """A value that could not be filled in: fatal for what uses it, harmless to everything else."""

    name: str  # the variable, or the secret reference
    key: str  # models.providers.venice.apiKey
    where: str  # jackfield.json:12
    reason: str = "is not set"

    def __str__(self) -> str:
        return f"{self.key} ({self.where}): {self.name} {self.reason}"


class ConfigSecret(Struct, frozen=True):
    """A key the config gives, and in words where: `config: models.providers.x.apiKey`."""

    secret: Secret  # empty where there is a reference
    origin: str
    ref: SecretRef | None = None  # followed when a request leaves


class ProviderConfig(Struct, frozen=True, kw_only=True):
    """One entry of `models.providers`, as written: nothing the user did not say is filled in."""

    id: str
    name: str | None = None
    base_url: str | None = None  # no slash at its end
    endpoint: str | None = None  # request URL, used verbatim
    api: Api | None = None
    auth: str | None = None  # api-key · token · oauth · aws-sdk
    api_key: ConfigSecret | None = None
    headers: Mapping[str, Secret] = {}
    header_refs: Mapping[str, ConfigSecret] = {}  # headers whose value stands elsewhere
    auth_header: bool = False  # send `Authorization: Bearer` whatever the protocol's habit
    models: tuple[Model, ...] = ()
    compat: Compat = Compat()
    params: JsonObject = {}
    max_tokens: int | None = None
    timeouts: Timeouts | None = None
    network: Network | None = None
    privacy: Privacy | None = None
    pace: Pace | None = None
    missing: tuple[MissingVar, ...] = ()


class AllowList(Struct, frozen=True):
    """The only models that may be used: exact refs, aliases, `provider/*`; `origin` says which rule and where."""

    patterns: tuple[str, ...]
    origin: str  # agents.defaults.models (jackfield.json:12)


class Route(Struct, frozen=True, kw_only=True):
    """A named chain, usable wherever a model is named."""

    name: str
    primary: str
    fallbacks: tuple[str, ...] = ()
    on_stream_break: StreamBreak = "error"
    timeouts: Timeouts | None = None


class ProfileMeta(Struct, frozen=True):
    """What the config says of a credential profile; its secret is in the store."""

    id: str
    provider: str
    mode: str
    email: str | None = None


class PluginRules(Struct, frozen=True, kw_only=True):
    """What the config says of all plugins, or of each beside whether it is enabled."""

    switched_on: bool = True  # plugins.enabled
    allow: tuple[str, ...] | None = None  # `None`: any
    deny: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()  # plugins.load.paths, as written
    settings: Mapping[str, JsonObject] = {}  # plugins.entries.<id>.config

    def refusal(self, plugin_id: str) -> str:
        """Return the rule that keeps a plugin off whatever its entry says; empty when none does."""
        if not self.switched_on:
            return "plugins.enabled is false"
        if plugin_id in self.deny:
            return "plugins.deny names it"
        return "" if self.allow is None or plugin_id in self.allow else "plugins.allow leaves it out"


class Config(Struct, frozen=True, kw_only=True):
    """Everything the model layer knows from files and the environment."""

    paths: Paths
    environ: Mapping[str, str] = Environ()  # after the dotenv files and the env block
    mode: Literal["merge", "replace"] = "merge"
    providers: Mapping[str, ProviderConfig] = {}
    primary: str | None = None  # as written: a ref, an alias or a route
    fallbacks: tuple[str, ...] = ()
    image_primary: str | None = None
    image_fallbacks: tuple[str, ...] = ()
    aliases: Mapping[str, str] = {}  # lower-case name → ref
    configured: tuple[str, ...] = ()  # keys of agents.defaults.models
    allow: AllowList | None = None  # `None`: every model may be used
    routes: Mapping[str, Route] = {}
    params: Mapping[str, JsonObject] = {}  # per ref; "" holds those of every model
    auth_order: Mapping[str, tuple[str, ...]] = {}
    auth_profiles: Mapping[str, ProfileMeta] = {}
    auth_store: Literal["file", "keyring"] = "file"  # where new secrets go
    failure_window_hours: float = 24  # failures older than this are forgotten
    plugins: Mapping[str, bool] = {}  # plugin id → enabled, for the ids the config names
    plugin_rules: PluginRules = PluginRules()
    callers: CallerRules = CallerRules()  # of the gateway
    server: ServerRules = ServerRules()  # the gateway's
    min_privacy: Privacy | None = None
    max_wait_s: float | None = None  # for one candidate to be asked again; `None`: the walk's own limits
    budget: BudgetRules = BudgetRules()
    spill_at: float | None = None  # share of a quota from which the provider's other profiles go first
    thinking_default: str | None = None
    timeout_s: float | None = None
    warnings: tuple[str, ...] = ()
