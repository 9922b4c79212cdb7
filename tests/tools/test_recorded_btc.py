"""Tools on recorded BTC books and trades: every figure again by pandas and statsmodels, from the file itself."""

import json
import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from parley.market.recordings import Recording, read_recording
from parley.tools.ledger import Ledger
from parley.tools.microstructure import book_pressure, trade_signs
from parley.tools.traded_volume import toxicity, volume_shape
from parley.tools.trading_costs import trading_costs_now

Frame = Any
"""What pandas returns stays untyped here: its own types do not follow a selection by name."""
Output = Mapping[str, Any]
Ask = Callable[[Ledger, Recording], Mapping[str, object]]
ASKED: dict[str, Ask] = {
    "book_pressure": book_pressure,
    "trade_signs": trade_signs,
    "trading_costs_now": trading_costs_now,
    "toxicity": toxicity,
    "volume_shape": volume_shape,
}
NAMED = os.environ.get("PARLEY_SHARED_DATA")
FOLDER = Path(NAMED) if NAMED else Path(__file__).resolve().parents[2].parent / "shared" / "data"


@pytest.fixture(scope="module")
def shared() -> Path:
    if (FOLDER / "orderbook").is_dir():
        return FOLDER
    reason = f"no recorded books at {FOLDER}; set PARLEY_SHARED_DATA to the folder that holds orderbook/"
    pytest.skip(reason)


@pytest.fixture(scope="module")
def btc(shared: Path) -> dict[str, Frame]:
    """Books and trades of the perpetual as the file holds them: what the independent figures are computed from."""
    path = shared / "orderbook"
    books: Frame = pd.read_parquet(path / "btcusdt_perp_20240808_l2_top10_100ms.parquet")
    books["mid"] = (books["bid1_px"] + books["ask1_px"]) / 2.0
    trades: Frame = pd.read_parquet(path / "btcusdt_perp_20240808_trades.parquet")
    trades["side"] = trades["aggressor"].map({"buy": 1.0, "sell": -1.0})
    joined = pd.merge_asof(trades, books[["ts", "mid"]], on="ts", allow_exact_matches=False).dropna(subset="mid")
    return {"books": books, "trades": trades, "joined": joined}


@pytest.fixture(scope="module")
def found(shared: Path) -> dict[str, Any]:
    """Every tool's output on the perpetual."""
    recording = read_recording(shared / "orderbook", "BTCUSDT")
    return {name: asked(ask, recording) for name, ask in ASKED.items()}


def asked(ask: Ask, recording: Recording) -> Output:
    return ask(Ledger(recording.as_of, recording.fingerprint), recording)


def windows(btc: dict[str, Frame], width_s: int) -> tuple[Frame, np.ndarray]:
    """Edges from the first book on, and the mid in force at each, by a join of pandas."""
    ts = btc["books"]["ts"]
    edges = pd.date_range(ts.iloc[0], ts.iloc[-1], freq=f"{width_s}s").as_unit("ns")
    at = pd.merge_asof(pd.DataFrame({"ts": edges}), btc["books"][["ts", "mid"]], on="ts")
    return edges, at["mid"].to_numpy()


def test_the_effective_spread_is_that_of_a_join_by_pandas(found: dict[str, Any], btc: dict[str, Frame]) -> None:
    joined = btc["joined"]
    spread = 2.0 * joined["side"] * (joined["price"] - joined["mid"]) / joined["mid"]

    effective = found["trading_costs_now"]["effective"]

    assert effective["trades"] == len(joined) == 21308
    assert effective["mean"] == pytest.approx(spread.mean(), rel=1e-9)
    assert effective["by_volume"] == pytest.approx(np.average(spread, weights=joined["size"]), rel=1e-9)
    assert effective["sells"] == pytest.approx(spread[joined["side"] < 0].mean(), rel=1e-9)


def test_what_the_maker_kept_is_that_of_a_join_by_pandas(found: dict[str, Any], btc: dict[str, Frame]) -> None:
    joined = btc["joined"].assign(later=lambda rows: rows["ts"] + pd.Timedelta(seconds=10))
    joined = joined[joined["later"] <= btc["books"]["ts"].iloc[-1]]
    books = btc["books"][["ts", "mid"]].rename(columns={"ts": "later", "mid": "mid_later"})
    joined = pd.merge_asof(joined, books, on="later")
    kept = 2.0 * joined["side"] * (joined["price"] - joined["mid_later"]) / joined["mid"]

    row = next(item for item in found["trading_costs_now"]["horizons"] if item["horizon_s"] == 10)

    assert row["trades"] == len(joined)
    assert row["realized"] == pytest.approx(kept.mean(), rel=1e-9)
    assert row["realized"] + row["impact"] == pytest.approx(row["effective"], rel=1e-9)


