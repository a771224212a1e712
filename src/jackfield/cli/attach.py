"""Files a person attaches to a message: pictures, PDFs, sound, films and text become blocks."""

from __future__ import annotations

import sys
from base64 import b64encode
from pathlib import Path

from jackfield.errors import UsageError
from jackfield.message import AudioBlock, Block, DocumentBlock, ImageBlock, TextBlock, VideoBlock

MAX_BYTES = 32 * 1024 * 1024  # the largest request any of the hosted services takes
# First bytes → media type; RIFF files say at byte 8 what they are, those of the MPEG-4 family too.
MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"%PDF-", "application/pdf"),
    (b"ID3", "audio/mpeg"),
    (b"\xff\xfb", "audio/mpeg"),
    (b"fLaC", "audio/flac"),
    (b"OggS", "audio/ogg"),
    (b"\x1aE\xdf\xa3", "video/webm"),
)
RIFF = {b"WEBP": "image/webp", b"WAVE": "audio/wav"}
BRANDS = {b"M4A ": "audio/mp4", b"qt  ": "video/quicktime", b"heic": "image/heic", b"avif": "image/avif"}
BLOCKS: dict[str, type[ImageBlock | AudioBlock | VideoBlock]] = {
    "image": ImageBlock,
    "audio": AudioBlock,
    "video": VideoBlock,
}


def load_attachment(path: str) -> Block:
    """Read a file (`-`: standard input) as the block its content calls for.

    Raises `UsageError` naming the file when it cannot be read, is too large or is neither
    text nor a kind that models read.
    """
    if not path:
        raise UsageError("no file is named")
    data = _read(path)
    if not data:
        raise UsageError(f"{'standard input' if path == '-' else path} is empty")
    name = "stdin" if path == "-" else Path(path).name
    media_type = detect_type(data)
    kind = media_type.partition("/")[0]
    if kind == "text":
        return TextBlock(f"{name}:\n```\n{data.decode('utf-8-sig')}\n```")
    encoded = b64encode(data).decode()
    if kind in BLOCKS:
        return BLOCKS[kind](media_type, encoded)
    if media_type == "application/pdf":
        return DocumentBlock(media_type, encoded, name=name)
    raise UsageError(
        f"{path} is neither text nor a picture, a PDF, sound or a film",
        hint="supported: PNG JPEG GIF WebP HEIC AVIF PDF MP3 WAV FLAC OGG M4A MP4 MOV WebM, UTF-8 text",
    )


def read_message() -> str:
    """Read standard input as the words of a message; empty when nothing comes, `UsageError` when it is no text."""
    data = _read("-")
    kind = detect_type(data)
    if kind != "text/plain":
        said = "attach it: jackfield chat -f -" if kind else "text in another encoding: iconv -f latin1 -t utf-8"
        raise UsageError(f"standard input is {kind or 'not UTF-8 text'}", hint=said)
    return data.decode("utf-8-sig").strip()


def load_text(path: str) -> str:
    """Read a file (`-`: standard input) as plain words; raise `UsageError` when it is not text."""
    data = _read(path)
    if detect_type(data) != "text/plain":
        raise UsageError(f"{'standard input' if path == '-' else path} is not UTF-8 text")
    return data.decode("utf-8-sig")


def detect_type(data: bytes) -> str:
    """Return the media type by content, never by the file's name; empty when unknown."""
    for magic, media_type in MAGIC:
        if data.startswith(magic):
            return media_type
    if data[:4] == b"RIFF":
        return RIFF.get(data[8:12], "")
    if data[4:8] == b"ftyp":
        return BRANDS.get(data[8:12], "video/mp4")
    try:
        data.decode()
    except UnicodeDecodeError:
        return ""
    return "" if b"\x00" in data else "text/plain"


def _read(path: str) -> bytes:
    name = "standard input" if path == "-" else path
    try:
        if path == "-":
            data = sys.stdin.buffer.read(MAX_BYTES + 1)
        else:
            with Path(path).expanduser().open("rb") as file:
                data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(f"cannot read {name}: {(error.strerror or str(error)).lower()}") from error
    if len(data) > MAX_BYTES:
        raise UsageError(f"{name} is over {MAX_BYTES // 2**20} MB, more than any service takes")
    return data
