"""The first page: its figures are the read models', made once for all who look and again when the log has grown."""

import asyncio
import json
import threading
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.desk.book import Book, open_log
from parley.desk.clock import elapsed_s
from parley.domain.control_events import NotificationRaised
from parley.domain.events import Actor, NewEvent
from parley.memory.performance_view import SessionRecord
from parley.service.answers.reader import DeskReader
from parley.service.api.desk import ServedDesk
from parley.service.api.settings import ServeSettings
from parley.service.web.desk_page import DESK_PARTS
from parley.service.web.desk_view import holdings_view
from parley.service.web.parts import Asked, Part, Parts
from parley.service.web.series import drawdown_lines, equity_lines, thin


def test_the_figures_are_those_of_the_read_models(still: Any, read: Any) -> None:
    page = read(still.client("vic").get("/").text)
    with DeskReader(still.book).reading() as reading:
        last, sessions = reading.sessions[-1], reading.sessions
        cash, portfolio = reading.started.cash, reading.portfolio
        weights, orders = reading.weights, reading.orders
    values = {found["value"] for found in page.all("data")}

    assert {str(last.equity), str(last.cash), str(last.drawdown_frac), str(last.gross)} <= values
    assert str(float(last.equity / sessions[-2].equity - 1)) in values and str(float(last.equity / cash - 1)) in values
    held = {item.symbol for item in portfolio.positions if item.quantity}
    assert {found["id"] for found in page.all("tr") if found.get("id", "").startswith("pos-")} == {
        f"pos-{s}" for s in held
    }
    assert {str(weight) for weight in weights.values()} <= values
    newest = {order.order_id for order in orders if order.seq == orders[-1].seq}
    assert {f["id"][4:] for f in page.all("tr") if f.get("id", "").startswith("ord-")} == newest


def test_the_sums_of_the_exposure_are_those_of_the_positions(still: Any) -> None:
    served = ServedDesk(ServeSettings(still.book))
    with served.reader(None).reading() as reading:
        view = holdings_view(Asked(served, reading, "viewer"))
        equity = reading.equity

    assert view.equity == equity
    assert view.gross == pytest.approx(sum(abs(row.weight) for row in view.rows))
    assert view.net + view.cash_frac == pytest.approx(1.0)
    assert sum(weight for _, weight in view.sectors) == pytest.approx(view.net)
    assert sum((row.value for row in view.rows), Decimal(0)) + view.cash == equity


class Counted:
    """A view that counts how often it was made."""

    def __init__(self) -> None:
        self.made = 0

    def __call__(self, asked: Any) -> object:
        self.made += 1
        return None


def test_a_part_is_made_once_for_all_and_again_when_what_it_is_about_has_moved(desk: Any) -> None:
    served, view, other = ServedDesk(ServeSettings(desk.book)), Counted(), Counted()
    part = Part("desk_decision", "", "desk_decision.html", view, frozenset({"log"}))
    still = Part("desk_fills", "", "desk_decision.html", other, frozenset({"fills"}))
    parts = Parts(served, (part, still))
    vic, oz = (served.doorman.by_session(served.doorman.store.open_session(name)) for name in ("vic", "oz"))

    async def asked() -> None:
        first = await asyncio.gather(*(parts.body(part, None, vic, {}) for _ in range(20)))
        before = await parts.body(still, None, vic, {})
        once = (view.made, other.made)
        other_role = await parts.body(part, None, oz, {})
        record(desk)
        served.changed()
        moved, unmoved = await parts.body(part, None, vic, {}), await parts.body(still, None, vic, {})

        assert once == (1, 1) and set(first) == {first[0]}
        assert (view.made, other_role) == (3, first[0])
        assert moved[1] == unmoved[1] == first[0][1] + 1
        assert (other.made, unmoved[0]) == (1, before[0]), "of another topic: it is as it was"

    asyncio.run(asked())


