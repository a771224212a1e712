"""A conversation on a terminal: lines in, answers out, and commands that begin with a slash.

Ctrl-C stops the answer and not the program; Ctrl-D leaves. A line that ends in a backslash
goes on; Alt-Enter starts a new line; what was typed before is one arrow key away.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from msgspec.structs import replace
from prompt_toolkit import PromptSession
from prompt_toolkit.completion import WordCompleter
from prompt_toolkit.history import FileHistory, InMemoryHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.output import create_output

from jackfield.cli import answer, ui
from jackfield.cli.attach import load_attachment
from jackfield.cli.chat import summary, with_turn
from jackfield.cli.context import Context
from jackfield.client import AsyncClient
from jackfield.errors import Error, UsageError
from jackfield.message import Block, ChatRequest, ChatResponse, Message, TextBlock, ToolCall
from jackfield.routing.chain import resolve_ref
from jackfield.routing.policy import check_allowed
from jackfield.setup.rows import Listing

WELCOME = "Type a message; /help lists the commands, Ctrl-C stops an answer, Ctrl-D leaves."


class Conversation:
    """The state of one conversation: the request so far, the client, the last reply."""

    def __init__(self, context: Context, request: ChatRequest, options: dict[str, Any], client: AsyncClient) -> None:
        self.context = context
        self.start = request
        self.request = request
        self.options = options
        self.client = client
        self.attached: list[Block] = []
        self.last: ChatResponse | None = None
        self.listed: list[str] = []
        self.leaving = False

    async def say(self, text: str) -> None:
        """Send one message and print the answer; a failed turn leaves the conversation as it was."""
        turn = Message("user", [*self.attached, TextBlock(text)])
        asked = with_turn(self.request, turn)
        stream = self.client.stream(
            asked,
            fallbacks=self.options["fallbacks"],
            profile_id=self.options["profile_id"],
            strict=self.options["strict"],
            session=self.options["session"] or self.client.own,
        )
        try:
            reply = await answer.show(stream, show_thinking=True)
            answer.check_answer(reply, wants_json=False)
            answer.remark(reply)
        except asyncio.CancelledError:
            await stream.aclose()
            reply = stream.heard()
            ui.note("[stopped]")
        self.attached.clear()
        self.last = reply
        self._remember(asked, reply)

    def _remember(self, asked: ChatRequest, reply: ChatResponse) -> None:
        # A stopped answer stays as far as it went; a half-written tool call would be refused.
        kept = [block for block in reply.content if not isinstance(block, ToolCall)]
        if any(getattr(block, "text", "") for block in kept):
            self.request = with_turn(asked, Message("assistant", kept, model=reply.model))


def converse(context: Context, request: ChatRequest, options: dict[str, Any]) -> None:
    """Hold a conversation until the user leaves."""
    with asyncio.Runner() as runner:
        # What a provider keeps of a conversation, its cache above all, is the account's.
        context.store.settle()
        client = context.open_client()
        talk = Conversation(context, request, options, client)
        try:
            shown = client.plan(request).candidates[0].ref
            ui.note(f"{shown} · {WELCOME}")
            session = _session(context)
            while not talk.leaving:
                _turn(talk, session, runner)
        finally:
            runner.run(client.close())


def _turn(talk: Conversation, session: PromptSession[str], runner: asyncio.Runner) -> None:
    try:
        line = ui.as_text(session.prompt("> ")).strip()
    except KeyboardInterrupt:
        return  # an empty line: Ctrl-C at the prompt only clears it
    except EOFError:
        talk.leaving = True
        return
    try:
        if line.startswith("/"):
            run_command(talk, line)
        elif line:
            runner.run(talk.say(line))
    except KeyboardInterrupt:
        pass  # the answer was stopped, and `say` has kept what was heard
    except Error as error:
        ui.fail(error)


def _session(context: Context) -> PromptSession[str]:
    keys = KeyBindings()

    @keys.add("escape", "enter")
    def _newline(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text("\n")

    @keys.add("enter")
    def _enter(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        if buffer.document.text_before_cursor.endswith("\\"):
            buffer.delete_before_cursor()
            buffer.insert_text("\n")
        else:
            buffer.validate_and_handle()

    completer = WordCompleter(list(COMMANDS), sentence=True)
    return PromptSession(
        history=_history(context),
        key_bindings=keys,
        multiline=True,
        completer=completer,
        enable_suspend=True,
        # Answers that go into a pipe go there alone.
        output=None if ui.is_terminal() else create_output(stdout=sys.stderr),
    )


def _history(context: Context) -> FileHistory | InMemoryHistory:
    path = context.paths.home / "history"
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
    except OSError:
        return InMemoryHistory()  # a read-only home must not prevent a conversation
    return FileHistory(str(path))


# -- commands ----------------------------------------------------------------------


def run_command(talk: Conversation, line: str) -> None:
    """Run a slash command; raise `UsageError` for one that does not exist."""
    name, _, rest = line.partition(" ")
    if name not in COMMANDS:
        raise UsageError(f"no such command {name}", hint=f"there are: {' '.join(COMMANDS)}")
    COMMANDS[name][0](talk, rest.strip())


def show_help(talk: Conversation, rest: str) -> None:  # noqa: ARG001  one shape for all commands
    """Print the commands."""
    ui.table(("command", ""), [(name, line) for name, (_, line) in COMMANDS.items()])


def choose_model(talk: Conversation, rest: str) -> None:
    """Show or change the model: `/model`, `/model REF`, `/model 3`, `/model default`, `/model status`, `/model list`."""
    if rest in ("", "status"):
        show_status(talk, "")
        return
    if rest == "list":
        list_models(talk, "")
        return
    if rest.isdigit():
        if not 1 <= int(rest) <= len(talk.listed):
            raise UsageError(f"no model number {rest}", hint="/models lists them")
        rest = talk.listed[int(rest) - 1]
    ref, profile_id = resolve_ref(rest, talk.context.config, talk.context.catalog)
    check_allowed(ref, talk.context.config, talk.context.catalog)
    talk.request = replace(talk.request, model=rest if rest == "default" else str(ref))
    talk.options["profile_id"] = profile_id or talk.options["profile_id"]
    ui.note(f"model: {ref}")


def list_models(talk: Conversation, rest: str) -> None:
    """List the models at hand, numbered; a word filters them."""
    rows = Listing(talk.context).usable()
    talk.listed = [row.key for row in rows if rest.lower() in row.key.lower()]
    for number, ref in enumerate(talk.listed, 1):
        ui.out(f"{number:4}  {ref}")
    if not talk.listed:
        ui.note("no models; see: jackfield models list --all")


def show_status(talk: Conversation, rest: str) -> None:  # noqa: ARG001
    """Print the model in use, where it is reached, and what the last answer took."""
    candidate = talk.client.plan(talk.request).candidates[0]
    rows = [
        ("model", str(candidate.ref)),
        ("why", candidate.reason),
        ("api", str(candidate.model.api or candidate.info.api)),
        ("url", candidate.info.base_url),
        ("turns", str(len(talk.request.messages))),
    ]
    if talk.last:
        rows.append(("last answer", summary(talk.last)))
    ui.table(("", ""), rows)


def start_over(talk: Conversation, rest: str) -> None:
    """Forget the conversation; a model may be named for the next."""
    if rest:
        choose_model(talk, rest)
    talk.request = replace(talk.request, messages=talk.start.messages)
    talk.attached.clear()
    talk.last = None
    ui.note("new conversation")


def attach(talk: Conversation, rest: str) -> None:
    """Attach a file to the next message."""
    talk.attached.append(load_attachment(rest))
    ui.note(f"attached {rest} to the next message")


def save(talk: Conversation, rest: str) -> None:
    """Write the conversation to a file: Markdown, or JSON when the name ends in .json."""
    path = Path(rest or "conversation.md").expanduser()
    turns = talk.request.messages
    if path.suffix == ".json":
        text = json.dumps(
            [{"role": turn.role, "content": _words(turn)} for turn in turns], indent=2, ensure_ascii=False
        )
    else:
        text = "\n\n".join(f"**{turn.role}**\n\n{_words(turn)}" for turn in turns)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text + "\n")
    except FileExistsError as error:
        raise UsageError(f"{path} exists; nothing is overwritten", hint="/save another-name.md") from error
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from error
    ui.note(f"saved {path}")


def leave(talk: Conversation, rest: str) -> None:  # noqa: ARG001
    """Leave."""
    talk.leaving = True


def _words(turn: Message) -> str:
    return "".join(
        block.text if isinstance(block, TextBlock) else f"[{type(block).__name__}]" for block in turn.content
    )


COMMANDS: dict[str, tuple[Callable[[Conversation, str], None], str]] = {
    "/model": (choose_model, "show or change the model: /model REF, /model NUMBER, /model default"),
    "/models": (list_models, "list the models at hand; /models WORD filters"),
    "/status": (show_status, "the model, where it is reached, what the last answer took"),
    "/new": (start_over, "forget the conversation; /new REF starts with another model"),
    "/file": (attach, "attach a picture, PDF, sound or text to the next message"),
    "/save": (save, "write the conversation to a file (.md or .json)"),
    "/help": (show_help, "this list"),
    "/exit": (leave, "leave (Ctrl-D too)"),
}
