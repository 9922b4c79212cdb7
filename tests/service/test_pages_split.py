"""Pages over a split: closes and outcomes are in the shares that the decision saw; fills say what they rest on."""

from pathlib import Path
from typing import Any, cast

import pytest
from parley.desk.book import Book, open_log
from parley.domain.events import DecisionMade, SharesSplit
from parley.market.datasets import load_data
from parley.memory.history import run_started
from parley.service.cli import main
from parley.service.page_proof import problems
from parley.service.reporting import price_history
from parley.service.reports import RunRecord, decision_report, order_report

FACTOR = 7


@pytest.fixture(scope="module")
def split_names(six_names: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The six names, N0 at seven times its price until a 7:1 split before the third last session."""
    head, *rows = (line.split(",") for line in six_names.read_text().splitlines())
    day = sorted({row[1] for row in rows})[-3]
    for row in rows:
        if row[0] == "N0" and row[1] < day:
            row[2:5] = [f"{float(price) * FACTOR:.2f}" for price in row[2:5]]
    path = tmp_path_factory.mktemp("split") / "split.csv"
    path.write_text("\n".join(",".join(row) for row in (head, *rows)) + "\n")
    path.with_name("split.actions.csv").write_text(f"symbol,kind,ex_date,split_from,split_to\nN0,split,{day},1,7\n")
    return path


def test_restated_closes_move_at_a_split_by_the_market_alone(split_names: Path) -> None:
    data = load_data(str(split_names))
    days = data.history().sessions_between()
    history, eve = price_history(data), days[-4]

    returns = history.returns_after(eve.isoformat(), 1)
    raw = data.panel.bar("N0", eve)
    window = history.around("N0", eve.isoformat(), seen=float(raw.close) if raw else None)

    later = history.returns_after(eve.isoformat(), 3)
    assert returns is not None and later is not None and raw is not None and window is not None
    assert abs(returns["N0"]) < 0.1
    assert window.known[-1] == pytest.approx(raw.close)
    assert window.closes[-1] == pytest.approx(raw.close * (1 + later["N0"]))


def test_pages_of_a_run_over_a_split_lose_nothing_to_it_and_say_what_fills_rest_on(
    split_names: Path, tmp_path: Path
) -> None:
    book = tmp_path / "book"
    days = ("--start", "2016-01-04", "--reports", "none")
    with pytest.raises(SystemExit) as ended:
        main(["run", "--data", str(split_names), *days, "--book", str(book)])
    assert not ended.value.code

    folder = Book(book).latest()
    with open_log(folder, readonly=True) as (log, _):
        assert list(log.read(types=(SharesSplit,)))
        data = folder.book.load(run_started(log).data)
        record, prices = RunRecord.from_source(log), price_history(data)
        opened = [str(event.order_id) for event in log.read() if event.type == "OrderOpened"]
        made = [str(event.decision_id) for event in log.read(types=(DecisionMade,))]
        pages = [order_report(record, one, prices) for one in opened] + [
            decision_report(record, one, prices) for one in made
        ]

    entries: list[Any] = [entry for page in pages for entry in cast(Any, page.data["derived"]).values()]
    outcomes = [entry["output"] for entry in entries if entry["tool"] == "report.outcome"]
    moves = [row["mean_name"] for row in outcomes]
    assert moves and max(map(abs, moves)) < 0.06
    assert all("T0 synthetic" in page.html for page in pages if page.kind == "trade")
    assert {str(row["rests_on"]) for row in record.trades if row["filled"]} == {"T0 synthetic"}
    assert [problem for page in pages for problem in problems(page)] == []
