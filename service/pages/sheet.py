"""The one page that a person signs: what both a trade and a decision say of it, cut to one sheet of paper."""

from collections.abc import Iterable
from dataclasses import dataclass

from markupsafe import Markup
from pydantic import JsonValue

from . import case as shared
from . import charts
from .around import Around, people_rows, what_if_fact
from .case import AGENT_WORDS, VOTE_WORDS, Case
from .twin import Fact, Twin
from .what_if_rows import before_of

MOST_EVIDENCE = 6
MOST_WARNINGS = 5
SHORT_UNITS = {"money": "cash", "times": "multiple", "shares": "count", "legs": "count", "names": "count"}
FALLBACK = "rules (fallback)"


@dataclass(frozen=True, slots=True)
class Sheet:
    """The parts that the templates of both pages lay out."""

    gate: list[dict[str, object]]
    """Checks that measure something, those that failed first."""
    counted: list[Fact]
    """Checks that only count what is wrong, and found nothing."""
    reviews: Fact
    evidence: list[dict[str, object]]
    evidence_left: Fact | None
    people: list[dict[str, object]]
    asked: Fact | None
    answered: Fact | None
    """Of a plan that waited for a person: the events of the question and of the answer."""
    restricted: list[Fact]
    warnings: list[dict[str, object]]
    warnings_left: Fact | None
    calls: Fact
    what_ifs: Fact | None


def sheet_of(case: Case, around: Around, symbol: str | None = None) -> Sheet:
    """What is common; `symbol` puts one leg's evidence and abstentions first."""
    found = what_if_fact(case.twin, case.decision, around)
    verdicts = case.decision["verdicts"].rows()
    checks = verdicts[-1]["checks"].rows() if verdicts else []
    rows = shared.evidence_rows(case, symbol)
    warnings = _warnings(case, symbol)
    return Sheet(
        gate=_gate(checks, before_of(found)),
        counted=[row for row in checks if not _is_measured(row)],
        reviews=case.twin.derive("reviews", [row.ref for row in verdicts], len(verdicts)),
        evidence=rows[:MOST_EVIDENCE],
        evidence_left=_left(case.twin, "evidence_left", len(rows), MOST_EVIDENCE),
        people=people_rows(case.twin, around.events),
        asked=case.asked,
        answered=case.answered,
        restricted=case.decision["snapshot"]["trading_states"]["restricted"].rows(),
        warnings=warnings[:MOST_WARNINGS],
        warnings_left=_left(case.twin, "warnings_left", len(warnings), MOST_WARNINGS),
        calls=_calls(case),
        what_ifs=found,
    )


def _left(twin: Twin, name: str, count: int, shown: int) -> Fact | None:
    return twin.derive(name, count, count - shown) if count > shown else None


def _is_measured(check: Fact) -> bool:
    """Whether there is a figure against a bound; a count of faults that found none has neither."""
    limit, value = check["limit"].raw, check["value"].raw
    return check["passed"].raw is not True or (value is not None and limit is not None and (limit != 0 or value != 0))


def _gate(checks: Iterable[Fact], before: dict[str, Fact]) -> list[dict[str, object]]:
    rows = sorted((row for row in checks if _is_measured(row)), key=lambda row: row["passed"].raw is True)
    return [
        {"check": row, "before": before.get(row["check"].string()), "bar": headroom(row), "unit": _unit(row)}
        for row in rows
    ]


def _unit(check: Fact) -> str | None:
    """Money without its cents, and a multiple as one: on paper there is no room for more."""
    return SHORT_UNITS.get(check["unit"].string())


def headroom(check: Fact) -> Markup:
    """How much of the limit is left, as a bar; nothing is left of a limit that was broken."""
    if check["value"].raw is None or check["limit"].raw is None:
        return Markup("")
    value, limit = abs(check["value"].number()), abs(check["limit"].number())
    passed = check["passed"].raw is True
    if not passed or limit <= 0:
        return charts.bar(1.0, 1.0, tone="good" if passed else "bad")
    return charts.bar(max(0.0, limit - value) if value <= limit else limit, limit, tone="good")


