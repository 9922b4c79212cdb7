"""The same order by every algorithm through a real session on a recorded day, from what was known before."""

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from parley.desk.settings import Settings
from parley.domain.orders import Side, Urgency
from parley.evals.errors import NothingRecorded
from parley.evals.paired_execution import (
    ARMS,
    N_SLICES,
    NOTIONALS,
    TWAP,
    Task,
    compared_urgency,
    predicted,
    told_volume,
    trials,
)
from parley.evals.study_stages import Known, study_stages
from parley.execution.hours import SessionHours
from parley.gate.limits import load_limits

NAMED = os.environ.get("PARLEY_SHARED_DATA")
FOLDER = Path(NAMED) if NAMED else Path(__file__).resolve().parents[2].parent / "shared" / "data"
LIMITS = load_limits()


@pytest.fixture(scope="module")
def staged() -> Any:
    """The first stage of the study, its first two hours: AIG's minute quotes of 7 October 2013."""
    if not (FOLDER / "intraday").is_dir():
        reason = f"no recorded data at {FOLDER}; set PARLEY_SHARED_DATA to the folder that holds intraday/"
        pytest.skip(reason)
    stage, desk = next(study_stages(FOLDER, Settings(), LIMITS))
    return replace(stage, windows=stage.windows[:2]), desk


@pytest.fixture(scope="module")
def found(staged: Any) -> Any:
    stage, desk = staged
    return list(trials(stage, desk, LIMITS))


def task(stage: Any, side: Side = Side.BUY, notional: int = 1_000_000) -> Task:
    opens_at, closes_at = stage.windows[0]
    events, quotes = stage.tape.between(opens_at, closes_at)
    first = quotes[0].ts_event
    hours = SessionHours(first - timedelta(seconds=1), first, closes_at)
    return Task(stage, opens_at, hours, events, quotes, side, notional)


def test_every_arm_gets_every_order_of_every_window(staged: Any, found: Any) -> None:
    orders = {(item.window, item.side, item.notional) for item in found}

    assert len(orders) == 2 * 2 * len(NOTIONALS)
    assert len(found) == len(orders) * len(ARMS)
    assert {item.arm for item in found} == {arm.name for arm in ARMS}
    assert {item.tier for item in found} == {"T1"}


def test_an_arm_that_is_there_for_its_waiting_is_worked_where_it_waits() -> None:
    by_name = {arm.name: [compared_urgency(arm, urgency) for urgency in Urgency] for arm in ARMS}

    for name in ("TWAP, pegged", "TWAP, leaning"):
        assert by_name.pop(name) == [Urgency.LOW, Urgency.MEDIUM, Urgency.MEDIUM]
    assert all(worked == list(Urgency) for worked in by_name.values())


def test_it_comes_out_the_same_twice(staged: Any, found: Any) -> None:
    stage, desk = staged

    assert list(trials(stage, desk, LIMITS)) == found


def test_small_orders_are_filled_and_their_two_sides_share_the_drift(found: Any) -> None:
    small = [item for item in found if item.arm == TWAP.name and item.notional == min(NOTIONALS)]

    assert {item.filled_frac for item in small} == {1.0}
    for buy in (item for item in small if item.side is Side.BUY):
        (sell,) = [item for item in small if item.side is Side.SELL and item.window == buy.window]
        # What is left of both is half a spread and past the touch on each side, and a basis point of fee.
        touch = (buy.spread_bps + buy.impact_bps + sell.spread_bps + sell.impact_bps) / 2
        assert (buy.cost_bps + sell.cost_bps) / 2 == pytest.approx(touch + 1.0, abs=0.3)


def test_what_is_left_unfilled_is_not_free(staged: Any, found: Any) -> None:
    left = [item for item in found if item.filled_frac < 0.5]

    assert left, "the gate refuses children that are too large for the touch"
    assert all(item.denied for item in left)
    assert all(item.spread_bps > 0.0 for item in left)


def test_the_prediction_knows_nothing_of_the_day(staged: Any) -> None:
    stage, desk = staged
    usual = {arm.name: predicted(task(stage), arm, desk).measured.cost_bps for arm in ARMS}
    whole = task(stage)

    later = replace(whole, quotes=whole.quotes[:1], events=())

    assert {arm.name: predicted(later, arm, desk).measured.cost_bps for arm in ARMS} == usual
    assert stage.known.begins_at.date() > desk.view.as_of.date()


def test_is_hurries_and_close_waits_as_they_should(staged: Any) -> None:
    stage, desk = staged
    by_arm = {arm.name: predicted(task(stage), arm, desk) for arm in ARMS}

    hurried, late = by_arm["IS"].measured.slices, by_arm["CLOSE"].measured.slices
    assert hurried[: N_SLICES // 3].sum() > 0.45 * hurried.sum()
    assert late[: N_SLICES // 2].sum() == 0 and late.sum() == hurried.sum()
    assert by_arm["IS"].advice.kappa_span == pytest.approx(2.0, rel=0.05)


def test_volume_is_told_when_its_minute_is_over_and_not_before(staged: Any) -> None:
    stage, _ = staged
    told, bars = told_volume(stage.recording, stage.grid), stage.recording.bars
    opens_at = stage.known.begins_at
    minute = timedelta(minutes=1)

    assert told.traded(stage.recording.symbol, opens_at, opens_at + minute - timedelta(seconds=1)) == 0
    assert told.traded(stage.recording.symbol, opens_at, opens_at + minute) == int(bars.volume[0])


def test_shares_of_all_windows_of_a_session_are_all_of_its_volume() -> None:
    begins = datetime(2013, 10, 7, 13, 30, tzinfo=UTC)
    known = Known(1e6, 0.01, 0.008, 1e-4, np.array([3.0, 1.0, 1.0, 3.0]), begins, timedelta(hours=6.5))
    edges = [begins + timedelta(hours=6.5) * place / 5 for place in range(6)]

    parts = [known.shares(one, other, 4) for one, other in pairwise(edges)]

    assert np.concatenate(parts).sum() == pytest.approx(1.0)
    assert known.shares(begins, edges[-1], 4) == pytest.approx([0.375, 0.125, 0.125, 0.375])


def test_a_folder_without_the_recordings_is_refused_by_the_first_file_it_lacks(tmp_path: Path) -> None:
    with pytest.raises(NothingRecorded, match="etf_equity_daily_1998_2018"):
        next(study_stages(tmp_path, Settings(), LIMITS))
