"""The incident bundle: what a person needs to look into a halt, in one folder whose hash is in the log."""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .. import __version__
from ..domain.canonical import canonical_bytes, short_id
from ..domain.control_events import IncidentRecorded
from ..domain.events import Event, ModelReplied, RunStarted
from ..execution.standing import Standing
from ..memory.log import EventLog
from ..prompts.errors import PromptError
from ..prompts.loader import load_prompt
from ..storage.errors import StoreUnwritable

LAST_EVENTS = 200
MANIFEST = "manifest.json"


def record_incident(
    folder: Path, cause: str, log: EventLog, started: RunStarted, standing: Standing
) -> IncidentRecorded:
    """Write the bundle of this moment; the same moment of the same run gives the same folder and hash.

    Nothing in it is secret: settings are those that the log itself holds.
    """
    head, head_hash = log.head()
    incident_id = short_id("inc", started.run_id, cause, head_hash)
    recent = list(log.read(max(head - LAST_EVENTS, 0)))
    settings = dict(started.settings)
    limits = settings.pop("limits", None)
    files = {
        "state.json": _json(_state(cause, started.run_id, head, head_hash, standing)),
        "events.jsonl": b"".join(canonical_bytes(event) + b"\n" for event in recent),
        "settings.json": _json(settings | {"settings_hash": started.settings_hash}),
        "limits.json": _json({"limits": limits, "limits_hash": started.limits_hash}),
        "versions.json": _json(
            {
                "parley": __version__,
                "run_began_with": started.parley_version,
                "model": started.model,
                "data": started.data,
                "data_fingerprint": started.data_fingerprint,
            }
        ),
        "prompts.json": _json(_prompts(recent)),
    }
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in sorted(files.items())}
    bundle_hash = hashlib.sha256(canonical_bytes(hashes)).hexdigest()
    files[MANIFEST] = _json({"incident_id": incident_id, "bundle_hash": bundle_hash, "sha256": hashes})
    _write(folder / incident_id, files)
    return IncidentRecorded(incident_id=incident_id, cause=cause, bundle_hash=bundle_hash)


def bundle_hash_of(bundle: Path) -> str:
    """The hash of what lies in a bundle now, for comparison with the one in the log."""
    names = sorted(path.name for path in bundle.iterdir() if path.name != MANIFEST)
    hashes = {name: hashlib.sha256((bundle / name).read_bytes()).hexdigest() for name in names}
    return hashlib.sha256(canonical_bytes(hashes)).hexdigest()


def _state(cause: str, run_id: str, head: int, head_hash: str, standing: Standing) -> dict[str, Any]:
    return {
        "cause": cause,
        "run_id": run_id,
        "events": head,
        "head_hash": head_hash,
        "restrictions": [change.model_dump(mode="json") for change in standing.all_causes],
        "unacknowledged": [item.model_dump(mode="json") for _, item in sorted(standing.unacknowledged.items())],
        "alerts": sorted(standing.alerted),
        "unexplained_differences": standing.unexplained,
    }


def _prompts(events: list[Event]) -> list[dict[str, Any]]:
    """Names, versions and hashes of the prompts that the last events used."""
    used: dict[str, dict[str, Any]] = {}
    for event in events:
        payload = event.decoded() if event.type == ModelReplied.__name__ else None
        for call in payload.calls if isinstance(payload, ModelReplied) else ():
            used[call.prompt] = {"name": call.prompt, "version": call.prompt_version, "hash": _prompt_hash(call.prompt)}
    return [used[name] for name in sorted(used)]


def _prompt_hash(name: str) -> str | None:
    try:
        return load_prompt(name).hash
    except PromptError:
        return None


def _json(value: Any) -> bytes:
    return json.dumps(value, indent=2, sort_keys=True).encode() + b"\n"


def _write(bundle: Path, files: Mapping[str, bytes]) -> None:
    """All files, or none under this name."""
    begun = bundle.with_name(f".{bundle.name}.{os.getpid()}")
    try:
        begun.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (begun / name).write_bytes(content)
        if bundle.exists():
            for path in begun.iterdir():
                path.unlink()
            begun.rmdir()
        else:
            begun.rename(bundle)
    except OSError as error:
        raise StoreUnwritable(
            f"{bundle}: the incident can't be written ({error.strerror})",
            remedy="Free space or get the right to write there; the log itself holds all of it.",
        ) from error
