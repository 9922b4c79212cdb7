"""The attack set as data: wide enough, and naming only what there is."""

from collections import Counter

import pytest
from parley.evals.attacks.cases import _read, all_cases, some_cases
from parley.evals.attacks.doors import LOADERS
from parley.evals.attacks.tampering import TAMPERINGS
from parley.evals.attacks.worst import GOALS
from parley.evals.errors import AttackSetInvalid

LEAST_CASES, LEAST_CLASSES, LEAST_IN_A_CLASS = 150, 16, 10


def test_the_set_is_wide() -> None:
    kinds = Counter(case.kind for case in all_cases())

    assert sum(kinds.values()) >= LEAST_CASES
    assert len(kinds) >= LEAST_CLASSES
    assert min(kinds.values()) >= LEAST_IN_A_CLASS
    assert len({case.channel for case in all_cases()}) == 7


def test_every_case_names_a_goal_a_file_and_a_tampering_that_exist() -> None:
    files = {"settings": set(LOADERS), "log": set(TAMPERINGS), "data": {"texts"}}

    assert {case.goal for case in all_cases()} <= set(GOALS)
    assert all(case.file in files[case.channel] for case in all_cases() if case.channel in files)
    assert all(case.texts for case in all_cases() if case.channel == "headline")
    assert all(case.content for case in all_cases() if case.channel in ("operator", "settings"))


def test_every_goal_and_every_tampering_is_used() -> None:
    replies = {
        case.goal for case in all_cases() if case.reply is None and case.channel in ("headline", "reply", "recorded")
    }

    assert replies == set(GOALS)
    assert {case.file for case in all_cases() if case.channel == "log"} == set(TAMPERINGS)


def test_some_cases_are_spread_over_the_classes() -> None:
    few = some_cases(64)

    assert len(few) == 64
    assert len({case.kind for case in few}) == LEAST_CLASSES
    assert some_cases(None) == some_cases(10_000) == all_cases()


@pytest.mark.parametrize(
    "text", ["", "[[case]]\nid = 1", "[[case", '[[case]]\nid = "a"\nchannel = "mail"\nwants = "x"']
)
def test_a_file_that_is_no_set_of_attacks_is_refused(text: str) -> None:
    with pytest.raises(AttackSetInvalid) as refused:
        _read("mine", text)

    assert "mine.toml" in refused.value.message
    assert refused.value.remedy
