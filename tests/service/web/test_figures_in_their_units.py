"""Figures on the pages stand in their own units and under the house's words: limits, breakers, chances, counts."""

import re
from html import unescape
from typing import Any

import pytest
from parley.desk.book import Book, open_log
from parley.domain.control_events import OperatorAsked, TradingStateChanged
from parley.domain.events import Actor, NewEvent, Payload
from parley.domain.levels import past_text
from parley.domain.trading import ACCOUNT, TradingState
from parley.gate.limits import Limits
from parley.gate.tightening import TIGHTENABLE
from parley.service.answers.alerts import OfAlerts
from parley.service.answers.alerts import alerts as alerts_of
from parley.service.answers.arguments import Nothing
from parley.service.answers.reader import DeskReader
from parley.service.answers.system import permissions
from parley.service.pages.limit_units import limit_title, limit_unit
from parley.service.pages.twin import Fact, Twin
from parley.service.web.market import RegimeView
from parley.service.web.rendering import figure

TIGHTER = {"max_gross": 0.25, "max_var_99_frac": 0.01, "max_price_age_days": 2, "max_quote_age_s": 2.5, "max_legs": 40}
AS_WRITTEN = {
    "max gross": "25.00%",
    "max VaR 99%": "1.00%",
    "max price age": "2 days",
    "max quote age": "2.500 s",
    "max legs": "40",
}
"""Fractions of equity as percentages, what its name gives another unit in that one."""


def text(html: str) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", html))).strip()


def record(desk: Any, *payloads: Payload) -> None:
    with open_log(Book(desk.book).find(desk.run)) as (log, _):
        last = next(log.read(log.head()[0] - 1))
        actor = Actor(kind="desk", name="controls")
        log.append(
            [
                NewEvent(stream="control", event_time=last.event_time, actor=actor, payload=item, run_id=desk.run)
                for item in payloads
            ]
        )


def tripped(breaker: str, figure: float, limit: float) -> TradingStateChanged:
    return TradingStateChanged(
        scope=ACCOUNT,
        before=TradingState.ACTIVE,
        after=TradingState.REDUCING,
        cause="breaker",
        name=breaker,
        reason="past its level",
        figure=figure,
        limit=limit,
    )


def test_every_limit_that_can_be_tightened_is_written_in_the_unit_of_its_field() -> None:
    is_count = {name: Limits.model_fields[name].annotation is int for name in TIGHTENABLE}
    units = {name: limit_unit(name, 2.5, None) for name in TIGHTENABLE}

    assert {name for name in TIGHTENABLE if is_count[name] and units[name].unit in ("frac", "ratio", "usd")} == set()
    assert {name for name in TIGHTENABLE if name.endswith("_frac") and units[name] != ("frac", "")} == set()
    assert {name for name in TIGHTENABLE if name.endswith("_days")} == {
        name for name, how in units.items() if how.says.strip() == "days"
    }
    assert not [name for name in TIGHTENABLE if limit_title(name).endswith(("_frac", "_days", "_s"))]


@pytest.mark.parametrize(
    ("name", "bound", "written"),
    [
        ("max_gross", 0.5, "50.00%"),
        ("max_daily_loss_frac", 0.02, "2.00%"),
        ("max_beta", 1.2, "1.20"),
        ("max_order_notional", 50_000.0, "50,000.00 USD"),
        ("max_submits_per_s", 20, "20 a second"),
        ("max_clock_skew_s", 0.5, "0.5000 s"),
        ("max_depth_multiple", 10.0, "10.00×"),
    ],
)
def test_a_limit_is_written_as_a_person_would(name: str, bound: float, written: str) -> None:
    how = limit_unit(name, bound)

    assert text(f"{figure(bound, how.unit)}{how.says}") == written


def test_tightened_limits_are_told_alike_on_the_risk_page_and_on_the_desks(desk: Any) -> None:
    detail: dict[str, Any] = {"limits": TIGHTER}
    record(desk, OperatorAsked(command="tighten", user="rita", reason="less", scope=ACCOUNT, detail=detail))
    client = desk.client("vic")

    limits, state = text(client.get("/parts/risk_limits").text), text(client.get("/parts/desk_control").text)

    assert [name for name, bound in AS_WRITTEN.items() if f"{name} {bound}" not in limits] == []
    assert [name for name, bound in AS_WRITTEN.items() if f"{name} {bound}" not in state] == []


