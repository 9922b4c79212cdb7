"""The desk: its frozen start of a decision, the approval given again, an operator's intent, and the model's choice."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from parley.agents.llm.port import ChatReply, ChatRequest
from parley.agents.llm.rules import RulesModel
from parley.desk.desk import Desk, RunPlan
from parley.desk.errors import DeskError, SettingsInvalid
from parley.desk.models import build_model
from parley.desk.settings import LlmSettings, Settings
from parley.domain.decisions import Decision, Intent, IntentKind, Snapshot
from parley.domain.errors import LedgerError
from parley.domain.market import TextItem
from parley.domain.orders import Side
from parley.domain.portfolio import Portfolio, Position
from parley.gate.limits import load_limits
from parley.market.cards import DataSet
from pydantic import SecretStr

MakeDesk = Callable[..., Desk]
MILLION = Decimal(1_000_000)


def start(desk: Desk, portfolio: Portfolio | None = None, days_back: int = 1) -> Snapshot:
    session = desk.history.sessions_between()[-days_back]
    return desk.snapshot(session, portfolio or Portfolio(cash=MILLION), MILLION, MILLION)


def decide(desk: Desk, snapshot: Snapshot, intent: Intent | None = None) -> Decision:
    return asyncio.run(desk.decide(snapshot, intent))


def holding(quantity: int) -> Portfolio:
    position = Position(symbol="N0", quantity=quantity, average_price=Decimal(40))
    return Portfolio(cash=Decimal(900_000), positions=(position,))


def test_a_snapshot_holds_the_close_and_nothing_later(make_desk: MakeDesk) -> None:
    desk = make_desk()

    found = start(desk, days_back=3)

    closes = desk.data.panel.close[-3]
    assert [float(found.prices[symbol]) for symbol in found.symbols] == pytest.approx(closes.tolist())
    assert found.as_of == desk.history.close_time(found.session)
    assert found.data_fingerprint == desk.history.as_of(found.as_of).fingerprint
    assert found.limits_hash == desk.limits.hash()


def test_a_snapshot_values_what_is_held_and_remembers_the_peak(make_desk: MakeDesk) -> None:
    desk = make_desk()

    found = start(desk, holding(1000))

    assert found.equity == Decimal(900_000) + 1000 * found.prices["N0"]
    assert found.peak_equity == MILLION
    assert found.peak_equity > found.equity


def test_a_new_high_is_the_new_peak(make_desk: MakeDesk) -> None:
    assert start(make_desk(), Portfolio(cash=2 * MILLION)).peak_equity == 2 * MILLION


def test_a_held_name_that_never_had_a_price_is_an_error_and_not_a_zero(make_desk: MakeDesk) -> None:
    stranger = Position(symbol="GONE", quantity=5, average_price=Decimal(1))

    with pytest.raises(LedgerError, match="GONE: held 5"):
        start(make_desk(), Portfolio(cash=MILLION, positions=(stranger,)))


def test_a_snapshot_names_the_texts_of_the_last_three_days(make_desk: MakeDesk, market: DataSet) -> None:
    close = market.history().close_time(market.history().last_session)
    arrivals = {"old": -timedelta(days=4), "new": -timedelta(hours=2), "late": timedelta(minutes=1)}
    texts = tuple(
        TextItem(id=name, symbol="N0", source="wire", ts_event=close + gap, available_at=close + gap, headline=name)
        for name, gap in arrivals.items()
    )

    assert start(make_desk(data=replace(market, texts=texts))).text_ids == ("new",)


def test_a_recorded_approval_is_given_again_for_the_same_state(make_desk: MakeDesk) -> None:
    desk = make_desk()
    decision = decide(desk, start(desk))

    approved = desk.approved(decision)

    assert approved is not None
    assert approved.plan == decision.plan
    assert decision.kind == "trade"


def test_a_decision_without_a_plan_gives_no_approval(make_desk: MakeDesk) -> None:
    desk = make_desk()
    decision = decide(desk, start(desk)).model_copy(update={"plan": None})

    assert desk.approved(decision) is None


def test_an_approval_under_other_limits_is_refused(make_desk: MakeDesk) -> None:
    desk = make_desk()
    decision = decide(desk, start(desk))
    tighter = replace(desk, ports=replace(desk.ports, limits=desk.limits.tighten(max_legs=1)))

    with pytest.raises(DeskError, match="answers differently"):
        tighter.approved(decision)


class NobodyHome(RulesModel):
    """Fails the test when it is asked."""

    async def complete(self, request: ChatRequest) -> ChatReply:
        raise AssertionError(f"{request.node} asked the model")


@pytest.mark.parametrize(("keep_frac", "sold"), [(0.0, 900), (0.5, 450), (0.333, 601)])
def test_an_intent_goes_to_the_gate_with_no_model_on_its_way(make_desk: MakeDesk, keep_frac: float, sold: int) -> None:
    desk = make_desk(model=NobodyHome())
    intent = Intent(
        intent_id="int-1", kind=IntentKind.REDUCE, symbols=("N0", "N1"), keep_frac=keep_frac, by="ann", reason="nerves"
    )

    decision = decide(desk, start(desk, holding(900)), intent)

    assert decision.kind == "trade"
    assert decision.llm_calls == 0
    assert decision.plan is not None
    assert [(leg.symbol, leg.side, leg.quantity) for leg in decision.plan.legs] == [("N0", Side.SELL, sold)]
    assert decision.verdict is not None
    assert decision.verdict.approved
    assert desk.approved(decision) is not None


def test_an_intent_on_nothing_held_decides_to_do_nothing(make_desk: MakeDesk) -> None:
    desk = make_desk(model=NobodyHome())
    intent = Intent(intent_id="int-2", kind=IntentKind.FLATTEN, symbols=("N1",), by="ann", reason="nerves")

    decision = decide(desk, start(desk), intent)

    assert (decision.kind, decision.plan.legs if decision.plan else ()) == ("no_trade", ())


def test_an_intent_and_the_scheduled_decision_of_a_moment_have_two_ids(make_desk: MakeDesk) -> None:
    desk = make_desk()
    intent = Intent(intent_id="int-3", kind=IntentKind.FLATTEN, symbols=("N0",), by="ann", reason="nerves")
    snapshot = start(desk, holding(900))

    assert decide(desk, snapshot, intent).decision_id != decide(desk, snapshot).decision_id


def test_a_plan_names_a_run_by_everything_that_decides_it() -> None:
    days = tuple(np.arange("2020-01-02", "2020-01-05", dtype="datetime64[D]").tolist())
    base, settings, limits = RunPlan("d", days, "rules", 7), Settings(), load_limits()
    ids = {
        base.run_id(settings, limits),
        replace(base, seed=8).run_id(settings, limits),
        replace(base, model="other").run_id(settings, limits),
        replace(base, data="e").run_id(settings, limits),
        replace(base, sessions=days[:2]).run_id(settings, limits),
        base.run_id(Settings(cash=Decimal(5)), limits),
        base.run_id(settings, limits.tighten(max_legs=1)),
    }

    assert len(ids) == 7
    assert base.run_id(Settings(), load_limits()) in ids


def test_the_rules_need_no_endpoint_and_any_other_model_does() -> None:
    assert build_model("rules", LlmSettings()).name == "rules"
    with pytest.raises(SettingsInvalid, match="'gpt-9' needs an endpoint") as caught:
        build_model("gpt-9", LlmSettings())
    assert "PARLEY_LLM_BASE_URL" in caught.value.remedy


def test_a_model_at_an_endpoint_is_built_without_being_called() -> None:
    model = build_model("small", LlmSettings(base_url="http://127.0.0.1:9/v1", api_key=SecretStr("x")))

    assert (model.name, model.is_deterministic) == ("small", False)


def test_checkpoints_are_kept_only_for_models_worth_remembering(make_desk: MakeDesk, tmp_path: Path) -> None:
    class Moody(RulesModel):
        is_deterministic = False

    for name, model in (("rules", RulesModel()), ("moody", Moody())):
        desk = make_desk(model=model, checkpoint_path=str(tmp_path / name))
        decide(desk, start(desk))

    assert not (tmp_path / "rules").exists()
    assert (tmp_path / "moody").exists()
