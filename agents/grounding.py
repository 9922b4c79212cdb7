"""Checks every figure of a text against the evidence: unit, sign, displayed precision, direction words and citations.

A sentence is grounded when all it claims is borne out; what is not is withheld (`Grounding.shown`), in a debate after
it went back to its author once. A number in a name (`VaR 99`) is no claim.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from math import isfinite

from pydantic import JsonValue

from ..domain.decisions import Evidence
from .claims import Claim, Direction, Kind, claims_in, plain, strange_digits

WITHHELD = "[withheld: not in the evidence]"
MAX_CHARS = 20_000
MAX_SENTENCE_CHARS = 1_000
"""What is longer is not read: nothing the desk shows is that long."""

_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[^\s\d])|\n+")
_CITED = re.compile(r"\[([A-Za-z]{1,8}-[\w.-]{1,80})\]")
_AMOUNT = r"([-+]?[$€£]?\d[\d,.]{0,40}%?)"
_PAIR = re.compile(_AMOUNT + r"\s+(?:stands |is |was )?(above|below)\s+(?:[A-Za-z_]{1,30}\s+){0,5}" + _AMOUNT)
_TIMES = {"doubled": 2, "twice": 2, "tripled": 3, "halved": 2, "half": 2}
_POWERS = {Kind.PLAIN: (0,), Kind.PERCENT: (2, 0, -2), Kind.BASIS_POINTS: (4, 2, 0)}
"""Powers of ten that may lie between a figure of the ledger and the one said."""
_LOSS = ("drawdown", "loss", "var", "es", "shortfall", "cost", "fee")
"""Where a figure counts money lost, a positive one is a fall."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of the evidence, in the unit of its entry."""

    value: Decimal
    unit: str
    is_loss: bool


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence, how many figures it claims, and what is wrong with it; nothing when it is grounded."""

    text: str
    claims: int
    faults: tuple[str, ...]

    @property
    def is_grounded(self) -> bool:
        return not self.faults


@dataclass(frozen=True)
class Grounding:
    """The sentences of one text, in order."""

    sentences: tuple[Sentence, ...]

    @property
    def faults(self) -> tuple[str, ...]:
        return tuple(fault for sentence in self.sentences for fault in sentence.faults)

    @property
    def is_grounded(self) -> bool:
        return not self.faults

    @property
    def shown(self) -> str:
        """The text with every ungrounded sentence withheld."""
        kept = (item.text if item.is_grounded else WITHHELD for item in self.sentences)
        return " ".join(dict.fromkeys(kept)) if self.faults else " ".join(item.text for item in self.sentences)


class Figures:
    """All numbers, dates and ids of some evidence entries; `extra` are figures known besides, such as a confidence."""

    def __init__(self, evidence: Iterable[Evidence], extra: Mapping[str, JsonValue] | None = None) -> None:
        self._entries = {entry.id: entry for entry in evidence}
        self._extra = dict(extra or {})

    def has(self, entry_id: str) -> bool:
        return entry_id in self._entries

    def near(self, claim: Claim, ids: Sequence[str]) -> tuple[Figure, ...]:
        """The figures that read as the claim does, of the entries named; of all when none is named."""
        if ids:
            cited = (figure for entry_id in ids for figure in self._of_entry(self._entries[entry_id]))
            return tuple(figure for figure in cited if _is_shown_by(claim, figure))
        found: dict[Figure, None] = {}
        for power in _POWERS[claim.kind]:
            size, half = float(abs(claim.value).scaleb(-power)), float(claim.step.scaleb(-power))
            low = bisect_left(self._sizes, size - half)
            high = bisect_right(self._sizes, size + half)
            found.update(dict.fromkeys(item for item in self._all[low:high] if _is_shown_by(claim, item)))
        return tuple(found)

    @cached_property
    def _all(self) -> list[Figure]:
        entries = [figure for entry in self._entries.values() for figure in self._of_entry(entry)]
        return sorted((*entries, *_numbers(self._extra, "as named", "")), key=lambda figure: abs(figure.value))

    @cached_property
    def _sizes(self) -> list[float]:
        return [abs(float(figure.value)) for figure in self._all]

    @cached_property
    def days(self) -> frozenset[date]:
        texts = (text for entry in self._entries.values() for text in _texts(entry.output))
        stated = {day for text in (*texts, *_texts(self._extra)) if (day := _day(text)) is not None}
        return frozenset(stated | {entry.as_of.date() for entry in self._entries.values()})

    @staticmethod
    def _of_entry(entry: Evidence) -> Iterator[Figure]:
        return _numbers(entry.output, entry.unit.lower(), entry.tool)


def ground(text: str, figures: Figures) -> Grounding:
    """Every sentence of a text, with the reasons for which it is not borne out by the figures."""
    if len(text) > MAX_CHARS:
        long = Sentence(text[:80] + "…", 0, (f"a text of {len(text)} characters; {MAX_CHARS} are read",))
        return Grounding((long,))
    sentences = (part.strip() for part in _SENTENCE.split(plain(text)) if part.strip())
    return Grounding(tuple(_grounded(sentence, figures) for sentence in sentences))


def _grounded(sentence: str, figures: Figures) -> Sentence:
    if len(sentence) > MAX_SENTENCE_CHARS:
        fault = f"a sentence of {len(sentence)} characters; {MAX_SENTENCE_CHARS} are read"
        return Sentence(sentence[:80] + "…", 0, (fault,))
    claims, faults = claims_in(sentence), list[str]()
    if strange := strange_digits(sentence):
        faults.append(f"the digit {strange!r} is none of 0 to 9")
    cited = _CITED.findall(sentence)
    faults += [f"[{name}] is no evidence of this decision" for name in cited if not figures.has(name)]
    known = [name for name in cited if figures.has(name)]
    faults += [fault for claim in claims if (fault := _fault(claim, figures, known))]
    faults += _order_faults(sentence)
    faults += _times_faults(sentence, claims)
    return Sentence(sentence, len(claims), tuple(faults))


def _fault(claim: Claim, figures: Figures, cited: Sequence[str]) -> str:
    """Why the figures do not bear this claim out; empty when one of them does."""
    if claim.kind is Kind.DATE:
        return "" if claim.day in figures.days else f"the date {claim.text} is not in the evidence"
    if claim.kind is Kind.YEAR:
        is_known = any(day.year == claim.value for day in figures.days)
        return "" if is_known else f"the year {claim.text} is not in the evidence"
    if not claim.value.is_finite():
        return f"{claim.text[:20]}… is no figure"
    near = figures.near(claim, cited)
    if not near:
        return f"{claim.text} is not in the evidence"
    if claim.is_signed and not any((figure.value < 0) == (claim.value < 0) for figure in near if figure.value):
        return f"{claim.text} has the wrong sign" if any(figure.value for figure in near) else ""
    if not claim.is_signed and not any(_agrees(claim.direction, figure) for figure in near):
        return f"{claim.text} is said to be {claim.direction.value}, and the evidence says otherwise"
    return ""


def _is_shown_by(claim: Claim, figure: Figure) -> bool:
    """Whether the figure, in the unit claimed and at the precision displayed, reads as the claim does."""
    size = abs(claim.value)
    return any(abs(abs(figure.value).scaleb(power) - size) * 2 <= claim.step for power in _powers(claim.kind, figure))


def _powers(kind: Kind, figure: Figure) -> tuple[int, ...]:
    """Powers of ten from the ledger's unit to the one said. A unit that names several is open to each of them."""
    unit = figure.unit
    is_open = "named" in unit or " and " in unit or "," in unit
    if kind is Kind.PLAIN:
        return (0,)
    to_said = 2 if kind is Kind.PERCENT else 4
    if is_open:
        return (to_said, 0)
    if unit.startswith("bp"):
        return (to_said - 4,)
    return (to_said - 2,) if "percent" in unit or unit == "%" else (to_said,)


