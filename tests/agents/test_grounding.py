"""Every figure of a text is borne out by evidence, or its sentence is withheld."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.agents.claims import Direction, Kind, claims_in
from parley.agents.grounding import MAX_CHARS, WITHHELD, Figures, ground
from parley.domain.decisions import Evidence
from pydantic import JsonValue

AS_OF = datetime(2022, 12, 28, 21, tzinfo=UTC)


def entry(output: JsonValue, unit: str = "fraction", name: str = "ev-scores-1a2b", tool: str = "scores") -> Evidence:
    return Evidence(id=name, tool=tool, tool_version=1, inputs_hash="x", as_of=AS_OF, unit=unit, output=output)


FIGURES = Figures(
    [
        entry({"AAPL": 0.0423, "MSFT": -0.0317, "asked": "2021-06-01"}),
        entry({"close": 112.4, "average": 104.0, "count": 1234567}, "as named", "ev-bars-77aa", "bars"),
        entry({"drawdown": 0.061, "var_99": 0.0212}, "fraction of equity", "ev-risk-00ff", "portfolio_risk"),
        entry({"spread": 4.05}, "bps", "ev-cost-0001", "spread"),
    ]
)


def faults(text: str) -> tuple[str, ...]:
    return ground(text, FIGURES).faults


@pytest.mark.parametrize(
    "text",
    [
        "AAPL gained 4.23 %.",
        "AAPL gained 4.2% [ev-scores-1a2b].",
        "AAPL is up 423 bp, MSFT fell 3.2 %.",
        "MSFT stands at −3.17%.",
        "The close of 112.4 is above the average: 112 above average 104.",
        "About 1,234,567 shares, or 1.2 million.",
        "Drawdown fell to 6.1 %; VaR 99 is 2.12 percent.",
        "The spread is 4.05 bp, or 0.04 %.",
        "On 2022-12-28 the regime was calm; in 2021 it was not.",
        "RSI 14 and S&P 500 are names, us20 and T2 too.",
        "Nothing in figures here.",
    ],
)
def test_what_the_evidence_shows_is_grounded(text: str) -> None:
    assert faults(text) == ()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("AAPL gained 4.24 %.", "not in the evidence"),
        ("AAPL fell 4.23 %.", "said to be down"),
        ("MSFT rose 3.17 %.", "said to be up"),
        ("MSFT stands at +3.17 %.", "wrong sign"),
        ("AAPL gained 4.23 bp.", "not in the evidence"),
        ("The close of 104.0 is above 112.4.", "not above"),
        ("AAPL gained 4.23 % [ev-bars-77aa].", "not in the evidence"),
        ("AAPL gained 4.23 % [ev-none-0000].", "no evidence of this decision"),
        ("On 2022-12-29 it closed.", "the date"),
        ("On 2022-13-45 it closed.", "the date"),
        ("It crashed in 2008.", "the year"),
        ("It doubled to 112.4.", "what doubled means"),
        ("AAPL gained ４.23 %.", "is none of 0 to 9"),
        ("AAPL gained 4½ %.", "is none of 0 to 9"),
        ("1e400 shares", "not in the evidence"),
        ("9" * 50 + " shares", "no figure"),
        ("VaR 99 % of the time, 98 % is right.", "not in the evidence"),
    ],
)
def test_what_it_does_not_show_is_not(text: str, says: str) -> None:
    found = faults(text)

    assert found
    assert says in found[0]


def test_only_the_ungrounded_sentence_is_withheld_and_the_rest_stays() -> None:
    shown = ground("AAPL gained 4.23 %. MSFT will gain 50 %. Trend is up.", FIGURES).shown

    assert shown == f"AAPL gained 4.23 %. {WITHHELD} Trend is up."


def test_a_figure_known_besides_the_evidence_may_be_named() -> None:
    assert ground("A confidence of 55 %.", Figures([], {"confidence_percent": 55})).is_grounded
    assert not ground("A confidence of 56 %.", Figures([], {"confidence_percent": 55})).is_grounded


def test_a_text_too_long_to_read_is_withheld_at_once() -> None:
    assert ground("1 " * MAX_CHARS, FIGURES).shown == WITHHELD


def test_an_endless_sentence_is_withheld_alone() -> None:
    assert ground("AAPL gained 4.23 %. Then " + "1," * 900, FIGURES).shown == f"AAPL gained 4.23 %. {WITHHELD}"


def test_doubling_holds_where_both_numbers_are_shown() -> None:
    figures = Figures([entry({"before": 21.0, "after": 42.0}, "count")])

    assert ground("It doubled from 21 to 42.", figures).is_grounded
    assert not ground("It tripled from 21 to 42.", figures).is_grounded


@given(st.integers(-9999, 9999), st.integers(0, 4))
@settings(max_examples=60, deadline=None)
def test_a_figure_written_at_any_precision_is_grounded_and_a_changed_digit_is_not(bps: int, places: int) -> None:
    value = Decimal(bps).scaleb(-4)
    figures = Figures([entry({"r": float(value)})])
    step = Decimal(1).scaleb(-places)
    percent = (value * 100).quantize(step)

    assert ground(f"The return is {percent} %.", figures).is_grounded
    assert not ground(f"The return is {percent + step.copy_sign(percent) * 2} %.", figures).is_grounded


@given(st.text(max_size=400))
@settings(max_examples=80, deadline=None)
def test_no_text_breaks_the_check(text: str) -> None:
    assert isinstance(ground(text, FIGURES).shown, str)


@given(st.text(alphabet="0123456789.,-–−+eE%$ ab[]½", max_size=300))
@settings(max_examples=80, deadline=None)
def test_no_soup_of_digits_breaks_the_check(text: str) -> None:
    assert isinstance(ground(text, FIGURES).shown, str)


def test_claims_carry_unit_sign_step_and_direction() -> None:
    first, second, third = claims_in("It fell by 3.20 % to -12.5 bp, a range of 3–5.")[:3]

    assert (first.kind, first.value, first.step) == (Kind.PERCENT, Decimal("3.20"), Decimal("0.01"))
    assert first.direction is Direction.DOWN
    assert (second.kind, second.value, second.is_signed) == (Kind.BASIS_POINTS, Decimal("-12.5"), True)
    assert (third.value, third.is_signed) == (Decimal(3), False)
