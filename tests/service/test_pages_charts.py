"""The chart builders: ticks are round and cover the data, labels keep their distance, drawings are well-formed."""

from datetime import date, timedelta
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.service.pages import charts
from parley.service.pages.twin import Fact

SPANS = st.tuples(st.floats(-1e9, 1e9), st.floats(-1e9, 1e9)).map(sorted)


def days(count: int, first: date = date(2010, 1, 4), step: int = 1) -> list[str]:
    return [(first + timedelta(days=k * step)).isoformat() for k in range(count)]


def test_ticks_of_a_known_span_are_the_ones_a_person_would_draw() -> None:
    assert charts.nice_ticks(96.3, 103.9) == [96.0, 98.0, 100.0, 102.0, 104.0]
    assert charts.nice_ticks(-0.083, 0.0) == [-0.1, -0.075, -0.05, -0.025, 0.0]


@settings(max_examples=100, deadline=None)
@given(SPANS)
def test_ticks_cover_the_span_in_even_steps(span: list[float]) -> None:
    low, high = span

    ticks = charts.nice_ticks(low, high)

    slack = 1e-6 * max(abs(low), abs(high), 1e-300)
    assert ticks[0] <= low + slack
    assert ticks[-1] >= high - slack
    assert 2 <= len(ticks) <= 8
    steps = [b - a for a, b in pairwise(ticks)]
    assert max(steps) - min(steps) <= 1e-6 * max(steps) + slack


@settings(max_examples=60, deadline=None)
@given(st.floats(0.01, 100), st.floats(1.01, 1e4))
def test_logarithmic_ticks_lie_inside_the_span_and_stay_few(low: float, ratio: float) -> None:
    ticks = charts.log_ticks(low, low * ratio)

    assert all(low <= tick <= low * ratio for tick in ticks)
    assert 1 <= len(ticks) <= 7


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 2500), st.integers(1, 5))
def test_date_labels_never_overlap_on_a_phone(count: int, step: int) -> None:
    labels = charts.date_ticks(days(count, step=step))

    assert labels
    # 290 pixels of plot, 11-pixel digits of at most 6.4 pixels each.
    places = [(290 * row / max(count - 1, 1), 6.4 * len(text)) for row, text in labels]
    assert all(b - a >= (wa + wb) / 2 for (a, wa), (b, wb) in pairwise(places))


def test_date_labels_go_from_days_over_months_to_years() -> None:
    assert charts.date_ticks(days(40))[0] == (0, "2010-01-04")
    assert charts.date_ticks(days(300))[0] == (28, "2010-02")
    assert [text for _, text in charts.date_ticks(days(3653))] == [
        "2011",
        "2012",
        "2013",
        "2014",
        "2015",
        "2016",
        "2017",
        "2018",
        "2019",
    ]


def test_a_line_chart_is_well_formed_and_its_points_lie_where_the_values_say() -> None:
    data = charts.chart_data("Closes <of> X", "price", days(3), {"close": [10.0, None, 20.0]}, {"arrival": 15.0})
    markup = charts.line_chart(Fact(data, "rep-1", "/output"), height_px=132, mark_at=1)

    root = ElementTree.fromstring(markup)

    title = root.find(".//title")
    assert title is not None
    assert title.text == "Closes <of> X"
    # 10 is the lowest tick and 20 the highest: the plot's floor (132 - 24) and its top (8); the gap is not bridged.
    assert 'class="l c0" d="M0.0 108.0h0M1000.0 8.0h0"' in markup
    assert 'class="v v0" d="M0 58.0H1000"' in markup
    assert 'class="m" d="M500.0 8V108"' in markup
    assert [text.get("data-ref") for text in root.iter("text") if text.get("class") == "n price"] == [
        f"rep-1#/output/y_ticks/{k}"
        for k in range(len(data["y_ticks"]))  # pyright: ignore[reportArgumentType]
    ]


def test_a_flat_line_and_a_single_point_can_be_drawn() -> None:
    for values in ([5.0], [5.0, 5.0, 5.0], [0.0, 0.0]):
        data = charts.chart_data("flat", "frac", days(len(values)), {"x": values}, floor=0.0)

        ElementTree.fromstring(charts.line_chart(Fact(data, "r"), area=True))


def test_an_execution_chart_places_fills_in_time_and_sums_quantities() -> None:
    times = ["2013-10-07T13:30:00Z", "2013-10-07T14:30:00Z", "2013-10-07T15:30:00Z"]
    data = charts.fills_data("fills", times, [10.0, 10.5, 11.0], [100, 50, 50], 10.2)

    assert data["place"] == [0.0, 0.5, 1.0]
    assert data["done"] == [100, 150, 200]
    root = ElementTree.fromstring(charts.fills_chart(Fact(data, "r")))
    assert [dot.get("cx") for dot in root.iter("circle")] == ["3.00%", "50.00%", "97.00%"]


def test_one_fill_stands_in_the_middle() -> None:
    data = charts.fills_data("fills", ["2013-10-07T13:30:00+00:00"], [10.0], [1], 10.0)

    assert 'cx="50.00%"' in charts.fills_chart(Fact(data, "r"))


@pytest.mark.parametrize(
    ("value", "start", "width"), [(0.5, "50.0%", "25.0%"), (-1.0, "0.0%", "50.0%"), (9.0, "50.0%", "50.0%")]
)
def test_a_signed_bar_grows_from_the_middle_and_never_leaves_its_cell(value: float, start: str, width: str) -> None:
    assert f'<rect class="c0" x="{start}" width="{width}"/>' in charts.bar(value, 1.0, signed=True)


def test_a_waterfall_step_shows_what_it_took_away() -> None:
    assert charts.step_bar(1.0, 0.75, 1.0).count('class="gone" x="75.0%" width="25.0%"') == 1
    assert charts.step_bar(0.0, 0.0, 0.0).count("<rect") == 0
