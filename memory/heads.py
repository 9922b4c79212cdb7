"""Signed heads: at each close the log's head is signed, so that a log rewritten as a whole is found.

A hash chain proves its own order and nothing else: who can write the file can write all of it anew. A signature over
(run, session, seq, hash) in a file beside the log, checked with a public key kept elsewhere, ties every event up to
that close. Signing reads the log and never writes to it, so no hash depends on it.
"""

import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from ..domain.canonical import canonical_bytes
from ..domain.events import Event, Payload, PortfolioMarked, RunFinished
from ..domain.model import Model
from ..domain.sessions import Session
from ..storage.errors import StoreUnwritable
from ..storage.signing import PublicKey, SigningKey
from .findings import Finding
from .log import EventLog

HEADS = "heads.jsonl"
KEYS = "keys"
CLOSES = (PortfolioMarked, RunFinished)


class SignedHead(Model):
    """The head of a log at a close. `signed_at` is wall time; the signature covers every other field here."""

    run_id: str
    session: Session
    kind: Literal["close", "end"]
    seq: int = Field(ge=1)
    head_hash: str
    signed_at: str
    key_id: str
    signature: str = ""

    def message(self) -> bytes:
        """What is signed."""
        return canonical_bytes(self.model_dump(mode="json", exclude={"signature"}))

    def is_signed_by(self, key: PublicKey) -> bool:
        return self.key_id == key.key_id and key.has_signed(self.signature, self.message())


class HeadSigner:
    """Signs each close of one log once, however often it is asked and however often the run is taken up again."""

    def __init__(self, path: Path, key: Callable[[], SigningKey], now: Callable[[], str]) -> None:
        """`key` is asked for at the first close, so that a run without one leaves no key behind."""
        self._path, self._find_key, self._now = path, key, now
        self._key: SigningKey | None = None
        heads, _ = read_heads(path)
        self._done = max((head.seq for head in heads), default=0)
        self._session = max((head.session for head in heads), default=None)

    def sign_new(self, log: EventLog) -> tuple[SignedHead, ...]:
        """Sign the closes up to the writer's place that are not signed yet; a re-walk finds none."""
        signed = tuple(self._sign(event) for event in log.read(self._done, types=CLOSES))
        if signed:
            _append(self._path, signed)
            self._done = signed[-1].seq
        return signed

    def _sign(self, event: Event) -> SignedHead:
        key = self._key = self._key or self._find_key()
        payload = event.decoded()
        if isinstance(payload, PortfolioMarked):
            self._session = payload.session
        head = SignedHead(
            run_id=event.run_id,
            session=self._session or event.event_time.date(),
            kind="close" if isinstance(payload, PortfolioMarked) else "end",
            seq=event.seq,
            head_hash=event.hash,
            signed_at=self._now(),
            key_id=key.public.key_id,
        )
        return head.model_copy(update={"signature": key.sign(head.message())})


def read_heads(path: Path) -> tuple[tuple[SignedHead, ...], int]:
    """The signed heads of a log, and the number of lines that are none; a torn last line is not counted."""
    try:
        lines = path.read_bytes().split(b"\n")[:-1]
    except FileNotFoundError:
        return (), 0
    heads: list[SignedHead] = []
    for line in lines:
        try:
            heads.append(SignedHead.model_validate_json(line))
        except ValidationError:
            continue
    return tuple(heads), len(lines) - len(heads)


def head_at(heads: Iterable[SignedHead], seq: int) -> SignedHead | None:
    """The first signed head at or after an event: the one that covers it."""
    return min((head for head in heads if head.seq >= seq), key=lambda head: head.seq, default=None)


class HeadAudit:
    """An auditor for `verify_log`: every signed head is genuine, and is on this chain at its place.

    With `every_close` a close without a signed head is a finding too; otherwise only one that later heads pass over,
    since a run that dies right after a close signs it when it is taken up again.
    """

    def __init__(
        self, heads: Iterable[SignedHead], unreadable: int, keys: Mapping[str, PublicKey], *, every_close: bool
    ) -> None:
        self._unreadable, self._keys, self._every_close = unreadable, keys, every_close
        self._heads: dict[int, list[SignedHead]] = defaultdict(list)
        for head in heads:
            self._heads[head.seq].append(head)
        self._found: list[Finding] = []
        self._last = 0
        self._bare: list[Finding] = []

    def take(self, event: Event, payload: Payload) -> None:
        self._last = event.seq
        heads = self._heads.get(event.seq, [])
        for head in heads:
            if (head.head_hash, head.run_id) != (event.hash, event.run_id):
                text = f"the head signed for session {head.session} is {head.head_hash[:16]}, "
                self._note("head_not_on_chain", event.seq, text + f"the log has {event.hash[:16]} there")
            elif not isinstance(payload, CLOSES) or (
                isinstance(payload, PortfolioMarked) and head.session != payload.session
            ):
                self._note("head_not_on_chain", event.seq, f"a head is signed as the close of {head.session}")
        if isinstance(payload, CLOSES) and not heads:
            self._bare.append(Finding("head_missing", event.seq, f"the close at event {event.seq} has no signed head"))

    def findings(self) -> tuple[Finding, ...]:
        signed_until = max(self._heads, default=0)
        for seq, heads in sorted(self._heads.items()):
            for head in heads:
                self._check(seq, head)
            if len(heads) > 1:
                self._note("head_repeated", seq, f"event {seq} has {len(heads)} signed heads")
        if self._unreadable:
            self._note("head_unreadable", 0, f"{self._unreadable} lines of {HEADS} are no signed heads")
        missing = [item for item in self._bare if self._every_close or item.seq < signed_until]
        return tuple(sorted([*self._found, *missing], key=lambda item: item.seq))

    def _check(self, seq: int, head: SignedHead) -> None:
        key = self._keys.get(head.key_id)
        if key is None:
            self._note("head_key_unknown", seq, f"the head of session {head.session} is signed by key {head.key_id}")
        elif not head.is_signed_by(key):
            self._note("head_forged", seq, f"the signature on the head of session {head.session} is not genuine")
        if seq > self._last:
            text = f"event {seq} was signed as the close of {head.session}, the log ends at {self._last}"
            self._note("head_beyond_log", seq, text)

    def _note(self, code: str, seq: int, text: str) -> None:
        self._found.append(Finding(code, seq, text))


def _append(path: Path, heads: Iterable[SignedHead]) -> None:
    """Add whole lines behind the last whole line: what a crash left half written goes."""
    content = b"".join(canonical_bytes(head) + b"\n" for head in heads)
    try:
        with path.open("a+b") as file:
            size = file.seek(0, os.SEEK_END)
            if size:
                file.seek(size - 1)
                if file.read() != b"\n":
                    file.seek(0)
                    file.truncate(file.read().rfind(b"\n") + 1)
            file.write(content)
    except OSError as error:
        raise StoreUnwritable(
            f"{path}: the signed head can't be written ({error.strerror or error})",
            remedy="Free the disk or the folder's rights; the next start signs what is missing.",
        ) from error
