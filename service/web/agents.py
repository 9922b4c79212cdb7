"""How the agents do: scores and weights over time, calibration, who is silent and why, and what calls took."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

import numpy as np
from pydantic import JsonValue

from ...agents.llm.call_store import CallTook
from ...agents.track_record import Judge, JudgedDecision, Prices, outcomes_by_agent
from ...desk.models import price_table, read_calls
from ...domain.events import DecisionMade, ModelReplied
from ...domain.views import Agent
from ...memory.agent_scores import CastVote
from ...quant.probability_scores import reliability_bins
from ...quant.side_record import wilson_interval
from ..agent_scores import agent_document
from ..answers.draft import Draft
from ..answers.reader import Reading
from ..pages.case import AGENT_WORDS
from ..pages.charts import chart_data, line_chart
from ..pages.evaluation_charts import picture
from ..pages.twin import Fact, Twin
from .parts import Asked

SOURCES_OVER = 60
"""Decisions of which the sources' silence is counted; the votes' is of the whole run."""
LEAST_JUDGED = 30
"""Fewer judged votes than this draw no calibration picture."""
MAX_STEPS = 400
RENEWED_AT = 200
"""Of a run of more decisions than this the page is worked out anew when it has grown by such a part."""
Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class AgentsView:
    """What the parts lay out; `found` is the document of `parley agents`, with what is drawn of it."""

    twin: Twin
    found: Fact
    rows: list[dict[str, Any]]
    weights_chart: dict[str, Any] | None
    calibration: list[dict[str, Any]]
    silent: list[Fact]
    sources: list[Fact]


@dataclass(frozen=True, slots=True)
class SpentView:
    """What the nodes' model calls took."""

    twin: Twin
    nodes: list[Fact]
    total: Fact
    currency: str
    is_kept: bool
    uses_rules: bool


