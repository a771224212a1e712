"""What the codecs share: reading vectors, and texts that must be words."""

from __future__ import annotations

import struct
from binascii import Error as Base64Error
from binascii import a2b_base64
from collections.abc import Sequence

from jackfield.embedding import EmbedRequest, Purpose, Vector
from jackfield.errors import BadReply, InvalidRequest
from jackfield.protocols.fields import wrong

LARGEST = 3e38  # near the end of 32-bit floats
# Google's words for what vectors are for, on both of its wires.
TASKS: dict[Purpose, str] = {
    "query": "RETRIEVAL_QUERY", "document": "RETRIEVAL_DOCUMENT", "classification": "CLASSIFICATION",
    "clustering": "CLUSTERING", "similarity": "SEMANTIC_SIMILARITY",
}  # fmt: skip
PURPOSES = {task: purpose for purpose, task in TASKS.items()}


def parse_vector(value: object) -> Vector:
    """Read numbers, or base64 of little-endian 32-bit floats; raise `BadReply` for anything else."""
    if isinstance(value, str):
        try:
            data = a2b_base64(value)
            value = list(struct.unpack(f"<{len(data) // 4}f", data))
        except (Base64Error, ValueError, struct.error) as error:
            raise BadReply(f"a vector is not base64 of 32-bit floats: {error}") from error
    if not isinstance(value, list) or not value or not all(type(each) in (int, float) for each in value):
        raise BadReply("a vector is not a list of numbers")
    # What is no number, or larger than any vector's, breaks whoever writes it as JSON or as 32 bits.
    if not all(-LARGEST <= each <= LARGEST for each in value):
        raise BadReply("a vector is not of finite numbers")
    return tuple(map(float, value))


def parse_vectors(values: object, what: str) -> list[Vector]:
    """Read a list of vectors; raise `BadReply` when it is none."""
    if not isinstance(values, list) or not values:
        raise BadReply(f"the reply has no {what}")
    return [parse_vector(value) for value in values]


def words(request: EmbedRequest) -> list[str]:
    """Return the texts; raise `InvalidRequest` where one is given as tokens, which only OpenAI's wire takes."""
    texts = [text for text in request.inputs if isinstance(text, str)]
    if len(texts) != len(request.inputs):
        raise InvalidRequest("texts given as token numbers cannot be sent on this wire", hint="give the words")
    return texts


def as_texts(value: object, path: str) -> Sequence[str]:
    """Return a caller's text or list of texts; raise `InvalidRequest` when it is neither."""
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not texts or not all(isinstance(text, str) for text in texts):
        raise wrong(path, "must be a string or a list of strings")
    return texts
