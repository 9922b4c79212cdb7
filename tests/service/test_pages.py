"""Every number of every page leads into the twin and says there what it says here; nothing foreign gets in."""

import re
from collections.abc import Callable

import pytest
from parley.domain.events import Event
from parley.service.page_proof import problems, walk
from parley.service.reports import Report, RunRecord, decision_report, order_report, run_report


def all_reports(events: list[Event]) -> list[Report]:
    record = RunRecord.from_events(events)
    orders = [e.order_id for e in events if e.type == "OrderOpened" and e.order_id]
    decisions = [e.decision_id for e in events if e.type == "DecisionMade" and e.decision_id]
    baseline = [float(mark) for mark in record.marks.equity]
    return [
        *(order_report(record, order_id, links=decisions) for order_id in orders),
        *(decision_report(record, decision_id, links=orders) for decision_id in decisions),
        run_report(record, {"1/N": baseline}, links=decisions, sample="Settings chosen before 2013."),
    ]


def test_every_number_of_every_page_is_in_the_twin_and_equal_to_it(run_events: list[Event]) -> None:
    reports = all_reports(run_events)

    assert {report.kind for report in reports} == {"trade", "decision", "run"}
    for report in reports:
        assert problems(report) == []
        assert len(walk(report.html).values) > 10


def test_the_walk_notices_a_changed_digit_a_lost_source_and_a_wrong_unit(run_events: list[Event]) -> None:
    report = all_reports(run_events)[0]
    price = next(v for v in walk(report.html).values if v.kind[1:] == ["price"] and v.ref.endswith("average_price"))

    def with_html(html: str) -> Report:
        assert html != report.html
        return Report(report.id, report.kind, html, report.data)

    changed = f"{float(price.text) + 0.01:.2f}"
    assert problems(with_html(report.html.replace(f">{price.text}</data>", f">{changed}</data>")))
    assert problems(with_html(report.html.replace("<h2>Price</h2>", "<h2>Price of 7</h2>")))
    assert problems(with_html(report.html.replace('class="n frac"', 'class="n bps"')))


@pytest.mark.parametrize(
    "evil",
    [
        "<script>alert(1)</script>",
        '"><svg onload=alert(1)>',
        "\u202egnp.exe\u2066 up 3%\x00\x07",
        "<!-- " + "A" * 10_000 + " 7",
        "</data></style><style>*{display:none}</style>",
        "{{ 7 * 7 }}{% raw %}",
        "javascript:alert(1)\n\n# heading",
    ],
)
def test_hostile_text_stays_text(scripted_run: Callable[..., list[Event]], evil: str) -> None:
    events = scripted_run(reason=evil, sessions=3, model='gpt"><script>x</script>')
    plain = [walk(report.html) for report in all_reports(scripted_run(sessions=3, model="gpt"))]

    for report, innocent in zip(all_reports(events), plain, strict=True):
        walker = walk(report.html)
        assert problems(report) == []
        assert walker.tags == innocent.tags
        assert walker.attributes <= innocent.attributes | {"title"}
        assert not re.search("[\u202a-\u202e\u2066-\u2069\u200b\x00-\x08]", report.html)
        assert "A" * 300 not in report.html


def test_pages_have_no_scripts_and_load_nothing(run_events: list[Event]) -> None:
    for report in all_reports(run_events):
        walker = walk(report.html)
        assert not walker.tags & {"script", "iframe", "img", "link", "object", "form", "base", "foreignobject"}
        assert not {name for name in walker.attributes if name.startswith("on") or name in ("src", "style")}
        assert "default-src 'none'; style-src 'unsafe-inline'; img-src data:" in report.html
        assert "url(" not in report.html
        assert "@import" not in report.html


def test_links_lead_only_to_pages_that_were_said_to_exist(run_events: list[Event]) -> None:
    record = RunRecord.from_events(run_events)
    decision_id = next(e.decision_id for e in run_events if e.type == "DecisionMade") or ""
    order_id = [e.order_id for e in run_events if e.type == "OrderOpened"][-1] or ""

    assert walk(decision_report(record, decision_id).html).links == []
    assert walk(decision_report(record, decision_id, links=[order_id]).html).links == [f"{order_id}.html"]
    assert walk(order_report(record, order_id, links=[decision_id]).html).links == [f"{decision_id}.html"]
    assert set(walk(run_report(record, links=[order_id]).html).links) == {f"{order_id}.html"}


def test_a_trade_page_stays_small_and_quick(run_events: list[Event]) -> None:
    from time import process_time

    record = RunRecord.from_events(run_events)
    orders = [e.order_id for e in run_events if e.type == "OrderOpened" and e.order_id]
    spent = []
    for order_id in orders * 2:
        started = process_time()
        report = order_report(record, order_id)
        spent.append(process_time() - started)
        assert len(report.html.encode()) <= 56_000

    # The goal is 3 ms; the best of thirty is compared, with room for a busy machine.
    assert min(spent) <= 0.006
