"""The rows that show what looked like an attempt to steer a decision: why, its hash, and how it begins."""

from collections import Counter
from collections.abc import Mapping, Sequence

from pydantic import JsonValue

from ...agents.quarantine import first_words
from ...agents.suspicion import text_hash
from .case import Case
from .record import RunRecord
from .twin import Fact, Twin

MAX_ROWS = 20


def decision_flags(case: Case, quotes: Mapping[str, str]) -> dict[str, object] | None:
    """Those of one decision; None where nothing was flagged."""
    if case.flags is None:
        return None
    found = case.flags["found"].rows()
    said = {text_hash(reply): first_words(reply) for reply in (call["reply"].string() for call in case.calls)}
    return _shown(case.twin, found, {"count": len(found)}, quotes, said)


def run_flags(twin: Twin, record: RunRecord, quotes: Mapping[str, str]) -> dict[str, object] | None:
    """The newest of a run, and how many there were of each text; None where nothing was flagged."""
    if not record.flagged:
        return None
    items = {(str(row["name"]), str(row["text_hash"])) for row in record.flagged}
    reasons = Counter(str(reason) for row in record.flagged for reason in _listed(row["reasons"]))
    newest: list[JsonValue] = [dict(row) for row in record.flagged[: -MAX_ROWS - 1 : -1]]
    decisions = len({str(row["decision_id"]) for row in record.flagged})
    counts: dict[str, JsonValue] = {"count": len(record.flagged), "items": len(items), "decisions": decisions}
    counts["reasons"] = {name: reasons[name] for name in sorted(reasons, key=lambda name: (-reasons[name], name))}
    kept = twin.derive("flagged_newest", {"events": ["UntrustedTextFlagged"], "rows": len(newest)}, newest)
    return _shown(twin, kept.rows(), counts, quotes, {})


def _shown(
    twin: Twin,
    rows: Sequence[Fact],
    counts: Mapping[str, JsonValue],
    quotes: Mapping[str, str],
    said: Mapping[str, str],
) -> dict[str, object]:
    """The words are a stranger's: ASCII, cut short, and in the twin like everything a page quotes."""
    begins: dict[str, JsonValue] = {}
    for row in rows[:MAX_ROWS]:
        is_text, key = row["origin"].raw == "text", row["text_hash"].string()
        words = quotes.get(row["name"].string(), "") if is_text else said.get(key, "")
        begins[key] = words or None
    kept = twin.derive("flagged", {"hashes": list(begins)}, {**counts, "begins": begins})
    table = [{"row": row, "begins": kept["begins"].maybe(row["text_hash"].string())} for row in rows[:MAX_ROWS]]
    return {"counts": kept, "rows": table, "is_cut": len(rows) > len(table)}


def _listed(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else []
