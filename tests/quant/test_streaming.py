"""The top of a book quote by quote: the means by hand, the batch forms of flow and imbalance, and bad quotes."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.quant.errors import ParameterError, SampleError
from parley.quant.order_book import book_imbalance, order_flow_imbalance
from parley.quant.streaming import StreamingTop

Row = tuple[float, float, float, float]

ROWS: list[Row] = [(10.0, 10.2, 100, 300), (10.1, 10.2, 50, 200), (10.1, 10.4, 80, 500), (10.0, 10.3, 90, 90)]
"""Bid, ask, bid size, ask size."""


def streamed(rows: list[Row], usual_quotes: int = 100, flow_quotes: int = 100) -> StreamingTop:
    top = StreamingTop(usual_quotes, flow_quotes)
    for row in rows:
        top.update(*row)
    return top


def recorded() -> st.SearchStrategy[list[Row]]:
    size = st.integers(0, 50).map(float)
    row = st.tuples(st.integers(995, 1005), st.integers(0, 3), size, size).filter(lambda row: row[2] + row[3] > 0)
    quotes = row.map(lambda row: (row[0] / 100, (row[0] + row[1]) / 100, row[2], row[3]))
    return st.lists(quotes, min_size=2, max_size=40)


def test_the_means_of_four_quotes_are_those_of_a_pencil() -> None:
    top = streamed(ROWS)

    assert top.n_quotes == 4
    assert top.usual_spread == pytest.approx((0.2 + 0.1 + 0.3 + 0.3) / 4)
    assert top.usual_depth == pytest.approx((200 + 125 + 290 + 90) / 4)
    # Mids 10.1, 10.15, 10.25, 10.15.
    assert top.usual_move == pytest.approx(math.sqrt((0.05**2 + 0.1**2 + 0.1**2) / 3))
    # Cont et al. (2014), equation 1: a bid that rose brings 50, an ask that stood gives 300 for 200; then 80 for 50 and
    # an ask that rose takes 200 away; then a bid that fell takes 80 and an ask that fell brings 90 to sell.
    assert top.usual_flow == pytest.approx(((50 + 300 - 200) + (80 - 50 + 200) + (-80 - 90)) / 3)
    assert top.imbalance == 0.0


def test_from_its_span_on_a_mean_forgets_at_an_even_rate() -> None:
    rows = [(10.0, 10.1, 100.0, 100.0)] * 8 + [(10.0, 10.3, 100.0, 100.0)]

    assert streamed(rows, usual_quotes=4).usual_spread == pytest.approx(0.1 + 0.2 / 4)
    assert streamed(rows, usual_quotes=100).usual_spread == pytest.approx(0.1 + 0.2 / 9)
    # The ask that rose takes 100 off the selling side.
    assert streamed(rows, flow_quotes=2).usual_flow == pytest.approx(50.0)
    assert streamed(rows, flow_quotes=100).usual_flow == pytest.approx(100.0 / 8)


@settings(max_examples=50, deadline=None)
@given(recorded())
def test_flow_imbalance_and_means_are_the_batch_forms_on_the_same_quotes(rows: list[Row]) -> None:
    bid, ask, bid_size, ask_size = np.array(rows).T

    top = streamed(rows)

    assert top.usual_flow == pytest.approx(order_flow_imbalance(bid, bid_size, ask, ask_size).mean(), abs=1e-9)
    assert top.imbalance == pytest.approx(book_imbalance(bid_size[:, None], ask_size[:, None])[-1])
    assert top.usual_move == pytest.approx(np.sqrt(np.mean(np.diff((bid + ask) / 2) ** 2)), abs=1e-9)
    assert top.usual_spread == pytest.approx((ask - bid).mean(), abs=1e-9)


@settings(max_examples=50, deadline=None)
@given(recorded(), st.integers(1, 8), st.integers(1, 8))
def test_a_book_in_the_mirror_flows_the_other_way(rows: list[Row], usual: int, flow: int) -> None:
    mirrored = [(20.0 - ask, 20.0 - bid, ask_size, bid_size) for bid, ask, bid_size, ask_size in rows]
    # Mirrored prices are rounded: exact ones keep "did not move" what it was.
    exact: list[Row] = [(round(bid, 2), round(ask, 2), mine, theirs) for bid, ask, mine, theirs in mirrored]

    there, here = streamed(exact, usual, flow), streamed(rows, usual, flow)

    assert there.usual_flow == pytest.approx(-here.usual_flow, abs=1e-9)
    assert there.imbalance == -here.imbalance
    assert (there.usual_depth, there.n_quotes) == (pytest.approx(here.usual_depth), here.n_quotes)
    assert there.usual_move == pytest.approx(here.usual_move, abs=1e-9)


@pytest.mark.parametrize(
    "row",
    [
        (math.nan, 10.0, 1, 1), (10.0, math.nan, 1, 1), (10.0, 10.1, math.nan, 1), (10.0, 10.1, 1, math.nan),
        (0.0, 10.0, 1, 1), (10.1, 10.0, 1, 1), (10.0, math.inf, 1, 1), (10.0, 10.1, -1, 5), (10.0, 10.1, 5, -1),
        (10.0, 10.1, 0, 0), (10.0, 10.1, math.inf, 1),
    ],
)  # fmt: skip
def test_a_bad_quote_is_refused_and_changes_nothing(row: Row) -> None:
    top, untouched = streamed(ROWS), streamed(ROWS)

    with pytest.raises(SampleError, match="expected finite prices above 0"):
        top.update(*row)

    for each in (top, untouched):
        each.update(10.2, 10.3, 10, 20)
    names = ("n_quotes", "usual_spread", "usual_depth", "usual_flow", "usual_move", "imbalance")
    assert [getattr(top, name) for name in names] == [getattr(untouched, name) for name in names]


@pytest.mark.parametrize("spans", [(0, 4), (4, 0), (-1, 4)])
def test_a_span_without_a_quote_is_refused(spans: tuple[int, int]) -> None:
    with pytest.raises(ParameterError, match="expected at least 1"):
        StreamingTop(*spans)


def test_before_the_first_quote_everything_is_zero() -> None:
    top = StreamingTop(4, 4)

    assert (top.n_quotes, top.usual_spread, top.usual_move, top.usual_flow, top.imbalance) == (0, 0, 0, 0, 0)