def agent_rows(case: Case) -> list[dict[str, object]]:
    """Over all legs, how each agent voted: how many for, neutral, against and silent, and how sure it was."""
    rows: list[dict[str, object]] = []
    consensus = case.decision.maybe("consensus")
    for agent, name in AGENT_WORDS.items():
        votes = case.decision["votes"].where(agent=agent)
        if not votes:
            continue
        counts = dict.fromkeys(VOTE_WORDS.values(), 0)
        for vote in votes:
            value = vote["value"].raw
            counts[VOTE_WORDS[value if isinstance(value, int) else None]] += 1
        spoken = [vote["confidence"].number() for vote in votes if vote["value"].raw is not None]
        counted = case.twin.derive(
            "votes_counted",
            [vote.ref for vote in votes],
            {**counts, "mean_confidence": sum(spoken) / len(spoken) if spoken else None},
        )
        weight = consensus["weights"].maybe(agent) if consensus else None
        pull = (counts["for"] - counts["against"]) / len(votes)
        bar = charts.bar(pull, 1.0, signed=True, tone="good" if pull >= 0 else "bad")
        rows.append({"name": name, "counts": counted, "weight": weight, "bar": bar})
    return rows


def _calls(case: Case) -> Fact:
    """Model calls and tokens of the decision; no price is recorded with them."""
    sums = {key: sum(int(call[key].number()) for call in case.calls) for key in ("prompt_tokens", "completion_tokens")}
    return case.twin.derive("calls", [call.ref for call in case.calls], {"calls": len(case.calls), **sums})


def _warnings(case: Case, symbol: str | None) -> list[dict[str, object]]:
    """What a signer has to know: alerts, fallbacks, failed calls, who was silent, what was dated or flagged."""
    rows: list[dict[str, object]] = []
    assessment = case.decision.maybe("assessment")
    rows += [{"says": "Risk alert", "fact": alert} for alert in (assessment["alerts"].rows() if assessment else [])]
    rows += [{"says": "A model call failed", "fact": call["error"]} for call in case.calls if call.maybe("error")]
    rows += [
        {"says": "The rules answered for a model", "fact": call["node"]}
        for call in case.calls
        if call["model"].raw == FALLBACK
    ]
    if case.flags is not None:
        rows += [{"says": "Suspicious", "fact": row["name"]} for row in case.flags["found"].rows()]
    if case.regime_change is not None and symbol is not None:  # a decision's own page says it on top
        rows.append({"says": "The market's regime changed", "fact": case.regime_change["reason"]})
    for row in abstentions(case.decision):
        rows.append({"says": f"{row['who'].string().replace('_', ' ')} abstained", "fact": row["reason"]})
    rows += [
        {"says": "Evidence of another moment", "fact": entry["tool"]}
        for entry in case.evidence
        if entry["as_of"].raw != case.decision["as_of"].raw
    ]
    return rows


def abstentions(decision: Fact) -> list[Fact]:
    """Who had nothing to say; a source's own abstention counts once when the decision lists it too."""
    found = decision["abstentions"].rows()
    listed = [(row["who"].raw, row["reason"].raw) for row in found]
    views = [view.maybe("abstention") for view in decision["views"].rows()]
    return found + [row for row in views if row and (row["who"].raw, row["reason"].raw) not in listed]


def timeline(twin: Twin, moments: Iterable[tuple[str, Fact | None]]) -> list[dict[str, object]]:
    """What happened when, in order, each with its distance from the first: in minutes, or in seconds where two minutes
    hold it all."""
    from datetime import datetime

    known = [(label, fact) for label, fact in moments if fact is not None and isinstance(fact.raw, str)]
    times = [datetime.fromisoformat(fact.string()) for _, fact in known]
    after_s = [(at - times[0]).total_seconds() for at in times]
    unit, name, seconds = ("s", "seconds_after", 1) if max(after_s, default=0) < 120 else ("min", "minutes_after", 60)
    rows: list[dict[str, object]] = []
    for (label, fact), distance_s in zip(known, after_s, strict=True):
        refs: JsonValue = [known[0][1].ref, fact.ref]
        gap = twin.derive(name, refs, distance_s / seconds) if fact is not known[0][1] else None
        rows.append({"label": label, "at": fact, "after": gap, "unit": unit})
    return rows
