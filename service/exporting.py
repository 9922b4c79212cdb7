"""The `export` command: one order's whole life as a JSON file that proves itself to whoever has the public key."""

import json
import os
from pathlib import Path
from typing import Any

from ..desk.book import Book, RunFolder, open_log
from ..domain.events import ChildDenied, ChildSubmitted, Event
from ..memory.heads import HEADS, KEYS, SignedHead, read_heads
from ..memory.log import EventLog
from ..storage.errors import StoreUnwritable
from ..storage.signing import own_public_key
from .console import Console
from .order_life import order_life
from .order_proof import event_document, proof_events

FORMAT, FORMAT_VERSION = "parley.order", 1
EXPORTS = "exports"


def perform_export(ident: str, out: Path | None, run_name: str | None, book_path: Path, console: Console) -> None:
    folder = Book(book_path).find(run_name)
    heads, _ = read_heads(folder.path / HEADS)
    with open_log(folder, readonly=True) as (log, _):
        events, head = proof_events(log, _parent(log, ident), heads)
    document = export_document(events, ident, head, _public_key(folder))
    path = out or folder.path / EXPORTS / f"{ident}.json"
    _write(path, document)
    console.result(
        {
            "id": ident,
            "kind": document["kind"],
            "run": folder.run_id,
            "file": str(path),
            "events": len(events),
            "signed_head": head.head_hash if head else None,
            "key_id": head.key_id if head else None,
        }
    )
    _say(console, document, path, len(events), head)


def export_document(events: list[Event], ident: str, head: SignedHead | None, public_key: str | None) -> dict[str, Any]:
    """The readable part, told from the events alone, and the events with their head as the proof of it."""
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        **order_life(events, ident),
        "proof": {
            "head": head.model_dump(mode="json") if head else None,
            "public_key": public_key,
            "events": [event_document(event) for event in events],
        },
    }


def _public_key(folder: RunFolder) -> str | None:
    key = own_public_key(folder.book.path / KEYS)
    return key.pem() if key else None


def _parent(log: EventLog, ident: str) -> str:
    """The parent order of a child's id; any other id as it is."""
    for event in log.read(types=(ChildSubmitted, ChildDenied)):
        payload = event.decoded()
        if isinstance(payload, ChildSubmitted | ChildDenied) and payload.child.client_order_id == ident:
            return payload.child.order_id
    return ident


def _write(path: Path, document: dict[str, Any]) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")
        draft.replace(path)
    except OSError as error:
        raise StoreUnwritable(
            f"{path}: the export can't be written ({error.strerror or error})",
            remedy="Name another file with --out.",
        ) from error
    finally:
        draft.unlink(missing_ok=True)


def _say(console: Console, document: dict[str, Any], path: Path, events: int, head: SignedHead | None) -> None:
    order, best = document["order"], document["best_execution"]
    console.say(
        f"{document['kind']} {document['id']}: {order['side']} {order['quantity']} {order['symbol']}, "
        f"{best['filled']} filled at {best['average_price'] or 'no price'} in {len(document['fills'])} fills"
    )
    console.say(f"  {path}")
    signed = f"signed at the close of {head.session} by key {head.key_id}" if head else "not signed"
    console.say(f"  proof: {events} events, {signed}; check it with `parley verify --export {path}`")
