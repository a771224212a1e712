"""Content parts of this wire: words, pictures, files, sound, and thoughts that stand among them."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence

import msgspec

from jackfield.message import (
    AudioBlock,
    Block,
    DocumentBlock,
    ImageBlock,
    JsonObject,
    OpaqueBlock,
    RefusalBlock,
    TextBlock,
    ThinkingBlock,
    VideoBlock,
)
from jackfield.model import Compat
from jackfield.protocols.dataurl import split_data_url
from jackfield.protocols.fields import as_list, as_object, as_text, rest
from jackfield.protocols.openai_completions.fields import NAME, keep, own
from jackfield.protocols.openai_completions.url_parts import (
    parse_bare_audio,
    parse_document_url,
    render_text_part,
    wants_text,
)

AUDIO_TYPES = {"mp3": "audio/mpeg", "wav": "audio/wav"}
AUDIO_FORMATS = {"audio/mpeg": "mp3", "audio/x-wav": "wav", "audio/wave": "wav"}


# -- parts → blocks ----------------------------------------------------------------


def parse_content(content: object) -> list[Block]:
    """Read a message's `content`: text, a list of parts, nothing, or the bare object some servers send."""
    match content:
        case str():
            return [TextBlock(content)] if content else []
        case list():
            return [block for part in content if (block := parse_part(part)) is not None]
        case dict():
            return [TextBlock(msgspec.json.encode(content).decode())]
        case _:
            return []


def parse_part(part: object) -> Block | None:
    """Read one part; one of an unknown type stays whole, for this wire only."""
    if isinstance(part, str):
        return TextBlock(part)
    if not isinstance(part, dict):
        return None
    mark = as_object(part.get("cache_control")) or None
    match part.get("type"):
        case "text" | "input_text" | "output_text":
            return TextBlock(as_text(part.get("text")), mark, keep(rest(part, _TEXT_KEYS)))
        case "refusal":
            return RefusalBlock(as_text(part.get("refusal")))
        case "thinking" | "reasoning":
            return ThinkingBlock(_thought(part), as_text(part.get("signature")) or None, opaque=keep({"part": part}))
        case str() as kind if kind in _MEDIA:
            return _MEDIA[kind](part, mark)
        case _:
            return OpaqueBlock(NAME, part)


_TEXT_KEYS = ("type", "text", "cache_control")
_THOUGHTS = frozenset(("thinking", "text", "reasoning"))  # where a part has the words of a thought


def _thought(part: JsonObject) -> str:
    # Mistral nests text parts under `thinking`; others write the text itself.
    held = part.get("thinking", part.get("text", part.get("reasoning")))
    return "".join(as_text(as_object(inner).get("text")) for inner in as_list(held)) or as_text(held)


def _parse_image(part: JsonObject, mark: JsonObject | None) -> Block:
    inner = part["image_url"] if isinstance(part.get("image_url"), dict) else {"url": part.get("image_url")}
    media_type, data, url = split_data_url(as_text(inner.get("url")))
    return ImageBlock(media_type, data, url, mark, _media_opaque(part, "image_url", inner, ("url",)))


def _parse_video(part: JsonObject, mark: JsonObject | None) -> Block:
    inner = part["video_url"] if isinstance(part.get("video_url"), dict) else {"url": part.get("video_url")}
    media_type, data, url = split_data_url(as_text(inner.get("url")))
    return VideoBlock(media_type, data, url, mark, _media_opaque(part, "video_url", inner, ("url",)))


def _parse_audio(part: JsonObject, mark: JsonObject | None) -> Block:
    if isinstance(part.get("input_audio"), str):
        return parse_bare_audio(part, mark)
    inner = as_object(part.get("input_audio"))
    if not isinstance(inner.get("data"), str):
        return OpaqueBlock(NAME, part)
    form = as_text(inner.get("format"))
    media_type = AUDIO_TYPES.get(form, f"audio/{form}")
    opaque = _media_opaque(part, "input_audio", inner, ("data", "format"))
    return AudioBlock(media_type, inner["data"], None, mark, opaque)


