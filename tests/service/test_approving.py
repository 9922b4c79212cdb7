"""A plan that waits, seen and answered by every door: console, request with token, chat, table of questions."""

import asyncio
import shutil
from pathlib import Path
from typing import Any

import pytest
from parley.agents.llm.rules import RulesModel
from parley.desk.approval_settings import ApprovalSettings
from parley.desk.book import Book, open_log
from parley.desk.desk import RunPlan, build_desk, run_started
from parley.desk.operator import OperatorIntent, book_post
from parley.desk.settings import Settings
from parley.domain.approval_events import ApprovalAnswered
from parley.evals.book_at_rest import BookAtRest
from parley.evals.days import RecordedDays
from parley.gate.limits import load_limits
from parley.market.datasets import load_data
from parley.service.answers.answer import Answer, Kind
from parley.service.answers.approvals import approval_lines
from parley.service.answers.proof import faults
from parley.service.answers.reader import DeskReader
from parley.service.answers.table import ask
from parley.service.chat.front import Front
from parley.service.intents.errors import NotPermitted, TokenRefused
from parley.service.intents.intent import parse_intent
from parley.service.intents.proposing import confirm, propose
from parley.service.page_proof import problems
from parley.service.pages.record import RunRecord
from parley.service.reports import Report, decision_report
from parley.storage.flag import FlagNote


class Crash(Exception):
    """The process dies here."""


def waiting_book(path: Path, data_name: str, role: str = "operator", mode: str = "all") -> Path:
    """A run that died while its first plan waited."""
    settings = Settings(approval=ApprovalSettings.model_validate({"mode": mode, "role": role}))
    limits, data, model = load_limits(), load_data(data_name), RulesModel()
    plan = RunPlan(data_name, data.history().sessions_between()[-3:], model.name, 7)
    with open_log(Book(path).create(plan.run_id(settings, limits))) as (log, _):
        desk = build_desk(settings, limits, data, plan, log, model, None)
        days = RecordedDays(desk, plan.sessions, 7, run_started(settings, limits, data, plan), post=book_post(path))

        def die(done: int, total: int) -> None:
            if done == 1:
                raise Crash

        with pytest.raises(Crash):
            asyncio.run(days.run(die))
    return path


