"""The live stream: one look for all, topics of what moved, resumed from a place, and ended with the session."""

import asyncio
import json
import shutil
from collections.abc import AsyncGenerator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.desk.alert_book import AlertBook
from parley.desk.book import open_log
from parley.desk.clock import wall_now
from parley.domain.control_events import NotificationRaised
from parley.domain.events import PAYLOADS, Actor, NewEvent
from parley.service.api.callers import SESSION_COOKIE
from parley.service.api.desk import ServedDesk
from parley.service.api.settings import ServeSettings
from parley.service.web.live import Pace, Watch
from parley.service.web.topics import ALL, OF_EVENTS, touched
from parley.storage.flag import FlagNote, KillFlag
from starlette.requests import Request

QUICK = Pace(look_s=0.02, life_s=0.1)


class Stream:
    """A page's stream in this process; `next` is its next message of a kind."""

    def __init__(self, served: ServedDesk, watch: Watch, place: str = "") -> None:
        self.secret = served.doorman.store.open_session("vic")
        self.caller = served.doorman.by_session(self.secret)
        app = SimpleNamespace(state=SimpleNamespace(desk=served))
        headers = [(b"cookie", f"{SESSION_COOKIE}={self.secret}".encode())]
        request = Request({"type": "http", "app": app, "state": {}, "headers": headers})
        self._pieces = watch.told(request, self.caller, None, place)

    async def next(self, kind: str) -> tuple[str, dict[str, Any]]:
        async with asyncio.timeout(20):
            async for piece in self._pieces:
                lines = dict(line.split(": ", 1) for line in piece.strip().splitlines())
                if lines.get("event") == kind:
                    return lines.get("id", ""), json.loads(lines["data"])
        raise AssertionError(f"the stream ended without {kind}")

    async def close(self) -> None:
        await cast(AsyncGenerator[str], self._pieces).aclose()


@pytest.fixture
def served(desk: Any) -> ServedDesk:
    return ServedDesk(ServeSettings(desk.book))


@pytest.fixture
def watch(served: ServedDesk) -> Watch:
    return Watch(served, pace=QUICK)


def record(served: ServedDesk, count: int = 1) -> None:
    """More events in the log of a book at rest, as one batch."""
    folder = served.book.latest()
    with open_log(folder) as (log, _), log.batch():
        last = next(log.read(log.head()[0] - 1))
        actor = Actor(kind="desk", name="controls")
        for number in range(count):
            payload = NotificationRaised(notification_id=f"n{number}", severity="info", code="told", text="something")
            stored = NewEvent(
                stream="t", event_time=last.event_time, actor=actor, payload=payload, run_id=folder.run_id
            )
            log.append([stored])


def test_a_page_at_the_head_hears_of_the_next_event_and_of_its_topics_only(served: ServedDesk, watch: Watch) -> None:
    async def watched() -> None:
        first = Stream(served, watch)
        place, said = await first.next("changed")
        await first.close()
        stream = Stream(served, watch, place)
        _, alive = await stream.next("alive")
        record(served)
        ident, moved = await stream.next("changed")
        await stream.close()

        assert set(said["topics"]) == ALL and said["run"] == said["newest"] == served.book.latest().run_id
        assert alive["seq"] + 1 == moved["seq"] and ident.startswith(f"{moved['seq']}-")
        assert set(moved["topics"]) == {"log", "controls", "alerts"}

    asyncio.run(watched())


def test_whoever_comes_back_from_an_old_place_hears_that_all_may_have_moved(served: ServedDesk, watch: Watch) -> None:
    async def watched() -> None:
        stream = Stream(served, watch, "3-000000000000")
        _, said = await stream.next("changed")
        await stream.close()

        assert set(said["topics"]) == ALL

    asyncio.run(watched())


