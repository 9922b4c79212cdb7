"""The venue of a run by its settings: where fills come from, that the log replays, and what the router learns from."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from parley.agents.llm.rules import RulesModel
from parley.desk.book import open_log
from parley.desk.desk import RunPlan, build_desk, run_started
from parley.desk.errors import SettingsInvalid
from parley.desk.settings import Settings, settings_of_run, with_venue
from parley.domain.events import PortfolioMarked
from parley.evals.chosen_venue import CHARACTERS, Learning
from parley.evals.days import RecordedDays
from parley.evals.replay import replay_run
from parley.execution.routing.learning import fold
from parley.execution.routing.state import RoutingTerms, Rule, new_state
from parley.gate.limits import load_limits
from parley.market.datasets import load_data
from parley.memory.gate_record import GateRecord
from parley.memory.history import fills
from parley.memory.verify import verify_log
from parley.service.limit_rules import reachable_limits


def at(choice: str) -> Settings:
    return with_venue(Settings(), choice)


@pytest.mark.parametrize(
    ("choice", "places"),
    [("paper", {"paper"}), ("exchange", {"exchange"}), ("routed", set(CHARACTERS)), ("routed:equal", set(CHARACTERS))],
)
def test_fills_come_from_the_chosen_venue_and_the_log_replays(
    market_path: Path, player: Any, choice: str, places: set[str]
) -> None:
    folder = player.run(str(market_path), days=3, settings=at(choice))

    with open_log(folder, readonly=True) as (log, _):
        done = list(fills(log))
    assert {fill.venue for fill in done} <= places and done
    assert {(fill.tier, fill.synthetic) for fill in done} == {("T0", True)}
    assert all(fill.side.sign * (fill.price - fill.touch_price) >= 0 for fill in done)
    assert verify_log(folder.log_path, auditors=[GateRecord(reachable_limits)]).findings == ()
    assert replay_run(folder).identical


def test_the_router_goes_on_learning_where_a_run_was_cut_off(market_path: Path, tmp_path: Path, player: Any) -> None:
    settings, name = at("routed"), str(market_path)
    whole = player.run(name, days=4, settings=settings)
    data, limits = load_data(name), load_limits()
    plan = RunPlan(name, data.history().sessions_between()[-4:], RulesModel.name, 7)

    def go_on(folder: Any, log: Any, stop_after: int) -> None:
        desk = build_desk(settings, limits, data, plan, log, RulesModel(), None)
        days = RecordedDays(desk, plan.sessions, plan.seed, run_started(settings, limits, data, plan))

        def crash(done: int, total: int) -> None:
            if done == stop_after:
                raise KeyboardInterrupt

        asyncio.run(days.run(crash))

    cut = type(player)(type(player.book)(tmp_path / "cut")).book.create(plan.run_id(settings, limits))
    with open_log(cut) as (log, _), pytest.raises(KeyboardInterrupt):
        go_on(cut, log, 3)
    with open_log(cut) as (log, _):
        assert log.last(PortfolioMarked) is not None
        go_on(cut, log, -1)
        ended = log.head()
    with open_log(whole, readonly=True) as (log, _):
        assert log.head() == ended


def test_what_the_router_knows_is_the_fold_of_the_log_however_often_it_is_asked(market_path: Path, player: Any) -> None:
    folder = player.run(str(market_path), days=4, settings=at("routed:thompson"))
    first = new_state(RoutingTerms(rule=Rule.THOMPSON, unit_shares=10), CHARACTERS)

    with open_log(folder) as (log, _):
        end, marks = log.head()[0], [event.seq for event in log.read(types=(PortfolioMarked,))]
        asked, states = Learning(log, first), []
        for mark in marks:
            log.rewind(mark)
            states.append(asked.state())
        log.rewind(end)

        folds = [fold(first, log.read(until=mark)).state for mark in marks]
    assert states == folds
    assert len({sum(record.slices for record in state.venues) for state in states}) > 1


def test_a_run_at_the_usual_venue_has_the_settings_it_had_before_there_was_a_choice() -> None:
    assert "venue" not in Settings().public()
    assert at("usual").hash() == Settings().hash()
    assert len({at(choice).hash() for choice in ("usual", "paper", "exchange", "routed", "routed:ucb")}) == 5
    assert settings_of_run(at("routed:ucb").public()).venue == at("routed:ucb").venue


@pytest.mark.parametrize("choice", ["", "dark", "routed:best", "paper:ucb", "Exchange"])
def test_a_venue_nobody_knows_is_refused(choice: str) -> None:
    with pytest.raises(SettingsInvalid) as refused:
        at(choice)

    assert refused.value.remedy
