"""The JSON twin of a page: every value that a page shows is a `Fact` that knows its place in here."""

from collections.abc import Iterator, Sequence

from pydantic import JsonValue

from ...domain.canonical import content_hash
from ...domain.events import PAYLOADS, Event
from .errors import ReportError

DERIVED_VERSION = 1
"""Raised when a computation of the reports changes its meaning."""


class Fact:
    """One JSON value and where it lies: `ref_id` names an event or evidence entry, `pointer` leads inside it."""

    __slots__ = ("pointer", "raw", "ref_id")

    def __init__(self, raw: JsonValue, ref_id: str, pointer: str = "") -> None:
        self.raw = raw
        self.ref_id = ref_id
        self.pointer = pointer

    def __getitem__(self, key: str | int) -> "Fact":
        raw = self.raw
        if isinstance(raw, dict) and isinstance(key, str) and key in raw:
            step = key.replace("~", "~0").replace("/", "~1") if "/" in key or "~" in key else key
            return Fact(raw[key], self.ref_id, f"{self.pointer}/{step}")
        if isinstance(raw, list) and isinstance(key, int) and 0 <= key < len(raw):
            return Fact(raw[key], self.ref_id, f"{self.pointer}/{key}")
        raise ReportError(
            f"{self.ref}: has no entry {key!r}", remedy="Run `parley verify` on the log this page is made from."
        )

    @property
    def ref(self) -> str:
        return f"{self.ref_id}#{self.pointer}"

    def maybe(self, key: str) -> "Fact | None":
        """The entry under `key`, or None when it is absent or null."""
        raw = self.raw
        return self[key] if isinstance(raw, dict) and raw.get(key) is not None else None

    def rows(self) -> "list[Fact]":
        """The entries of a list; nothing for a null."""
        if self.raw is None:
            return []
        if not isinstance(self.raw, list):
            raise ReportError(f"{self.ref}: found {type(self.raw).__name__}, expected a list")
        return [Fact(raw, self.ref_id, f"{self.pointer}/{place}") for place, raw in enumerate(self.raw)]

    def items(self) -> "Iterator[tuple[str, Fact]]":
        """The entries of an object, in the order of the log."""
        if isinstance(self.raw, dict):
            for key in self.raw:
                yield key, self[key]

    def where(self, **wanted: str) -> "list[Fact]":
        """Entries of a list of objects whose fields equal these."""
        return [row for row in self.rows() if isinstance(row.raw, dict) and wanted.items() <= row.raw.items()]

    def number(self) -> float:
        if isinstance(self.raw, (int, float, str)) and not isinstance(self.raw, bool):
            try:
                return float(self.raw)
            except ValueError:
                pass
        raise ReportError(f"{self.ref}: found {self.raw!r:.80}, expected a number")

    def string(self) -> str:
        if isinstance(self.raw, str):
            return self.raw
        raise ReportError(f"{self.ref}: found {type(self.raw).__name__}, expected text")


class Twin:
    """Collects the events, evidence and derived numbers of one page while the page is built."""

    def __init__(self, kind: str, record_id: str) -> None:
        self.kind = kind
        self.record_id = record_id
        self._events: dict[str, JsonValue] = {}
        self._evidence: dict[str, JsonValue] = {}
        self._derived: dict[str, JsonValue] = {}

    def event(self, event: Event) -> Fact:
        """Keep an event whole; the fact stands at its root."""
        body: dict[str, JsonValue] = {**event.model_dump(mode="json", exclude={"payload"}), "payload": event.payload}
        self._events[event.id] = body
        return Fact(body, event.id)

    def evidence(self, entries: Sequence[JsonValue]) -> list[Fact]:
        """Keep ledger entries under their own ids."""
        facts = []
        for entry in entries:
            fact = Fact(entry, "")
            entry_id = fact["id"].string()
            self._evidence[entry_id] = entry
            facts.append(Fact(entry, entry_id))
        return facts

    def derive(self, tool: str, inputs: JsonValue, output: JsonValue) -> Fact:
        """Keep a number this report computed, in the form of a ledger entry; the fact stands at its output."""
        inputs_hash = content_hash(inputs)
        entry_id = f"rep-{tool}-{inputs_hash[:12]}"
        entry: dict[str, JsonValue] = {
            "id": entry_id,
            "tool": f"report.{tool}",
            "tool_version": DERIVED_VERSION,
            "inputs": inputs,
            "inputs_hash": inputs_hash,
            "output": output,
        }
        if self._derived.setdefault(entry_id, entry) != entry:
            raise ReportError(f"{entry_id}: two different results for the same inputs")
        return Fact(output, entry_id, "/output")

    def data(self) -> dict[str, JsonValue]:
        return {
            "kind": self.kind,
            "id": self.record_id,
            "events": self._events,
            "evidence": self._evidence,
            "derived": self._derived,
        }


def resolve(data: dict[str, JsonValue], ref: str) -> JsonValue:
    """The value that `ENTRY#/pointer` names, in whichever section of the twin has the entry."""
    ref_id, _, pointer = ref.partition("#")
    sections = (section for section in data.values() if isinstance(section, dict))
    value = next((section[ref_id] for section in sections if ref_id in section), None)
    for step in pointer.split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        if isinstance(value, list):
            value = value[int(key)]
        elif isinstance(value, dict):
            value = value[key]
        else:
            raise LookupError(ref)
    return value


def payload_of(fact: Fact) -> Fact:
    """The payload of an event, refused when this program does not know its version."""
    check_known(fact["type"].string(), fact["schema_version"].raw)
    return fact["payload"]


def check_known(kind: str, version: JsonValue) -> None:
    """Raise ReportError for an event type or version written by another Parley."""
    known = PAYLOADS.get(kind)
    if known is None or known.schema_version != version:
        raise ReportError(
            f"event {kind} version {version} is not known to this version of Parley",
            remedy="Make the report with the version that wrote the log, or upgrade Parley.",
        )
