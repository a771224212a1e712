"""Pictures, sound and films in an answer: told, and saved where the user says."""

from __future__ import annotations

from base64 import b64decode
from pathlib import Path

from jackfield.cli import ui
from jackfield.errors import BadReply, UsageError
from jackfield.message import AudioBlock, Block, ChatResponse, DocumentBlock, ImageBlock, VideoBlock

MEDIA = (ImageBlock, AudioBlock, VideoBlock, DocumentBlock)
# Media type → the usual end of a file's name; another type's own second half stands in.
ENDS = {"image/jpeg": "jpg", "audio/mpeg": "mp3", "audio/x-wav": "wav", "text/plain": "txt"}
# The type is the server's word: no other first half of one gets into a file's name.
STEMS = frozenset({"image", "audio", "video", "text", "application"})
KINDS = {"image": "a picture", "audio": "sound", "video": "a film"}


def find_media(reply: ChatResponse) -> list[Block]:
    """Return the blocks of an answer that are no words."""
    return [block for block in reply.content if isinstance(block, MEDIA)]


def keep_media(reply: ChatResponse, folder: str | None) -> list[Path]:
    """Save an answer's files in a folder, or tell that it holds some; return what was written.

    A name that is taken is never overwritten. Raises `UsageError` when the folder cannot be written.
    """
    blocks = find_media(reply)
    if folder is None:
        for block in blocks:
            ui.note(f"the answer holds {_describe(block)}")
        if any(_data(block) for block in blocks):
            ui.note("save it with --save DIR")
        return []
    saved = []
    for block in filter(_data, blocks):
        saved.append(_save(_data(block), _type(block), Path(folder).expanduser()))
        ui.note(f"saved {saved[-1]}")  # at once: the next may fail
    return saved


def _save(data: str, media_type: str, folder: Path) -> Path:
    try:
        raw = b64decode(data, validate=True)
    except ValueError as error:  # of characters beyond ASCII; of anything else it is a `binascii.Error`
        raise BadReply(f"the answer's {media_type} is no base64: {error}") from error
    end = ENDS.get(media_type) or "".join(filter(str.isalnum, media_type.partition("/")[2]))[:8] or "bin"
    kind = media_type.partition("/")[0].lower()
    stem = kind if kind in STEMS else "file"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(1, 10_000):
            path = folder / f"{stem}-{number}.{end}"
            try:
                with path.open("xb") as file:
                    file.write(raw)
            except FileExistsError:
                continue
            return path
    except OSError as error:
        raise UsageError(f"cannot save to {folder}: {(error.strerror or str(error)).lower()}") from error
    raise UsageError(f"{folder} holds ten thousand files of that name", hint="name another folder")


def _describe(block: Block) -> str:
    kind = KINDS.get(_type(block).partition("/")[0], "a file")
    url = getattr(block, "url", None)
    size = f", {len(_data(block)) * 3 // 4 // 1024 or 1} kB" if _data(block) else f" at {url}" if url else ""
    return f"{kind} ({_type(block)}{size})"


def _data(block: Block) -> str:
    return getattr(block, "data", None) or ""


def _type(block: Block) -> str:
    return getattr(block, "media_type", "") or "application/octet-stream"
