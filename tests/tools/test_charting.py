"""The chart reader's tools: words that follow the figures, honest records, plain refusals, and no look ahead."""

from typing import Any

import numpy as np
import pytest
import talib
from parley.domain.canonical import canonical_bytes
from parley.market.errors import UnknownSymbol
from parley.quant.indicator_series import indicator_names
from parley.tools.bars import all_bars, market_bars, symbol_bars
from parley.tools.chart_readings import read_indicator
from parley.tools.charting import candlesticks, chart_patterns, indicator_history, pattern_record, patterns_of
from parley.tools.errors import NotEnoughData


def said(told: tuple[str, dict[str, object]]) -> Any:
    """The output of a tool as its readers take it: plain JSON."""
    return told[1]


def _bars_of(build: Any, close: np.ndarray) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(9)
    up, down = rng.uniform(0, 0.01, close.shape), rng.uniform(0, 0.01, close.shape)
    opened = close * (1 + rng.normal(0, 0.004, close.shape))
    return {
        "open": opened,
        "high": np.maximum(opened, close) * (1 + up),
        "low": np.minimum(opened, close) * (1 - down),
        "volume": rng.uniform(1e6, 2e6, close.shape),
    }


@pytest.fixture(scope="module")
def traded(build: Any) -> Any:
    close = build.closes(420)
    return build.world(close, **_bars_of(build, close))


def test_every_indicator_is_read_where_the_data_have_whole_bars(traded: Any, build: Any) -> None:
    scene = traded.scene()
    bars = symbol_bars(scene.view, "AAA")

    output = said(indicator_history(build.ledger(scene), scene, bars))

    rows = {row["name"]: row for row in output["rows"]}
    assert tuple(sorted(rows)) == indicator_names()
    assert output["absent"] == [] and output["missing_fields"] == []
    assert rows["rsi"]["now"]["rsi"] == pytest.approx(talib.RSI(bars.close, 14)[-1], rel=1e-9)
    assert rows["rsi"]["month_before"]["rsi"] == pytest.approx(talib.RSI(bars.close, 14)[-22], rel=1e-9)
    counted = sum(sum(count.values()) for count in output["tally"].values())
    assert counted == len(rows) - 1  # the true range leans nowhere
    assert canonical_bytes(output)


def test_what_the_data_lack_is_said_and_never_guessed(world: Any, build: Any) -> None:
    scene = world.scene()
    bars = symbol_bars(scene.view, "AAA")
    ledger = build.ledger(scene)

    output = said(indicator_history(ledger, scene, bars))
    candles = said(candlesticks(ledger, scene, bars))
    patterns = said(chart_patterns(ledger, scene, bars))

    assert output["missing_fields"] == ["open", "high", "low", "volume"]
    assert {row["name"] for row in output["absent"]} >= {"atr", "obv", "mfi", "stochastic"}
    assert "no open, high, low" in candles["refused"]
    assert patterns["has_range"] is False


@pytest.mark.parametrize(
    ("name", "now", "close", "lean", "says"),
    [
        ("rsi", {"rsi": 71.2}, 1.0, -1, "RSI 71.2: overbought"),
        ("rsi", {"rsi": 30.0}, 1.0, 1, "RSI 30.0: oversold"),
        ("rsi", {"rsi": 69.9}, 1.0, 0, "RSI 69.9: neither overbought nor oversold"),
        ("williams_r", {"williams_r": -15.0}, 1.0, -1, "Williams -15.0: overbought"),
        ("adx", {"adx": 31.0, "plus_di": 9.0, "minus_di": 20.0}, 1.0, -1, "ADX 31.0: trending down"),
        ("adx", {"adx": 12.0, "plus_di": 9.0, "minus_di": 20.0}, 1.0, 0, "ADX 12.0: no trend to speak of"),
        ("bollinger", {"upper": 9.0, "middle": 8.0, "lower": 7.0}, 6.9, 1, "below the lower band"),
        ("keltner", {"upper": 9.0, "middle": 8.0, "lower": 7.0}, 6.9, -1, "broke out below"),
        ("donchian", {"upper": 9.0, "middle": 8.0, "lower": 7.0}, 9.0, 1, "at the highest"),
        ("roc", {"roc": -0.0456}, 1.0, -1, "Rate of change -4.6%: not higher"),
        ("macd", {"macd": 1.0, "signal": 0.5, "histogram": 0.5}, 1.0, 1, "above its signal, unlike a month before"),
    ],
)
def test_a_reading_follows_its_rule(name: str, now: dict[str, float], close: float, lean: int, says: str) -> None:
    reading = read_indicator(name, now, {"histogram": -0.1}, close)

    assert reading.lean == lean
    assert says in reading.says


