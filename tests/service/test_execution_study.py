"""The execution study's document: every row and figure computed, what can not be concluded said, bad input refused."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from parley.domain.orders import Side
from parley.evals.paired_execution import ARMS, Trial
from parley.service.execution_study import compared
from parley.service.execution_text import markdown

OPEN = datetime(2013, 10, 7, 14, tzinfo=UTC)
GAINS = {"VWAP": -0.5, "IS": 0.0, "POV": 2.0, "CLOSE": 0.0, "TWAP, pegged": 0.0}


def made() -> list[Trial]:
    """Two kinds of recordings, two symbols, six windows: VWAP gains half a basis point on TWAP, POV loses two."""
    return [
        Trial(
            kind=kind,
            symbol=symbol,
            window=OPEN + timedelta(hours=window),
            side=side,
            notional=100_000,
            arm=arm.name,
            predicted_bps=5.0 + window + level,
            predicted_std_bps=4.0,
            predicted_spread_bps=1.0 + level,
            predicted_impact_bps=3.0 + window,
            cost_bps=2.0 + level + side.sign * (window - 2.5) + GAINS.get(arm.name, 0.0),
            spread_bps=1.0 + level,
            impact_bps=0.0,
            filled_frac=1.0,
            children=12,
            denied=int(arm.name == "POV"),
            failed_checks=("depth",) * int(arm.name == "POV"),
            usual_kappa_span=0.1 + level,
            tier=tier,
        )
        for kind, tier in (("minute quotes", "T1"), ("order book, future", "T2"))
        for symbol, level in (("AAA", 0.0), ("BBB", 1.0))
        for window in range(6)
        for side in Side
        for arm in ARMS
    ]


def text(found: list[Trial]) -> str:
    return markdown(found, *compared(found), "## Routing\n")


def test_every_arm_is_set_against_twap_on_every_kind_of_recording() -> None:
    pairs, calibrations = compared(made())

    assert [(row.kind, row.arm) for row in pairs] == [
        (kind, arm.name) for kind in ("minute quotes", "order book, future") for arm in ARMS[1:]
    ]
    assert [row.kind for row in calibrations] == ["minute quotes", "order book, future"]
    by_arm = {row.arm: row for row in pairs[: len(ARMS) - 1]}
    assert by_arm["VWAP"].difference_bps.value == pytest.approx(-0.5)
    assert by_arm["POV"].denied == 24


def test_the_document_has_the_figures_the_fidelity_and_what_can_not_be_concluded() -> None:
    said = text(made())

    assert "| minute quotes | quotes, T1 | AAA, BBB | 2013-10-07 | 6 | 168 |" in said
    assert "| order book, future | depth, T2 |" in said
    assert "| minute quotes | VWAP | 2.00 | -0.50 (-0.50 to -0.50) |" in said
    assert "4 have an interval without zero" in said
    assert "It can not be concluded that any of these algorithms is better" in said
    assert "the checks that failed: depth 48." in said
    assert "0.100 to 1.100" in said
    assert "Not blind: the measure." in said and said.rstrip().endswith("## Routing")


def test_where_a_tactic_is_clearly_cheaper_or_dearer_is_said_by_the_figures() -> None:
    gains = {("TWAP, leaning", "minute quotes"): -0.5, ("TWAP, leaning", "order book, future"): 0.25}
    found = [replace(trial, cost_bps=trial.cost_bps + gains.get((trial.arm, trial.kind), 0.0)) for trial in made()]

    assert "TWAP, leaning, is clearly cheaper on minute quotes, clearly dearer on order book, future." in text(found)
    assert "TWAP, leaning, is clearly cheaper on nothing, clearly dearer on nothing." in text(made())
    assert text(found).count("TWAP, pegged, is clearly cheaper on nothing") == 1


def test_a_document_is_the_same_twice_and_another_cost_is_another_document() -> None:
    found = made()
    dearer = [replace(found[0], cost_bps=90.0), *found[1:]]

    assert text(found) == text(made()) != text(dearer)


def test_a_study_without_recordings_says_how_to_name_them(parley: Any, monkeypatch: Any, tmp_path: Path) -> None:
    monkeypatch.delenv("PARLEY_SHARED_DATA", raising=False)

    unnamed, missing = parley("execution-study"), parley("execution-study", "--recordings", tmp_path / "none")

    assert (unnamed.code, missing.code) == (2, 2)
    assert "no recordings named" in unnamed.err and "PARLEY_SHARED_DATA" in unnamed.err
    assert f"no recordings at {tmp_path / 'none'}" in missing.err


def test_a_folder_without_the_files_and_an_out_that_is_a_folder_are_refused(parley: Any, tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()

    empty = parley("execution-study", "--recordings", tmp_path / "here")
    folder = parley("execution-study", "--recordings", tmp_path / "here", "--out", tmp_path / "here")

    assert empty.code == 2 and "there is no daily/" in empty.err
    assert folder.code == 2 and "is a folder" in folder.err
