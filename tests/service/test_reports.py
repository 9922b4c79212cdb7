"""What the reports say of hand-made runs: sentences, tables, honest notes, files, and errors."""

import json
import re
from collections.abc import Callable
from html import unescape
from pathlib import Path

import numpy as np
import pytest
from parley.domain.events import DecisionMade, Event
from parley.quant.impact import implementation_shortfall
from parley.quant.performance import max_drawdown, sharpe, total_return
from parley.service.pages.errors import ReportError, ReportUnwritable, SeriesMismatch, UnknownRecord
from parley.service.pages.prices import PriceHistory
from parley.service.pages.record import EventList
from parley.service.reports import (
    Report,
    RunRecord,
    decision_report,
    order_report,
    run_report,
    write_report,
)


def text_of(report: Report) -> str:
    """The page's visible words, without tags."""
    bare = re.sub(r"<style>.*?</style>|<title>.*?</title>", "", report.html, flags=re.DOTALL)
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", "", re.sub(r"</(td|th|dt|li|p|h\d)>", " ", bare))))


def derived(report: Report, tool: str) -> dict[str, float]:
    entries = report.data["derived"]
    assert isinstance(entries, dict)
    found = [e["output"] for e in entries.values() if isinstance(e, dict) and e["tool"] == f"report.{tool}"]
    assert len(found) >= 1
    return found[0]  # pyright: ignore[reportReturnType]


def orders_of(events: list[Event]) -> list[str]:
    return [e.order_id for e in events if e.type == "OrderOpened" and e.order_id]


def decision_of(events: list[Event], kind: str) -> str:
    made = (e.decoded() for e in events if e.type == "DecisionMade")
    return next(m.decision.decision_id for m in made if isinstance(m, DecisionMade) and m.decision.kind == kind)


@pytest.fixture(scope="module")
def record(run_events: list[Event]) -> RunRecord:
    return RunRecord.from_events(run_events)


def test_a_filled_trade_says_what_was_bought_at_which_price_and_why(run_events: list[Event], record: RunRecord) -> None:
    text = text_of(order_report(record, orders_of(run_events)[0]))

    assert re.search(
        r"Bought 312 AAPL at \d+\.\d\d on 2013-09-04, decided 2013-09-03 21:01 UTC, because: expected", text
    )
    assert "The rules model is deterministic code, not a language model." in text
    assert "Synthetic quotes." in text
    assert "Against: Risk manager." in text


def test_partial_and_unfilled_trades_say_so(run_events: list[Event], record: RunRecord) -> None:
    orders = orders_of(run_events)

    assert "Bought 96 of 322 AMD" in text_of(order_report(record, orders[1]))
    unfilled = text_of(order_report(record, orders[2]))
    assert "Tried to sell 332 BAC" in unfilled
    assert "Nothing was filled." in unfilled
    assert "expired, 25 unfilled: day order expired at 16:00" in unfilled.lower()


def test_an_order_that_still_works_shows_what_was_done_so_far(run_events: list[Event]) -> None:
    order_id = orders_of(run_events)[0]
    cut = [e for e in run_events if not (e.order_id == order_id and e.type == "OrderClosed")]

    report = order_report(RunRecord.from_events(cut), order_id)

    assert "still being worked" in text_of(report)
    assert derived(report, "filled_so_far")["filled"] == 312


def test_a_fill_reported_twice_counts_once(run_events: list[Event]) -> None:
    order_id = orders_of(run_events)[0]
    cut = [e for e in run_events if not (e.order_id == order_id and e.type == "OrderClosed")]
    fill = next(e for e in cut if e.order_id == order_id and e.type == "OrderFilled")
    again = fill.model_copy(update={"id": "evt-again", "seq": len(cut) + 1})

    record = RunRecord.from_events([*cut, again])

    assert derived(order_report(record, order_id), "filled_so_far")["filled"] == 312
    assert record.fills == RunRecord.from_events(cut).fills


