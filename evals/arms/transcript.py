"""An arm's run as it is written down and read again: one row a day, in as few characters as say all."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, cast

import numpy as np
from pydantic import JsonValue

from ...quant.arrays import FloatArray
from .agent_figures import AgentFigures
from .playing import Played, days_text

SIDES = {"BUY": "B", "SELL": "S", "HOLD": "H"}
SILENT = "-"


@dataclass(frozen=True, slots=True, eq=False)
class ArmPath:
    """What is compared of one arm over one window; arrays have a row a day."""

    days: tuple[str, ...]
    returns: FloatArray
    """(n_days - 1,) simple, net of costs: that of a day is up to its close; the first day has none."""
    equity: FloatArray
    signals: tuple[tuple[str, ...], ...]
    """By day and instrument, a letter and a percent."""
    legs: tuple[Mapping[str, int], ...]
    nodes: Mapping[str, tuple[int, int, int]]
    """Calls, prompt tokens and completion tokens by node."""
    agents: AgentFigures
    decisions: int
    reached: int
    vetoed: int
    traded: float
    costs: float

    @property
    def calls(self) -> int:
        return sum(counts[0] for counts in self.nodes.values())

    @property
    def tokens(self) -> tuple[int, int]:
        """Read and written."""
        return sum(item[1] for item in self.nodes.values()), sum(item[2] for item in self.nodes.values())


def written(played: Played, symbols: Sequence[str]) -> JsonValue:
    """The run as JSON values; `series` is what a comparison of two evaluations pairs day by day."""
    days = days_text(played.sessions)
    changes = played.equity[1:] / played.equity[:-1] - 1.0
    return {
        "series": {"days": list(days[1:]), "returns": changes.tolist()},
        "days": list(days),
        "equity": played.equity.tolist(),
        "signals": [" ".join(_token(said.get(symbol)) for symbol in symbols) for said in played.signals],
        "legs": [dict(sorted(legs.items())) for legs in played.legs],
        "nodes": {node.node: [node.calls, node.prompt_tokens, node.completion_tokens] for node in played.nodes},
        "agents": asdict(played.agents),
        "decisions": played.decisions,
        "reached": played.reached,
        "vetoed": played.vetoed,
        "traded": played.traded,
        "costs": played.costs,
    }


def read(transcript: JsonValue) -> ArmPath:
    """The run that `written` wrote."""
    told = cast("dict[str, Any]", transcript)
    equity = np.array(told["equity"], dtype=np.float64)
    return ArmPath(
        days=tuple(told["days"]),
        returns=equity[1:] / equity[:-1] - 1.0,
        equity=equity,
        signals=tuple(tuple(row.split(" ")) for row in told["signals"]),
        legs=tuple(told["legs"]),
        nodes={node: (counts[0], counts[1], counts[2]) for node, counts in told["nodes"].items()},
        agents=AgentFigures(**told["agents"]),
        decisions=told["decisions"],
        reached=told["reached"],
        vetoed=told["vetoed"],
        traded=told["traded"],
        costs=told["costs"],
    )


def _token(said: tuple[str, int] | None) -> str:
    return SILENT if said is None else f"{SIDES[said[0]]}{said[1]}"
