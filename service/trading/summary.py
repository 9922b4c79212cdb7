"""What a trading period came to, from the log and the book of jobs alone: jobs, decisions, uptime and how it ended."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from ...desk.book import open_log
from ...desk.job_book import STATES, JobRow, open_job_book
from ...domain.control_events import NotificationRaised
from ...domain.events import DecisionMade, OrderClosed, OrderFilled, PortfolioMarked
from ...domain.levels import in_words
from ...domain.step_events import StepHeld
from ...domain.trading import TradingState
from ...evals.book_at_rest import standing_of
from ...execution.standing import Standing
from ...market.job_times import not_due
from ..console import Console
from .desks import DeskTerms
from .uptime import DEFINITION, GOAL, UNSEEN, Uptime, measure_uptime
from .worker import RESTARTS

HALTED = TradingState.HALTED.value
TOLD = (DecisionMade, OrderClosed, OrderFilled, PortfolioMarked, NotificationRaised, StepHeld)


@dataclass(frozen=True, slots=True)
class TradingSummary:
    """One desk's period, up to where it stands."""

    terms: DeskTerms
    counts: dict[str, dict[str, int]]
    not_due: dict[str, int]
    missed: tuple[JobRow, ...]
    log: dict[str, int]
    severities: dict[str, int]
    held: tuple[StepHeld, ...]
    uptime: Uptime
    restarts: tuple[dict[str, Any], ...]
    state: str
    reason: str

    @property
    def away_minutes(self) -> float:
        """Wall minutes in which no process was there."""
        return sum(float(item["away_s"]) for item in self.restarts) / 60

    def document(self) -> dict[str, Any]:
        """The contract of `trade --json` for one desk."""
        plan = self.terms.prepared.plan
        return {
            "run": self.terms.folder.run_id,
            "book": str(self.terms.folder.book.path),
            "data": plan.data,
            "start": plan.sessions[0].isoformat(),
            "end": plan.sessions[-1].isoformat(),
            "jobs": self.counts,
            "not_due": self.not_due,
            "missed": [f"{row.job} {row.due.isoformat(timespec='minutes')}: {row.said}" for row in self.missed[:50]],
            "log": self.log,
            "alerts": self.severities,
            "held": [item.model_dump(mode="json") for item in self.held],
            "uptime": self.uptime.plain(),
            "restarts": list(self.restarts),
            "drill": list(self.terms.drill.lines()),
            "state": self.state,
            "reason": self.reason,
        }


def summarize(terms: DeskTerms) -> TradingSummary:
    """From what is on disk; of a desk that still runs, as far as it has come."""
    health = terms.job("health")
    with open_job_book(terms.folder.book.path, terms.folder.run_id, readonly=True) as jobs:
        counts, rows = jobs.counts(), jobs.rows(job=health.kind)
        missed = [row for row in jobs.rows() if row.state in ("missed", "failed") and row.job != health.kind]
        until, restarts = jobs.last_time() or terms.span[0], tuple(jobs.noted(RESTARTS) or ())
    with open_log(terms.folder, readonly=True) as (log, _):
        found: Counter[str] = Counter()
        severities: Counter[str] = Counter()
        held: list[StepHeld] = []
        for event in log.read(types=TOLD):
            found[event.type] += 1
            payload = event.decoded() if event.type in ("NotificationRaised", "StepHeld") else None
            if isinstance(payload, NotificationRaised):
                severities[payload.severity] += 1
            elif isinstance(payload, StepHeld):
                held.append(payload)
    state, reason = end_state(standing_of(terms.folder))
    return TradingSummary(
        terms,
        counts,
        {
            job.kind: len(days)
            for job in terms.jobs
            if (days := not_due(job.when, terms.calendar, terms.sessions[0], terms.sessions[-1]))
        },
        tuple(missed),
        {kind.__name__: found[kind.__name__] for kind in TOLD},
        dict(sorted(severities.items())),
        tuple(held),
        measure_uptime(rows, health.when, terms.calendar, terms.attended, until),
        restarts,
        state,
        reason,
    )


def end_state(standing: Standing) -> tuple[str, str]:
    """TRADING, with what is restricted all the same, or HALTED, with why."""
    reasons = [f"{change.scope}: {change.name}: {in_words(change.reason)}" for change in standing.all_causes]
    state = HALTED if standing.account is TradingState.HALTED else "TRADING"
    return state, "; ".join(reasons)


def print_trading(console: Console, summary: TradingSummary, factor: float | None) -> None:
    terms, uptime = summary.terms, summary.uptime
    plan = terms.prepared.plan
    pace = "jumping from job to job" if factor is None else f"{factor:g} times the wall's pace"
    span = f"{plan.sessions[0]} to {plan.sessions[-1]}"
    console.say(f"{terms.folder.book.path}: run {terms.folder.run_id}, {plan.data}, {span}, {pace}")
    for line in terms.drill.lines():
        console.say(f"  drill: {line}")
    rows = [
        (kind, str(terms.job(kind).when), *(f"{summary.counts.get(kind, {}).get(state, 0):,}" for state in STATES[1:]))
        for kind in (job.kind for job in terms.jobs)
    ]
    console.table("jobs", ("job", "due", *STATES[1:]), rows)
    for kind, count in summary.not_due.items():
        console.say(f"  {kind} was not due on {count} sessions that are too short for it")
    for row in summary.missed[:10]:
        console.say(f"  {row.state}: {row.job} due {row.due:%Y-%m-%d %H:%M} UTC: {row.said}")
    for item in summary.held[:20]:
        from_then = f", worked from {item.until:%H:%M} UTC" if item.until else ""
        console.say(f"  {item.session}: {item.step} {item.cause}{from_then}: {item.reason}")
    log = summary.log
    told = ", ".join(f"{count} {severity}" for severity, count in summary.severities.items()) or "none"
    console.say(
        f"  {log['PortfolioMarked']} sessions, {log['DecisionMade']} decisions, {log['OrderClosed']} orders, "
        f"{log['OrderFilled']} fills; notifications: {told}"
    )
    for item in summary.restarts:
        vain = f", {item['refused']} starts in vain: nothing could be written" if item.get("refused") else ""
        console.say(f"  restarted at {item['at']}, {item['away_s']:.2f} s of wall time after its process died{vain}")
    if not uptime.session_minutes:
        console.say("Uptime: no session minute so far")
    else:
        console.say(f"Uptime {uptime.frac:.3%} of {uptime.session_minutes:,.0f} session minutes (goal {GOAL:.1%})")
    console.say(f"  {DEFINITION}")
    for cause, minutes in sorted(uptime.lost.items()):
        console.say(f"  lost {minutes:,.0f} min: {cause}")
    if factor is not None and factor > 1 and UNSEEN in uptime.lost and summary.restarts:
        _say_at_wall_pace(console, summary, factor)
    ended = f": {summary.reason}" if summary.reason else ""
    console.say(f"It ends {summary.state}{ended}")


def _say_at_wall_pace(console: Console, summary: TradingSummary, factor: float) -> None:
    """While no process is there the clock goes on at its pace, and makes hours of a restart's second."""
    uptime, unseen, away = summary.uptime, summary.uptime.lost[UNSEEN], summary.away_minutes
    frac = (uptime.able_minutes + max(unseen - away, 0.0)) / uptime.session_minutes
    console.say(
        f"  a second without a process is {factor / 60:,.0f} minutes on this clock; the restarts took "
        f"{away * 60:.1f} s of wall time, and counted as the seconds they were, uptime is {frac:.3%}"
    )