@pytest.mark.parametrize("width_s", [1, 5, 10])
def test_kyles_lambda_is_that_of_statsmodels_on_windows_cut_by_pandas(
    found: dict[str, Any], btc: dict[str, Frame], width_s: int
) -> None:
    edges, mid = windows(btc, width_s)
    trades = btc["trades"]
    cut = pd.cut(trades["ts"], edges)
    net = (trades["side"] * trades["size"]).groupby(cut, observed=False).sum().to_numpy()
    reference = sm.OLS(np.diff(mid), sm.add_constant(net)).fit()

    row = next(item for item in found["trading_costs_now"]["kyle"] if item["window_s"] == width_s)

    assert row["windows"] == len(net)
    assert row["price_per_size"] == pytest.approx(reference.params[1], rel=1e-8)
    assert row["t_stat"] == pytest.approx(reference.tvalues[1], rel=1e-8)
    assert row["r_squared"] == pytest.approx(reference.rsquared, rel=1e-8)
    assert row["price_per_size"] > 0.0 and row["t_stat"] > 4.0


@pytest.mark.parametrize("width_s", [1, 5, 10])
def test_order_flow_regressions_are_those_of_statsmodels_on_the_papers_sum(
    found: dict[str, Any], btc: dict[str, Frame], width_s: int
) -> None:
    # Cont, Kukanov and Stoikov (2014), section 2.1, event by event.
    rows = btc["books"][["bid1_px", "bid1_sz", "ask1_px", "ask1_sz"]].to_numpy().tolist()
    events = [
        (b >= b0) * q - (b <= b0) * q0 - (a <= a0) * r + (a >= a0) * r0
        for (b0, q0, a0, r0), (b, q, a, r) in pairwise(rows)
    ]
    edges, mid = windows(btc, width_s)
    cut: Frame = pd.cut(btc["books"]["ts"][1:], edges)
    flow: Frame = pd.Series(events, index=cut.index)
    flow = flow.groupby(cut, observed=False).sum().to_numpy()
    moves: Frame = np.diff(mid)
    references = {
        "same": sm.OLS(moves, sm.add_constant(flow)).fit(),
        "next": sm.OLS(moves[1:], sm.add_constant(flow[:-1])).fit(),
    }

    row = next(item for item in found["book_pressure"]["flow"] if item["window_s"] == width_s)

    for name, reference in references.items():
        assert row[name]["price_per_size"] == pytest.approx(reference.params[1], rel=1e-8)
        assert row[name]["t_stat"] == pytest.approx(reference.tvalues[1], rel=1e-8)
        assert row[name]["r_squared"] == pytest.approx(reference.rsquared, rel=1e-6)


def test_lee_ready_is_right_about_most_recorded_aggressors(found: dict[str, Any], btc: dict[str, Frame]) -> None:
    joined = btc["joined"]
    guess = np.sign(joined["price"] - joined["mid"])
    ticks = np.sign(btc["trades"]["price"].diff().fillna(0.0)).replace(0.0, np.nan).ffill().loc[joined.index]
    guess = guess.where((joined["price"] - joined["mid"]).abs() > 1e-8 * joined["mid"], ticks)

    told = found["trade_signs"]["against_aggressor"]

    assert told["lee_ready"] == pytest.approx((guess == joined["side"]).mean(), rel=1e-9)
    assert told["tick_rule"] == pytest.approx((ticks == joined["side"]).mean(), rel=1e-9)
    assert 0.9 < told["lee_ready"] < told["tick_rule"] < 1.0
    assert found["trade_signs"]["persistence"]["1"] == pytest.approx(btc["trades"]["side"].autocorr(1), abs=1e-3)


def test_imbalance_by_depth_and_toxicity_by_sides_are_those_of_pandas(
    found: dict[str, Any], btc: dict[str, Frame]
) -> None:
    last = btc["books"].iloc[-1]
    for depth in (1, 5, 10):
        bids, asks = (sum(last[f"{side}{k}_sz"] for k in range(1, depth + 1)) for side in ("bid", "ask"))
        assert found["book_pressure"]["imbalance"][str(depth)]["now"] == pytest.approx((bids - asks) / (bids + asks))
    trades, of_sides = btc["trades"], found["toxicity"]["of_sides"]
    # Each trade goes whole to the bucket it ends in; the tool splits it at the edge, hence the tolerance.
    late = trades[trades["size"].cumsum() > trades["size"].sum() / 2]
    bucket = np.minimum((late["size"].cumsum() / (trades["size"].sum() / 100)).astype(int), 49)
    rough = (late["side"] * late["size"]).groupby(bucket).sum().abs().sum() / late["size"].sum()
    assert of_sides["now"] == pytest.approx(rough, abs=0.01)
    assert 0.0 <= of_sides["percentile"] <= 1.0


def test_a_recorded_file_cut_at_a_moment_says_what_the_whole_says_as_of_then(shared: Path, tmp_path: Path) -> None:
    moment = datetime(2024, 8, 8, 23, 58, tzinfo=UTC)
    for name in ("l2_top10_100ms", "trades"):
        file = f"btcusdt_spot_20240808_{name}.parquet"
        frame = pd.read_parquet(shared / "orderbook" / file)
        frame[frame["ts"] <= moment].to_parquet(tmp_path / file)

    whole = read_recording(shared / "orderbook", "BTCUSDT-SPOT", moment)
    cut = read_recording(tmp_path, as_of=moment)

    assert whole.fingerprint == cut.fingerprint
    for ask in ASKED.values():
        assert json.dumps(asked(ask, whole)) == json.dumps(asked(ask, cut))
