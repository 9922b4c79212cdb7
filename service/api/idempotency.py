"""A write that is sent twice under one key is done once, and answered the same."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock

from fastapi import Request
from pydantic import BaseModel
from starlette.responses import Response

from ..access.owned import Owned
from ..access.roles import Caller
from .errors import KeyReused

MOST_KEPT = 2_000
KEPT_S = 86_400.0
"""How long a key is remembered over a restart."""
KEY_PATTERN = r"^[\x21-\x7e]{1,80}$"


@dataclass(slots=True)
class _Kept:
    fingerprint: str
    lock: Lock = field(default_factory=Lock)
    reply: tuple[int, bytes] | None = None


class Repeats:
    """Answers by user and key. They are in the book as well, so that what was done is not done again after a restart;
    a secret of an answer is not, and can't be shown a second time then."""

    def __init__(self, door: Owned, now_s: Callable[[], float]) -> None:
        self._door, self._now_s = door, now_s
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
                made = make()
                kept.reply = status, made.model_dump_json().encode()
                self._write(caller.user, key, kept.fingerprint, status, made)
            return _reply(*kept.reply)

    def _found(self, key: tuple[str, str], fingerprint: str) -> _Kept:
        with self._lock:
            kept = self._kept.get(key)
            if kept is None:
                kept = self._kept[key] = self._read(key) or _Kept(fingerprint)
            self._kept.move_to_end(key)
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        if kept.fingerprint != fingerprint:
            raise KeyReused(
                "this Idempotency-Key came with another call before", remedy="Take a new key for each thing you want."
            )
        return kept

    def _read(self, key: tuple[str, str]) -> _Kept | None:
        """What an earlier process kept."""
        query = "SELECT fingerprint, status, body FROM repeats WHERE user = ? AND key = ? AND at_s > ?"
        with self._door.changing() as database:
            rows = database.rows(query, (*key, self._now_s() - KEPT_S))
        return _Kept(rows[0][0], reply=(rows[0][1], rows[0][2].encode())) if rows else None

    def _write(self, user: str, key: str, fingerprint: str, status: int, made: BaseModel) -> None:
        shown = made.model_copy(update={"token": None}) if "token" in type(made).model_fields else made
        now_s = self._now_s()
        with self._door.changing() as database:
            database.execute("DELETE FROM repeats WHERE at_s <= ?", (now_s - KEPT_S,))
            row = (user, key, fingerprint, status, shown.model_dump_json(), now_s)
            database.execute("INSERT OR REPLACE INTO repeats VALUES (?, ?, ?, ?, ?, ?)", row)


def _reply(status: int, body: bytes) -> Response:
    return Response(body, status, media_type="application/json")
