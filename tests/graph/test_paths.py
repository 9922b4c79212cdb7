"""Every way through the graph: what is decided, by whom, and what is logged of it."""

import asyncio
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from parley.domain.decisions import IntentKind
from parley.domain.orders import Side
from parley.domain.views import AbstainReason, Agent, Source
from parley.graph.wiring import after_gate


def kinds(bench: Any) -> list[str]:
    return [event.type for event in bench.events()]


def sizes(legs: Any) -> dict[str, int]:
    return {leg.symbol: leg.quantity for leg in legs}


def test_a_willing_desk_approves_a_plan_and_logs_it_causes_first(willing: Any):
    decision = willing.decide()

    assert decision.kind == "trade" and decision.verdict.approved
    assert decision.plan.legs and decision.summary.startswith("Approved 20 buys and 0 sells")
    assert kinds(willing) == ["EvidenceRecorded", "ModelReplied", "DecisionMade", "PlanApproved"]


def test_every_number_of_a_signal_and_an_assessment_is_backed_by_logged_evidence(willing: Any):
    decision = willing.decide()

    logged = {entry.id for entry in willing.events()[0].decoded().entries}
    used = {item for signal in decision.signals for item in signal.evidence}
    used |= {item for view in decision.views for item in view.evidence}
    assert used | set(decision.assessment.evidence) | set(decision.targets.evidence) <= logged
    assert len(used) >= 3


def test_full_agreement_leaves_the_drafted_sizes_as_they_are(willing: Any):
    decision = willing.decide()

    assert sizes(decision.plan.legs) == sizes(decision.drafts[0].legs)
    assert {leg.size_multiplier for leg in decision.consensus.legs} == {1.0}


def test_a_quarrel_shrinks_every_leg_and_keeps_the_dissenters_name(bench: Any):
    def script(request: Any) -> str:
        return bench.reply_to(request, 80, vote="AGAINST" if request.prompt.name == "risk/opinion" else "FOR")

    decision = bench.with_(model=bench.Scripted(script)).decide()

    # (0.4 + 0.2 + 0.1 - 0.3) / 1.0 = 0.4
    assert {leg.size_multiplier for leg in decision.consensus.legs} == {0.4}
    assert {leg.dissent for leg in decision.consensus.legs} == {(Agent.RISK,)}
    drafted = sizes(decision.drafts[0].legs)
    assert all(leg.quantity == int(Decimal(drafted[leg.symbol]) * Decimal("0.4")) for leg in decision.plan.legs)


def test_a_plan_without_support_is_not_reviewed_and_nothing_is_traded(bench: Any):
    decision = bench.with_(model=bench.Scripted(lambda request: bench.reply_to(request, 90, vote="AGAINST"))).decide()

    assert decision.kind == "no_trade"
    assert decision.verdicts == () and decision.plan is None
    assert "support" in decision.summary


def test_a_book_inside_the_band_is_kept_without_asking_for_opinions(willing: Any):
    first = willing.decide()
    at_target = sizes(first.plan.legs)

    model = willing.Scripted(lambda request: willing.reply_to(request, 80))
    again = willing.with_(model=model)
    decision = again.decide(again.snapshot(held=at_target))

    assert decision.kind == "no_trade" and "inside the band" in decision.summary
    assert {request.prompt.name for request in model.asked} == {"sentiment/read", "analyst/views"}
    assert decision.votes == () and decision.verdicts == ()
    assert kinds(again) == ["EvidenceRecorded", "ModelReplied", "DecisionMade"]


def test_a_vetoed_plan_is_scaled_once_and_then_approved(willing: Any):
    bench = willing.tightened(max_order_notional=10_000)

    decision = bench.decide()

    assert [verdict.approved for verdict in decision.verdicts] == [False, True]
    assert {check.check for check in decision.verdicts[0].reasons} == {"order_notional"}
    assert decision.kind == "trade" and decision.summary.endswith("after it was scaled to the limits.")
    assert len(decision.drafts) == 2
    assert all(leg.notional <= 10_000 for leg in decision.plan.legs)
    assert decision.llm_calls == 5


