"""The calibration from end to end on a small market, and its scores where the answer is known."""

import json
import tomllib
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import parley.evals.suites as suites
import pytest
from parley.evals.harness.options import SuiteOptions
from parley.evals.harness.task import Outcome, Sample, Scored, Summary
from parley.evals.suites.calibration import Calibration, build
from parley.evals.suites.calibration_scores import Draws, Said, diagram, quality, said_by

FIRST, LAST = "2016-01-06", "2016-01-13"
SUITE = tomllib.loads((Path(suites.__file__).parent / "calibration.toml").read_text())["parameters"] | {"windows": 2}


def said(probability: float, share: float, days: int = 400, a_day: int = 5) -> Said:
    """Calls that say one probability and come true in this share of all, spread evenly."""
    n = days * a_day
    came_true = (np.arange(n) % 10 < round(10 * share)).astype(float)
    day = np.repeat(np.arange(days), a_day)
    return Said("who", day, np.full(n, probability), came_true, came_true - 0.5, ("s",) * n, ("calm",) * n)


@pytest.fixture(scope="module")
def task(market_path: Path) -> Calibration:
    return build(SuiteOptions(data=str(market_path), start=FIRST, end=LAST, parameters=SUITE))


@pytest.fixture(scope="module")
def scored(task: Calibration) -> list[Scored]:
    return [Scored(item, 0, task.run(item, 0)) for item in task.samples()]


def test_windows_are_samples_and_their_outcomes_plain_json(task: Calibration, scored: list[Scored]) -> None:
    assert [item.sample.id for item in scored] == ["2016-01-06", "2016-01-11"]
    for item in scored:
        told: Any = json.loads(json.dumps(item.outcome.transcript, allow_nan=False))
        assert len(told["sessions"]) == 3
    assert task.run(scored[1].sample, 0) == scored[1].outcome


def test_a_run_without_an_outcome_to_judge_says_so_and_still_tests_the_value_at_risk(
    task: Calibration, scored: list[Scored]
) -> None:
    """The six names end nine days after the first decision: no horizon has passed."""
    found = task.summarize(scored)

    assert found.notes == ("Nobody said anything that could be judged.",)
    assert [item.title for item in found.tables] == ["Value at risk of the risk manager", "Reader of texts, by domain"]
    assert found.tables[1].rows[0][3] == pytest.approx(0.833, abs=0.001)


def test_who_says_seventy_percent_and_is_right_seven_times_in_ten_is_calibrated() -> None:
    found = quality(said(0.7, 0.7), Draws(400, 1))

    assert found.brier.value == pytest.approx(0.21)
    assert found.error.value == pytest.approx(0.0, abs=1e-9)
    assert found.skill.value == pytest.approx(0.16)
    assert found.skill.low is not None
    assert found.skill.low > 0
    assert found.hit_rate.value == pytest.approx(0.7)


def test_who_says_ninety_percent_of_a_coin_is_worse_than_a_coin_for_certain() -> None:
    found = quality(said(0.9, 0.5), Draws(400, 1))

    assert found.brier.value == pytest.approx(0.41)
    assert found.error.value == pytest.approx(0.4)
    assert found.skill.high is not None
    assert found.skill.high < 0


def test_calls_of_a_few_days_have_no_interval_however_many_they_are() -> None:
    found = quality(said(0.7, 0.7, days=10, a_day=100), Draws(400, 1))

    assert found.calls == 1000
    assert (found.brier.low, found.brier.high) == (None, None)


def test_calls_of_one_day_stand_or_fall_together() -> None:
    """All of a day gain or none do: the interval is far wider than that of as many single coins."""
    spread = said(0.5, 0.5, a_day=20)
    turns = replace(spread, gain=(np.random.default_rng(3).random(400) < 0.5).astype(float)[spread.day])

    found = quality(turns, Draws(400, 1)).gain

    assert found.low is not None
    assert found.high is not None
    assert found.high - found.low > 2.5 * 2 * 1.96 * 0.5 / np.sqrt(8000)


def test_the_diagram_shows_each_bins_share_within_its_interval() -> None:
    low, high = said(0.3, 0.2), said(0.8, 0.9)
    both = Said(
        "who",
        np.concatenate([low.day, high.day]),
        np.concatenate([low.said, high.said]),
        np.concatenate([low.came_true, high.came_true]),
        np.concatenate([low.gain, high.gain]),
        low.source + high.source,
        low.regime + high.regime,
    )

    found = diagram(both, Draws(400, 1))

    assert found.said == pytest.approx([0.3, 0.8])
    assert found.came_true == pytest.approx([0.2, 0.9])
    assert (found.low <= found.came_true).all()
    assert (found.came_true <= found.high).all()


def written(first: str, calls: list[list[Any]], losses: list[float]) -> Scored:
    days = [date.fromordinal(date.fromisoformat(first).toordinal() + place).isoformat() for place in range(150)]
    told = {
        "sessions": days,
        "calls": [[days[place], *call] for place, call in enumerate(calls)],
        "sources": {"technical": [len(calls), 3]},
        "var": [[day, loss, 0.02, None, 0.01] for day, loss in zip(days, losses, strict=True)],
    }
    return Scored(Sample(first, {"first": first}), 0, Outcome({}, transcript=told))


@pytest.fixture
def told() -> list[Scored]:
    right = [["analyst's signals", "technical", "calm", 0.6, place % 2, 0.01] for place in range(100)]
    votes = [["risk_manager", "", "crisis", 0.9, 1, 0.02] for _ in range(50)]
    losses = [0.03 if place % 50 == 0 else 0.0 for place in range(150)]
    return [written("2015-01-01", right + votes, losses), written("2014-01-01", right, [0.0] * 150)]


def test_windows_stand_behind_each_other_in_time_whatever_order_they_came_in(told: list[Scored]) -> None:
    calls, n_days = said_by(told)

    assert n_days == 300
    assert set(calls["risk_manager"].day.tolist()) == set(range(250, 300))
    assert len(calls["analyst's signals"].said) == 200


def test_the_report_tells_speakers_regimes_sources_and_exceptions_apart(task: Calibration, told: list[Scored]) -> None:
    found: Summary = task.summarize(told)
    tables = {item.title: item for item in found.tables}

    for table in found.tables:
        assert {len(row) for row in table.rows} == {len(table.header)} == {len(table.units)}
    assert [row[0] for row in tables["By market regime"].rows] == ["analyst's signals, calm", "risk manager, crisis"]
    assert tables["By market regime: the fit"].rows[0][1] == pytest.approx((0.16 + 0.36) / 2)
    # A page of 1,100 pixels cuts off what has more columns than this.
    assert max(len(table.header) for table in found.tables) <= 10
    assert [note for note in found.notes if "every call says the same" in note] == [
        "analyst's signals: every call says the same, 60.0%: nothing tells a sure one from another.",
        "risk manager: every call says the same, 90.0%: nothing tells a sure one from another.",
    ]
    assert tables["Signs of the sources"].rows == (("technical", 250, 6 / 250),)
    historical, filtered, parametric = tables["Value at risk of the risk manager"].rows
    assert historical[1:3] == parametric[1:3] == (300, 3)
    assert filtered[1:3] == (0, 0)
    assert [chart.kind for chart in found.charts] == ["reliability"] * 2
    figures = {item.name: item for item in found.figures}
    assert figures["signals"].value == 200
    assert figures["signal_brier"].value == pytest.approx((0.16 + 0.36) / 2)
    assert figures["var_exceptions_historical"].n == 300
