"""The schedule command over real data: its contract, its page, and what it refuses."""

import json
from pathlib import Path
from typing import Any

import pytest
from parley.service.page_proof import problems
from parley.service.reports import Report

ORDER = ("schedule", "AAPL", "buy", "200000", "--data", "us20", "--as-of", "2020-03-16")


def test_a_schedule_prints_every_way_and_takes_one(parley: Any) -> None:
    done = parley(*ORDER, "--json")

    found = done.document
    assert done.code == 0
    assert found["as_of"] == "2020-03-16T20:00:00+00:00"
    rows = found["execution_schedules"]["schedules"]
    assert set(rows) == {"TWAP", "VWAP", "IS", "POV", "close", "transient"}
    assert found["execution_schedules"]["recommended"] == "IS"
    assert sum(rows["IS"]["slices"]) == 200_000
    assert found["cost_frontier"]["chosen"]["std_bps"] < rows["TWAP"]["std_bps"]


def test_it_is_the_same_in_words_and_twice(parley: Any) -> None:
    one, two = parley(*ORDER, "--json").document, parley(*ORDER, "--json").document
    text = parley(*ORDER).out

    assert one == two
    assert f"{one['execution_schedules']['schedules']['VWAP']['cost_bps']:.2f}" in text
    assert "Take IS" in text and "Volume curve assumed" in text


def test_every_number_on_the_page_is_borne_out_by_its_twin(parley: Any) -> None:
    for more in ((), ("--horizon-minutes", "60", "--slices", "1", "--risk-aversion", "0")):
        found = parley(*ORDER, *more, "--json").document

        page, twin = Path(found["html"]).read_text(), json.loads(Path(found["json"]).read_text())

        assert problems(Report(found["id"], "schedule", page, twin)) == []
        assert page.count("data-ref=") > 60


def test_recorded_minutes_give_the_curve_and_the_spread_and_later_ones_are_not_seen(
    parley: Any, tmp_path: Path
) -> None:
    rows = ["symbol,ts,close,volume,bid,ask,bid_size,ask_size"]
    for minute in range(60):
        shares = 300 if minute < 30 else 100
        rows.append(f"AAPL,2020-03-16 {10 + minute // 60}:{minute % 60:02d}:00-04:00,60,{shares},59.94,60.06,5,5")
    (tmp_path / "minutes.csv").write_text("\n".join(rows) + "\n")

    found = parley(*ORDER, "--intraday", "minutes.csv", "--json").document["execution_schedules"]
    early = parley(*ORDER[:-1], "2020-03-13", "--intraday", "minutes.csv", "--json")

    assert (found["curve_sessions"], found["spread_is_recorded"]) == (1, True)
    # From 10:00 to 10:30 three quarters of the recorded volume, 30 minutes after the open.
    assert found["volume_shares"][1:3] == pytest.approx([0.75, 0.25])
    assert found["spread_cost_bps"] == pytest.approx(10.0)
    assert found["schedules"]["close"] == {"refused": "no volume was recorded before the close"}
    assert early.code == 2 and "no minute of AAPL" in early.document["error"]["message"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("AAPL", "hold", "100"), "'hold' is no side"),
        (("AAPL", "buy", "0"), "a quantity of 0"),
        (("AAPL", "buy", "100", "--horizon-minutes", "391"), "--horizon-minutes 391"),
        (("AAPL", "buy", "100", "--slices", "0"), "--slices 0"),
        (("AAPL", "buy", "100", "--risk-aversion", "nan"), "--risk-aversion nan"),
        (("AAPL", "buy", "100", "--as-of", "1990-06-01"), "sessions before"),
        (("NOPE", "buy", "100"), "'NOPE' is not in the data set"),
    ],
)
def test_an_order_that_is_none_is_refused_with_a_remedy(parley: Any, arguments: tuple[str, ...], says: str) -> None:
    done = parley("schedule", *arguments, "--data", "us20", "--json")

    assert done.code == 2
    assert says in done.document["error"]["message"]
    assert done.document["error"]["remedy"]
    assert not Path("book").exists()