@pytest.mark.parametrize(
    ("breaker", "values", "written"),
    [
        ("daily_loss", (0.0231, 0.02), "2.31% 2.00%"),
        ("slippage", (61.25, 50.0), "61.2 bp 50.0 bp"),
        ("stale_data", (480.0, 300.0), "480 s 300 s"),
        ("drift", (2.0, 0.0), "2 0"),
    ],
)
def test_what_a_breaker_measured_stands_in_its_unit(
    desk: Any, breaker: str, values: tuple[float, float], written: str
) -> None:
    record(desk, tripped(breaker, *values))

    told = text(desk.client("vic").get("/parts/risk_breakers").text)

    assert f"past its level {written}" in told


def test_every_cause_of_a_halt_is_told_in_units_on_the_risk_page_on_the_desks_and_in_chat(desk: Any) -> None:
    flag: dict[str, Any] = {"scope": ACCOUNT, "before": TradingState.ACTIVE, "after": TradingState.HALTED}
    reason = past_text("loss since the last close", 0.052, "frac", 0.02)
    breaker = tripped("daily_loss", 0.052, 0.02).model_copy(
        update={"before": TradingState.HALTED, "after": TradingState.HALTED, "reason": reason}
    )
    record(desk, TradingStateChanged(**flag, cause="kill_flag", name="kill_flag", reason="ann: smoke"), breaker)
    client, said = desk.client("vic"), "loss since the last close is 5.20 %, the level is 2.00 %"

    risk, control = text(client.get("/parts/risk_breakers").text), text(client.get("/parts/desk_control").text)
    with DeskReader(desk.book).reading() as reading:
        allowed = permissions(reading, reading.draft("permissions", {}), Nothing())
        told_last = alerts_of(reading, reading.draft("alerts", {}), OfAlerts())

    for told in (risk, control):
        assert "ann: smoke" in told and said in told
        assert told.index("HALTED") < told.index("ann: smoke") < told.index(said), "what decides is said first"
    assert f"{said} 5.20% 2.00%" in risk and "tripped" in risk
    assert any(f"Now the account is HALTED: ann: smoke; {said}" in line for line in allowed.lines)
    assert any(said in line for line in told_last.lines)


def test_a_breaker_says_on_which_side_of_its_level_it_trips_and_a_missing_figure_is_a_dash_alone(still: Any) -> None:
    told = text(still.client("vic").get("/parts/risk_breakers").text)

    assert "mean confidence of the signals – < 30.00% 35.00%" in told
    assert "age of the oldest quote – > 300 s 60 s" in told
    assert "critical notifications nobody acknowledged 0 > 0 0" in told


def test_what_is_held_is_called_a_portfolio_and_never_a_book(still: Any) -> None:
    client = still.client("vic")
    parts = ("risk_now", "risk_limits", "risk_parts", "risk_tails", "risk_shocks", "risk_stress", "desk_positions")

    told = {part: text(client.get(f"/parts/{part}").text) for part in parts}

    assert [part for part, words in told.items() if re.search(r"\bbook", words, re.IGNORECASE)] == []
    assert "Portfolio" in told["risk_limits"] and "ES" in told["risk_tails"]


def test_moves_of_the_market_have_a_sign_and_values_at_risk_have_none(still: Any) -> None:
    told = text(still.client("vic").get("/parts/risk_shocks").text)

    moves, _, worse = told.partition("Value at risk in a worse market")

    assert re.search(r"market −10% −\d", moves) and re.search(r"market \+10% \+\d", moves)
    assert "VaR" not in moves and re.search(r"VaR 99% now \d", worse)


def test_the_chances_of_the_regimes_go_from_calm_to_crisis() -> None:
    chances = Fact({"probability": {"crisis": 0.1, "calm": 0.7, "stressed": 0.2}}, "evidence")
    view = RegimeView(Twin("run", "regimes"), None, chances, [], [], None)

    assert [name for name, _ in view.chances_told] == ["calm", "stressed", "crisis"]
    assert RegimeView(Twin("run", "regimes"), None, None, [], [], None).chances_told == []


def test_a_kind_of_decision_that_never_came_is_counted_as_none(still: Any) -> None:
    with DeskReader(still.book).reading() as reading:
        kinds = [item.kind for item in reading.decisions]

    told = text(still.client("vic").get("/parts/decisions").text)

    assert f"All {len(kinds)} Traded {kinds.count('trade')} No trade {kinds.count('no_trade')}" in told
    assert f"Vetoed {kinds.count('vetoed')} Refused {kinds.count('refused')}" in told and "vetoed" not in kinds


def test_data_that_go_on_after_the_last_close_are_not_said_to_be_behind_it(still: Any) -> None:
    with DeskReader(still.book).reading() as reading:
        after = (reading.data.card.last_session - reading.sessions[-1].session).days

    told = text(still.client("vic").get("/parts/data_quality").text)

    assert f"Days of data after the last close {after} " in told
    assert "Hash of the whole set" in told and "Hash up to then" in text(
        still.client("vic").get("/parts/market_data").text
    )
