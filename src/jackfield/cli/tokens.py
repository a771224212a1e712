"""`tokens`: how many tokens a question is, counted by its model's provider or estimated."""

from __future__ import annotations

import sys

import click

from jackfield.cli import ui
from jackfield.cli.attach import load_attachment, read_message
from jackfield.cli.context import Context, json_option, pass_context
from jackfield.errors import UsageError
from jackfield.message import ChatRequest, Message, TextBlock, TokenCount


@click.command(short_help="Count the tokens of a question.")
@click.argument("message", metavar="[TEXT]", required=False)
@click.option("-m", "--model", metavar="REF", default="", help="provider/model, an alias or a route; else the default.")
@click.option("-s", "--system", metavar="TEXT", help="Instructions for the model.")
@click.option("-f", "--file", "files", metavar="PATH", multiple=True, help="Attach a file ('-': standard input).")
@json_option
@pass_context
def tokens(
    context: Context, model: str, message: str | None, system: str | None, files: tuple[str, ...], as_json: bool
) -> None:
    """Count the tokens of a question without asking it.

    Its provider counts where it can; else the number is an estimate, and standard error says so.

    \b
      jackfield tokens "Hello"
      jackfield tokens --model anthropic/claude-sonnet-4-5 -f report.pdf "Sum this up"
      git diff | jackfield tokens
    """
    import asyncio

    blocks = [load_attachment(path) for path in files]
    if message is None and "-" not in files and not sys.stdin.isatty():
        message = read_message()
    if not blocks and not message:
        raise UsageError("there is nothing to count", hint='give a text: jackfield tokens "Hello"')
    context.tell_warnings()
    if not model and not context.config.primary:
        from jackfield.cli.chat import without_default

        raise without_default(context)
    content = [*blocks, *([TextBlock(message)] if message else [])]
    system_text = [TextBlock(system)] if system else ()
    request = ChatRequest(model=model, system=system_text, messages=[Message("user", content)])
    ref, found = asyncio.run(_count(context, request))
    if as_json:
        counted = {"tokens": found.tokens, "estimated": found.estimated, "source": found.source}
        ui.as_json({"ok": True, "model": ref, **counted})
        return
    ui.out(str(found.tokens))
    if found.estimated:
        ui.note(f"an {found.source}")


async def _count(context: Context, request: ChatRequest) -> tuple[str, TokenCount]:
    async with context.open_client() as client:
        return str(client.plan(request).candidates[0].ref), await client.count_tokens(request)