def agents_view(asked: Asked) -> AgentsView:
    """Worked out once for each decision that is made; of a long run, where it takes seconds, for each so many."""
    reading = asked.reading
    made = len(reading.decisions)
    step = max(1, made // RENEWED_AT)
    return reading.seldom("agents page", lambda: _laid_out(reading), step, made // step)


def _laid_out(reading: Reading) -> AgentsView:
    draft = reading.draft("agents_page", {})
    found = draft.derive("agents", cast("JsonValue", measure_agents(reading)))
    return AgentsView(
        twin=draft.twin,
        found=found,
        rows=[_row(row) for row in found["agents"].rows()],
        weights_chart=_weights_chart(draft, found),
        calibration=_pictures(draft, found),
        silent=found["silent"].rows(),
        sources=found["sources"].rows(),
    )


def spent_view(asked: Asked) -> SpentView:
    """Calls and tokens of each node by the log; seconds and money where calls were kept beside it."""
    reading = asked.reading
    draft = reading.draft("spent", {})
    took, costs = calls_took(reading), reading.views.node_costs()
    rows: list[JsonValue] = [
        {
            "node": cost.node,
            "calls": cost.calls,
            "prompt_tokens": cost.prompt_tokens,
            "completion_tokens": cost.completion_tokens,
            **taken([item for item in took if item.node == cost.node]),
        }
        for cost in costs
    ]
    total: dict[str, JsonValue] = {
        "calls": sum(cost.calls for cost in costs),
        "prompt_tokens": sum(cost.prompt_tokens for cost in costs),
        "completion_tokens": sum(cost.completion_tokens for cost in costs),
        **taken(took),
    }
    found = draft.derive("nodes", {"rows": rows, "total": total})
    prices = price_table(reading.settings.llm)
    return SpentView(
        draft.twin,
        found["rows"].rows(),
        found["total"],
        prices.currency if prices else "",
        bool(took),
        reading.started.model == "rules",
    )


def calls_took(reading: Reading) -> tuple[CallTook, ...]:
    """What each kept call of the run took; the rules' own are not kept."""

    def read() -> tuple[CallTook, ...]:
        with read_calls(reading.folder) as store:
            return store.took() if store is not None else ()

    return reading.once("calls took", read, of=(ModelReplied,))


def taken(took: Sequence[CallTook]) -> dict[str, JsonValue]:
    """An unknown is not a nought."""
    if not took:
        return {"failed": None, "p50_s": None, "p95_s": None, "most_s": None, "cost": None}
    seconds = np.array([item.seconds for item in took])
    p50, p95 = (round(float(np.percentile(seconds, level)), 4) for level in (50, 95))
    costs = [item.cost for item in took if item.cost is not None]
    return {
        "failed": sum(item.failed for item in took),
        "p50_s": p50,
        "p95_s": p95,
        "most_s": round(float(seconds.max()), 4),
        "cost": str(sum(costs)) if len(costs) == len(took) else None,
    }


def measure_agents(reading: Reading) -> Document:
    """Scores, calibration and silences, as JSON values."""
    document: Document = agent_document(reading.views, reading.data)
    votes = reading.views.votes()
    document["silent"] = _silent_votes(votes)
    document["sources"] = _silent_sources(reading)
    document["reliability"] = _reliability(reading, votes)
    return document


def _row(row: Fact) -> dict[str, Any]:
    weights = row["weights"].rows()
    agent = row["agent"].string()
    return {
        "name": AGENT_WORDS.get(agent, agent),
        "row": row,
        "weight": weights[-1]["weight"] if weights else None,
        "calibrated": row.maybe("calibrated"),
    }


def _silent_votes(votes: Sequence[CastVote]) -> list[JsonValue]:
    counts = Counter((item.vote.agent.value, item.vote.abstention.value) for item in votes if item.vote.abstention)
    return [
        {"who": AGENT_WORDS.get(who, who), "reason": reason, "times": times}
        for (who, reason), times in counts.most_common()
    ]


def _silent_sources(reading: Reading) -> list[JsonValue]:
    """Who had nothing to say in the last decisions, and why."""
    recent = reading.decisions[-SOURCES_OVER:]
    if not recent:
        return []
    counts = Counter[tuple[str, str]]()
    for event in reading.read(DecisionMade, after=recent[0].seq - 1):
        silent = Fact(event.payload, event.id)["decision"]["abstentions"].rows()
        counts.update((row["who"].string(), row["reason"].string()) for row in silent)
    return [
        {"who": who, "reason": reason, "times": times, "of": len(recent)}
        for (who, reason), times in counts.most_common()
    ]


def _reliability(reading: Reading, votes: Sequence[CastVote]) -> dict[str, JsonValue]:
    """What each agent said against what came, in bins of equal mass with Wilson's intervals."""
    found: dict[str, JsonValue] = {}
    judged = outcomes_by_agent(_judged(reading, votes))
    for agent in Agent:
        outcomes = judged.get(agent, [])
        if len(outcomes) < LEAST_JUDGED:
            continue
        said, came = zip(*outcomes, strict=True)
        bins = reliability_bins(said, np.array(came, dtype=float))
        spans = [
            wilson_interval(round(share * count), int(count))
            for share, count in zip(bins.came_true.tolist(), bins.counts.tolist(), strict=True)
        ]
        found[agent.value] = {
            "title": f"{AGENT_WORDS[agent.value]}: said and came true",
            "kind": "reliability",
            "unit": "frac",
            "x": [round(value, 6) for value in bins.said.tolist()],
            "lines": {"came true": [round(value, 6) for value in bins.came_true.tolist()]},
            "low": [round(low, 6) for low, _ in spans],
            "high": [round(high, 6) for _, high in spans],
            "mark": None,
            "counts": [int(count) for count in bins.counts],
        }
    return found


def _judged(reading: Reading, votes: Sequence[CastVote]) -> tuple[JudgedDecision, ...]:
    if not votes:
        return ()
    history = reading.history
    view = history.as_of(datetime.fromisoformat(reading.decisions[-1].as_of))
    judge = Judge(lambda moment: len(history.as_of(moment).close) - 1)
    return judge.judged(votes, Prices(view.symbols, view.close, view.close_times))


def _pictures(draft: Draft, found: Fact) -> list[dict[str, Any]]:
    drawn: list[dict[str, Any]] = []
    for _, chart in found["reliability"].items():
        made = picture(draft.twin, chart)
        if made is not None:
            drawn.append({**made, "bins": _bins(chart)})
    return drawn


def _bins(chart: Fact) -> list[dict[str, Fact]]:
    """The same as rows, for who reads and does not look."""
    columns = {"said": chart["x"], "came": chart["lines"]["came true"]} | {
        name: chart[name] for name in ("low", "high", "counts")
    }
    return [
        dict(zip(columns, row, strict=True)) for row in zip(*(cell.rows() for cell in columns.values()), strict=True)
    ]


def _weights_chart(draft: Draft, found: Fact) -> dict[str, Any] | None:
    """Each agent's weight from the first decision that came to a vote on; None where none ever changed."""
    changes = {
        row["agent"].string(): {step["since"].string(): step["weight"].number() for step in row["weights"].rows()}
        for row in found["agents"].rows()
    }
    days = sorted({day for steps in changes.values() for day in steps})
    if len(days) < 2:
        return None
    shown = days if len(days) <= MAX_STEPS else days[:: len(days) // MAX_STEPS + 1]
    lines = {AGENT_WORDS.get(agent, agent): _held(steps, shown) for agent, steps in changes.items() if steps}
    data = chart_data("What each agent's vote counts", "frac", shown, lines, floor=0.0)
    fact = draft.derive("weights_chart", data, of=found.ref)
    return {"svg": line_chart(fact, height_px=200), "names": list(lines)}


def _held(steps: Mapping[str, float], days: Sequence[str]) -> list[float | None]:
    """The weight in force on each day."""
    held: list[float | None] = []
    at, known = None, sorted(steps.items())
    for day in days:
        while known and known[0][0] <= day:
            at = known.pop(0)[1]
        held.append(at)
    return held
