"""Finds what a sentence claims in figures: numbers with their unit, sign and displayed precision, and dates."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

MAX_DIGITS = 40
"""A longer run of digits is no figure of a desk."""


class Kind(StrEnum):
    """What the number is said to be in."""

    PLAIN = "plain"
    PERCENT = "percent"
    BASIS_POINTS = "basis points"
    DATE = "date"
    YEAR = "year"


class Direction(StrEnum):
    """What the words around a number say of its sign."""

    UP = "up"
    DOWN = "down"
    UNSAID = "unsaid"


@dataclass(frozen=True, slots=True)
class Claim:
    """One figure of a sentence: `value` in the unit said, true to half of `step`; a date has no value."""

    text: str
    kind: Kind
    value: Decimal = Decimal(0)
    step: Decimal = Decimal(1)
    is_signed: bool = False
    direction: Direction = Direction.UNSAID
    day: date | None = None


_NAME = re.compile(
    r"\[[^\[\]]{0,200}\]"  # a citation
    r"|(?<![\w.])[A-Za-z_][\w.&]{0,40}-[\w.-]{0,80}\d[\w.-]{0,80}"  # ev-scores-1a2b
    r"|(?<![\w.])(?:VaR|ES|RSI|SMA|EMA|ATR|ADX|MACD|S&P|Dow|Nasdaq|Russell|FTSE|DAX|Stoxx|Level|Tier|Rule)"
    r"\s\d+(?:\.\d+)?(?![\d.,]*\s*(?:%|percent|bp))"
    r"|(?<![\w.])[A-Za-z_]\w{0,80}\d\w{0,80}",  # us20, T2, sma50
)
"""Digits inside a name are no claim: `VaR 99`, `RSI 14`, `us20`, an id, a citation."""

_DATE = re.compile(r"(?<![\w.,-])(\d{4})-(\d{2})-(\d{2})(?:[T ]\d{2}:\d{2}(?::\d{2})?(?:Z|[+-]\d{2}:\d{2})?)?(?![\w-])")
_YEAR = re.compile(r"(?<=\b(?:in|of) )((?:19|20)\d{2})(?![\w.,]*\d|\s*(?:%|percent|bp|shares))")
_NUMBER = re.compile(
    r"(?P<sign>[-+])?[$€£]?(?P<digits>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)"
    r"(?:[eE](?P<exponent>[-+]?\d{1,3}))?"
    r"\s?(?P<unit>%|percent|per cent|basis points?|bps?\b|bn\b|billion|mn\b|m\b|million|k\b|thousand)?"
)
_MULTIPLES = {"k": 3, "thousand": 3, "m": 6, "mn": 6, "million": 6, "bn": 9, "billion": 9}
_UP = frozenset({"rose", "rise", "rises", "gained", "gain", "gains", "up", "higher", "increased", "climbed", "grew"})
_DOWN = frozenset(
    {"fell", "fall", "falls", "lost", "lose", "loses", "down", "lower", "decreased", "dropped", "declined"}
)
_WORDS_NEAR = 3
"""A direction word counts for the number that follows it within so many words, or stands right behind it."""


def plain(text: str) -> str:
    """One way to write a minus sign and a space; every other character is kept."""
    spaced = re.sub(r"[\u00a0\u2007\u2009\u202f]", " ", text)
    # A dash between two digits is a range, as in 3–5; anywhere else before a digit it is a minus.
    ranged = re.sub(r"(?<=\d)[\u2012\u2013\u2014](?=\d)", " to ", spaced)
    return re.sub(r"[\u2212\u2012\u2013\u2014\ufe63\uff0d](?=[$€£]?[.\d])", "-", ranged)


def strange_digits(text: str) -> str:
    """The first character that is read as a number and is not one of 0 to 9; empty when there is none."""
    return next((char for char in text if not char.isascii() and unicodedata.numeric(char, None) is not None), "")


def claims_in(sentence: str) -> tuple[Claim, ...]:
    """Every figure a sentence states, in its order. Numbers inside names and ids are none."""
    text = _blanked(_NAME, plain(sentence))
    found: list[tuple[int, Claim]] = []
    for match in _DATE.finditer(text):
        found.append((match.start(), _date_claim(match)))
    text = _blanked(_DATE, text)
    for match in _YEAR.finditer(text):
        found.append((match.start(), Claim(match.group(), Kind.YEAR, Decimal(match.group()))))
    text = _blanked(_YEAR, text)
    for match in _NUMBER.finditer(text):
        found.append((match.start(), _number_claim(match, text)))
    return tuple(claim for _, claim in sorted(found, key=lambda item: item[0]))


def _blanked(pattern: re.Pattern[str], text: str) -> str:
    return pattern.sub(lambda match: " " * len(match.group()), text)


def _date_claim(match: re.Match[str]) -> Claim:
    year, month, day = (int(part) for part in match.groups())
    try:
        return Claim(match.group(), Kind.DATE, day=date(year, month, day))
    except ValueError:
        return Claim(match.group(), Kind.DATE)


def _number_claim(match: re.Match[str], text: str) -> Claim:
    digits, unit = match["digits"].replace(",", ""), (match["unit"] or "").lower()
    if len(digits) > MAX_DIGITS:
        return Claim(match.group(), Kind.PLAIN, Decimal("NaN"))
    value, power = Decimal(digits), int(match["exponent"] or 0) + _MULTIPLES.get(unit, 0)
    step = Decimal(1).scaleb(-len(digits.partition(".")[2]) + power)
    # `5-3` is a range or a subtraction, `x -3` a sign.
    is_signed = bool(match["sign"]) and not text[: match.start()][-1:].isalnum()
    value = value.scaleb(power) * (-1 if is_signed and match["sign"] == "-" else 1)
    return Claim(match.group().strip(), _kind(unit), value, step, is_signed, _direction(text, match))


def _kind(unit: str) -> Kind:
    if unit.startswith("per") or unit == "%":
        return Kind.PERCENT
    return Kind.BASIS_POINTS if unit.startswith("b") and unit not in _MULTIPLES else Kind.PLAIN


def _direction(text: str, match: re.Match[str]) -> Direction:
    """From the nearest word of direction before the number, or the word right behind it."""
    before = re.findall(r"[A-Za-z]+|[.;,]", text[: match.start()])[-_WORDS_NEAR:]
    after = re.findall(r"[A-Za-z]+|\S", text[match.end() :])[:1]
    for word in (*reversed(before), *after):
        if word in ".;,":
            break
        if word.lower() in _UP:
            return Direction.UP
        if word.lower() in _DOWN:
            return Direction.DOWN
    return Direction.UNSAID
