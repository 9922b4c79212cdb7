"""Who takes a protective stop back is told before and after what stands bare; nothing else takes one back."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from parley.desk.book import Book
from parley.domain.control_events import NotificationRaised
from parley.evals.drill_ground import Ground
from parley.execution.standing import UNPROTECTED
from parley.gate.limits import load_limits
from parley.market.datasets import load_data
from parley.service.access.store import AccessStore
from parley.service.answers.answer import Answer
from parley.service.answers.proof import faults
from parley.service.answers.reader import DeskReader
from parley.service.intents.intent import parse_intent
from parley.service.intents.proposing import confirm, propose
from parley.service.intents.protective import stops_among

from tests.service.web.conftest import PASSWORD, Desk

from ...evals.test_protecting import crash
from ...evals.test_standing_stops import live
from ...evals.test_stops_at_halts import acts, of, stops_at

__all__ = ["crash"]


@dataclass
class Seen:
    """What was said while the desk worked, and the stop that it was about."""

    child: Any = None
    said: dict[str, Answer] = field(default_factory=dict[str, Answer])


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory, crash: Path) -> Ground:
    data = load_data(str(crash))
    days = data.history().sessions_between()[-8:-5]
    book = Book(tmp_path_factory.mktemp("stops") / "book")
    return Ground(book, data, str(crash), live(), load_limits(), tuple(days))


@pytest.fixture(scope="module")
def seen(ground: Ground) -> Seen:
    """A day on which every name has its stop: somebody looks at several requests, and takes one stop back."""
    found = Seen()

    def ask() -> None:
        reader = DeskReader(ground.book.path)
        found.child = min(stops_at(ground.events()).values(), key=lambda item: item.child.symbol).child
        contents = {
            "halt": {"action": "halt"},
            "all": {"action": "cancel"},
            "one": {"action": "cancel", "order": found.child.order_id},
        }
        for name, content in contents.items():
            intent = parse_intent({"reason": "news at noon", **content})
            found.said[name] = propose("ann", "admin", intent, reader)
        token = found.said["one"].token
        assert token is not None, found.said["one"].lines
        found.said["done"] = confirm("ann", "admin", token, reader)

    acts(ground, 2, 2.0, ask)
    return found


def test_before_it_is_confirmed_a_cancel_of_a_stop_says_what_it_leaves_bare(seen: Seen) -> None:
    shares = f"{seen.child.quantity} shares of {seen.child.symbol}"

    lines = seen.said["one"].lines

    assert f"It is the protective stop at the venue of {shares}." in lines
    assert f"Without it, {shares} are held without a stop until the session is over." in lines
    assert faults(seen.said["one"]) == []


def test_afterwards_it_says_so_as_log_and_notification_do(seen: Seen, ground: Ground) -> None:
    shares = f"{seen.child.quantity} shares of {seen.child.symbol}"
    told = [item for item in of(ground.events(), NotificationRaised) if item.code == UNPROTECTED]

    lines = seen.said["done"].lines

    assert f"From then on {shares} are held without a stop until the session is over." in lines
    assert faults(seen.said["done"]) == []
    same = f"{seen.child.quantity} {seen.child.symbol} are held without a stop until the session is over"
    assert [same in item.text for item in told] == [True]


def test_a_halt_and_a_cancel_of_all_say_that_stops_stay(seen: Seen, ground: Ground) -> None:
    names = len(ground.data.universe.instruments)

    for name in ("halt", "all"):
        (line,) = [line for line in seen.said[name].lines if "Protective stops at the venue that stay" in line]
        assert f"where they are: {names} (" in line
    assert seen.said["all"].token is None, "no order of a plan is open, and a stop is named by whoever means it"
    assert not any("taken back: " in line for line in seen.said["halt"].lines)


def test_the_page_s_form_tells_a_stop_from_an_order_of_a_plan(seen: Seen, ground: Ground) -> None:
    store = AccessStore(ground.book.path)
    store.add_user("oz", "operator", PASSWORD)
    store.close()

    form = Desk(ground.book.path, ground.folder.run_id).client("oz").get("/control/cancel").text

    standing = stops_at(ground.events())
    assert form.count(", its protective stop</option>") == len(standing) > 3
    assert "all that are open, protective stops apart" in form


def test_where_no_stops_rest_at_the_venue_no_order_is_one(reader: DeskReader) -> None:
    with reader.reading() as reading:
        assert reading.orders
        assert stops_among(reading, reading.orders) == {}
