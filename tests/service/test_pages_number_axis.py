"""Curves over a numeric axis: points land where their numbers say, and every label is a referenced number."""

import re

import pytest
from parley.service.page_proof import walk
from parley.service.pages.number_axis import curve_chart, curve_data
from parley.service.pages.twin import Twin

CURVES = {"first": [(0.8, 0.1), (0.9, 0.3), (1.0, 0.2)], "second": [(0.8, 0.0), (1.0, 0.4)]}


def test_points_land_between_the_ends_of_both_axes() -> None:
    data = curve_data("Shape", ("frac", "ratio"), CURVES, [0.9])

    svg = str(curve_chart(Twin("t", "t").derive("curves", "x", data), height_px=200))

    first, second = re.findall(r'class="l c\d" d="M([^"]+)"', svg)
    assert [float(point.split()[0]) for point in first.split("L")] == [0.0, 500.0, 1000.0]
    assert [float(point.split()[1]) for point in second.split("L")] == [176.0, 8.0]
    assert 'class="m" d="M500.0 8V176"' in svg


def test_each_label_leads_into_the_twin_and_says_its_number_there() -> None:
    data = curve_data("Shape", ("frac", "ratio"), CURVES)

    walker = walk(f"<html>{curve_chart(Twin('t', 't').derive('curves', 'x', data))}</html>")

    assert not [text for text in walker.loose if re.search(r"\d", text)]
    texts = {value.raw: value.text for value in walker.values}
    assert texts["0.8"] == "80%" and texts["0.4"] == "0.4"


def test_a_curve_that_never_moves_is_drawn_in_the_middle_and_a_floor_is_kept_in_sight() -> None:
    flat = curve_data("Flat", ("num", "ratio"), {"flat": [(1.0, 5.0), (2.0, 5.0)]})
    floored = curve_data("Floor", ("num", "ratio"), {"high": [(1.0, 5.0), (2.0, 6.0)]}, floor=0.0)

    assert flat["y_low"] < 5.0 < flat["y_high"]  # pyright: ignore[reportOperatorIssue]
    assert floored["y_low"] == pytest.approx(0.0)
