"""Earlier prices in front of a short recording: real returns, a join without a move, and nothing of the future."""

from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.market.cards import DataSet
from parley.market.datasets import load_data, load_to_decide
from parley.market.earlier import earlier_name, split_earlier, with_earlier
from parley.market.errors import DataFileError
from parley.market.files import load_file
from parley.market.panel import Panel
from parley.market.sessions import session_calendar

DAYS = session_calendar("XNYS", date(2015, 1, 2), date(2016, 12, 30)).days


def written(path: Path, names: str, first: int, closes: list[list[float | None]], volume: float = 1000.0) -> Path:
    """A file of daily bars: a row of closes a session, one for each name, None where there is no bar."""
    lines = ["symbol,date,close,volume"]
    for column, name in enumerate(names):
        for row, found in enumerate(closes):
            if found[column] is not None:
                lines.append(f"{name},{DAYS[first + row]},{found[column]},{volume}")
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def early(tmp_path: Path) -> Path:
    return written(tmp_path / "early.csv", "AB", 0, [[10.0, 50.0], [11.0, 55.0], [12.1, 44.0]])


@pytest.fixture
def late(tmp_path: Path) -> Path:
    return written(tmp_path / "late.csv", "ACB", 100, [[242.0, 7.0, 22.0], [266.2, 7.7, 33.0]], volume=20.0)


def joined(late: Path, early: Path) -> DataSet:
    return load_data(f"{late}+before={early}")


def test_returns_stay_what_they_were_and_the_join_is_a_day_without_a_move(late: Path, early: Path) -> None:
    data = joined(late, early)

    close = data.panel.close
    place = {symbol: column for column, symbol in enumerate(data.panel.symbols)}
    # A rose 10 % a day, before and after; between 2015-01-06 and the join nothing is invented.
    assert close[:, place["A"]] == pytest.approx([200.0, 220.0, 242.0, 242.0, 266.2])
    assert close[:, place["B"]] == pytest.approx([25.0, 27.5, 22.0, 22.0, 33.0])
    assert np.isnan(close[:3, place["C"]]).all()
    assert data.joined_at == DAYS[100].item()


def test_volume_goes_the_other_way_so_that_the_money_traded_stays(late: Path, early: Path) -> None:
    data = joined(late, early)

    assert data.panel.volume is not None
    column = data.panel.symbols.index("A")
    assert data.panel.volume[0, column] * data.panel.close[0, column] == pytest.approx(10.0 * 1000.0)


def test_a_name_without_a_close_on_the_first_session_gets_no_past(tmp_path: Path, early: Path) -> None:
    """To place it would take a price that was not yet known at that close."""
    late = written(tmp_path / "late.csv", "AB", 100, [[242.0, None], [266.2, 33.0]])

    data = joined(late, early)

    assert np.isnan(data.panel.close[:4, data.panel.symbols.index("B")]).all()


@settings(max_examples=30, deadline=None)
@given(later=st.floats(1.0, 1e4), cut=st.integers(5, 90))
def test_what_comes_after_the_first_close_changes_nothing_before_it(later: float, cut: int) -> None:
    whole = recorded()
    late = replace(whole, panel=rows_of(whole, slice(cut, cut + 10)))
    close = np.array(late.panel.close)
    close[1:] *= later
    other = replace(late, panel=replace(late.panel, close=close))

    one, two = (with_earlier(data, whole).panel for data in (late, other))

    assert (one.close[: cut + 1] == two.close[: cut + 1]).all()
    assert one.close[:cut] == pytest.approx(
        whole.panel.close[:cut] * (one.close[cut] / whole.panel.close[cut - 1]), rel=1e-12
    )


@cache
def recorded() -> DataSet:
    """The first hundred sessions of us20."""
    us20 = load_data("us20")
    return replace(us20, panel=rows_of(us20, slice(0, 100)))


def rows_of(data: DataSet, rows: slice) -> Panel:
    names = ("sessions", "close_times", "close", "benchmark")
    return replace(data.panel, **{name: getattr(data.panel, name)[rows] for name in names})


@pytest.mark.parametrize("names", ["XY", "AB"])
def test_a_set_without_the_names_or_without_earlier_days_is_refused(tmp_path: Path, late: Path, names: str) -> None:
    other = written(tmp_path / "other.csv", names, 0 if names == "XY" else 300, [[1.0, 2.0]])

    with pytest.raises(DataFileError, match="expected some of each"):
        joined(late, other)


def test_names_say_what_stands_in_front_and_load_the_same_set_again(late: Path, early: Path) -> None:
    name, data = load_to_decide(earlier_name(str(late), str(early)))

    assert split_earlier(name) == (str(late), str(early))
    assert load_data(name).panel.fingerprint() == data.panel.fingerprint()
    assert earlier_name("a+text=t", "b") == "a+before=b+text=t"
    assert earlier_name("a+before=b+text=t", "c") == "a+before=c+text=t"
    assert earlier_name("a", None) == "a"


def test_the_card_says_how_many_names_and_how_old(late: Path, early: Path) -> None:
    card = joined(late, early).card

    assert "2 of 3 names, 3 sessions to 2015-01-06" in card.notes[-1]
    assert card.first_session == DAYS[100].item() == load_file(late).card.first_session
