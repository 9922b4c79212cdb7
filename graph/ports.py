"""What the nodes are given: the world as of a moment, the gate's limits, the model, and the log to commit to."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path

import numpy as np

from ..agents.ask import Asking
from ..agents.views import View
from ..domain.canonical import content_hash
from ..domain.decisions import Snapshot
from ..domain.instruments import Universe
from ..domain.views import Agent, Regime
from ..gate.dynamic import dynamic_limits
from ..gate.limits import Limits
from ..gate.state import GateState, WorkingOrder
from ..gate.tightening import tightest
from ..market.history import History
from ..memory.log import EventLog
from ..memory.recall import Recall
from ..quant.policy import PolicyParams
from ..tools.errors import NotEnoughData
from ..tools.estimators import Estimators
from ..tools.locates import located
from ..tools.scene import CostParams, FloatArray, Scene
from .standing import AS_CONFIGURED, ConsensusRules, Standings

RECENT_DAYS = 21
"""A trading month: the volatility that is held against the usual one."""


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
    strategy: str = "default"
    """What a restriction of one strategy calls the desk's policy."""
    venue: str = "paper"
    has_stops: bool = False
    """Every position that is taken gets a protective stop."""
    borrow_rate_frac: float = 0.0
    """The yearly fee of shares that are sold short."""
    consensus: ConsensusRules = AS_CONFIGURED
    views: tuple[View, ...] = ()
    """Further views of the analyst, beside the four sources' own."""
    silent: frozenset[Agent] = frozenset()
    """Agents that are switched off: nobody asks them, and they abstain."""
    has_debate: bool = False
    """A bull and a bear argue where the sources disagree."""
    encoder: Path | None = None
    """Who reads polarity in texts; None is the encoder that ships with the desk."""
    recall: Recall | None = None
    """The lessons of this log; None where the desk has no memory."""
    scenes: dict[datetime, tuple[Snapshot, Scene]] = field(default_factory=dict, compare=False)

    @cached_property
    def standings(self) -> Standings:
        """What earlier votes of this log have taught, by the rules of this desk."""
        return Standings(self.consensus, self.log, self.history)

    def scene(self, snapshot: Snapshot) -> Scene:
        """The snapshot's moment as the tools see it; arrays stay here, the state carries none."""
        known = self.scenes.get(snapshot.as_of)
        if known is not None and known[0] == snapshot:
            return known[1]
        scene = self._scene(snapshot)
        self.scenes.clear()
        self.scenes[snapshot.as_of] = (snapshot, scene)
        return scene

    def limits_at(self, snapshot: Snapshot, regime: Regime) -> Limits:
        return decision_limits(self.limits_of(snapshot), self.scene(snapshot), snapshot, regime)

    def limits_of(self, snapshot: Snapshot) -> Limits:
        """The desk's own, as far as people had tightened them when the decision began."""
        return tightest(self.limits, snapshot.tightened) if snapshot.tightened else self.limits

    def limited_scene(self, snapshot: Snapshot, regime: Regime) -> Scene:
        """The same moment under the limits that the gate will hold this decision to: what plans are made in."""
        scene, limits = self.scene(snapshot), self.limits_at(snapshot, regime)
        if limits is scene.limits:
            return scene
        return scene.once(f"scene under {limits.hash()}", lambda: replace(scene, limits=limits))

    def gate_state(self, snapshot: Snapshot, decision_id: str) -> GateState:
        """What the gate reviews this decision's plan against."""
        scene = self.scene(snapshot)
        protected = frozenset(scene.prices) if self.has_stops else None
        state = gate_state(scene, snapshot, decision_id, strategy=self.strategy, venue=self.venue, protected=protected)
        return replace(state, borrow=located(scene, self.borrow_rate_frac)) if self.limits.allow_short else state

    def _scene(self, snapshot: Snapshot) -> Scene:
        return Scene(
            view=self.history.as_of(snapshot.as_of),
            universe=self.universe,
            portfolio=snapshot.portfolio,
            equity=snapshot.equity,
            peak_equity=snapshot.peak_equity,
            limits=self.limits_of(snapshot),
            policy=self.policy,
            costs=self.costs,
        )


def decision_limits(limits: Limits, scene: Scene, snapshot: Snapshot, regime: Regime) -> Limits:
    """The limits of one decision: those of the file, or tighter in a bad regime, a drawdown or a wild market.

    A function of the snapshot and of the regime that the decision records, so that a replay gets the same.
    """
    drawdown_frac = float(1 - snapshot.equity / snapshot.peak_equity)
    return scene.once(
        f"limits {limits.hash()} in a {regime.value} market",
        lambda: dynamic_limits(limits, regime, drawdown_frac, _volatility_ratio(scene)),
    )


def gate_state(
    scene: Scene,
    snapshot: Snapshot,
    decision_id: str,
    *,
    strategy: str = "",
    venue: str = "",
    protected: frozenset[str] | None = None,
) -> GateState:
    """The gate's own view of the book and the marks, built from data, never from what an agent said.

    Its version names the decision and the whole snapshot: another state needs another verdict.
    """
    closes = scene.closes
    returns = scene.scaled(closes[1:] / closes[:-1] - 1.0) if len(closes) > 1 else np.empty((0, closes.shape[1]))
    market = _market_returns(scene)
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
        returns=returns,
        return_symbols=scene.view.symbols,
        state_version=content_hash([decision_id, snapshot.model_dump(mode="json")])[:16],
        daily_volumes=scene.daily_volume,
        market_returns=market if market is not None and len(market) == len(returns) else None,
        versions=(snapshot.model, snapshot.settings_hash),
        working=tuple(
            WorkingOrder(item.client_order_id, item.symbol, item.side, item.quantity, item.worst_price, item.stop_price)
            for item in snapshot.working
        ),
        trading_states=snapshot.trading_states,
        halted=_halted(scene),
        protected=protected,
        strategy=strategy,
        venue=venue,
    )


def _halted(scene: Scene) -> frozenset[str]:
    """Names without a price in the latest session: as far as daily data know, they did not trade."""
    rows = np.isnan(scene.view.close[-1:]).tolist()
    return frozenset(symbol for row in rows for symbol, missing in zip(scene.view.symbols, row, strict=True) if missing)


def _market_returns(scene: Scene) -> FloatArray | None:
    """None where no name has a whole window behind it: an intent is reviewed all the same."""
    try:
        return scene.market_returns
    except NotEnoughData:
        return None


def _volatility_ratio(scene: Scene) -> float | None:
    """Volatility of the last month over that of the last year; None when it can't be told."""
    market = _market_returns(scene)
    usual = 0.0 if market is None else float(market.std())
    return None if market is None or not usual > 0.0 else float(market[-RECENT_DAYS:].std()) / usual
