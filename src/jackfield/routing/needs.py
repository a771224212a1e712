"""What a request needs of a model, and whether a model is known to have it. Pure; opens nothing, asks nobody.

A model that says nothing of what a request needs is in doubt: that is no yes and no veto.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from msgspec import UNSET, Struct

from jackfield.catalog import defaults
from jackfield.message import AudioBlock, Block, ChatRequest, DocumentBlock, ImageBlock, ToolResult, VideoBlock
from jackfield.model import Modality, Model, ProviderInfo
from jackfield.protocols.estimate import bound_input, estimate_input
from jackfield.routing.candidate import Candidate, Cause

MARGIN = 1.1  # estimates are off by a tenth and more
SMALL = 8_000  # tokens that every model takes, also one that says nothing of its window
FILES: dict[type, Modality] = {ImageBlock: "image", DocumentBlock: "document", AudioBlock: "audio", VideoBlock: "video"}
PLURALS: dict[Modality, str] = {"image": "images", "document": "documents", "audio": "sound", "video": "film"}
CAUSES: dict[Modality, Cause] = {"image": "no_images", "audio": "no_audio", "video": "no_video"}


class Needs(Struct, frozen=True):
    """What a request asks of whoever answers it."""

    tokens: Callable[[str], int]  # of input on a wire, estimated with a margin; worked out when it matters
    most: int  # no estimate is over it
    output: int = 0  # tokens the answer may have, where the caller says so
    files: tuple[Modality, ...] = ()  # in the turn to answer
    tools: bool = False
    schema: bool = False
    is_plain: bool = True  # words alone


class Veto(Struct, frozen=True):
    """Something a model is known not to have."""

    cause: Cause
    words: str


def weigh(request: ChatRequest) -> Needs:
    """Return what a request needs; no word of it is read before its length alone leaves a question open."""
    choice, wanted = request.tool_choice, request.response_format
    counted = dict[str, int]()

    def tokens(api: str) -> int:
        if api not in counted:
            counted[api] = round(MARGIN * estimate_input(request, api))
        return counted[api]

    files = files_of(request)
    tools = bool(request.tools) and (choice is None or choice.mode != "none")
    schema = wanted is not None and wanted.schema is not None
    return Needs(
        tokens=tokens,
        most=round(MARGIN * bound_input(request)),
        output=request.max_tokens or 0,
        files=files,
        tools=tools,
        schema=schema,
        is_plain=not (files or tools or schema),
    )


def files_of(request: ChatRequest) -> tuple[Modality, ...]:
    """Return the kinds of files in what the model is to answer now, words or tools' results; text is none.

    Those of earlier turns are left out for a model that cannot read them.
    """
    found = set[Modality]()
    for message in reversed(request.messages):
        if message.role != "user":
            break
        for block in message.content:
            found.update(kind for part in _parts(block) if (kind := FILES.get(type(part))) and not _is_text(part))
    return tuple(kind for kind in FILES.values() if kind in found)


def _parts(block: Block) -> Sequence[Block]:
    return block.content if isinstance(block, ToolResult) else (block,)


def _is_text(block: Block) -> bool:
    return isinstance(block, DocumentBlock) and block.media_type.startswith("text/")


# -- a model against them ------------------------------------------------------------


def find_vetoes(needs: Needs, info: ProviderInfo, model: Model) -> Iterator[Veto]:
    """Yield what the request needs and the model is known not to have."""
    window, output = window_of(model), _output(needs, model)
    if window is not None and needs.most + output > window:
        tokens = needs.tokens(defaults.api(model, info))
        if tokens + output > window:
            answer = f" and an answer of {output:,}" if output else ""
            yield Veto("context_window", f"about {tokens:,} tokens{answer} do not fit into its window of {window:,}")
    if needs.files and model.input is not UNSET:
        # Files stay: who lacks them is rarely said.
        for kind in needs.files:
            if kind in CAUSES and kind not in model.input:
                yield Veto(CAUSES[kind], f"it takes no {PLURALS[kind]}")
    if needs.tools or needs.schema:
        yield from _refusals(needs, info, model)


def find_doubts(needs: Needs, info: ProviderInfo, model: Model) -> Iterator[str]:
    """Yield what the request needs and nobody says of the model."""
    if needs.most > SMALL and window_of(model) is None and needs.tokens(defaults.api(model, info)) > SMALL:
        yield "its window is not known"
    for kind in needs.files:
        if model.input is UNSET or (kind not in CAUSES and kind not in model.input):
            yield f"whether it takes {PLURALS[kind]} is not known"
    if needs.tools and model.tools is UNSET and not _is_described(info, model):
        yield "whether it calls tools is not known"


def fit(needs: Needs, info: ProviderInfo, model: Model) -> tuple[tuple[Veto, ...], tuple[str, ...]]:
    """Return what speaks against a model for a request, and what is in doubt."""
    window = window_of(model)
    if needs.is_plain and (needs.most + needs.output <= window if window else needs.most <= SMALL):
        return (), ()
    return tuple(find_vetoes(needs, info, model)), tuple(find_doubts(needs, info, model))


def window_of(model: Model) -> int | None:
    """Return the most tokens that question and answer may have together; `None`: nobody says."""
    said = model.context_window
    return said if said is not UNSET and said > 0 else None


def larger(candidate: Candidate, failed: Candidate) -> bool:
    """Tell whether a candidate may take what was too long for another: its window is larger, or one of both unknown."""
    if candidate.ref == failed.ref:
        return False
    ours, theirs = window_of(candidate.model), window_of(failed.model)
    return ours is None or theirs is None or ours > theirs


def refuses(candidate: Candidate, kind: Modality) -> bool:
    """Tell whether a model is known not to read a kind of file; one that says nothing has the benefit of the doubt."""
    return candidate.model.input is not UNSET and kind not in candidate.model.input


def _output(needs: Needs, model: Model) -> int:
    most = model.max_tokens
    # More than the model writes is never asked of it.
    return min(needs.output, most) if most is not UNSET and most > 0 else needs.output


def _refusals(needs: Needs, info: ProviderInfo, model: Model) -> Iterator[Veto]:
    compat = defaults.compat(model, info)
    refused = compat.unsupported_fields or ()
    if needs.tools and (model.tools is False or compat.supports_tools is False or "tools" in refused):
        yield Veto("no_tools", "it calls no tools")
    if needs.schema and (compat.supports_response_format is False or "response_format" in refused):
        yield Veto("no_schema", "it fits no answer to a schema")


def _is_described(info: ProviderInfo, model: Model) -> bool:
    # Rows from a page say only which models call no tools; an id that no row has says nothing.
    return bool(info.source) and model.input is not UNSET
