"""What the nodes are given: the world as of a moment, the gate's limits, the model, and the log to commit to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from ..agents.ask import Asking
from ..domain.canonical import content_hash
from ..domain.decisions import Snapshot
from ..domain.instruments import Universe
from ..gate.limits import Limits
from ..gate.state import GateState
from ..market.history import History
from ..memory.log import EventLog
from ..quant.policy import PolicyParams
from ..tools.estimators import Estimators
from ..tools.scene import CostParams, Scene


@dataclass(frozen=True)
class Ports:
    """The outside of the graph. Everything a decision depends on is here or in the snapshot."""

    run_id: str
    history: History
    universe: Universe
    limits: Limits
    policy: PolicyParams
    costs: CostParams
    asking: Asking
    estimators: Estimators
    log: EventLog
    scenes: dict[datetime, tuple[Snapshot, Scene]] = field(default_factory=dict, compare=False)

    def scene(self, snapshot: Snapshot) -> Scene:
        """The snapshot's moment as the tools see it; arrays stay here, the state carries none."""
        known = self.scenes.get(snapshot.as_of)
        if known is not None and known[0] == snapshot:
            return known[1]
        scene = self._scene(snapshot)
        self.scenes.clear()
        self.scenes[snapshot.as_of] = (snapshot, scene)
        return scene

    def _scene(self, snapshot: Snapshot) -> Scene:
        return Scene(
            view=self.history.as_of(snapshot.as_of),
            universe=self.universe,
            portfolio=snapshot.portfolio,
            equity=snapshot.equity,
            peak_equity=snapshot.peak_equity,
            limits=self.limits,
            policy=self.policy,
            costs=self.costs,
        )


def gate_state(scene: Scene, snapshot: Snapshot, decision_id: str) -> GateState:
    """The gate's own view of the book and the marks, built from data, never from what an agent said.

    Its version names the decision and the whole snapshot: another state needs another verdict.
    """
    closes = scene.closes
    ages: Mapping[str, float] = {
        symbol: age for symbol in scene.prices if (age := scene.view.age_days(symbol)) is not None
    }
    return GateState(
        portfolio=snapshot.portfolio,
        instruments={item.symbol: item for item in scene.universe.instruments},
        prices=scene.prices,
        price_ages_days=ages,
        equity=snapshot.equity,
        previous_equity=snapshot.previous_equity,
        returns=closes[1:] / closes[:-1] - 1.0 if len(closes) > 1 else np.empty((0, closes.shape[1])),
        return_symbols=scene.view.symbols,
        state_version=content_hash([decision_id, snapshot.model_dump(mode="json")])[:16],
        daily_volumes=scene.daily_volume,
    )
