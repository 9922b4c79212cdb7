"""Exposures of books: planted betas found again, parts that add up, and nothing taken from after the close."""

from typing import Any

import numpy as np
import pytest
from parley.tools.attribution import FactorTable
from parley.tools.estimators import Estimators
from parley.tools.factor_exposures import factor_exposures
from parley.tools.ledger import Ledger
from parley.tools.window import window_of

EVEN: dict[str, float] = dict.fromkeys(("AAA", "BBB", "CCC", "DDD", "EEE", "FFF"), 1.0 / 6.0)


def exposed(scene: Any, table: FactorTable | None, books: dict[str, dict[str, float]]) -> dict[str, Any]:
    ledger = Ledger(scene.view.as_of, scene.view.fingerprint)
    window = window_of(ledger, scene, Estimators())
    return factor_exposures(ledger, scene, window, books, table)[1]


def planted(build: Any, n_days: int = 320) -> tuple[Any, np.ndarray, np.ndarray]:
    """Names whose betas on two factors are known, with cash at two basis points a day."""
    rng = np.random.default_rng(8)
    factors = rng.normal(0.0, 0.01, (n_days, 2))
    betas = np.column_stack([np.linspace(0.5, 1.5, 6), np.linspace(-1.0, 1.0, 6)])
    returns = 2e-4 + factors @ betas.T + rng.normal(0.0, 0.002, (n_days, 6))
    closes = 50.0 * np.cumprod(np.vstack([np.ones(6), 1.0 + returns[1:]]), axis=0)
    return build.world(closes), factors, betas


def table_of(world: Any, factors: np.ndarray, **changes: Any) -> FactorTable:
    days = world.panel.sessions
    columns = {"Mkt": factors[:, 0], "SMB": factors[:, 1]}
    fields = {"source": "made.csv", "days": days, "columns": columns, "cash": np.full(len(days), 2e-4)}
    return FactorTable(**(fields | changes))


def test_planted_betas_are_found_and_risk_adds_up(build: Any) -> None:
    world, factors, betas = planted(build)
    single = {"FFF": 1.0}

    found = exposed(world.scene(), table_of(world, factors), {"even": EVEN, "single": single})

    for book, mean in ((found["books"]["even"], betas.mean(axis=0)), (found["books"]["single"], betas[-1])):
        assert list(book["betas"].values()) == pytest.approx(mean.tolist(), abs=0.03)
        assert sum(book["shares"].values()) + book["own_share"] == pytest.approx(1.0, abs=1e-6)
        assert book["alpha_annual"] == pytest.approx(0.0, abs=0.08)
    assert found["books"]["single"]["t"]["SMB"] > 50.0
    assert found["factors"] == ["Mkt", "SMB"]
    assert found["days"] == 252


def test_without_cash_in_the_file_returns_are_as_they_are(build: Any) -> None:
    world, factors, _ = planted(build)

    found = exposed(world.scene(), table_of(world, factors, cash=None), {"even": EVEN})

    assert found["books"]["even"]["alpha_annual"] == pytest.approx(2e-4 * 252, abs=0.03)


def test_days_of_the_file_after_the_close_change_nothing(build: Any) -> None:
    world, factors, _ = planted(build)
    later = factors.copy()
    later[300:] = 9.0
    scene = world.scene(row=299)

    one = exposed(scene, table_of(world, factors), {"even": EVEN})

    assert one == exposed(scene, table_of(world, later), {"even": EVEN})


def test_the_market_of_the_names_is_what_an_even_book_is(us20: Any) -> None:
    symbols = us20.symbols
    found = exposed(us20.scene(row=1500), None, {"even": dict.fromkeys(symbols, 1.0 / len(symbols))})

    book = found["books"]["even"]
    assert found["factors"] == ["market", "momentum", "volatility", "beta"]
    assert 0.7 < book["betas"]["market"] < 1.1
    assert book["r_squared"] > 0.65


@pytest.mark.parametrize(("n_days", "says"), [(320, "319 whole days"), (260, "259 whole days")])
def test_factors_from_names_need_a_year_before_them(build: Any, n_days: int, says: str) -> None:
    found = exposed(build.world(build.closes(n_days=n_days)).scene(), None, {"even": EVEN})

    assert says in found["refused"]


def test_a_file_of_other_years_is_refused(build: Any) -> None:
    world, factors, _ = planted(build)
    early = table_of(world, factors, days=world.panel.sessions - np.timedelta64(4000, "D"))

    assert "0 days of the window" in exposed(world.scene(), early, {"even": EVEN})["refused"]


def test_factors_that_are_one_are_refused(build: Any) -> None:
    world, factors, _ = planted(build)
    same = table_of(world, factors, columns={"Mkt": factors[:, 0], "again": 2.0 * factors[:, 0]})

    assert "collinear" in exposed(world.scene(), same, {"even": EVEN})["refused"]
