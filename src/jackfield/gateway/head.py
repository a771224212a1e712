"""The headers that tell of a reply: who answered, after how many tries, what got lost, what it cost."""

from __future__ import annotations

from decimal import Decimal

from jackfield.message import ChatResponse

COST = "x-jackfield-cost-usd"
Heads = list[tuple[str, str]]


def head_of(response: ChatResponse, *, running: bool = False) -> Heads:
    """Return the headers that tell of a reply; of one that is still `running`, the last try has no row yet."""
    tried = sum(each.ms is not None for each in response.attempts) + running
    head = [("x-jackfield-model", response.model), ("x-jackfield-attempts", str(tried))]
    return [*head, ("x-jackfield-loss", "; ".join(response.losses))] if response.losses else head


def cost_of(cost_usd: Decimal | None) -> Heads:
    """Return the header that tells what a reply cost, where that is known."""
    return [] if cost_usd is None else [(COST, f"{cost_usd:f}")]
