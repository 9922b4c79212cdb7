"""A command that is refused stays so with a slip of the pen in it, or is asked back; it is never something else."""

import tomllib
from collections.abc import Iterator

import pytest
from parley.service.chat.grammar import grammar
from parley.service.chat.lexicon import edit_distance, is_slip
from parley.service.chat_suite import QUESTIONS_PATH

from .test_grammar import SECTORS, SYMBOLS, filled

ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
BESIDE = {char: beside for row in ROWS for char, beside in zip(row, row[1:] + row[-2], strict=True)}


def _refused() -> list[str]:
    """Every wording of the suite that is refused, and the plainest ones."""
    suite = tomllib.loads(QUESTIONS_PATH.read_text(encoding="utf-8"))["about"]
    known = [filled(text) for about in suite for text in (*about["also"], about.get("public", ""))]
    known += ["Turn off the veto.", "raise the VaR limit to 5%", "Buy 100 XOM", "delete the log"]
    found = [(text, grammar().understand(text, SYMBOLS, SECTORS).best) for text in dict.fromkeys(known)]
    return [text for text, best in found if best is not None and best.sort == "refuse"]


def _slips(text: str) -> Iterator[str]:
    """A letter left out, doubled, changed for its neighbor on the keyboard, or swapped with the next."""
    for at, char in enumerate(text):
        if char.isalpha():
            yield text[:at] + text[at + 1 :]
            yield text[:at] + char + text[at:]
            yield text[:at] + BESIDE.get(char.lower(), "x") + text[at + 1 :]
            if text[at + 1 : at + 2].isalpha():
                yield text[:at] + text[at + 1] + char + text[at + 2 :]


@pytest.mark.parametrize("text", _refused())
def test_a_refused_command_with_one_slip_is_refused_or_asked_back(text: str) -> None:
    for slip in dict.fromkeys(_slips(text)):
        best = grammar().understand(slip, SYMBOLS, SECTORS).best
        assert best is None or best.sort == "refuse", (slip, best)


def test_there_are_many_refused_commands() -> None:
    assert len(_refused()) >= 25


@pytest.mark.parametrize(
    ("text", "rule"), [("Turn of the veto", "control"), ("turn ofg the gate", "control"), ("hid that trade", "tamper")]
)
def test_the_command_is_heard_through_its_slip(text: str, rule: str) -> None:
    best = grammar().understand(text, SYMBOLS, SECTORS).best

    assert best is not None and (best.sort, best.name) == ("refuse", rule)


@pytest.mark.parametrize("text", ["Which side was the last trade?", "did the limits ease?", "forget it, list trades"])
def test_a_word_that_only_looks_like_one_of_a_refused_command_is_none(text: str) -> None:
    best = grammar().understand(text, SYMBOLS, SECTORS).best

    assert best is None or best.sort == "ask"


@pytest.mark.parametrize(
    ("one", "other"), [("off", "of"), ("turn off", "turn of"), ("abc", "acb"), ("abc", "abd"), ("a", ""), ("ab", "ab")]
)
def test_a_slip_is_one_letter_or_two_swapped(one: str, other: str) -> None:
    assert is_slip(one, other) and is_slip(other, one)
    assert edit_distance(one, other, 1) <= 1
    assert not is_slip(f"{one}xy", other)