def test_the_shortfall_split_is_perolds_and_adds_up(run_events: list[Event], record: RunRecord) -> None:
    order_id = orders_of(run_events)[1]
    mine = [e for e in run_events if e.order_id == order_id]
    fills = [e.payload["fill"] for e in mine if e.type == "OrderFilled"]  # pyright: ignore
    opened = next(e.payload for e in mine if e.type == "OrderOpened")

    split = derived(order_report(record, order_id), "implementation_shortfall")

    expected = implementation_shortfall(
        side=1,
        quantity=322,
        decision_price=float(opened["order"]["reference_price"]),  # pyright: ignore
        arrival_price=float(opened["arrival_price"]),  # pyright: ignore
        fill_prices=np.array([float(f["price"]) for f in fills]),  # pyright: ignore
        fill_quantities=np.array([float(f["quantity"]) for f in fills]),  # pyright: ignore
        closing_price=float(fills[-1]["mid_price"]),  # pyright: ignore
        fees=4 * 0.42,
    )
    assert split["total_bps"] == pytest.approx(expected.total_bps)
    parts = ("delay_bps", "trading_bps", "opportunity_bps", "fee_bps")
    assert sum(split[name] for name in parts) == pytest.approx(split["total_bps"])


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("trade", "The gate approved the plan below."),
        ("no_trade", "Nothing was traded: the desk saw no change worth making."),
        ("vetoed", "Nothing was traded: the gate said no."),
        ("refused", "Nothing was traded: the desk lacked what it needs to decide"),
    ],
)
def test_each_kind_of_decision_says_why_it_traded_or_not(
    run_events: list[Event], record: RunRecord, kind: str, sentence: str
) -> None:
    text = text_of(decision_report(record, decision_of(run_events, kind)))

    assert sentence in text
    assert "15 legs wanted, 2 of them sells; gross goes to 61.3%" in text
    assert "sentiment no data no text in 5 days" in text


def test_a_veto_names_the_failed_check_first(run_events: list[Event], record: RunRecord) -> None:
    text = text_of(decision_report(record, decision_of(run_events, "vetoed")))

    assert "var 99: var_99 is 0.0412 fraction, at most 0.03" in text
    table = text[text.index("What the gate checked") :]
    assert table.index("var 99") < table.index("daily loss")
    assert "vetoed" in table


def test_signals_stand_in_order_of_expected_return(run_events: list[Event], record: RunRecord) -> None:
    html = decision_report(record, decision_of(run_events, "trade")).html
    section = html[html.index("<h2>Signals") : html.index("<h3>Abstained")]

    raws = [abs(float(x)) for x in re.findall(r'value="([^"]+)" data-ref="[^"]+/expected_return"', section)]
    assert len(raws) == 15
    assert raws == sorted(raws, reverse=True)


def test_positions_are_valued_at_the_snapshots_prices(run_events: list[Event], record: RunRecord) -> None:
    decision_id = decision_of(run_events, "trade")
    made = next(e.decoded() for e in run_events if e.type == "DecisionMade" and e.decision_id == decision_id)
    assert isinstance(made, DecisionMade)
    snapshot = made.decision.snapshot

    values = derived(decision_report(record, decision_id), "position_values")

    assert set(values) == {"BAC", "GE"}
    assert values["BAC"]["value"] == pytest.approx(float(800 * snapshot.prices["BAC"]))  # pyright: ignore
    assert values["BAC"]["weight"] == pytest.approx(  # pyright: ignore
        float(800 * snapshot.prices["BAC"] / snapshot.equity)
    )


def test_the_price_picture_marks_the_decision_and_can_come_from_the_logs_own_marks(
    scripted_run: Callable[..., list[Event]],
) -> None:
    events = scripted_run(sessions=200)
    record = RunRecord.from_events(events)
    order_id = orders_of(events)[20]

    from_marks = derived(order_report(record, order_id), "price_chart")
    given = order_report(record, order_id, PriceHistory(record.prices.sessions, {}))

    decision_day = "2013-12-24"
    assert from_marks["x"].index(decision_day) == 60  # pyright: ignore
    assert len(from_marks["x"]) == 81  # pyright: ignore
    assert "No price history of" in text_of(given)


def test_a_page_reads_only_its_own_events(run_events: list[Event]) -> None:
    asked: list[dict[str, object]] = []

    class Watched(EventList):
        def read(self, after: int = 0, **filters: object):  # pyright: ignore
            asked.append(filters)
            return super().read(after, **filters)  # pyright: ignore

    report = order_report(Watched(run_events), orders_of(run_events)[0])

    assert report.kind == "trade"
    assert all(f.get("order_id") or f.get("decision_id") or f.get("types") for f in asked)


def test_the_run_page_shows_the_figures_of_the_quant_core(run_events: list[Event], record: RunRecord) -> None:
    equity = np.array(record.marks.equity)

    figures = derived(run_report(record), "summary")

    assert figures["total_return"] == total_return(equity)
    assert figures["max_drawdown"] == max_drawdown(equity)
    assert figures["sharpe"] == sharpe(equity[1:] / equity[:-1] - 1.0)
    assert figures["sharpe_low"] < figures["sharpe"] < figures["sharpe_high"]


def test_monthly_returns_compound_to_the_total(record: RunRecord) -> None:
    months = derived(run_report(record), "monthly_returns")

    year = months["2013"]
    product = np.prod([1 + value for month, value in year.items() if month != "year"])  # pyright: ignore
    assert product - 1 == pytest.approx(year["year"])  # pyright: ignore
    assert product - 1 == pytest.approx(total_return(np.array(record.marks.equity)))


