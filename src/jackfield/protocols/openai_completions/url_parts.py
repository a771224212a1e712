"""Files and sound as Mistral writes them: `document_url`, and an `input_audio` that is text.

docs.mistral.ai/api, read 2026-11-21. `compat.media_parts` says that a server wants them so; a part that
came so goes back so where nothing is declared.
"""

from __future__ import annotations

from jackfield.message import AudioBlock, Block, DocumentBlock, JsonObject, OpaqueBlock
from jackfield.model import Compat
from jackfield.protocols.dataurl import join_data_url, split_data_url
from jackfield.protocols.fields import as_object, as_text, rest
from jackfield.protocols.openai_completions.fields import NAME, keep, own

MARK = "as_text"  # in `opaque`: the part held its data or address as text
# Bare base64 names no type, but begins with the file's own mark.
AUDIO_MARKS = {"UklGR": "audio/wav", "T2dnUw": "audio/ogg", "ZkxhQ": "audio/flac"}
KEYS = ("type", "document_url", "document_name", "input_audio", "cache_control")


def parse_document_url(part: JsonObject, mark: JsonObject | None) -> Block:
    """Read a file by its address or as a data URL; one that is text stays whole, for this wire only."""
    media_type, data, url = split_data_url(as_text(part.get("document_url")))
    if (data is None and url is None) or media_type.startswith("text/"):
        return OpaqueBlock(NAME, part)
    opaque = keep({MARK: True, "part": rest(part, KEYS) or None})
    return DocumentBlock(media_type, data, url, as_text(part.get("document_name")) or None, mark, opaque)


def parse_bare_audio(part: JsonObject, mark: JsonObject | None) -> Block:
    """Read sound that stands as base64 or a data URL; an address stays whole: few wires take one."""
    media_type, data, url = split_data_url(as_text(part.get("input_audio")))
    if data is None and (not url or "://" in url):
        return OpaqueBlock(NAME, part)
    data = url if data is None else data
    kind = next((kind for start, kind in AUDIO_MARKS.items() if data and data.startswith(start)), "audio/mpeg")
    opaque = keep({MARK: True, "part": rest(part, KEYS) or None})
    return AudioBlock(media_type or kind, data, None, mark, opaque)


def wants_text(block: Block, compat: Compat) -> bool:
    """Say whether a file or sound is to be written so."""
    if compat.media_parts is not None:
        return compat.media_parts == "mistral"
    return bool(own(getattr(block, "opaque", None)).get(MARK))


def render_text_part(block: DocumentBlock | AudioBlock) -> JsonObject | None:
    """Write one file or sound; `None` when there is neither data nor an address."""
    outer = as_object(own(block.opaque).get("part"))
    if isinstance(block, AudioBlock):
        source = block.data if block.data is not None else block.url
        return {"type": "input_audio", "input_audio": source, **outer} if source else None
    source = block.url if block.data is None else join_data_url(block.media_type, block.data)
    name = {"document_name": block.name} if block.name else {}
    return {"type": "document_url", "document_url": source, **name, **outer} if source else None
