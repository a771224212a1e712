"""Content parts of this wire: words, refusals, pictures, files and sound, said and heard."""

from __future__ import annotations

import base64
import binascii

from jackfield.message import (
    AudioBlock,
    Block,
    DocumentBlock,
    ImageBlock,
    JsonObject,
    OpaqueBlock,
    RefusalBlock,
    TextBlock,
)
from jackfield.protocols.dataurl import join_data_url, split_data_url
from jackfield.protocols.fields import as_list, as_object, as_text, rest
from jackfield.protocols.openai_responses.citations import parse_citations, render_citations
from jackfield.protocols.openai_responses.wire import NAME, keep, own

AUDIO_TYPES = {"mp3": "audio/mpeg", "wav": "audio/wav"}
AUDIO_FORMATS = {"audio/mpeg": "mp3", "audio/x-wav": "wav", "audio/wave": "wav"}
# Where a cached prefix ends: this wire's word for the mark (platform.openai.com, prompt caching, read 2026-11-21).
MARK = "prompt_cache_breakpoint"


# -- parts → blocks ----------------------------------------------------------------


def parse_content(content: object) -> list[Block]:
    """Read a message's `content`: text or a list of parts."""
    if isinstance(content, str):
        return [TextBlock(content)]
    return [parse_part(part) for part in as_list(content) if isinstance(part, dict)]


def parse_part(part: JsonObject) -> Block:
    """Read one part; one of an unknown type stays whole, for this wire only."""
    mark = {"type": "ephemeral"} if part.get(MARK) else None
    match part.get("type"):
        case "input_text" | "output_text" | "text":
            left = {name: value for name, value in rest(part, ("type", "text")).items() if value != []}
            return TextBlock(as_text(part.get("text")), mark, _part(left), parse_citations(part.get("annotations")))
        case "refusal":
            return RefusalBlock(as_text(part.get("refusal")), _part(rest(part, ("type", "refusal"))))
        case "input_image":
            media_type, data, url = split_data_url(as_text(part.get("image_url")))
            left = rest(part, ("type", "image_url"))
            return ImageBlock(media_type, data, url, mark, _part(left))
        case "input_file":
            return _parse_file(part, mark)
        case "input_audio" if isinstance(as_object(part.get("input_audio")).get("data"), str):
            held = part["input_audio"]
            form = as_text(held.get("format"))
            media_type = AUDIO_TYPES.get(form, f"audio/{form}")
            return AudioBlock(media_type, held["data"], None, mark, _part(rest(part, ("type", "input_audio"))))
        case _:
            return OpaqueBlock(NAME, {"part": part})


def _part(left: JsonObject) -> JsonObject | None:
    return keep({"part": left or None})


def _parse_file(part: JsonObject, mark: JsonObject | None) -> Block:
    name, said = as_text(part.get("filename")) or None, as_text(part.get("file_data"))
    media_type, data, bare = split_data_url(said)
    left = rest(part, ("type", "filename", "file_url", "file_data"))
    if bare:
        # Data without its type: only this wire takes it.
        left["file_data"] = said
    if data is not None and media_type.startswith("text/"):
        try:
            data, left["as_file"] = base64.b64decode(data, validate=True).decode(), True
        except (binascii.Error, UnicodeDecodeError):
            return OpaqueBlock(NAME, {"part": part})
    return DocumentBlock(media_type, data, as_text(part.get("file_url")) or None, name, mark, _part(left))


# -- blocks → parts ----------------------------------------------------------------


def render_part(block: Block, *, spoken: bool) -> JsonObject | None:
    """Write one block as a part of a message, the model's own when `spoken`; `None` when there is no part for it."""
    held = as_object(own(getattr(block, "opaque", None)).get("part"))
    mark: JsonObject = {MARK: {"mode": "explicit"}} if getattr(block, "cache_control", None) else {}
    match block:
        case TextBlock(text) if spoken:
            return {"type": "output_text", "text": text, "annotations": render_citations(block), **held}
        case TextBlock(text):
            return {"type": "input_text", "text": text, **mark, **held}
        case RefusalBlock(text):
            return {"type": "refusal", "refusal": text, **held}
        case ImageBlock() if block.data is not None or block.url or held.get("file_id"):
            url = block.url if block.data is None else join_data_url(block.media_type, block.data)
            return {"type": "input_image", "detail": "auto", **({"image_url": url} if url else {}), **mark, **held}
        case AudioBlock(media_type, str(data)):
            form = AUDIO_FORMATS.get(media_type, media_type.partition("/")[2])
            return {"type": "input_audio", "input_audio": {"data": data, "format": form}, **mark, **held}
        case DocumentBlock():
            return _render_file(block, mark, held)
        case OpaqueBlock(api, value) if api == NAME:
            return as_object(value.get("part")) or None
        case _:
            return None


def _render_file(block: DocumentBlock, mark: JsonObject, held: JsonObject) -> JsonObject | None:
    left = rest(held, ("as_file",))
    is_text = block.media_type.startswith("text/") and block.data is not None
    # A text that did not come as a file goes as words: only some models read files other than PDF.
    if is_text and not held.get("as_file"):
        title = f"{block.name}:\n" if block.name else ""
        return {"type": "input_text", "text": f"{title}{block.data}", **mark, **left}
    part: JsonObject = {"type": "input_file"}
    if block.name:
        part["filename"] = block.name
    if block.data is not None:
        data = base64.b64encode(block.data.encode()).decode() if is_text else block.data
        part |= {"filename": block.name or "document.pdf", "file_data": join_data_url(block.media_type, data)}
    elif block.url:
        part["file_url"] = block.url
    part |= mark | left
    return part if part.keys() & {"file_data", "file_url", "file_id"} else None


def is_plain(block: Block) -> bool:
    """Say whether a block is words and nothing else, so that a string can carry it."""
    return isinstance(block, TextBlock) and not block.cache_control and not own(block.opaque)
