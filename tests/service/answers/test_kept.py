"""Results that are kept: worked out once, and what takes long only as often as it can be afforded."""

from collections.abc import Callable

import pytest
from parley.service.answers.kept import REST, Kept


class Wound:
    """A clock that a test winds, and work that takes some of it."""

    def __init__(self) -> None:
        self.now_s, self.made = 100.0, 0

    def now(self) -> float:
        return self.now_s

    def work(self, takes_s: float = 2.0) -> Callable[[], int]:
        def compute() -> int:
            self.now_s += takes_s
            self.made += 1
            return self.made

        return compute


def seldom(kept: Kept, clock: Wound, state: str) -> int:
    return kept.seldom(("run", "page"), state, clock.work(), clock.now).value


def test_a_result_is_renewed_for_another_state_only_when_it_has_rested() -> None:
    kept, clock = Kept(), Wound()

    first, second = seldom(kept, clock, "a"), seldom(kept, clock, "b")
    clock.now_s += REST * 2.0 - 0.1
    still = seldom(kept, clock, "c")
    clock.now_s += 0.2
    renewed = seldom(kept, clock, "c")

    assert (first, second, still, renewed) == (1, 1, 1, 2)


def test_who_is_told_an_earlier_result_hears_when_to_ask_again() -> None:
    kept, clock = Kept(), Wound()

    first = kept.seldom(("run", "page"), "a", clock.work(), clock.now)
    rests_until_s = clock.now_s + REST * 2.0
    earlier = kept.seldom(("run", "page"), "b", clock.work(), clock.now)
    clock.now_s = rests_until_s
    renewed = kept.seldom(("run", "page"), "b", clock.work(), clock.now)

    assert (first.again_s, earlier, renewed) == (None, (1, rests_until_s), (2, None))


def test_a_result_of_the_same_state_stands_however_long_it_rested() -> None:
    kept, clock = Kept(), Wound()

    seldom(kept, clock, "a")
    clock.now_s += 10_000.0

    assert seldom(kept, clock, "a") == 1


def test_whoever_asks_while_it_is_renewed_has_the_earlier_one() -> None:
    kept, clock = Kept(), Wound()
    seldom(kept, clock, "a")
    clock.now_s += 1_000.0
    seen: list[int] = []

    def compute() -> int:
        seen.append(seldom(kept, clock, "b"))
        return 7

    renewed = kept.seldom(("run", "page"), "b", compute, clock.now)

    assert (seen, renewed.value, seldom(kept, clock, "b")) == ([1], 7, 7)


def test_a_renewal_that_fails_is_tried_again() -> None:
    kept, clock = Kept(), Wound()
    seldom(kept, clock, "a")
    clock.now_s += 1_000.0

    def fail() -> int:
        raise OSError("the disk")

    with pytest.raises(OSError, match="the disk"):
        kept.seldom(("run", "page"), "b", fail, clock.now)

    assert seldom(kept, clock, "b") == 2
