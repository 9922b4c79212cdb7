"""Budgets of a decision and of a day, and the price table that the ones in money need."""

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.agents.errors import BudgetSpent, PricesInvalid, PriceUnknown
from parley.agents.llm.prices import PriceTable, load_prices
from parley.agents.llm.spending import Bounds, Meter, Spent

TABLE = """day = 2026-11-01
currency = "USD"
[models.small]
prompt = 0.5
completion = "1.5"
"""


def prices(tmp_path: Path, text: str = TABLE) -> PriceTable:
    file = tmp_path / "prices.toml"
    file.write_text(text)
    return load_prices(file)


def test_a_price_is_per_million_tokens_read_and_written(tmp_path: Path):
    # 1,000,000 x 0.5 / 1e6 + 200,000 x 1.5 / 1e6 = 0.5 + 0.3
    assert prices(tmp_path).cost("small", 1_000_000, 200_000) == Decimal("0.8")


def test_an_unknown_price_is_an_error_and_what_runs_here_is_not_billed(tmp_path: Path):
    table = prices(tmp_path)

    with pytest.raises(PriceUnknown, match="no price for model 'large' in the table of 2026-11-01") as caught:
        table.cost("large", 1, 1)
    assert "USD" in caught.value.remedy
    assert table.cost("local:/models/x.gguf", 9_999, 9) == table.cost("rules", 9_999, 9) == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("day = 2026", "day: "),
        (TABLE.replace("USD", "dollars"), "currency: "),
        (TABLE.replace("0.5", "-1"), "models.small.prompt: .*greater than or equal to 0"),
        (TABLE + "extra = 1\n", "models.small.extra: "),
        (TABLE.replace("0.5", "nan"), "models.small.prompt: "),
        ("day = ", "Invalid"),
    ],
)
def test_a_bad_table_is_refused_by_the_place_of_its_fault(tmp_path: Path, text: str, message: str):
    with pytest.raises(PricesInvalid, match=message):
        prices(tmp_path, text)


def test_a_table_that_is_not_there_is_refused(tmp_path: Path):
    with pytest.raises(PricesInvalid, match="No such file"):
        load_prices(tmp_path / "none.toml")


def meter(**bounds: object) -> Meter:
    made = Meter(decision=Bounds(**bounds))  # pyright: ignore[reportArgumentType]  # one bound of any kind
    made.begin_decision()
    return made


def test_no_call_past_the_number_allowed_is_admitted_and_a_new_decision_has_all_of_them():
    counting = meter(calls=2)
    counting.admit("m", 10, 10)
    counting.admit("m", 10, 10)

    with pytest.raises(BudgetSpent, match="this decision is 2 calls"):
        counting.admit("m", 10, 10)
    counting.begin_decision()
    counting.admit("m", 10, 10)


def test_a_call_is_admitted_only_when_its_longest_reply_would_fit():
    counting = meter(tokens=100)

    with pytest.raises(BudgetSpent, match="100 tokens"):
        counting.admit("m", 60, 41)
    counting.admit("m", 60, 40)


def test_what_a_call_did_not_use_is_there_for_the_next():
    counting = meter(tokens=100)
    held = counting.admit("m", 60, 40)
    counting.settle(held, "m", 50, 5, 1.0)

    counting.admit("m", 25, 20)
    with pytest.raises(BudgetSpent):
        counting.admit("m", 1, 0)


def test_seconds_are_spent_once_they_are_used_up():
    counting = meter(seconds=2.0)
    counting.settle(counting.admit("m", 1, 1), "m", 1, 1, 1.9)
    counting.settle(counting.admit("m", 1, 1), "m", 1, 1, 0.1)

    with pytest.raises(BudgetSpent, match=r"2\.0 seconds"):
        counting.admit("m", 1, 1)


def test_money_is_bounded_by_the_table_before_it_is_spent(tmp_path: Path):
    counting = Meter(decision=Bounds(cost=Decimal("0.001")), prices=prices(tmp_path))
    counting.begin_decision()

    with pytest.raises(BudgetSpent, match=r"0\.001 in money"):
        counting.admit("small", 1_000, 400)  # 0.0005 + 0.0006
    counting.admit("small", 1_000, 300)


def test_a_day_counts_what_others_spent_and_ends_at_midnight():
    elsewhere = {"2026-11-22": 2, "2026-11-23": 0}
    days = ["2026-11-22"]
    counting = Meter(day=Bounds(calls=3), today=lambda: days[-1], elsewhere=lambda: Spent(calls=elsewhere[days[-1]]))
    counting.begin_decision()
    counting.admit("m", 1, 1)
    counting.begin_decision()

    with pytest.raises(BudgetSpent, match="the day is 3 calls"):
        counting.admit("m", 1, 1)
    days.append("2026-11-23")
    counting.begin_decision()
    for _ in range(3):
        counting.admit("m", 1, 1)


@settings(max_examples=40, deadline=None)
@given(
    bound=st.integers(0, 500),
    calls=st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60), st.floats(0, 1)), max_size=30),
)
def test_tokens_never_pass_their_bound_however_calls_turn_out(bound: int, calls: list[tuple[int, int, float]]):
    counting, used = meter(tokens=bound), 0

    for asked, most, share in calls:
        try:
            held = counting.admit("m", asked, most)
        except BudgetSpent:
            continue
        said = int(most * share)
        counting.settle(held, "m", asked, said, 0.1)
        used += asked + said

    assert used <= bound
