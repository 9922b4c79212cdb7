"""The suite `faithfulness` passes on what the desk writes, and finds a number that nothing bears out."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from parley.domain.decisions import Evidence
from parley.domain.events import Event
from parley.service.faithfulness import faults_said
from parley.service.page_proof import problems
from parley.service.reports import Report, RunRecord, order_report


def test_a_run_of_the_desk_says_nothing_that_its_evidence_does_not_show(parley: Any, six_names: Path) -> None:
    asked = ("--data", six_names, "--start", "2016-01-06", "--end", "2016-01-14", "--book", "book")
    assert parley("run", *asked, "--reports", "none").code == 0

    done = parley("eval", "run", "faithfulness", "--book", "book", "--seeds", "5", "--json")

    assert done.code == 0
    found = done.document
    assert found["ok"]
    assert found["arguments"]["checked"] > 0
    assert found["arguments"]["rate"] == found["pages"]["rate"] == 1.0
    assert 0.3 < found["pages"]["interval_95"][0] < 1.0
    assert "borne out" in parley("eval", "run", "faithfulness", "--book", "book", "--seeds", "1").out


def test_an_argument_with_an_invented_number_is_found() -> None:
    entry = Evidence(
        id="ev-scores-1",
        tool="scores",
        tool_version=1,
        inputs_hash="x",
        as_of=datetime(2020, 1, 2, tzinfo=UTC),
        unit="fraction",
        output={"AAPL": 0.042},
    )

    assert faults_said("AAPL: BUY, its expected return is 4.2 %", (entry,)) == ()
    assert faults_said("AAPL: BUY, its expected return is 4.9 %", (entry,)) == ("4.9 % is not in the evidence",)


@pytest.mark.parametrize("spoiled", ['class="n nowhere"', "</span>"])
def test_a_page_that_is_broken_or_leads_nowhere_is_found(run_events: list[Event], spoiled: str) -> None:
    order_id = next(event.order_id for event in run_events if event.type == "OrderOpened")
    assert order_id
    good: Report = order_report(RunRecord.from_events(run_events), order_id)
    value = '<data class="n num" value="1" data-ref="ev-none#/x">1</data>' if "nowhere" in spoiled else spoiled

    assert problems(good) == []
    assert problems(replace(good, html=good.html.replace("</body>", f"{value}</body>")))


def test_an_unknown_suite_is_refused_with_those_there_are(parley: Any) -> None:
    done = parley("eval", "run", "faithfullness", "--json")

    assert done.code == 2
    assert done.document["error"]["code"] == "suite_unknown"
    assert "faithfulness" in done.document["error"]["remedy"]
