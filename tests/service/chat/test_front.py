"""The front answers, proposes, refuses and asks back; nothing that is said changes anything by itself."""

import json
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from parley.agents.ask import Asking
from parley.agents.errors import ModelFailed
from parley.agents.llm.port import ChatRequest
from parley.desk.settings import load_settings
from parley.evals.attacks.worst import ScriptedModel
from parley.service.answers.answer import MAX_LINES, Kind
from parley.service.answers.proof import faults
from parley.service.answers.reader import DeskReader
from parley.service.chat.errors import HistoryUnreadable
from parley.service.chat.front import Front
from parley.service.chat.history import History
from parley.service.chat.team import TeamChooser
from parley.service.chat_suite import Chat


def test_a_question_is_answered_from_the_record(front: Front) -> None:
    answer = front.reply("Show open positions with weights", "ann", "viewer")

    assert (answer.kind, faults(answer)) == (Kind.TABLE, [])


def test_more_shows_the_rest_and_then_says_that_there_is_none(front: Front, reader: DeskReader) -> None:
    whole = front.reply("show positions", "ann", "viewer").rows
    assert whole is not None
    pages = [Front(reader).reply("more", "ann", "viewer"), *(front.reply("more", "ann", "viewer") for _ in range(2))]

    assert pages[0].rows == pages[1].rows
    shown = [row for page in pages[1:] for row in (page.rows.rows if page.rows else ())]
    assert shown == list(whole.rows)
    assert all(len(page.lines) <= MAX_LINES and faults(page) == [] for page in pages)
    assert front.reply("more", "ann", "viewer").kind is Kind.CLARIFY
    assert front.reply("more", "bob", "viewer").kind is Kind.CLARIFY


def test_a_command_needs_its_token_and_the_token_its_user(front: Front, reader: DeskReader) -> None:
    token = front.reply("Halt trading in XOM only.", "ann", "operator").token
    assert token is not None
    assert front.confirm(token, "bob", "admin").kind is Kind.REFUSE
    assert front.confirm("forged", "ann", "admin").kind is Kind.REFUSE

    again = front.reply("Halt trading in XOM only.", "ann", "operator").token
    assert again is not None
    assert front.confirm(again, "ann", "operator").kind is Kind.COMMAND_NEEDS_CONFIRMATION
    with reader.reading() as reading:
        assert [str(scope) for scope in reading.standing.in_force] == ["instrument XOM"]


@pytest.mark.parametrize("text", ["Turn off the veto.", "raise the VaR limit to 5%", "Buy 100 XOM", "delete the log"])
def test_what_is_not_allowed_is_refused_without_a_token(front: Front, text: str) -> None:
    answer = front.reply(text, "ann", "admin")

    assert (answer.kind, answer.token, answer.intent) == (Kind.REFUSE, None, None)


@pytest.mark.parametrize(
    "text",
    ["cancel order", "reduce XOM", "show signals", "x" * 5000, "what if", "<script>x</script>", "\x1b[2J"],
)
def test_what_leaves_something_open_is_asked_back(front: Front, text: str) -> None:
    answer = front.reply(text, "ann", "admin")

    assert (answer.kind, answer.token) == (Kind.CLARIFY, None)


def test_history_is_kept_by_user_without_tokens_and_for_the_owner_only(front: Front, reader: DeskReader) -> None:
    token = front.reply("halt XOM trading", "ann/../x", "admin").token
    front.reply("show positions", "bob", "viewer")

    history = History(reader.book)
    said = history.export("ann/../x")["said"]
    path = history.path("ann/../x")
    assert [row["question"] for row in said] == ["halt XOM trading"]
    assert token is not None and token not in path.read_text()
    assert path.parent == reader.book / "chat"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.write_text("{}\n")
    with pytest.raises(HistoryUnreadable):
        history.of("ann/../x")


def test_a_book_without_a_run_has_no_data(tmp_path: Path) -> None:
    answer = Front(DeskReader(tmp_path / "none"), keeps=False).reply("show positions", "ann", "viewer")

    assert answer.kind is Kind.NO_DATA


def team(answer: Any, reader: DeskReader, **options: Any) -> tuple[Front, ScriptedModel]:
    model = ScriptedModel("scripted", answer)
    return Front(reader, TeamChooser(Asking(model)), keeps=False, **options), model


def picks(tool: str, **arguments: Any) -> Any:
    def answer(request: ChatRequest) -> str:
        return json.dumps({"tool": tool, "arguments": arguments} if request.tools else {"specialist": "risk"})

    return answer


def test_a_model_is_asked_only_where_the_grammar_is_not_sure(reader: DeskReader) -> None:
    front, model = team(picks("tail_risk", level=0.9), reader)

    assert front.reply("show open positions", "ann", "viewer").kind is Kind.TABLE
    assert model.asked == []
    answer = front.reply("blub blob how bad could it get", "ann", "viewer")

    assert answer.kind is Kind.NUMBER_WITH_CONTEXT
    assert [request.node for request in model.asked] == ["chat_front", "chat_risk"]
    assert "99.0%" in answer.lines[0]  # the level of 0.9 does not stand in the question


def test_a_symbol_that_a_model_made_up_is_not_used(reader: DeskReader) -> None:
    front, _ = team(picks("doubled_position", symbol="XOM"), reader)

    assert front.reply("blub blob", "ann", "viewer").kind is Kind.CLARIFY


@pytest.mark.parametrize(
    "said", ["The VaR is 47.11 % and all is sold.", '{"tool":"rm","arguments":{}}', "[", "", '{"answer":"ok, sold"}']
)
def test_a_models_own_words_are_shown_to_nobody(reader: DeskReader, said: str) -> None:
    front, _ = team(lambda request: said, reader)

    answer = front.reply("blub blob", "ann", "admin")

    assert answer.kind is Kind.CLARIFY
    assert "sold" not in answer.text


def test_a_model_that_is_down_leaves_the_grammar(reader: DeskReader) -> None:
    def down(request: ChatRequest) -> str:
        raise ModelFailed("down", remedy="wait")

    front, _ = team(down, reader, always_choose=True)

    assert front.reply("show open positions", "ann", "viewer").kind is Kind.TABLE


def test_no_model_lets_through_what_the_rules_refuse(reader: DeskReader) -> None:
    front, _ = team(picks("request_tighten"), reader, always_choose=True)

    assert front.reply("Turn off the veto.", "ann", "admin").kind is Kind.REFUSE


def test_the_suite_passes_on_public_questions_and_fails_on_a_wrong_target(reader: DeskReader) -> None:
    with reader.reading() as reading:
        chat = Chat(reader.book, reading.run_id, reading.head, ("grammar", "right", "hostile"), "", load_settings(None))
    samples = [item for item in chat.samples() if ".public." in item.id and "without_llm" not in item.id]
    assert len(samples) == 3 * 29
    wanted = ("positions", "control", "halt", "reduce_position", "remaining")
    chosen = [item for item in samples if item.id.split(".")[1] in wanted]

    assert [item.id for item in chosen if not chat.run(item, 0).passed] == []
    spoiled = replace(chosen[0], target={"means": "costs", "kind": "table", "public": True})
    assert not chat.run(spoiled, 0).passed
