"""Files, both ways: formats instead of media types, bytes or an S3 address, names a document may have."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Sequence
from typing import TypeAlias

from msgspec.structs import replace

from jackfield.message import (
    AudioBlock,
    Block,
    DocumentBlock,
    ImageBlock,
    JsonObject,
    Message,
    ToolResult,
    VideoBlock,
)
from jackfield.protocols.base import own_fields
from jackfield.protocols.bedrock_converse.wire import NAME, keep_rest
from jackfield.protocols.dataurl import split_data_url
from jackfield.protocols.fields import read, wrong

Media: TypeAlias = ImageBlock | DocumentBlock | AudioBlock | VideoBlock
KINDS: dict[str, type[Media]] = {
    "image": ImageBlock, "document": DocumentBlock, "audio": AudioBlock, "video": VideoBlock,
}  # fmt: skip
WIRE_KINDS = {kind: name for name, kind in KINDS.items()}
OFFICE = "application/vnd.openxmlformats-officedocument"
# Formats that are not their media type's second half.
MEDIA_TYPES = {
    "txt": "text/plain", "md": "text/markdown", "pdf": "application/pdf", "doc": "application/msword",
    "docx": f"{OFFICE}.wordprocessingml.document", "xls": "application/vnd.ms-excel",
    "xlsx": f"{OFFICE}.spreadsheetml.sheet", "mkv": "video/x-matroska", "mov": "video/quicktime", "flv": "video/x-flv",
    "wmv": "video/x-ms-wmv", "three_gp": "video/3gpp", "mp3": "audio/mpeg", "m4a": "audio/x-m4a",
}  # fmt: skip
FORMATS = {media_type: name for name, media_type in MEDIA_TYPES.items()}
FAMILIES = {"image": "image", "document": "text", "audio": "audio", "video": "video"}
ILLEGAL = re.compile(r"[^a-zA-Z0-9\-()\[\]]+")  # in a document's name; white space becomes single blanks
MAX_NAME = 200


# -- wire to value -----------------------------------------------------------------


def parse_media(kind: str, wire: JsonObject, at: str) -> Media:
    """Read a file; a source that is neither bytes nor an S3 address stays in `opaque`."""
    form, source = read(wire, "format", str, at) or "", read(wire, "source", dict, at) or {}
    media_type = _media_type(kind, form)
    data, url = read(source, "bytes", str, f"{at}source."), None
    held: JsonObject = {}
    if data is not None and media_type.startswith("text/"):
        data = _as_text(data, f"{at}source.bytes")
    elif (place := source.get("s3Location")) and isinstance(place, dict):
        url = read(place, "uri", str, f"{at}source.s3Location.")
        held = {"source": source} if place.keys() - {"uri"} else {}
    elif data is None:
        data, held = read(source, "text", str, f"{at}source."), {"source": source}
    opaque = keep_rest({**wire, **held}, "format", "name", *(() if held else ("source",)))
    if kind == "document":
        return DocumentBlock(media_type, data, url, read(wire, "name", str, at), opaque=opaque)
    return KINDS[kind](media_type, data, url, opaque=opaque)


def _media_type(kind: str, form: str) -> str:
    if not form or "/" in form:
        return form
    return MEDIA_TYPES.get(form, f"{FAMILIES[kind]}/{form}")


def _as_text(data: str, at: str) -> str:
    try:
        return base64.b64decode(data, validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise wrong(at, "must be base64 of UTF-8 text") from error


# -- value to wire -----------------------------------------------------------------


def render_media(block: Media) -> JsonObject:
    """Write a file; `hold_sources` has seen to it that it has data or a source of this wire."""
    kind, own = WIRE_KINDS[type(block)], own_fields(block.opaque, NAME)
    wire: JsonObject = {"format": _format(block.media_type)} if block.media_type else {}
    if isinstance(block, DocumentBlock):
        wire["name"] = block.name
    if block.data is not None:
        text = block.media_type.startswith("text/")
        wire["source"] = {"bytes": base64.b64encode(block.data.encode()).decode() if text else block.data}
    return {kind: {**wire, **own}}


def _format(media_type: str) -> str:
    name = media_type.partition(";")[0].strip().lower()
    if name in FORMATS:
        return FORMATS[name]
    family, _, form = name.rpartition("/")
    return "txt" if family == "text" and form not in ("csv", "html") else form.removeprefix("x-").replace("jpg", "jpeg")


def hold_sources(block: Block) -> Block:
    """Return a file with its data URL or S3 address as what this wire reads; any other URL stays one."""
    if isinstance(block, ToolResult):
        return replace(block, content=[hold_sources(inner) for inner in block.content])
    if not isinstance(block, ImageBlock | DocumentBlock | AudioBlock | VideoBlock) or not block.url:
        return block
    if block.url.startswith("s3://"):
        own = {"source": {"s3Location": {"uri": block.url}}, **own_fields(block.opaque, NAME)}
        return replace(block, url=None, opaque={**(block.opaque or {}), NAME: own})
    media_type, data, url = split_data_url(block.url)
    if data is not None and media_type.startswith("text/"):
        data = _as_text(data, "url")
    return block if url else replace(block, media_type=media_type, data=data, url=None)


def name_documents(messages: Sequence[Message]) -> list[Message]:
    """Return the messages with names that documents may have, each only once.

    The service takes letters, digits, single blanks, hyphens, parentheses and brackets, and
    refuses two documents of one name.
    """
    taken: set[str] = set()

    def named(block: Block) -> Block:
        if isinstance(block, ToolResult):
            return replace(block, content=[named(inner) for inner in block.content])
        if not isinstance(block, DocumentBlock):
            return block
        name = next(name for name in _names(block.name or "") if name not in taken)
        taken.add(name)
        return block if name == block.name else replace(block, name=name)

    return [replace(message, content=[named(block) for block in message.content]) for message in messages]


def _names(wanted: str) -> Iterator[str]:
    stem = ILLEGAL.sub(" ", wanted).strip()[: MAX_NAME - 10].strip() or "document"
    yield stem
    number = 2
    while True:
        yield f"{stem} ({number})"
        number += 1
