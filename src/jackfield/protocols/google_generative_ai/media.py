"""Pictures, files, sound and films, both ways: as `inlineData`, or by the address of a `fileData`."""

from __future__ import annotations

import base64
import binascii

from jackfield.message import AudioBlock, Block, DocumentBlock, ImageBlock, JsonObject, OpaqueBlock, VideoBlock
from jackfield.protocols.base import as_opaque, own_fields
from jackfield.protocols.dataurl import split_data_url
from jackfield.protocols.fields import as_object, as_text, read, rest, said
from jackfield.protocols.google_generative_ai.wire import NAME

Medium = ImageBlock | DocumentBlock | AudioBlock | VideoBlock
KINDS: dict[str, type[Medium]] = {"image": ImageBlock, "audio": AudioBlock, "video": VideoBlock}
# What a URL's end says of its type, where the caller does not: Vertex refuses a file without one.
SUFFIXES = {
    "png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "webp": "image/webp", "gif": "image/gif",
    "heic": "image/heic", "pdf": "application/pdf", "txt": "text/plain", "md": "text/markdown", "html": "text/html",
    "csv": "text/csv", "mp3": "audio/mpeg", "wav": "audio/wav", "flac": "audio/flac", "ogg": "audio/ogg",
    "m4a": "audio/mp4", "mp4": "video/mp4", "webm": "video/webm", "mov": "video/quicktime",
}  # fmt: skip
UNTOLD: dict[type[Medium], str] = {
    ImageBlock: "image/jpeg", DocumentBlock: "application/pdf", AudioBlock: "audio/mpeg", VideoBlock: "video/mp4",
}  # fmt: skip
# The JSON of Google's messages takes both alphabets of base64, other wires the first alone.
ONE_ALPHABET = str.maketrans("-_", "+/")


def parse_medium(wire: JsonObject, at: str) -> Block:
    """Read a part with `inlineData` or `fileData`; one of no sense stays whole."""
    blob, file = read(wire, "inlineData", dict, at), read(wire, "fileData", dict, at) or {}
    held = file if blob is None else blob
    media_type = as_text(held.get("mimeType"))
    url, data = as_text(file.get("fileUri")) or None, as_text(as_object(blob).get("data"))
    if "-" in data or "_" in data:  # looking costs a hundredth of translating some megabytes
        data = data.translate(ONE_ALPHABET)
    kind = KINDS.get((media_type or _guess(url or "")).partition("/")[0], DocumentBlock)
    if blob is not None and kind is DocumentBlock and media_type.startswith("text/"):
        text = _decode_text(data)
        if text is None:
            return OpaqueBlock(NAME, wire)
        data = text
    own = rest(wire, ("inlineData", "fileData", "thought"))
    if more := rest(held, ("mimeType", "data", "fileUri")):
        own["file"] = more
    given = {"media_type": media_type, "data": None if blob is None else data, "url": url if blob is None else None}
    if kind is DocumentBlock:
        return DocumentBlock(**given, name=as_text(held.get("displayName")) or None, opaque=as_opaque(own, NAME))  # type: ignore[arg-type]  # given holds what its names say
    return kind(**given, opaque=as_opaque(own, NAME))  # type: ignore[arg-type]  # as above


def render_medium(block: Medium) -> JsonObject | None:
    """Write a file's part; `None` when it is known only to another wire."""
    own = dict(own_fields(block.opaque, NAME))
    more = as_object(own.pop("file", None))
    media_type, data, url = block.media_type, block.data, block.url
    if data is not None and media_type.startswith("text/"):
        data = base64.b64encode(data.encode("utf-8", "replace")).decode()
    if data is None:
        told, data, url = split_data_url(url or "")
        media_type = told or media_type
    if data is not None:
        blob = {"mimeType": media_type or UNTOLD[type(block)], "data": data}
        return {"inlineData": {**blob, **more}, **own}
    if url is None:
        return None
    file = {"mimeType": media_type or _guess(url) or UNTOLD[type(block)], "fileUri": url}
    return {"fileData": said({**file, **more}), **own}


def _guess(url: str) -> str:
    path = url.partition("?")[0].partition("#")[0]
    if "youtu.be/" in url or "youtube.com/" in url:
        return "video/mp4"
    return SUFFIXES.get(path.rpartition(".")[2].lower(), "")


def _decode_text(data: str) -> str | None:
    try:
        return base64.b64decode(data, validate=True).decode("utf-8")
    except (binascii.Error, UnicodeError, ValueError):
        return None
