"""The attribution command: its contract, sums to the cent, its page, and what it refuses."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

from parley.service.page_proof import problems
from parley.service.reports import Report

SPLITS = ["effect", "sector", "instrument", "agent", "decision"]


def test_a_run_is_taken_apart_to_the_cent_and_every_number_on_the_page_is_in_the_twin(
    parley: Any, six_names: Path, tmp_path: Path
) -> None:
    run = parley("run", "--data", six_names, "--reports", "none", "--json")
    assert run.code == 0, run.err

    done = parley("attribution", "--json")

    found = done.document
    assert done.code == 0
    assert [split["name"] for split in found["splits"]] == SPLITS
    assert "names" in found["refused"]["factor"]
    profit = Decimal(found["equity"]) - Decimal(found["equity_before"])
    assert Decimal(found["profit"]) == profit
    for split in found["splits"]:
        assert sum(Decimal(row["amount"]) for row in split["rows"]) == profit.quantize(Decimal("0.01")), split["name"]
    page, twin = Path(found["html"]), json.loads(Path(found["json"]).read_text())
    assert problems(Report(twin["id"], "attribution", page.read_text(), twin)) == []
    said = parley("attribution", "--run", found["run"][:8], "--out", tmp_path / "a.html").out
    assert "spread and impact" in said
    assert (tmp_path / "a.html").is_file()


def test_what_cannot_be_taken_apart_is_refused_with_what_to_do(parley: Any, tmp_path: Path) -> None:
    nothing = parley("attribution", "--json")
    assert nothing.code == 2
    assert nothing.document["error"]["code"] == "run_unknown"
    assert parley("attribution", "--out", "page.txt", "--json").document["error"]["code"] == "settings_invalid"
    missing = parley("attribution", "--factors", tmp_path / "none.csv", "--json")
    assert missing.code != 0
    assert missing.document["error"]["remedy"]
