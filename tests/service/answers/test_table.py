"""Every question on a real run: twelve lines at most, each figure proved, the log untouched, and bad input refused."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley import ParleyError
from parley.agents.grounding import WITHHELD
from parley.desk.book import Book
from parley.service.answers.answer import MAX_LINES, Answer, Kind
from parley.service.answers.errors import BadArguments, UnknownQuestion
from parley.service.answers.proof import faults
from parley.service.answers.reader import DeskReader
from parley.service.answers.table import ASKABLES, ask
from parley.service.pages.twin import resolve

NEEDED = {
    "order": {"order": "last"},
    "remaining": {"order": "last"},
    "schedule": {"order": "last"},
    "why": {"symbol": "JPM"},
    "signals": {"symbol": "JPM"},
    "sizing": {"symbol": "JPM"},
    "doubled_position": {"symbol": "jpm"},
    "other_limits": {"limit": "max_var_99_frac", "value": "0.001"},
    "veto_reason": {"decision": "last"},
}
WITHOUT_DATA = {"source_record"}
"""What a run over us20 can't tell: it has no texts."""

THIRTY = {
    1: "positions", 2: "veto_reason", 3: "trades", 4: "tail_risk", 5: "risk_contributions", 6: "shock",
    7: "correlations_to", 8: "regime", 9: "signals", 10: "compare", 11: "risk_opinion", 12: "sizing",
    13: "schedule", 14: "remaining", 19: "limits_used", 20: "alerts", 21: "connection", 22: "equity_curve",
    23: "missing_data", 24: "versions", 25: "without_llm", 26: "report", 27: "source_record", 28: "permissions",
    29: "undo", 30: "look_ahead_proof",
}  # fmt: skip
"""The operator's questions of the notes by number; 15 to 18 are commands, and no reading answers them."""
KINDS = {
    1: "table", 2: "explanation", 3: "table", 4: "number_with_context", 5: "number_with_breakdown", 6: "what_if",
    7: "what_if", 8: "number_with_context", 9: "table", 10: "comparison_chart", 11: "explanation", 12: "explanation",
    13: "table_chart", 14: "number", 19: "table", 20: "table", 21: "number_with_context", 22: "chart",
    23: "list_with_sources", 24: "number_with_context", 25: "comparison", 26: "report", 27: "table_with_uncertainty",
    28: "explanation", 29: "explain_not_possible_offer_offset", 30: "explanation",
}  # fmt: skip


def check(answer: Answer) -> None:
    assert faults(answer) == []
    assert WITHHELD not in answer.text
    assert 1 <= len(answer.lines) <= MAX_LINES
    assert all("\n" not in line for line in answer.lines)
    for ref in answer.citations:
        resolve(dict(answer.evidence or {}), ref)
    json.dumps(answer.document(), allow_nan=False)


@pytest.mark.parametrize("name", sorted(ASKABLES))
def test_every_question_is_answered_from_the_run_with_every_figure_proved(crash: DeskReader, name: str) -> None:
    answer = ask(crash, name, NEEDED.get(name, {}))

    check(answer)
    assert answer.kind is (Kind.NO_DATA if name in WITHOUT_DATA else ASKABLES[name].kind)
    assert answer == ask(crash, name, NEEDED.get(name, {})) or name == "connection"


def test_the_thirty_questions_of_the_notes_have_an_answer_of_their_kind() -> None:
    assert {number: ASKABLES[name].kind.value for number, name in THIRTY.items()} == KINDS


def test_asking_everything_leaves_the_log_as_it_was(crash: DeskReader, crash_book: Path, crash_log_hash: str) -> None:
    for name in sorted(ASKABLES):
        ask(crash, name, NEEDED.get(name, {}))

    assert hashlib.sha256(Book(crash_book).latest().log_path.read_bytes()).hexdigest() == crash_log_hash


EVIL = (
    "<script>alert(1)</script>",
    "../../etc/passwd",
    "o-77'; DROP TABLE events;--",
    "\u202e77-o",
    "",
    "A" * 500,
    "\x00",
)


