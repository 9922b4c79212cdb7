"""Reads of one run as its log stands: worked out once for a head, however many ask, and as lists by pages."""

from collections.abc import Callable, Sequence
from typing import Any

from fastapi import Request
from starlette.responses import Response

from ..answers.reader import Reading
from .desk import ServedDesk
from .replies import page_of, reply_at


async def read_at_head(
    request: Request, desk: ServedDesk, run: str | None, make: Callable[[Reading], bytes]
) -> Response:
    """Answered from the log's head, and worked out once for it."""
    state, scope = desk.state(run), request.scope
    key = (state, scope["path"], scope["query_string"].decode("latin-1"))

    def made() -> bytes:
        with desk.reader(run).reading() as reading:
            return make(reading)

    return await reply_at(request, desk.replies, run, state, lambda: desk.works.once(key, scope["route"].path, made))


async def list_at_head(
    request: Request,
    desk: ServedDesk,
    run: str | None,
    items: Callable[[Reading], Sequence[Any]],
    page: Any,
    cursor: int,
    limit: int,
) -> Response:
    """One page of a list; `page` is the type it is sent as."""

    def make(reading: Reading) -> bytes:
        found = page_of(items(reading), cursor, limit)
        return page(items=found.items, next=found.next, total=found.total).model_dump_json().encode()

    return await read_at_head(request, desk, run, make)
