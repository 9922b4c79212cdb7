"""Reads the polarity of a text by its words and word pairs: TF-IDF features and a logistic head, in numpy alone.

The weights are a linear model's, trained elsewhere. No order of words beyond pairs, no context: what this can do, the
accuracies on its card say. It is no language model, and must not be called one.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from .arrays import FloatArray
from .errors import SampleError, ShapeError

MAX_CHARS = 2000
"""A headline with its summary is shorter; what is longer is read so far."""

FOREIGN = re.compile(r"https?://\S+|\burl\b|@\w+|\brt\b")
NUMBER = re.compile(r"\d+")
WORD = re.compile(r"\b\w\w+\b")


@dataclass(frozen=True)
class TextModel:
    """A trained model. `terms` (n_terms) are words and pairs joined by a blank, `idf` (n_terms,) their weights,
    `coef` (n_terms, n_classes) and `intercept` (n_classes,) the logistic head's; `classes` name its columns."""

    classes: tuple[str, ...]
    terms: tuple[str, ...]
    idf: FloatArray
    coef: FloatArray
    intercept: FloatArray

    def __post_init__(self) -> None:
        shape = (len(self.terms), len(self.classes))
        found = (self.idf.shape, self.coef.shape, self.intercept.shape)
        if found != (shape[:1], shape, shape[1:]):
            raise ShapeError(f"idf, coef and intercept have shapes {found}, expected {shape[:1]}, {shape}, {shape[1:]}")
        if not all(np.isfinite(part).all() for part in (self.idf, self.coef, self.intercept)):
            raise SampleError("a weight of the text model is not a finite number")

    @cached_property
    def places(self) -> Mapping[str, int]:
        """The row of each term."""
        return {term: place for place, term in enumerate(self.terms)}


def normal_text(text: str) -> str:
    """A text as the model reads it: compatibility characters folded, lower case, no addresses, names or amounts.

    Two items that are alike in this form say the same.
    """
    folded = unicodedata.normalize("NFKC", text[:MAX_CHARS]).lower()
    return NUMBER.sub("0", FOREIGN.sub(" ", folded))


def text_terms(text: str) -> list[str]:
    """The words of two letters and more, and the pairs of neighbors."""
    words = WORD.findall(normal_text(text))
    return words + [f"{one} {other}" for one, other in pairwise(words)]


def class_probabilities(model: TextModel, texts: Sequence[str]) -> FloatArray:
    """The probability of each class for each text.

    Parameters
    ----------
    model : trained weights
    texts : n texts of any length and script; one without a known term gets the head's intercept alone

    Returns
    -------
    (n, n_classes) in the order of `model.classes`; rows sum to one

    Each text is worked out by itself: its figures do not depend, to the last bit, on what stands beside it.
    Source: Salton and Buckley (1988), Information Processing & Management 24, tf-idf with (1 + ln tf) and unit length.
    """
    rows = [_logits(model, text) for text in texts]
    logits = np.array(rows, dtype=np.float64).reshape(len(rows), len(model.classes))
    powers = np.exp(logits - logits.max(axis=1, keepdims=True, initial=-np.inf))
    return powers / powers.sum(axis=1, keepdims=True)


def _logits(model: TextModel, text: str) -> FloatArray:
    places = model.places
    counts = Counter(places[term] for term in text_terms(text) if term in places)
    if not counts:
        return model.intercept
    rows = np.fromiter(sorted(counts), dtype=np.int64)
    times = np.array([counts[row] for row in rows.tolist()], dtype=np.float64)
    weights = (1.0 + np.log(times)) * model.idf[rows]
    weights /= np.sqrt((weights * weights).sum())
    return (weights[:, np.newaxis] * model.coef[rows]).sum(axis=0) + model.intercept
