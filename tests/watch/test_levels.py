"""Rules that measure: the figure each one folds, where it is raised, and where it is cleared."""

import math
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.domain.decisions import ModelCall, Suspicion
from parley.domain.events import (
    ChildClosed,
    ChildSubmitted,
    ModelReplied,
    QuotesDropped,
    SharesSplit,
    UntrustedTextFlagged,
)
from parley.domain.orders import ChildOrder, OrderState, Side
from parley.domain.views import AbstainReason
from parley.watch.changes import Measured
from parley.watch.errors import RuleUnknown
from parley.watch.rules import CLEAR_SHARE, usual_rules
from parley.watch.watch import Watch

from .conftest import BEGAN, Log, cleared, raised


def test_the_design_documents_four_defaults() -> None:
    rules = usual_rules()

    found = [rules[code].limit for code in ("drawdown", "decision_latency", "error_rate", "input_drift")]
    assert found == [0.05, 100.0, 0.01, 0.15]


def test_a_drawdown_is_raised_at_its_limit_and_cleared_at_nine_tenths_of_it(log: Log) -> None:
    for equity in (1000, 951, 950, 940, 954, 955, 956):
        log.mark(equity, 1000)

    changes = log.watched()
    assert [(item.figure, item.at) for item in raised(changes, "drawdown")] == [
        (pytest.approx(0.050), log.rows[2].event.event_time),
        (pytest.approx(0.060), log.rows[3].event.event_time),
    ]
    assert [item.at for item in cleared(changes, "drawdown")] == [log.rows[5].event.event_time]
    assert raised(changes, "drawdown")[0].text == "loss since the peak: 5.00 %, the limit is 5.00 %"


def test_a_day_is_compared_with_the_close_of_the_day_before(log: Log) -> None:
    for equity in (1000, 980, 979):
        log.mark(equity)

    changes = log.watched()
    assert [item.figure for item in raised(changes, "daily_loss")] == [pytest.approx(0.02)]
    assert len(cleared(changes, "daily_loss")) == 1


def test_a_slow_desk_is_told_by_its_nineteenth_of_twenty(log: Log) -> None:
    for place in range(40):
        log.mark(1000)
        log.decide(after_ms=150.0 if place in (5, 25, 26) else 20.0)

    changes = raised(log.watched(), "decision_latency")
    # one slow decision in twenty is not told; the second within twenty is, from the 27th decision on
    assert changes[0].figure == pytest.approx(150.0)
    assert changes[0].at == log.rows[2 * 26 + 1].event.event_time


def test_a_process_that_was_down_is_not_a_slow_decision(log: Log) -> None:
    for _ in range(30):
        log.mark(1000)
        log.decide(after_ms=7_200_000.0)

    assert raised(log.watched(), "decision_latency") == []


def test_failures_are_counted_once_each_over_calls_and_orders(log: Log) -> None:
    for _ in range(19):
        log.mark(1000)
        log.decide(calls=5)
    failed = [_call("it did not answer"), *[_call(None)] * 2, _call(None)]
    log.add(ModelReplied(decision_id="d", calls=tuple(failed)))
    for number in range(3):
        log.add(_child(number))
    log.add(_closed(OrderState.REJECTED))
    log.add(_closed(OrderState.CANCELED))
    log.decide(calls=4, silent=(AbstainReason.MODEL_FAILED, AbstainReason.NO_DATA))

    # 19 x 5 + 4 calls and 3 orders; one call and one order failed
    found = raised(log.watched(), "error_rate")
    assert [item.figure for item in found] == [pytest.approx(2 / 102)]


def test_a_single_failure_among_few_calls_is_no_rate(log: Log) -> None:
    for _ in range(20):
        log.mark(1000)
        log.decide(calls=1, silent=(AbstainReason.UNPARSABLE,))

    assert raised(log.watched(), "error_rate") == []


def test_having_nothing_to_say_is_no_failure(log: Log) -> None:
    for _ in range(40):
        log.mark(1000)
        log.decide(calls=6, silent=(AbstainReason.NO_DATA, AbstainReason.NO_EDGE, AbstainReason.SWITCHED_OFF))

    assert raised(log.watched(), "error_rate") == []


def test_scores_that_change_their_kind_are_drift_and_the_same_kind_is_not(log: Log) -> None:
    for place in range(252 * 3):
        log.mark(1000)
        shift = 0.0 if place < 252 * 2 else 0.9
        wave = math.sin(place * 0.37) * 0.5
        log.decide(scores={"AAPL": wave * (1 - shift), "JPM": -wave * (1 - shift)})

    found = raised(log.watched(), "input_drift")
    assert {item.subject for item in found} == {"scores"}
    assert 252 * 2 < log.rows.index(next(s for s in log.rows if s.event.id == found[0].event_id)) / 2 < 252 * 3


def test_returns_that_grow_wilder_are_drift(log: Log) -> None:
    price = 100.0
    for place in range(252 * 3):
        price *= 1 + (0.002 if place < 252 * 2 else 0.03) * math.sin(place * 0.37)
        log.mark(1000)
        log.decide(prices={"AAPL": price})

    assert {item.subject for item in raised(log.watched(), "input_drift")} == {"returns"}