def test_the_run_page_is_honest_about_length_model_quotes_and_target(record: RunRecord) -> None:
    text = text_of(run_report(record))

    assert "A run shorter than three years is not distinguishable from luck." in text
    assert "Target: Sharpe ratio above 1.5:" in text
    assert "Target: drawdown under 10%: met in this run." in text
    assert "not a language model: this run is the arm without one" in text
    assert re.search(r"(\d+) of \1 fills were simulated on synthetic intraday quotes", text)
    assert "take the run as in sample" in text


def test_a_long_run_with_a_model_says_less_and_a_missed_target_is_said(
    scripted_run: Callable[..., list[Event]],
) -> None:
    events = scripted_run(sessions=800, decide_every=400, model="gpt-x", synthetic=False, seed=3)
    text = text_of(run_report(RunRecord.from_events(events)))

    assert "not distinguishable from luck" not in text
    assert "language model" not in text
    assert "synthetic" not in text
    assert "Sharpe ratio above 1.5: not met" in text


def test_decisions_vetoes_and_abstentions_are_counted_by_reason(record: RunRecord) -> None:
    counts = derived(run_report(record), "counts")

    assert counts["Decisions"] == {"no_trade": 1, "refused": 1, "trade": 1, "vetoed": 1}
    assert counts["Vetoed by check"] == {"var_99": 1}
    assert counts["Abstentions"] == {"no_data": 4}


def test_a_baseline_of_another_length_is_refused_with_both_lengths(record: RunRecord) -> None:
    with pytest.raises(SeriesMismatch, match="baseline 1/N: found 2 values, expected 80"):
        run_report(record, {"1/N": [1.0, 2.0]})


def test_a_run_too_short_to_measure_still_has_a_page(scripted_run: Callable[..., list[Event]]) -> None:
    for sessions in (1, 2):
        report = run_report(RunRecord.from_events(scripted_run(sessions=sessions)))

        assert "This run is too short to measure" in text_of(report)


def test_a_run_that_never_finished_says_so(run_events: list[Event]) -> None:
    assert "not finished" in text_of(run_report(RunRecord.from_events(run_events[:-1])))


def test_the_fold_over_a_source_keeps_no_decision_and_gives_the_same_page(run_events: list[Event]) -> None:
    streamed = RunRecord.from_source(EventList(run_events))

    assert run_report(streamed) == run_report(RunRecord.from_events(run_events))


def test_the_same_log_gives_the_same_bytes(run_events: list[Event]) -> None:
    order_id = orders_of(run_events)[0]
    first, second = RunRecord.from_events(run_events), RunRecord.from_events(list(run_events))

    assert order_report(first, order_id) == order_report(second, order_id)
    assert run_report(first) == run_report(second)


@pytest.mark.parametrize("make", [order_report, decision_report])
def test_an_unknown_id_is_named_with_a_remedy(record: RunRecord, make: Callable[[RunRecord, str], Report]) -> None:
    with pytest.raises(UnknownRecord, match="nope: the log holds no") as caught:
        make(record, "nope")

    assert caught.value.remedy


def test_events_without_a_start_are_refused(run_events: list[Event]) -> None:
    with pytest.raises(UnknownRecord, match="no RunStarted"):
        RunRecord.from_events(run_events[1:])


def test_an_event_of_another_version_is_refused_by_name(run_events: list[Event]) -> None:
    aged = [e.model_copy(update={"schema_version": 9}) if e.type == "DecisionMade" else e for e in run_events]

    with pytest.raises(ReportError, match="event DecisionMade version 9 is not known"):
        decision_report(RunRecord.from_events(aged), decision_of(run_events, "trade"))


def test_a_written_report_is_a_page_and_its_twin(record: RunRecord, run_events: list[Event], tmp_path: Path) -> None:
    report = order_report(record, orders_of(run_events)[0])

    html, twin = write_report(report, tmp_path / "reports")

    assert html.read_text(encoding="utf-8") == report.html
    assert json.loads(twin.read_text(encoding="utf-8")) == report.data
    assert sorted(path.name for path in html.parent.iterdir()) == [f"{report.id}.html", f"{report.id}.json"]


def test_an_id_that_is_no_file_name_is_refused(tmp_path: Path) -> None:
    for bad in ("../../etc/passwd", "a/b", "", ".hidden", "x" * 200):
        with pytest.raises(ReportError, match="not an id that can name a file"):
            write_report(Report(bad, "run", "", {}), tmp_path)

    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("x")

    with pytest.raises(ReportUnwritable, match="cannot write the report run-1"):
        write_report(Report("run-1", "run", "", {}), blocked / "reports")
