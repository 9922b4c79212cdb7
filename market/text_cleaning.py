"""Makes a stranger's text fit to be kept: bounded, without control and direction marks, each fault noted."""

import re
import unicodedata
from collections.abc import Collection

MAX_HEADLINE_CHARS = 500
MAX_BODY_CHARS = 4_000
WORKED_ON = 4
"""Of a text that is far too long, so many times the bound are looked at; what follows is never read."""

LOOK_ALIKES = str.maketrans(
    "АВЕЗКМНОРСТУХІЅЈԌԚԜаеорсухіѕјԁԛԝΑΒΕΖΗΙΚΜΝΟΡΤΥΧοⅼ",
    "ABE3KMHOPCTYXISJGQWaeopcyxisjdqwABEZHIKMNOPTYXol",
)
"""Cyrillic and Greek letters that look like Latin ones: the ones a ticker can be written with."""

SYMBOL = re.compile(r"[A-Z0-9][A-Z0-9.\-^=/]{0,23}")
MARKS = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def clean_text(text: str, max_chars: int) -> tuple[str, tuple[str, ...]]:
    """The text on one line with what cannot be seen taken out, and the codes of what was found in it.

    `control` are control characters, `hidden` are invisible and direction marks, `too_long` is more than the bound.
    """
    looked_at = text[: WORKED_ON * max_chars]
    if looked_at.isascii() and looked_at.isprintable() and len(looked_at) == len(text) <= max_chars:
        return " ".join(text.split()), ()
    kinds = {unicodedata.category(char) for char in set(looked_at) if char not in "\t\n\r"} & MARKS
    found = {"control" if kind == "Cc" else "hidden" for kind in kinds}
    kept = "".join(_kept(char) for char in looked_at) if kinds else looked_at
    line = " ".join(kept.split())
    if len(text) > len(looked_at) or len(line) > max_chars:
        found.add("too_long")
    return line[:max_chars], tuple(sorted(found))


def symbol_fault(symbol: str, known: Collection[str]) -> str | None:
    """Why a symbol can't be one: `look_alike` of a known one, or no symbol at all; None for a plain one."""
    if SYMBOL.fullmatch(symbol):
        return None
    shown = "".join(char for char in symbol if unicodedata.category(char) not in MARKS)
    plain = unicodedata.normalize("NFKC", shown.translate(LOOK_ALIKES))
    return "look_alike" if plain in known or (not known and SYMBOL.fullmatch(plain)) else "bad_symbol"


def _kept(char: str) -> str:
    kind = unicodedata.category(char)
    if kind not in MARKS:
        return char
    # A mark that nobody sees is taken out without a gap: it may stand in the middle of a word.
    return " " if kind in ("Cc", "Zl", "Zp") else ""
