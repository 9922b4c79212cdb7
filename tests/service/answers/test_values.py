"""The figures of answers against figures worked out here by hand, from the log and the prices alone."""

import shutil
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.desk.book import Book, open_log
from parley.domain.control_events import NotificationRaised
from parley.domain.events import Actor, DecisionMade, NewEvent
from parley.market.datasets import load_data
from parley.memory.history import fills
from parley.service.answers.answer import Answer, Kind
from parley.service.answers.proof import faults
from parley.service.answers.reader import DeskReader
from parley.service.answers.reviewing import changed, decision_of, moment_of, review_again
from parley.service.answers.table import ask

LAST = "2020-03-03"


def derived(answer: Answer, tool: str) -> Any:
    """What the answer worked out under this name."""
    entries: Any = (answer.evidence or {})["derived"]
    return next(entry["output"] for entry in entries.values() if entry["tool"] == f"report.answer_{tool}")


def held(book: Path) -> dict[str, int]:
    shares = Counter[str]()
    with open_log(Book(book).latest(), readonly=True) as (log, _):
        for fill in fills(log):
            shares[fill.symbol] += fill.side.sign * fill.quantity
    return {name: count for name, count in shares.items() if count}


def closes_on(day: str) -> dict[str, float]:
    data = load_data("us20")
    row = [str(item)[:10] for item in data.panel.sessions.tolist()].index(day)
    return dict(zip(data.panel.symbols, data.panel.close[row].tolist(), strict=True))


def test_positions_are_the_shares_of_the_fills_at_the_last_close(crash: DeskReader, crash_book: Path) -> None:
    answer = ask(crash, "positions", {})

    shares, closes = held(crash_book), closes_on(LAST)
    rows = {row["symbol"]: row for row in derived(answer, "positions")["rows"]}
    book = derived(answer, "positions")["book"]
    equity = book["cash"] + sum(count * closes[name] for name, count in shares.items())
    assert {name: row["quantity"] for name, row in rows.items()} == shares
    assert {name: row["value"] for name, row in rows.items()} == pytest.approx(
        {name: count * closes[name] for name, count in shares.items()}, rel=1e-4
    )
    assert book["equity"] == pytest.approx(equity, rel=1e-5)
    assert sum(row["weight"] for row in rows.values()) == pytest.approx(1 - book["cash"] / equity, rel=1e-4)
    paid = sum(row["average_price"] * row["quantity"] for row in rows.values())
    assert book["unrealized"] == pytest.approx(sum(row["value"] for row in rows.values()) - paid)


def test_the_market_s_fall_reaches_the_book_through_its_regression_on_the_index(
    crash: DeskReader, crash_book: Path
) -> None:
    answer = ask(crash, "shock", {"market": -0.1})

    data, shares, closes = load_data("us20"), held(crash_book), closes_on(LAST)
    last = [str(item)[:10] for item in data.panel.sessions.tolist()].index(LAST)
    window = slice(last - 252, last + 1)
    names = list(shares)
    prices = data.panel.close[window][:, [data.panel.symbols.index(name) for name in names]]
    index = np.asarray(data.panel.benchmark)[window]
    found = derived(answer, "shock")
    weights = np.array([shares[name] * closes[name] for name in names]) / found["equity"]
    book, market = (prices[1:] / prices[:-1] - 1) @ weights, index[1:] / index[:-1] - 1
    slope = float(np.polyfit(market, book, 1)[0])
    assert found["return"] == pytest.approx(-0.1 * slope, rel=1e-3)
    assert found["cash"] == pytest.approx(found["return"] * found["equity"])


