"""Replay: the same decisions from the log alone, byte for byte, and a plain word about whatever is different."""

import json
import sqlite3
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from parley.agents.errors import ModelFailed
from parley.agents.llm.port import ChatReply, ChatRequest
from parley.agents.llm.rules import RulesModel
from parley.desk.book import RunFolder
from parley.desk.settings import LlmSettings, Settings
from parley.evals.replay import replay_run


class Chatty(RulesModel):
    """Stands for a language model: prose around its JSON, a broken reply now and then, a failure now and then."""

    name = "chatty"
    is_deterministic = False

    def __init__(self) -> None:
        self.calls = 0

    async def complete(self, request: ChatRequest) -> ChatReply:
        self.calls += 1
        if self.calls % 5 == 2:
            return ChatReply("no JSON today", 10, 3)
        if self.calls % 7 == 4:
            raise ModelFailed("the endpoint hung up")
        reply = await super().complete(request)
        return ChatReply(f"Certainly! {reply.text} Anything else?", reply.prompt_tokens, reply.completion_tokens)


def tamper(folder: RunFolder, kind: str, old: str, new: str) -> None:
    """Change the text of the first event of a kind, as nobody should be able to."""
    with sqlite3.connect(folder.log_path) as database:
        database.execute("DROP TRIGGER events_no_update")
        row = database.execute("SELECT seq, payload FROM events WHERE type = ? ORDER BY seq", (kind,)).fetchone()
        assert old in row[1]
        database.execute("UPDATE events SET payload = ? WHERE seq = ?", (row[1].replace(old, new, 1), row[0]))
    database.close()


def test_a_replay_makes_every_event_again_with_no_model_call(player: Any, market_path: Path) -> None:
    folder = player.run(str(market_path), days=6)
    before = folder.log_path.read_bytes()

    found = replay_run(folder)

    assert (found.identical, found.first_difference, found.is_finished) == (True, None, True)
    assert (found.decisions, found.model_calls) == (6, 0)
    assert folder.log_path.read_bytes() == before


def test_a_replay_of_a_language_model_asks_nobody_and_repeats_its_faults(player: Any, market_path: Path) -> None:
    model = Chatty()
    folder = player.run(str(market_path), days=8, model=model)
    asked = model.calls

    found = replay_run(folder)

    assert asked > 8
    assert (found.identical, found.decisions, found.model_calls) == (True, 8, 0)
    assert model.calls == asked


def test_a_replay_knows_the_token_bound_the_questions_were_asked_with(player: Any, market_path: Path) -> None:
    folder = player.run(str(market_path), model=Chatty(), settings=Settings(llm=LlmSettings(max_tokens=321)))

    assert replay_run(folder).identical


def test_a_tampered_reply_is_named(player: Any, market_path: Path) -> None:
    folder = player.run(str(market_path))
    tamper(folder, "ModelReplied", '\\"side\\":\\"HOLD\\"', '\\"side\\":\\"SELL\\"')

    found = replay_run(folder)

    assert not found.identical
    assert "ModelReplied" in str(found.first_difference)
    assert found.decisions == 0


@pytest.mark.parametrize(
    ("kind", "old", "new"),
    [
        ("DecisionMade", '"kind":"trade"', '"kind":"no_trade"'),
        ("OrderFilled", '"venue":"paper"', '"venue":"other"'),
        ("RunStarted", '"max_gross":1.0', '"max_gross":0.9'),
        ("PortfolioMarked", '"cash":"', '"cash":"9'),
    ],
)
def test_any_other_change_of_the_log_is_named(player: Any, market_path: Path, kind: str, old: str, new: str) -> None:
    folder = player.run(str(market_path))
    tamper(folder, kind, old, new)

    found = replay_run(folder)

    assert not found.identical
    assert kind in str(found.first_difference)


def test_changed_data_are_named_before_anything_is_decided(player: Any, market_path: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.csv"
    copy.write_text(market_path.read_text())
    folder = player.run(str(copy))
    rows = copy.read_text().splitlines()
    rows[-1] = rows[-1].rsplit(",", 1)[0] + ",2000001"
    copy.write_text("\n".join(rows) + "\n")

    found = replay_run(folder)

    assert not found.identical
    assert f"data set {copy} is " in str(found.first_difference)
    assert found.events == 0


def test_a_question_nobody_recorded_an_answer_to_ends_the_replay(player: Any, market_path: Path) -> None:
    folder = player.run(str(market_path))
    with sqlite3.connect(folder.log_path) as database:
        database.execute("DROP TRIGGER events_no_update")
        for seq, payload in database.execute("SELECT seq, payload FROM events WHERE type = 'ModelReplied'").fetchall():
            calls = json.loads(payload)
            for call in calls["calls"]:
                call["request_hash"] = "0" * 64
            database.execute("UPDATE events SET payload = ? WHERE seq = ?", (json.dumps(calls), seq))
    database.close()

    found = replay_run(folder)

    assert (found.identical, found.model_calls) == (False, 1)
    assert "no recorded reply" in str(found.first_difference)


def test_a_run_that_was_cut_off_replays_as_far_as_it_went(player: Any, market_path: Path) -> None:
    class Stops(RulesModel):
        left = 3

        async def complete(self, request: ChatRequest) -> ChatReply:
            self.left -= 1
            if self.left < 0:
                raise RuntimeError("the lights went out")
            return await super().complete(request)

    model = Stops()
    model.left = 6  # the first decision asks four times, the following ones once
    with pytest.raises(RuntimeError, match="lights"):
        player.run(str(market_path), days=6, model=model)

    found = replay_run(player.book.latest())

    assert (found.identical, found.is_finished) == (True, False)
    assert 1 <= found.decisions < 6


def test_another_amount_of_cash_is_another_run(player: Any, market_path: Path) -> None:
    one = player.run(str(market_path))
    other = player.run(str(market_path), settings=Settings(cash=Decimal(5_000)))

    assert one.run_id != other.run_id
    assert replay_run(other).identical
