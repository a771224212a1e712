"""`chat`: ask once (message or piped input), or hold a conversation on a terminal."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from msgspec.structs import replace

from jackfield.cli import answer, ui
from jackfield.cli.amount import Usd
from jackfield.cli.attach import load_attachment, read_message
from jackfield.cli.context import Context, pass_context
from jackfield.cli.media import keep_media
from jackfield.errors import ConfigError, Error, UsageError
from jackfield.message import EFFORTS, ChatRequest, ChatResponse, Message, ResponseFormat, TextBlock, Thinking, Tool


class Heat(click.FloatRange):
    """A number in a range; `nan`, which no comparison catches, is none."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the number, or fail as click does."""
        number = super().convert(value, param, ctx)
        return self.fail(f"{value!r} is not a number", param, ctx) if number != number else number  # noqa: PLR0124


@click.command(short_help="Ask a model once, or hold a conversation.")
@click.argument("message", required=False)
@click.option("-m", "--model", metavar="REF", default="", help="provider/model, an alias or a route; else the default.")
@click.option("-s", "--system", metavar="TEXT", help="Instructions for the model.")
@click.option(
    "-f",
    "--file",
    "--image",
    "files",
    metavar="PATH",
    multiple=True,
    help="Attach a picture, PDF, sound, film or text ('-': standard input).",
)
@click.option("--json", "as_json", is_flag=True, help="Print the whole reply as one JSON object.")
@click.option("--no-stream", is_flag=True, help="Ask for the whole answer at once.")
@click.option(
    "--thinking", metavar="LEVEL", type=click.Choice(EFFORTS), help=f"How hard to think: {', '.join(EFFORTS)}."
)
@click.option("--max-tokens", metavar="N", type=click.IntRange(min=1), help="The longest answer, in tokens.")
@click.option(
    "--max-cost", metavar="USD", type=Usd(), help="The most all of this may cost; what may cost more is not asked."
)
@click.option(
    "--session", metavar="ID", default="", help="Count it to this session, whose budget and prompt cache it shares."
)
@click.option("--temperature", metavar="T", type=Heat(0, 2), help="0 is steady, 1 and more is lively.")
@click.option("--schema", metavar="FILE", help="A JSON Schema (or '{}' for any JSON) the answer must fit.")
@click.option("--search", is_flag=True, help="Let the model search the web, where its provider can.")
@click.option("--save", metavar="DIR", help="Save pictures and sound of the answer there.")
@click.option("--fallback", "fallbacks", metavar="REF", multiple=True, help="Try this model when the others fail.")
@click.option("--strict", is_flag=True, help="Fail when the model's protocol cannot carry part of the request.")
@click.option("--record", metavar="DIR", help="Keep every exchange in this folder, without its secrets.")
@click.option("--replay", metavar="DIR", help="Answer from exchanges kept in this folder; no network, no key.")
@click.option("--profile-id", metavar="ID", help="Use this credential and no other.")
@click.option("--dry-run", is_flag=True, help="Say which models would be asked, and why; send nothing.")
@pass_context
def chat(context: Context, /, message: str | None, files: tuple[str, ...], **options: Any) -> int:
    """Ask a model once, or hold a conversation.

    \b
      jackfield chat --model venice/llama-3.3-70b "Hello"
      jackfield chat -f photo.png "What is this?"
      git diff | jackfield chat -f - "Write a commit message"
      jackfield chat                        a conversation; /help lists its commands
    """
    if options["record"] and options["replay"]:
        raise UsageError("choose either --record or --replay, not both")
    context.record, context.replay = options["record"], options["replay"]
    context.max_cost_usd = options["max_cost"]
    blocks = [load_attachment(path) for path in files]
    if message is None and "-" not in files and not sys.stdin.isatty():
        message = read_message()
        if not message and not blocks:
            raise UsageError("standard input is empty", hint='give a message: jackfield chat "Hello"')
    elif message is not None and not message.strip() and not blocks:
        raise UsageError("the message is empty", hint='give one: jackfield chat "Hello"')
    request = to_request(options)
    context.tell_warnings()
    if not request.model and not context.config.primary:
        raise without_default(context)
    content = [*blocks, *([TextBlock(message)] if message else [])]
    if options["dry_run"]:
        from jackfield.cli.why import tell_plan

        how = {name: options[name] for name in ("as_json", "fallbacks", "profile_id", "session")}
        tell_plan(context, with_turn(request, Message("user", content)), **how)
        return 0
    if message is None and not blocks:
        if options["as_json"]:
            raise UsageError("--json needs a message", hint='jackfield chat --json "Hello"')
        from jackfield.cli.conversation import converse

        converse(context, request, options)
        return 0
    request = with_turn(request, Message("user", content))
    reply = asyncio.run(ask(context, request, options))
    try:
        saved = keep_media(reply, options["save"])
    except Error as error:
        # The answer is paid for: one whose files cannot be saved is printed all the same.
        tell(context, replace(reply, warnings=(*reply.warnings, error.message)), as_json=options["as_json"])
        ui.fail(error)
        return ui.exit_code(error)
    tell(context, reply, saved, as_json=options["as_json"])
    return 0