def test_correlations_at_one_value_give_the_variance_of_the_formula(crash: DeskReader) -> None:
    answer = ask(crash, "correlations_to", {"correlation": 0.9})

    with crash.reading() as reading:
        vols = np.sqrt(np.diag(reading.scene.covariance))
        parts = vols * reading.scene.vector(reading.weights)
    # With one correlation r for all pairs: r (sum of w s)^2 + (1 - r) sum of (w s)^2.
    variance = 0.9 * parts.sum() ** 2 + 0.1 * (parts**2).sum()
    found = derived(answer, "worse_covariance")
    assert found["then"]["volatility"] == pytest.approx(float(np.sqrt(252 * variance)), rel=1e-6)
    assert found["then"]["var"] == pytest.approx(2.3263478740 * float(np.sqrt(variance)), rel=1e-6)


def test_volatility_doubled_doubles_the_normal_var(crash: DeskReader) -> None:
    assert derived(ask(crash, "volatility_times", {}), "worse_covariance")["times"] == pytest.approx(2.0)


def test_a_doubled_position_has_twice_its_shares_and_only_it_moves(crash: DeskReader, crash_book: Path) -> None:
    answer = ask(crash, "doubled_position", {"symbol": "JPM"})

    found, shares = derived(answer, "position"), held(crash_book)
    assert (found["held"], found["then"]) == (shares["JPM"], 2 * shares["JPM"])
    assert found["weight_then"] == pytest.approx(2 * found["weight"])
    assert any("gate" in line for line in answer.lines)


def test_a_position_far_past_its_limit_would_be_vetoed_by_the_gate(crash: DeskReader) -> None:
    many = ask(crash, "doubled_position", {"symbol": "JPM", "times": 10})
    weight = derived(many, "position")["weight_then"]

    limit = derived(ask(crash, "limits_used", {"above": 0}), "limits")
    bound = next(row["limit"] for row in limit["rows"] if row["name"].startswith("instrument weight"))
    assert (weight > bound) == ("veto" in many.text)


def test_trades_of_a_span_above_a_notional_are_those_of_the_fills(crash: DeskReader, crash_book: Path) -> None:
    everything = derived(ask(crash, "trades", {"limit": 500}), "trades")
    large = derived(ask(crash, "trades", {"limit": 500, "min_notional": 10_000}), "trades")

    with open_log(Book(crash_book).latest(), readonly=True) as (log, _):
        notional = sum(float(fill.price * fill.quantity) for fill in fills(log))
    assert everything["notional"] == pytest.approx(notional)
    assert large["count"] == sum(row["notional"] >= 10_000 for row in everything["rows"])
    assert 0 < large["count"] < everything["count"]
    assert derived(ask(crash, "trades", {"since": "2020-03-04"}), "trades")["count"] == 0


def test_the_gate_asked_again_on_a_copy_says_what_the_log_says(crash: DeskReader) -> None:
    with crash.reading() as reading:
        reviewed = [item for item in reading.decisions if item.is_approved is not None]
        assert reviewed
        for record in reviewed:
            decision = decision_of(reading, record.decision_id)
            assert decision is not None
            assert decision.plan is not None
            moment = moment_of(reading, decision)
            assert review_again(moment, decision.plan, moment.limits) == decision.verdict


@given(st.floats(0.0, 0.2), st.floats(0.0, 0.2))
@settings(max_examples=30, deadline=None)
def test_a_tighter_limit_asked_about_never_turns_a_veto_into_an_approval(
    crash: DeskReader, one: float, other: float
) -> None:
    tight, loose = sorted((one, other))
    with crash.reading() as reading:
        record = next(item for item in reading.decisions if item.is_approved)
        decision = decision_of(reading, record.decision_id)
        assert decision is not None
        assert decision.plan is not None
        moment = moment_of(reading, decision)
        for name in ("max_instrument_weight", "max_var_99_frac"):
            strict = review_again(moment, decision.plan, changed(moment.limits, name, tight)).approved
            assert not strict or review_again(moment, decision.plan, changed(moment.limits, name, loose)).approved


