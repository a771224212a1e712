"""What was found in another tool's files, as values; a credential stays a `Secret` with its origin."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from jackfield.credential import Profile
from jackfield.message import JsonObject


class Known(Struct, frozen=True, kw_only=True):
    """What the catalog and the user's config know of providers, as far as an import needs it."""

    ids: Mapping[str, str] = {}  # id or alias → id
    variables: Mapping[str, str] = {}  # variable → the provider whose key it holds
    addresses: Mapping[str, str] = {}  # id → base URL
    apis: Mapping[str, str] = {}
    own: frozenset[str] = frozenset()  # ids that only the user's config knows
    local: frozenset[str] = frozenset()  # servers of the user's own, which may stand elsewhere under their id
    plugins: Mapping[str, str] = {}  # id → the plugin that its sign-in needs
    notices: Mapping[str, str] = {}  # id → what a person must know before the sign-in is used


class Credential(Struct, frozen=True):
    """A credential and in words where it stood: `keys.json:3`."""

    profile: Profile
    origin: str

    @property
    def is_login(self) -> bool:
        """Tell whether it is a sign-in rather than a key."""
        return self.profile.type != "api_key"


class Imported(Struct, frozen=True, kw_only=True):
    """All that one tool's files say, under our config's own key names."""

    tool: str
    providers: Mapping[str, JsonObject] = {}  # entries of `models.providers`, without a secret
    primary: str = ""
    fallbacks: tuple[str, ...] = ()
    image_primary: str = ""
    image_fallbacks: tuple[str, ...] = ()
    aliases: Mapping[str, str] = {}
    routes: Mapping[str, JsonObject] = {}
    allowed: Mapping[str, JsonObject] = {}  # OpenClaw's `agents.defaults.models`
    order: Mapping[str, tuple[str, ...]] = {}  # provider → profile ids
    credentials: tuple[Credential, ...] = ()
    left_out: tuple[str, ...] = ()  # each with place and reason
    notes: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing was found that could be brought over."""
        named = self.primary or self.fallbacks or self.aliases or self.routes or self.notes
        return not (self.providers or self.credentials or named)
