"""Calls that are kept: by request, prompt version and occurrence, with seconds and depth beside them; and replayed."""

import asyncio
import itertools
import json
from decimal import Decimal
from typing import Any

import pytest
from parley.agents.ask import Asking, Question, ask, ask_all
from parley.agents.budget import Budget
from parley.agents.errors import BudgetSpent, ModelFailed, ReplayMiss
from parley.agents.llm.call_store import GIVEN_UP, BookCalls, CallStore
from parley.agents.llm.port import ChatRequest
from parley.agents.llm.recorded import RecordedCalls, ReplayModel
from parley.agents.llm.recording import RecordingModel
from parley.agents.llm.rules import FALLBACK_MODEL
from parley.agents.llm.spending import Bounds, Meter, Spent
from parley.agents.replies import OpinionReply
from parley.domain.decisions import ModelCall
from parley.prompts.loader import load_prompt
from parley.storage.errors import StoreRefused
from parley.storage.sql import open_in_memory

GOOD = '{"votes":[]}'


def request(node: str = "risk_manager", facts: str = "{}") -> ChatRequest:
    return ChatRequest(node, load_prompt("risk/opinion"), facts, OpinionReply, 100)


def recording(live: Any, store: CallStore, day: str = "2026-11-22", **options: Any) -> RecordingModel:
    ticks = itertools.count()
    return RecordingModel(
        live=live,
        store=store,
        meter=options.pop("meter", Meter()),
        now_s=lambda: next(ticks) * 0.5,
        stamp=lambda: f"{day}T10:00:00.000+00:00",
        timeout_s=0.05,
        **options,
    )


@pytest.fixture
def store() -> CallStore:
    return CallStore(open_in_memory())


def complete(model: Any, asked: ChatRequest | None = None) -> Any:
    return asyncio.run(model.complete(asked or request()))


def test_a_call_is_kept_as_the_log_has_it_with_what_the_log_cannot_hold(kit: Any, store: CallStore):
    model = recording(kit.Model([GOOD]), store)
    model.begin_decision("dec-1")
    question = Question("risk_manager", "risk/opinion", {"legs": []}, OpinionReply)

    answer = asyncio.run(ask(Asking(model), Budget(1, 9_999), question))

    (kept,) = store.calls()
    assert (kept.call,) == answer.calls
    assert (kept.occurrence, kept.decision_id, kept.depth, kept.seconds) == (0, "dec-1", 1, 0.5)
    assert (kept.recorded_at, kept.cost) == ("2026-11-22T10:00:00.000+00:00", None)
    system, user = json.loads(kept.asked)
    assert system["content"] == load_prompt("risk/opinion").system
    assert '{"legs":[]}' in user["content"]


def test_the_same_question_again_is_another_occurrence(kit: Any, store: CallStore):
    model = recording(kit.Model(["one", "two", "other"]), store)

    for asked in (request(), request(), request(facts='{"a":1}')):
        complete(model, asked)

    assert [(kept.call.reply, kept.occurrence) for kept in store.calls()] == [("one", 0), ("two", 1), ("other", 0)]


def test_what_was_kept_can_be_neither_changed_nor_taken_away(kit: Any):
    database = open_in_memory()
    complete(recording(kit.Model([GOOD]), CallStore(database)))

    for statement in ("DELETE FROM model_calls", "UPDATE model_calls SET seconds = 0"):
        with pytest.raises(StoreRefused, match="append-only"):
            database.execute(statement)


def test_failures_and_replies_that_came_too_late_are_kept_too(kit: Any, store: CallStore):
    model = recording(kit.Model([ModelFailed("tiny: HTTP 500"), GOOD], delay_s=lambda _: 0.0), store)
    slow = recording(kit.Model([GOOD], delay_s=lambda _: 5.0), store)
    question = Question("risk_manager", "risk/opinion", {"legs": []}, OpinionReply)

    with pytest.raises(ModelFailed):
        complete(model)
    answer = asyncio.run(ask(Asking(slow, timeout_s=0.05), Budget(1, 9_999), question))

    failed, late = store.calls()
    assert (failed.call.error, failed.call.reply, failed.call.completion_tokens) == ("tiny: HTTP 500", "", 0)
    assert late.call.error == "no reply within 0.05 s"
    assert (late.call,) == answer.calls


def test_a_call_that_was_given_up_is_kept_and_answers_nothing(kit: Any, store: CallStore):
    async def interrupted() -> None:
        slow = recording(kit.Model([GOOD], delay_s=lambda _: 5.0), store)
        slow.timeout_s = 300.0
        asking = asyncio.create_task(slow.complete(request()))
        await asyncio.sleep(0)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)

    for _ in range(2):
        asyncio.run(interrupted())
    complete(recording(kit.Model(["said"]), store))

    assert [(kept.occurrence, kept.call.error) for kept in store.calls()] == [(-1, GIVEN_UP), (-2, GIVEN_UP), (0, None)]
    assert complete(ReplayModel(book(store), "scripted")).text == "said"
    assert store.spent_on("2026-11-22").calls == 3


