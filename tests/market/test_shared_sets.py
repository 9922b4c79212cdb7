"""The data sets built from recorded factor files: what their cards say, what their prices are, and who is missing."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from parley.domain.instruments import AssetClass
from parley.market.datasets import catalog, load_data
from parley.market.errors import DataFileError
from parley.market.shared_sets import CURVE, FAMA_FRENCH, VIX, bill_returns
from parley.quant.par_bonds import par_bond_returns

NAMES = ("us20+bond", "market", "market+bond")


@pytest.fixture
def factors(shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PARLEY_SHARED_DATA", str(shared_data))
    return shared_data


@pytest.mark.parametrize("name", NAMES)
def test_the_card_tells_the_truth_about_the_loaded_data(factors: Path, name: str) -> None:
    loaded = load_data(name)
    card = next(card for card in catalog() if card.name == name)

    assert card == loaded.card
    assert card.first_session == loaded.panel.sessions[0].item()
    assert card.last_session == loaded.panel.sessions[-1].item()
    assert loaded.universe.symbols == loaded.panel.symbols
    assert np.isfinite(loaded.panel.close).all()
    assert any("PARLEY_SHARED_DATA" in note for note in card.notes)


def test_the_stocks_are_those_of_us20_and_the_bond_is_a_class_of_its_own(factors: Path) -> None:
    mixed, plain = load_data("us20+bond"), load_data("us20")

    assert (mixed.panel.close[:, :20] == plain.panel.close[: len(mixed.panel.close)]).all()
    assert [item.asset_class for item in mixed.universe.instruments].count(AssetClass.BOND) == 1
    assert mixed.universe.instruments[-1].symbol == "UST10"
    assert mixed.universe.benchmark == "SPX"


def test_the_bond_earns_what_the_curve_gives_and_stands_still_on_its_own_holidays(factors: Path) -> None:
    panel = load_data("market+bond").panel
    bond = panel.close[:, 1]
    curve = pd.read_parquet(factors / CURVE).iloc[:3]
    days = curve["date"].to_numpy().astype("datetime64[D]")

    first = par_bond_returns(days, curve[["5year", "7year", "10year"]].to_numpy(), np.array([5.0, 7.0, 10.0]), 10.0)

    assert bond[:3].tolist() == pytest.approx([100.0, *(100.0 * np.cumprod(1.0 + first))])
    # Columbus Day 2015: stocks trade, bonds do not.
    holiday = int(np.searchsorted(panel.sessions, np.datetime64("2015-10-12")))
    assert bond[holiday] == bond[holiday - 1]
    assert bond[holiday + 1] != bond[holiday]


def test_the_market_earns_its_excess_return_and_the_bill(factors: Path) -> None:
    panel = load_data("market").panel
    frame = pd.read_parquet(factors / FAMA_FRENCH).set_index("date").loc[str(panel.sessions[100])]

    assert panel.close[100, 0] / panel.close[99, 0] - 1.0 == pytest.approx(frame["Mkt-RF"] + frame["RF"])
    assert panel.benchmark is not None and (panel.benchmark == panel.close[:, 0]).all()


def test_the_vix_is_the_one_that_was_known_at_the_stock_close(factors: Path) -> None:
    panel = load_data("us20+bond").panel
    frame = pd.read_parquet(factors / VIX).set_index("date")["close"]

    assert panel.vix is not None and np.isnan(panel.vix[0])
    assert panel.vix[50] == frame.loc[str(panel.sessions[49])]


def test_bills_are_known_to_the_end_of_their_file(factors: Path) -> None:
    days = load_data("market").panel.sessions[:5]

    found = bill_returns(days)

    assert found is not None and (found > 0.0).all() and (found < 0.001).all()
    assert bill_returns(np.array(["2024-08-01"], dtype="datetime64[D]")) is None


@pytest.mark.parametrize("folder", ["", "/nowhere"])
def test_without_the_files_it_says_which_one_and_what_to_set(folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARLEY_SHARED_DATA", folder)

    with pytest.raises(DataFileError, match=r"us_treasury_curve|fama_french") as refused:
        load_data("market+bond")
    assert "PARLEY_SHARED_DATA" in refused.value.remedy
    assert bill_returns(np.array(["2000-01-03"], dtype="datetime64[D]")) is None


def test_a_file_that_is_no_parquet_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARLEY_SHARED_DATA", str(tmp_path))
    (tmp_path / "factors").mkdir()
    (tmp_path / FAMA_FRENCH).write_text("not a table")

    with pytest.raises(DataFileError, match="cannot be read"):
        load_data("market")
