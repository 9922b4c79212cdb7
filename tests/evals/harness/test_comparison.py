"""Two evaluations side by side: pairs, epochs, days, Holm, and what too few pairs do not show."""

import numpy as np
import pytest
from parley.evals.errors import NotComparable
from parley.evals.harness.comparison import DAILY, compare
from parley.evals.harness.task import Outcome

DAYS = [str(np.datetime64("2020-01-01") + place) for place in range(800)]


def series(returns: np.ndarray, first: int = 0) -> list[Outcome]:
    days = DAYS[first : first + len(returns)]
    return [Outcome({}, transcript={"series": {"days": list(days), "returns": returns.tolist()}})]


def scored(values: list[float], name: str = "hits") -> dict[str, list[Outcome]]:
    return {f"s{place}": [Outcome({name: value})] for place, value in enumerate(values)}


def test_pairs_are_compared_by_sample_and_epochs_are_averaged() -> None:
    a = {"x": [Outcome({"hits": 1.0}), Outcome({"hits": 3.0})], "y": [Outcome({"hits": 2.0})], "gone": [Outcome({})]}
    b = {"x": [Outcome({"hits": 5.0})], "y": [Outcome({"hits": 2.0})], "new": [Outcome({"hits": 9.0})]}

    found = compare(a, b)

    (item,) = found.differences
    assert (item.n, item.mean_a, item.mean_b, item.mean) == (2, 2.0, 3.5, 1.5)
    assert (found.shared, found.only_a, found.only_b) == (2, 1, 1)
    assert found.rows == (("x", "hits", 2.0, 5.0),)


def test_a_clear_difference_is_said_and_a_small_one_is_not() -> None:
    rng = np.random.default_rng(1)
    base = rng.normal(0.0, 1.0, 60)
    better, same = base + rng.normal(1.0, 1.0, 60), base + rng.normal(0.02, 1.0, 60)

    clear = compare(scored(base.tolist()), scored(better.tolist()))
    vague = compare(scored(base.tolist()), scored(same.tolist()))

    assert clear.differences[0].is_clear
    assert "B is higher" in clear.sentences[0]
    assert not vague.differences[0].is_clear
    assert "do not show which is better" in vague.sentences[0]
    assert "these show" in vague.sentences[0]


def test_holm_allows_for_every_score_that_was_looked_at() -> None:
    rng = np.random.default_rng(3)
    a = {f"s{k}": [Outcome({f"m{j}": 0.0 for j in range(10)})] for k in range(40)}
    b = {f"s{k}": [Outcome({f"m{j}": float(rng.normal(0.3, 1.0)) for j in range(10)})] for k in range(40)}

    found = compare(a, b).differences

    assert all(item.holm_p >= item.p_value for item in found)
    assert min(item.holm_p for item in found) == pytest.approx(10 * min(item.p_value for item in found))


def test_days_are_paired_by_date_and_few_of_them_show_nothing_about_skill() -> None:
    rng = np.random.default_rng(5)
    one = rng.normal(0.0004, 0.01, 59)
    other = one + rng.normal(0.0005, 0.004, 59)

    found = compare({"full": series(one)}, {"rules": series(other[9:], first=9)})

    (item,) = found.differences
    assert (item.score, item.pairs, item.n) == (DAILY, "days", 50)
    assert item.mean == pytest.approx(float((other - one)[9:].mean()))
    assert found.sharpe is not None
    assert any("fewer than three years" in sentence for sentence in found.sentences)


def test_three_years_of_days_are_not_called_too_few() -> None:
    rng = np.random.default_rng(6)
    one = rng.normal(0.0, 0.01, 800)

    found = compare({"full": series(one)}, {"full": series(one + 0.0005)})

    assert not any("three years" in sentence for sentence in found.sentences)
    assert found.differences[0].is_clear


def test_the_same_evaluation_twice_is_the_same() -> None:
    found = compare(scored([1.0, 2.0, 3.0]), scored([1.0, 2.0, 3.0]))

    assert found.differences[0].holm_p == 1.0
    assert found.rows == ()
    assert "the same in both" in found.sentences[0]


def test_a_sample_that_stopped_passing_is_named() -> None:
    a = {"x": [Outcome({}, passed=True)], "y": [Outcome({}, passed=False)], "z": [Outcome({}, passed=True)]}
    b = {"x": [Outcome({}, passed=False)], "y": [Outcome({}, passed=True)], "z": [Outcome({}, passed=True)]}

    assert compare(a, b).turned == (("x", "A"), ("y", "B"))


def test_evaluations_without_a_common_score_are_refused() -> None:
    with pytest.raises(NotComparable, match="share 0 samples"):
        compare({"x": [Outcome({"hits": 1.0})]}, {"y": [Outcome({"hits": 1.0})], "z": [Outcome({})]})
    with pytest.raises(NotComparable, match="share 1 samples"):
        compare({"x": [Outcome({"hits": 1.0})]}, {"x": [Outcome({"hits": 1.0})]})
