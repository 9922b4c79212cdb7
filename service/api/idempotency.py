"""A write that is sent twice under one key is done once, and answered the same."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock

from fastapi import Request
from pydantic import BaseModel
from starlette.responses import Response

from ..access.roles import Caller
from .errors import KeyReused

MOST_KEPT = 2_000
KEY_PATTERN = r"^[\x21-\x7e]{1,80}$"


@dataclass(slots=True)
class _Kept:
    fingerprint: str
    lock: Lock = field(default_factory=Lock)
    reply: tuple[int, bytes] | None = None


class Repeats:
    """Answers by user and key, as long as the process lives; after that a one-time token is still good only once."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._kept: OrderedDict[tuple[str, str], _Kept] = OrderedDict()

    def once(
        self,
        request: Request,
        caller: Caller,
        key: str | None,
        body: BaseModel,
        make: Callable[[], BaseModel],
        status: int,
    ) -> Response:
        """What `make` gives, or gave before. An error is not kept: it may be mended and tried again."""
        if key is None:
            return _reply(status, make().model_dump_json().encode())
        said = f"{request.method} {request.url.path} {body.model_dump_json()}"
        kept = self._found((caller.user, key), hashlib.sha256(said.encode()).hexdigest())
        with kept.lock:
            if kept.reply is None:
                kept.reply = status, make().model_dump_json().encode()
            return _reply(*kept.reply)

    def _found(self, key: tuple[str, str], fingerprint: str) -> _Kept:
        with self._lock:
            kept = self._kept.setdefault(key, _Kept(fingerprint))
            self._kept.move_to_end(key)
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        if kept.fingerprint != fingerprint:
            raise KeyReused(
                "this Idempotency-Key came with another call before", remedy="Take a new key for each thing you want."
            )
        return kept


def _reply(status: int, body: bytes) -> Response:
    return Response(body, status, media_type="application/json")
