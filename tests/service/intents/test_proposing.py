"""A request is shown first and done by its token only; roles, states and directions of limits are held to."""

from dataclasses import asdict
from typing import Any

import pytest
from parley.desk.book import Book, open_log
from parley.desk.operator import book_post
from parley.domain.control_events import OperatorAsked, TradingStateChanged
from parley.domain.events import Actor, NewEvent
from parley.domain.trading import ACCOUNT, Scope, TradingState
from parley.service.answers.answer import Answer, Kind
from parley.service.answers.proof import faults
from parley.service.answers.reader import DeskReader
from parley.service.checking import perform_verify
from parley.service.console import Console
from parley.service.controlling import Request, perform_request
from parley.service.intents.doing import do
from parley.service.intents.errors import IntentInvalid, NotPermitted, TokenRefused
from parley.service.intents.intent import NEEDS, parse_intent
from parley.service.intents.proposing import confirm, propose
from parley.service.intents.tokens import TokenStore
from parley.storage.flag import FlagNote


@pytest.fixture
def proposed(reader: DeskReader, tokens: TokenStore) -> Any:
    def ask(role: Any = "admin", user: str = "ann", **content: Any) -> Answer:
        return propose(user, role, parse_intent({"reason": "a test", **content}), reader, tokens)

    return ask


def held(reader: DeskReader) -> str:
    with reader.reading() as reading:
        return next(iter(reading.portfolio.holdings()))


@pytest.mark.parametrize(
    "content",
    [
        {"action": "halt"},
        {"action": "halt", "symbol": "XOM"},
        {"action": "reduce"},
        {"action": "resume"},
        {"action": "flatten"},
        {"action": "flatten", "sector": "Energy"},
        {"action": "cancel"},
        {"action": "cancel", "order": "o-77"},
        {"action": "tighten", "limit": "max_gross", "bound": 0.3},
        {"action": "acknowledge"},
    ],
)
def test_a_proposal_says_its_effects_and_changes_nothing(proposed: Any, reader: DeskReader, content: Any) -> None:
    with reader.reading() as reading:
        before = reading.head

    answer = proposed(**content)

    assert answer.kind in (Kind.COMMAND_NEEDS_CONFIRMATION, Kind.INTENT_THROUGH_GATE)
    assert answer.intent["action"] == content["action"]
    assert faults(answer) == []
    with reader.reading() as reading:
        assert (reading.head, reading.post.flag.is_raised) == (before, False)


def test_a_halt_of_a_name_is_done_by_its_token_with_user_and_role(proposed: Any, reader: DeskReader, tokens) -> None:
    token = proposed(action="halt", symbol="XOM", role="operator").token

    done = confirm("ann", "operator", token, reader, tokens)

    assert "Done" in done.lines[0]
    with reader.reading() as reading:
        assert reading.standing.of_scope(Scope(kind="instrument", name="XOM")) is TradingState.HALTED
        event = reading.log.last(OperatorAsked)
    asked = event.decoded() if event else None
    assert isinstance(asked, OperatorAsked)
    assert (asked.user, asked.detail["role"], asked.detail["confirmed"]) == ("ann", "operator", True)
    assert perform_verify(None, None, reader.book, Console(as_json=True))


def test_a_halt_of_the_account_raises_the_flag(proposed: Any, reader: DeskReader, tokens: TokenStore) -> None:
    confirm("ann", "operator", proposed(action="halt").token, reader, tokens)

    assert book_post(reader.book).flag.is_raised
    assert proposed(action="flatten").kind is Kind.REFUSE
    assert confirm("ann", "admin", proposed(action="resume").token, reader, tokens).kind is not Kind.REFUSE
    assert not book_post(reader.book).flag.is_raised


def test_a_token_is_no_good_once_the_state_is_another(proposed: Any, reader: DeskReader, tokens: TokenStore) -> None:
    token = proposed(action="halt", symbol="XOM").token
    perform_request(Request("reduce", reader.book, "meanwhile", "bob", "instrument:XOM"), Console(as_json=True))

    with pytest.raises(TokenRefused, match="has changed"):
        confirm("ann", "admin", token, reader, tokens)


def test_a_resume_takes_down_the_halt_that_was_shown_and_no_other(
    proposed: Any, reader: DeskReader, tokens: TokenStore
) -> None:
    flag = book_post(reader.book).flag
    flag.hoist(FlagNote("ann", "smoke", "09:00"))
    token = proposed(action="resume").token
    flag.lower()
    flag.hoist(FlagNote("bob", "fire", "09:01"))

    with pytest.raises(TokenRefused, match="has changed"):
        confirm("ann", "admin", token, reader, tokens)
    assert flag.read() == FlagNote("bob", "fire", "09:01")


@pytest.mark.parametrize("shown", [FlagNote("ann", "smoke", "09:00"), None])
def test_a_halt_that_comes_after_the_check_of_a_resume_stands(reader: DeskReader, shown: FlagNote | None) -> None:
    flag = book_post(reader.book).flag
    flag.hoist(FlagNote("bob", "fire", "09:01"))
    commands: Any = [("resume", None, {"halt": asdict(shown)} if shown else {})]

    done = do(reader.book, commands, "all clear", "ann", "admin")

    assert "raised anew" in done.refusal or "kill flag is up" in done.refusal
    assert flag.is_raised


