"""What each configuration earned is kept, read back as it was, and judged only beside what was tried on its days."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from parley.evals.errors import RecordUnreadable, RecordUnwritable
from parley.evals.kept_returns import KeptReturns, choices, keep_returns, kept_returns
from parley.evals.trials import Register, Trial

DAYS = np.arange("2015-01-01", "2017-01-01", dtype="datetime64[D]")


def trial(number: int) -> str:
    return f"trial-{number:016x}"


def kept(number: int, skill: float = 0.0, data: str = "made") -> KeptReturns:
    noise = np.random.default_rng(number).normal(skill, 0.01, len(DAYS))
    return KeptReturns(trial(number), data, DAYS, noise)


def register(*numbers: int) -> Register:
    rows = (
        Trial(id=trial(number), data="made", first="2014-12-31", last="2016-12-31", model="rules", sharpe=None, why="x")
        for number in numbers
    )
    return Register((), tuple(rows))


def test_what_was_kept_comes_back_to_the_bit_and_twice_as_the_same_bytes(tmp_path: Path) -> None:
    path = keep_returns(tmp_path, kept(1))
    before = path.read_bytes()
    keep_returns(tmp_path, kept(1))

    (found,) = kept_returns(tmp_path)
    assert path.read_bytes() == before
    assert (found.trial, found.data, found.span) == (trial(1), "made", ("made", "2015-01-01", "2016-12-31"))
    assert np.array_equal(found.days, DAYS) and np.array_equal(found.returns, kept(1).returns)
    # Thirty years of days in a file are less than 100 kB: 8 bytes for each return, next to nothing for the days.
    assert len(before) < 10 * len(DAYS) + 2000


def test_only_what_is_registered_and_was_tried_on_the_same_days_is_one_choice() -> None:
    shorter = replace(kept(4), days=DAYS[:400], returns=kept(4).returns[:400])
    everything = [kept(1), kept(2), kept(3), shorter, kept(5, data="other"), kept(6)]

    found = choices(everything, register(1, 2, 3, 4, 5))

    assert [(item.data, item.days, item.kept) for item in found] == [
        ("made", 400, 1),
        ("made", len(DAYS), 3),
        ("other", len(DAYS), 1),
    ]
    assert [item.overfit is None for item in found] == [True, False, True]


def test_one_with_skill_among_many_without_is_no_overfit_choice_and_noise_alone_is_one() -> None:
    numbers = range(12)
    noise = choices([kept(number) for number in numbers], register(*numbers))
    skilled = choices([kept(number, skill=0.004 * (number == 0)) for number in numbers], register(*numbers))

    assert skilled[0].overfit == 0.0
    assert noise[0].overfit is not None and noise[0].overfit > 0.2


def test_other_days_within_one_span_are_refused() -> None:
    gap = replace(kept(2), days=np.delete(DAYS, 5), returns=np.delete(kept(2).returns, 5))

    with pytest.raises(RecordUnreadable, match="730 days"):
        choices([kept(1), gap], register(1, 2))


@pytest.mark.parametrize("damage", ["torn", "short", "nan"])
def test_a_damaged_file_is_named_and_says_what_to_do(tmp_path: Path, damage: str) -> None:
    path = keep_returns(tmp_path, kept(1))
    if damage == "torn":
        path.write_bytes(path.read_bytes()[:100])
    elif damage == "short":
        keep_returns(tmp_path, replace(kept(1), days=DAYS[:-1]))
    else:
        keep_returns(tmp_path, replace(kept(1), returns=np.full(len(DAYS), np.nan)))

    with pytest.raises(RecordUnreadable, match=path.name) as refused:
        kept_returns(tmp_path)
    assert "--refresh" in refused.value.remedy


def test_a_book_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "trials").write_text("in the way")

    with pytest.raises(RecordUnwritable, match="cannot be written"):
        keep_returns(tmp_path, kept(1))
