"""The circuit breaker by the numbers: when it opens, and what it takes to close it."""

import pytest
from parley.agents.errors import ModelFailed
from parley.agents.llm.breaker import Breaker


def opened() -> Breaker:
    breaker = Breaker(2, 10.0)
    for now_s in (0.0, 1.0):
        breaker.admit(now_s)
        breaker.failed(now_s)
    return breaker


def test_it_stays_shut_while_failures_are_not_in_a_row():
    breaker = Breaker(2, 10.0)

    for _ in range(5):
        breaker.admit(0.0)
        breaker.failed(0.0)
        breaker.succeeded()

    breaker.admit(0.0)


def test_it_opens_after_failures_in_a_row_and_for_as_long_as_said():
    breaker = opened()

    with pytest.raises(ModelFailed, match="2 failures in a row, left alone for 10 s"):
        breaker.admit(10.9)
    breaker.admit(11.0)


def test_one_trial_is_let_through_at_a_time():
    breaker = opened()
    breaker.admit(11.0)

    with pytest.raises(ModelFailed):
        breaker.admit(11.0)


def test_a_failed_trial_opens_it_again_and_a_good_one_closes_it():
    breaker = opened()
    breaker.admit(11.0)
    breaker.failed(11.0)
    with pytest.raises(ModelFailed, match="3 failures in a row"):
        breaker.admit(20.9)

    breaker.admit(21.0)
    breaker.succeeded()

    breaker.admit(21.0)
    breaker.failed(21.0)
    breaker.admit(21.0)
