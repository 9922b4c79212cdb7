"""The controls: anybody tightens, a person alone gives free, and the log gives back where they stood."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.domain.control_events import (
    BookDifference,
    BookReconciled,
    NotificationRaised,
    OperatorAsked,
    TradingStateChanged,
)
from parley.domain.events import Payload
from parley.domain.trading import ACCOUNT, Scope, TradingState
from parley.execution.breaker_rules import USUAL_RULES, BreakerRules, Rule
from parley.execution.breakers import BREAKERS, DayFacts
from parley.execution.controls import Controls
from parley.execution.errors import RearmRefused
from parley.execution.flatten_requests import FLATTEN_ENDED, FLATTEN_WAITS, end_code
from parley.execution.standing import Standing
from parley.execution.watching import Reading

NOW = datetime(2022, 3, 1, 15, tzinfo=UTC)
CALM = Reading(NOW, Decimal(100_000), {}, 0, 0, 0, 0, None, None, None)
DAY = DayFacts(100_000.0, 100_000.0, {"AAA": 0.1})
AAA = Scope(kind="instrument", name="AAA")
ACTIVE, REDUCING, HALTED = TradingState.ACTIVE, TradingState.REDUCING, TradingState.HALTED


@dataclass
class Book:
    """A log of control facts, and the controls that write it."""

    rules: BreakerRules = USUAL_RULES
    told: list[tuple[Payload, bool]] = field(default_factory=list)
    is_broken: bool = False

    def __post_init__(self) -> None:
        self.controls = Controls("run", self._record, self, self.rules)

    def take(self, controls: Controls, now: datetime) -> None:
        """Nobody is outside."""

    def _record(self, payload: Payload, now: datetime, *, outside: bool) -> None:
        if self.is_broken:
            raise OSError("the log takes no more writes")
        self.told.append((payload, outside))

    def of(self, kind: type[Payload]) -> list[Payload]:
        return [payload for payload, _ in self.told if isinstance(payload, kind)]

    def lose(self, equity: int) -> None:
        self.controls.observe(CALM._replace(equity=Decimal(equity)))


@pytest.fixture
def book() -> Book:
    made = Book()
    made.controls.begin_day(DAY, CALM)
    return made


def test_a_calm_day_tells_nothing(book: Book) -> None:
    book.controls.observe(CALM)

    assert book.told == []
    assert book.controls.states(NOW).restricted == ()


def test_a_breaker_trips_once_says_what_it_saw_and_stays_tripped(book: Book) -> None:
    book.lose(97_000)
    book.lose(99_999)

    (change,) = book.of(TradingStateChanged)
    assert isinstance(change, TradingStateChanged)
    assert (change.scope, change.before, change.after) == (ACCOUNT, ACTIVE, REDUCING)
    assert (change.cause, change.name, change.limit) == ("breaker", "daily_loss", 0.02)
    assert change.figure == pytest.approx(0.03)
    assert book.controls.states(NOW).of() is REDUCING
    assert [outside for _, outside in book.told] == [False, False]


def test_nothing_that_tightens_ever_loosens(book: Book) -> None:
    book.controls.tighten(ACCOUNT, HALTED, "operator", "halt", "ann: smoke", NOW)

    assert not book.controls.tighten(ACCOUNT, REDUCING, "operator", "reduce", "bob: calmer", NOW)
    assert not book.controls.tighten(ACCOUNT, HALTED, "preflight", "preflight", "again", NOW)
    assert book.controls.standing.account is HALTED


@pytest.mark.parametrize("cause", ["kill_flag", "dead_man", "reconciliation"])
def test_a_kill_flag_in_a_halt_says_that_not_even_stops_are_sent_once(book: Book, cause: Any) -> None:
    book.controls.tighten(ACCOUNT, HALTED, "operator", "halt", "ann: smoke", NOW)
    assert not book.controls.standing.bars_stops

    assert book.controls.tighten(ACCOUNT, HALTED, cause, cause, "bob: fire", NOW)
    assert not book.controls.tighten(ACCOUNT, HALTED, "kill_flag", "kill_flag", "again", NOW)
    assert not book.controls.tighten(ACCOUNT, HALTED, "operator", "halt", "ann: smoke", NOW)

    assert "nothing at all is sent" in book.controls.standing.bars_stops
    changes = [change for change in book.of(TradingStateChanged) if isinstance(change, TradingStateChanged)]
    assert [change.cause for change in changes] == ["operator", cause]


def test_a_breaker_is_armed_again_by_a_person_inside_its_band_only(book: Book) -> None:
    book.lose(97_000)
    book.lose(98_200)  # 1.8 %: below the trip level of 2 %, above the band's 1.5 %

    with pytest.raises(RearmRefused, match=r"1\.80 % now; it may be armed at 1\.50 %"):
        book.controls.rearm(ACCOUNT, "ann", "I like it", NOW)
    book.lose(98_600)
    assert book.controls.rearm(ACCOUNT, "ann", "the print was wrong", NOW)

    freed = book.of(TradingStateChanged)[-1]
    assert isinstance(freed, TradingStateChanged)
    assert (freed.after, freed.cause, freed.reason) == (ACTIVE, "operator", "ann: the print was wrong")
    assert book.controls.states(NOW).restricted == ()
    book.lose(97_000)
    assert book.controls.states(NOW).of() is REDUCING, "it guards again"


def test_a_person_may_arm_it_anyway_but_never_without_a_reason(book: Book) -> None:
    book.lose(97_000)

    with pytest.raises(RearmRefused, match="no reason"):
        book.controls.rearm(ACCOUNT, "ann", "  ", NOW, anyway=True)
    assert book.controls.rearm(ACCOUNT, "ann", "a dividend was booked late", NOW, anyway=True)
    assert not book.controls.rearm(ACCOUNT, "ann", "again", NOW)


def test_an_alert_restricts_nothing_and_is_told_again_only_after_it_was_back(book: Book) -> None:
    book.controls.begin_day(replace(DAY, previous_equity=94_000.0), CALM._replace(equity=Decimal(94_000)))
    book.lose(94_000)
    book.lose(95_500)  # 4.5 %: not yet back
    book.lose(94_000)
    book.lose(96_500)
    book.lose(94_900)

    codes = [item.code for item in book.of(NotificationRaised) if isinstance(item, NotificationRaised)]
    assert codes == ["drawdown_alert", "back: drawdown_alert", "drawdown_alert"]
    assert book.of(TradingStateChanged) == []


def test_a_halt_by_a_breaker_is_critical_and_blocks_the_next_open_until_acknowledged(book: Book) -> None:
    book.lose(89_000)
    critical = [item for item in book.controls.standing.unacknowledged.values() if item.code == "drawdown"]
    assert len(critical) == 1
    assert book.controls.rearm(ACCOUNT, "ann", "bad tick", NOW, anyway=True)

    book.controls.begin_day(DAY, CALM)
    assert book.controls.standing.in_force[ACCOUNT].name == "unacknowledged"

    assert book.controls.acknowledge(critical[0].notification_id, "ann", "seen", NOW)
    assert not book.controls.acknowledge(critical[0].notification_id, "ann", "seen", NOW)
    book.controls.look(DAY, CALM)
    assert book.controls.rearm(ACCOUNT, "ann", "seen", NOW)
    book.controls.begin_day(DAY, CALM)
    assert book.controls.standing.account is ACTIVE


def test_a_concentration_restricts_its_name_and_no_other(book: Book) -> None:
    book.controls.observe(CALM._replace(values={"AAA": Decimal(10_500)}))

    states = book.controls.states(NOW)
    assert states.of("AAA") is REDUCING
    assert states.of("BBB") is ACTIVE


def test_a_concentration_is_judged_once_in_each_second_of_market_time(book: Book) -> None:
    book.controls.observe(CALM)
    later, next_second = NOW + timedelta(milliseconds=999), NOW + timedelta(seconds=1)

    book.controls.observe(CALM._replace(now=later, values={"AAA": Decimal(10_500)}))
    assert book.controls.states(later).restricted == ()
    book.controls.observe(CALM._replace(now=next_second, values={"AAA": Decimal(10_500)}))

    assert book.controls.states(next_second).of("AAA") is REDUCING


def test_a_loss_is_judged_at_every_reading_of_a_second(book: Book) -> None:
    book.controls.observe(CALM)

    book.lose(97_000)

    assert book.controls.states(NOW).of("AAA") is REDUCING


def test_an_unexplained_difference_halts_the_account_and_an_explained_one_does_not(book: Book) -> None:
    book.controls.states(NOW)
    fine = BookDifference(
        kind="missing_fill", subject="e1", ours="0", theirs="5", explained=True, text="a fill was missed"
    )
    reconciled = BookReconciled(venue="paper", orders_checked=1, executions_checked=1, differences=(fine,))
    book.controls.on_unexplained(reconciled)
    assert book.controls.standing.account is ACTIVE

    strange = fine.model_copy(update={"explained": False, "kind": "position"})
    book.controls.on_unexplained(reconciled.model_copy(update={"differences": (strange,)}))

    assert book.controls.standing.account is HALTED
    assert book.controls.standing.in_force[ACCOUNT].cause == "reconciliation"


def test_a_log_that_takes_no_writes_does_not_keep_the_desk_trading_nor_let_it_free(book: Book) -> None:
    book.is_broken = True
    with pytest.raises(OSError, match="no more writes"):
        book.controls.tighten(ACCOUNT, HALTED, "kill_flag", "kill_flag", "smoke", NOW)
    assert book.controls.standing.account is HALTED

    with pytest.raises(OSError, match="no more writes"):
        book.controls.rearm(ACCOUNT, "ann", "fine", NOW)
    assert book.controls.standing.account is HALTED


def test_a_session_s_own_figures_are_gone_with_the_session(book: Book) -> None:
    book.controls.observe(CALM._replace(slippage_bps=90.0, expected_bps=5.0))
    assert book.controls.standing.account is REDUCING
    with pytest.raises(RearmRefused):
        book.controls.rearm(ACCOUNT, "ann", "the open was wild", NOW)

    book.controls.begin_day(DAY, CALM)

    assert book.controls.rearm(ACCOUNT, "ann", "the open was wild", NOW)


def test_recorded_days_arm_only_what_reduced_and_is_back(book: Book) -> None:
    book.lose(97_000)
    book.controls.rearm_reduced("recorded days", "nobody attends", NOW)
    assert book.controls.standing.account is REDUCING, "not back yet"
    book.controls.begin_day(DAY, CALM)
    book.controls.rearm_reduced("recorded days", "nobody attends", NOW)
    assert book.controls.standing.account is ACTIVE

    book.lose(85_000)
    book.controls.begin_day(DAY, CALM)
    book.controls.rearm_reduced("recorded days", "nobody attends", NOW)
    assert book.controls.standing.account is HALTED, "a halt needs a person"
    assert not any(outside for _, outside in book.told), "a replay makes it again"


def test_a_flatten_ends_the_plan_in_hand_and_leaves_the_account_reducing(book: Book) -> None:
    asked = OperatorAsked(command="flatten", user="ann", reason="war", scope=ACCOUNT, detail={})
    book.controls.ask(asked, NOW)
    book.controls.tighten(ACCOUNT, REDUCING, "operator", "flatten", "ann: war", NOW)

    assert book.controls.states(NOW).of() is HALTED
    assert book.controls.standing.restrictions.of() is REDUCING
    book.controls.notify("info", FLATTEN_ENDED, "flat after 2 attempts", NOW)
    assert book.controls.states(NOW).of() is REDUCING


def test_a_breaker_may_be_set_to_flatten() -> None:
    rules = USUAL_RULES.model_copy(update={"daily_loss": Rule(trip=0.02, rearm=0.015, action="flatten")})
    book = Book(rules=rules)
    book.controls.begin_day(DAY, CALM)

    book.lose(97_000)

    assert book.controls.standing.flatten is not None
    assert book.controls.standing.restrictions.of() is REDUCING


def test_a_breaker_s_flatten_and_a_person_s_stand_beside_each_other() -> None:
    rules = USUAL_RULES.model_copy(update={"daily_loss": Rule(trip=0.02, rearm=0.015, action="flatten")})
    book = Book(rules=rules)
    book.controls.begin_day(DAY, CALM)
    asked = OperatorAsked(command="flatten", user="ann", reason="war", scope=ACCOUNT, detail={"symbols": ["AAA"]})

    book.controls.ask(asked, NOW)
    book.lose(97_000)

    standing = book.controls.standing
    assert standing.flatten is not None
    assert (standing.flatten.symbols, standing.flatten.by) == ((), "ann, daily_loss")
    book.controls.notify("info", end_code(0), "flatten of AAA by ann: flat after 2 attempts", NOW)
    assert standing.flatten is not None and standing.flatten.by == "daily_loss"
    book.controls.notify("info", end_code(0), "flat after 2 attempts", NOW)
    assert standing.flatten is None
    again = Standing(rules)
    again.resume(payload for payload, _ in book.told[:-1])
    assert again.flatten is not None and again.flatten.by == "daily_loss", "the log alone says which of them stands"


def test_a_breaker_set_to_flatten_sells_once_where_somebody_else_has_reduced_already() -> None:
    rules = USUAL_RULES.model_copy(update={"daily_loss": Rule(trip=0.02, rearm=0.015, action="flatten")})
    book = Book(rules=rules)
    book.controls.begin_day(DAY, CALM)
    book.controls.tighten(ACCOUNT, REDUCING, "operator", "reduce", "ann: calmer", NOW)

    book.lose(97_000)
    book.lose(96_900)

    standing = book.controls.standing
    assert [item.by for item in standing.flattens.asked] == ["daily_loss"]
    assert standing.restrictions.of() is REDUCING
    book.controls.begin_day(DAY, CALM)
    book.controls.rearm_reduced("recorded days", "nobody attends", NOW)
    assert standing.account is REDUCING, "what a person asked for outlives it"


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("lose"), st.integers(80_000, 101_000)),
            st.tuples(st.just("tighten"), st.sampled_from([REDUCING, HALTED])),
            st.tuples(st.just("halt name"), st.sampled_from([REDUCING, HALTED])),
            st.tuples(st.just("rearm"), st.booleans()),
            st.tuples(st.just("acknowledge"), st.just(0)),
            st.tuples(st.just("day"), st.just(0)),
            st.tuples(st.just("flatten"), st.sampled_from([[], ["AAA"]])),
            st.tuples(st.just("flatten over"), st.sampled_from([end_code(0), end_code(1), FLATTEN_WAITS])),
        ),
        max_size=15,
    )
)
def test_the_fold_of_the_log_is_where_the_controls_stand(steps: list[tuple[str, object]]) -> None:
    book = Book()
    now = NOW
    for step, value in steps:
        now += timedelta(minutes=1)
        match step, value:
            case "lose", int():
                book.lose(value)
            case "tighten", TradingState():
                book.controls.tighten(ACCOUNT, value, "operator", "halt", "ann: smoke", now)
            case "halt name", TradingState():
                book.controls.tighten(AAA, value, "operator", "halt", "ann: smoke", now)
            case "rearm", bool():
                before = book.controls.standing.account
                try:
                    book.controls.rearm(ACCOUNT, "ann", "fine", now, anyway=value)
                except RearmRefused:
                    assert book.controls.standing.account is before
            case "flatten", list():
                asked = OperatorAsked(
                    command="flatten", user="ann", reason="war", scope=ACCOUNT, detail={"symbols": value}
                )
                book.controls.ask(asked, now)
            case "flatten over", str():
                book.controls.notify("info", value, "so it went", now)
            case "acknowledge", _:
                for ident in tuple(book.controls.standing.unacknowledged):
                    book.controls.acknowledge(ident, "ann", "seen", now)
            case _:
                book.controls.begin_day(DAY, CALM._replace(now=now))

    again = Standing(USUAL_RULES)
    again.resume(payload for payload, _ in book.told)

    mine = book.controls.standing
    assert again.restrictions == mine.restrictions
    assert again.in_force == mine.in_force
    assert again.unacknowledged == mine.unacknowledged
    assert again.alerted == mine.alerted
    assert (again.flattens.asked, again.incidents) == (mine.flattens.asked, mine.incidents)


def test_a_removed_breaker_does_not_trip() -> None:
    book = Book()
    book.controls = Controls("run", book._record, book, breakers=tuple(b for b in BREAKERS if b.name != "daily_loss"))
    book.controls.begin_day(DAY, CALM)

    book.lose(97_000)

    assert book.told == []
