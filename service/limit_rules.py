"""Which limits one recorded decision may have been held to: those of the run, or tighter for a reason it records."""

from collections.abc import Container, Iterator

from ..domain.decisions import Decision
from ..domain.events import RunStarted
from ..domain.views import Regime
from ..gate.dynamic import STEPS, dynamic_limits, tightening_factor
from ..gate.errors import LimitsInvalid
from ..gate.limits import Limits, parse_limits
from ..gate.tightening import read_tightened, tightest


def reachable_limits(started: RunStarted, decision: Decision) -> Container[str]:
    """Hashes of the run's limits as regime, drawdown and volatility may have tightened them for this decision."""
    return _Reachable(started, decision)


class _Reachable(Container[str]):
    """Regime and drawdown are in the decision, so they bound the factor; how wild the market was is not."""

    def __init__(self, started: RunStarted, decision: Decision) -> None:
        self._started, self._decision = started, decision

    def __contains__(self, limits_hash: object) -> bool:
        bounds = self._started.settings.get("limits")
        snapshot = self._decision.snapshot
        if not isinstance(bounds, dict) or snapshot.peak_equity <= 0:
            return False
        try:
            limits = parse_limits(bounds, f"run {self._started.run_id}")
        except LimitsInvalid:
            return False
        limits = tightest(limits, read_tightened(dict(snapshot.tightened)))
        if snapshot.tightened and limits_hash == limits.hash():
            # What the snapshot itself is held to; without tightening that is the run's own, which its start names.
            return True
        drawdown_frac = float(1 - snapshot.equity / snapshot.peak_equity)
        return any(limits_hash == item.hash() for item in _steps(limits, self._decision.regime, drawdown_frac))


def _steps(limits: Limits, regime: Regime, drawdown_frac: float) -> Iterator[Limits]:
    """From the loosest limits that regime and drawdown allow down to the tightest."""
    bounds = limits.dynamic
    loosest = int(tightening_factor(bounds, regime, drawdown_frac, 0.0) * STEPS)
    # A volatility between two steps gives the lower one, whatever a division by it rounds to.
    ratios = [bounds.volatility_start_ratio * float(STEPS) / (step + 0.5) for step in reversed(range(loosest))]
    for ratio in (0.0, *ratios):
        yield dynamic_limits(limits, regime, drawdown_frac, ratio)