def test_what_stands_in_no_log_is_looked_at_again_when_something_was_done_here(desk: Any) -> None:
    served, view = ServedDesk(ServeSettings(desk.book)), Counted()
    part = Part("p", "", "desk_decision.html", view, frozenset({"controls"}))
    parts, vic = Parts(served, (part,)), served.doorman.by_session(served.doorman.store.open_session("vic"))

    async def asked() -> None:
        await parts.body(part, None, vic, {})
        made = view.made
        served.changed()
        await parts.body(part, None, vic, {})

        assert (made, view.made) == (1, 2)

    asyncio.run(asked())


def test_who_waits_for_a_part_that_takes_its_time_holds_up_nobody_else(desk: Any) -> None:
    served, release, view = ServedDesk(ServeSettings(desk.book)), threading.Event(), Counted()
    slow = Part("slow", "", "desk_decision.html", lambda _: release.wait(60) and None, frozenset({"marks"}))
    quick = Part("quick", "", "desk_decision.html", view, frozenset({"marks"}))
    parts = Parts(served, (slow, quick))
    vic = served.doorman.by_session(served.doorman.store.open_session("vic"))

    async def asked() -> None:
        waiting = [asyncio.create_task(parts.body(slow, None, vic, {})) for _ in range(30)]
        async with asyncio.timeout(30):
            await parts.body(quick, None, vic, {})
        is_waited_for = not any(task.done() for task in waiting)
        release.set()
        told = await asyncio.gather(*waiting)

        assert is_waited_for and view.made == 1 and len(set(told)) == 1

    asyncio.run(asked())


def test_what_was_of_a_moment_ago_is_told_again_and_made_again_once_it_has_rested(desk: Any) -> None:
    served, seen = ServedDesk(ServeSettings(desk.book)), list[float]()

    def view(asked: Asked) -> None:
        seen.append(elapsed_s())
        asked.reading.again_s = elapsed_s() + (1_000.0 if len(seen) > 1 else 0.0)

    part = Part("p", "", "desk_decision.html", view, frozenset({"decisions"}))
    parts, vic = Parts(served, (part,)), served.doorman.by_session(served.doorman.store.open_session("vic"))

    async def asked() -> None:
        await parts.body(part, None, vic, {})
        due, early = parts.due("any", seen[0] - 1.0, elapsed_s()), parts.due(None, 0.0, seen[0] - 1.0)
        await parts.body(part, None, vic, {})
        await parts.body(part, None, vic, {})

        assert (due, early, len(seen)) == ({"decisions"}, set(), 2)
        assert parts.due("any", 0.0, elapsed_s()) == set()

    asyncio.run(asked())


def test_what_is_not_in_the_list_of_a_part_never_reaches_its_view(desk: Any) -> None:
    seen = list[Any]()
    served = ServedDesk(ServeSettings(desk.book))
    part = Part("p", "", "desk_decision.html", lambda asked: seen.append(dict(asked.query)), frozenset(), ("kind",))
    caller = served.doorman.by_session(served.doorman.store.open_session("vic"))

    asyncio.run(Parts(served, (part,)).body(part, None, caller, {"kind": "veto", "run": "x", "evil": "y"}))

    assert seen == [{"kind": "veto"}]


def record(desk: Any) -> None:
    with open_log(Book(desk.book).find(desk.run)) as (log, _):
        last = next(log.read(log.head()[0] - 1))
        payload = NotificationRaised(notification_id="n", severity="info", code="told", text="x")
        actor = Actor(kind="desk", name="controls")
        log.append([NewEvent(stream="t", event_time=last.event_time, actor=actor, payload=payload, run_id=desk.run)])


def session(day: int, equity: float, peak: float, index: float | None) -> SessionRecord:
    return SessionRecord(
        session=date(2020, 1, 1) + timedelta(days=day),
        seq=day + 1,
        equity=Decimal(repr(equity)),
        peak_equity=Decimal(repr(peak)),
        drawdown_frac=1 - equity / peak,
        cash=Decimal(0),
        gross=0.0,
        net=0.0,
        traded=Decimal(0),
        fees=Decimal(0),
        benchmark=index,
    )


