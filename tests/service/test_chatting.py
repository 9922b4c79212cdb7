"""`parley chat` at the command line: one question, a token in a second process, a conversation, and its export."""

import io
from pathlib import Path
from typing import Any

import pytest

RUN = ("--start", "2016-01-12", "--end", "2016-01-14", "--reports", "none")
KEYS = {"answer", "kind", "citations", "intent", "token"}


@pytest.fixture
def chat(parley: Any, six_names: Path) -> Any:
    assert parley("run", "--data", six_names, *RUN).code == 0

    def ask(*arguments: object, code: int = 0) -> Any:
        done = parley("chat", *arguments, "--user", "ann", "--json")
        assert done.code == code, done
        return done.document

    return ask


def test_a_question_is_answered_by_contract(chat: Any) -> None:
    document = chat("--ask", "What are you allowed to do by yourself?")

    assert set(document) >= KEYS
    assert (document["kind"], document["intent"], document["token"]) == ("explanation", None, None)


def test_a_command_is_done_in_a_second_step_and_once(chat: Any, parley: Any) -> None:
    asked = chat("--ask", "Halt trading in N1 only.")
    assert asked["kind"] == "command_needs_confirmation"
    assert parley("status", "--json").document["restrictions"] == []

    assert chat("--yes-token", asked["token"])["intent"] == asked["intent"]
    assert [item["scope"] for item in parley("status", "--json").document["restrictions"]] == ["instrument N1"]
    assert chat("--yes-token", asked["token"])["kind"] == "refuse"
    assert parley("verify", "--json").document["ok"]


def test_a_conversation_ends_with_its_input_and_is_exported(
    chat: Any, parley: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("help\n\nTurn off the veto.\nyes forged\nquit\nnever read\n"))

    said = parley("chat", "--user", "ann").out

    assert "Refused" in said and "no token" in said
    export = chat("--export")
    assert [item["question"] for item in export["said"]] == ["help", "Turn off the veto.", "(a token)"]


def test_options_that_do_not_go_together_are_refused(chat: Any, parley: Any) -> None:
    assert parley("chat", "--ask", "help", "--yes-token", "x").code == 2
    assert parley("chat", "--json").code == 2
    assert parley("chat", "--ask", "help", "--role", "king").code == 2
    assert chat("--ask", "halt everything", "--role", "viewer")["kind"] == "refuse"


def test_where_the_book_has_users_who_asks_is_one_of_them_in_their_own_role(
    chat: Any, parley: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, role in (("ann", "operator"), ("vic", "viewer")):
        monkeypatch.setattr("sys.stdin", io.StringIO("correct horse battery staple\n"))
        assert parley("user", "add", name, "--role", role).code == 0

    assert chat("--ask", "halt everything")["token"] is not None
    assert chat("--ask", "halt everything", "--role", "viewer")["kind"] == "refuse"
    assert parley("chat", "--ask", "halt everything", "--user", "vic", "--json").document["kind"] == "refuse"
    more = parley("chat", "--ask", "help", "--user", "vic", "--role", "admin")
    stranger = parley("chat", "--ask", "help", "--user", "eve")
    assert (more.code, stranger.code) == (2, 2)
    assert "vic is viewer, and admin is more" in more.err
    assert "eve" in stranger.err and "ann, vic" in stranger.err
    parley("user", "disable", "ann")
    assert parley("chat", "--ask", "help", "--user", "ann").code == 2
