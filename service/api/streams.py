"""The events of a run: as a list, as server-sent events and over a WebSocket, each resumed from the last one had."""

import json
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Header, Path, Query, Request, WebSocket
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse
from starlette.websockets import WebSocketDisconnect

from ... import ParleyError
from ...desk.clock import elapsed_s
from ...domain.events import PAYLOADS, Event
from ..access.roles import Caller
from .callers import Desk, LimitQuery, RunQuery, Viewer, identify, let_in
from .desk import ServedDesk, served
from .errors import BadCall
from .feed import event_id
from .questions import EVENT_STREAM, wants_stream
from .replies import Page, answer_at, reply_at

streams = APIRouter(tags=["events"])
RETRY_MS = 1_000
SIGN_OF_LIFE_S = 10.0
"""How often a stream without events says that it is there, and whether its caller still is allowed to have it."""

AfterQuery = Annotated[
    str | None,
    Query(max_length=40, description="The id of the last event had: SEQ, or SEQ-HASH as the stream names it."),
]
KindQuery = Annotated[str | None, Query(alias="type", max_length=40, description="Only events of this type.")]
LastHeader = Annotated[str | None, Header(alias="Last-Event-ID", max_length=40)]


@streams.get(
    "/events",
    response_model=Page[Event],
    responses={200: {"content": {EVENT_STREAM: {"schema": {"type": "string"}}}}},
)
async def list_events(
    request: Request,
    desk: Desk,
    caller: Viewer,
    run: RunQuery = None,
    after: AfterQuery = None,
    kind: KindQuery = None,
    limit: LimitQuery = 100,
    last: LastHeader = None,
) -> Response:
    """Events after a place. With `Accept: text/event-stream` it goes on as they happen; Last-Event-ID resumes it."""
    if kind is not None and kind not in PAYLOADS:
        raise BadCall(f"{kind!r} is no type of event", remedy=f"There are: {', '.join(sorted(PAYLOADS))}.")
    asked, place = desk.run_asked(run), last or after
    if wants_stream(request):
        if kind is not None:
            raise BadCall("a stream has all types", remedy="Leave `type` out, and pick from what comes.")
        head, seq, previous = await run_in_threadpool(desk.feed.place, asked, place)
        pieces = _as_text(desk, request, caller, head.run, seq, previous)
        return StreamingResponse(pieces, media_type=EVENT_STREAM, headers={"X-Accel-Buffering": "no"})

    def make() -> bytes:
        head, seq, _ = desk.feed.place(asked, place)
        now, events = desk.feed.read(head.run, seq, limit, () if kind is None else (PAYLOADS[kind],))
        more = bool(events) and len(events) == limit and events[-1].seq < now.seq
        page = Page[Event](items=tuple(events), next=events[-1].seq if more else None, total=now.seq)
        return page.model_dump_json().encode()

    head = await run_in_threadpool(desk.feed.head, asked)
    state = f"{head.run} {head.seq} {head.hash}"
    key = (state, place or "", kind or "", str(limit))
    return await reply_at(request, desk.replies, run, state, lambda: desk.works.once(key, "events", make), place=last)


@streams.get("/events/{seq}", response_model=Event)
def show_event(
    request: Request,
    desk: Desk,
    _caller: Viewer,
    seq: Annotated[int, Path(ge=1, le=10**15)],
    run: RunQuery = None,
) -> Response:
    """One event by its place, which never changes."""
    head, _, previous = desk.feed.place(desk.run_asked(run), str(seq))
    return answer_at(request, previous, lambda: desk.feed.read(head.run, seq - 1, 1)[1][0])


@streams.websocket("/events/ws")
async def follow_events(socket: WebSocket) -> None:
    """Each event as one JSON message `{id, event}`; `?after=` and `?run=` as for the list."""
    desk = served(socket)
    caller = let_in(socket, "viewer", "read")
    asked = socket.query_params
    run = desk.run_asked(asked.get("run"))
    head, seq, previous = await run_in_threadpool(desk.feed.place, run, asked.get("after"))
    await socket.accept()
    try:
        with desk.streaming(caller):
            async for event in _while_allowed(desk, socket, caller, head.run, seq, previous):
                if event is not None:
                    await socket.send_text(json.dumps({"id": event_id(event), "event": event.model_dump(mode="json")}))
    except (WebSocketDisconnect, ConnectionResetError):
        return
    except ParleyError as error:
        await socket.close(1008, error.code)


async def _as_text(
    desk: ServedDesk, request: Request, caller: Caller, run: str, seq: int, previous: str
) -> AsyncIterator[str]:
    yield f"retry: {RETRY_MS}\n\n"
    told_s = elapsed_s()
    try:
        with desk.streaming(caller):
            async for event in _while_allowed(desk, request, caller, run, seq, previous):
                if event is not None:
                    yield f"id: {event_id(event)}\nevent: {event.type}\ndata: {event.model_dump_json()}\n\n"
                    told_s = elapsed_s()
                elif elapsed_s() - told_s > SIGN_OF_LIFE_S:
                    yield ": here\n\n"
                    told_s = elapsed_s()
    except ParleyError as error:
        said = {"code": error.code, "message": error.message, "remedy": error.remedy}
        yield f"event: error\ndata: {json.dumps(said)}\n\n"


async def _while_allowed(
    desk: ServedDesk, connection: Request | WebSocket, caller: Caller, run: str, seq: int, previous: str
) -> AsyncIterator[Event | None]:
    """The stream ends when its caller signs out, is shut out or loses the role."""
    looked_s = elapsed_s()
    async for event in desk.feed.follow(run, seq, previous):
        if elapsed_s() - looked_s > 1.0:
            now = await run_in_threadpool(identify, connection)
            now.require("viewer", "read")
            looked_s = elapsed_s()
        yield event