def test_many_events_at_once_are_one_message_for_each_of_many_viewers(served: ServedDesk, watch: Watch) -> None:
    async def watched() -> None:
        first = Stream(served, watch)
        place, before = await first.next("changed")
        viewers = [first, *(Stream(served, watch, place) for _ in range(5))]
        for stream in viewers:
            await stream.next("alive")
        record(served, 300)
        moved = [(await stream.next("changed"))[1] for stream in viewers]
        then = [(await stream.next("alive"))[1] for stream in viewers]
        looks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for stream in viewers:
            await stream.close()
        await asyncio.sleep(0)

        assert {item["seq"] for item in [*moved, *then]} == {before["seq"] + 300}
        assert len(looks) == 1, "one look for all of them"
        assert asyncio.all_tasks() == {asyncio.current_task()}, "and none when they have left"

    asyncio.run(watched())


def test_what_stands_beside_the_log_moves_its_topic_too(served: ServedDesk, watch: Watch) -> None:
    book = served.settings.book

    async def watched() -> None:
        stream = Stream(served, watch)
        await stream.next("changed")
        await stream.next("alive")
        KillFlag(book / "HALT").hoist(FlagNote("oz", "a test", "2026-01-01T00:00:00.000+00:00"))
        _, flagged = await stream.next("changed")
        alerts = AlertBook(book, wall_now)
        alerts.raise_alert("told", "warning", "here", "something")
        _, raised = await stream.next("changed")
        alerts.set_place("run-other", 5, "0" * 64)
        (book / "trading.json").write_text("{}", encoding="utf-8")
        _, ticked = await stream.next("changed")
        await stream.close()

        assert (flagged["topics"], raised["topics"]) == (["controls"], ["alerts"])
        assert ticked["topics"] == ["jobs"], "how far the watch of alerts has looked is nobody's business"

    asyncio.run(watched())


def test_a_stream_ends_with_the_session_of_its_viewer(served: ServedDesk, watch: Watch) -> None:
    async def watched() -> None:
        stream = Stream(served, watch)
        await stream.next("changed")
        served.doorman.sign_out(stream.caller)
        _, said = await stream.next("ended")

        assert said["code"] == "not_signed_in"

    asyncio.run(watched())


def test_a_user_has_only_so_many_streams(desk: Any) -> None:
    served = ServedDesk(ServeSettings(desk.book, streams_per_user=1))
    watch = Watch(served, pace=QUICK)

    async def watched() -> None:
        first, second = Stream(served, watch), Stream(served, watch)
        await first.next("changed")
        _, said = await second.next("ended")
        await first.close()

        assert said["code"] == "too_many_calls"

    asyncio.run(watched())


def test_an_empty_book_is_waited_in_until_its_first_run_begins(desk: Any, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    shutil.copytree(desk.book / "access", empty / "access")
    served = ServedDesk(ServeSettings(empty))

    async def watched() -> None:
        stream = Stream(served, Watch(served, pace=QUICK))
        _, alive = await stream.next("alive")
        shutil.copytree(desk.book, empty, dirs_exist_ok=True)
        _, said = await stream.next("changed")
        await stream.close()

        assert alive == {"seq": 0}
        assert said["run"] == desk.run and set(said["topics"]) == ALL

    asyncio.run(watched())


@settings(max_examples=40, deadline=None)
@given(st.sets(st.sampled_from(sorted(PAYLOADS))), st.sets(st.sampled_from(sorted(PAYLOADS))))
def test_topics_of_two_pieces_are_those_of_the_whole(one: set[str], other: set[str]) -> None:
    assert touched(one) | touched(other) == touched(one | other)
    assert touched(one) <= ALL and (bool(touched(one)) == bool(one))


def test_every_topic_is_of_events_that_there_are() -> None:
    assert {name for names in OF_EVENTS.values() for name in names} <= PAYLOADS.keys()
    assert not PAYLOADS.keys() - {name for names in OF_EVENTS.values() for name in names}, "an event no page hears of"
