"""A halt keeps every cause that stands: what a person takes back leaves what breakers hold, whichever came first."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.domain.control_events import BookDifference, BookReconciled, NotificationRaised, TradingStateChanged
from parley.domain.events import Payload
from parley.domain.trading import ACCOUNT, TradingState
from parley.execution.breaker_rules import USUAL_RULES, BreakerRules, Rule
from parley.execution.breakers import DayFacts
from parley.execution.controls import Controls
from parley.execution.errors import RearmRefused
from parley.execution.standing import Standing
from parley.execution.watching import Reading

NOW = datetime(2022, 3, 1, 15, tzinfo=UTC)
CALM = Reading(NOW, Decimal(100_000), {}, 0, 0, 0, 0, None, None, None)
DAY = DayFacts(100_000.0, 100_000.0)
ACTIVE, REDUCING, HALTED = TradingState.ACTIVE, TradingState.REDUCING, TradingState.HALTED
HALTING = USUAL_RULES.model_copy(update={"daily_loss": Rule(trip=0.02, rearm=0.015, action="halt")})
STRANGE = BookDifference(kind="position", subject="AAA", ours="0", theirs="5", explained=False, text="5 AAA too many")


@dataclass
class Desk:
    """A log of control facts, and the controls that write it, whose process may be started anew."""

    rules: BreakerRules = USUAL_RULES
    told: list[Payload] = field(default_factory=list)
    equity: int = 100_000

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Another process: it knows what the log holds and nothing else."""
        self.controls = Controls("run", self._record, self, self.rules)
        self.controls.standing.resume(self.told)
        self.controls.begin_day(DAY, CALM._replace(equity=Decimal(self.equity)))

    def take(self, controls: Controls, now: datetime) -> None:
        """Nobody is outside."""

    def _record(self, payload: Payload, now: datetime, *, outside: bool) -> None:
        self.told.append(payload)

    @property
    def standing(self) -> Standing:
        return self.controls.standing

    @property
    def changes(self) -> list[TradingStateChanged]:
        return [payload for payload in self.told if isinstance(payload, TradingStateChanged)]

    @property
    def causes(self) -> list[tuple[str, TradingState]]:
        return [(item.name, item.after) for item in self.standing.all_causes]

    def at(self, equity: int) -> None:
        self.equity = equity
        self.controls.observe(CALM._replace(equity=Decimal(equity)))

    def flag(self) -> None:
        self.controls.tighten(ACCOUNT, HALTED, "kill_flag", "kill_flag", "ann: smoke", NOW)

    def ask(self, state: TradingState, name: str) -> bool:
        return self.controls.tighten(ACCOUNT, state, "operator", name, "ann: calmer", NOW)

    def differ(self) -> None:
        reconciled = BookReconciled(venue="paper", orders_checked=1, executions_checked=1, differences=(STRANGE,))
        self.controls.states(NOW)
        self.controls.on_unexplained(reconciled)

    def resume(self, *, anyway: bool = False) -> bool:
        return self.controls.rearm(ACCOUNT, "ann", "looked into it", NOW, anyway=anyway)


@pytest.mark.parametrize("restarts", [False, True])
@pytest.mark.parametrize("order", ["breaker, flag", "flag, breaker"])
@pytest.mark.parametrize(("rules", "holds"), [(USUAL_RULES, REDUCING), (HALTING, HALTED)])
def test_a_loss_outside_its_band_is_held_against_the_end_of_a_kill_flag_as_it_is_without_one(
    rules: BreakerRules, holds: TradingState, order: str, restarts: bool
) -> None:
    plain = Desk(rules)
    plain.at(97_000)
    with pytest.raises(RearmRefused) as without:
        plain.resume()
    desk = Desk(rules)
    steps = [lambda: desk.at(97_000), desk.flag]
    for step in steps if order == "breaker, flag" else steps[::-1]:
        step()
        if restarts:
            desk.restart()
    assert sorted(desk.causes) == sorted([("daily_loss", holds), ("kill_flag", HALTED)])
    assert desk.standing.in_force[ACCOUNT].cause == "kill_flag" and desk.standing.bars_stops

    with pytest.raises(RearmRefused) as refused:
        desk.resume()

    assert refused.value.message == without.value.message
    assert desk.causes == plain.causes == [("daily_loss", holds)]
    assert desk.standing.restrictions == plain.standing.restrictions
    assert not desk.standing.bars_stops and desk.standing.waits_for is None
    with pytest.raises(RearmRefused):
        desk.resume()
    desk.at(98_600)
    assert desk.resume()
    assert desk.standing.account is ACTIVE and desk.causes == []


