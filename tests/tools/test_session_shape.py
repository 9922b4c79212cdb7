"""The shape of a session: assumed without recorded rows, and measured from the recorded minutes known by then."""

from datetime import date
from pathlib import Path

import numpy as np
import pytest
from parley.market.datasets import load_data
from parley.market.files import load_file
from parley.market.intraday_paths import HALF_HOUR_VOLUME_SHARE
from parley.tools.session_shape import SESSION_MINUTES, session_shape

FIRST, LAST = date(2013, 10, 4), date(2013, 10, 8)
HEADER = "symbol,ts,open,high,low,close,volume,bid,ask,bid_size,ask_size"


@pytest.fixture
def minutes(tmp_path: Path) -> Path:
    """Two sessions of ten minute bars: on the first day all alike, on the second the last one is larger."""
    rows = [HEADER]
    for day in ("04", "07"):
        for minute in range(10):
            volume = 910 if day == "07" and minute == 9 else 100
            ts = f"2013-10-{day} 09:{30 + minute}:00-04:00"
            rows.append(f"SPY,{ts},100,100.1,99.9,100,{volume},99.99,100.01,300,300")
    path = tmp_path / "minutes.csv"
    path.write_text("\n".join(rows) + "\n")
    return path


def test_without_recorded_rows_the_usual_shape_of_large_stocks_is_assumed() -> None:
    shape = session_shape(load_data("us5"), "IBM", date(2013, 2, 28))

    assert (shape.n_sessions, shape.spread_mean_frac) == (0, None)
    assert shape.volume_shares == pytest.approx(np.array(HALF_HOUR_VOLUME_SHARE) / sum(HALF_HOUR_VOLUME_SHARE))


def test_recorded_minutes_give_the_mean_share_of_the_sessions_known_by_then(minutes: Path) -> None:
    data = load_file(minutes)

    first = session_shape(data, "SPY", FIRST)
    both = session_shape(data, "SPY", LAST)

    assert len(first.volume_shares) == SESSION_MINUTES
    assert first.n_sessions == 1
    assert first.volume_shares[:10] == pytest.approx(np.full(10, 0.1))
    assert both.n_sessions == 2
    # (100 / 1000 + 910 / 1810) / 2
    assert both.volume_shares[9] == pytest.approx((0.1 + 910 / 1810) / 2)


def test_the_spread_is_that_of_the_last_session(minutes: Path) -> None:
    shape = session_shape(load_file(minutes), "SPY", FIRST)

    assert shape.spread_mean_frac == pytest.approx(0.02 / 100)
    assert shape.spread_std_frac == pytest.approx(0.0)
