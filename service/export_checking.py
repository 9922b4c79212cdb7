"""The `verify --export` command: is an exported order what the desk's log says, proved from the file alone."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ..desk.errors import SettingsInvalid
from ..memory.difference import first_difference
from ..memory.findings import Finding
from ..memory.heads import SignedHead
from ..storage.signing import PublicKey, read_public_key
from .console import Console
from .exporting import FORMAT, FORMAT_VERSION, export_document
from .order_proof import checked_events, head_findings, key_in
from .pages.errors import UnknownRecord


def perform_verify_export(path: Path, public_key_path: Path | None, console: Console) -> bool:
    document = _read(path)
    key = read_public_key(public_key_path) if public_key_path else None
    findings = export_findings(document, key)
    head = document["proof"].get("head") or {}
    console.result(
        {
            "ok": not findings,
            "file": str(path),
            "id": document.get("id"),
            "events": len(document["proof"]["events"]),
            "key_id": head.get("key_id"),
            "key_was_given": key is not None,
            "findings": [asdict(finding) for finding in findings],
        }
    )
    for finding in findings:
        console.say(f"bad: {finding.code}: {finding.text}")
    if not findings:
        events = len(document["proof"]["events"])
        console.say(f"ok: {document['id']}: all it says follows from {events} chained events up to a signed head")
        if key is None:
            console.say(f"  the key ({head['key_id']}) is the file's own: give the desk's with --public-key to be sure")
    return not findings


def export_findings(document: dict[str, Any], key: PublicKey | None) -> list[Finding]:
    """Everything that is wrong with an export; `key` is the one to trust, without it the file's own is taken."""
    proof = document["proof"]
    events, found = checked_events(proof["events"])
    try:
        head = SignedHead.model_validate(proof["head"]) if proof.get("head") else None
    except ValidationError:
        head = None
    found.extend(head_findings(head, key or key_in(proof), events))
    if found:
        return found
    # What people read must be what the events say: it is told again from them, and compared whole.
    try:
        told = export_document(events, str(document.get("id")), head, proof.get("public_key"))
    except UnknownRecord as error:
        return [Finding("document_differs", 0, error.message)]
    difference = first_difference(document, json.loads(json.dumps(told)))
    if difference is None:
        return []
    text = f"{difference.path} says {difference.left}, the events say {difference.right}"
    return [Finding("document_differs", 0, text)]


def _read(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise _not_an_export(path, str(error)) from error
    proof = document.get("proof") if isinstance(document, dict) else None
    events = proof.get("events") if isinstance(proof, dict) else None
    if not isinstance(events, list) or not all(isinstance(event, dict) for event in events):
        raise _not_an_export(path, "it holds no list of events as its proof")
    if (document.get("format"), document.get("format_version")) != (FORMAT, FORMAT_VERSION):
        raise _not_an_export(path, f"its format is {document.get('format')} {document.get('format_version')}")
    return document


def _not_an_export(path: Path, why: str) -> SettingsInvalid:
    return SettingsInvalid(
        f"{path}: not an exported order: {why}",
        remedy=f"Name a file that `parley export` wrote ({FORMAT} {FORMAT_VERSION}).",
    )