@pytest.mark.parametrize("evil", EVIL)
@pytest.mark.parametrize(
    ("name", "key"), [("order", "order"), ("why", "symbol"), ("decision", "decision"), ("report", "id")]
)
def test_hostile_arguments_are_refused_by_name_and_not_repeated_whole(
    crash: DeskReader, name: str, key: str, evil: str
) -> None:
    with pytest.raises(BadArguments) as refused:
        ask(crash, name, {key: evil})

    assert key in refused.value.message
    assert not evil or evil not in refused.value.message
    assert key in refused.value.remedy


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("positions", {"limit": 0}),
        ("positions", {"limit": 10_000}),
        ("positions", {"limit": "many"}),
        ("positions", {"unknown": 1}),
        ("trades", {"min_notional": "nan"}),
        ("trades", {"since": "2020-02-31"}),
        ("trades", {"period": "decade"}),
        ("shock", {"market": -1.5}),
        ("shock", {"market": "inf"}),
        ("correlations_to", {"correlation": 1.0}),
        ("doubled_position", {"symbol": "JPM", "times": -1}),
        ("other_limits", {"limit": "version", "value": 1}),
        ("other_limits", {"limit": "max_gross"}),
        ("other_limits", {"limit": "max_var_99_frac", "value": 7}),
        ("dropped_constraint", {"constraint": "the veto"}),
        ("tail_risk", {"level": 1.0}),
        ("alerts", {"hours": 0}),
    ],
)
def test_arguments_outside_their_bounds_are_refused(crash: DeskReader, name: str, arguments: dict[str, Any]) -> None:
    with pytest.raises(BadArguments):
        ask(crash, name, arguments)


def test_what_is_not_in_the_table_is_refused_with_what_is(crash: DeskReader) -> None:
    with pytest.raises(UnknownQuestion) as refused:
        ask(crash, "turn_off_the_veto", {})

    assert "positions" in refused.value.remedy


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("order", {"order": "o-77"}),
        ("remaining", {"order": "o-77"}),
        ("schedule", {}),
        ("decision", {"decision": "2019-01-02"}),
        ("veto_reason", {}),
        ("veto_reason", {"decision": "09:45"}),
        ("why", {"symbol": "NVDA"}),
        ("signals", {"symbol": "600519"}),
        ("risk_opinion", {"symbol": "NVDA"}),
        ("report", {"id": "t-12"}),
        ("equity_curve", {"since": "2030-01-01"}),
        ("source_record", {}),
    ],
)
def test_what_the_record_lacks_is_no_data_and_not_a_guess(
    crash: DeskReader, name: str, arguments: dict[str, Any]
) -> None:
    answer = ask(crash, name, arguments)

    check(answer)
    assert answer.kind is Kind.NO_DATA
    assert answer.lines[0].startswith("No data: ")


@given(st.text(max_size=40))
@settings(max_examples=40, deadline=None)
def test_any_text_as_an_id_is_refused_or_answered_with_proof(crash: DeskReader, text: str) -> None:
    for name, key in (("remaining", "order"), ("signals", "symbol"), ("veto_reason", "decision")):
        try:
            check(ask(crash, name, {key: text}))
        except BadArguments as error:
            assert error.remedy


@pytest.mark.parametrize(
    "evil", ["<script>alert(1)</script>", '"><svg onload=alert(1)>', "up 77%\n\n# heading\x07", "{}{0}"]
)
def test_hostile_words_of_the_record_stay_words_on_one_line(
    scripted_book: Callable[..., DeskReader], evil: str
) -> None:
    reader = scripted_book(reason=evil, sessions=80, model='gpt"><script>x</script>')

    for name, arguments in (("decision", {"decision": "2013-09-03"}), ("veto_reason", {}), ("versions", {}),
                            ("why", {"symbol": "AAPL"}), ("risk_opinion", {"symbol": "AAPL"}),
                            ("order", {"order": "last"}), ("trades", {})):  # fmt: skip
        answer = ask(reader, name, arguments)
        check(answer)
        assert all(line.isprintable() for line in answer.lines)


def test_a_veto_is_told_with_the_check_that_failed_its_value_and_its_bound(
    scripted_book: Callable[..., DeskReader],
) -> None:
    answer = ask(scripted_book(), "veto_reason", {})

    check(answer)
    assert answer.kind is Kind.EXPLANATION
    assert "var_99 is 0.0412 fraction, at most 0.03" in answer.text
    assert answer.rows is not None
    assert [row[0] for row in answer.rows.rows] == ["var_99"]


def test_a_book_without_a_run_says_how_to_get_one(tmp_path: Path) -> None:
    reader = DeskReader(tmp_path)

    assert ask(reader, "help", {}).kind is Kind.EXPLANATION
    with pytest.raises(ParleyError) as refused:
        ask(reader, "positions", {})
    assert "parley run" in refused.value.remedy
