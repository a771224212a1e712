"""What setting up a provider writes: a credential, and a few lines of config. Asks nobody.

A key goes into the credential store and nowhere else. The default model changes only when
there is none or the user says so; an allowlist is extended, never begun.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from jackfield.cli.context import Context
from jackfield.cli.plugins import make_edits as switch
from jackfield.cli.signin import keep_profile, warn_if_unused
from jackfield.config.save import Append, Edit, EditResult, Set, edit_config
from jackfield.config.schema import Config
from jackfield.credential import Profile
from jackfield.message import JsonObject
from jackfield.model import ProviderInfo
from jackfield.plugins.load import is_enabled
from jackfield.setup.choose import said


class Setup(Struct, frozen=True, kw_only=True):
    """One provider, ready to be written."""

    choice: str  # the id `--auth-choice` takes
    info: ProviderInfo
    profile: Profile | None = None  # to be stored; `None`: there is nothing to store
    stored_id: str | None = None  # the profile that is there already and stays as it is
    origin: str = ""  # in words where the key came from
    model: str | None = None  # the id to start with; `None`: none is known, or the user keeps what is set
    alias: str = ""  # a short name for that model
    set_default: bool = False  # make it the default even where there is one
    entry: JsonObject = {}  # what `models.providers.<id>` has to say
    plugin: str = ""  # bundled plugin to enable

    @property
    def ref(self) -> str | None:
        """The model as `provider/model`."""
        return f"{self.info.id}/{self.model}" if self.model else None

    @property
    def profile_id(self) -> str | None:
        """The credential that will be used."""
        return self.profile.id if self.profile else self.stored_id


def becomes_default(setup: Setup, config: Config) -> bool:
    """Tell whether the model becomes the default."""
    return setup.ref is not None and (setup.set_default or config.primary is None)


def make_edits(setup: Setup, config: Config, raw: JsonObject) -> list[Edit]:
    """Return the changes to a config as authored (`raw`); none where it says all this already."""
    return [
        *_provider_edits(setup, raw),
        *_default_edits(setup, config, raw),
        *_alias_edits(setup, config),
        *_profile_edits(setup, raw),
        *(enabling(setup.plugin, config, raw) if setup.plugin else ()),
    ]


def enabling(plugin: str, config: Config, raw: JsonObject) -> list[Edit]:
    """Return what lets a plugin run, nothing where it may; raises `ConfigError` where the config forbids it."""
    return [] if is_enabled(config, plugin) else switch(plugin, raw, on=True)


def preview(context: Context, setup: Setup) -> str:
    """Return the config's diff; writes nothing."""
    return _edit(context, setup, dry_run=True).diff


def apply(context: Context, setup: Setup) -> EditResult:
    """Write the credential, then the config; return what changed there. Nothing is touched where nothing changes."""
    before = _edit(
        context, setup, dry_run=True
    )  # a config that cannot take the change stops us before the key is stored
    if not setup.profile and not before.diff:
        return before
    if setup.profile:
        keep_profile(context, setup.info, setup.profile)
    result = _edit(context, setup)
    context.reload()
    if setup.profile:
        warn_if_unused(context, setup.info, setup.profile)
    return result


def _edit(context: Context, setup: Setup, *, dry_run: bool = False) -> EditResult:
    config = context.config
    return edit_config(
        context.paths, lambda raw: make_edits(setup, config, raw), environ=context.environ, dry_run=dry_run
    )


def _provider_edits(setup: Setup, raw: JsonObject) -> Iterator[Edit]:
    path = ("models", "providers", setup.info.id)
    written = {row.get("id") for row in _at(raw, *path).get("models", ())}
    for key, value in setup.entry.items():
        if key == "models":
            yield from (Append((*path, key), row) for row in value if row["id"] not in written)
        else:
            yield Set((*path, key), value)


def _default_edits(setup: Setup, config: Config, raw: JsonObject) -> Iterator[Edit]:
    if setup.ref is None:
        return
    defaults = _at(raw, "agents", "defaults")
    if becomes_default(setup, config):
        # The short form, a plain text, stays a text.
        form = () if isinstance(defaults.get("model"), str) else ("primary",)
        yield Set(("agents", "defaults", "model", *form), setup.ref)
    if defaults.get("models") and setup.ref not in defaults["models"]:
        yield Set(("agents", "defaults", "models", setup.ref), {})


def _alias_edits(setup: Setup, config: Config) -> Iterator[Edit]:
    if setup.alias and setup.ref and setup.alias.lower() not in config.aliases:
        yield Set(("models", "aliases", setup.alias), setup.ref)


def _profile_edits(setup: Setup, raw: JsonObject) -> Iterator[Edit]:
    if setup.profile is None:
        return
    order = _at(raw, "auth", "order").get(setup.info.id)
    if isinstance(order, list) and setup.profile.id not in order:
        yield Set(("auth", "order", setup.info.id), [setup.profile.id, *order])
    if setup.profile.id in _at(raw, "auth", "profiles"):
        yield Set(("auth", "profiles", setup.profile.id, "mode"), setup.profile.type)


def _at(raw: JsonObject, *path: str) -> JsonObject:
    """Return the object at a path; an empty one where there is none."""
    value = said(raw, path)
    return value if isinstance(value, dict) else {}
