"""Work is done once however many ask, heavy apart from light, and what fails is tried again."""

import asyncio
from collections.abc import Callable, Iterator
from threading import Event, Thread

import pytest
from parley.service.api.works import HEAVY_THREADS, LONG_BYTES, Works


@pytest.fixture
def works() -> Iterator[Works]:
    made = Works(most=4)
    yield made
    made.close()


def _counting(done: list[str], name: str, gate: Event | None = None) -> Callable[[], str]:
    def make() -> str:
        if gate is not None:
            assert gate.wait(10)
        done.append(name)
        return name

    return make


def test_of_many_who_ask_at_once_one_works_and_the_others_wait(works: Works) -> None:
    done, gate = list[str](), Event()

    async def ask() -> list[str]:
        asked = [asyncio.ensure_future(works.once(("key",), "what", _counting(done, "made", gate))) for _ in range(50)]
        await asyncio.sleep(0)
        gate.set()
        return await asyncio.gather(*asked)

    assert asyncio.run(ask()) == ["made"] * 50
    assert works.wait(("key",), "what", _counting(done, "again")) == "made"
    assert done == ["made"]


def test_a_caller_who_leaves_does_not_take_the_result_along(works: Works) -> None:
    done, gate = list[str](), Event()

    async def ask() -> str:
        first = asyncio.ensure_future(works.once(("key",), "what", _counting(done, "made", gate)))
        await asyncio.sleep(0)
        first.cancel()
        second = asyncio.ensure_future(works.once(("key",), "what", _counting(done, "again")))
        await asyncio.sleep(0)
        gate.set()
        return await second

    assert asyncio.run(ask()) == "made"


def test_light_work_does_not_queue_behind_heavy_work(works: Works) -> None:
    done, gate = list[str](), Event()

    async def ask() -> None:
        await works.once(("light", "0"), "light", _counting(done, "known"))
        slow = [
            asyncio.ensure_future(works.once(("heavy", str(n)), "heavy", _counting(done, "heavy", gate)))
            for n in range(3 * HEAVY_THREADS)
        ]
        await asyncio.sleep(0)
        assert await asyncio.wait_for(works.once(("light", "1"), "light", _counting(done, "light")), 10) == "light"
        assert "heavy" not in done
        gate.set()
        await asyncio.gather(*slow)

    asyncio.run(ask())


@pytest.mark.parametrize(("raised", "seen"), [(ValueError("no"), ValueError), (StopIteration(), RuntimeError)])
def test_an_error_goes_to_all_who_wait_and_is_not_kept(works: Works, raised: Exception, seen: type[Exception]) -> None:
    def fail() -> str:
        raise raised

    async def ask() -> list[object]:
        calls = [works.once(("key",), "what", fail) for _ in range(3)]
        return list(await asyncio.wait_for(asyncio.gather(*calls, return_exceptions=True), 10))

    assert [type(item) for item in asyncio.run(ask())] == [seen] * 3
    assert works.wait(("key",), "what", lambda: "made") == "made"


def test_what_is_kept_is_bounded_in_number_and_in_length(works: Works) -> None:
    made = list[int]()

    def make(number: int, body: bytes) -> Callable[[], bytes]:
        def work() -> bytes:
            made.append(number)
            return body

        return work

    for number in (1, 2, 3, 4, 5, 1):
        works.wait((str(number),), "short", make(number, b"x"))
    for _ in range(2):
        works.wait(("long",), "long", make(9, b"x" * (LONG_BYTES + 1)))

    assert made == [1, 2, 3, 4, 5, 1, 9, 9]


def test_threads_that_wait_for_the_same_get_the_same(works: Works) -> None:
    found = list[object]()
    gate = Event()
    make = _counting([], "made", gate)
    threads = [Thread(target=lambda: found.append(works.wait(("key",), "what", make))) for _ in range(8)]

    for thread in threads:
        thread.start()
    gate.set()
    for thread in threads:
        thread.join(10)

    assert found == ["made"] * 8
