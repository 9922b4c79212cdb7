"""The pairs command over real data: its contract, its page, its plain verdict, and what it refuses."""

from pathlib import Path
from typing import Any

import pytest
from parley.market.datasets import load_data
from parley.service.page_proof import problems, walk

from .test_allocating import page_report

AS_OF = ("--data", "us20", "--as-of", "2010-06-30", "--top", "5")


def test_the_document_the_words_and_the_page_say_the_same(parley: Any) -> None:
    done = parley("pairs", *AS_OF, "--json")
    found = done.document
    text = parley("pairs", *AS_OF).out
    record = found["reversion_record"]
    report = page_report(found, "pairs")

    assert done.code == 0
    assert found["as_of"] == "2010-06-30T20:00:00+00:00"
    assert found["survivorship"] == load_data("us20").card.survivorship
    assert record["quarters"] == 12
    assert len(found["reverting_spreads"]["rows"]) <= 5
    for kind, row in record["kinds"].items():
        assert kind in text
        assert f"{row['net_low']:.1%} to {row['net_high']:.1%}" in text
    assert record["verdict"] in text
    assert problems(report) == []
    assert record["verdict"] in report.html
    assert len(walk(report.html).values) > 40


def test_a_short_history_has_no_record_and_says_so(parley: Any, six_names: Path) -> None:
    done = parley("pairs", "--data", six_names, "--json")

    assert done.code == 0
    assert "a record needs 4" in done.document["reversion_record"]["refused"]
    assert problems(page_report(done.document, "pairs")) == []
    assert "No record:" in parley("pairs", "--data", six_names).out


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("--data", "us20", "--top", "0"), "settings_invalid", "--top 0"),
        (("--data", "us20", "--top", "99"), "settings_invalid", "--top 99"),
        (("--data", "sp500"), "not_enough_data", "1 names have all"),
        (("--data", "us20", "--as-of", "soon"), "settings_invalid", "neither a day nor a time"),
    ],
)
def test_bad_use_is_refused_with_a_remedy(parley: Any, arguments: tuple[str, ...], code: str, says: str) -> None:
    done = parley("pairs", *arguments, "--json")

    assert done.code == 2
    assert done.document["error"]["code"] == code
    assert says in done.document["error"]["message"]
    assert done.document["error"]["remedy"]
    assert not Path("book").exists()