@given(st.floats(-0.95, 1.0), st.floats(0.0, 0.999), st.floats(0.01, 10.0))
@settings(max_examples=25, deadline=None)
def test_what_ifs_of_any_size_prove_every_figure(crash: DeskReader, move: float, pairs: float, times: float) -> None:
    for name, arguments in (
        ("shock", {"market": move}),
        ("correlations_to", {"correlation": pairs}),
        ("volatility_times", {"times": times}),
        ("doubled_position", {"symbol": "XOM", "times": times}),
    ):
        answer = ask(crash, name, arguments)
        assert faults(answer) == []
        assert answer.kind is Kind.WHAT_IF


def test_the_plan_that_passed_is_vetoed_under_a_limit_of_nothing_with_the_check_that_says_so(crash: DeskReader) -> None:
    with crash.reading() as reading:
        bought = next(item.decision_id for item in reading.decisions if item.is_approved)
    asked = {"limit": "max_var_99_frac", "decision": bought}

    nothing = ask(crash, "other_limits", {**asked, "value": 0.0})
    wide = ask(crash, "other_limits", {**asked, "value": 0.5})

    assert [row["check"] for row in derived(nothing, "review")["reasons"]] == ["var_99"]
    assert "would be vetoed" in nothing.lines[0]
    assert derived(wide, "review")["reasons"] == []
    assert derived(wide, "review")["was"] == pytest.approx(0.03)


def test_dropping_a_constraint_changes_the_targets_only_where_it_binds(crash: DeskReader) -> None:
    free = derived(ask(crash, "dropped_constraint", {"constraint": "volatility_target"}), "targets")
    sectors = ask(crash, "dropped_constraint", {"constraint": "sector_cap"})

    assert free["without"]["gross"] > 1.5 * free["with_all"]["gross"]
    assert "It does not bind: no weight changes." in sectors.lines


def test_decided_by_the_rules_alone_a_run_of_the_rules_is_the_same(crash: DeskReader) -> None:
    with crash.reading() as reading:
        traded = next(item for item in reversed(reading.decisions) if item.kind == "trade")

    answer = ask(crash, "without_llm", {"decision": traded.decision_id})

    found = derived(answer, "compared")
    assert found["same"] == found["names"] == traded.legs > 0


def test_the_equity_curve_is_that_of_the_marks(crash: DeskReader) -> None:
    answer = ask(crash, "equity_curve", {"period": "all"})

    with crash.reading() as reading:
        equity = [float(item.equity) for item in reading.sessions]
    chart: Any = answer.chart
    assert chart["lines"]["return"] == pytest.approx([value / 1e6 - 1 for value in equity], abs=1e-9)
    peak = np.maximum.accumulate([1e6, *equity])[1:]
    assert chart["lines"]["drawdown"] == pytest.approx(np.array(equity) / peak - 1, abs=1e-9)


def test_a_log_that_grows_between_two_questions_is_read_anew(crash_book: Path, tmp_path: Path) -> None:
    shutil.copytree(crash_book, tmp_path / "book")
    reader = DeskReader(tmp_path / "book")
    before = derived(ask(reader, "alerts", {}), "alerts")["count"]
    said = NotificationRaised(
        notification_id="ntf-1", severity="critical", code="test", text="a third of 7 feeds is late"
    )
    moment = datetime(2020, 3, 3, 21, tzinfo=UTC)

    with open_log(Book(tmp_path / "book").latest()) as (log, _):
        run_id = next(log.read(types=(DecisionMade,), limit=1)).run_id
        actor = Actor(kind="desk", name="controls")
        log.append([NewEvent(stream="controls", event_time=moment, actor=actor, payload=said, run_id=run_id)])
        # Asked while the writer still holds the log.
        after = ask(reader, "alerts", {})

    assert derived(after, "alerts")["count"] == before + 1
    assert derived(after, "alerts")["waiting"] == 1
    assert "a third of 7 feeds is late" in after.text
    assert faults(after) == []
