"""Which calls take the short way: the lane of the model that is named, and leave for it."""

from __future__ import annotations

from contextlib import suppress

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from jackfield.errors import InvalidRequest
from jackfield.gateway.call import find_model
from jackfield.gateway.express import Express
from jackfield.gateway.parts import Visit
from jackfield.gateway.passing import Passing
from jackfield.gateway.permit import reserve, reserve_roughly
from jackfield.gateway.record import LONGEST_NAME
from jackfield.gateway.routes import Route
from jackfield.gateway.target import LONGEST, Lane, Target, has_media
from jackfield.gateway.whole import SHALLOW, Shallow
from jackfield.gateway.wires import COMPLETIONS, LEGACY, MESSAGES, RESPONSES, load_wire
from jackfield.transport.connection import PIECE_BYTES
from jackfield.transport.http import Transport

MOST_LANES = 10  # of callers with one head; each is some kilobytes, and there may be as many heads as `entry` remembers
MOST_AT_ONCE = PIECE_BYTES - 4096  # bytes of a body; what is filled in makes it longer
NO_JSON = (msgspec.DecodeError, UnicodeError, RecursionError)
TEXT = msgspec.json.Decoder(str)
OPTIONS = msgspec.json.Decoder(dict[str, bool])
# Where a wire says for whom a caller asks, the first that says anything.
USERS = {COMPLETIONS: ("user", "safety_identifier"), RESPONSES: ("safety_identifier", "user")}


class _Metadata(Struct):
    user_id: str = ""


METADATA = msgspec.json.Decoder(_Metadata)


class _Asked(Struct):
    body: Shallow
    name: bytes  # of the model, as JSON
    stream: bool


async def find_express(visit: Visit, raw: bytes) -> Express | None:
    """Return the short way for a call, `None` where it has none: another wire, pictures, anything odd.

    Holds what the call may take of its key's limits; raises what keeps it from being made.
    """
    try:
        if (asked := _read(visit.route, raw)) is None:
            return None
        hides_usage = asked.stream and not OPTIONS.decode(asked.body.get("stream_options", b"{}")).get("include_usage")
        lane = _known_lane(visit, asked) or await _find_lane(visit, asked)
    except NO_JSON:
        return None
    if (target := _pick_target(visit, asked, lane)) is None:
        return None
    if visit.entry.is_limited:
        visit.grant = reserve_roughly(visit.parts.access, visit.key, target.rates, asked.body, raw)
        if visit.grant is None and not await _hold(visit, target, raw):
            return None
    passing = Passing(visit.route.wire, target.ref, drops_usage=bool(hides_usage)) if asked.stream else None
    return Express(visit, target, asked.body, raw, passing)


def spot_express(visit: Visit, raw: bytes) -> Express | None:
    """Return the short way for a whole call where it can be begun at once; `None`: nothing has been done."""
    sender = visit.parts.client.direct.sender
    if len(raw) > MOST_AT_ONCE or not isinstance(sender, Transport):
        return None
    try:
        asked = _read(visit.route, raw)
    except NO_JSON:
        return None
    if asked is None or asked.stream or not (lane := _known_lane(visit, asked)):
        return None
    target = _pick_target(visit, asked, lane)
    if target is None or not sender.may_begin(target.template):
        return None
    if visit.entry.is_limited:
        visit.grant = reserve_roughly(visit.parts.access, visit.key, target.rates, asked.body, raw)
        if visit.grant is None:
            return None
    return Express(visit, target, asked.body, raw, None)


def _read(route: Route, raw: bytes) -> _Asked | None:
    if route.wire == LEGACY or len(raw) > LONGEST or has_media(raw):
        return None
    body = SHALLOW.decode(raw)
    stream = route.stream or (not route.model and bytes(body.get("stream", b"")) == b"true")
    return _Asked(body, bytes(body.get("model", b'""')), stream)


def _known_lane(visit: Visit, asked: _Asked) -> Lane | None:
    lane = visit.entry.lanes.get((asked.name, asked.stream))
    return lane if lane is not None and visit.clock.seconds() < lane.until_s else None


def _pick_target(visit: Visit, asked: _Asked, lane: Lane) -> Target | None:
    target = lane.target
    if target is None or not (target.takes(asked.body) and visit.key.limits.allows(target.ref)):
        return None
    visit.requested, visit.end_user = lane.requested, _find_user(visit.route.wire, asked.body)
    return target


def _find_user(wire: str, body: Shallow) -> str:
    """Return for whom a caller asks, as its codec would."""
    if wire == MESSAGES and "metadata" in body:
        with suppress(msgspec.DecodeError, UnicodeError):
            return METADATA.decode(body["metadata"]).user_id
    for name in USERS.get(wire, ()):
        if name in body:
            with suppress(msgspec.DecodeError, UnicodeError):
                if said := TEXT.decode(body[name]):
                    return said
    return ""


async def _find_lane(visit: Visit, asked: _Asked) -> Lane:
    lanes = visit.entry.lanes
    name = find_model(visit.route.model or TEXT.decode(asked.name), visit.exchange, visit.parts.client.config)
    lane = await visit.parts.targets.find(visit.route.wire, name, visit.clock.seconds(), stream=asked.stream)
    if len(lanes) >= MOST_LANES:
        lanes.clear()
    if len(asked.name) <= LONGEST_NAME:
        lanes[asked.name, asked.stream] = lane
    return lane


async def _hold(visit: Visit, target: Target, raw: bytes) -> bool:
    """Hold what a call may take; tell whether its key may still ask the target then."""
    try:
        request = replace(load_wire(visit.route.wire).parse_request(raw), model=visit.requested)
    except InvalidRequest:
        return False  # the long way says what is wrong
    made, visit.grant = await reserve(visit.parts.access, visit.key, target.plan, request)
    return made.candidates[0] is target.plan.candidates[0]
