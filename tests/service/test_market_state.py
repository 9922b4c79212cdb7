"""The market command over real data: its contract, its page, and what it refuses."""

import json
from pathlib import Path
from typing import Any

import pytest
from parley.service.page_proof import problems, walk
from parley.service.reports import Report


@pytest.fixture
def report(tmp_path: Path) -> Any:
    def read(document: dict[str, Any]) -> Report:
        data = json.loads(Path(document["json"]).read_text())
        return Report(document["id"], "market", Path(document["html"]).read_text(), data)

    return read


def test_one_name_with_whole_bars_is_looked_at_closely_and_every_number_has_a_source(parley: Any, report: Any) -> None:
    done = parley("market", "aapl", "--data", "us5", "--as-of", "2003-06-30", "--out", "look.html", "--json")

    found = done.document
    assert done.code == 0
    assert found["as_of"] == "2003-06-30T20:00:00+00:00"
    assert list(found["series"]) == ["market", "AAPL"]
    assert set(found["series"]["AAPL"]) == {
        "indicator_history",
        "candlesticks",
        "chart_patterns",
        "regime_history",
        "change_points",
    }
    assert len(found["series"]["AAPL"]["indicator_history"]["rows"]) == 18
    assert found["brief"] == {} and found["pattern_record"]["series"] == 1
    assert Path(found["html"]).name == "look.html"
    page = report(found)
    assert problems(page) == []
    assert len(walk(page.html).values) > 200
    charts = [entry["output"] for entry in page.data["derived"].values() if entry["tool"] == "report.market_chart"]
    assert page.html.count("<svg x=") == sum(len(chart.get("marks", [])) for chart in charts) > 5


def test_without_names_all_are_listed_and_words_say_what_json_says(parley: Any, report: Any) -> None:
    asked = ("market", "--data", "us20", "--as-of", "2003-06-30")

    found = parley(*asked, "--json").document
    text = parley(*asked).out

    assert list(found["series"]) == ["SPX"] and len(found["brief"]) == 20
    assert "candlesticks need open, high and low" in text
    assert found["series"]["SPX"]["indicator_history"]["rows"][0]["says"] in text
    assert f"regime: {found['series']['SPX']['regime_history']['label']}" in text
    assert problems(report(found)) == []


def test_a_short_file_is_read_as_far_as_it_goes(parley: Any, report: Any, six_names: Path) -> None:
    done = parley("market", "N1", "--data", six_names, "--json")

    found = done.document["series"]["N1"]
    assert done.code == 0
    assert "refused" in found["regime_history"] and "refused" in found["change_points"]
    assert "open" in found["candlesticks"]["refused"]
    assert problems(report(done.document)) == []
    assert "regimes need 504" in parley("market", "N1", "--data", six_names).out


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("NOPE", "--data", "us5"), "unknown_symbol"),
        (("A", "B", "C", "D", "E", "F", "G", "H", "I"), "settings_invalid"),
        (("AAPL", "--data", "us5", "--as-of", "2000-04-20"), "not_enough_data"),
        (("AAPL", "--data", "us5", "--as-of", "2031-01-01"), "no_sessions"),
    ],
)
def test_what_cannot_be_looked_at_is_refused_with_a_remedy(parley: Any, arguments: tuple[str, ...], code: str) -> None:
    done = parley("market", *arguments, "--json")

    assert done.code == 2
    assert done.document["error"]["code"] == code
    assert done.document["error"]["remedy"]
    assert not Path("book").exists()