def tell(context: Context, reply: ChatResponse, saved: Sequence[Path] = (), *, as_json: bool) -> None:
    """Print a reply as JSON; or, where its words are printed already, what a person should know of it."""
    if as_json:
        ui.as_json(answer.render_reply(reply, saved))
        return
    answer.remark(reply)
    if context.verbose:
        ui.note(summary(reply))


async def ask(context: Context, request: ChatRequest, options: dict[str, Any]) -> ChatResponse:
    """Ask one question, print the answer unless JSON is wanted, and return it."""
    how = {name: options[name] for name in ("fallbacks", "profile_id", "strict", "session")}
    async with context.open_client() as client:
        if options["as_json"] or options["no_stream"]:
            reply = await client.chat(request, **how)
            if reply.text and not options["as_json"]:
                ui.out(reply.text)
        else:
            shows = context.verbose or ui.is_terminal(sys.stderr)
            reply = await answer.show(client.stream(request, **how), show_thinking=shows)
        if context.verbose and not options["as_json"]:
            answer.tell_quota(client, reply)
    if client.journal and client.journal.trouble:
        ui.warn(client.journal.trouble)
    answer.check_answer(reply, wants_json=request.response_format is not None)
    return reply


def without_default(context: Context) -> ConfigError:
    """Return the error of a question to nobody; its hint names what could answer here and now."""
    from jackfield.setup.rows import Listing

    first: dict[str, str] = {}
    for row in Listing(context).usable():
        if row.info is not None:
            favourite = f"{row.info.id}/{row.info.default_model}"
            first.setdefault(row.info.id, favourite if row.info.default_model else row.key)
    ready = [f'ready to use: jackfield chat --model {ref} "…"' for ref in list(first.values())[:3]]
    ready = ready or ["set up a provider: jackfield onboard"]
    return ConfigError(
        "no model is named and no default is set",
        hint="\n".join([*ready, "choose a default: jackfield models set provider/model"]),
    )


def to_request(options: dict[str, Any]) -> ChatRequest:
    """Make a request without a message from the command's options."""
    level = options["thinking"]
    return ChatRequest(
        model=options["model"],
        system=[TextBlock(options["system"])] if options["system"] else (),
        max_tokens=options["max_tokens"],
        temperature=options["temperature"],
        thinking=Thinking(level) if level else None,
        tools=[Tool("web_search", builtin="web_search")] if options["search"] else (),
        response_format=load_schema(options["schema"]) if options["schema"] else None,
    )


def with_turn(request: ChatRequest, *turns: Message) -> ChatRequest:
    """Return the request with further turns."""
    return replace(request, messages=(*request.messages, *turns))


def load_schema(text: str) -> ResponseFormat:
    """Read a JSON Schema from a file or from the argument itself; `{}` asks for any JSON object."""
    try:
        raw = text if text.lstrip().startswith("{") else Path(text).expanduser().read_text("utf-8")
        schema = json.loads(raw)
    except OSError as error:
        raise UsageError(f"cannot read the schema {text}: {(error.strerror or str(error)).lower()}") from error
    except (ValueError, RecursionError) as error:
        shown = f"{text[:40]}…" if len(text) > 40 else text
        raise UsageError(f"the schema {shown} is not JSON: {error}") from error
    if not isinstance(schema, dict):
        raise UsageError(f"the schema {text} is not a JSON object")
    return ResponseFormat(schema or None, name=str(schema.get("title") or "answer"))


def summary(reply: ChatResponse) -> str:
    """Say in one line who answered, in how many tokens, for how much."""
    from jackfield.catalog.price import shown

    usage = reply.usage
    about = "~" if usage.estimated else ""
    said = (("in", usage.input), ("out", usage.output))
    counts = [f"{about}{count} {name}" for name, count in said if count is not None]
    cost = [f"{about}{shown(reply.cost_usd)}"] if reply.cost_usd is not None else []
    took = [f"{attempt.ms} ms" for attempt in reply.attempts if attempt.reason is None]
    return " · ".join([reply.model, *counts, *cost, *took])
