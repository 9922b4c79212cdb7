"""The suite `days` on a small market: its samples, what it says of nine sessions, and what it refuses."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from parley.evals.errors import NothingToDecide, TrialsInvalid
from parley.evals.harness.options import SuiteOptions
from parley.evals.harness.task import Scored, Summary
from parley.evals.suites.days import DaysTask, build
from parley.evals.suites.table import suites
from parley.market.errors import NoSessions, UnknownDataSet


@pytest.fixture(scope="module")
def options(market_path: Path) -> SuiteOptions:
    return SuiteOptions(data=str(market_path), parameters=suites()["days"].parameters)


@pytest.fixture(scope="module")
def scored(options: SuiteOptions) -> tuple[Scored, ...]:
    task = build(options)
    return tuple(Scored(sample, 0, task.run(sample, 0)) for sample in task.samples())


@pytest.fixture(scope="module")
def summary(options: SuiteOptions, scored: tuple[Scored, ...]) -> Summary:
    return build(options).summarize(scored)


def figures(summary: Summary) -> Mapping[str, float | None]:
    return {item.name: item.value for item in summary.figures}


def test_the_desk_is_one_sample_and_everybody_else_another(options: SuiteOptions) -> None:
    task = build(options)

    assert [sample.id for sample in task.samples()] == ["desk", "rivals"]
    other = replace(task, model="some-model")
    assert [sample.id for sample in other.samples()] == ["desk", "rules", "rivals"]


def test_the_same_sample_gives_the_same_bytes(options: SuiteOptions, scored: tuple[Scored, ...]) -> None:
    task = build(options)

    again = [task.run(item.sample, 0) for item in scored]

    assert [json.dumps(item.transcript) for item in again] == [json.dumps(item.outcome.transcript) for item in scored]
    assert [item.scores for item in again] == [item.outcome.scores for item in scored]


def test_nine_sessions_are_judged_and_nothing_is_concluded(summary: Summary, scored: tuple[Scored, ...]) -> None:
    found = figures(summary)

    assert scored[0].outcome.passed is True
    assert found["decisions"] == 9
    assert found["sharpe"] is None
    assert any("cannot be told from luck" in note for note in summary.notes)
    assert any("2,730 for 0.5" in note for note in summary.notes)
    assert any(note.startswith("Survivorship") for note in summary.notes)
    assert any("no 60/40" in note for note in summary.notes)
    assert not any("ENGINE FAULT" in note for note in summary.notes)


def test_gross_is_above_net_and_costs_are_what_lies_between(summary: Summary) -> None:
    found = figures(summary)

    assert found["annual_return_gross"] is not None and found["annual_return_net"] is not None
    assert found["annual_return_gross"] > found["annual_return_net"]
    # A fee of 1 bp and half a spread of 2 bp; impact comes on top.
    assert found["cost"] is not None and 2.0 < found["cost"] < 12.0


def test_everybody_is_there_on_the_same_days(summary: Summary) -> None:
    table = next(table for table in summary.tables if table.title == "On the same days")

    names = [row[0] for row in table.rows]
    assert names[0] == "desk"
    assert {"cash", "equal_weight", "buy_and_hold", "risk_parity", "minimum_variance", "momentum_12_1", "oracle"} < set(
        names
    )
    assert all(
        len(row) == len(table.header) == len(table.units)
        for item in summary.tables
        for row in item.rows
        if item is table
    )
    randoms = next(table for table in summary.tables if table.title == "Random agents")
    assert "200 agents" in randoms.note


def test_a_configuration_that_is_not_registered_says_which_line_is_missing(
    options: SuiteOptions, scored: tuple[Scored, ...], summary: Summary
) -> None:
    line = next(note for note in summary.notes if "this line: " in note).partition("this line: ")[2]

    trial = build(options).trial_in(scored, "why not")
    assert json.loads(line)["id"] == trial.id
    with pytest.raises(TrialsInvalid, match="come to its end"):
        build(options).trial_in(scored[:1], "why not")


def test_half_an_evaluation_is_summed_up_as_half(options: SuiteOptions, scored: tuple[Scored, ...]) -> None:
    found = build(options).summarize(scored[1:])

    assert found.figures == ()
    assert "desk did not come to an end" in found.notes[0]


def test_what_cannot_be_decided_on_is_refused_before_anything_runs(options: SuiteOptions) -> None:
    with pytest.raises(UnknownDataSet):
        build(replace(options, data="us21"))
    with pytest.raises(NothingToDecide, match="closes behind them"):
        build(replace(options, end="2015-03-31"))
    with pytest.raises(NoSessions):
        build(replace(options, start="2030-01-01"))


def test_a_data_set_without_volume_is_judged_all_the_same(
    tmp_path: Path, market_path: Path, options: SuiteOptions
) -> None:
    lines = [line.rsplit(",", 1)[0] for line in market_path.read_text().splitlines()]
    bare = tmp_path / "bare.csv"
    bare.write_text("\n".join(lines) + "\n")
    task = build(replace(options, data=str(bare)))

    outcome = task.run(task.samples()[0], 0)

    assert isinstance(task, DaysTask)
    assert outcome.passed is True and outcome.scores["decisions"] == 9
