"""The `agents` command: how well each agent's votes came out, what it counts, and what it cost."""

from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from ..agents.scoring import agent_scores
from ..agents.track_record import Judge, Prices
from ..desk.book import Book, open_log
from ..domain.views import Agent
from ..market.cards import DataSet
from ..memory.history import run_started
from ..memory.views import ReadModels
from ..quant.calibration import HORIZON_DAYS
from .console import Console

NODES = {Agent.ANALYST: "analyst"}
"""The graph's node of an agent, where it is not named after it."""
COST_FIELDS = ("calls", "prompt_tokens", "completion_tokens")


def perform_agents(run_name: str | None, book: Path, console: Console) -> None:
    folder = Book(book).find(run_name)
    with open_log(folder, readonly=True) as (log, views):
        data = folder.book.load(run_started(log).data)
        document = agent_document(views, data)
    console.result({"run": folder.run_id, **document})
    console.say(
        f"Votes of run {folder.run_id}: {document['judged_decisions']} of {document['voted_decisions']} decisions "
        f"that came to a vote are {HORIZON_DAYS} {'bars' if data.panel.interval else 'sessions'} past and judged"
    )
    _print(console, document["agents"])


def agent_document(views: ReadModels, data: DataSet) -> dict[str, Any]:
    """Each agent's score by what was known at the run's last decision, as JSON values."""
    votes, decisions = views.votes(), views.decisions()
    history = data.history()
    judged = ()
    if votes:
        view = history.as_of(datetime.fromisoformat(decisions[-1].as_of))
        judge = Judge(lambda moment: len(history.as_of(moment).close) - 1)
        judged = judge.judged(votes, Prices(view.symbols, view.close, view.close_times))
    costs = {cost.node: cost for cost in views.node_costs()}
    rows: list[dict[str, Any]] = []
    for score in agent_scores(votes, judged):
        cost = costs.get(NODES.get(score.agent, score.agent.value))
        spent = {name: getattr(cost, name) if cost else 0 for name in COST_FIELDS}
        weights = [{"since": since, "weight": weight} for since, weight in score.weights]
        rows.append({**asdict(score), "agent": score.agent.value, "weights": weights, **spent})
    return {
        "as_of": decisions[-1].as_of if decisions else None,
        "horizon_days": HORIZON_DAYS,
        "voted_decisions": len({cast.decision_id for cast in votes}),
        "judged_decisions": len(judged),
        "agents": rows,
    }


def _print(console: Console, rows: list[dict[str, Any]]) -> None:
    header = ("agent", "weight", "for", "against", "silent", "judged", "hit rate", "Brier", "edge", "calls", "tokens")
    console.table(
        "agents",
        header,
        [
            (
                row["agent"].replace("_", " "),
                f"{row['weights'][-1]['weight']:.2f}" if row["weights"] else "",
                f"{row['for_legs']:,}",
                f"{row['against_legs']:,}",
                f"{row['abstentions']:,}",
                f"{row['judged_votes']:,}",
                _hits(row),
                "" if row["brier"] is None else f"{row['brier']:.3f}",
                "" if row["edge"] is None else f"{row['edge']:+.2%}",
                f"{row['calls']:,}",
                f"{row['prompt_tokens'] + row['completion_tokens']:,}",
            )
            for row in rows
        ],
    )
    console.say("  A vote is right when its leg beat the average name. Always saying 50 % scores a Brier of 0.250.")
    for row in rows:
        after = row["calibrated"]
        if after:
            console.say(
                f"  {row['agent']}: read off last January's curve its {after['n_outcomes']:,} votes would score "
                f"{after['brier_calibrated']:.3f} instead of {after['brier_said']:.3f} (calibration error "
                f"{after['ece_calibrated']:.3f} instead of {after['ece_said']:.3f})"
            )


def _hits(row: dict[str, Any]) -> str:
    if row["hit_rate"] is None:
        return ""
    return f"{row['hit_rate']:.0%} ({row['hit_low']:.0%} to {row['hit_high']:.0%})"