def test_a_plan_that_scaling_cannot_save_is_vetoed_after_two_reviews(willing: Any, market: Any):
    def stop_trading(close: np.ndarray) -> None:
        close[-8:, 0] = np.nan

    bench = market(spoil=stop_trading).with_(model=willing.model)
    # A held name without a fresh price: no plan may add risk beside it.
    decision = bench.decide(bench.snapshot(held={"N00": 100}))

    assert [verdict.approved for verdict in decision.verdicts] == [False, False]
    assert decision.kind == "vetoed" and "held_marks" in decision.summary
    assert decision.plan is None
    assert "PlanApproved" not in kinds(bench)


def test_a_plan_that_scales_to_nothing_ends_vetoed_and_not_in_a_circle(willing: Any):
    bench = willing.tightened(max_order_quantity=0)

    decision = bench.decide()

    assert decision.kind == "vetoed"
    assert len(decision.verdicts) == 1 and len(decision.drafts) == 2
    assert decision.drafts[1].legs == ()


@pytest.mark.parametrize(
    "limits",
    [
        {"max_var_99_frac": 0},
        {"max_gross": 0},
        {"max_instrument_weight": {"stock": 0}},
        {"max_sector_weight": {"stock": 0}},
        {"max_participation_frac": 0, "max_order_notional": 0},
    ],
)
def test_a_bound_of_zero_is_decided_on_and_buys_nothing(bench: Any, limits: dict[str, Any]):
    decision = bench.tightened(**limits).decide()

    assert decision.kind in ("no_trade", "vetoed")
    assert decision.plan is None


def test_a_third_draft_is_never_made():
    class Vetoed:
        approved = False

    state: Any = {"verdicts": [Vetoed()], "drafts": ["first", "scaled"]}

    assert asyncio.run(after_gate(state)) == ["commit"]
    state["drafts"] = ["first"]
    assert asyncio.run(after_gate(state)) == ["optimizer"]


def test_a_short_history_is_refused_with_its_reason_and_no_model_is_asked(market: Any, willing: Any):
    bench = market(n_days=100).with_(model=willing.model)

    decision = bench.decide()

    assert decision.kind == "refused" and "253 are needed" in decision.summary
    assert decision.llm_calls == 0 and willing.model.asked == []
    assert kinds(bench) == ["EvidenceRecorded", "DecisionMade"]


def test_a_desk_without_equity_refuses_to_size_a_book(bench: Any):
    decision = bench.decide(bench.snapshot(equity=Decimal(0)))

    assert decision.kind == "refused" and "equity is 0" in decision.summary


def test_a_source_without_data_abstains_and_is_counted(bench: Any):
    decision = bench.decide()

    silent = {view.source for view in decision.views if view.abstention is not None}
    assert silent == {Source.MICROSTRUCTURE, Source.MACRO}
    assert {item.reason for item in decision.abstentions} == {AbstainReason.NO_DATA}
    assert [view.source for view in decision.views] == sorted(Source)


def flatten(bench: Any, held: dict[str, int], *symbols: str, **intent: Any) -> Any:
    """The decision on an intent about this book."""
    return bench.decide(bench.snapshot(held=held), bench.intent(*symbols, **intent))


def test_a_flatten_sells_all_of_a_position_and_asks_no_model(willing: Any):
    decision = flatten(willing, {"N00": 300, "N01": 70}, "N00")

    assert decision.kind == "trade"
    (leg,) = decision.plan.legs
    assert (leg.symbol, leg.side, leg.quantity) == ("N00", Side.SELL, 300)
    assert leg.reason == "flatten asked for by operator"
    assert willing.model.asked == [] and decision.llm_calls == 0
    assert decision.views == () and decision.votes == ()
    assert kinds(willing) == ["EvidenceRecorded", "DecisionMade", "PlanApproved"]


@pytest.mark.parametrize(("keep_frac", "sold"), [(0.5, 151), (0.999, 1), (0.0, 301), (1.0, 0)])
def test_a_reduce_keeps_its_share_rounded_down(willing: Any, keep_frac: float, sold: int):
    decision = flatten(willing, {"N00": 301}, "N00", kind=IntentKind.REDUCE, keep_frac=keep_frac)

    assert sizes(decision.plan.legs if decision.plan else ()) == ({"N00": sold} if sold else {})


