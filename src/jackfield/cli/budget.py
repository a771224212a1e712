"""`budget`: what today and its sessions have cost, what is reserved, and which limits hold."""

from __future__ import annotations

import click

from jackfield.catalog.price import as_usd, shown
from jackfield.cli import ui
from jackfield.cli.context import Context, json_option, pass_context
from jackfield.errors import UsageError
from jackfield.setup.budgets import AccountRow, as_account_row, load_budgets, render_account
from jackfield.spend.account import DAY, SESSION
from jackfield.spend.budget import day_of

SESSION_OPTION = click.option("--session", metavar="ID", help="A session, as chat --session names it.")


@click.group("budget", invoke_without_command=True, short_help="Show what was spent, and the limits.")
@SESSION_OPTION
@json_option
@click.pass_context
def budget(ctx: click.Context, session: str | None, as_json: bool) -> None:
    """Show what today and its sessions have cost, what is reserved for calls under way, and the limits.

    Calls are counted while a limit of a day or a session is set.

    \b
      jackfield config set models.budget.perDay 5.00       at most five dollars a day
      jackfield config set models.budget.perSession 1.00   and one for each conversation
      jackfield chat --max-cost 0.10 "Hello"               at most ten cents for this command
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(show, session=session, as_json=as_json)


@budget.command()
@SESSION_OPTION
@json_option
@pass_context
def show(context: Context, session: str | None, as_json: bool) -> None:
    """Show what was spent and reserved, and the limits.

    A call that was killed stays reserved, at the most it may have cost.
    """
    rules, day = context.config.budget, day_of(context.now_ms())
    rows = load_budgets(context.paths.home, rules, context.now_ms, session)
    is_set = rules.per_day is not None or rules.per_session is not None
    if as_json:
        today, *sessions = map(render_account, rows)
        ui.as_json(
            {"ok": True, "day": day, "today": today, "sessions": sessions, "allowUnpriced": rules.allow_unpriced}
        )
        return
    ui.table(("", "Spent", "Reserved", "Limit", "Left"), map(_cells, rows))
    if not is_set:
        ui.note("no limit is set, and nothing is counted; set one: jackfield config set models.budget.perDay 5.00")
    elif not rules.allow_unpriced:
        ui.note("models whose price is unknown are not asked; see models.budget.allowUnpriced")


@budget.command()
@SESSION_OPTION
@click.option("--all", "everything", is_flag=True, help="Today and every session.")
@json_option
@pass_context
def reset(context: Context, session: str | None, everything: bool, as_json: bool) -> None:
    """Begin to count anew: today, or one session.

    What is reserved is given back, too; calls under way are counted when they end.
    """
    if session and everything:
        raise UsageError("choose either --session or --all, not both")
    from jackfield.spend.store import open_accounts

    accounts = open_accounts(context.paths.home, context.now_ms, anew=True)
    try:
        today = [DAY + day_of(context.now_ms())]
        keys = [*today, *accounts.keys(SESSION)] if everything else [SESSION + session] if session else today
        before = accounts.balances(keys)
        accounts.reset(keys)
    finally:
        accounts.close()
    if as_json:
        ui.as_json(
            {"ok": True, "reset": [render_account(as_account_row(key, balance)) for key, balance in before.items()]}
        )
        return
    for key, balance in before.items():
        ui.out(
            f"{as_account_row(key, balance).name}: {shown(as_usd(balance.spent))} spent, {shown(as_usd(balance.held))} reserved, now nothing"
        )


def _cells(row: AccountRow) -> tuple[str, ...]:
    amounts = (as_usd(row.balance.spent), as_usd(row.balance.held), row.limit, row.left)
    return (row.name, *("-" if usd is None else shown(usd) for usd in amounts))