def test_a_split_is_no_return(log: Log) -> None:
    prices, draw = {f"N{name}": 2.0**100 for name in range(10)}, Random(5)
    for place in range(252 * 3):
        is_split = place > 252 * 2 and place % 3 == 0
        for name in prices:
            prices[name] *= (1 + draw.gauss(0.0, 0.01)) / (2 if is_split else 1)
            if is_split:
                log.add(_split(name))
        log.decide(prices=prices)

    assert raised(log.watched(), "input_drift") == []


def test_late_quotes_stand_until_a_session_without_them(log: Log) -> None:
    log.add(QuotesDropped(symbol="AAPL", count=2, first=BEGAN, most_behind_s=301.0))
    log.mark(1000)
    log.mark(1000)

    changes = log.watched()
    assert [item.figure for item in raised(changes, "stale_feed")] == [301.0]
    assert len(cleared(changes, "stale_feed")) == 1


def test_three_refused_decisions_in_a_row_are_told(log: Log) -> None:
    for kind in ("refused", "refused", "no_trade", "refused", "refused", "refused", "trade"):
        log.mark(1000)
        log.decide(kind)  # pyright: ignore[reportArgumentType]

    changes = log.watched()
    assert [item.figure for item in raised(changes, "refused_decisions")] == [3.0]
    assert len(cleared(changes, "refused_decisions")) == 1


def test_a_text_that_attacks_is_told_at_once_and_forgotten_after_a_month(log: Log) -> None:
    found = Suspicion(origin="text", name="<script>news</script>", reasons=("orders",), text_hash="0" * 64)
    log.add(UntrustedTextFlagged(decision_id="d", found=(found,)))
    for _ in range(25):
        log.mark(1000)
        log.decide()

    changes = log.watched()
    assert raised(changes, "text_attack")[0].at == BEGAN
    assert "script" not in raised(changes, "text_attack")[0].text
    assert len(cleared(changes, "text_attack")) == 1


def test_a_call_the_budget_did_not_cover_means_that_it_is_used_up(log: Log) -> None:
    log.decide(silent=(AbstainReason.OUT_OF_BUDGET,))
    log.decide()

    changes = log.watched()
    assert [item.figure for item in raised(changes, "model_budget")] == [1.0]
    assert len(cleared(changes, "model_budget")) == 1


def test_the_end_of_a_run_ends_what_was_measured_in_it(log: Log) -> None:
    log.mark(900, 1000)
    log.finish()

    assert len(cleared(log.watched(), "drawdown")) == 1


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0.0, 0.2), max_size=40))
def test_between_limit_and_nine_tenths_of_it_nothing_begins_and_nothing_ends(figures: list[float]) -> None:
    watch, limit = Watch(usual_rules(), ()), usual_rules()["input_drift"].limit
    assert limit is not None
    stands = False
    for figure in figures:
        changes = watch.measure(Measured("input_drift", "scores", figure, BEGAN))
        if limit > figure > CLEAR_SHARE * limit:
            assert changes == []
        elif figure >= limit:
            stands = True
            assert len(raised(changes, "input_drift")) == 1
        else:
            assert len(cleared(changes, "input_drift")) == stands
            stands = False
        assert bool(watch.standing()) == stands


def test_settings_change_limits_severities_and_what_is_heard(log: Log) -> None:
    log.mark(930, 1000)

    assert raised(log.watched(usual_rules().changed({"drawdown": 0.08})), "drawdown") == []
    louder = usual_rules().changed(severities={"drawdown": "critical"})
    assert raised(log.watched(louder), "drawdown")[0].severity == "critical"
    assert raised(log.watched(usual_rules().changed(off=["drawdown"])), "drawdown") == []


@pytest.mark.parametrize(
    ("limits", "off", "says"),
    [
        ({"draw_down": 0.1}, (), "draw_down"),
        ({"halted": 1.0}, (), "halted"),
        ({"drawdown": 0.0}, (), "0.0"),
        ({}, ("x",), "x"),
    ],
)
def test_a_rule_or_limit_that_makes_no_sense_is_refused(
    limits: dict[str, float], off: tuple[str, ...], says: str
) -> None:
    with pytest.raises(RuleUnknown, match=says):
        usual_rules().changed(limits, off=off)


def _call(error: str | None) -> ModelCall:
    return ModelCall(
        node="analyst",
        prompt="p",
        prompt_version=1,
        model="small",
        request_hash="h",
        reply="",
        error=error,
        prompt_tokens=1,
        completion_tokens=1,
    )


def _split(symbol: str) -> SharesSplit:
    return SharesSplit(symbol=symbol, quantity=1, old_shares=1, new_shares=2, fraction_price=None, ex_date=BEGAN.date())


def _child(number: int) -> ChildSubmitted:
    child = ChildOrder(
        client_order_id=f"c{number}",
        order_id="o",
        decision_id="d",
        symbol="AAPL",
        side=Side.BUY,
        quantity=1,
        limit_price=Decimal(1),
        sequence=number,
        created_at=BEGAN,
    )
    return ChildSubmitted(child=child, verdict_hash="h")


def _closed(state: OrderState) -> ChildClosed:
    return ChildClosed(client_order_id="c0", order_id="o", state=state, unfilled=1, reason="x")  # pyright: ignore[reportArgumentType]
