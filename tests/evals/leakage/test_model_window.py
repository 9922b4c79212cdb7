"""Days that a model may remember are marked: by the maker's stated end of its training data, or as not to be known."""

from datetime import date

import pytest
from parley.evals.leakage.model_window import model_window, trained_until


# OpenAI's models page states October 2023 as gpt-4o's knowledge cut-off.
@pytest.mark.parametrize(
    ("first", "last", "begins"),
    [
        (date(1990, 1, 2), date(2022, 12, 28), "IN the training window"),
        (date(2022, 1, 3), date(2024, 1, 3), "PARTLY IN"),
        (date(2025, 1, 2), date(2025, 3, 14), "out of the training window"),
    ],
)
def test_days_are_held_against_the_stated_end_of_training(first: date, last: date, begins: str) -> None:
    assert model_window("gpt-4o-2024-08-06", first, last).startswith(begins)


def test_what_is_not_in_the_table_cannot_be_known_and_code_remembers_nothing() -> None:
    assert "cannot be known" in model_window("qwen1.5b", date(2020, 1, 1), date(2021, 1, 1))
    assert "trained on nothing" in model_window("rules", date(2020, 1, 1), date(2021, 1, 1))


def test_the_longest_name_counts_and_a_folder_before_it_does_not() -> None:
    found = trained_until("openai/gpt-4.1-mini")

    assert found is not None
    assert found.until == date(2024, 6, 30)
