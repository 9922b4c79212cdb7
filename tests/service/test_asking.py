"""The ask command: the list of questions, one answer as text, table and JSON, and what it refuses."""

from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def asked(parley: Any, six_names: Path) -> Any:
    """The command over a run of two days of six made-up names."""
    parley("run", "--data", six_names, "--reports", "none", "--json")
    return parley


def test_alone_it_lists_every_question_with_the_schema_of_its_arguments(parley: Any) -> None:
    questions = {item["name"]: item for item in parley("ask", "--json").document["questions"]}

    assert len(questions) >= 36
    assert "symbol" in questions["doubled_position"]["parameters"]["properties"]
    assert "parley ask NAME" in parley("ask").out


def test_a_question_is_answered_in_the_contract_of_the_chat_and_as_text_with_its_table(asked: Any) -> None:
    document = asked("ask", "positions", "--json").document
    text = asked("ask", "positions", "--table").out

    assert set(document) >= {"answer", "kind", "citations", "intent", "token"}
    assert document["kind"] == "table"
    assert document["citations"]
    assert document["answer"].splitlines()[0] in text
    assert "average cost" in text


def test_bad_arguments_and_unknown_names_are_bad_use(asked: Any) -> None:
    assert asked("ask", "shock", "--arg", "market=half", "--json").document["error"]["code"] == "bad_arguments"
    assert asked("ask", "shock", "--arg", "market").code == 2
    assert asked("ask", "order", "--arg", "order=a", "--arg", "order=b").code == 2
    assert asked("ask", "nothing", "--json").document["error"]["code"] == "unknown_question"
