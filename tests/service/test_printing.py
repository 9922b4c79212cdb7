"""The summary of a run: what it says of a run too short for an interval, in words, in JSON and on its page."""

import json
from pathlib import Path
from typing import Any

from parley.service.page_proof import problems
from parley.service.reports import Report


def test_a_run_of_ten_sessions_ends_well_and_says_why_its_ratio_has_no_interval(parley: Any) -> None:
    asked = ("run", "--data", "us20", "--start", "1993-01-04", "--end", "1993-01-15")

    done = parley(*asked, "--json")
    text = " ".join(parley(*asked).out.split())

    metrics = done.document["metrics"]
    assert done.code == 0 and done.document["sessions"] == 10
    assert (metrics["sharpe_low"], metrics["sharpe_high"], metrics["no_interval"]) == (None, None, "too_short")
    assert "No interval: a Sharpe ratio has one from 43 sessions on." in text
    page = Path(done.document["report"])
    assert "No interval" in page.read_text()
    assert problems(Report(page.stem, "run", page.read_text(), json.loads(page.with_suffix(".json").read_text()))) == []
