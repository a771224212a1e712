"""Data URLs, in which several wires carry pictures and files."""

from __future__ import annotations


def split_data_url(url: str) -> tuple[str, str | None, str | None]:
    """Return (media type, base64 data, `None`) of a data URL, or ("", `None`, the URL)."""
    head, comma, data = url.partition(";base64,")
    if url.startswith("data:") and comma:
        return head[5:], data, None
    return "", None, url or None


def join_data_url(media_type: str, data: str) -> str:
    """Return the URL that holds base64 data."""
    return f"data:{media_type};base64,{data}"
