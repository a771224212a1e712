"""The hooks: all that a plugin written in Python may answer to. Values only, no secrets of anybody's.

A plugin is a module, or an object, with any of the functions of `Plugin`; what it does not have is
not asked. Models that only need a row need no Python: a TOML file is a plugin too.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from msgspec import Struct

from jackfield.credential import Profile
from jackfield.message import Attempt
from jackfield.model import ProviderInfo


class Outgoing(Struct, frozen=True):
    """A request about to leave, as far as a plugin sees it: without its credential."""

    model: str  # `provider/model`; of a list of models the provider alone
    method: str
    url: str  # without user names and keys
    body: bytes


class Talk(Protocol):
    """The person at the terminal."""

    def tell(self, text: str) -> None:
        """Show a line."""

    def ask(self, question: str) -> str:
        """Return what the person types."""

    def ask_secret(self, question: str) -> str:
        """Return what the person types unseen."""


class Plugin(Protocol):
    """Five hooks, each for what neither a row nor the config can say."""

    def configure(self, settings: Mapping[str, Any]) -> None:
        """Take `plugins.entries.<id>.config`; called once, before every other hook."""

    def providers(self) -> Iterable[ProviderInfo]:
        """Return providers whose rows are made, not written: out of a company's registry. Asks no network."""

    def headers(self, request: Outgoing) -> Mapping[str, str]:
        """Return headers that a company's gateway wants: a trace's id, a cost centre. None replaces one of ours."""

    def on_attempt(self, attempt: Attempt) -> None:
        """Hear of a try that ended, well or not: for logs and meters. The caller waits; be quick."""

    def sign_in(self, provider: str, talk: Talk) -> Profile:
        """Return the credential of a login of one's own, for a way to sign in whose row names this plugin."""
