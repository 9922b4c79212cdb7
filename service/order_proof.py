"""The proof in an exported order: a whole piece of the event chain and the signed head that it leads to."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import JsonValue, ValidationError

from ..domain.errors import CanonicalError, UnknownEvent
from ..domain.events import Event, OrderOpened, PlanApproved, chain_hash
from ..memory.event_table import utc_text
from ..memory.findings import Finding
from ..memory.heads import SignedHead, head_at
from ..memory.log import EventLog
from ..storage.errors import StoreCorrupt
from ..storage.signing import PublicKey, public_key
from .pages.errors import UnknownRecord

Document = dict[str, Any]


def proof_events(log: EventLog, ident: str, heads: Sequence[SignedHead]) -> tuple[list[Event], SignedHead | None]:
    """All events from the decision behind an order or child to the first signed head after its last event.

    One hash covers the event before it, so the piece must be whole: it also holds the plan's other orders.
    """
    decision_id = _decision_of(log, ident)
    mine = list(log.read(decision_id=decision_id))
    head = head_at(heads, mine[-1].seq)
    last = head.seq if head and head.seq <= log.head()[0] else mine[-1].seq
    return list(log.read(mine[0].seq - 1, until=last)), head


def event_document(event: Event) -> Document:
    """An event as it is hashed, and its hash."""
    document = event.model_dump(mode="json", exclude={"event_time", "payload"})
    return {**document, "event_time": utc_text(event.event_time), "payload": event.payload}


def checked_events(documents: Sequence[Mapping[str, JsonValue]]) -> tuple[list[Event], list[Finding]]:
    """The events of a proof, and whatever breaks the chain between them."""
    events: list[Event] = []
    found: list[Finding] = []
    for place, document in enumerate(documents):
        try:
            event = Event.model_validate(document)
            event.decoded()
        except (ValidationError, UnknownEvent) as error:
            found.append(Finding("event_malformed", 0, f"event {place + 1} of the proof: {type(error).__name__}"))
            break
        found.extend(_link_findings(event, document, events[-1] if events else None))
        events.append(event)
    return events, found


def head_findings(head: SignedHead | None, key: PublicKey | None, events: Sequence[Event]) -> list[Finding]:
    """Whether the signed head is genuine and is the end of the piece."""
    if head is None:
        return [Finding("head_missing", 0, "no signed head: the piece of chain proves its order, not who wrote it")]
    found: list[Finding] = []
    if key is None or key.key_id != head.key_id:
        text = f"the head is signed by key {head.key_id}, the key to check with is {key.key_id if key else 'not given'}"
        found.append(Finding("head_key_unknown", head.seq, text))
    elif not head.is_signed_by(key):
        found.append(Finding("head_forged", head.seq, "the signature on the head is not genuine"))
    last = events[-1] if events else None
    if last is None or (last.seq, last.hash, last.run_id) != (head.seq, head.head_hash, head.run_id):
        found.append(Finding("head_not_on_chain", head.seq, "the piece of chain does not lead to the signed head"))
    return found


def key_in(document: Mapping[str, JsonValue]) -> PublicKey | None:
    """The public key that an export carries; None when it carries no good one."""
    text = document.get("public_key")
    try:
        return public_key(text, "the export") if isinstance(text, str) else None
    except (StoreCorrupt, UnicodeEncodeError):
        return None


def _link_findings(event: Event, document: Mapping[str, JsonValue], before: Event | None) -> list[Finding]:
    body = {name: value for name, value in document.items() if name != "hash"}
    found: list[Finding] = []
    try:
        is_sound = chain_hash(event.prev_hash, body) == event.hash
    except CanonicalError:
        is_sound = False
    if not is_sound:
        found.append(Finding("event_altered", event.seq, f"event {event.seq} does not hash to what it says"))
    if before is not None and (event.seq, event.prev_hash) != (before.seq + 1, before.hash):
        found.append(Finding("chain_broken", event.seq, f"event {event.seq} does not follow event {before.seq}"))
    return found


def _decision_of(log: EventLog, ident: str) -> str:
    """The decision that an order or child came from."""
    for event in log.read(order_id=ident, limit=1):
        if event.decision_id is not None:
            return event.decision_id
    for event in log.read(types=(PlanApproved,)):
        payload = event.decoded()
        assert isinstance(payload, PlanApproved), "asked for by type"
        if any(leg.order_id == ident for leg in payload.plan.legs):
            return payload.plan.decision_id
    raise UnknownRecord(
        f"{ident!r} is no order of this run",
        remedy=f"Try one of: {', '.join(_some_orders(log)) or 'none, nothing was traded'}; or name a run with --run.",
    )


def _some_orders(log: EventLog) -> list[str]:
    return [event.order_id or "" for event in log.read(types=(OrderOpened,), limit=3)]
