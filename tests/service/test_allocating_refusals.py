"""What the portfolio command refuses: each with its code, what was found, and a remedy; nothing is written."""

from pathlib import Path
from typing import Any

import pytest

EARLY = ("--data", "us20", "--as-of", "1994-06-30")
"""A close with little history before it: some of this is refused late."""


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        ((*EARLY, "--beta-between", "2.5", "3"), "quant_solver", "factor market beta within 2.5 to 3"),
        ((*EARLY, "--max-sector", "0.05"), "quant_solver", "stock/Energy at most 0.05"),
        ((*EARLY, "--beta-between", "1", "0.5"), "settings_invalid", "--beta-between 1 0.5 is no range"),
        ((*EARLY, "--max-sector", "25"), "settings_invalid", "--max-sector 25 is no share"),
        ((*EARLY, "--since", "2020-01-02"), "settings_invalid", "--since needs --from FILE"),
        ((*EARLY, "--run", "x"), "settings_invalid", "--run needs --from-run"),
        ((*EARLY, "--from-run"), "settings_invalid", "--from-run brings its own data"),
        ((*EARLY, "--view", "AAPL"), "settings_invalid", "--view 'AAPL' is no view"),
        ((*EARLY, "--view", "AAPL=12%@0.5"), "settings_invalid", "--view 'AAPL=12%@0.5' is no view"),
        ((*EARLY, "--view", "AAPL=nan@0.5"), "settings_invalid", "is no view"),
        ((*EARLY, "--view", "AAPL=12@0.5"), "settings_invalid", "a return of 12 a year is not between -1 and 5"),
        ((*EARLY, "--view", "AAPL=0.1@60"), "settings_invalid", "a confidence of 60 is not strictly between 0 and 1"),
        ((*EARLY, "--view", "AAPL=0.1@0.5", "--view", "aapl=0@0.5"), "settings_invalid", "AAPL is viewed twice"),
        ((*EARLY, "--view", "NOPE=0.1@0.5"), "not_enough_data", "NOPE: not among the 20 names"),
        ((*EARLY, "--factors", "none.csv"), "data_file_error", "none.csv: no such file"),
        ((*EARLY, "--from", "none.csv"), "weights_invalid", "none.csv: cannot be read"),
        ((*EARLY, "--method", "magic", "--weights", "w.csv"), "settings_invalid", "'magic' is not a construction"),
        ((*EARLY, "--method", "robust"), "settings_invalid", "--method needs --weights FILE"),
        ((*EARLY, "--weights", "w.csv"), "settings_invalid", "--weights needs --method NAME"),
        (("--data", "us20", "--as-of", "1990-06-01"), "not_enough_data", "253 are needed"),
        (("--data", "sp500"), "not_enough_data", "1 tradable name"),
        (("--data", "us5"), "quant_solver", "stock/Information Technology at most 0.3"),
        (("--data", "us20", "--as-of", "soon"), "settings_invalid", "neither a day nor a time"),
    ],
)
def test_bad_use_is_refused_with_a_remedy(parley: Any, arguments: tuple[str, ...], code: str, says: str) -> None:
    done = parley("portfolio", *arguments, "--json")

    assert done.code == 2
    assert done.document["error"]["code"] == code
    assert says in done.document["error"]["message"]
    assert done.document["error"]["remedy"]
    assert not Path("book").exists()
    assert not Path("w.csv").exists()
