"""Choosing the models that may be used: writes `agents.defaults.models`, and only on request."""

from __future__ import annotations

from jackfield.auth.resolve import is_available
from jackfield.cli import ask, ui
from jackfield.cli.context import Context
from jackfield.cli.models_menu import label_models
from jackfield.config.save import edit_config
from jackfield.setup.allow import make_edits


def choose(context: Context) -> None:
    """Ask which models may be used, show the change, and write it on yes; no mark means no allowlist."""
    before = context.config.configured
    options = _options(context)
    if not options:
        ui.note("there is no model to choose yet; set up a provider first")
        return
    chosen = ask.pick_many("Models that may be used", options, before)
    if (
        not chosen
        and before
        and not ask.confirm("Clear the model allowlist? Every model may be used then.", default=False)
    ):
        return
    primary = context.config.primary
    if chosen and primary and primary not in chosen:
        ui.note(f"the default model stays on it: {primary}")
        chosen = [primary, *chosen]
    edits = make_edits(before, chosen)
    result = edit_config(context.paths, edits, environ=context.environ, dry_run=True)
    if not result.diff:
        ui.note("no change")
        return
    ui.note(result.diff.rstrip())
    if ask.confirm("Write this?"):
        edit_config(context.paths, edits, environ=context.environ)
        context.reload()
        ui.out(f"Updated {result.path}")


def _options(context: Context) -> list[tuple[str, str]]:
    catalog, config, now_ms = context.catalog, context.config, context.now_ms()
    found = {ref: ref for ref in config.configured}
    for name in catalog.provider_ids():
        info = catalog.provider(name)
        # A server of this machine counts where the config speaks of it; the built-in ones may not even run.
        at_hand = info and (not info.local or name in config.providers)
        if info and at_hand and is_available(info, config, context.store, now_ms):
            found |= {f"{name}/{model}": f"{name}/{label}" for label, model in label_models(catalog.models(name), info)}
    return [(label, ref) for ref, label in found.items()]
