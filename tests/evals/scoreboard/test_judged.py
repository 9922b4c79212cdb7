"""What a path is judged by: ratios with their company, what luck needs, and figures worked by hand."""

import numpy as np
import pytest
from parley.evals.scoreboard.judged import (
    break_even_bps,
    choice_overfit,
    judged,
    luck_sentences,
    mean_gap,
    over_bills,
    sharpe_gap,
)
from parley.evals.scoreboard.spells import by_regime, crises, years
from parley.evals.scoreboard.var_record import var_record
from parley.evals.trials import Trials
from parley.quant.performance import sharpe

TRIALS = Trials(100, 0.35)


def grown(returns: np.ndarray) -> np.ndarray:
    return np.r_[1.0, np.cumprod(1.0 + returns)]


def test_a_ratio_comes_with_intervals_trials_and_length() -> None:
    returns = np.random.default_rng(1).normal(0.0006, 0.01, 1260)

    ratio = judged(grown(returns), TRIALS).ratio

    assert ratio is not None and ratio.studentized is not None and ratio.days_needed is not None
    assert ratio.value == pytest.approx(sharpe(returns))
    assert ratio.percentile.low < ratio.value < ratio.percentile.high
    assert ratio.studentized.low < ratio.value < ratio.studentized.high
    # Bailey and López de Prado's best of 100 without skill is 2.531 deviations out.
    assert ratio.expected_best == pytest.approx(0.35 * 2.531, abs=0.002)
    assert ratio.dsr < ratio.psr


def test_more_trials_never_make_a_ratio_better() -> None:
    equity = grown(np.random.default_rng(2).normal(0.0006, 0.01, 800))

    chances = [item.dsr for count in (1, 10, 1000) if (item := judged(equity, Trials(count, 0.35)).ratio) is not None]

    assert len(chances) == 3
    assert chances == sorted(chances, reverse=True)


def test_without_an_interval_there_is_no_ratio() -> None:
    short = judged(grown(np.random.default_rng(3).normal(0.001, 0.01, 41)), TRIALS)
    still = judged(np.ones(300), TRIALS)

    assert short.ratio is None and short.n_days == 41
    assert still.ratio is None and still.sortino is None and still.max_drawdown == 0.0


def test_falls_and_their_length_are_counted_from_the_start() -> None:
    found = judged(np.array([100.0, 80.0, 90.0, 100.0, 110.0, 99.0]), TRIALS)

    assert found.max_drawdown == pytest.approx(0.2)
    assert found.longest_under_water_days == 3
    assert found.under_water_frac == pytest.approx(3 / 5)


def test_a_short_record_says_that_it_cannot_be_told_from_luck_and_how_long_it_takes() -> None:
    # Closed form, one-sided 95 %: 2,730 days for 0.5, 685 for 1, 306 for 1.5.
    short, long = luck_sentences(749, 2.1), luck_sentences(750, 2.1)

    assert short[0] == "Shorter than three years: it cannot be told from luck whatever it shows (2.10 here)."
    assert "2,730 for 0.5, 685 for 1.0, 306 for 1.5; this record has 749" in short[1]
    assert len(long) == 1


def test_the_break_even_cost_makes_the_mean_nothing() -> None:
    gross, turnover = np.array([0.01, -0.004, 0.003]), np.array([0.5, 0.0, 1.0])

    cost = break_even_bps(gross, turnover)

    assert cost == pytest.approx(60.0)
    assert float((gross - turnover * 60.0 / 1e4).mean()) == pytest.approx(0.0, abs=1e-15)
    assert break_even_bps(gross, np.zeros(3)) is None


def test_over_bills_only_what_is_invested_must_beat_them() -> None:
    returns, bills = np.random.default_rng(8).normal(0.001, 0.01, 300), np.full(300, 0.001)

    found = over_bills(returns, np.full(300, 0.5), bills, TRIALS)

    assert found is not None and found.value == pytest.approx(sharpe(returns - 0.0005))
    assert over_bills(np.zeros(300), np.zeros(300), bills, TRIALS) is None


def test_gaps_are_paired() -> None:
    returns = np.random.default_rng(4).normal(0.0, 0.01, 500)

    gap, interval = mean_gap(returns + 0.0001, returns)
    ratios = sharpe_gap(returns + 0.0001, returns)

    assert gap == pytest.approx(0.0252)
    assert (interval.low, interval.high) == (pytest.approx(0.0252), pytest.approx(0.0252))
    assert ratios is not None and ratios[1].low > 0.0
    assert sharpe_gap(returns[:41], returns[:41]) is None


def test_years_start_at_the_close_before_them_and_compound_to_the_whole() -> None:
    days = ("2000-12-28", "2000-12-29", "2001-01-02", "2001-01-03", "2002-01-02")
    equity = np.array([100.0, 110.0, 99.0, 121.0, 133.1])

    found = years(days, equity)

    assert [(item.name, item.n_days) for item in found] == [("2000", 1), ("2001", 2), ("2002", 1)]
    assert [item.total_return for item in found] == pytest.approx([0.1, 0.1, 0.1])
    assert found[1].max_drawdown == pytest.approx(0.1)


def test_a_crisis_counts_only_when_it_is_covered() -> None:
    days = ("2020-02-18", "2020-02-19", "2020-03-23", "2020-03-24")
    equity = np.array([100.0, 102.0, 76.5, 80.0])

    (found,) = crises(days, equity)

    assert (found.name, found.total_return) == ("2020", pytest.approx(-0.25))
    assert crises(days[2:], equity[2:]) == []


def test_regimes_are_those_of_the_close_before() -> None:
    rows = by_regime(("calm", "crisis", "calm"), np.array([0.01, -0.02, 0.03]), np.array([0.5, 0.2, 0.7]))

    assert [(row.regime, row.n_days) for row in rows] == [("calm", 2), ("crisis", 1)]
    assert rows[0].mean_return == pytest.approx(0.02 * 252)
    assert (rows[0].mean_exposure, rows[1].volatility) == (pytest.approx(0.6), 0.0)


def test_var_of_a_known_number_of_exceptions() -> None:
    returns, forecasts = np.full(250, 0.001), np.full(250, 0.02)
    returns[[10, 11, 100, 150, 200]] = -0.03

    found = var_record(returns, forecasts)

    assert found is not None
    assert (found.n_exceptions, found.last_year_zone.value) == (5, "yellow")
    # Kupiec: LR = 2 (ln L(5 / 250) - ln L(0.01)) = 1.9568, chi-squared with one degree of freedom.
    assert found.kupiec_p == pytest.approx(0.1619, abs=5e-4)
    assert var_record(returns[:249], forecasts[:249]) is None
    assert var_record(returns, np.full(250, np.nan)) is None


def test_a_choice_by_luck_is_overfit_about_half_the_time_and_a_plain_winner_hardly_ever() -> None:
    """Noise: the mean of many draws is near one half (single draws run from 0.2 to 0.9); one with drift stands out."""
    rng = np.random.default_rng(3)
    found = [choice_overfit(rng.normal(0.0, 0.01, (336, 20))) for _ in range(20)]
    clear = rng.normal(0.0, 0.01, (336, 20))
    clear[:, 4] += 0.004

    assert 0.4 < np.mean([item for item in found if item is not None]) < 0.65
    assert len(found) == 20 and None not in found
    assert (choice_overfit(clear) or 0.0) < 0.02
    assert choice_overfit(clear[:100]) is None and choice_overfit(clear[:, :1]) is None
    clear[:200, 2] = 0.0
    assert choice_overfit(clear) is None
