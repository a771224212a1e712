"""From files and the environment to one `Config`.

The order is part of the format: dotenv files, JSON5, `$include`, the `env` block, `${NAME}`,
then the check against the tables. A variable without a value breaks only what uses it.
Model rows stay as written; the contract's defaults are the catalog's business.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from msgspec import Struct, convert
from msgspec.structs import replace

from jackfield.config.environment import add_block, load_environ
from jackfield.config.gateway import read_callers, read_server
from jackfield.config.node import Node, Source
from jackfield.config.paths import CONFIG_NAME, Paths
from jackfield.config.provider import build_providers, build_routes
from jackfield.config.read import Reader
from jackfield.config.registry import read_registry
from jackfield.config.schema import Config, Environ, InvalidConfig, Issue
from jackfield.config.select import (
    read_aliases,
    read_allow,
    read_choice,
    read_defaults,
    read_params,
    read_plugin_rules,
    read_plugins,
    read_profiles,
)
from jackfield.config.source import ON_DISK, load_tree
from jackfield.config.spend import BudgetRules
from jackfield.config.table import ENV, ROOT
from jackfield.credential import Secret
from jackfield.message import JsonObject


class Checked(Struct, frozen=True):
    """A config with everything that is wrong with it; fit for use only where `issues` is empty."""

    config: Config
    issues: tuple[Issue, ...]


def load_config(paths: Paths, environ: Mapping[str, str], *, cwd: Path) -> Config:
    """Return the effective config; an absent file is an empty one.

    Raises `InvalidConfig` with every issue. Two things are none: a missing variable (see
    `ProviderConfig.missing`), and an unknown provider without a base URL: only the catalog
    knows which ids are known, and says so when that provider is used.
    """
    checked = check_config(paths, environ, cwd=cwd)
    if checked.issues:
        raise InvalidConfig(checked.issues)
    return checked.config


def check_config(
    paths: Paths, environ: Mapping[str, str], *, cwd: Path, texts: Mapping[Path, str] = ON_DISK
) -> Checked:
    """Return the config and what is wrong with it; raises `InvalidConfig` only when a file cannot be read or parsed.

    `texts` stand in for what files hold on disk, by resolved path.
    """
    effective, warnings = load_environ(environ, paths.dotenv, cwd)
    root, sources = load_tree(paths.config, effective, texts)
    if paths.config != paths.home / CONFIG_NAME and not (texts or paths.config.exists()):
        warnings.append(f"{paths.config} does not exist: every default holds")
    checked = check_tree(paths, effective, root, [*warnings, *_repeated(sources)])
    registry = read_registry(paths, effective)
    if not registry.providers and not registry.warnings:
        return checked
    config = replace(
        checked.config,
        providers=registry.providers | dict(checked.config.providers),
        warnings=(*checked.config.warnings, *registry.warnings),
    )
    return Checked(config, checked.issues)


def check_tree(paths: Paths, effective: Environ, root: Node, warnings: Sequence[str] = ()) -> Checked:
    """Return what a tree says and what is wrong with it; its `env` block completes `effective`."""
    add_block(effective, _env_block(root))
    reader = Reader(effective)
    said = reader.read(root, ROOT)
    if not isinstance(said, dict):
        return Checked(Config(paths=paths, environ=effective), tuple(reader.issues))
    defaults = read_defaults(root, said, reader)
    models, auth = said.get("models", {}), said.get("auth", {})
    _warn_of_ids(root, reader)
    text, image = (read_choice(defaults, key, root, reader) for key in ("model", "imageModel"))
    config = Config(
        paths=paths,
        environ=effective,
        mode=models.get("mode", "merge"),
        providers=build_providers(models.get("providers", {}), reader.missing),
        primary=text.primary,
        fallbacks=text.fallbacks,
        image_primary=image.primary,
        image_fallbacks=image.fallbacks,
        aliases=read_aliases(defaults, models, root, reader),
        configured=tuple(defaults.get("models", ())),
        allow=read_allow(defaults, root),
        routes=build_routes(models.get("routes", {})),
        params=read_params(defaults),
        auth_order={provider.strip().lower(): tuple(ids) for provider, ids in auth.get("order", {}).items()},
        auth_profiles=read_profiles(auth),
        auth_store=auth.get("store", "file"),
        failure_window_hours=auth.get("cooldowns", {}).get("failureWindowHours", 24),
        plugins=read_plugins(said.get("plugins", {})),
        plugin_rules=read_plugin_rules(said.get("plugins", {})),
        budget=convert(models.get("budget", {}), BudgetRules),
        spill_at=auth.get("spillAt"),
        callers=read_callers(said.get("gateway", {})),
        server=read_server(said.get("gateway", {})),
        min_privacy=models.get("policy", {}).get("minPrivacy"),
        max_wait_s=models.get("policy", {}).get("maxWait"),
        thinking_default=defaults.get("thinkingDefault"),
        timeout_s=defaults.get("timeoutSeconds"),
        warnings=(*warnings, *reader.warnings, *(str(missing) for _, missing in reader.missing)),
    )
    return Checked(config, tuple(reader.issues))


def _warn_of_ids(root: Node, reader: Reader) -> None:
    path = ("models", "providers")
    entries = root.find(path)
    if entries is None or entries.kind != "object":
        return
    for id_ in entries.value:
        if "/" in id_ or not id_.strip():
            reader.warn(
                entries.value[id_], (*path, id_), "can never be named as provider/model; give it an id without a slash"
            )


def _env_block(root: Node) -> dict[str, str]:
    node = root.find(("env",))
    said: JsonObject = Reader(Environ()).read(node, ENV) if node and node.kind == "object" else {}
    block = {**said.get("vars", {}), **said}
    return {name: value.reveal() for name, value in block.items() if isinstance(value, Secret)}


def _repeated(sources: Sequence[Source]) -> Iterator[str]:
    for source in sources:
        for key, offset in source.repeated:
            line, column = source.locate(offset)
            yield f"{source.name}:{line}:{column}: the key {key!r} is written twice; the later one holds"
