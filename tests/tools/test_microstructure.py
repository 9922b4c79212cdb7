"""Tools on made-up recordings: blind to what comes later, and honest in words about noise and gaps."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from parley.market.order_books import Books, top_books
from parley.market.recordings import Bars, Recording
from parley.market.ticks import Trades
from parley.tools.errors import NotEnoughData
from parley.tools.ledger import Ledger
from parley.tools.microstructure import book_pressure, trade_signs
from parley.tools.traded_volume import toxicity, volume_shape
from parley.tools.trading_costs import trading_costs_now

Output = Mapping[str, Any]
Ask = Callable[[Ledger, Recording], Mapping[str, object]]
ASKED: dict[str, Ask] = {
    "book_pressure": book_pressure,
    "trade_signs": trade_signs,
    "trading_costs_now": trading_costs_now,
    "toxicity": toxicity,
    "volume_shape": volume_shape,
}
START = datetime(2024, 8, 8, 12, tzinfo=UTC)


def asked(ask: Ask, recording: Recording) -> Output:
    return ask(Ledger(recording.as_of, recording.fingerprint), recording)


def made(n: int = 900, seed: int = 3, sides: bool = True, levels: bool = True) -> Recording:
    """Books every tenth of a second and trades between them, on a walk of a tick of an eighth."""
    rng = np.random.default_rng(seed)
    ts = np.datetime64("2024-08-08T12:00:00", "ns") + np.arange(n) * np.timedelta64(100_000_000, "ns")
    bid = (100.0 + 0.125 * np.cumsum(rng.integers(-1, 2, n))).astype(np.float64)
    sizes = rng.integers(1, 20, (2, n)).astype(float)
    books = top_books("AAA", ts, (bid, sizes[0], bid + 0.125, sizes[1]))
    side = rng.choice([-1.0, 1.0], n)
    price = np.where(side > 0, bid + 0.125, bid)
    trades = Trades("AAA", ts + np.timedelta64(1_000_000, "ns"), price, rng.integers(1, 9, n).astype(float), None, ())
    trades = replace(trades, side=side) if sides else trades
    as_of = START + timedelta(milliseconds=100 * n)
    return Recording("AAA", as_of, ("made",), books if levels else None, trades, None)


@pytest.mark.parametrize("name", list(ASKED))
@pytest.mark.parametrize("sides", [True, False])
def test_what_happens_after_the_moment_changes_no_figure(name: str, sides: bool) -> None:
    whole = made(sides=sides)
    moment = START + timedelta(seconds=70)
    cut = until(whole, moment)
    assert whole.books is not None and whole.trades is not None
    late = whole.books.ts > np.datetime64(moment.replace(tzinfo=None), "ns")
    wild = replace(
        whole,
        books=replace(whole.books, bid_size=np.where(late[:, None], 1e6, whole.books.bid_size)),
        trades=replace(whole.trades, price=np.where(late, 1.0, whole.trades.price)),
    )

    assert json.dumps(asked(ASKED[name], until(wild, moment))) == json.dumps(asked(ASKED[name], cut))
    assert json.dumps(asked(ASKED[name], wild)) != json.dumps(asked(ASKED[name], cut))


def until(recording: Recording, moment: datetime) -> Recording:
    """The recording up to a moment, cut here and not by the reader."""
    at = np.datetime64(moment.replace(tzinfo=None), "ns")
    books, trades = recording.books, recording.trades
    assert books is not None and trades is not None
    kept, printed = books.ts <= at, trades.ts <= at
    names = ("ts", "bid", "bid_size", "ask", "ask_size")
    return replace(
        recording,
        as_of=moment,
        books=Books("AAA", *(getattr(books, name)[kept] for name in names), findings=()),
        trades=replace(
            trades,
            ts=trades.ts[printed],
            price=trades.price[printed],
            size=trades.size[printed],
            side=None if trades.side is None else trades.side[printed],
        ),
    )


def test_a_flow_that_moves_the_next_mid_is_found_and_put_in_words() -> None:
    # The ask of a book is eaten exactly when the next book's mid is a tick higher: flow foretells the move.
    n = 2400
    rng = np.random.default_rng(8)
    push = rng.choice([-1.0, 1.0], n)
    seconds = np.arange(n) * np.timedelta64(1_000_000_000, "ns")
    bid = 100.0 + 0.125 * np.append(0.0, np.cumsum(push[:-1]))
    # Sizes stay with their price: what is added now shows on the side that will win next.
    bid_size, ask_size = np.where(push > 0, 50.0, 10.0), np.where(push > 0, 10.0, 50.0)
    books = top_books("AAA", np.datetime64("2024-08-08", "ns") + seconds, (bid, bid_size, bid + 0.125, ask_size))
    recording = Recording("AAA", START, ("made",), books, None, None)

    output = asked(book_pressure, recording)

    assert output["flow"][0]["next"]["t_stat"] > 10.0
    assert "pointing the same way: beyond doubt" in output["reading"]
    assert output["micro"]["lean"] * push[-1] > 0.0
    assert output["imbalance"]["1"]["now"] == pytest.approx(push[-1] * 2.0 / 3.0)


def test_noise_is_called_noise_and_trades_at_the_touch_pay_the_quoted_spread() -> None:
    recording = made()

    pressure, costs = asked(book_pressure, recording), asked(trading_costs_now, recording)

    assert "not to be told from chance" in pressure["reading"]
    # Every trade is at the touch of the book just before it, so what is paid is what is quoted, trade by trade.
    assert recording.books is not None and recording.trades is not None
    quoted = 0.125 / recording.books.mid
    assert costs["effective"]["mean"] == pytest.approx(quoted.mean(), rel=1e-9)
    assert "far more than was quoted" not in costs["reading"]


def test_without_a_side_lee_and_ready_sign_and_without_quotes_the_tick_rule() -> None:
    by_quote, by_tick = asked(trade_signs, made(sides=False)), asked(trade_signs, made(sides=False, levels=False))

    assert (by_quote["source"], by_tick["source"]) == ("lee_ready", "tick_rule")
    assert by_quote["against_aggressor"] is None
    assert by_quote["buy_share"] == asked(trade_signs, made())["buy_share"]
    assert "no quotes were recorded" in by_tick["reading"]


def test_the_volume_of_a_day_falls_into_half_hours_and_prices() -> None:
    recording = bars_of_a_day()

    output = asked(volume_shape, recording)

    assert [row["from"] for row in output["by_clock"]] == ["09:30", "10:00", "10:30"]
    assert [row["share"] for row in output["by_clock"]] == pytest.approx([0.25, 0.25, 0.5])
    assert output["by_clock"][-1]["so_far"] == pytest.approx(1.0)
    assert sum(row["share"] for row in output["by_price"]) == pytest.approx(1.0)
    assert output["average_price"] == pytest.approx(10.0 * 0.5 + 11.0 * 0.5)


def bars_of_a_day() -> Recording:
    """Minutes from 09:30 to 11:00 in New York: 10 dollars, then twice the volume at 11."""
    opens = np.datetime64("2013-10-07T13:30:00", "ns")
    ends = opens + np.arange(1, 91) * np.timedelta64(60_000_000_000, "ns")
    late = np.arange(90) >= 60
    bars = Bars(ends, np.where(late, 11.0, 10.0), np.where(late, 200.0, 100.0), 60)
    session = (opens, np.datetime64("2013-10-07T20:00:00", "ns"))
    return Recording("AAA", START, ("made",), None, None, bars, -4 * 3600, session)


def test_bars_alone_have_volume_but_no_book_and_no_sides() -> None:
    recording = bars_of_a_day()

    costs = asked(trading_costs_now, recording)

    assert costs["quoted"]["refused"] and costs["effective"]["refused"]
    # One move of a tenth in 89 bars, on 11 x 200 of value.
    assert costs["amihud"]["per_million"] == pytest.approx(0.1 / 2200.0 / 89 * 1e6)
    for ask in (book_pressure, trade_signs):
        with pytest.raises(NotEnoughData) as caught:
            asked(ask, recording)
        assert caught.value.remedy


def test_too_short_a_recording_refuses_its_regressions_and_says_so() -> None:
    output = asked(book_pressure, made(n=150))

    assert [row["refused"] for row in output["flow"]] == [
        "14 intervals of 1 s, 20 are needed",
        "2 intervals of 5 s, 20 are needed",
        "1 intervals of 10 s, 20 are needed",
    ]
    assert "Too few windows" in output["reading"]


@pytest.mark.parametrize("name", list(ASKED))
def test_one_entry_per_tool_addressed_by_the_data(name: str) -> None:
    recording, other = made(), made(seed=4)
    ledger, second = Ledger(recording.as_of, recording.fingerprint), Ledger(other.as_of, other.fingerprint)

    output = ASKED[name](ledger, recording)
    ASKED[name](second, other)

    assert [entry.tool for entry in ledger.entries] == [name]
    assert ledger.entries[0].output == output
    assert ledger.entries[0].id != second.entries[0].id
