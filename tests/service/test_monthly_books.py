"""The monthly rebuild of every method: what each month may know, what a refusal leaves, and when there is none."""

from datetime import date
from typing import Any

import numpy as np
import pytest
from parley.desk.desk import scene_at
from parley.desk.settings import Settings
from parley.gate.limits import load_limits
from parley.market.datasets import load_data
from parley.service.monthly_books import TrialSpan, monthly_books, trial_span
from parley.tools.construction import METHODS
from parley.tools.errors import NotEnoughData
from parley.tools.estimators import Estimators
from parley.tools.window import AskedLimits


def span_at(last: date) -> TrialSpan:
    data = load_data("us20")
    scene = scene_at(Settings(), load_limits(None), data, last)
    return trial_span(scene, data.history(), Estimators(), AskedLimits())


@pytest.fixture(scope="module")
def span() -> TrialSpan:
    return span_at(date(1992, 3, 31))


def test_a_window_ends_at_the_close_before_the_day_that_trades_on_it(span: TrialSpan) -> None:
    for place, window in span.windows.items():
        if place > 1:
            np.testing.assert_allclose(window.returns[-1], span.closes[place - 1] / span.closes[place - 2] - 1.0)
    months = span.days.astype("datetime64[M]")
    turns = [place for place in range(2, len(months)) if months[place] != months[place - 1]]
    assert list(span.windows) == [1, *turns]
    assert len(span.symbols) == 20 and span.closes.shape == (len(span.days), 20)


def test_a_method_that_always_refuses_holds_equal_weight_and_says_in_how_many_months(
    span: TrialSpan, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(window: Any) -> Any:
        raise NotEnoughData("made to refuse")

    monkeypatch.setattr(
        "parley.service.monthly_books.METHODS", {"equal weight": METHODS["equal weight"], "never": refuses}
    )

    books = monthly_books(span, 3e-4)

    assert books["never"].months_refused == len(span.windows)
    assert books["equal weight"].months_refused == 0
    np.testing.assert_array_equal(books["never"].path.equity, books["equal weight"].path.equity)
    assert books["never"].path.costs > 0.0


def test_less_than_a_year_after_the_first_is_no_trial() -> None:
    with pytest.raises(NotEnoughData, match="a trial needs 253") as caught:
        span_at(date(1991, 6, 28))

    assert caught.value.remedy
