"""The in-memory form of a data set."""

from dataclasses import fields
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pytest
from parley.market.errors import PanelError, UnknownSymbol
from parley.market.panel import Panel

DAYS = np.array(["2020-01-02", "2020-01-03"], dtype="datetime64[D]")
TIMES = np.array(["2020-01-02T21:00", "2020-01-03T21:00"], dtype="datetime64[s]")


def panel(**changes: Any) -> Panel:
    values: dict[str, Any] = {
        "symbols": ("A", "B"),
        "sessions": DAYS,
        "close_times": TIMES,
        "close": np.array([[10.0, np.nan], [11.0, 5.0]]),
        "volume": np.array([[100.0, np.nan], [0.0, 7.0]]),
    }
    return Panel(**{**values, **changes})


def test_no_array_of_a_panel_can_be_written() -> None:
    loaded = panel(benchmark=np.array([1.0, 2.0]), vix=np.array([np.nan, 15.0]))
    arrays = [getattr(loaded, field.name) for field in fields(loaded)]

    for array in [item for item in arrays if isinstance(item, np.ndarray)]:
        with pytest.raises(ValueError, match="read-only"):
            array[0] = array[1]


def test_a_panel_keeps_its_own_copy_of_the_arrays_it_is_given() -> None:
    mine = np.array([[10.0, np.nan], [11.0, 5.0]])
    loaded = panel(close=mine)

    mine[0, 0] = 99.0

    assert loaded.close[0, 0] == 10.0


def test_a_bar_carries_its_close_time_and_leaves_unknown_fields_none() -> None:
    bar = panel().bar("A", date(2020, 1, 3))

    assert bar is not None
    assert (bar.close, bar.volume, bar.open, bar.high) == (11.0, 0.0, None, None)
    assert bar.available_at == datetime(2020, 1, 3, 21, 0, tzinfo=UTC)


@pytest.mark.parametrize("session", [date(2020, 1, 2), date(2020, 1, 6), date(2019, 12, 31)])
def test_there_is_no_bar_where_the_symbol_did_not_trade(session: date) -> None:
    assert panel().bar("B", session) is None


def test_an_unknown_symbol_is_refused_by_name() -> None:
    with pytest.raises(UnknownSymbol, match="'C'"):
        panel().bar("C", date(2020, 1, 2))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"symbols": ("A", "A")}, "twice"),
        ({"symbols": ()}, "needs sessions and symbols"),
        ({"close": np.ones((2, 3))}, r"close has shape \(2, 3\), expected \(2, 2\)"),
        ({"open": np.ones(2)}, "open has shape"),
        ({"vix": np.ones(3)}, "vix has shape"),
        ({"sessions": DAYS[::-1]}, "sessions must increase; row 2"),
        ({"sessions": DAYS[[0, 0]]}, "sessions must increase; row 2"),
        ({"close_times": TIMES[[1, 0]]}, "close times must increase"),
        ({"close_times": TIMES[:1]}, "2 sessions but 1 close times"),
    ],
)
def test_arrays_that_do_not_form_one_data_set_are_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(PanelError, match=message):
        panel(**changes)


def test_the_fingerprint_ignores_which_nan_stands_for_a_missing_bar() -> None:
    odd_nan = np.array([0x7FF8000000000001], dtype=np.uint64).view(np.float64)[0]

    assert panel(close=np.array([[10.0, odd_nan], [11.0, 5.0]])).fingerprint() == panel().fingerprint()


@pytest.mark.parametrize(
    "changes",
    [
        {"close": np.array([[10.0, np.nan], [11.0, 5.000001]])},
        {"volume": None},
        {"open": np.array([[100.0, np.nan], [0.0, 7.0]]), "volume": None},
        {"symbols": ("A", "C")},
        {"close_times": TIMES + np.timedelta64(1, "s")},
        {"sessions": DAYS + np.timedelta64(1, "D")},
        {"benchmark": np.array([1.0, 2.0])},
        {"vix": np.array([1.0, 2.0])},
    ],
)
def test_the_fingerprint_changes_with_every_part_of_the_data(changes: dict[str, object]) -> None:
    assert panel(**changes).fingerprint() != panel().fingerprint()