def _parse_file(part: JsonObject, mark: JsonObject | None) -> Block:
    if not isinstance(part.get("file"), dict):
        return OpaqueBlock(NAME, part)
    inner = as_object(part["file"])
    media_type, data, url = split_data_url(as_text(inner.get("file_data")))
    if data is not None and media_type.startswith("text/"):
        try:
            data = base64.b64decode(data, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return OpaqueBlock(NAME, part)
    opaque = _media_opaque(part, "file", inner, ("file_data", "filename"))
    if media_type.startswith("text/"):
        opaque = keep({**own(opaque), "as_file": True})
    return DocumentBlock(media_type, data, url, as_text(inner.get("filename")) or None, mark, opaque)


def _media_opaque(part: JsonObject, kind: str, inner: JsonObject, known: tuple[str, ...]) -> JsonObject | None:
    outer, more = rest(part, ("type", "cache_control", kind)), rest(inner, known)
    return keep({"part": outer or None, "inner": more or None})


_MEDIA: dict[str, Callable[[JsonObject, JsonObject | None], Block]] = {
    "image_url": _parse_image,
    "video_url": _parse_video,
    "input_audio": _parse_audio,
    "file": _parse_file,
    "document_url": parse_document_url,
}


# -- blocks → parts ----------------------------------------------------------------


def render_part(block: Block, compat: Compat) -> JsonObject | None:
    """Write one block as a part; `None` when this wire has no part for it."""
    part = _render_part(block, compat)
    mark = getattr(block, "cache_control", None)
    if part is not None and mark and compat.supports_cache_control:
        part["cache_control"] = mark
    return part


def _render_part(block: Block, compat: Compat) -> JsonObject | None:
    held = own(getattr(block, "opaque", None))
    outer, inner = as_object(held.get("part")), as_object(held.get("inner"))
    match block:
        case TextBlock(text):
            return {"type": "text", "text": text, **rest(held, ("message",))}
        case ThinkingBlock(text) if outer:
            # A streamed thought kept all but its words, which are the block's.
            words = [{"type": "text", "text": text}, *as_list(held.get("inside"))]
            return outer if _THOUGHTS & outer.keys() else {**outer, "thinking": words}
        case ImageBlock() if block.data is not None or block.url:
            return {"type": "image_url", "image_url": {"url": data_url(block), **inner}, **outer}
        case VideoBlock() if block.data is not None or block.url:
            return {"type": "video_url", "video_url": {"url": data_url(block), **inner}, **outer}
        case AudioBlock() if wants_text(block, compat):
            return render_text_part(block)
        case AudioBlock(media_type, str(data)):
            form = AUDIO_FORMATS.get(media_type, media_type.partition("/")[2])
            return {"type": "input_audio", "input_audio": {"data": data, "format": form, **inner}, **outer}
        case DocumentBlock() if wants_text(block, compat) and not block.media_type.startswith("text/"):
            return render_text_part(block)
        case DocumentBlock():
            return _render_document(block, outer, inner)
        case OpaqueBlock(api, value) if api == NAME:
            return value
        case _:
            return None


def _render_document(block: DocumentBlock, outer: JsonObject, inner: JsonObject) -> JsonObject | None:
    # A text file that did not come as `file` goes as words: only some servers read files other than PDF.
    if block.media_type.startswith("text/") and block.data is not None and not own(block.opaque).get("as_file"):
        title = f"{block.name}:\n" if block.name else ""
        return {"type": "text", "text": title + block.data}
    file: JsonObject = {"filename": block.name} if block.name else {}
    if block.data is not None or block.url is not None:
        file["file_data"] = data_url(block)
        if block.data is not None:
            file.setdefault("filename", "document.pdf")
    file.update(inner)
    return {"type": "file", "file": file, **outer} if file.keys() & {"file_data", "file_id"} else None


def data_url(block: ImageBlock | VideoBlock | DocumentBlock) -> str:
    """Return the URL of a picture, film or file: its own, or one that holds the data."""
    if block.data is None:
        return block.url or ""
    text = isinstance(block, DocumentBlock) and block.media_type.startswith("text/")
    data = base64.b64encode(block.data.encode()).decode() if text else block.data
    return f"data:{block.media_type};base64,{data}"


def is_plain(block: Block, compat: Compat) -> bool:
    """Say whether a block is words and nothing else, so that a string can carry it."""
    if not isinstance(block, TextBlock) or (block.cache_control and compat.supports_cache_control):
        return False
    return not rest(own(block.opaque), ("message",))


def render_content(blocks: Sequence[Block], compat: Compat, joint: str = "\n") -> str | list[JsonObject]:
    """Write `content`: a string where that says it all or the server takes nothing else, else parts.

    What this wire has no part for is left out; `joint` stands between the texts of a string.
    """
    parts = [(block, part) for block in blocks if (part := render_part(block, compat)) is not None]
    if compat.requires_string_content:
        return joint.join(block.text for block, _ in parts if isinstance(block, TextBlock))
    if len(parts) == 1 and is_plain(parts[0][0], compat):
        return str(parts[0][1]["text"])
    return [part for _, part in parts] or ""
