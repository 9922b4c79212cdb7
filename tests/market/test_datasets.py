"""The data sets that come with installed packages."""

import subprocess
import sys
from decimal import Decimal

import numpy as np
import pytest
from parley.domain.instruments import AssetClass
from parley.market.cards import DataSet
from parley.market.datasets import catalog, load_data
from parley.market.errors import UnknownDataSet


@pytest.mark.parametrize("name", ["us20", "us5", "sp500", "factors5"])
def test_the_card_in_the_catalog_tells_the_truth_about_the_loaded_data(name: str) -> None:
    loaded = load_data(name)
    card = next(card for card in catalog() if card.name == name)

    assert card == loaded.card
    assert card.first_session == loaded.panel.sessions[0].item()
    assert card.last_session == loaded.panel.sessions[-1].item()
    assert card.close_only == (loaded.panel.high is None)
    assert loaded.universe.symbols == loaded.panel.symbols
    assert card.license and card.source and card.survivorship


def test_us20_holds_the_closes_of_the_packaged_file(us20: DataSet) -> None:
    # skfolio sp500_dataset.csv.gz, first and last line.
    panel = us20.panel

    assert panel.close.shape == (8313, 20)
    assert panel.close[0, panel.column("AAPL")] == 0.264
    assert panel.close[0, panel.column("XOM")] == 4.068
    assert panel.close[-1, panel.column("AAPL")] == 125.674
    assert panel.benchmark is not None and panel.benchmark[:2].tolist() == [359.69, 358.76]
    assert not np.isnan(panel.close).any()
    assert (panel.open, panel.volume, panel.vix) == (None, None, None)


def test_us20_spans_early_closes_and_daylight_saving(us20: DataSet) -> None:
    rows = np.searchsorted(us20.panel.sessions, np.array(["2020-11-27", "2020-07-01"], dtype="datetime64[D]"))

    assert us20.panel.close_times[rows].astype(str).tolist() == ["2020-11-27T18:00:00", "2020-07-01T20:00:00"]


def test_the_price_grid_is_fine_enough_for_back_adjusted_prices(us20: DataSet) -> None:
    lowest = us20.panel.close.min()
    tick = us20.universe.instruments[0].tick

    assert tick == Decimal("0.000001")
    assert float(tick) / lowest < 1e-4


def test_us5_scales_the_range_by_the_adjusted_close(us5: DataSet) -> None:
    # bokeh_sampledata stocks.csv.gz, AAPL 2000-03-01: open 118.56, high 132.06, low 118.50,
    # close 130.31, volume 9616100, adjusted close 4.186662803811.
    panel = us5.panel
    assert panel.open is not None and panel.high is not None and panel.volume is not None
    ratio = 4.186662803811 / 130.31

    assert panel.close[0, 0] == pytest.approx(4.186662803811, rel=1e-12)
    assert panel.open[0, 0] == pytest.approx(118.56 * ratio, rel=1e-12)
    assert panel.high[0, 0] == pytest.approx(132.06 * ratio, rel=1e-12)
    assert panel.volume[0, 0] == pytest.approx(9_616_100 / ratio, rel=1e-12)
    assert panel.volume[0, 0] * panel.close[0, 0] == pytest.approx(9_616_100 * 130.31, rel=1e-12)


def test_us5_has_no_bars_before_a_stock_was_listed(us5: DataSet) -> None:
    listed = {
        symbol: panel_day(us5, int(np.argmax(~np.isnan(us5.panel.close[:, column]))))
        for column, symbol in enumerate(us5.panel.symbols)
    }

    assert listed["FB"] == "2012-05-18"
    assert listed["GOOG"] == "2004-08-19"
    assert listed["AAPL"] == "2000-03-01"


def panel_day(data: DataSet, row: int) -> str:
    return str(data.panel.sessions[row])


def test_sp500_is_one_fund_with_its_recorded_range(sp500: DataSet) -> None:
    # arch sp500.csv.gz, 1999-01-04.
    panel = sp500.panel
    assert panel.high is not None and panel.volume is not None

    assert (panel.close[0, 0], panel.high[0, 0], panel.volume[0, 0]) == (1228.099976, 1248.810059, 877_000_000)
    assert sp500.universe.instruments[0].asset_class is AssetClass.FUND


def test_sp500_knows_the_volatility_index_one_session_late(sp500: DataSet) -> None:
    # arch vix.csv.gz: 13.76 on 2014-01-03, set at 16:15, so first known at the close of 2014-01-06.
    panel = sp500.panel
    assert panel.vix is not None
    row = int(np.searchsorted(panel.sessions, np.datetime64("2014-01-06")))

    assert panel.vix[row] == 13.76
    assert np.isnan(panel.vix[:row]).all()


def test_an_unknown_name_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(UnknownDataSet, match="us20, us5, sp500"):
        load_data("us21")


def test_loading_a_data_set_imports_no_heavy_package() -> None:
    code = (
        "import sys; from parley.market.datasets import load_data; light = 'pandas' not in sys.modules;"
        "load_data('us20'); print(light, 'skfolio' in sys.modules, 'sklearn' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["True", "False", "False"]