@pytest.fixture(scope="module")
def _waiting(six_names: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return waiting_book(tmp_path_factory.mktemp("waiting") / "book", str(six_names))


@pytest.fixture
def book(_waiting: Path, tmp_path: Path) -> Path:
    shutil.copytree(_waiting, tmp_path / "book")
    return tmp_path / "book"


@pytest.fixture
def reader(book: Path) -> DeskReader:
    return DeskReader(book)


def decision_of(reader: DeskReader) -> str:
    with reader.reading() as reading:
        return approval_lines(reading)[-1].decision_id


def answered(reader: DeskReader) -> list[tuple[str, str]]:
    with reader.reading() as reading:
        found = [event.decoded() for event in reading.read(ApprovalAnswered)]
    return [(item.answer, item.user) for item in found if isinstance(item, ApprovalAnswered)]


def proposed(reader: DeskReader, action: str, role: Any = "operator", **content: Any) -> Answer:
    return propose("ann", role, parse_intent({"action": action, "reason": "looked at it", **content}), reader)


def test_the_console_lists_what_waits_and_takes_the_answer_once(parley: Any, book: Path, reader: DeskReader) -> None:
    decision = decision_of(reader)
    listed = parley("approvals", "--book", book)
    first = parley("approve", decision[:10], "--reason", "seen", "--user", "ann", "--book", book, "--json")
    second = parley("reject", decision, "--reason", "no", "--book", book)

    assert listed.code == 0 and f"{decision} waits until" in listed.out and "no answer is a no" in listed.out
    assert (first.code, first.document["how"], first.document["refusal"]) == (0, "log", "")
    assert second.code == 1 and "was answered before: approved" in second.out
    assert answered(reader) == [("approved", "ann")]
    after = parley("approvals", "--book", book, "--json").document
    assert (after["mode"], after["waiting"]) == ("all", []) and after["approvals"][0]["state"] == "approved"


def test_the_console_refuses_what_does_not_wait(parley: Any, book: Path) -> None:
    done = parley("approve", "dec-none", "--reason", "seen", "--book", book, "--json")

    assert done.code == 1 and done.document["refusal"] == "no plan of dec-none waits for approval"


def test_a_request_shows_the_plan_and_its_token_answers_it(reader: DeskReader) -> None:
    shown = proposed(reader, "reject")
    before = answered(reader)

    done = confirm("ann", "operator", str(shown.token), reader)

    assert shown.kind is Kind.COMMAND_NEEDS_CONFIRMATION and faults(shown) == [] and before == []
    assert "every plan that adds risk is asked for" in shown.text and "none of its orders is sent" in shown.text
    assert done.text.startswith("Done: reject.") and answered(reader) == [("rejected", "ann")]
    assert proposed(reader, "approve").text == "No such plan waits for a person."
    named = proposed(reader, "approve", decision=decision_of(reader))
    assert named.kind is Kind.REFUSE and "was answered before: rejected" in named.text


def test_a_second_yes_is_told_by_whom_and_when_the_first_was_said(reader: DeskReader, book: Path) -> None:
    first, second = (proposed(reader, "approve", decision=decision_of(reader)) for _ in range(2))
    with open_log(Book(book).operated()):
        book_post(book).heartbeat.beat()
        assert "left for the desk" in confirm("ann", "operator", str(first.token), reader).text
        with pytest.raises(TokenRefused, match=r"was answered before: approve by ann at 20\d\d-"):
            confirm("ann", "operator", str(second.token), reader)
        assert len(book_post(book).inbox.waiting()[0]) == 1


def test_a_token_is_bound_to_the_state_that_was_shown(reader: DeskReader, book: Path) -> None:
    shown = proposed(reader, "approve")
    book_post(book).flag.hoist(FlagNote("bo", "news", "now"))

    with pytest.raises(TokenRefused, match="has changed since it was shown"):
        confirm("ann", "operator", str(shown.token), reader)
    refused = proposed(reader, "approve")
    assert refused.kind is Kind.REFUSE and "the kill flag is up" in refused.text and answered(reader) == []


def test_a_viewer_answers_nothing(reader: DeskReader) -> None:
    for action in ("approve", "reject"):
        assert proposed(reader, action, "viewer").kind is Kind.REFUSE


def test_a_house_may_want_the_risk_officers_yes_and_an_operators_no_is_enough(six_names: Path, tmp_path: Path) -> None:
    reader = DeskReader(waiting_book(tmp_path / "strict", str(six_names), "risk_officer"))

    refused = proposed(reader, "approve", "operator")
    token = str(proposed(reader, "approve", "risk_officer").token)
    with pytest.raises(NotPermitted, match="approve needs the role risk_officer, and yours is operator"):
        confirm("ann", "operator", token, reader)

    assert refused.text == "Refused: approve needs the role risk_officer, and yours is operator."
    assert proposed(reader, "reject", "operator").token


def test_the_chat_answers_asks_and_proposes(reader: DeskReader) -> None:
    front = Front(reader, keeps=False)

    waits = front.reply("What waits for approval?", "ann", "operator")
    shown = front.reply("approve the plan", "ann", "operator")
    done = front.confirm(str(shown.token), "ann", "operator")
    nothing = front.reply("reject it", "ann", "operator")

    assert waits.kind is Kind.TABLE and faults(waits) == [] and decision_of(reader) in waits.text
    assert isinstance(shown.intent, dict) and shown.intent["action"] == "approve"
    assert "reviews it and each order again" in shown.text
    assert done.text.startswith("Done: approve.") and answered(reader) == [("approved", "ann")]
    assert nothing.text == "No such plan waits for a person."


@pytest.mark.parametrize(
    "text", ["approve all orders", "approve a bigger limit", "approve it despite the veto", "approve buying 500 N1"]
)
def test_the_chat_approves_nothing_but_a_plan_as_a_whole(reader: DeskReader, text: str) -> None:
    answer = Front(reader, keeps=False).reply(text, "ann", "admin")

    assert answer.kind is Kind.REFUSE and answer.token is None


def test_the_table_of_questions_tells_of_answers_and_of_a_run_without_approval(
    reader: DeskReader, six_names: Path, tmp_path: Path
) -> None:
    confirm("ann", "operator", str(proposed(reader, "reject").token), reader)
    told = ask(reader, "approvals", {})
    off = DeskReader(tmp_path / "off")
    settings, limits, data = Settings(), load_limits(), load_data(str(six_names))
    plan = RunPlan(str(six_names), data.history().sessions_between()[-2:], "rules", 7)
    with open_log(Book(tmp_path / "off").create(plan.run_id(settings, limits))) as (log, _):
        desk = build_desk(settings, limits, data, plan, log, RulesModel(), None)
        asyncio.run(RecordedDays(desk, plan.sessions, 7, run_started(settings, limits, data, plan)).run())

    assert "Plans that wait for a person: 0." in told.text and "rejected 1" in told.text
    assert told.rows is not None and told.rows.rows[0][4:7] == ("rejected", "ann", "looked at it (as operator)")
    assert "approval is off in this run" in ask(off, "approvals", {}).text


def test_a_message_that_names_another_plan_is_set_down_as_refused(book: Path, reader: DeskReader) -> None:
    detail: dict[str, Any] = {"decision_id": decision_of(reader), "plan_hash": "f" * 64}
    intent = OperatorIntent(command="approve", user="ann", reason="seen", detail=detail)
    with BookAtRest(Book(book).latest(), book_post(book)) as rest:
        refusal = rest.obey(intent)

    assert "the answer is to ffffffffffffffff" in refusal and answered(reader) == []


def report_of(book: Path, place: int) -> Report:
    """The page of a decision, by its place in the run."""
    with open_log(Book(book).latest(), readonly=True) as (log, _):
        events = list(log.read())
    made = [str(event.decision_id) for event in events if event.type == "DecisionMade"]
    return decision_report(RunRecord.from_events(events), made[place])


def test_the_report_of_a_decision_says_that_its_plan_waits(book: Path) -> None:
    report = report_of(book, 0)

    assert problems(report) == [] and "No answer yet." in report.html
    assert "every plan that adds risk is asked for" in report.html


@pytest.mark.parametrize(("action", "words"), [("reject", "The plan was not worked"), ("approve", "")])
def test_the_report_of_a_decision_says_who_answered_and_why(
    book: Path, reader: DeskReader, action: str, words: str
) -> None:
    confirm("<b>ann", "operator", str(propose("<b>ann", "operator", _intent(action), reader).token), reader)

    report = report_of(book, 0)

    assert problems(report) == [] and words in report.html and "looked at it (as operator)" in report.html
    assert "<b>ann" not in report.html and "&lt;b&gt;ann" in report.html
    assert ('<div class="note"><p>' in report.html) is (action == "reject")


def _intent(action: str) -> Any:
    return parse_intent({"action": action, "reason": "looked at it"})


def test_the_report_of_a_decision_nobody_answered_for_says_so_and_the_days_report_tells_it(
    six_names: Path, tmp_path: Path, parley: Any
) -> None:
    (tmp_path / "all.toml").write_text('[approval]\nmode = "all"\n')
    done = parley(
        *(
            "run",
            "--data",
            six_names,
            "--start",
            "2016-01-11",
            "--end",
            "2016-01-14",
            "--config",
            tmp_path / "all.toml",
        ),
        *("--reports", "none", "--book", tmp_path / "late"),
    )
    summary = parley("explain", "--book", tmp_path / "late", "--json", decision_of(DeskReader(tmp_path / "late")))

    report = report_of(tmp_path / "late", 0)

    assert "A person was asked about 3 plans: 0 approved, 0 rejected, 3 timed out." in done.out
    assert "Batch days wait for nobody" in done.out and summary.code == 0
    assert problems(report) == [] and "Nobody answered</strong> by" in report.html


def test_a_summary_counts_answers_only_where_people_are_asked(six_names: Path, tmp_path: Path, parley: Any) -> None:
    (tmp_path / "all.toml").write_text('[approval]\nmode = "all"\n')
    days = ("--start", "2016-01-13", "--end", "2016-01-14", "--reports", "none", "--json")
    asked = parley("run", "--data", six_names, *days, "--config", tmp_path / "all.toml", "--book", tmp_path / "a")
    plain = parley("run", "--data", six_names, *days, "--book", tmp_path / "b")

    assert asked.document["approvals"] == {"asked": 1, "approved": 0, "rejected": 0, "timed_out": 1}
    assert asked.document["orders"] == 0 and "approvals" not in plain.document and plain.document["orders"] > 0