def test_a_flatten_keeps_nothing_whatever_share_it_names(willing: Any):
    decision = flatten(willing, {"N00": 300}, "N00", keep_frac=0.9)

    assert sizes(decision.plan.legs) == {"N00": 300}


def test_a_symbol_named_twice_is_sold_once(willing: Any):
    decision = flatten(willing, {"N00": 300}, "N00", "N00", "N01")

    assert decision.kind == "trade" and sizes(decision.plan.legs) == {"N00": 300}


def test_an_intent_on_what_is_not_held_trades_nothing(willing: Any):
    decision = flatten(willing, {"N00": 300}, "N05", "ELSEWHERE")

    assert (decision.kind, decision.summary) == ("no_trade", "Nothing to do.")


def test_an_intent_needs_no_history(market: Any, willing: Any):
    decision = flatten(market(n_days=60).with_(model=willing.model), {"N00": 300}, "N00")

    assert decision.kind == "trade" and sizes(decision.plan.legs) == {"N00": 300}


def test_an_intent_and_the_scheduled_run_of_one_close_are_two_decisions(willing: Any):
    snapshot = willing.snapshot(held={"N00": 300})

    scheduled = willing.decide(snapshot)
    asked = willing.decide(snapshot, willing.intent("N00"))

    assert scheduled.decision_id != asked.decision_id
    assert willing.decisions_logged() == 2


def test_the_events_of_a_decision_are_one_batch(willing: Any, monkeypatch: pytest.MonkeyPatch):
    written, append = [], willing.log.append
    monkeypatch.setattr(willing.log, "append", lambda events: written.append(len(events)) or append(events))

    willing.decide()

    assert written == [4]


def test_a_decision_that_is_logged_already_is_not_logged_again(willing: Any):
    first, second = willing.decide(), willing.decide()

    assert first == second
    assert willing.decisions_logged() == 1


@pytest.mark.parametrize("slow", ["sentiment/read", "risk/opinion", "execution/opinion"])
def test_who_answers_first_leaves_no_trace_in_the_log(bench: Any, slow: str):
    def told(delay_s: Any) -> bytes:
        model = bench.Scripted(lambda request: bench.reply_to(request, 80), delay_s=delay_s)
        again = bench.with_(model=model)
        again.decide()
        return b"\n".join(event.hash.encode() for event in again.events())

    assert told(lambda request: 0.03 if request.prompt.name == slow else 0.0) == told(None)


def test_two_desks_decide_the_same_bytes(bench: Any, market: Any):
    assert bench.bytes_of(bench.decide()) == bench.bytes_of(market().decide())


def test_what_comes_after_the_close_changes_nothing(bench: Any, market: Any):
    def garble(close: np.ndarray) -> None:
        close[301:] *= np.random.default_rng(0).uniform(0.2, 5.0, close[301:].shape)

    session = bench.history.sessions_between()[300]
    other = market(spoil=garble)

    one = bench.decide(bench.snapshot(session))
    two = other.decide(other.snapshot(session))

    assert bench.bytes_of(one) == bench.bytes_of(two)


@pytest.mark.parametrize(
    ("name", "session", "names"),
    [("us20", date(1993, 6, 30), 20), ("us5", date(2013, 2, 28), 5), ("sp500", date(2012, 6, 29), 1)],
)
def test_every_shipped_data_set_comes_to_a_trade(data_bench: Any, name: str, session: date, names: int):
    bench = data_bench(name)

    decision = bench.decide(bench.snapshot(session))

    assert decision.kind == "trade" and decision.verdict.approved
    assert 1 <= len(decision.plan.legs) <= names
    # us5 never has five names with a year behind them: FB was listed ten months before the data end.
    assert len(decision.signals) == (names if names > 5 else 0)
    assert bench.decisions_logged() == 1


def test_a_universe_of_one_has_no_scores_to_compare_and_says_so(data_bench: Any):
    decision = data_bench("sp500").decide()

    reasons = {item.who: item.reason for item in decision.abstentions}
    assert reasons["technical"] is reasons["analyst"] is AbstainReason.SHORT_HISTORY
