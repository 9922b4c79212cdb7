"""How a read is answered: a list's page with a cursor, an ETag of the log's head, and no body where nothing is new."""

import hashlib
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from fastapi import Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from ...domain.model import Model

Item = TypeVar("Item")
MAX_PAGE = 500
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


def answer_at(request: Request, state: str, make: Callable[[], BaseModel | bytes]) -> Response:
    """The reply of a read that depends on `state` alone; a caller who has it already gets no body."""
    tag = f'"{hashlib.sha256(f"{state} {request.url.path} {request.url.query}".encode()).hexdigest()[:32]}"'
    headers = REVALIDATED | {"ETag": tag}
    if _has(request, tag):
        return Response(status_code=304, headers=headers)
    made = make()
    body = made if isinstance(made, bytes) else made.model_dump_json().encode()
    return Response(body, headers=headers, media_type="application/json")


def _has(request: Request, tag: str) -> bool:
    sent = request.headers.get("if-none-match", "")
    return sent == "*" or tag in (part.strip().removeprefix("W/") for part in sent.split(","))
