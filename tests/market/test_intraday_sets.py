"""Recordings as data sets within the day: bars known at their end, books on their grid, and doubts that are told."""

import os
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.domain.instruments import AssetClass
from parley.market.cards import DataSet
from parley.market.datasets import load_data, load_to_decide
from parley.market.errors import DataFileError, IntervalRefused, NoSessions
from parley.market.grids import Grid, decimal_step
from parley.market.intraday_sets import is_intraday
from parley.market.quality import check_data

EASTERN = timezone(timedelta(hours=-5))
OPENS = datetime(2015, 1, 5, 9, 30, tzinfo=EASTERN)
NAMED = os.environ.get("PARLEY_SHARED_DATA")
SHARED = Path(NAMED) if NAMED else Path(__file__).resolve().parents[2].parent / "shared" / "data"


def recorded(name: str) -> Path:
    path = SHARED / name
    if not path.exists():
        reason = f"no recorded data at {path}; set PARLEY_SHARED_DATA to the folder that holds it"
        pytest.skip(reason)
    return path


def minutes(path: Path, closes: dict[str, list[float | None]], *, crossed: frozenset[int] = frozenset()) -> Path:
    """One row per name and minute from 09:30; None leaves the row out, `crossed` minutes have the bid above the ask."""
    lines = ["symbol,ts,close,volume,bid_close,bid_size,ask_close,ask_size"]
    for name, values in closes.items():
        for minute, close in enumerate(values):
            if close is None:
                continue
            half = -0.02 if minute in crossed else 0.02
            at = (OPENS + timedelta(minutes=minute)).isoformat()
            lines.append(f"{name},{at},{close},{100 + minute},{close - half:.2f},300,{close + half:.2f},400")
    path.write_text("\n".join(lines) + "\n")
    return path


def walk(n: int, start: float = 50.0) -> list[float | None]:
    return [round(start + 0.01 * ((7 * place) % 13), 2) for place in range(n)]


@pytest.fixture
def made(tmp_path: Path) -> DataSet:
    return load_data(f"{minutes(tmp_path / 'm.csv', {'AAA': walk(390), 'BBB': walk(390, 20.0)})}@5m")


def test_a_bar_is_known_when_it_ends_and_not_a_moment_before(made: DataSet) -> None:
    history = made.history()

    view = history.as_of(OPENS + timedelta(minutes=3))
    assert len(view.close) == 3
    assert view.last_close("AAA") == walk(390)[2]
    assert len(history.as_of(OPENS + timedelta(minutes=3, seconds=-1)).close) == 2
    with pytest.raises(NoSessions):
        history.as_of(OPENS + timedelta(seconds=59))


def test_the_sessions_of_a_day_are_its_spans_on_the_exchanges_clock(made: DataSet) -> None:
    history = made.history()

    spans = history.sessions_between()
    assert (len(spans), spans[0].isoformat(), spans[-1].isoformat()) == (
        78, "2015-01-05T09:35:00-05:00", "2015-01-05T16:00:00-05:00")  # fmt: skip
    assert history.opening_time(spans[0]) == OPENS
    assert history.opening_time(spans[1]) == history.close_time(spans[0]) == OPENS + timedelta(minutes=5)
    assert history.next_session(spans[0]) == spans[1]
    # Of a moment that names no zone, the exchange's own is meant.
    assert history.sessions_between(datetime(2015, 1, 5, 15, 51)) == spans[-2:]
    assert history.session_at(datetime(2015, 1, 5, 11, 34)) == spans[23]
    assert history.session_at(datetime(2015, 1, 5, 16, 34, tzinfo=UTC)) == spans[23]


