"""The ablation from end to end on a small market: samples, scores, and a report that adds up and says what it can't."""

import json
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import parley.evals.suites as suites
import pytest
from parley.evals.arms.errors import ArmUnknown
from parley.evals.arms.table import AGENTS, coalitions
from parley.evals.harness.options import SuiteOptions
from parley.evals.harness.task import Scored, Summary, Table
from parley.evals.suites.ablation import Ablation, build, windows_of
from parley.market.datasets import load_data
from parley.market.errors import NoSessions

FIRST, LAST = "2016-01-07", "2016-01-14"
SUITE = tomllib.loads((Path(suites.__file__).parent / "ablation.toml").read_text())["parameters"]


def options(path: Path, **given: Any) -> SuiteOptions:
    return SuiteOptions(data=str(path), start=FIRST, end=LAST, parameters=SUITE, **given)


def answered(task: Ablation, epochs: int = 1) -> list[Scored]:
    return [Scored(item, epoch, task.run(item, epoch)) for epoch in range(epochs) for item in task.samples()]


def table(summary: Summary, title: str) -> Table:
    return next(item for item in summary.tables if item.title == title)


def column(found: Table, name: str) -> dict[str, Any]:
    return {str(row[0]): row[found.header.index(name)] for row in found.rows}


@pytest.fixture(scope="module")
def task(market_path: Path) -> Ablation:
    return build(options(market_path, arms=(*coalitions(), "debate-on", "masked")))


@pytest.fixture(scope="module")
def scored(task: Ablation) -> list[Scored]:
    return answered(task)


@pytest.fixture(scope="module")
def summary(task: Ablation, scored: list[Scored]) -> Summary:
    return task.summarize(scored)


def test_the_suite_begins_with_the_full_desk_and_the_one_without_a_model(task: Ablation) -> None:
    samples = task.samples()

    assert [item.id for item in samples][:2] == ["full", "rules"]
    assert len({item.id for item in samples}) == len(samples) == 19
    assert samples[2].input == {"arm": "nobody", "first": FIRST, "last": LAST}


def test_a_run_is_plain_json_with_a_series_that_can_be_paired(scored: list[Scored]) -> None:
    told: Any = json.loads(json.dumps(scored[0].outcome.transcript, allow_nan=False))

    assert told["series"]["days"] == told["days"][1:]
    assert len(told["series"]["returns"]) == len(told["equity"]) - 1 == 5


def test_the_same_sample_is_the_same_to_the_byte(task: Ablation, scored: list[Scored]) -> None:
    assert task.run(scored[2].sample, 0) == scored[2].outcome


def test_the_shares_of_the_agents_add_up_to_all_less_nobody(summary: Summary) -> None:
    found = table(summary, "Shares of the agents")

    for name in ("return", "Sharpe", "drawdown"):
        values = column(found, name)
        assert sum(values[agent] for agent in AGENTS.values()) == pytest.approx(
            values["all four less nobody"], abs=1e-9
        )
    figures = {item.name: item for item in summary.figures}
    assert figures["shapley_risk"].value == column(found, "return")["risk"]


def test_an_arm_that_changed_nothing_has_no_interval_and_is_named(summary: Summary) -> None:
    found = table(summary, "Differences to full")

    assert column(found, "return")["debate-on"] == 0.0
    assert column(found, "p")["debate-on"] is None
    assert column(table(summary, "What the arms could change"), "could differ")["debate-on"] == 0
    assert any(note.startswith("No decision could differ in debate-on") for note in summary.notes)


def test_holms_values_are_no_smaller_than_those_they_correct(summary: Summary) -> None:
    found = table(summary, "Differences to full")
    plain, corrected = column(found, "p"), column(found, "p (Holm)")

    tested = [name for name, p in plain.items() if p is not None]
    assert "nobody" in tested
    assert all(corrected[name] >= plain[name] for name in tested)


def test_a_short_run_says_that_it_can_not_be_told_from_luck(summary: Summary) -> None:
    assert any("shorter than three years, no result here can be told from luck" in note for note in summary.notes)
    assert any("can not be concluded from 5 days" in note for note in summary.notes)


def test_every_row_has_a_cell_for_each_head_and_every_ratio_an_interval(summary: Summary) -> None:
    for found in summary.tables:
        assert {len(row) for row in found.rows} == {len(found.header)} == {len(found.units)}
    arms = table(summary, "Arms")
    assert all(low is not None for low in column(arms, "low").values())
    ratio = next(item for item in summary.figures if item.name == "full_sharpe")
    assert ratio.low is not None
    assert ratio.high is not None


def test_an_arm_that_broke_off_is_named_and_compared_with_nothing(task: Ablation, scored: list[Scored]) -> None:
    found = task.summarize([item for item in scored if item.sample.id != "only-risk"])

    assert any("only-risk" in note for note in found.notes)
    assert not any(item.title == "Shares of the agents" for item in found.tables)


def test_without_the_full_desk_there_is_no_finding(task: Ablation, scored: list[Scored]) -> None:
    found = task.summarize([item for item in scored if item.sample.id != "full"])

    assert found.figures == ()
    assert found.notes[0].startswith("The full desk was not played")


def test_calls_are_valued_at_the_stated_price(task: Ablation, summary: Summary, scored: list[Scored]) -> None:
    found = table(summary, "What the calls buy")
    outcome = {item.sample.id: item.outcome for item in scored}
    years = 5 / 252

    def spent(name: str) -> float:
        nodes: Any = outcome[name].transcript
        return sum(n[1] * task.prompt_usd + n[2] * task.completion_usd for n in nodes["nodes"].values()) / 1e6

    extra = column(found, "extra calls a year")["nobody"]
    assert extra == pytest.approx((spent("nobody") - spent("rules")) / years)
    assert extra < 0


def test_epochs_of_a_wavering_model_are_averaged_and_their_flips_counted(market_path: Path) -> None:
    task = build(options(market_path, model="stochastic", arms=("without-risk",)))

    found = task.summarize(answered(task, epochs=2))

    reach = table(found, "What the arms could change")
    assert column(reach, "flipped between epochs")["rules"] == 0.0
    assert table(found, "Differences to rules").rows
    assert "stochastic is code" in found.cards[0].model_window


def test_windows_cover_every_session_once(market_path: Path) -> None:
    data = load_data(str(market_path))
    days = data.history().sessions_between()

    spans = windows_of(data, None, None, 4)

    assert (spans[0][0], spans[-1][1]) == (days[0], days[-1])
    assert [days.index(first) for first, _ in spans[1:]] == [days.index(last) + 1 for _, last in spans[:-1]]


def test_earlier_prices_in_front_are_no_sessions_to_play(market_path: Path) -> None:
    data = load_data(str(market_path))
    days = data.history().sessions_between()

    spans = windows_of(replace(data, joined_at=days[-9]), None, None, 1)

    assert spans == [(days[-9], days[-1])]


@pytest.mark.parametrize(
    ("change", "error"), [({"arms": ("without-brakes",)}, ArmUnknown), ({"end": "1999-01-01"}, NoSessions)]
)
def test_an_unknown_arm_and_an_empty_window_are_refused(
    market_path: Path, change: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        build(replace(options(market_path), **change)).samples()
