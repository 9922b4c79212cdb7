"""The risk node: what its alerts answer to, with the figures behind them in the logged evidence."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from parley.domain.events import EvidenceRecorded
from parley.market.history import History
from parley.quant.policy import PolicyParams

HELD = 100_000.0


def assessed(bench: Any, held: dict[str, int]) -> tuple[Any, dict[str, Any]]:
    """The assessment of a book, and what its evidence says by tool."""
    decision = bench.decide(bench.snapshot(held=held))
    recorded = bench.events()[0].decoded()
    assert isinstance(recorded, EvidenceRecorded)
    by_id = {entry.id: entry for entry in recorded.entries}
    return decision.assessment, {by_id[key].tool: by_id[key].output for key in decision.assessment.evidence}


def with_volume(bench: Any, shares: float) -> Any:
    panel = replace(bench.panel, volume=np.full(bench.panel.close.shape, shares))
    return bench.with_(history=History(panel, bench.universe, bench.history.card), panel=panel)


def test_a_sudden_crisis_past_the_drawdown_limit_raises_an_alert_and_is_in_the_evidence(bench: Any):
    held = {name: bench.shares_worth(name, HELD / 2) for name in bench.panel.symbols}

    above, evidence = assessed(bench, held)
    loss = -evidence["worst_scenarios"]["sudden"]["return"]
    below, _ = assessed(bench.with_(policy=PolicyParams(dd_limit=min(loss * 1.01, 1.0))), held)

    assert loss > PolicyParams().dd_limit
    assert "sudden_scenario_past_drawdown_limit" in above.alerts
    assert "sudden_scenario_past_drawdown_limit" not in below.alerts


def test_a_book_of_cash_has_no_scenario_no_exit_and_no_alert(bench: Any):
    assessment, evidence = assessed(with_volume(bench, 1e6), {})

    assert assessment.alerts == ()
    assert not {"worst_scenarios", "exit_costs"} & set(evidence)


@pytest.mark.parametrize(("volume", "is_slow"), [(1e6, False), (100.0, True)])
def test_a_book_that_takes_over_a_week_to_sell_raises_an_alert(bench: Any, volume: float, is_slow: bool):
    thin = with_volume(bench, volume)

    assessment, evidence = assessed(thin, {"N00": 1000})

    assert ("exit_takes_over_a_week" in assessment.alerts) is is_slow
    assert (evidence["exit_costs"]["now"]["last_day"] > 5.0) is is_slow
    assert evidence["exit_costs"]["volume_is_assumed"] is False


def test_without_recorded_volume_nothing_is_said_about_exits(bench: Any):
    _, evidence = assessed(bench, {"N00": 1000})

    assert "exit_costs" not in evidence


def test_a_held_name_that_nobody_trades_raises_an_alert_and_stops_no_decision(bench: Any):
    volume = np.full(bench.panel.close.shape, 1e6)
    volume[:, 0] = 0.0
    panel = replace(bench.panel, volume=volume)
    stuck = bench.with_(history=History(panel, bench.universe, bench.history.card), panel=panel)

    assessment, _ = assessed(stuck, {"N00": 1000, "N01": 1000})

    assert "held_name_without_volume" in assessment.alerts


@pytest.mark.parametrize(("held", "is_raised"), [("N00", True), ("N01", False)])
def test_a_name_whose_market_dries_up_raises_an_alert_when_it_is_held(bench: Any, held: str, is_raised: bool):
    volume = np.full(bench.panel.close.shape, 1e6)
    volume[-21:, bench.panel.symbols.index("N00")] = 1e5
    panel = replace(bench.panel, volume=volume)
    thinning = bench.with_(history=History(panel, bench.universe, bench.history.card), panel=panel)

    assessment, evidence = assessed(thinning, {held: 1000})

    assert evidence["trading_frictions"]["drying_up"] == ["N00"]
    assert ("held_name_drying_up" in assessment.alerts) is is_raised
