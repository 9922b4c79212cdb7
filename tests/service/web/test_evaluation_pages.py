"""The pages of evaluations, of jobs and of model calls: what stands in the files beside the log, and nothing else."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from html import unescape
from pathlib import Path
from typing import Any

from parley.agents.llm.call_store import CallStore, CallTook, KeptCall
from parley.desk.job_book import open_job_book
from parley.domain.decisions import ModelCall
from parley.evals.harness.record import Record
from parley.evals.harness.task import Figure, Summary, Table
from parley.service.pages.twin import resolve
from parley.service.web.evaluations import PER_PAGE
from parley.storage.sql import open_in_memory

HOSTILE = "<script>alert(1)</script>"
DATA = re.compile(r'<data class="[ns][^"]*" value="([^"]*)" data-ref="([^"]*)"')
FIGURE = Figure("sharpe", 0.37, "ratio", -0.05, 0.79, 5028, HOSTILE)


def evaluation(
    book: Path, name: str, figures: tuple[Figure, ...] = (FIGURE,), *, latest: bool = False, suite: str = "days"
) -> Record:
    """A finished evaluation by hand."""
    record = Record(book / "evals" / name)
    manifest: dict[str, Any] = {
        "id": name,
        "suite": suite,
        "text": HOSTILE,
        "tags": [],
        "options": {"data": "/far/away/" + HOSTILE.replace("/", "_")},
        "parameters": {},
        "epochs": 1,
        "samples": {"count": 2, "hash": "x"},
        "settings_hash": "s",
        "limits_hash": "l",
        "code": {"version": "1", "hash": "y"},
        "prompts": {},
        "packages": {},
        "data": {"us20": "ab"},
        "price_table": None,
    }
    record.begin(manifest, anew=False)
    table = Table("By year", ("year", "return"), ("", "frac"), (("2019", 0.01), (HOSTILE, None)))
    record.write_summary(Summary(figures, (table,), notes=(HOSTILE,)))
    record.write(
        "state.json",
        {
            "state": "finished",
            "reason": "",
            "done": 2,
            "asked": 2,
            "passed": 1,
            "failed": 1,
            "errors": 0,
            "cost_usd": 0.0,
        },
    )
    if latest:
        record.name_latest(suite)
    return record


def test_an_evaluation_of_a_suite_with_gates_shows_how_each_came_out(desk: Any) -> None:
    figures = (Figure("refused_for_the_right_reason", 1.0, "frac", 0.96, 1.0, 85),)
    evaluation(desk.book, "veto-aaa", figures, suite="veto")

    page = desk.client("vic").get("/evaluations/veto-aaa")

    assert page.status_code == 200, page.text
    assert "refused_for_the_right_reason &gt;= 1" in page.text and '<span class="good">yes</span>' in page.text


def test_an_evaluation_shows_its_figures_with_their_intervals_and_where_they_come_from(desk: Any) -> None:
    evaluation(desk.book, "days-aaa", latest=True)
    client = desk.client("vic")

    listed, page = client.get("/parts/evaluations").text, client.get("/evaluations/days-aaa").text
    twin, report = client.get("/evaluations/days/twin").json(), client.get("/evaluations/days-aaa/report")
    assert report.status_code == 200, report.text

    body = page[page.index('<div class="grid">') :]
    found = [(unescape(value), unescape(ref)) for value, ref in DATA.findall(body)]
    assert {"0.37", "-0.05", "0.79", "5028", "0.01"} <= {value for value, _ in found}
    assert [(value, ref) for value, ref in found if str(resolve(twin, ref)) != value] == []
    assert '<span class="tag soft">latest</span>' in listed and ">0.37<" in listed and ">0.79<" in listed
    assert "'sha256-" in report.headers["content-security-policy"]
    for html in (listed, page):
        assert "<script>alert" not in html and "&lt;script&gt;" in html
        assert "/far/away" not in html, "a file is told by its name, not by the folders of this machine"


def test_the_list_of_evaluations_has_each_once_however_many_there_are(desk: Any) -> None:
    names = [f"days-{number:04}" for number in range(PER_PAGE + 5)]
    for name in names:
        evaluation(desk.book, name, latest=name == names[-1])
    client = desk.client("vic")

    found: list[str] = []
    path = "/evaluations"
    while path:
        html = client.get(path).text
        found += re.findall(r'href="/evaluations/(days-\d{4})"', html.partition('id="part-evaluations_gates"')[0])
        older = re.search(r'rel="next" href="([^"]+)"', html)
        path = unescape(older[1]) if older else ""

    assert found == [names[-1], *names[:-1]]


def test_a_record_that_cannot_be_read_is_a_line_of_its_own_and_hides_no_other(desk: Any) -> None:
    evaluation(desk.book, "days-aaa", latest=True)
    (evaluation(desk.book, "days-bbb").folder / "summary.json").write_text("{")

    listed = desk.client("vic").get("/parts/evaluations").text

    assert "days-bbb: no summary that can be read" in listed and ">0.37<" in listed


def test_gates_are_judged_on_the_latest_evaluation_and_a_suite_never_run_is_named(desk: Any) -> None:
    evaluation(desk.book, "days-aaa", latest=True)

    gates = desk.client("vic").get("/parts/evaluations_gates").text

    assert "Never run in this book" in gates and "<code>leakage</code>" in gates
    assert "Trials counted so far" in gates


def test_jobs_are_shown_with_what_came_of_them_the_newest_first(desk: Any) -> None:
    due = [datetime(2020, 3, day, 14, 45, tzinfo=UTC) for day in (2, 3)]
    with open_job_book(desk.book, desk.run) as book:
        book.claim("open+15m", due[0], due[0])
        book.settle("open+15m", due[0], "done", due[0], "decided")
        book.record("open+15m", due[1], "missed", due[1], HOSTILE)

    html = desk.client("vic").get("/parts/system_jobs").text

    assert html.index("2020-03-03 14:45 UTC") < html.index("2020-03-02 14:45 UTC")
    assert "missed" in html and "decided" in html and "<script>" not in html and "&lt;script&gt;" in html


def test_what_calls_took_is_read_without_what_was_asked() -> None:
    store = CallStore(open_in_memory())
    for place, (error, cost) in enumerate(((None, Decimal("0.5")), ("timeout", None))):
        call = ModelCall(
            node="analyst", prompt="p", prompt_version=1, model="m", request_hash=f"h{place}", reply="", error=error,
            prompt_tokens=7, completion_tokens=3,
        )  # fmt: skip
        store.keep(KeptCall(call, 0, "dec-1", 1, 1.5 + place, cost, "2020-03-02T14:45:00Z", '"secret"'))

    assert store.took() == (
        CallTook("analyst", "m", 1.5, Decimal("0.5"), False),
        CallTook("analyst", "m", 2.5, None, True),
    )
