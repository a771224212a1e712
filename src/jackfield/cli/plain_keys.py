"""Keys that stand in a file as they are, and how they get into the credential store.

A key of the config or of the home's `.env` becomes a profile, and its line goes. The backup that
stays beside the config, and its history, have the moved key blotted out: it is in the store, and nowhere else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from jackfield.auth.keyring import save_entry
from jackfield.auth.plain import SHORTEST_KEY, is_plain_key
from jackfield.auth.record import render_ref
from jackfield.auth.sources import entry_of, needs_no_key, variables
from jackfield.cli.context import Context
from jackfield.cli.signin import keep_profile
from jackfield.config.disk import hold_lock, save_text
from jackfield.config.environment import VARIABLE, parse_dotenv
from jackfield.config.history import blot
from jackfield.config.keypath import KeyPath, render_path
from jackfield.config.mask import find_secrets, is_telling
from jackfield.config.node import Node
from jackfield.config.read import place
from jackfield.config.save import Edit, EditResult, Set, Unset, edit_config, hold_config
from jackfield.config.source import load_tree, read_text
from jackfield.config.table import PROVIDER
from jackfield.credential import ProfileType, Secret, SecretRef
from jackfield.model import ProviderInfo
from jackfield.setup.profile import make_profile

LONG_WORD = 20  # characters
MOVED = "moved to the credential store"
STAYS = {"profile_id": ""}  # what says of a key that it is not moved
BY_HAND = 'put it into a file of its own and refer to it: {source: "file", id: "~/…"}'


class PlainKey(Struct, frozen=True, kw_only=True):
    """One key in a file."""

    place: str  # in words: file, line and path
    secret: Secret
    provider: str = ""
    profile_id: str = ""  # what it becomes; empty: only its owner can move it
    type: ProfileType = "api_key"
    paths: tuple[KeyPath, ...] = ()  # in the config: the key, and who asks for it
    variable: str = ""  # in the home's `.env`
    entry: str = ""  # of the keyring, for what is no profile
    advice: str = ""

    @property
    def target(self) -> str:
        """What it becomes, in words; empty when it stays."""
        return self.profile_id or (self.entry and "an entry of its own")


def find_plain_keys(context: Context) -> Iterator[PlainKey]:
    """Yield the keys of the config, of its `env` block, and of the dotenv files."""
    root = load_tree(context.paths.config, context.environ)[0]
    yield from _in_providers(context, root)
    yield from _in_block(context, root)
    for file in dict.fromkeys((context.paths.dotenv, context.cwd / ".env")):
        yield from _in_dotenv(context, file, root)


def _in_providers(context: Context, root: Node) -> Iterator[PlainKey]:
    entries = root.find(("models", "providers"))
    for name, entry in entries.value.items() if entries and entries.kind == "object" else ():
        info = context.catalog.provider(name)
        for node in find_secrets(entry, PROVIDER):
            steps = next((path for path, each in _walk(entry) if each is node), ())
            path = ("models", "providers", name, *steps)
            # Most headers name a program or a page.
            if not _is_plain(node.value, context, info) or not is_telling(str(path[-1])):
                continue
            found = PlainKey(
                place=f"{place(node)}, {render_path(path)}", secret=Secret(node.value), paths=(path,), advice=BY_HAND
            )
            if info and steps == ("apiKey",):
                found = _movable(context, info, found)
            elif context.store.keyring and steps[:1] == ("headers",):
                found = replace(found, entry=f"{render_path(path)} in {context.paths.home}")
            yield found


def _in_block(context: Context, root: Node) -> Iterator[PlainKey]:
    for steps in (("env",), ("env", "vars")):
        block = root.find(steps)
        for name, node in block.value.items() if block and block.kind == "object" else ():
            if node.kind == "string" and len(node.value.strip()) >= SHORTEST_KEY:
                where = f"{place(node)}, {render_path((*steps, name))}"
                found = PlainKey(place=where, secret=Secret(node.value), paths=((*steps, name),), advice=BY_HAND)
                yield from _of_variable(context, root, name, found)


def _in_dotenv(context: Context, file: Path, root: Node) -> Iterator[PlainKey]:
    try:
        said = parse_dotenv(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError):
        return
    is_ours = file == context.paths.dotenv
    for name, value in said.items():
        if len(value.strip()) >= SHORTEST_KEY:
            # The folder's own `.env` is also there for other programs.
            advice = BY_HAND if is_ours else f"other programs may read {file} too; only you know"
            found = PlainKey(place=f"{file}, {name}", secret=Secret(value), variable=name, advice=advice)
            yield from (
                replace(each, **({} if is_ours else STAYS)) for each in _of_variable(context, root, name, found)
            )


def _of_variable(context: Context, root: Node, name: str, found: PlainKey) -> Iterator[PlainKey]:
    """Yield what a variable's value is, when it is a key: of a provider that knows the name, or that the config gives it to."""
    mentions = [path for path, node in _walk(root) if node.kind == "string" and _asks_for(node.value, name)]
    asking = next(iter(mentions), ())
    is_key = asking[:2] == ("models", "providers") and asking[3:] == ("apiKey",)
    info = context.catalog.provider(str(asking[2])) if is_key else _owner(context, name)
    if info is None or _is_word(found.secret.reveal(), info):
        return
    text = root.find(asking) if is_key else None
    # Used in several places, or as part of a longer text: it must stay where it is.
    if mentions and (len(mentions) > 1 or text is None or text.value not in {name, f"${{{name}}}"}):
        yield replace(found, **STAYS)
    else:
        yield _movable(context, info, found, *((asking,) if is_key else ()))


