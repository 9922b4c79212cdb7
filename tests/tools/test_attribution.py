"""Factor attribution: recovers known exposures, adds up to the last digit, and refuses what does not overlap."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from parley.tools.attribution import FactorTable, factor_attribution, own_attribution, own_factors
from parley.tools.errors import NotEnoughData
from parley.tools.ledger import Ledger

from .test_performance import made, noise


@pytest.fixture
def ledger(build: Any, world: Any) -> Ledger:
    return build.ledger(world.scene())


def table(days: np.ndarray, *names: str, cash: float | None = 0.0001, seed: int = 9) -> FactorTable:
    columns = {name: noise(len(days), seed + k, 0.0002) for k, name in enumerate(names)}
    return FactorTable("made.csv", days, columns, None if cash is None else np.full(len(days), cash))


def test_known_exposures_come_back_and_the_parts_add_up(ledger: Ledger) -> None:
    days = made(noise(500)).sessions
    factors = table(days, "Mkt-RF", "SMB", "HML")
    known = {"Mkt-RF": 0.6, "SMB": -0.3, "HML": 0.2}
    own = 0.0001 + sum(beta * factors.columns[name] for name, beta in known.items()) + noise(501, 7, 0.0) * 0.05
    record = made(own[1:])

    found: Any = factor_attribution(ledger, record, factors)[1]

    model = found["models"]["Fama-French 3"]
    for name, beta in known.items():
        assert model["betas"][name] == pytest.approx(beta, abs=4 * model["std_errors"][name])
    parts = sum(model["parts_per_year"].values()) + model["alpha_part_per_year"]
    assert parts == pytest.approx(model["total_per_year"], abs=1e-12)
    assert model["total_per_year"] == pytest.approx(252 * (record.returns - 0.0001).mean())
    assert found["sharpe_above_cash_low"] < found["sharpe_above_cash"] < found["sharpe_above_cash_high"]
    assert set(found["models"]) == {"Fama-French 3"}


def test_both_published_models_are_fitted_when_the_file_has_them_and_unknown_columns_are_one_model(
    ledger: Ledger,
) -> None:
    record = made(noise(500))
    full = table(record.sessions, "Mkt-RF", "SMB", "HML", "RMW", "CMA", "Mom")

    both: Any = factor_attribution(ledger, record, full)[1]
    assert list(both["models"]) == ["Fama-French 3", "Fama-French 5 and momentum"]
    other: Any = factor_attribution(ledger, record, table(record.sessions, "oil", "gold", cash=None))[1]
    assert other["models"]["all factors of the file"]["names"] == ["oil", "gold"]
    assert other["has_cash"] is False


def test_days_without_factors_are_counted_and_too_few_are_refused(ledger: Ledger) -> None:
    record = made(noise(500))
    half = table(record.sessions[:250], "Mkt-RF", "SMB", "HML")
    later = table(record.sessions[-1:] + np.arange(1, 300), "Mkt-RF", "SMB", "HML")

    assert factor_attribution(ledger, record, half)[1]["days_without_factors"] == 251
    with pytest.raises(NotEnoughData, match="0 of the record's days") as caught:
        factor_attribution(ledger, record, later)
    assert caught.value.remedy


def test_a_factor_that_begins_late_costs_days_not_a_silent_zero(ledger: Ledger) -> None:
    record = made(noise(500))
    factors = table(record.sessions, "Mkt-RF", "SMB", "HML")
    factors.columns["HML"][:101] = np.nan

    assert factor_attribution(ledger, record, factors)[1]["days"] == 400


def test_the_index_is_its_own_market_and_no_style(us20: Any, ledger: Ledger) -> None:
    view = us20.scene().view
    index = view.benchmark[-800:]
    record = made(index[1:] / index[:-1] - 1.0, sessions=view.sessions[-800:], benchmark=index, benchmark_name="SPX")

    found: Any = own_attribution(ledger, record, view)[1]

    model = found["models"]["the data set's own names"]
    assert model["betas"]["SPX"] == pytest.approx(1.0)
    assert abs(model["betas"]["Momentum"]) < 1e-8 and abs(model["betas"]["Low volatility"]) < 1e-8


def test_own_factors_know_nothing_of_the_day_they_are_earned_on(us20: Any, ledger: Ledger) -> None:
    """The factor's return of a day does not move when a later close does, and its weights do not see that day."""
    view = us20.scene().view
    index = view.benchmark[-300:]
    record = made(index[1:] / index[:-1] - 1.0, sessions=view.sessions[-300:], benchmark=index, benchmark_name="SPX")
    changed = view.close.copy()
    changed[-1] *= np.linspace(0.5, 2.0, changed.shape[1])

    names, days, before, _ = own_factors(record, view)
    assert (names, days[-1]) == (("SPX", "Momentum", "Low volatility"), str(view.sessions[-1]))
    after = own_factors(record, replace(view, close=changed))[2]

    closes = changed[:, np.isfinite(changed[-552:]).all(axis=0)]
    order = np.argsort(closes[-23] / closes[-254], kind="stable")
    earned = closes[-1] / closes[-2] - 1.0
    n_side = int(0.3 * len(order))
    assert after[-1, 1] == pytest.approx(earned[order[-n_side:]].mean() - earned[order[:n_side]].mean())
    assert np.array_equal(before[:-1], after[:-1])
    assert not np.array_equal(before[-1], after[-1])


def test_too_few_names_or_no_benchmark_are_said(world: Any, us5: Any, ledger: Ledger) -> None:
    five = us5.scene().view
    few: Any = own_attribution(ledger, made(noise(300), sessions=five.sessions[-301:]), five)[1]

    assert "names" in few["refused"]