def test_what_was_acknowledged_since_the_open_no_longer_holds_the_account() -> None:
    desk = Desk()
    desk.at(89_000)
    assert desk.resume(anyway=True)
    desk.equity = 100_000
    desk.restart()
    assert desk.causes == [("unacknowledged", HALTED)]

    with pytest.raises(RearmRefused, match=r"unacknowledged tripped at 1 and is 1 now; it may be armed at 0$"):
        desk.resume()
    for ident in tuple(desk.standing.unacknowledged):
        desk.controls.acknowledge(ident, "ann", "seen", NOW)

    assert desk.resume() and desk.standing.account is ACTIVE


def test_a_person_may_still_free_all_of_it_anyway() -> None:
    desk = Desk()
    desk.at(89_000)
    desk.flag()

    assert desk.resume(anyway=True)

    assert desk.standing.account is ACTIVE and desk.causes == []


def test_a_graver_breaker_does_not_hide_the_one_before_it() -> None:
    desk = Desk()
    desk.at(97_000)
    desk.at(89_000)
    assert desk.causes == [("drawdown", HALTED), ("daily_loss", REDUCING)]
    desk.at(92_500)  # the drawdown is back inside its band of 8 %, the day's loss is not

    with pytest.raises(RearmRefused, match="daily_loss tripped at") as refused:
        desk.resume()
    assert "drawdown" not in refused.value.message

    assert desk.standing.account is HALTED, "only what people asked for is taken back by halves"


def test_a_breaker_that_trips_under_a_kill_flag_is_told_once_and_leaves_the_account_halted() -> None:
    desk = Desk()
    desk.flag()

    desk.at(97_000)
    desk.at(96_000)

    (change,) = desk.changes[1:]
    assert (change.before, change.after, change.name, change.limit) == (HALTED, HALTED, "daily_loss", 0.02)
    told = [item.text for item in desk.told if isinstance(item, NotificationRaised) and item.code == "daily_loss"]
    assert len(told) == 1 and told[0].startswith("account is HALTED: loss since the last close")


def test_a_breaker_under_the_desks_own_halt_is_not_recorded_as_before() -> None:
    desk = Desk()
    desk.at(89_000)
    count = len(desk.told)

    desk.at(85_000)
    desk.controls.begin_day(DAY, CALM._replace(equity=Decimal(97_000)))

    assert [item.name for item in desk.changes] == ["daily_loss", "drawdown"]
    assert [item.name for item in desk.told[count:] if isinstance(item, TradingStateChanged)] == []


def test_a_flatten_in_a_halt_gives_no_breaker_free() -> None:
    desk = Desk()
    desk.at(89_000)

    desk.controls.loosen_to_reduce("ann", "war", NOW)

    assert desk.standing.account is REDUCING and desk.standing.in_force[ACCOUNT].name == "flatten"
    with pytest.raises(RearmRefused, match="drawdown"):
        desk.resume()
    assert desk.standing.account is REDUCING
    desk.at(99_000)
    assert desk.resume()


