"""Factor files: read as they are, and refused by row when they cannot be trusted."""

from pathlib import Path

import numpy as np
import pytest
from parley.market.errors import DataFileError
from parley.service.factor_files import read_factors

GOOD = "date,SMB,RF\n2020-01-02,,0.0001\n2020-01-03,0.002,0.0001\n2020-01-06,-0.001,0.0001\n"


def test_a_file_is_read_with_cash_apart_and_a_late_start_left_open(tmp_path: Path) -> None:
    path = tmp_path / "f.csv"
    path.write_text(GOOD)

    found = read_factors(path)

    assert list(found.columns) == ["SMB"]
    assert np.isnan(found.columns["SMB"][0]) and found.columns["SMB"][2] == -0.001
    assert found.cash is not None and found.cash.tolist() == [0.0001] * 3
    assert found.source == "f.csv"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (GOOD.replace("date", "when"), "found when, SMB, RF"),
        ("date,RF\n2020-01-02,0.0\n2020-01-03,0.0\n", "found date, RF"),
        ("date,SMB\n2020-01-02,0.001\n", "1 rows"),
        (GOOD.replace("2020-01-06", "2020-01-03"), "row 3: date is not after"),
        (GOOD.replace("2020-01-06", "soon"), "row 3: date is not a day"),
        (GOOD.replace("-0.001", "much"), "row 3: SMB is not a number"),
        (GOOD.replace("-0.001", ""), "row 3: SMB has a gap"),
        (GOOD.replace("-0.001", "-0.99").replace("0.002", "0.95"), "no fraction"),
        ("date,SMB\n2020-01-02,\n2020-01-03,\n", "SMB is empty"),
    ],
)
def test_a_doubtful_file_is_refused_with_row_and_remedy(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "f.csv"
    path.write_text(text)

    with pytest.raises(DataFileError, match=says) as caught:
        read_factors(path)
    assert caught.value.remedy


def test_a_file_that_is_not_there_or_of_another_kind_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataFileError, match="no such file"):
        read_factors(tmp_path / "none.csv")
    with pytest.raises(DataFileError, match="xlsx"):
        read_factors(tmp_path / "f.xlsx")
