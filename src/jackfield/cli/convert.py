"""`convert`: say a request, a reply or a stream of one protocol in another; asks nobody."""

from __future__ import annotations

import sys

import click

from jackfield.cli import ui
from jackfield.errors import ConfigError, Error, InvalidRequest, UsageError

MAX_BYTES = 64 * 1024 * 1024
KINDS = ("request", "reply", "stream")


@click.command(short_help="Say a request or a reply of one protocol in another.")
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
@click.option("--kind", type=click.Choice(KINDS), default="request", help="What standard input holds.")
@click.option("--strict", is_flag=True, help="Fail when the other protocol cannot carry part of it.")
@click.option("--json", "as_json", is_flag=True, help="Print a failure as JSON too.")
def convert(source: str, target: str, kind: str, strict: bool, as_json: bool) -> None:  # noqa: ARG001  `main.run` reads it
    """Read a body of protocol FROM on standard input, write it in protocol TO.

    What TO cannot carry is named on standard error.

    \b
      jackfield convert openai-completions anthropic-messages < request.json
      jackfield convert anthropic-messages google-generative-ai --kind reply < reply.json
      jackfield convert openai-responses openai-completions --kind stream < stream.txt
    """
    from jackfield.protocols import ONE_SIDED, load

    ours, theirs = load(source), load(target)
    if kind != "request" and target in ONE_SIDED:
        raise ConfigError(
            f"nobody calls us in {target}: replies are read in it, not written", hint="as TO, name another protocol"
        )
    body = _read()
    if kind == "request":
        request = ours.parse_request(body)
        losses = theirs.find_losses(request)
        if losses and strict:
            raise InvalidRequest("; ".join(losses), hint="leave out --strict to convert the rest")
        for loss in losses:
            ui.warn(loss)
        ui.as_json(theirs.render_request(request))
    elif kind == "reply":
        ui.as_json(theirs.render_response(ours.parse_response(body)))
    else:
        parser, renderer = ours.StreamParser(), theirs.StreamRenderer()
        try:
            for event in [*parser.feed(body), *parser.close()]:
                ui.out(renderer.feed(event).decode(), end="")
        except Error as error:
            ui.out(renderer.fail(error).decode(), end="")
            raise
        ui.out(renderer.close().decode(), end="")


def _read() -> bytes:
    if sys.stdin.isatty():
        raise UsageError("nothing to convert on standard input", hint="give a file: jackfield convert … < request.json")
    body = sys.stdin.buffer.read(MAX_BYTES + 1)
    if len(body) > MAX_BYTES:
        raise UsageError(f"standard input is over {MAX_BYTES // 2**20} MB")
    if not body.strip():
        raise UsageError("standard input is empty")
    return body
