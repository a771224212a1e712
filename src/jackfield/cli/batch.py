"""`batch`: a file of questions asked many at a time, their answers in another; goes on where it stopped."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from jackfield.cli.amount import Usd
from jackfield.cli.context import Context, json_option, pass_context
from jackfield.errors import UsageError

if TYPE_CHECKING:
    from jackfield.config.schema import Config

HERE = "local"  # a Ray of this machine's own
ADDRESS = re.compile(r"local|auto|(ray://)?[^/\s]+:\d+")


@click.command(short_help="Ask every row of a file, many at a time.")
@click.argument("source", metavar="IN.jsonl", type=click.Path(path_type=Path))
@click.argument("target", metavar="OUT.jsonl", type=click.Path(path_type=Path))
@click.option("-m", "--model", metavar="REF", default="", help="For rows that name none; else the default.")
@click.option(
    "--concurrency",
    metavar="N",
    type=click.IntRange(1, 10_000),
    default=8,
    show_default=True,
    help="Rows asked at a time.",
)
@click.option(
    "--max-cost", metavar="USD", type=Usd(), help="The most this run may cost; it stops before it would cost more."
)
@click.option("--fallback", "fallbacks", metavar="REF", multiple=True, help="Try this model when the others fail.")
@click.option("--profile-id", metavar="ID", help="Use this credential and no other.")
@click.option("--retry-failed", is_flag=True, help="Ask the rows again that failed before.")
@click.option("--limit", metavar="N", type=click.IntRange(min=1), help="Ask at most so many rows now.")
@click.option("--ordered", is_flag=True, help="Put OUT into the order of IN at the end.")
@click.option(
    "--ray",
    "address",
    metavar="[ADDRESS]",
    is_flag=False,
    flag_value=HERE,
    help="Ask from a Ray cluster, here or at an address (extra ray); put it last.",
)
@json_option
@pass_context
def batch(context: Context, /, source: Path, target: Path, **options: Any) -> int:
    """Ask every row of IN.jsonl and write each answer into OUT.jsonl. Run it again to go on where it stopped.

    \b
    A row is one of OpenAI's batch format, of Anthropic's or Gemini's, or simply:
      {"id": "1", "prompt": "Hello"}
      {"id": "2", "model": "anthropic/claude-haiku-4-5", "messages": [{"role": "user", "content": "Hi"}]}
      {"id": "3", "model": "openai/text-embedding-3-small", "input": ["one", "two"]}
    No row is lost or answered twice in OUT, even when the process is killed; a row that was
    under way then is asked again. Ends with 1 when rows failed or are left.
    """  # fmt: skip
    from jackfield.batch.output import open_output
    from jackfield.batch.source import left_lines, open_input, survey
    from jackfield.cli.batch_run import Run

    address = options["address"]
    if address and not ADDRESS.fullmatch(address):
        raise UsageError(f"{address!r} is no address of a Ray cluster", hint="put --ray last, or say --ray=HOST:PORT")
    context.max_cost_usd = options["max_cost"]
    context.tell_warnings()
    with open_input(source) as file:
        if target.exists() and target.samefile(source):
            raise UsageError("the answers cannot go into the file of the questions", hint="name another OUT.jsonl")
        with open_output(target, retry_failed=options["retry_failed"]) as output:
            seen = survey(file, output.done)
            run = Run(context, output, seen, _asking(options, context.config), options["limit"])
            run.ask(left_lines(file, output.done, options["limit"]), address)
            if options["ordered"]:
                output.sort()
    return run.tell(as_json=options["as_json"])


def _asking(options: dict[str, Any], config: Config) -> Any:
    from jackfield.batch.job import PAUSES_S, Asking

    longest_s = config.max_wait_s
    return Asking(
        model=options["model"],
        concurrency=options["concurrency"],
        fallbacks=options["fallbacks"],
        profile_id=options["profile_id"],
        pauses_s=[each for each in PAUSES_S if longest_s is None or each <= longest_s],
    )
