"""A short recording with earlier prices in front: the desk decides, says how old they are, and trades none of them."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest


@pytest.fixture
def halves(six_names: Path, tmp_path: Path) -> tuple[Path, Path]:
    """The last six sessions of the small market by themselves, and all that came before them."""
    rows = pd.read_csv(six_names)
    days = sorted(rows["date"].unique())
    early, late = tmp_path / "early.csv", tmp_path / "late.csv"
    rows[rows["date"] < days[-6]].to_csv(early, index=False)
    rows[rows["date"] >= days[-6]].to_csv(late, index=False)
    return early, late


def test_a_week_of_prices_is_decided_on_with_a_year_in_front_and_replayed(
    halves: tuple[Path, Path], parley: Any
) -> None:
    early, late = halves
    where = ("--data", late, "--reports", "none", "--json")

    alone = parley("run", *where, "--book", "alone").document
    run = parley("run", *where, "--before", early, "--book", "both").document

    assert (alone["sessions"], alone["orders"]) == (6, 0)
    assert run["sessions"] == 6 and run["orders"] > 0
    told = " ".join(run["notes"])
    assert "6 of 6 names, 256 sessions to" in told
    assert "own were 0 at the first decision and 5 at the last" in told
    assert parley("replay", "--book", "both").code == 0


def test_nothing_is_decided_on_the_earlier_prices(halves: tuple[Path, Path], parley: Any) -> None:
    early, late = halves

    refused = parley("run", "--data", late, "--before", early, "--start", "2015-06-01", "--json")

    assert refused.code == 2
    assert "among the earlier prices" in refused.document["error"]["message"]
