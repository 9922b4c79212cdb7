"""The summary of a run, as the JSON that scripts rely on and as the tables that people read."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..evals.fidelity import fidelity_text
from ..evals.summary import NO_INTERVAL, Metrics, RunSummary
from ..market.cards import DataSet
from ..quant.performance import is_distinguishable_from_luck
from ..quant.sharpe_bootstrap import NoInterval
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
        "fidelity": dict(summary.fidelity),
        "metrics": summary.metrics.plain(),
        "baselines": {name: metrics.plain() for name, metrics in summary.baselines.items()},
        "report": str(report) if report else None,
    }


def print_summary(
    console: Console, summary: RunSummary, data: DataSet, report: Path | None, took: tuple[float, float]
) -> None:
    counts = summary.counts
    console.say(f"Run {summary.run_id}: {data.card.title}, {summary.start} to {summary.end}, model {summary.model}")
    console.say(
        f"  {counts['sessions']} sessions, {counts['decisions']} decisions, {counts['orders']} orders, "
        f"{counts['fills']} fills, {counts['vetoes']} vetoes, {counts['abstentions']} abstentions "
        f"in {took[0]:.1f} s ({took[1]:.1f} s CPU)"
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
    notes.append(f"Fills are simulated on a paper venue: {fidelity_text(summary.fidelity)}.")
    notes += _no_intervals({"desk": summary.metrics, **summary.baselines})
    if not is_distinguishable_from_luck(summary.counts["sessions"]):
        notes.append("A run shorter than three years is not distinguishable from luck: its goals are not judged.")
        return notes
    sharpe, drawdown = summary.metrics.sharpe, summary.metrics.max_drawdown
    met = {True: "met", False: "not met"}
    notes.append(
        f"Goal Sharpe above 1.5: {met[(sharpe or 0.0) > 1.5]}; goal drawdown under 10 %: {met[drawdown < 0.10]}."
    )
    return notes


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
        f"{metrics.annual_return:.1%}",
        f"{metrics.annual_volatility:.1%}",
        "-" if metrics.sharpe is None else f"{metrics.sharpe:.2f}",
        "-" if low is None or high is None else f"{low:.2f} to {high:.2f}",
        f"{metrics.max_drawdown:.1%}",
        f"{metrics.turnover:.1f}" if metrics.turnover else "-",
        f"{metrics.costs_bps:.1f} bp" if metrics.costs_bps else "-",
    )