def _movable(context: Context, info: ProviderInfo, found: PlainKey, *paths: KeyPath) -> PlainKey:
    entry = entry_of(info, context.config)
    is_token = "OAUTH_TOKEN" in found.place or (entry is not None and entry.auth == "token")
    return replace(
        found,
        secret=Secret(found.secret.reveal().strip()),
        provider=info.id,
        profile_id=_free_id(context, info.id, found.secret),
        type="token" if is_token else "api_key",
        paths=(*found.paths, *paths),
    )


def _free_id(context: Context, provider: str, secret: Secret) -> str:
    """Return the first profile id that is not taken by another key."""
    stored = {profile.id: profile for profile in context.store.list()}
    ids = [f"{provider}:default", *(f"{provider}:moved{number or ''}" for number in range(len(stored) + 1))]
    return next(each for each in ids if each not in stored or stored[each].secret == secret)


# -- moving ------------------------------------------------------------------------


def preview(context: Context, keys: Sequence[PlainKey]) -> str:
    """Return what the config's change looks like; writes nothing."""
    edits = _edits(context, keys)
    return edit_config(context.paths, edits, environ=context.environ, dry_run=True).diff if edits else ""


def move(context: Context, keys: Sequence[PlainKey]) -> None:
    """Store each key as a profile, then take it out of its file; a key is never in neither."""
    edits = _edits(context, keys)
    if edits:  # a config that cannot take the change stops us before anything is stored
        edit_config(context.paths, edits, environ=context.environ, dry_run=True)
    for key in keys:
        if key.entry:
            save_entry(SecretRef("keyring", key.entry), key.secret.reveal())
        elif info := context.catalog.provider(key.provider):
            keep_profile(context, info, make_profile(info, key.profile_id, key.type, key.secret.reveal()))
    if edits:
        _blot(context, edit_config(context.paths, edits, environ=context.environ), keys)
    _shorten(context.paths.dotenv, {key.variable for key in keys if key.variable})


def _edits(context: Context, keys: Sequence[PlainKey]) -> list[Edit]:
    edits: list[Edit] = [Unset(path) for key in keys if key.profile_id for path in key.paths]
    edits += [Set(path, render_ref(SecretRef("keyring", key.entry))) for key in keys if key.entry for path in key.paths]
    for provider, ids in context.config.auth_order.items():
        # The config's own key was tried last.
        new = [key.profile_id for key in keys if key.provider == provider and key.profile_id not in ids]
        edits += [Set(("auth", "order", provider), [*ids, *new])] if new else []
    return edits


def _blot(context: Context, result: EditResult, keys: Sequence[PlainKey]) -> None:
    for file in result.files:
        backup = file.with_name(f"{file.name}.bak")
        text = read_text(backup) or ""
        for key in keys:
            text = text.replace(key.secret.reveal(), MOVED)
        save_text(backup, text)
    with hold_config(context.paths):
        for key in keys:
            blot(context.paths, key.secret.reveal(), MOVED)


def _shorten(file: Path, names: set[str]) -> None:
    if not names:
        return
    with hold_lock(file.with_name(f".{file.name}.lock")):
        lines = file.read_text("utf-8").splitlines(keepends=True)
        start = re.compile(rf"\s*(?:export\s+)?(?:{'|'.join(map(re.escape, sorted(names)))})\s*=")
        save_text(file, "".join(line for line in lines if not start.match(line)))


# -- what is a key -----------------------------------------------------------------


def _is_plain(text: str, context: Context, info: ProviderInfo | None) -> bool:
    # The name of a variable is no key.
    is_name = bool(context.config.environ.get(text.strip()))
    return is_plain_key(text) and not is_name and not (info and _is_word(text, info))


def _is_word(text: str, info: ProviderInfo) -> bool:
    """Tell whether a text only stands where a key would: a server of this house takes any word."""
    return needs_no_key(info) and len(text.strip()) < LONG_WORD


def _owner(context: Context, variable: str) -> ProviderInfo | None:
    """Return the provider whose key a variable holds."""
    for name in context.catalog.provider_ids():
        info = context.catalog.provider(name)
        if info and variable in variables(info):
            return info
    return None


def _asks_for(text: str, variable: str) -> bool:
    return text == variable or variable in [match[2] for match in VARIABLE.finditer(text)]


def _walk(node: Node, path: KeyPath = ()) -> Iterator[tuple[KeyPath, Node]]:
    yield path, node
    children = node.value.items() if node.kind == "object" else enumerate(node.value) if node.kind == "array" else ()
    for step, child in children:
        yield from _walk(child, (*path, step))