def _agrees(direction: Direction, figure: Figure) -> bool:
    if direction is Direction.UNSAID or figure.value == 0:
        return True
    is_fall = figure.value > 0 if figure.is_loss else figure.value < 0
    if direction is Direction.DOWN and not is_fall:
        return False
    return not (direction is Direction.UP and is_fall and not figure.is_loss)


def _order_faults(sentence: str) -> list[str]:
    """`112 above 104` is held to be true of its own two numbers."""
    faults = list[str]()
    for left, word, right in _PAIR.findall(sentence):
        first, second = (Decimal(re.sub(r"[$€£,%]", "", side).rstrip(".,")) for side in (left, right))
        if (first > second) != (word == "above"):
            faults.append(f"{left} is not {word} {right}")
    return faults


def _times_faults(sentence: str, claims: Sequence[Claim]) -> list[str]:
    """`doubled` needs its two numbers beside it, one of them twice the other at the precision shown."""
    numbers = [claim for claim in claims if claim.kind not in (Kind.DATE, Kind.YEAR) and claim.value.is_finite()]
    said = [word for word in _TIMES if re.search(rf"\b{word}\b", sentence, re.IGNORECASE)]
    return [
        f"nothing beside it shows what {word} means"
        for word in said
        if not any(_is_multiple(one, other, _TIMES[word]) for one in numbers for other in numbers)
    ]


def _is_multiple(one: Claim, other: Claim, times: int) -> bool:
    gap = abs(abs(one.value) - times * abs(other.value))
    return one is not other and one.kind is other.kind and gap * 2 <= one.step + times * other.step


def _numbers(value: JsonValue, unit: str, key: str) -> Iterator[Figure]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _numbers(inner, unit, f"{key} {name}")
    elif isinstance(value, list):
        for inner in value:
            yield from _numbers(inner, unit, key)
    elif isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value):
        is_loss = any(word in _LOSS for word in re.split(r"[\W_]+", key.lower()))
        yield Figure(Decimal(repr(value)), unit, is_loss)


def _texts(value: JsonValue | Mapping[str, JsonValue]) -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield name
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
    elif isinstance(value, str):
        yield value


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None
