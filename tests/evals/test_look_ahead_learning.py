"""Look-ahead with everything that learns switched on: weights, confidence, regime and texts know the past alone."""

from dataclasses import replace
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from parley.agents import calibration, weights
from parley.agents.consensus import VOTING_WEIGHTS
from parley.desk.llm_settings import LlmSettings
from parley.desk.settings import ConsensusSettings, PolicySettings, Settings
from parley.domain.decisions import Decision
from parley.domain.events import DecisionMade, Event
from parley.domain.market import TextItem
from parley.domain.views import Regime, Source
from parley.evals.look_ahead import Change, look_ahead_difference
from parley.market.cards import DataSet
from parley.market.files import load_file
from parley.market.panel import Panel
from parley.market.sessions import session_calendar

from .rehearsal_kit import rehearse

pytestmark = pytest.mark.slow

DAYS, PLAYED = 1022, 55
CALM_DAYS, WILD_DAYS = 45, 25
FEW = 10
"""Outcomes that weights and curves of confidence rest on here; the desk waits for more."""

"""Of four years, the last days are decided on: across a January, at which confidence is fitted again."""

LEARNING = Settings(
    policy=PolicySettings(band=0.0),  # a vote every day, so that there is something to learn from
    consensus=ConsensusSettings(weights="adapted", confidence="calibrated", regime="switched"),
    llm=LlmSettings(text_hit_rate=0.6),
)
SWITCHES = ("memory",)
"""Further arms by the name of their setting, where this desk has them."""


def learning() -> Settings:
    return LEARNING.model_copy(update={name: "on" for name in SWITCHES if name in Settings.model_fields})


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calibration, "MIN_OUTCOMES", FEW)
    monkeypatch.setattr(weights, "MIN_ROUNDS", FEW)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> DataSet:
    """Six names, calm and wild by turns, and a headline for each of them every day."""
    rng, names = np.random.default_rng(5), 6
    sessions = session_calendar("XNYS", date(2013, 1, 2), date(2017, 12, 29)).days[:DAYS]
    vol = np.where(np.arange(DAYS) % (CALM_DAYS + WILD_DAYS) < CALM_DAYS, 0.005, 0.02)[:, None]
    moves = vol * (0.7 * rng.standard_normal((DAYS, 1)) + rng.standard_normal((DAYS, names)))
    closes = 40.0 * np.exp(np.cumsum(moves + 0.0003, axis=0))
    lines = ["symbol,date,close,volume"]
    lines += [f"N{n},{day},{closes[row, n]:.4f},2000000" for n in range(names) for row, day in enumerate(sessions)]
    path: Path = tmp_path_factory.mktemp("learning") / "six.csv"
    path.write_text("\n".join(lines) + "\n")
    return replace(load_file(path), texts=tuple(_news(sessions[-PLAYED:].tolist(), names, rng)))


def _news(days: list[date], names: int, rng: np.random.Generator) -> list[TextItem]:
    said = ("beats estimates and raises its outlook", "plunges after a loss and a fraud probe")
    found: list[TextItem] = []
    for day in days:
        noon = datetime(day.year, day.month, day.day, 17, tzinfo=UTC)
        for name, way in enumerate(rng.integers(0, 2, names).tolist()):
            headline = f"N{name} {said[way]} on {day}"
            found.append(
                TextItem(
                    id=f"text-{name}-{day}",
                    symbol=f"N{name}",
                    source=f"wire {way}",
                    ts_event=noon,
                    available_at=noon,
                    headline=headline,
                )
            )
    return found


@cache
def play(data: DataSet, until: date) -> tuple[Event, ...]:
    """The played days up to one of them."""
    return rehearse(data, data.history().sessions_between(_first_played(), until), settings=learning())


@cache
def _first_played() -> date:
    calendar = session_calendar("XNYS", date(2013, 1, 2), date(2017, 12, 29))
    return calendar.days[DAYS - PLAYED].item()


def permuted(data: DataSet, cut: date, rng: np.random.Generator) -> DataSet:
    """The later days in another order."""
    order = np.arange(len(data.panel.sessions))
    later = np.flatnonzero(data.panel.sessions > np.datetime64(cut, "D"))
    order[later] = rng.permutation(later)
    changed = {name: getattr(data.panel, name)[order] for name in ("close", "volume")}
    return replace(data, panel=replace(data.panel, **changed))


def truncated(data: DataSet, cut: date, _rng: np.random.Generator) -> DataSet:
    """The data end with the cut."""
    known = data.panel.sessions <= np.datetime64(cut, "D")
    panel: Panel = replace(
        data.panel,
        **{name: getattr(data.panel, name)[known] for name in ("sessions", "close_times", "close", "volume")},
    )
    until = data.history().close_time(cut)
    return replace(data, panel=panel, texts=tuple(item for item in data.texts if item.available_at <= until))


def midweek(data: DataSet) -> date:
    """A Tuesday near the end: whoever reads a day too far would see something on the next one."""
    return next(day for day in reversed(data.history().sessions_between()[:-4]) if day.weekday() == 1)


def decisions(events: tuple[Event, ...]) -> list[Decision]:
    made = [event.decoded() for event in events if event.type == DecisionMade.__name__]
    return [payload.decision for payload in made if isinstance(payload, DecisionMade)]


def test_in_this_world_every_learning_arm_is_at_work(world: DataSet) -> None:
    """Or the tests below would prove nothing."""
    found = decisions(play(world, midweek(world)))

    weighed = [item.consensus for item in found if item.consensus is not None]
    assert any(dict(item.weights) != VOTING_WEIGHTS for item in weighed)
    assert any(item.calibration for item in weighed) and not weighed[0].calibration
    assert {item.regime for item in found} >= {Regime.CALM} and len({item.regime for item in found}) > 1
    assert all(view.scores for item in found for view in item.views if view.source is Source.SENTIMENT)
    assert any(signal.explanation.count("the texts") for item in found for signal in item.signals)


@pytest.mark.parametrize("change", [None, permuted, truncated], ids=["garbled", "permuted", "truncated"])
def test_nothing_that_learns_knows_what_comes_after_the_cut(world: DataSet, change: Change | None) -> None:
    cut = midweek(world)

    assert look_ahead_difference(lambda data: play(data, cut), world, cut, change=change) is None
