"""A small market to compute on: seeded paths on real session days, and scenes of it at any close."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from parley.domain.instruments import AssetClass, Instrument, Universe
from parley.domain.portfolio import Portfolio, Position
from parley.gate.limits import load_limits
from parley.market.cards import FINE_TICK, DataCard, DataSet
from parley.market.datasets import load_data
from parley.market.history import History
from parley.market.panel import Panel
from parley.market.sessions import session_calendar
from parley.quant.policy import PolicyParams
from parley.tools.ledger import Ledger
from parley.tools.scene import CostParams, Scene, on_grid

FIRST = date(2018, 1, 2)
NAMES = ("AAA", "BBB", "CCC", "DDD", "EEE", "FFF")
COSTS = CostParams(
    half_spread_bps=2.0,
    fee_bps=1.0,
    impact_coefficient=1.0,
    assumed_daily_volume=200e6,
    max_slices=13,
    min_child_notional=5000.0,
    budget_bps=25.0,
)


@dataclass(frozen=True)
class World:
    """A history and its universe."""

    panel: Panel
    universe: Universe
    history: History

    @property
    def symbols(self) -> tuple[str, ...]:
        return self.panel.symbols

    def scene(self, row: int = -1, held: dict[str, int] | None = None, **changes: Any) -> Scene:
        """The scene at a row's close: a million in cash, less what the positions are worth."""
        session = self.panel.sessions[row].item()
        view = self.history.as_of(self.history.close_time(session))
        lasts = dict(zip(view.symbols, view.last_closes().tolist(), strict=True))
        equity = Decimal(changes.pop("equity", 1_000_000))
        positions = tuple(
            Position(symbol=symbol, quantity=quantity, average_price=Decimal(1))
            for symbol, quantity in sorted((held or {}).items())
        )
        worth = sum((on_grid(lasts[p.symbol], FINE_TICK) * p.quantity for p in positions), Decimal(0))
        scene = Scene(
            view=view,
            universe=self.universe,
            portfolio=Portfolio(cash=equity - worth, positions=positions),
            equity=equity,
            peak_equity=Decimal(changes.pop("peak_equity", equity)),
            limits=load_limits(),
            policy=PolicyParams(),
            costs=COSTS,
        )
        return replace(scene, **changes)


def days_from(first: date, n_days: int) -> np.ndarray:
    calendar = session_calendar("XNYS", first, date(first.year + n_days // 250 + 1, 1, 1))
    start = int(np.searchsorted(calendar.days, np.datetime64(first, "D")))
    return calendar.days[start : start + n_days]


class Build:
    """Worlds with sensible defaults; every test changes one thing."""

    names = NAMES

    def closes(self, n_days: int = 320, n_names: int = len(NAMES), seed: int = 5, vol: float = 0.01) -> np.ndarray:
        rng = np.random.default_rng(seed)
        market = rng.normal(0.0003, vol, (n_days, 1))
        return 50.0 * np.exp(np.cumsum(market + rng.normal(0.0, vol, (n_days, n_names)), axis=0))

    def world(
        self,
        close: np.ndarray | None = None,
        *,
        classes: Sequence[AssetClass] | None = None,
        sectors: Sequence[str] | None = None,
        lot: int = 1,
        first: date = FIRST,
        **fields: Any,
    ) -> World:
        levels = self.closes() if close is None else close
        n_days, n_names = levels.shape
        symbols = tuple(f"N{place:03d}" for place in range(n_names)) if n_names > len(NAMES) else NAMES[:n_names]
        days = days_from(first, n_days)
        calendar = session_calendar("XNYS", days[0].item(), days[-1].item())
        named = "BENCH" if fields.get("benchmark") is not None else None
        panel = Panel(
            symbols=symbols,
            sessions=days,
            close_times=calendar.closes[calendar.rows_of(days)],
            close=levels,
            benchmark_name=named,
            **fields,
        )
        kinds = classes or [AssetClass.STOCK] * n_names
        groups = sectors or [f"sector{place % 3}" for place in range(n_names)]
        instruments = tuple(
            Instrument(symbol=symbol, asset_class=kind, sector=group, tick=FINE_TICK, lot=lot)
            for symbol, kind, group in zip(symbols, kinds, groups, strict=True)
        )
        universe = Universe(name="made", instruments=instruments, benchmark=named)
        card = DataCard("made", "made", "seeded", "none", days[0].item(), days[-1].item(), "daily", True, True, "none")
        return World(panel, universe, History(panel, universe, card))

    def ledger(self, scene: Scene) -> Ledger:
        return Ledger(scene.view.as_of, scene.view.fingerprint)


@pytest.fixture(scope="session")
def build() -> Build:
    return Build()


@pytest.fixture(scope="session")
def world(build: Build) -> World:
    return build.world()


@pytest.fixture(scope="session")
def us20() -> World:
    return _world_of(load_data("us20"))


@pytest.fixture(scope="session")
def us5() -> World:
    return _world_of(load_data("us5"))


@pytest.fixture(scope="session")
def sp500() -> World:
    return _world_of(load_data("sp500"))


def _world_of(data: DataSet) -> World:
    return World(data.panel, data.universe, data.history())
