"""Lessons as vectors: the closed words of a setup, each at a place of its own, with no model and nothing to download.

Every weight is a multiple of a quarter, so that a likeness is exact in single precision, added up in whichever order:
the same lessons come out in the same order on every machine.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from ..domain.orders import Side
from ..domain.reflections import Level, Oscillator, Outlook, Reading, Reflection, Result, Setup, Trend
from ..domain.views import Regime
from .errors import NothingToSearch

Vectors = npt.NDArray[np.float32]

VERSION = 1
"""Raised when the places or the weights change: an index of another version is made again."""

SETUP_WORDS: Mapping[str, tuple[type[StrEnum], float]] = {
    "regime": (Regime, 2.0),
    "trend": (Trend, 1.0),
    "outlook": (Outlook, 1.0),
    "oscillator": (Oscillator, 1.0),
    "level": (Level, 1.0),
    "sentiment": (Reading, 1.0),
    "flow": (Reading, 0.5),
    "macro": (Reading, 0.5),
}
"""What makes two setups alike, and how much each of it counts."""
DONE_WORDS: Mapping[str, tuple[type[StrEnum], float]] = {"action": (Side, 1.0), "result": (Result, 1.0)}
"""What was done and what came of it: no setup asks for these, a person may."""
SYMBOL, SYMBOL_WEIGHT = "symbol", 1.0
SYMBOL_PLACES, PLACES_EACH = 64, 4
"""A symbol has its own four of these by its hash: enough to find neighbours by. What is weighed is the word itself."""

_TABLES = {**SETUP_WORDS, **DONE_WORDS}
_PLACES = {
    f"{field}:{word.value}": (place, weight)
    for place, (field, word, weight) in enumerate(
        (field, word, weight) for field, (kind, weight) in _TABLES.items() for word in kind
    )
}
WORDS = len(_PLACES)
WIDTH = WORDS + SYMBOL_PLACES
"""Of a vector: a place for each word, then those that symbols share."""


def setup_tokens(symbol: str, setup: Setup) -> tuple[str, ...]:
    """The words of a setup, each with the name of its field."""
    return (*(f"{field}:{getattr(setup, field).value}" for field in SETUP_WORDS), f"{SYMBOL}:{symbol}")


def lesson_tokens(lesson: Reflection) -> tuple[str, ...]:
    done = (f"action:{lesson.action.value}", f"result:{lesson.result.value}")
    return (*setup_tokens(lesson.symbol, lesson.setup), *done)


def asked_tokens(text: str) -> tuple[str, ...]:
    """The words of a person's question that lessons are made of; a word of several fields stands for all of them.

    A word that is none of theirs is taken for a symbol where the text has it in capitals, and else passed over.
    """
    found: list[str] = []
    for word in text.replace(",", " ").split():
        known = [token for token in _PLACES if word.lower() in (token.lower(), token.partition(":")[2].lower())]
        if known:
            found += known
        elif word.lower().startswith(f"{SYMBOL}:") or (word.isupper() and not word.isdigit()):
            found.append(f"{SYMBOL}:{word.rpartition(':')[2].upper()}")
    if not found:
        words = ", ".join(dict.fromkeys(token.partition(":")[2] for token in _PLACES))
        raise NothingToSearch(
            f"{text!r} has no word that a lesson is made of", remedy=f"Use a symbol in capitals, or of these: {words}."
        )
    return tuple(dict.fromkeys(found))


def vectors_of(documents: Iterable[Sequence[str]], *, weighted: bool) -> Vectors:
    """(n_documents, WIDTH) float32: a place is 1 where its word occurs, or the word's weight.

    A question is weighted and a lesson is not, so that their product is the sum of the weights they share.
    """
    rows = list(documents)
    vectors = np.zeros((len(rows), WIDTH), dtype=np.float32)
    for row, tokens in zip(vectors, rows, strict=True):
        for token in tokens:
            for place, weight in _places_of(token):
                row[place] = weight if weighted else 1.0
    return vectors


def likeness(asked: Iterable[str], tokens: Iterable[str]) -> float:
    """The weights of the words that are in both."""
    return sum(_PLACES[token][1] if token in _PLACES else SYMBOL_WEIGHT for token in {*asked} & {*tokens})


@lru_cache(maxsize=4096)
def _places_of(token: str) -> tuple[tuple[int, float], ...]:
    known = _PLACES.get(token)
    if known is not None:
        return (known,)
    digest, places = hashlib.sha256(token.encode()).digest(), dict[int, float]()
    for byte in digest:
        if len(places) < PLACES_EACH:
            places[WORDS + byte % SYMBOL_PLACES] = SYMBOL_WEIGHT / PLACES_EACH
    return tuple(places.items())
