"""The suites `veto` and `robustness`: they pass on the desk as it is, and see a guard that is gone."""

import pytest
from parley.agents import ask
from parley.evals.errors import SuiteInvalid
from parley.evals.harness.options import SuiteOptions
from parley.evals.harness.task import Scored, Summary, Task
from parley.evals.suites import robustness, veto
from parley.evals.suites.table import suites
from parley.gate import gate
from parley.gate.catalog import sections


def answered(task: Task) -> list[Scored]:
    return [Scored(sample, 0, task.run(sample, 0)) for sample in task.samples()]


def figures(summary: Summary) -> dict[str, float | None]:
    return {item.name: item.value for item in summary.figures}


def test_every_breach_is_refused_for_its_own_reason() -> None:
    task = veto.build(SuiteOptions())

    scored = answered(task)

    assert [(item.sample.id, item.outcome.reason) for item in scored if not item.outcome.passed] == []
    found = figures(task.summarize(scored))
    assert found["refused_for_the_right_reason"] == found["approved_when_clean"] == 1.0
    missing = {row[0] for row in task.summarize(scored).tables[0].rows}
    assert missing == {"well_formed", "computable"}
    assert len(scored) == 2 + sum(2 if row.level == "both" else 1 for _, rows in sections() for row in rows) - 2


def test_a_guard_that_is_taken_out_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    without = tuple(check for check in gate.PLAN_CHECKS if check.__name__ != "check_gross")
    assert len(without) == len(gate.PLAN_CHECKS) - 1
    monkeypatch.setattr(gate, "PLAN_CHECKS", without)
    task = veto.build(SuiteOptions())

    failed = {item.sample.id: item.outcome.reason for item in answered(task) if not item.outcome.passed}

    assert failed == {"plan.gross": "approved, expected ['gross']"}


@pytest.fixture(scope="module")
def replies() -> robustness.Robustness:
    return robustness.build(SuiteOptions(parameters=suites()["robustness"].parameters))


def test_bad_replies_abstain_or_fall_back_in_time(replies: robustness.Robustness) -> None:
    scored = answered(replies)

    assert [(item.sample.id, item.outcome.reason) for item in scored if not item.outcome.passed] == []
    assert set(figures(replies.summarize(scored)).values()) == {1.0}


def test_a_reply_that_is_taken_for_what_it_is_not_is_seen(
    replies: robustness.Robustness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ask, "json_part", lambda text: '{"votes":[{"symbol":"AAA","vote":"FOR","confidence":60}]}')

    failed = {item.sample.id for item in answered(replies) if not item.outcome.passed}

    assert {"prose.abstain", "refusal.abstain", "torn.abstain"} <= failed
    assert "good.abstain" not in failed


@pytest.mark.parametrize("bad", [{}, {"replies": [{"id": "x"}], "timeout_s": 1}, {"replies": []}])
def test_replies_that_are_none_are_refused(bad: dict[str, object]) -> None:
    with pytest.raises(SuiteInvalid, match="robustness"):
        robustness.build(SuiteOptions(parameters=bad))  # pyright: ignore[reportArgumentType]  (bad input)
