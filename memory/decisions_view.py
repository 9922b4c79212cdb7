"""Read model of decisions: one line each, with the seq that leads to the full record."""

from dataclasses import dataclass

from ..domain.events import DecisionMade, Event
from ..storage.sql import Database, Row
from .event_table import utc_text
from .projection import Table, View


@dataclass(frozen=True, slots=True)
class DecisionRecord:
    """One decision in a line. `is_approved` is None when nothing came before the gate."""

    decision_id: str
    seq: int
    as_of: str
    kind: str
    summary: str
    legs: int
    is_approved: bool | None
    abstentions: int
    llm_calls: int
    prompt_tokens: int


DECISION_COLUMNS = "decision_id, seq, as_of, kind, summary, legs, is_approved, abstentions, llm_calls, prompt_tokens"


def read_decisions(database: Database) -> tuple[DecisionRecord, ...]:
    """All decisions, in the order they were made."""
    return tuple(map(decision_of_row, database.rows(f"SELECT {DECISION_COLUMNS} FROM view_decisions ORDER BY seq")))


def decision_of_row(row: Row) -> DecisionRecord:
    """The record of a row with these columns."""
    decision_id, seq, as_of, kind, summary, legs, approved, abstentions, llm_calls, prompt_tokens = row
    return DecisionRecord(
        decision_id,
        seq,
        as_of,
        kind,
        summary,
        legs,
        None if approved is None else bool(approved),
        abstentions,
        llm_calls,
        prompt_tokens,
    )


def _add(database: Database, event: Event, payload: DecisionMade) -> None:
    decision = payload.decision
    verdict = decision.verdict
    database.execute(
        f"INSERT INTO view_decisions ({DECISION_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (decision_id) DO NOTHING",
        (
            decision.decision_id,
            event.seq,
            utc_text(decision.as_of),
            decision.kind,
            decision.summary,
            len(decision.plan.legs) if decision.plan else 0,
            int(verdict.approved) if verdict else None,
            len(decision.abstentions),
            decision.llm_calls,
            decision.prompt_tokens,
        ),
    )


DECISIONS = View(
    name="decisions",
    version=1,
    tables=(
        Table(
            "view_decisions",
            "decision_id TEXT PRIMARY KEY, seq INTEGER NOT NULL, as_of TEXT NOT NULL, kind TEXT NOT NULL, "
            "summary TEXT NOT NULL, legs INTEGER NOT NULL, is_approved INTEGER, abstentions INTEGER NOT NULL, "
            "llm_calls INTEGER NOT NULL, prompt_tokens INTEGER NOT NULL",
            "decision_id",
            indexed="seq",
        ),
    ),
    handlers={DecisionMade: _add},
)
