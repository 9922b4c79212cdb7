"""A small world for one seed: five recorded names, a few sessions, and settings under which every session trades."""

import tomllib
from dataclasses import dataclass, replace
from datetime import date
from functools import cache

import numpy as np

from ...desk.desk import Desk, RunPlan
from ...desk.settings import Settings
from ...domain.market import Quote
from ...execution.venues.paper import Liquidity
from ...gate.limits import Limits, load_limits
from ...market.cards import DataSet
from ...market.datasets import load_data
from ...market.panel import BAR_FIELDS
from ..tape import session_tape
from .faults import MOMENTS

DATA = "us5"
WARM_UP_DAYS = 300
YEARS = (2003, 2008, 2012)
"""A calm rise, a crash, and a year with all five names. A calendar is dear to make, so the years are few."""
SLICE_NOTIONAL = 1_500.0

# No band, so that the desk finds something to do on every day.
SETTINGS_TEXT = f"""environment = "staging"
cash = 400_000

[policy]
band = 0.0

[costs]
max_slices = {MOMENTS - 1}
min_child_notional = {SLICE_NOTIONAL}
"""
SETTINGS = Settings.model_validate(tomllib.loads(SETTINGS_TEXT))
STOPS_SLICE_NOTIONAL = 30_000.0
STOPS_TEXT = f"""environment = "staging"
cash = 400_000
as_live = true
stop_loss_frac = 0.03
stop_orders = "resting"

[venue]
kind = "exchange"

[policy]
band = 0.15

[costs]
max_slices = {MOMENTS - 1}
min_child_notional = {STOPS_SLICE_NOTIONAL}
"""
"""Wide bands and few slices, so that on most days a name is quiet and its stop stands."""


@dataclass(frozen=True, slots=True, eq=False)
class World:
    """What the seed settles before anything goes wrong. The first session only decides, the others trade."""

    seed: int
    plan: RunPlan
    data: DataSet
    limits: Limits
    settings: Settings = SETTINGS
    settings_text: str = SETTINGS_TEXT
    """The settings as the file that a process reads at its start."""
    slice_notional: float = SLICE_NOTIONAL

    @property
    def rests(self) -> bool:
        """Whether its desk has its stops at the venue."""
        return self.settings.stop_orders == "resting"

    @property
    def sessions(self) -> tuple[date, ...]:
        return self.plan.sessions

    @property
    def symbols(self) -> tuple[str, ...]:
        return self.data.panel.symbols


@cache
def _data() -> DataSet:
    return load_data(DATA)


def build_world(seed: int, trading_sessions: int = 2, *, remembers: bool = False, rests: bool = False) -> World:
    """The world of a seed: its days are a stretch of the recorded ones. `remembers` gives its desk a memory, with
    `rests` it has its stops at the venue."""
    data = _data()
    rng = np.random.default_rng([seed, 1])
    ends = np.flatnonzero(data.panel.sessions.astype("datetime64[Y]").astype(int) + 1970 == rng.choice(YEARS))
    # Late enough in the year that the days before it reach back one calendar year and no further.
    first = int(rng.integers(ends[80], ends[-1] - trading_sessions))
    data = _stretch(data, first - WARM_UP_DAYS, first + trading_sessions + 1)
    days = data.history().sessions_between()[-(trading_sessions + 1) :]
    plan, text = RunPlan(DATA, days, "rules", seed), STOPS_TEXT if rests else SETTINGS_TEXT
    text = f'memory = "on"\n{text}' if remembers else text
    settings = Settings.model_validate(tomllib.loads(text)) if remembers or rests else SETTINGS
    return World(seed, plan, data, load_limits(), settings, text, STOPS_SLICE_NOTIONAL if rests else SLICE_NOTIONAL)


def _stretch(data: DataSet, first: int, stop: int) -> DataSet:
    """Some rows of a data set: what a desk knows in this world, and the days it will see."""
    panel = data.panel
    rows = {
        name: None if (array := getattr(panel, name)) is None else array[first:stop]
        for name in ("close", *BAR_FIELDS, "benchmark", "vix")
    }
    cut = replace(panel, sessions=panel.sessions[first:stop], close_times=panel.close_times[first:stop], **rows)
    return replace(data, panel=cut)


def market_day(world: World, desk: Desk, place: int) -> tuple[tuple[Quote, ...], dict[str, Liquidity]]:
    """The true quotes of a session, with so little shown that slices fill in parts, and each name's liquidity."""
    tape = session_tape(desk, world.sessions[place], world.symbols, world.seed)
    rng = np.random.default_rng([world.seed, 2, place])
    return tuple(_thinned(quote, rng, world.slice_notional) for quote in tape.quotes), tape.liquidity


def _thinned(quote: Quote, rng: np.random.Generator, notional: float) -> Quote:
    usual = notional / float(quote.mid)
    bid, ask = (max(int(usual * part), 0) for part in rng.uniform(0.0, 0.7, 2))
    return replace(quote, bid_size=bid, ask_size=ask)