def test_the_lines_begin_at_the_close_before_the_span() -> None:
    days = [session(k, 100.0 + k, 100.0 + k, 50.0 + k) for k in range(400)]

    whole, month = equity_lines(days, 100.0, "all"), equity_lines(days, 100.0, "1m")

    assert whole["lines"][0]["values"][0] == 0.0 and whole["lines"][0]["values"][-1] == pytest.approx(3.99)
    assert len(month["x"]) == 31 and month["lines"][0]["values"][-1] == pytest.approx(499 / 468 - 1)
    assert month["lines"][1]["values"][-1] == pytest.approx(449 / 418 - 1)
    assert [line["name"] for line in month["lines"]] == ["desk", "index, held"]


def test_losses_are_drawn_downwards_from_each_ones_own_peak() -> None:
    days = [session(0, 100, 100, 50), session(1, 90, 100, 40), session(2, 110, 110, 60)]

    found = drawdown_lines(days, "all")

    assert [round(value, 9) for value in found["lines"][0]["values"]] == [0.0, -0.1, 0.0]
    assert [round(value, 9) for value in found["lines"][1]["values"]] == [0.0, -0.2, 0.0]


def test_a_run_without_an_index_has_one_line_and_one_without_a_close_none(still: Any) -> None:
    assert len(equity_lines([session(0, 1, 1, None), session(1, 2, 2, None)], 1.0, "all")["lines"]) == 1
    assert equity_lines([], 1.0, "1y")["x"] == []
    assert json.loads(still.client("vic").get("/series/equity?range=all").text)["lines"][0]["name"] == "desk"
    assert still.client("vic").get("/series/equity?range=2y").status_code == 422
    assert still.client("vic").get("/series/secrets").status_code == 422


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(-1e6, 1e6) | st.none(), min_size=60, max_size=120))
def test_a_thinned_line_keeps_its_ends_its_highest_and_its_lowest_point(values: list[float | None]) -> None:
    kept = thin(len(values), values, most=20)
    there = [value for value in values if value is not None]
    left = [value for place in kept if (value := values[place]) is not None]

    assert kept == sorted(set(kept)) and kept[0] == 0 and kept[-1] == len(values) - 1
    assert len(kept) <= 24
    assert (min(left), max(left)) == (min(there), max(there)) if there else left == []


def test_every_part_of_the_page_is_a_part_of_the_desk(still: Any, read: Any) -> None:
    page = read(still.client("vic").get("/").text)

    assert {found["data-part"] for found in page.all("section") if "data-part" in found} == {p.name for p in DESK_PARTS}


@pytest.mark.parametrize(("minutes", "is_shown"), [(0.0, False), (390.0, True)])
def test_a_desk_that_saw_no_session_minute_was_able_to_act_in_none(desk: Any, minutes: float, is_shown: bool) -> None:
    status = {"doing": "before the session of 2026-11-23", "uptime": {"session_minutes": minutes, "frac": 1.0}}
    (desk.book / "trading.json").write_text(json.dumps(status), encoding="utf-8")

    html = desk.client("vic").get("/parts/desk_clock").text

    assert "before the session of 2026-11-23" in html
    assert ("Able to act" in html) is is_shown


@pytest.mark.parametrize(("pace", "told"), [("max", "as fast as it can"), (60.0, "60× the clock's")])
def test_the_schedule_tells_the_pace_of_the_clock(desk: Any, read: Any, pace: float | str, told: str) -> None:
    (desk.book / "trading.json").write_text(json.dumps({"accelerate": pace}), encoding="utf-8")

    page = read(desk.client("vic").get("/parts/desk_clock").text)

    assert f"Speed{told}" in page.text
