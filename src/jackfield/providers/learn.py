"""What a refusal teaches about its server: a field it does not know, another name for one, no system role.

Pure: the refusal's body and the body we sent in, a compat record out. Only fields that were
sent at the body's top level are ever given up, and none that the question itself is made of.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

import msgspec

from jackfield.message import JsonObject
from jackfield.model import Compat
from jackfield.protocols.fields import as_list, as_object, as_text

TEACHING = frozenset({400, 422})  # statuses of a request that was read and not liked
# Without these another question would be asked.
ESSENTIAL = frozenset({
    "model", "messages", "input", "contents", "prompt", "system", "instructions", "systemInstruction",
    "system_instruction", "tools", "functions", "stream", "response_format", "text", "format", "generationConfig",
    "inferenceConfig", "options",
})  # fmt: skip
MOST_WORDS = 10_000  # a refusal that says more than this says nothing
NAME = r"[`'\"]?(?P<name>[A-Za-z_]\w*)[`'\"]?"
LIST = r"[\[(]?(?P<names>[`'\"]?[A-Za-z_]\w*[`'\"]?(?:, *[`'\"]?[A-Za-z_]\w*[`'\"]?)*)"
WHOLE = r"(?!\S* at |\w*[.\[]\w)"  # a field inside another one is not ours to drop
NOUN = r"(?:parameter|field|argument|property|key|option|name)"
# How servers say that they do not take a field. Order does not matter: all that match count.
REFUSALS = tuple(re.compile(words, re.IGNORECASE) for words in (
    rf"(?:unknown|unsupported|unrecognized|unrecognised|unexpected|extra) (?:request )?{NOUN}s?(?: supplied)?:? {LIST}{WHOLE}",
    rf"unknown name {NAME}: cannot find field",
    rf"{NOUN}s? (?:are |is )?not supported(?: on this model)?: {LIST}",
    rf"does not support (?:the )?{NOUN}s?:? {LIST}",
    rf"does not support (?:the )?[`'\"](?P<name>\w+)[`'\"] {NOUN}",
    rf"(?<![.\w]){NAME}(?: {NOUN})?(?: is|:) (?:not supported|unsupported|deprecated|not permitted|not allowed)(?! value)",
    rf"(?<![.\w]){NAME}: extra inputs are not permitted",
    r"extraneous key \[(?P<name>\w+)\] is not permitted",
    rf"additional properties are not allowed \({LIST} (?:was|were) unexpected",
    rf"{NAME} does not support \S+ with this model\. only the default",
    rf"got an unexpected keyword argument {NAME}",
    r"'loc': [\[(]'body', '(?P<name>\w+)'[\])], 'msg': 'extra inputs",
))  # fmt: skip
# A complaint about a value: another value would do, the field itself is known.
VALUE = re.compile(r"unsupported value|invalid value|must be|expected a", re.IGNORECASE)
REFUSED_PARAM = re.compile(r"unsupported|unknown|unrecogni[sz]ed|not supported|not permitted|unexpected", re.IGNORECASE)
EXTRA_TYPES = frozenset({"extra_forbidden", "value_error.extra"})
TOKEN_LIMITS: dict[str, Literal["max_tokens", "max_completion_tokens"]] = {
    "max_tokens": "max_completion_tokens",
    "max_completion_tokens": "max_tokens",
}
# `developer` is no lesson: it is sent only to whoever is declared to know it, and what is declared holds.
NO_SYSTEM = re.compile(r"system (?:role|message)s?\b.{0,20}not supported", re.IGNORECASE)


def learn(status: int, refusal: bytes, sent: bytes) -> Compat | None:
    """Return what to spare a server that refused a body, `None` when its words teach nothing we could do without."""
    if status not in TEACHING:
        return None
    try:
        body, said = as_object(msgspec.json.decode(sent)), msgspec.json.decode(refusal)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    words = _words(said)[:MOST_WORDS]
    fields = tuple(dict.fromkeys(_own(name, body) for name in _refused(said, words)))
    dropped = tuple(name for name in fields if name and name not in ESSENTIAL and name not in TOKEN_LIMITS)
    limit = next((TOKEN_LIMITS[name] for name in fields if name in TOKEN_LIMITS), None)
    is_roleless = _has_system(body) and NO_SYSTEM.search(words) is not None
    if not (dropped or limit or is_roleless):
        return None
    return Compat(
        unsupported_fields=dropped or None,
        max_tokens_field=limit,
        supports_system_role=False if is_roleless else None,
    )


def describe(lesson: Compat) -> str:
    """Say what a server was found to refuse, for a warning."""
    said = [f"field {name}: left out from now on" for name in lesson.unsupported_fields or ()]
    if lesson.max_tokens_field:
        said.append(f"field {TOKEN_LIMITS[lesson.max_tokens_field]}: sent as {lesson.max_tokens_field} from now on")
    if lesson.supports_system_role is False:
        said.append("role system: sent as the user's words from now on")
    return f"the server refuses {', '.join(said)}"


def under(own: Compat, learned: Compat) -> Compat:
    """Return what is learned with what is declared over it; an empty list of refused fields declares that there is none."""
    declared, found = own.unsupported_fields, learned.unsupported_fields or ()
    fields = declared if declared == () else tuple(dict.fromkeys((*(declared or ()), *found)))
    return learned.merged(own).merged(Compat(unsupported_fields=fields or declared))


# -- a server's words --------------------------------------------------------------


def _words(said: object) -> str:
    """Return the texts of a refusal, wherever its server puts them."""
    match said:
        case str():
            return said
        case dict():
            return "\n".join(filter(None, (_words(said.get(key)) for key in ("error", "message", "detail", "msg"))))
        case list():
            return "\n".join(filter(None, map(_words, said)))
        case _:
            return ""


def _refused(said: object, words: str) -> Iterator[str]:
    for pattern in REFUSALS:
        for match in pattern.finditer(words):
            found = match.groupdict()
            yield from re.findall(r"\w+", found.get("names") or found.get("name") or "")
    whole = as_object(said)
    for error in (whole, as_object(whole.get("error")), as_object(whole.get("message"))):
        param = as_text(error.get("param"))
        if param and REFUSED_PARAM.search(f"{error.get('code')} {words}") and not VALUE.search(words):
            yield param
        for detail in as_list(error.get("detail")):
            place = as_list(as_object(detail).get("loc"))
            if as_object(detail).get("type") in EXTRA_TYPES and len(place) == 2 and place[0] == "body":
                yield as_text(place[1])


def _own(name: str, body: JsonObject) -> str:
    """Return a field of the body by a server's spelling of it, which may be another case; empty: not sent."""
    loose = name.replace("_", "").lower()
    return name if name in body else next((key for key in body if key.replace("_", "").lower() == loose), "")


def _has_system(body: JsonObject) -> bool:
    return any(as_object(turn).get("role") == "system" for turn in as_list(body.get("messages")))