def test_depth_counts_the_calls_that_had_to_end_first(kit: Any, store: CallStore):
    model = recording(kit.Model(lambda _: GOOD, delay_s=lambda _: 0.0), store)
    asking, plenty = Asking(model), Budget(1, 99_999)

    def asked(*nodes: str) -> None:
        questions = [Question(node, "risk/opinion", {"n": node}, OpinionReply) for node in nodes]
        asyncio.run(ask_all(asking, plenty, questions))

    for decision in ("dec-1", "dec-2"):
        model.begin_decision(decision)
        asked("sentiment")
        asked("analyst")
        asked("a", "b", "c")

    for decision in ("dec-1", "dec-2"):
        assert [kept.depth for kept in store.calls(decision)] == [1, 2, 3, 3, 3]


def test_what_the_budget_refuses_is_kept_as_unasked_and_spends_nothing(kit: Any, store: CallStore):
    live = kit.Model([GOOD] * 3)
    model = recording(live, store, meter=Meter(decision=Bounds(calls=1)))
    complete(model)

    with pytest.raises(BudgetSpent):
        complete(model, request(facts='{"a":1}'))

    assert len(live.asked) == 1
    refused = store.calls()[1].call
    assert refused.error is not None and refused.error.startswith("not asked: the model budget of this decision")
    assert store.spent_on("2026-11-22") == Spent(1, 110, 0.5, Decimal(0))


def test_what_was_spent_is_told_by_the_day(kit: Any, store: CallStore):
    complete(recording(kit.Model([GOOD]), store, "2026-11-21"))
    complete(recording(kit.Model([GOOD]), store, "2026-11-22"), request(facts='{"a":1}'))

    assert store.spent_on("2026-11-21") == Spent(1, 110, 0.5, Decimal(0))
    assert store.spent_on("2026-11-23") == Spent()


def book(*stores: CallStore, name: str = "scripted", **names: str) -> BookCalls:
    return BookCalls(stores, name, names)


def test_a_book_of_recordings_answers_by_occurrence_and_refuses_the_rest(kit: Any, store: CallStore):
    model = recording(kit.Model(["one", "two"]), store)
    for _ in range(2):
        complete(model)

    replayed = ReplayModel(book(store), "scripted")

    assert [complete(replayed).text for _ in range(2)] == ["one", "two"]
    with pytest.raises(ReplayMiss, match="risk/opinion version"):
        complete(replayed)


def test_of_two_recordings_the_later_one_counts_and_another_models_never(kit: Any, store: CallStore):
    later = CallStore(open_in_memory())
    complete(recording(kit.Model(["old"]), store, "2026-11-21"))
    complete(recording(kit.Model(["new"]), later, "2026-11-22"))

    assert complete(ReplayModel(book(later, store), "scripted")).text == "new"
    with pytest.raises(ReplayMiss):
        complete(ReplayModel(book(store, name="other"), "other"))
    with pytest.raises(ReplayMiss):
        complete(ReplayModel(book(store, risk_manager="small"), "scripted"))


def test_what_was_not_recorded_goes_to_the_live_model_where_there_is_one(kit: Any, store: CallStore):
    complete(recording(kit.Model(["kept"]), store))
    live = kit.Model(["asked"])

    model = ReplayModel(book(store), "scripted", live)

    assert [complete(model).text, complete(model).text] == ["kept", "asked"]
    assert not model.is_deterministic


def test_recorded_failures_fail_again(kit: Any, store: CallStore):
    with pytest.raises(ModelFailed):
        complete(recording(kit.Model([ModelFailed("tiny: HTTP 500")]), store))

    with pytest.raises(ModelFailed, match="tiny: HTTP 500"):
        complete(ReplayModel(book(store), "scripted"))


def test_what_the_rules_said_in_a_models_place_is_no_recording_of_the_model():
    asked = request()
    call = ModelCall(
        node=asked.node,
        prompt=asked.prompt.name,
        prompt_version=asked.prompt.version,
        model=FALLBACK_MODEL,
        request_hash=asked.hash,
        reply=GOOD,
        prompt_tokens=1,
        completion_tokens=1,
    )

    assert RecordedCalls([call]).find(asked, 0) is None
    assert RecordedCalls([call.model_copy(update={"model": "tiny"})]).find(asked, 0) is not None


def test_a_changed_prompt_version_finds_no_recording_of_the_old_one():
    asked = request()
    call = ModelCall(
        node=asked.node,
        prompt=asked.prompt.name,
        prompt_version=asked.prompt.version + 1,
        model="tiny",
        request_hash=asked.hash,
        reply=GOOD,
        prompt_tokens=1,
        completion_tokens=1,
    )

    assert RecordedCalls([call]).find(asked, 0) is None
