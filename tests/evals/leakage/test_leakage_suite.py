"""The test of the tests: every planted bug is caught by its probe, and the desk without it is clean."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from parley.evals.harness.task import Scored
from parley.evals.leakage.finding import Ground, ground
from parley.evals.leakage.futures import FUTURES
from parley.evals.leakage.plants import PLANTS, PROBES
from parley.evals.leakage.playing import AS_IT_IS
from parley.evals.leakage.random_walks import expectation, walk
from parley.evals.leakage.worlds import random_walk, with_headlines
from parley.evals.suites import leakage
from parley.evals.suites.leakage import Leakage, cuts_of
from parley.market.cards import DataSet
from parley.market.errors import NoSessions

LONG = {"refit-regimes", "refit-tails", "refit-calibration", "calibration-lag"}
"""They need years before the cut."""


@pytest.fixture(scope="module")
def made() -> DataSet:
    return random_walk(6, 300, 11)


@pytest.fixture(scope="module")
def here(made: DataSet) -> Ground:
    return ground(made, made.history().sessions_between()[280])


@pytest.mark.parametrize("probe", sorted(set(PROBES) - LONG))
def test_the_desk_as_it_is_passes(probe: str, here: Ground) -> None:
    found = PROBES[probe](here, AS_IT_IS)

    assert found.is_clean, found.text
    assert found.looked_at > 0


@pytest.mark.parametrize("plant", sorted(set(PLANTS) - LONG - {"estimator"}))
def test_a_planted_bug_is_caught(plant: str, here: Ground) -> None:
    found = PLANTS[plant].search(here, PLANTS[plant].rig)

    assert not found.is_clean


@pytest.mark.slow
def test_an_estimate_without_a_clock_is_caught_where_there_are_years_to_learn_from() -> None:
    data = random_walk(6, 560, 11)
    plant = PLANTS["estimator"]

    assert not plant.search(ground(data, data.history().sessions_between()[520]), plant.rig).is_clean


@pytest.mark.slow
def test_what_is_fitted_again_with_another_future_says_the_same_of_the_past() -> None:
    data = random_walk(6, 960, 5)
    far = ground(data, data.history().sessions_between()[930])

    assert {name: PROBES[name](far, AS_IT_IS).is_clean for name in sorted(LONG & set(PROBES))} == {
        "refit-calibration": True,
        "refit-regimes": True,
        "refit-tails": True,
    }
    assert not PLANTS["calibration-lag"].search(far, AS_IT_IS).is_clean


@pytest.mark.parametrize("kind", FUTURES)
def test_another_future_leaves_what_was_known_and_changes_what_comes(kind: str, made: DataSet) -> None:
    days = made.history().sessions_between()
    data = with_headlines(made, days[270:290])
    cut = days[280]

    other = FUTURES[kind].change(data, cut, np.random.default_rng(1))

    until = data.history().close_time(cut)
    assert np.array_equal(other.panel.close[:281], data.panel.close[:281])
    assert not np.array_equal(other.panel.close[281:], data.panel.close[281:])
    known = [item for item in data.texts if item.available_at <= until]
    assert [item for item in other.texts if item.available_at <= until] == known
    assert len(known) == 11


def test_a_random_walk_has_the_same_price_to_expect_tomorrow_and_its_mirror_the_opposite_moves() -> None:
    world, mirror = (random_walk(4, 50, 3, is_mirrored=side).panel.close for side in (False, True))

    moves, opposite = (close[1:] / close[:-1] - 1.0 for close in (world, mirror))

    np.testing.assert_allclose(moves, -opposite, atol=1e-12)


def test_an_expectation_has_the_interval_of_students_t() -> None:
    # Five values of mean 3 and deviation sqrt(2.5): t(4) at 97.5 % is 2.776 (any table), half-width 1.963.
    found = expectation([1.0, 2.0, 3.0, 4.0, 5.0])

    assert (found.mean, found.n) == (3.0, 5)
    assert found.low == pytest.approx(3.0 - 1.963, abs=1e-3)
    assert found.high == pytest.approx(3.0 + 1.963, abs=1e-3)
    with pytest.raises(ValueError, match="2 at least"):
        expectation([1.0])


def test_a_walk_loses_its_costs_and_is_the_same_twice() -> None:
    found = walk(2, 5)

    assert found == walk(2, 5)
    assert found.costs > 0
    assert found.before_costs == pytest.approx(found.profit + found.costs)


def test_the_suite_fails_a_plant_that_is_not_caught_and_says_so(made: DataSet, monkeypatch: pytest.MonkeyPatch) -> None:
    task = Leakage("made", None, None, 1, 2, 5, 0)
    monkeypatch.setattr(leakage, "_loaded", lambda data, book: made)
    monkeypatch.setitem(PLANTS, "oracle", replace(PLANTS["oracle"], rig=AS_IT_IS))  # pyright: ignore[reportArgumentType]
    samples = {item.id: item for item in task.samples()}
    asked = [item for name, item in samples.items() if name in ("planted.oracle", "planted.fees-off", "world.000")]
    asked += [next(item for name, item in samples.items() if name.startswith("refit-tails"))]

    scored = [Scored(item, 0, task.run(item, 0)) for item in asked]
    summary = task.summarize(scored)

    passed = {item.sample.id.partition(".2")[0]: item.outcome.passed for item in scored}
    assert passed == {"planted.oracle": False, "planted.fees-off": True, "world.000": None, "refit-tails": None}
    figures = {item.name: item.value for item in summary.figures}
    assert figures["planted_bugs_caught"] == 0.5
    assert figures["not_tested"] == 1.0
    assert {row[0]: row[3] for row in summary.tables[0].rows} == {
        "oracle": "planted: NOT CAUGHT",
        "fees-off": "planted: caught",
    }


def test_cuts_have_a_history_before_them_and_a_future_after_them(made: DataSet) -> None:
    history = made.history()
    every = history.sessions_between()

    found = cuts_of(history, None, None, 3)

    assert len(found) == 3
    assert all(260 <= every.index(day) < len(every) - 8 for day in found)
    with pytest.raises(NoSessions, match="none has 260 before it"):
        cuts_of(history, str(every[0]), str(every[9]), 3)
    assert isinstance(found[0], date)
