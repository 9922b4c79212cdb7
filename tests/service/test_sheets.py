"""The one-page reports of a whole book: every number resolves, what-ifs are decided again, and they print to a page."""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from parley.desk.book import Book, open_log
from parley.domain.decisions import Decision
from parley.domain.events import DecisionMade
from parley.evals.counterfactual import Counterfactuals
from parley.market.cards import DataSet
from parley.memory.history import run_started
from parley.memory.log import EventLog
from parley.service.cli import main
from parley.service.page_proof import problems
from parley.service.pdf import BROWSERS, PdfUnavailable, print_pdf
from parley.service.reporting import price_history
from parley.service.reports import Report, RunRecord, decision_report, order_report, write_report

HALTING = """
[breakers.drawdown_alert]
trip = 0.00002
rearm = 0.00001
action = "alert"
[breakers.drawdown]
trip = 0.00004
rearm = 0.00003
action = "halt"
"""


@contextmanager
def made(book: Path) -> Iterator[tuple[EventLog, DataSet, list[Decision]]]:
    """The latest run of a book: its log, its data, and what it decided."""
    folder = Book(book).latest()
    with open_log(folder, readonly=True) as (log, _):
        payloads = [event.decoded() for event in log.read(types=(DecisionMade,))]
        decisions = [payload.decision for payload in payloads if isinstance(payload, DecisionMade)]
        yield log, folder.book.load(run_started(log).data), decisions


@pytest.fixture(scope="module")
def halted(six_names: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A book whose account was halted by a breaker after it had traded."""
    folder = tmp_path_factory.mktemp("halted")
    settings, book = folder / "halting.toml", folder / "book"
    settings.write_text(HALTING)
    days = ("--start", "2016-01-08", "--end", "2016-01-15", "--reports", "none")
    with pytest.raises(SystemExit) as ended:
        main(["run", "--data", str(six_names), *days, "--config", str(settings), "--book", str(book)])
    assert not ended.value.code
    return book


@pytest.fixture(scope="module")
def reports(halted: Path) -> list[Report]:
    """The report of every decision and every order of that book."""
    with made(halted) as (log, data, decisions):
        record, prices, again = RunRecord.from_source(log), price_history(data), Counterfactuals(log, data)
        found = [
            decision_report(record, one.decision_id, prices, card=data.card, what_ifs=again.of(one.decision_id))
            for one in decisions
        ]
        orders = [e for e in log.read() if e.type == "OrderOpened" and e.order_id and e.decision_id]
        return found + [
            order_report(record, str(e.order_id), prices, what_ifs=again.of(str(e.decision_id))) for e in orders
        ]


def test_every_number_of_every_report_of_a_book_resolves_to_evidence(reports: list[Report]) -> None:
    assert {report.kind for report in reports} == {"trade", "decision"}
    assert {report.id: problems(report) for report in reports} == {report.id: [] for report in reports}
    tags = {tag for report in reports for tag in re.findall(r'class="tag [a-z]+">([a-z ]+)<', report.html)}
    assert {"trade", "vetoed", "partial"} <= tags


def test_a_halted_desks_veto_says_what_was_in_force_since_when_and_what_would_lift_it(reports: list[Report]) -> None:
    vetoed = next(report for report in reports if "The gate vetoed the plan: trading_state" in report.html)
    text = re.sub(r"<[^>]+>", "", vetoed.html)

    assert "In force: account HALTED." in text
    assert "account ACTIVE to HALTED, breaker" in text
    assert "The restriction in force lifted" in text
    assert "not over when this was written" in text  # the data end before a month is over


def test_a_decision_made_again_is_the_recorded_one_and_without_its_voters_another(halted: Path) -> None:
    with made(halted) as (log, data, decisions):
        traded = next(one for one in decisions if one.kind == "trade")
        before = log.head()
        found: Any = Counterfactuals(log, data).of(traded.decision_id)
        after = log.head()

    assert found["is_reproduced"] is True and before == after
    assert [arm["without"] for arm in found["without"]] == [
        *("market_analyst", "risk_manager", "portfolio_optimizer", "execution_agent")
    ]
    for arm in found["without"]:
        assert arm["is_same"] == (arm["kind"] == "trade" and arm["changed_legs"] == 0)
        assert arm["answered_by_rules"] >= 0
    measured = {row["check"]: row["value"] for row in found["before"]}
    assert measured["gross"] == 0.0  # the first decision of a book that holds nothing


def test_the_outcome_is_what_the_name_did_over_the_sessions_after_in_the_trades_favor(
    halted: Path, reports: list[Report]
) -> None:
    report = next(report for report in reports if report.kind == "trade")
    entries: Any = report.data["derived"]
    outcomes = [entry for entry in entries.values() if entry["tool"] == "report.outcome"]
    with made(halted) as (_, data, _):
        history = price_history(data)
    days = [day.isoformat() for day in history.sessions]

    assert [entry["inputs"]["sessions"] for entry in outcomes] == [1, 5]
    for entry in outcomes:
        (symbol, side), at = *entry["inputs"]["wanted"].items(), days.index(entry["inputs"]["session"])
        closes = history.closes[symbol]
        before, after = closes[at], closes[at + entry["inputs"]["sessions"]]
        assert before and after and entry["output"]["until"] == days[at + entry["inputs"]["sessions"]]
        assert entry["output"]["wanted"] == pytest.approx(side * (after / before - 1.0))


def test_the_cost_waterfall_adds_up_to_perolds_total(reports: list[Report]) -> None:
    for report in reports:
        entries: Any = report.data["derived"]
        found = {entry["tool"]: entry["output"] for entry in entries.values()}
        if report.kind == "trade":
            parts, split = found["report.trading_parts"], found["report.implementation_shortfall"]
            assert sum(parts.values()) == pytest.approx(split["trading_bps"], abs=1e-6)


def test_a_report_without_what_ifs_says_how_to_get_them(run_events: list[Any]) -> None:
    record = RunRecord.from_events(run_events)
    decision_id = next(event.decision_id for event in run_events if event.type == "DecisionMade")

    report = decision_report(record, str(decision_id))

    assert problems(report) == [] and "parley explain" in report.html


def test_without_a_browser_a_pdf_is_refused_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(PdfUnavailable, match="no browser") as refused:
        print_pdf(tmp_path / "page.html")
    assert "Install Chromium" in refused.value.remedy


@pytest.mark.skipif(not any(map(shutil.which, BROWSERS)), reason="no Chromium on this machine")
def test_the_fullest_reports_print_to_one_page_of_a4(reports: list[Report], tmp_path: Path) -> None:
    fullest = [max((r for r in reports if r.kind == kind), key=lambda r: len(r.html)) for kind in ("trade", "decision")]

    for report in fullest:
        printed = print_pdf(write_report(report, tmp_path / "pages")[0]).read_bytes()
        assert len(re.findall(rb"/Type\s*/Page\b(?!s)", printed)) == 1
        box = re.search(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", printed)
        assert box is not None and (round(float(box[1])), round(float(box[2]))) == (595, 842)