def test_another_user_and_a_second_use_are_refused(proposed: Any, reader: DeskReader, tokens: TokenStore) -> None:
    with pytest.raises(TokenRefused, match="another user"):
        confirm("bob", "admin", proposed(action="halt").token, reader, tokens)
    token = proposed(action="halt", symbol="XOM").token
    confirm("ann", "admin", token, reader, tokens)
    with pytest.raises(TokenRefused, match="used before"):
        confirm("ann", "admin", token, reader, tokens)
    assert not book_post(reader.book).flag.is_raised


def test_a_role_that_became_smaller_meanwhile_does_nothing(proposed: Any, reader: DeskReader, tokens) -> None:
    token = proposed(action="tighten", limit="max_gross", bound=0.3).token

    with pytest.raises(NotPermitted):
        confirm("ann", "operator", token, reader, tokens)


@pytest.mark.parametrize("action", sorted(NEEDS))
def test_a_viewer_gets_no_token_for_anything(proposed: Any, action: str) -> None:
    more = {"reduce_position": {"symbol": "XOM", "weight_frac": 0.0}, "tighten": {"limit": "max_gross", "bound": 0.1}}
    answer = proposed(role="viewer", action=action, **more.get(action, {}))

    assert (answer.kind, answer.token) == (Kind.REFUSE, None)


@pytest.mark.parametrize("action", ["resume", "tighten"])
def test_an_operator_gives_nothing_free(proposed: Any, action: str) -> None:
    more = {"limit": "max_gross", "bound": 0.1} if action == "tighten" else {}

    assert proposed(role="operator", action=action, **more).kind is Kind.REFUSE


@pytest.mark.parametrize(("limit", "bound"), [("max_gross", 5.0), ("max_var_99_frac", 0.9), ("min_cash", 0.0)])
def test_a_looser_limit_is_refused(proposed: Any, limit: str, bound: float) -> None:
    answer = proposed(action="tighten", limit=limit, bound=bound)

    assert (answer.kind, answer.token) == (Kind.REFUSE, None)


def test_a_persons_restriction_beside_a_breakers_is_no_request_that_changes_nothing(
    proposed: Any, reader: DeskReader, tokens: TokenStore
) -> None:
    with open_log(Book(reader.book).latest()) as (log, _):
        last = next(log.read(log.head()[0] - 1))
        change = TradingStateChanged(
            scope=ACCOUNT,
            before=TradingState.ACTIVE,
            after=TradingState.REDUCING,
            cause="breaker",
            name="correlation",
            reason="past its level",
        )
        actor = Actor(kind="desk", name="controls")
        event = NewEvent(stream="controls", event_time=last.event_time, actor=actor, payload=change, run_id=last.run_id)
        log.append([event])

    confirm("ann", "admin", proposed(action="reduce").token, reader, tokens)

    with reader.reading() as reading:
        assert {item.name for item in reading.standing.all_causes} == {"correlation", "reduce"}
    assert proposed(action="reduce").token is None, "once is enough"


@pytest.mark.parametrize(
    ("limit", "bound", "after"),
    [
        ("max_gross", 0.3, "30.00% after that"),
        ("max_price_age_days", 1, "days after that"),
        ("max_beta", 0.25, "0.25 "),
    ],
)
def test_a_limit_is_told_in_its_unit_before_it_is_tightened(
    proposed: Any, limit: str, bound: float, after: str
) -> None:
    answer = proposed(action="tighten", limit=limit, bound=bound)

    (line,) = [line for line in answer.lines if line.startswith(f"{limit}: ")]
    assert after in line


def test_a_tightened_limit_stands_and_only_gets_tighter(proposed: Any, reader: DeskReader, tokens: TokenStore) -> None:
    confirm("ann", "risk_officer", proposed(action="tighten", limit="max_gross", bound=0.3).token, reader, tokens)

    with reader.reading() as reading:
        assert reading.standing.tightened == {"max_gross": 0.3}
    assert proposed(action="tighten", limit="max_gross", bound=0.4).kind is Kind.REFUSE
    assert proposed(action="tighten", limit="max_gross", bound=0.2).token


def test_a_position_is_reduced_to_whole_shares_of_the_book(proposed: Any, reader: DeskReader, tokens) -> None:
    symbol = held(reader)
    token = proposed(action="reduce_position", symbol=symbol, weight_frac=0.0001).token

    confirm("ann", "operator", token, reader, tokens)

    with reader.reading() as reading:
        flatten = reading.standing.flatten
        most = reading.equity / 10_000 / reading.prices[symbol]
    assert flatten is not None and flatten.symbols == (symbol,)
    assert flatten.keep.get(symbol, 0) <= most


def test_a_reduction_never_buys(proposed: Any, reader: DeskReader) -> None:
    answer = proposed(action="reduce_position", symbol=held(reader), weight_frac=1.0)

    assert answer.token is None


@pytest.mark.parametrize(
    "content",
    [
        {"action": "buy", "symbol": "XOM"},
        {"action": "halt", "symbol": "xom; drop"},
        {"action": "halt", "symbol": "XOM", "extra": 1},
        {"action": "reduce_position", "symbol": "XOM", "weight_frac": 1.5},
        {"action": "tighten", "limit": "max_gross", "bound": float("nan")},
        {"action": "halt", "reason": ""},
        {},
    ],
)
def test_what_is_no_typed_request_is_refused(content: Any) -> None:
    with pytest.raises(IntentInvalid):
        parse_intent({"reason": "a test", **content})


def test_names_the_run_does_not_know_are_refused(proposed: Any) -> None:
    for content in (
        {"action": "halt", "symbol": "ZZZ"},
        {"action": "flatten", "sector": "Magic"},
        {"action": "tighten", "limit": "veto", "bound": 0.0},
    ):
        with pytest.raises(IntentInvalid):
            proposed(**content)
