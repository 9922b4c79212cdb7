"""A recorded run as an arm of `days`: the same path again without a model, beside the rules on the same sessions."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from parley.agents.errors import ReplayMiss
from parley.desk.book import open_log
from parley.desk.errors import RunUnknown
from parley.desk.llm_settings import LlmSettings
from parley.desk.settings import Settings
from parley.domain.events import PortfolioMarked
from parley.evals.arms.errors import ArmImpossible
from parley.evals.arms.models import model_label
from parley.evals.arms.recording import recording_of
from parley.evals.determinism import StochasticModel
from parley.evals.harness.comparison import compare
from parley.evals.harness.options import SuiteOptions
from parley.evals.harness.task import Scored
from parley.evals.suites.days import DaysTask, build
from parley.evals.suites.table import suites
from parley.gate.limits import load_limits

TERSE = Settings(llm=LlmSettings(max_tokens=640))


class Waverer(StochasticModel):
    """A scripted model under the name that a file of weights would have."""

    name = "local:/somewhere/of/mine/tiny.gguf"


@pytest.fixture
def book(player: Any, market_path: Path) -> Path:
    """Seven sessions of the small market, decided on by a model that wavers."""
    player.run(str(market_path), days=7, model=Waverer(3), settings=TERSE)
    return player.book.path


def options(book: Path, **changes: Any) -> SuiteOptions:
    parameters = suites()["days"].parameters
    return replace(SuiteOptions(model=f"recorded:{book}", settings=TERSE, parameters=parameters), **changes)


def played(task: DaysTask) -> dict[str, Any]:
    return {sample.id: task.run(sample, 0) for sample in task.samples()}


def test_the_recording_brings_its_data_days_and_seed_and_gives_the_run_again(book: Path, player: Any) -> None:
    task = build(options(book))
    found = played(task)

    with open_log(player.book.find(None), readonly=True) as (log, _):
        marks = [event.decoded() for event in log.read(types=(PortfolioMarked,))]
    recorded = [float(mark.equity) for mark in marks if isinstance(mark, PortfolioMarked)]
    equity = found["desk"].transcript["path"]["equity"]
    assert equity[-len(recorded) :] == recorded
    assert len(found["desk"].transcript["series"]["days"]) == 6
    assert list(found) == ["desk", "rules", "rivals"] and task.seed == 7
    assert found["desk"].calls > found["desk"].scores["failed_answers"] == 0


def test_the_two_arms_are_compared_day_by_day_and_nothing_is_concluded_from_a_week(book: Path) -> None:
    found = played(build(options(book)))

    comparison = compare({"rules": [found["rules"]]}, {"desk": [found["desk"]]})

    daily = next(item for item in comparison.differences if item.score == "daily_return")
    gaps = np.subtract(*(found[name].transcript["series"]["returns"] for name in ("desk", "rules")))
    assert daily.n == 6 and daily.mean == pytest.approx(gaps.mean())
    assert daily.interval.low <= daily.mean <= daily.interval.high
    assert any("6 days are fewer than three years: nothing about skill" in text for text in comparison.sentences)


def test_the_register_and_the_page_name_the_model_and_no_place_on_this_machine(book: Path) -> None:
    task = build(options(book))
    scored = scored_of(task)
    summary = task.summarize(scored)

    assert task.trial_in(scored, "why").model == "tiny.gguf" == model_label(task.model)
    assert "6 days are fewer than 10 blocks of 21: every interval here is too narrow." in summary.notes
    assert "tiny.gguf cannot be known" in summary.cards[0].model_window
    assert str(book) not in json.dumps([summary.notes, [figure.note for figure in summary.figures]])
    assert len(task.fingerprints()["replies"]) == 64


def test_a_question_that_was_never_asked_has_no_answer(book: Path) -> None:
    task = build(options(book))
    other = replace(task, settings=Settings())

    with pytest.raises(ReplayMiss, match="no recorded reply"):
        other.run(other.samples()[0], 0)


def test_other_settings_than_the_recordings_are_refused_by_name(book: Path) -> None:
    with pytest.raises(ArmImpossible, match=r"llm\.max_tokens = 640 there and 2000 here") as refused:
        build(options(book, settings=Settings()))
    assert "--config" in refused.value.remedy
    with pytest.raises(ArmImpossible, match="recorded under limits"):
        build(options(book, limits=load_limits().tighten(max_gross=0.5)))


def test_a_book_without_a_reply_is_no_recording(player: Any, three_names: Any, tmp_path: Path) -> None:
    with pytest.raises(RunUnknown):
        recording_of(f"recorded:{tmp_path / 'nowhere'}")

    path = write_three(tmp_path / "three.csv", three_names)
    player.run(str(path), days=2)
    with pytest.raises(ArmImpossible, match="by rules, holds no reply of a language model"):
        recording_of(f"recorded:{player.book.path}")


def write_three(path: Path, data: Any) -> Path:
    """So short a history of these names that every day is refused, and nobody is asked."""
    rows = [
        f"{symbol},{day},{close:.2f}"
        for day, closes in zip(data.panel.sessions[-5:], data.panel.close[-5:], strict=True)
        for symbol, close in zip(data.panel.symbols, closes, strict=True)
    ]
    path.write_text("\n".join(["symbol,date,close", *rows]) + "\n")
    return path


def scored_of(task: DaysTask) -> list[Scored]:
    return [Scored(sample, 0, task.run(sample, 0)) for sample in task.samples()]
