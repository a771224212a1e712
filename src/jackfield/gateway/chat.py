"""A chat, whole or streamed, between any two protocols: read by one codec, answered through another.

A stream's head waits for the first event, so that a failure before it is an HTTP error and
says who answered after it. What breaks later ends with the wire's own error.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import aclosing

import msgspec
from msgspec.structs import replace

from jackfield.events import MessageStart, StreamEvent
from jackfield.gateway.cache import Replay, Slot
from jackfield.gateway.call import Call, decode_body, read_call
from jackfield.gateway.head import cost_of, head_of
from jackfield.gateway.parts import Visit
from jackfield.gateway.permit import reserve, settle
from jackfield.gateway.responses import narrow
from jackfield.gateway.shortcut import find_express
from jackfield.gateway.wires import COMPLETIONS, HABITS, LEGACY, load_wire
from jackfield.message import JsonObject, Usage
from jackfield.protocols.base import StreamRenderer
from jackfield.reply import ChatOptions, ChatStream, Tried
from jackfield.routing.candidate import Plan
from jackfield.routing.patience import first_word_s

ENCODER = msgspec.json.Encoder()


async def answer_chat(visit: Visit, raw: bytes) -> None:
    """Answer a chat, on the short way where there is one; where a stream breaks, raises what broke it."""
    tried = None
    # What is kept must be known in full, which the short way does not need.
    if visit.parts.cache is None and (express := await find_express(visit, raw)):
        failed = await express.answer()
        if failed is None:
            return
        tried = express.give_up(failed)
    await answer_long(visit, raw, tried)


async def answer_long(visit: Visit, raw: bytes, tried: Tried | None) -> None:
    """Answer a chat through the codecs, behind what the short way may have tried."""
    client, cache = visit.parts.client, visit.parts.cache
    call = read_call(decode_body(raw), visit.route, visit.exchange, client.config)
    request = call.request
    visit.requested, visit.end_user = request.model, request.user or ""
    made = narrow(client.plan(request, fallbacks=call.fallbacks, session=call.session), request)
    slot = cache.slot(call, made, visit.key.id, visit.exchange) if cache else None
    if slot is None:
        await _ask(visit, call, made, tried)
        return
    kept = slot.find()
    if kept is None and slot.is_asked:
        await _wait(visit, call, slot, first_word_s(made.candidates[0], stream=request.stream))
        kept = slot.find()
    if kept:
        visit.grant = await visit.parts.access.reserve(visit.key, model=kept.model)
        visit.tell_cache("hit")
        await _answer(visit, call, Replay(kept, made.requested))
        return
    with slot.asking():
        await _ask(visit, call, made, slot=slot)


async def _ask(visit: Visit, call: Call, made: Plan, tried: Tried | None = None, slot: Slot | None = None) -> None:
    # What the short way held is given back: this one may lead further.
    settle(visit.grant, Usage(), None)
    made, visit.grant = await reserve(visit.parts.access, visit.key, made, call.request)
    if slot:
        visit.tell_cache("miss")
    how: ChatOptions = {"strict": call.is_strict, "session": call.session}
    stream = ChatStream(visit.parts.client, call.request, made, how, tried)
    await _answer(visit, call, stream)
    if slot:
        slot.keep(stream.heard())


async def _wait(visit: Visit, call: Call, slot: Slot, longest_s: float) -> None:
    """Wait for who asks the same; a stream shows meanwhile that it lives."""
    if not call.request.stream:
        await slot.wait(longest_s)
        return
    wire = load_wire(visit.route.wire)
    visit.fail = _open_renderer(visit.route.wire, call).fail
    kind = [("content-type", wire.STREAM_TYPE)]
    with visit.parts.heart.beat(visit.exchange, HABITS[visit.route.wire].ping, kind):
        await slot.wait(longest_s)


async def _answer(visit: Visit, call: Call, stream: ChatStream | Replay) -> None:
    visit.heard = stream.heard
    await (_answer_stream if call.request.stream else _answer_whole)(visit, call, stream)


async def _answer_whole(visit: Visit, call: Call, stream: ChatStream | Replay) -> None:
    async with aclosing(stream):
        response = await stream.response()
    visit.heard = lambda: response
    reply_id, extras = _completed(response.id, {**call.repeated, **response.extras}, visit)
    wire = load_wire(visit.route.wire)
    body = ENCODER.encode(wire.render_response(replace(response, id=reply_id, extras=extras)))
    await visit.exchange.answer(200, [*head_of(response), *cost_of(response.cost_usd)], body)


async def _answer_stream(visit: Visit, call: Call, stream: ChatStream | Replay) -> None:
    exchange, wire = visit.exchange, load_wire(visit.route.wire)
    renderer = _open_renderer(visit.route.wire, call)
    visit.fail = renderer.fail
    kind = [("content-type", wire.STREAM_TYPE)]
    ping = HABITS[visit.route.wire].ping

    def take(batch: Sequence[StreamEvent]) -> bool:
        # What follows the first content needs nobody to wake while the caller reads it as fast as it comes.
        is_free = visit.first_ms is not None and exchange.write_now()
        return is_free and exchange.write_now(b"".join(map(renderer.feed, batch)))

    with visit.parts.heart.beat(exchange, ping, kind):
        async with aclosing(stream):
            async for batch in stream.batches(take):
                if visit.first_ms is None:
                    visit.first_ms = visit.elapsed_ms()
                    batch = [_stamped(event, visit, call) for event in batch]  # noqa: PLW2901
                data = b"".join(map(renderer.feed, batch))
                if not exchange.status:
                    # To count a long question takes longer than all else that is done before the first word.
                    await exchange.start([*kind, *head_of(stream.heard(billed=False), running=True)], data)
                elif data:
                    await exchange.write(data)
    await exchange.end(renderer.close())


def _open_renderer(wire: str, call: Call) -> StreamRenderer:
    make: Callable[..., StreamRenderer] = load_wire(wire).StreamRenderer
    # Only these callers hear the counts of a stream by request; all others always do.
    wishes = {COMPLETIONS: (call.include_usage, call.names_pieces), LEGACY: (call.include_usage,)}
    return make(*wishes.get(wire, ()))


# -- what a codec cannot know --------------------------------------------------------


def _stamped(event: StreamEvent, visit: Visit, call: Call) -> StreamEvent:
    if not isinstance(event, MessageStart):
        return event
    reply_id, extras = _completed(event.id, {**call.repeated, **event.extras}, visit)
    return replace(event, id=reply_id, extras=extras)


def _completed(reply_id: str, extras: JsonObject, visit: Visit) -> tuple[str, JsonObject]:
    """Return id and fields of a reply, with what the caller's wire promises and its provider's does not give."""
    habit = HABITS[visit.route.wire]
    if habit.clock and not extras.get(habit.clock):
        extras = {**extras, habit.clock: visit.came_ms // 1000}
    return reply_id or (habit.id_prefix and f"{habit.id_prefix}{visit.exchange.id}"), extras