def test_candlesticks_are_those_of_the_last_bars_with_a_record_for_sides_only(traded: Any, build: Any) -> None:
    scene = traded.scene()
    bars = symbol_bars(scene.view, "BBB")

    output = said(candlesticks(build.ledger(scene), scene, bars))

    assert output["rows"] and {row["session"] for row in output["rows"]} <= {bars.day(-k) for k in range(1, 6)}
    for row in output["rows"]:
        function = getattr(talib, f"CDL{row['pattern'].upper()}")
        found = function(bars.open, bars.high, bars.low, bars.close)
        assert row["seen"] == (found != 0).sum()
        assert (row["record"] is None) == (row["side"] == 0)
    assert any(row["side"] for row in output["rows"]) and any(row["side"] == 0 for row in output["rows"])


def test_the_record_of_patterns_counts_only_what_had_its_days(traded: Any, build: Any) -> None:
    scene = traded.scene()
    bars = symbol_bars(scene.view, "AAA")
    found = patterns_of(bars)

    output = said(chart_patterns(build.ledger(scene), scene, bars))

    assert output["found"] == len(found) > 5
    overall = {row["horizon_days"]: row for row in output["record"] if row["kind"] == "all"}
    assert overall[21]["judged"] <= overall[5]["judged"] <= len({each.known_at for each in found})
    assert {row["kind"] for row in output["record"]} == {"all", *(str(each.kind) for each in found)}
    for row in output["recent"]:
        assert row["bars_ago"] < 63


@pytest.mark.parametrize("back", [1, 40, 150])
def test_patterns_known_at_a_close_stay_as_they_were(traded: Any, back: int) -> None:
    now, then = (symbol_bars(traded.scene(row).view, "CCC") for row in (-1, -1 - back))

    known = [each for each in patterns_of(now) if each.known_at < len(then.close)]

    assert list(patterns_of(then)) == known


def test_prices_after_the_close_change_no_tool(build: Any) -> None:
    close = build.closes(400)
    other = np.concatenate([close[:350], close[350:] * np.linspace(1, 3, 50)[:, None]])
    outputs = []
    for levels in (close, other):
        scene = build.world(levels, **_bars_of(build, levels)).scene(349)
        ledger, bars = build.ledger(scene), symbol_bars(scene.view, "DDD")
        outputs.append([tool(ledger, scene, bars) for tool in (indicator_history, candlesticks, chart_patterns)])

    assert outputs[0] == outputs[1]


def test_the_pooled_record_is_the_sum_of_the_names(traded: Any, build: Any) -> None:
    scene = traded.scene()
    series, left_out = all_bars(scene.view)
    ledger = build.ledger(scene)

    pooled = said(pattern_record(ledger, scene, series))

    alone = [said(chart_patterns(ledger, scene, bars))["record"] for bars in series]
    assert (len(series), list(left_out), pooled["series"]) == (6, [], 6)
    for row in pooled["record"]:
        mine = [
            one
            for rows in alone
            for one in rows
            if (one["kind"], one["horizon_days"]) == (row["kind"], row["horizon_days"])
        ]
        assert row["judged"] == sum(one["judged"] for one in mine)
        assert row["right"] == sum(one["right"] for one in mine)
        if row["judged"]:
            drift = sum(one["by_drift"] * one["judged"] for one in mine if one["judged"]) / row["judged"]
            assert row["by_drift"] == pytest.approx(drift)
            assert row["low"] < row["share"] < row["high"] or row["share"] in (0.0, 1.0)


def test_bars_leave_out_days_without_one_and_refuse_a_name_that_is_too_young(build: Any) -> None:
    close = build.closes(320)
    close[100:110, 0] = np.nan
    close[:300, 1] = np.nan
    close[-1, 2] = np.nan
    scene = build.world(close).scene()

    series, left_out = all_bars(scene.view)

    assert len(symbol_bars(scene.view, "AAA").close) == 310
    assert [bars.name for bars in series] == ["AAA", "DDD", "EEE", "FFF"] and list(left_out) == ["BBB", "CCC"]
    with pytest.raises(NotEnoughData, match="BBB: 20 bars, a chart needs 64"):
        symbol_bars(scene.view, "BBB")
    with pytest.raises(UnknownSymbol):
        symbol_bars(scene.view, "NOPE")


def test_the_market_is_its_index_or_the_mean_of_the_names(build: Any) -> None:
    close = build.closes(320)
    index = np.linspace(100, 200, 320)

    named, made = (
        market_bars(build.world(close, benchmark=index).scene().view),
        market_bars(build.world(close).scene().view),
    )

    assert named.name == "BENCH"
    np.testing.assert_array_equal(named.close, index)
    np.testing.assert_allclose(made.returns, (close[1:] / close[:-1] - 1).mean(axis=1), rtol=1e-9, atol=1e-15)


def test_a_price_that_never_moves_is_read_as_far_as_it_goes(build: Any) -> None:
    close = build.closes(320)
    close[:, 0] = 50.0
    scene = build.world(close).scene()
    ledger, bars = build.ledger(scene), symbol_bars(scene.view, "AAA")

    output = said(indicator_history(ledger, scene, bars))
    patterns = said(chart_patterns(ledger, scene, bars))

    assert "rsi" in {row["name"] for row in output["absent"]}
    assert patterns["found"] == 0 and patterns["record"][0]["share"] is None
