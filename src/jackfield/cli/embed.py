"""`embed`: texts as vectors, one JSON array per line."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from jackfield.cli import ui
from jackfield.cli.attach import load_text, read_message
from jackfield.cli.context import Context, json_option, pass_context
from jackfield.errors import UsageError

if TYPE_CHECKING:
    from jackfield.embedding import EmbedRequest, EmbedResponse

PURPOSES = ("query", "document", "classification", "clustering", "similarity")


@click.command(short_help="Turn texts into vectors.")
@click.argument("texts", metavar="[TEXT]...", nargs=-1)
@click.option("-m", "--model", metavar="REF", required=True, help="The embedding model, as provider/model.")
@click.option("-f", "--file", "files", metavar="PATH", multiple=True, help="A text to add ('-': standard input).")
@click.option("--dimensions", metavar="N", type=click.IntRange(min=1), help="How long the vectors shall be.")
@click.option("--purpose", metavar="WORD", type=click.Choice(PURPOSES), help=f"What for: {', '.join(PURPOSES)}.")
@click.option("--profile-id", metavar="ID", help="Use this credential and no other.")
@json_option
@pass_context
def embed(context: Context, /, texts: tuple[str, ...], files: tuple[str, ...], **options: Any) -> None:
    """Turn texts into vectors: one JSON array per line, in the order of the texts, files last.

    \b
      jackfield embed --model openai/text-embedding-3-small "Hello" "World"
      jackfield embed --model ollama/nomic-embed-text --file notes.txt
    """
    import asyncio

    from jackfield.embedding import EmbedRequest

    inputs = [*texts, *(load_text(path) for path in files)]
    if not inputs and not sys.stdin.isatty():
        inputs = [read_message()]
    if not inputs or not all(text.strip() for text in inputs):
        raise UsageError("a text is empty, or none is given", hint='jackfield embed --model provider/model "Hello"')
    context.tell_warnings()
    request = EmbedRequest(
        model=options["model"], inputs=inputs, dimensions=options["dimensions"], purpose=options["purpose"]
    )
    reply = asyncio.run(_embed(context, request, options["profile_id"]))
    if options["as_json"]:
        ui.as_json(render_reply(reply))
        return
    for warning in reply.warnings:
        ui.warn(warning)
    for vector in reply.vectors:
        ui.out(json.dumps(vector))


async def _embed(context: Context, request: EmbedRequest, profile_id: str | None) -> EmbedResponse:
    async with context.open_client() as client:
        return await client.embed(request, profile_id=profile_id)


def render_reply(reply: EmbedResponse) -> dict[str, Any]:
    """Return vectors as the object `embed --json` prints."""
    return {
        "ok": True,
        "model": reply.model,
        "requested": reply.requested,
        "vectors": [list(vector) for vector in reply.vectors],
        "usage": {"input": reply.usage.input, **({"estimated": True} if reply.usage.estimated else {})},
        "costUsd": None if reply.cost_usd is None else format(reply.cost_usd, "f"),
        "warnings": list(reply.warnings),
    }