@pytest.mark.parametrize("asks", ["flag", "reduce", "flatten"])
def test_the_next_open_arms_a_breaker_again_but_nothing_that_a_person_asked_for(asks: str) -> None:
    desk = Desk()
    desk.at(97_000)
    if asks == "flag":
        desk.flag()
    else:
        assert desk.ask(REDUCING, asks)
        assert not desk.ask(REDUCING, asks), "once is enough"
    before = desk.standing.account

    desk.controls.begin_day(DAY, CALM)
    desk.controls.rearm_reduced("recorded days", "nobody attends", NOW)

    assert desk.standing.account is before
    assert desk.resume() and desk.standing.account is ACTIVE


def test_what_is_left_of_a_flag_that_was_taken_back_is_armed_at_the_next_open() -> None:
    desk = Desk()
    desk.flag()
    desk.at(97_000)
    with pytest.raises(RearmRefused):
        desk.resume()

    desk.controls.begin_day(DAY, CALM)
    desk.controls.rearm_reduced("recorded days", "nobody attends", NOW)

    assert desk.standing.account is ACTIVE


@pytest.mark.parametrize("order", ["flag first", "difference first"])
def test_a_difference_with_the_venue_stands_beside_a_kill_flag_and_goes_with_a_persons_word(order: str) -> None:
    desk = Desk()
    steps = [desk.flag, desk.differ] if order == "flag first" else [desk.differ, lambda: desk.ask(HALTED, "halt")]
    for step in steps:
        step()

    assert {name for name, _ in desk.causes} == {"drift", "kill_flag" if order == "flag first" else "halt"}
    assert desk.standing.bars_stops and desk.standing.waits_for is not None
    assert desk.resume()
    assert desk.standing.account is ACTIVE and desk.standing.unexplained == 0


STEP: st.SearchStrategy[tuple[str, Any]] = st.one_of(
    st.tuples(st.just("at"), st.sampled_from([85_000, 97_000, 98_200, 99_000])),
    st.tuples(st.just("flag"), st.none()),
    st.tuples(st.just("ask"), st.sampled_from([(HALTED, "halt"), (REDUCING, "reduce"), (REDUCING, "flatten")])),
    st.tuples(st.just("differ"), st.none()),
    st.tuples(st.just("loosen"), st.none()),
    st.tuples(st.just("resume"), st.booleans()),
    st.tuples(st.just("open"), st.none()),
)


def take(desk: Desk, step: str, value: Any) -> None:
    match step:
        case "at":
            desk.at(value)
        case "ask":
            desk.ask(*value)
        case "loosen":
            desk.controls.loosen_to_reduce("ann", "war", NOW)
        case "resume":
            try:
                desk.resume(anyway=value)
            except RearmRefused:
                assert any(item.cause == "breaker" for item in desk.standing.all_causes)
        case "open":
            desk.controls.begin_day(DAY, CALM._replace(now=NOW + timedelta(days=1)))
            desk.controls.rearm_reduced("recorded days", "nobody attends", NOW)
        case _:
            getattr(desk, step)()


@settings(max_examples=50, deadline=None)
@given(st.lists(STEP, max_size=12), st.sampled_from([USUAL_RULES, HALTING]))
def test_the_log_alone_tells_every_cause_and_the_gravest_is_the_state(
    steps: list[tuple[str, Any]], rules: BreakerRules
) -> None:
    desk = Desk(rules)
    for step, value in steps:
        asked = {(item.cause, item.name) for item in desk.standing.all_causes if item.cause == "kill_flag"}
        take(desk, step, value)
        again = Standing(rules)
        again.resume(desk.told)

        assert (again.causes, again.in_force) == (desk.standing.causes, desk.standing.in_force)
        assert (again.restrictions, again.waits_for) == (desk.standing.restrictions, desk.standing.waits_for)
        causes = desk.standing.all_causes
        gravest = max((item.after.severity for item in causes), default=0)
        assert desk.standing.account.severity == desk.standing.of_scope(ACCOUNT).severity == gravest
        if step in ("at", "differ", "ask", "open"):
            assert asked <= {(item.cause, item.name) for item in causes}, "only a person takes the flag back"
    before = None
    for change in desk.changes:
        assert before is None or change.before is before
        before = change.after
