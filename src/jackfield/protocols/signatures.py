"""Whose a thought's signature is, where nobody says which model's turn it stands in.

A caller of ours brings back what he was shown and names no author. The wire he speaks is the
best there is to go by: a signature that comes over it is its models' (`mark`), and goes to
nobody else's, who would refuse the whole request for it. OpenAI's are known by their looks. A turn whose
author is known is `providers.thoughts`' business.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from jackfield.block import Block, ThinkingBlock
from jackfield.message import Message

OPENAIS = "gAAAA"  # how the encrypted thoughts of OpenAI's models begin
_OPENAI = frozenset({"openai-completions", "openai-responses", "azure-openai-responses", "openai-codex-responses"})
_GOOGLE = frozenset({"google-generative-ai", "google-vertex", "google-gemini-cli"})
_CLAUDE = frozenset({"anthropic-messages", "bedrock-converse-stream"})
# Wires whose models sign → who takes their signatures. Claude's are good wherever it runs
# (docs.claude.com, extended thinking, read 2026-11-21).
KIN: dict[str, frozenset[str]] = {
    "anthropic-messages": _CLAUDE,
    "bedrock-converse-stream": _CLAUDE,
    "google-generative-ai": _GOOGLE,
}


def mark(messages: Sequence[Message], api: str) -> list[Message]:
    """Return a caller's turns with his wire's name on every signed thought."""
    return [replace(turn, content=[_marked(block, api) for block in turn.content]) for turn in messages]


def _marked(block: Block, api: str) -> Block:
    if not isinstance(block, ThinkingBlock) or block.signature is None:
        return block
    return replace(block, opaque={api: {}, **(block.opaque or {})})


def is_foreign(block: ThinkingBlock, api: str) -> bool:
    """Tell a signature that the wire `api` would refuse, being another's; one of unknown origin is none."""
    if block.signature is None:
        return False
    signers = (block.opaque or {}).keys() & KIN.keys()
    return (block.signature.startswith(OPENAIS) and api not in _OPENAI) or (
        bool(signers) and not any(api in KIN[signer] for signer in signers)
    )
