"""Which words mean what: concepts by their words in several languages, with an ear for misspelled ones."""

import re
import tomllib
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

WORDS_PATH = Path(__file__).with_name("words.toml")
MIN_FUZZY_CHARS = 4
LONG_CHARS = 8
"""From here on two slips of the pen are forgiven, below it one."""
_TOKEN = re.compile(r"[^\W_]+(?:[&/'.\-][^\W_]+)*")
_SPELLED = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "œ": "oe", "’": "'", "`": "'"})


@dataclass(frozen=True)
class Lexicon:
    """The words file, turned round: from words to what they mean."""

    words: Mapping[str, frozenset[str]]
    phrases: tuple[tuple[str, str], ...]
    """A phrase of several words and its concept, the longest first."""
    known: frozenset[str]
    companies: Mapping[str, tuple[str, ...]]
    """Symbols by what people call the company."""
    no_symbols: frozenset[str]
    limits: tuple[tuple[str, str], ...]
    constraints: tuple[tuple[str, str], ...]

    def spelled(self, token: str) -> str:
        """The known word that was most likely meant; the token itself when none is near."""
        if token in self.known or len(token) < MIN_FUZZY_CHARS or not token.isalpha():
            return token
        return _nearest(token, self.known)

    def concepts(self, text: str) -> frozenset[str]:
        """What a normalized text is about."""
        tokens = [self.spelled(token) for token in text.split()]
        joined = f" {' '.join(tokens)} "
        found = {concept for phrase, concept in self.phrases if f" {phrase} " in joined}
        for token in tokens:
            found |= self.words.get(token, frozenset())
        return frozenset(found)

    def nearly(self, text: str, concepts: Collection[str], *, among_known: bool = False) -> frozenset[str]:
        """Which of these concepts a normalized text has but for one slip of the pen. A word that is known stands for
        itself, unless `among_known`; two or more in a row may be a phrase with a slip whatever they mean alone."""
        tokens = tuple(text.split())
        found = set[str]()
        for token in tokens:
            if among_known or token not in self.known:
                found |= {concept for concept in _slipped(token) if concept in concepts}
        for phrase, concept in self.phrases:
            if concept in concepts and concept not in found:
                size = phrase.count(" ") + 1
                windows = (" ".join(tokens[at : at + size]) for at in range(len(tokens) - size + 1))
                if any(is_slip(window, phrase) for window in windows):
                    found.add(concept)
        return frozenset(found)


def normalized(text: str) -> str:
    """Lower case, without accents and punctuation, words by single spaces; `l'ordre` is two words."""
    low = unicodedata.normalize("NFKC", text).casefold().translate(_SPELLED)
    plain = "".join(char for char in unicodedata.normalize("NFKD", low) if not unicodedata.combining(char))
    plain = re.sub(r"\b([ldjnmstc]|qu)'", r"\1 ", plain).replace("'s ", " ").replace("'", " ")
    return " ".join(_TOKEN.findall(plain))


@cache
def lexicon() -> Lexicon:
    """The shipped words."""
    with WORDS_PATH.open("rb") as file:
        return _turned(tomllib.load(file))


def _turned(data: Mapping[str, Any]) -> Lexicon:
    words, phrases = dict[str, set[str]](), list[tuple[str, str]]()
    for concept, listed in data["concepts"].items():
        for item in map(normalized, listed):
            if " " in item:
                phrases.append((item, concept))
            else:
                words.setdefault(item, set()).add(concept)
    companies = dict[str, list[str]]()
    for symbol, names in data["companies"].items():
        for name in names:
            companies.setdefault(normalized(name), []).append(symbol)
    known = {*words, *data["plain"]["words"], *(part for phrase, _ in phrases for part in phrase.split())}
    known |= {part for name in companies for part in name.split()}
    return Lexicon(
        words={word: frozenset(found) for word, found in words.items()},
        phrases=tuple(sorted(phrases, key=lambda item: -len(item[0]))),
        known=frozenset(known),
        companies={name: tuple(symbols) for name, symbols in companies.items()},
        no_symbols=frozenset(data["no_symbols"]["words"]),
        limits=_named(data["limits"]),
        constraints=_named(data["constraints"]),
    )


def _named(table: Mapping[str, list[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((normalized(word), name) for name, listed in table.items() for word in listed)


@lru_cache(maxsize=4096)
def _slipped(token: str) -> frozenset[str]:
    """What is meant by the words that are one slip of the pen away."""
    near = [found for word, found in lexicon().words.items() if len(word) >= MIN_FUZZY_CHARS and is_slip(token, word)]
    return frozenset[str]().union(*near)


def is_slip(one: str, other: str) -> bool:
    """Whether one letter was added, left out or changed, or two neighbors were swapped, or nothing at all."""
    if abs(len(one) - len(other)) > 1:
        return False
    begin, most = 0, min(len(one), len(other))
    while begin < most and one[begin] == other[begin]:
        begin += 1
    end = 0
    while end < most - begin and one[-1 - end] == other[-1 - end]:
        end += 1
    left, right = one[begin : len(one) - end], other[begin : len(other) - end]
    return (len(left) <= 1 and len(right) <= 1) or (len(left) == len(right) == 2 and left == right[::-1])


@lru_cache(maxsize=4096)
def _nearest(token: str, known: frozenset[str]) -> str:
    """One slip is looked for first, which is quick; two only in a long word."""
    size, words = len(token), _by_length(known)
    near = (word for length in (size - 1, size, size + 1) for word in words.get(length, ()) if is_slip(token, word))
    found = min(near, default=None)
    if found is None and size >= LONG_CHARS:
        far = (word for length in range(size - 2, size + 3) for word in words.get(length, ()))
        found = min((word for word in far if edit_distance(token, word, 2) <= 2), default=None)
    return token if found is None else found


@lru_cache(maxsize=4)
def _by_length(known: frozenset[str]) -> Mapping[int, tuple[str, ...]]:
    found = dict[int, list[str]]()
    for word in known:
        if len(word) >= MIN_FUZZY_CHARS and word.isalpha():
            found.setdefault(len(word), []).append(word)
    return {length: tuple(words) for length, words in found.items()}


def edit_distance(one: str, other: str, most: int) -> int:
    """Letters added, left out, changed, or swapped with their neighbor; `most + 1` as soon as it is more."""
    before, row = list[int](), list(range(len(other) + 1))
    for i, char in enumerate(one, 1):
        now = [i]
        for j, wanted in enumerate(other, 1):
            cost = min(row[j] + 1, now[j - 1] + 1, row[j - 1] + (char != wanted))
            if i > 1 and j > 1 and char == other[j - 2] and one[i - 2] == wanted:
                cost = min(cost, before[j - 2] + 1)
            now.append(cost)
        if min(now) > most:
            return most + 1
        before, row = row, now
    return row[-1]