@settings(max_examples=15, deadline=None)
@given(cut=st.integers(1, 389))
def test_what_comes_later_moves_no_fingerprint_and_no_bar(tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    folder = tmp_path_factory.mktemp("cut")
    plain = walk(390)
    other = [*plain[:cut], *(None if value is None else value * 2 for value in plain[cut:])]
    at = OPENS + timedelta(minutes=cut)

    one, two = (
        load_data(f"{minutes(folder / f'{name}.csv', {'AAA': closes})}@5m").history().as_of(at)
        for name, closes in (("one", plain), ("two", other))
    )

    assert one.fingerprint == two.fingerprint
    assert np.array_equal(one.close, two.close, equal_nan=True)


def test_longer_bars_are_the_sum_of_shorter_ones(tmp_path: Path) -> None:
    path = minutes(tmp_path / "m.csv", {"AAA": walk(390)})

    panel = load_data(f"{path}@5m").panel
    bar = panel.bar_between("AAA", panel.close_times[4], panel.close_times[9])

    assert bar is not None
    assert (bar.close, bar.volume) == (walk(390)[9], sum(100 + minute for minute in range(5, 10)))
    assert panel.bar_between("AAA", panel.close_times[4], panel.close_times[4]) is None


def test_without_a_mark_the_same_file_is_daily_closes_and_with_every_day_too(tmp_path: Path) -> None:
    path = str(minutes(tmp_path / "m.csv", {"AAA": walk(390)}))

    assert load_data(path).panel.interval is None
    assert load_to_decide(path, "day")[0] == path
    name, data = load_to_decide(path)
    assert name == f"{path}@30m"
    assert load_data(name).panel.fingerprint() == data.panel.fingerprint()
    assert load_to_decide(path, "5m")[1].panel.fingerprint() != data.panel.fingerprint()


def test_two_answers_to_how_often_are_refused(tmp_path: Path) -> None:
    path = minutes(tmp_path / "m.csv", {"AAA": walk(390)})

    with pytest.raises(IntervalRefused, match="says 5m, and --every says 30m"):
        load_to_decide(f"{path}@5m", "30m")
    assert load_to_decide(f"{path}@5m", "5m")[0] == f"{path}@5m"


def test_daily_data_have_no_times_within_the_day(tmp_path: Path) -> None:
    path = tmp_path / "d.csv"
    path.write_text("symbol,date,close\nAAA,2015-01-05,10\n")

    assert not is_intraday(path)
    with pytest.raises(IntervalRefused, match="one bar a day"):
        load_to_decide(str(path), "30m")
    with pytest.raises(IntervalRefused, match="one bar a day"):
        load_to_decide("us20", "30m")
    with pytest.raises(DataFileError, match="daily bars"):
        load_data(f"{path}@30m")


def test_silences_one_trade_and_crossed_quotes_are_found(tmp_path: Path) -> None:
    gap: list[float | None] = [*walk(100), None, None, *walk(288)]
    halt: list[float | None] = [*walk(200), *[None] * 6, *walk(184)]
    one: list[float | None] = [None] * 40 + [30.0]
    closes = {"GAP": gap, "HALT": halt, "ONE": one, "ODD": walk(390)}
    data = load_data(f"{minutes(tmp_path / 'm.csv', closes, crossed=frozenset({77}))}@30m")

    report = check_data(data)

    found = {(item.code, item.symbol): item for item in report.findings}
    assert (
        "2 of 390 bars of 1m without a price, at most 2 in a row, until 2015-01-05T16:12:00" in found["gap", "GAP"].text
    )
    assert "at most 6 in a row" in found["halt", "HALT"].text
    assert found["one_trade", "ONE"].text.startswith("1 bar of 390")
    assert found["crossed", "ODD"].row is not None or "1 crossed" in found["crossed", "ODD"].text
    assert ("gap", "ODD") not in found and ("halt", "ODD") not in found


@pytest.mark.parametrize(("values", "step"), [([1.0, 30.0], "1"), ([61800.1, 5.0], "0.1"), ([0.00021, 2.0], "0.00001")])
def test_the_step_is_the_coarsest_that_all_values_are_multiples_of(values: list[float], step: str) -> None:
    assert decimal_step(np.array(values)) == Decimal(step)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 6), st.lists(st.integers(1, 10**7), min_size=1, max_size=20))
def test_every_value_is_a_whole_number_of_steps(decimals: int, counts: list[int]) -> None:
    values = np.array(counts) / 10.0**decimals

    step = decimal_step(values)

    assert step >= Decimal(1).scaleb(-decimals)
    grid = Grid(tick=step, unit=step)
    assert [grid.size(value) for value in values.tolist()] == np.rint(values / float(step)).astype(int).tolist()


def test_a_recorded_book_is_priced_per_unit_and_never_closes() -> None:
    data = load_data(f"{recorded('orderbook')}@15s")

    assert data.panel.symbols == ("BTCUSDT", "BTCUSDT-SPOT")
    assert data.panel.calendar == "24/7"
    assert {item.asset_class for item in data.universe.instruments} == {AssetClass.CRYPTO}
    # Futures in thousandths of a coin, spot in hundred-thousandths: about 61,800 a coin on 2024-08-08.
    assert data.panel.close[0].tolist() == pytest.approx([61.8, 0.618], rel=1e-3)
    assert [item.tick for item in data.universe.instruments] == [Decimal("0.0001"), Decimal("0.0000001")]
    assert not np.isnan(data.panel.close).any()


@pytest.mark.parametrize(
    ("name", "spans", "bars"),
    [
        ("intraday/us_minute_trade_quote_2013.parquet", 39, 1170),
        ("intraday/us_second_trade_quote_20131007.parquet", 52, 780),
        ("intraday/us_tick_ibm_20131007.parquet", 26, 390),
    ],
)
def test_each_recorded_file_has_its_usual_decision_times(name: str, spans: int, bars: int) -> None:
    _, data = load_to_decide(str(recorded(name)))

    assert (len(data.history().sessions_between()), len(data.panel.close)) == (spans, bars)
    assert data.recordings is not None


def test_seconds_summed_up_to_minutes_are_the_minutes_that_the_source_itself_recorded() -> None:
    """Two files of one source, made by it independently: closes and volumes of 7 October 2013."""
    seconds = load_to_decide(str(recorded("intraday/us_second_trade_quote_20131007.parquet")))[1].panel
    minutes = load_to_decide(str(recorded("intraday/us_minute_trade_quote_2013.parquet")))[1].panel
    day = minutes.sessions == np.datetime64("2013-10-07")

    assert minutes.symbols == seconds.symbols
    assert np.nanmax(np.abs(seconds.close[:390] - minutes.close[day])) < 0.015
    assert np.isclose(seconds.close[:390], minutes.close[day], atol=0.001).mean() > 0.99
