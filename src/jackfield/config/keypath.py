"""Key paths as people write them: `models.providers["my.own"].models[0].id`.

Pure text: whether anything stands at a path is for others to say.
"""

from __future__ import annotations

import re

from jackfield.errors import UsageError

KeyPath = tuple[str | int, ...]
_PLAIN = re.compile(r"[^\s.\[\]\"'\\]+")
_STEP = r"""\.?(?P<plain>(?:[^\s.\[\]"'\\]|\\.)+) | \[(?P<index>\d+)\] | \[(?P<double>"(?:[^"\\]|\\.)*")\] | \['(?P<single>[^']*)'\]"""


def parse_path(text: str) -> KeyPath:
    r"""Return the steps of a path: dots, `[0]`, `["quoted"]`; `\.` is a dot inside a key. Raises `UsageError`."""
    steps: list[str | int] = []
    at = 0
    step = re.compile(_STEP, re.VERBOSE)  # here, because rendering a path is common and reading one is rare
    while at < len(text):
        match = step.match(text, at)
        if not match or (match["plain"] and (at == 0) == text.startswith(".", at)):
            raise UsageError(
                f"cannot read the key path {text!r} from {text[at:]!r} on",
                hint='write it like models.providers["my.id"].models[0]',
            )
        steps.append(_step(match))
        at = match.end()
    if not steps:
        raise UsageError("the key path is empty", hint="name a key, such as agents.defaults.model")
    return tuple(steps)


def _step(match: re.Match[str]) -> str | int:
    if match["index"]:
        return int(match["index"])
    if match["double"]:
        import json  # noqa: PLC0415  few paths are quoted; the import costs more than reading a config's tables

        return str(json.loads(match["double"]))
    if match["single"] is not None:
        return match["single"]
    return re.sub(r"\\(.)", r"\1", match["plain"])


def render_path(path: KeyPath) -> str:
    """Return a path as text that `parse_path` reads back."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif _PLAIN.fullmatch(step):
            text += f".{step}" if text else step
        else:
            import json  # noqa: PLC0415

            text += f"[{json.dumps(step, ensure_ascii=False)}]"
    return text
