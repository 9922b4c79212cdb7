"""The summary of a run, as the JSON that scripts rely on and as the tables that people read."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..domain.sessions import day_of, session_text
from ..evals.fidelity import fidelity_text, venue_text
from ..evals.metrics import NO_INTERVAL, Metrics
from ..evals.summary import RunSummary
from ..evals.within_days import SAYS
from ..market.cards import DataSet
from ..market.earlier import EARLIER_NOTE
from ..market.quality import check_data
from ..quant.performance import is_distinguishable_from_luck
from ..quant.sharpe_bootstrap import NoInterval
from ..tools.scene import WINDOW_DAYS
from .console import Console

BASELINE_NAMES = {
    "index": "index, held",
    "equal_weight": "1/N, monthly",
    "risk_parity": "risk parity, monthly",
    "minimum_variance": "minimum variance",
}


def summary_document(summary: RunSummary, book: Path, report: Path | None) -> dict[str, Any]:
    """The contract of `run --json`."""
    return {
        "run": summary.run_id,
        "book": str(book),
        "head_hash": summary.head_hash,
        "data": summary.data,
        "start": summary.start.isoformat(),
        "end": summary.end.isoformat(),
        "model": summary.model,
        "seed": summary.seed,
        **summary.counts,
        "days": summary.days,
        "fidelity": dict(summary.fidelity),
        "venues": dict(summary.venues),
        "metrics": summary.metrics.plain(),
        "baselines": {name: metrics.plain() for name, metrics in summary.baselines.items()},
        "report": str(report) if report else None,
        **({"approvals": dict(summary.approvals)} if summary.approvals else {}),
    }


def print_summary(
    console: Console, summary: RunSummary, data: DataSet, report: Path | None, took: tuple[float, float]
) -> None:
    counts = summary.counts
    span = f"{session_text(summary.start)} to {session_text(summary.end)}"
    console.say(f"Run {summary.run_id}: {data.card.title}, {span}, model {summary.model}")
    console.say(
        f"  {_sessions(summary, data)}, {counts['decisions']} decisions, {counts['orders']} orders, "
        f"{counts['fills']} fills, {counts['vetoes']} vetoes, {counts['abstentions']} abstentions "
        f"in {took[0]:.1f} s ({took[1]:.1f} s CPU)"
    )
    if asked := summary.approvals:
        console.say(
            f"  A person was asked about {asked['asked']} plans: {asked['approved']} approved, {asked['rejected']} "
            f"rejected, {asked['timed_out']} timed out. Batch days wait for nobody, and no yes is a no."
        )
    rows = [_row("desk", summary.metrics)]
    rows += [_row(BASELINE_NAMES.get(name, name), metrics) for name, metrics in summary.baselines.items()]
    header = ("net of costs", "return", "a year", "vol", "Sharpe", "95 % interval", "max drawdown", "turnover", "costs")
    console.table("", header, rows)
    for note in honest_notes(summary, data):
        console.say(f"  {note}")
    if report:
        console.say(f"\nReport: {report}")


def honest_notes(summary: RunSummary, data: DataSet) -> list[str]:
    """What a reader must know before believing a figure."""
    notes = [f"Data: {data.card.source}; {data.card.survivorship}."]
    if summary.model == "rules":
        notes.append("The `rules` model is deterministic code, not a language model.")
    where = venue_text(summary.venues, is_recorded=data.recordings is not None)
    notes.append(f"Fills are simulated on {where}: {fidelity_text(summary.fidelity)}.")
    if summary.resting.placed:
        stops = summary.resting
        notes.append(
            f"Protective orders at the venue: {stops.placed:,} rested, {stops.traded:,} traded, "
            f"{stops.taken_back:,} were taken back, {stops.standing:,} stand."
        )
    if summary.borrowed.nights:
        short = summary.borrowed
        notes.append(
            f"Shares borrowed for short positions cost {short.cost:,.2f}: {short.names} names, {short.nights:,} nights."
        )
    notes += _history_notes(summary, data)
    interval = data.panel.interval
    if interval is not None:
        window = f"a window of {WINDOW_DAYS} bars is {WINDOW_DAYS / interval.bars_per_session:.2g} sessions"
        notes.append(f"{interval.text[0].upper()}{interval.text[1:]}: {window}.")
        found = Counter(item.code for item in check_data(data).findings)
        counts = ", ".join(f"{count} {code}" for code, count in sorted(found.items()))
        lists = f"{counts}; `parley data check {summary.data}` lists them" if counts else "nothing"
        notes.append(f"Doubts about the data: {lists}.")
    notes += _no_intervals({"desk": summary.metrics, **summary.baselines})
    if summary.metrics.annual_return is None:
        return [*notes, SAYS]
    if not is_distinguishable_from_luck(summary.days):
        notes.append("A run shorter than three years is not distinguishable from luck: its goals are not judged.")
        return notes
    sharpe, drawdown = summary.metrics.sharpe, summary.metrics.max_drawdown
    met = {True: "met", False: "not met"}
    notes.append(
        f"Goal Sharpe above 1.5: {met[(sharpe or 0.0) > 1.5]}; goal drawdown under 10 %: {met[drawdown < 0.10]}."
    )
    return notes


def _history_notes(summary: RunSummary, data: DataSet) -> list[str]:
    """What the estimators looked back at where earlier prices stand in front of a short recording."""
    if data.joined_at is None:
        return []
    first, last = (day_of(session) for session in (summary.start, summary.end))
    own = [int(np.searchsorted(data.panel.sessions, np.datetime64(day), side="right")) - 1 for day in (first, last)]
    begun = int(np.searchsorted(data.panel.sessions, np.datetime64(data.joined_at)))
    told = next(note for note in data.card.notes if note.startswith(EARLIER_NOTE))
    at_first, at_last = (min(row - begun, WINDOW_DAYS) for row in own)
    return [
        f"{told[0].upper()}{told[1:]}.",
        f"Risk, caps and costs look back {WINDOW_DAYS} sessions, of which this data set's own were {at_first} at the "
        f"first decision and {at_last} at the last; the scores' record and the regime's model begin with the earlier "
        "ones. Nothing can be concluded from such a run but that it works.",
    ]


def _sessions(summary: RunSummary, data: DataSet) -> str:
    count = summary.counts["sessions"]
    return f"{count} sessions" if data.panel.interval is None else f"{count} spans in {summary.days} sessions"


def _no_intervals(rows: Mapping[str, Metrics]) -> list[str]:
    """Why Sharpe ratios have no interval, each reason once with the rows it is true of."""
    found: dict[NoInterval, list[str]] = {}
    for name, metrics in rows.items():
        if metrics.no_interval is not None:
            found.setdefault(metrics.no_interval, []).append(BASELINE_NAMES.get(name, name))
    return [f"{', '.join(names)}: {NO_INTERVAL[reason]}" for reason, names in found.items()]


def _row(name: str, metrics: Metrics) -> tuple[str, ...]:
    low, high = metrics.sharpe_low, metrics.sharpe_high
    return (
        name,
        f"{metrics.total_return:.1%}",
        "-" if metrics.annual_return is None else f"{metrics.annual_return:.1%}",
        f"{metrics.annual_volatility:.1%}",
        "-" if metrics.sharpe is None else f"{metrics.sharpe:.2f}",
        "-" if low is None or high is None else f"{low:.2f} to {high:.2f}",
        f"{metrics.max_drawdown:.1%}",
        f"{metrics.turnover:.1f}" if metrics.turnover else "-",
        f"{metrics.costs_bps:.1f} bp" if metrics.costs_bps else "-",
    )
