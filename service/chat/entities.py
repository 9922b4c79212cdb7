"""What a question names: symbols, ids, days, times, percentages and numbers, found in its own text and nowhere else."""

import re
import unicodedata
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date

from .lexicon import Lexicon, lexicon, normalized

_ID = re.compile(r"(?<![\w-])((?:par|dec|ord|ntf|evt|o|t)-[0-9A-Za-z]{1,40})(?![\w-])", re.IGNORECASE)
_DAY = re.compile(r"\b(\d{4})-(\d{2})-(\d{2})\b")
_TIME = re.compile(r"\b([01]?\d|2[0-3])[:h]([0-5]\d)\b")
_SPELLED_DAY = re.compile(
    r"\b(?:(\d{1,2})(?:st|nd|rd|th|\.)?\s+(?:de\s+)?([a-z]{3,10})|([a-z]{3,10})\s+(\d{1,2})(?:st|nd|rd|th)?),?\s+"
    r"(?:de\s+)?(\d{4})\b"
)
_PERCENT = re.compile(r"(-?\d+(?:[.,]\d+)?)\s?(?:%|percent|per cent|pct|prozent|pour ?cent|por ciento)", re.IGNORECASE)
_NUMBER = re.compile(r"(?<![\w.,-])(\d{1,3}(?:[,. ]\d{3})+|\d+(?:[.,]\d+)?)(\s?[kKmM])?(?![\w%])")
_CAPITALS = re.compile(r"(?<![\w-])[A-Z][A-Z0-9]{0,5}(?:[.\-][A-Z])?(?![\w-])")
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            ("jan", "ene", "jän"),
            ("feb", "fev"),
            ("mar", "maer", "mrz"),
            ("apr", "abr", "avr"),
            ("may", "mai"),
            ("jun", "juin"),
            ("jul", "juil"),
            ("aug", "ago", "aou"),
            ("sep",),
            ("oct", "okt"),
            ("nov",),
            ("dec", "dez", "dic"),
        ),
        1,
    )
    for name in names
}


@dataclass(frozen=True)
class Named:
    """What was found; `marks` are the stand-ins that rules ask for."""

    symbols: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    day: str = ""
    time: str = ""
    percents: tuple[float, ...] = ()
    """As fractions."""
    numbers: tuple[float, ...] = ()
    limit: str = ""
    constraint: str = ""
    sector: str = ""
    rest: str = ""
    """The normalized text without what was found."""

    @property
    def marks(self) -> frozenset[str]:
        found = {
            "SYM": self.symbols,
            "ORD": self.ids,
            "DAY": self.day or self.time,
            "PCT": self.percents,
            "NUM": self.numbers,
            "LIM": self.limit,
            "SEC": self.sector,
        }
        return frozenset(name for name, value in found.items() if value)


def named_in(text: str, symbols: Collection[str], sectors: Iterable[str] = ()) -> Named:
    """Everything that a question names, of a run that trades these symbols."""
    words, left = lexicon(), unicodedata.normalize("NFKC", text)
    ids = tuple(dict.fromkeys(found.lower() for found in _ID.findall(left)))
    left = _ID.sub(" ", left)
    day, left = _day(left)
    moment = _TIME.search(left)
    left = _TIME.sub(" ", left.replace("1/N", " 1/n ")) if moment else left
    percents = tuple(_figure(found) / 100 for found in _PERCENT.findall(left))
    left = _PERCENT.sub(" ", left)
    found_symbols = _symbols(left, symbols, words)
    numbers = tuple(_number(*found) for found in _NUMBER.findall(left.replace("1/n", " ").replace("1/N", " ")))
    plain = normalized(left)
    spelled = f" {' '.join(words.spelled(token) for token in plain.split())} "
    return Named(
        symbols=found_symbols,
        ids=ids,
        day=day,
        time=f"{int(moment[1]):02d}:{moment[2]}" if moment else "",
        percents=percents,
        numbers=numbers,
        limit=next((name for word, name in words.limits if f" {word} " in spelled), ""),
        constraint=next((name for word, name in words.constraints if f" {word} " in spelled), ""),
        sector=next((item for item in sectors if f" {normalized(item)} " in spelled), ""),
        rest=plain,
    )


def _symbols(text: str, universe: Collection[str], words: Lexicon) -> tuple[str, ...]:
    """Names of the universe first written as such, then by their company; capitals that it lacks come last."""
    capitals = [found for found in _CAPITALS.findall(text) if found not in words.no_symbols]
    found = [item for item in capitals if item in universe]
    tokens = normalized(text).split()
    found += [
        token.upper()
        for token in tokens
        if len(token) > 2 and token.upper() in universe and token not in words.known and token.upper() not in found
    ]
    spelled = f" {' '.join(words.spelled(token) for token in tokens)} "
    for name, listed in words.companies.items():
        if f" {name} " in spelled:
            found += [item for item in listed if item in universe] or list(listed[:1])
    if not text.isupper():
        found += [item for item in capitals if len(item) > 1 and item not in universe]
    return tuple(dict.fromkeys(found))


def _day(text: str) -> tuple[str, str]:
    """The first day that exists, as ISO text, and the text without it."""
    if found := _DAY.search(text):
        with suppress(ValueError):
            day = date(int(found[1]), int(found[2]), int(found[3]))
            return day.isoformat(), text.replace(found[0], " ", 1)
    low = unicodedata.normalize("NFKD", text.casefold())
    low = "".join(char for char in low if not unicodedata.combining(char))
    for found in _SPELLED_DAY.finditer(low):
        number, name = (found[1], found[2]) if found[1] else (found[4], found[3])
        month = next((value for length in (4, 3) if (value := _MONTHS.get(name[:length]))), None)
        if month is not None:
            with suppress(ValueError):
                day = date(int(found[5]), month, int(number))
                return day.isoformat(), low.replace(found[0], " ", 1)
    return "", text


def _figure(text: str) -> float:
    return float(text.replace(",", "."))


def _number(text: str, suffix: str) -> float:
    """`10,000` and `10.000` are ten thousand, `0,9` is nine tenths, `10k` ten thousand."""
    is_grouped = re.fullmatch(r"\d{1,3}(?:[,. ]\d{3})+", text) is not None
    value = float(re.sub(r"[,. ]", "", text)) if is_grouped else _figure(text)
    return value * {"k": 1e3, "m": 1e6}.get(suffix.strip().lower(), 1.0)
