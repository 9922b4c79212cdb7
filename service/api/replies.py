"""How a read is answered: a list's page with a cursor, an ETag of the log's head, and no body where nothing is new."""

import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from fastapi import Request
from pydantic import BaseModel, Field
from starlette.requests import HTTPConnection
from starlette.responses import Response

from ... import __version__
from ...domain.model import Model

Item = TypeVar("Item")
MAX_PAGE = 500
REPLIES_KEPT, LONG_BYTES = 512, 256 * 1024
AS_OF = "Parley-As-Of"
"""The header that says which event a read is as of: run, place and hash. It may know of later ones already."""
REVALIDATED = {"Cache-Control": "private, no-cache", "Vary": "Authorization, Cookie, Accept"}


class Place(Model):
    """Which state of which run an answer is about."""

    run: str
    seq: int = Field(ge=0, description="The last event of the log.")
    head_hash: str


class Page(Model, Generic[Item]):
    """Some of a list, in the order of the record."""

    items: tuple[Item, ...]
    next: int | None = Field(description="The cursor of the next page; null on the last one.")
    total: int


def page_of(items: Sequence[Item], cursor: int, limit: int) -> Page[Item]:
    """The list only grows at its end, so that a place in it is a cursor that holds."""
    end = cursor + limit
    return Page[Item](items=tuple(items[cursor:end]), next=end if end < len(items) else None, total=len(items))


@dataclass(frozen=True, slots=True)
class Reply:
    """The reply of a read that depends on the state of a run alone, for all who may read."""

    run: str | None
    """The run as it was asked for; None is whichever is served."""
    state: str
    tag: str
    body: bytes


class Replies:
    """Replies by path and query. Only the event loop uses them."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, bytes], Reply] = OrderedDict()

    def get(self, path: str, query: bytes) -> Reply | None:
        return self._kept.get((path, query))

    def keep(self, path: str, query: bytes, reply: Reply) -> None:
        """A long one is left to where things are worked out, as long as that has room for it."""
        if len(reply.body) <= LONG_BYTES:
            self._kept[path, query] = reply
            self._kept.move_to_end((path, query))
            while len(self._kept) > REPLIES_KEPT:
                self._kept.popitem(last=False)


async def reply_at(
    request: Request,
    replies: Replies,
    run: str | None,
    state: str,
    make: Callable[[], Awaitable[bytes]],
    *,
    place: str | None = None,
) -> Response:
    """The reply of a read of a run as of its state, and after a place in it: a caller who has it gets no body, before
    any work is done. What has no such place is kept for whoever asks the same."""
    tag = _tag(request, f"{state} {place or ''}")
    if _has(request, tag):
        return response_of(request, Reply(run, state, tag, b""))
    reply = Reply(run, state, tag, await make())
    if place is None and state:
        replies.keep(request.scope["path"], request.scope["query_string"], reply)
    return response_of(request, reply)


def response_of(connection: HTTPConnection, reply: Reply) -> Response:
    """As it goes out to this caller."""
    headers = REVALIDATED | {"ETag": reply.tag} | ({AS_OF: reply.state} if reply.state else {})
    if _has(connection, reply.tag):
        return Response(status_code=304, headers=headers)
    return Response(reply.body, headers=headers, media_type="application/json")


def answer_at(request: Request, state: str, make: Callable[[], BaseModel | bytes]) -> Response:
    """The reply of a read that depends on `state` alone; a caller who has it already gets no body."""
    tag = _tag(request, state)
    headers = REVALIDATED | {"ETag": tag}
    if _has(request, tag):
        return Response(status_code=304, headers=headers)
    made = make()
    body = made if isinstance(made, bytes) else made.model_dump_json().encode()
    return Response(body, headers=headers, media_type="application/json")


def _tag(request: Request, state: str) -> str:
    scope = request.scope
    said = f"{__version__} {state} {scope['path']} ".encode() + scope["query_string"]
    return f'"{hashlib.sha256(said).hexdigest()[:32]}"'


def _has(connection: HTTPConnection, tag: str) -> bool:
    sent = connection.headers.get("if-none-match", "")
    return sent == "*" or tag in (part.strip().removeprefix("W/") for part in sent.split(","))
