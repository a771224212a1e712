"""The engine: takes what was asked, picks the reply, keeps a record. Opens nothing.

The caller's protocol is read off the path. Replies are taken in the order of the script, each
as often as it says; one with `when` waits for a request that fits.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from urllib.parse import unquote, urlsplit

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from jackfield.errors import Error, InvalidRequest, UsageError
from jackfield.message import ChatRequest, JsonObject, ToolResult
from jackfield.protocols import PACKAGES, load
from jackfield.protocols.base import Protocol
from jackfield.scripted.faults import expand
from jackfield.scripted.load import Given, load_script
from jackfield.scripted.play import Answer, last_user_text, play, refuse
from jackfield.scripted.reply import Reply, When

# How a path ends → the wire that is spoken there. A wire's model and switch may stand in the path.
ROUTES = (
    (re.compile(r"/chat/completions$"), "openai-completions"),
    (re.compile(r"/responses$"), "openai-responses"),
    (re.compile(r"/messages$"), "anthropic-messages"),
    (re.compile(r"/models/(?P<model>[^/]+):(?P<verb>generateContent|streamGenerateContent)$"), "google-generative-ai"),
)
MODELS = re.compile(r"/models$")


class Asked(Struct, frozen=True, kw_only=True):
    """One request as it came: its wire, its body, and what both mean."""

    protocol: str
    path: str
    headers: Mapping[str, str]  # names are lower-case; what was a `Secret` is masked
    body: JsonObject
    request: ChatRequest
    reply: int | None  # which reply of the script it got, from 0; `None`: there was none for it

    @property
    def text(self) -> str:
        """The last words of the user."""
        return last_user_text(self.request)


class Script:
    """A script on its way. `requests` says what was asked; `check` raises when replies are left over."""

    def __init__(self, script: Given = None, clock: Callable[[], float] = time.monotonic) -> None:
        self.requests: list[Asked] = []
        self._replies = [(index, each) for index, reply in enumerate(load_script(script)) for each in expand(reply)]
        self._played = [0] * len(self._replies)
        self._clock = clock
        self._started: float | None = None

    def answer(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Return the answer to a request; raise `UsageError` where the script has none.

        A request that its wire would refuse is refused as that wire does.
        """
        path = unquote(urlsplit(url).path)
        if method == "GET" and MODELS.search(path):
            return _list_models()
        route, protocol = _pick_route(method, path)
        try:
            request = _parse(protocol, body, route)
        except Error as error:
            return refuse(error, protocol)
        position = self._pick(request)
        number = None if position is None else self._replies[position][0]
        decoded = msgspec.json.decode(body)
        self.requests.append(
            Asked(protocol=protocol.NAME, path=path, headers=headers, body=decoded, request=request, reply=number)
        )
        if position is None:
            raise self._unanswered(self.requests[-1])
        self._played[position] += 1
        return play(self._replies[position][1], request, protocol, len(self.requests))

    def refuse(self, error: Error, url: str) -> Answer:
        """Return an error in the protocol that is spoken at an address, in OpenAI's where none is."""
        path = unquote(urlsplit(url).path)
        name = next((name for pattern, name in ROUTES if pattern.search(path) and name in PACKAGES), ROUTES[0][1])
        return refuse(error, load(name), 400)

    def check(self) -> None:
        """Raise `UsageError` when a reply that was to be given has not been."""
        left = [
            f"replies[{number}] ({_describe(reply)})"
            for (number, reply), played in zip(self._replies, self._played, strict=True)
            if reply.repeat is not True and reply.for_s is None and played < int(reply.repeat)
        ]
        if left:
            raise UsageError(
                f"the script was not played to its end: {', '.join(left)}",
                hint=f"{len(self.requests)} requests came; take replies out, or say repeat: true",
            )

    def _pick(self, request: ChatRequest) -> int | None:
        now = self._clock()
        self._started = now if self._started is None else self._started
        for position, (_, reply) in enumerate(self._replies):
            if _fits(reply.when, request) and self._is_due(reply, self._played[position], now - self._started):
                return position
        return None

    def _is_due(self, reply: Reply, played: int, elapsed_s: float) -> bool:
        if reply.for_s is not None:
            return elapsed_s < reply.for_s
        return reply.repeat is True or played < int(reply.repeat)

    def _unanswered(self, asked: Asked) -> UsageError:
        what = f"request {len(self.requests)} (model {asked.request.model!r}, user says {asked.text[:60]!r})"
        seen = [
            f"replies[{number}] ({_describe(reply)}): " + (f"given {played}×" if played else "does not fit")
            for (number, reply), played in zip(self._replies, self._played, strict=True)
        ]
        return UsageError(f"the script has no reply for {what}", hint="\n".join(seen) or "the script is empty")


def _pick_route(method: str, path: str) -> tuple[re.Match[str], Protocol]:
    for pattern, name in ROUTES:
        if method == "POST" and name in PACKAGES and (match := pattern.search(path)):
            return match, load(name)
    spoken = ", ".join(name for _, name in ROUTES if name in PACKAGES)
    raise UsageError(
        f"the script does not answer {method} {path}", hint=f"it speaks {spoken}, told by how the path ends"
    )


def _parse(protocol: Protocol, body: bytes, route: re.Match[str]) -> ChatRequest:
    request, said = protocol.parse_request(body), route.groupdict()
    if said:
        request = replace(request, model=said["model"], stream=said["verb"].startswith("stream"))
    if not request.model:
        raise InvalidRequest("model is required", status=400)
    return request


def _fits(when: When, request: ChatRequest) -> bool:
    last = request.messages[-1] if request.messages else None
    brings = last is not None and any(isinstance(block, ToolResult) for block in last.content)
    return (
        (when.model is None or fnmatchcase(request.model, when.model))
        and (when.user is None or _says(when.user, last_user_text(request)))
        and when.tool_result in {None, brings}
        and when.prefill in {None, last is not None and last.role == "assistant"}
    )


def _says(wanted: str, text: str) -> bool:
    is_pattern = len(wanted) > 1 and wanted.startswith("/") and wanted.endswith("/")
    return bool(re.search(wanted[1:-1], text)) if is_pattern else wanted in text


def _describe(reply: Reply) -> str:
    said = msgspec.to_builtins(reply.when)
    when = ", ".join(f"{key}: {value!r}" for key, value in said.items() if value is not None)
    calls = ", ".join(call.name for call in reply.tool_calls)
    what = reply.text if reply.text is not None else calls or reply.error or str(reply.status or "no text")
    return f"{what[:40]!r}" + (f" when {when}" if when else "")


def _list_models() -> Answer:
    rows = [{"id": "fake", "object": "model", "created": 0, "owned_by": "jackfield"}]
    body = msgspec.json.encode({"object": "list", "data": rows})
    return Answer(200, {"content-type": "application/json"}, [body])
