"""Says by plain rules what is suspicious in an outside text or in a model's reply: for the record, never for safety.

What holds when these rules see nothing is the closed schemas, the caps on what words may move, and the gate.
"""

import base64
import binascii
import codecs
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache

from ..domain.canonical import content_hash
from ..domain.decisions import ModelCall, Suspicion
from ..domain.market import TextItem
from .llm.rules import FALLBACK_MODEL, RulesModel
from .quarantine import REMOVED, defused

MAX_CHARS = 20_000
"""Of a longer text, so much is looked at; that it is longer is a reason by itself."""
LONG_CHARS = 1_000
FLOOD_ITEMS, FLOOD_ITEMS_OF_ALL = 40, 50
"""So many texts about one name in one window, of one source or of all, are a campaign, or a broken feed."""
MANY_ENTRIES, NEAR_CERTAIN = 3, 98
"""A reply of at least so many entries, each at least so sure, was not thought about."""

_MACHINE = re.compile(
    r"\b(?:prompt|schema|json|tool[ _]call|function call|language model|assistant|trading desk|desk model|"
    r"(?:risk|portfolio|market|execution)[ _](?:agent|manager|optimizer|analyst)\b.{0,40}\b(?:you|to|instruct|offline)|"
    r"(?:the|risk) gate|gate record|verdict|veto(?:es)?|vote (?:for|against)|(?:maximum|set|full) confidence|"
    r"confidence\W{0,3}(?:is|of|to)?\W{0,3}-?(?:\d+|nan|max\w*)|polarity|"
    r"(?:rate|mark) (?:symbols?|all|every\w*|the)|max_\w+|limits?_\w+|limits are (?:lifted|off)|"
    r"instructions?|anweisung\w*|instruc\w+es|instrucciones|istruzioni|ignor(?:iere|ez|[ae] todas)|kill switch|"
    r"operator order|override|developer mode|in memory|lesson learned|remember for|your (?:earlier|own) notes|"
    r"(?:position|maximum|full) size|(?:approve|skip|bypass) (?:the|all)\b|approved? (?:the )?(?:order|plan|leg)s?)\b",
    re.IGNORECASE,
)
_ORDER = re.compile(
    r"\b(?:buy|sell|short|dump|liquidate|load up|go all[- ]in|all[- ]in)\b[^.]{0,30}"
    r"\b(?:all|every|everything|max(?:imum)?|100 ?%|now|immediately|shares?|whole)\b"
    r"|\b(?:raise|lift|remove|disable|suspend|double)\b[^.]{0,30}\b(?:limits?|caps?|gate|veto|checks?|breakers?)\b",
    re.IGNORECASE,
)
_FENCE = re.compile(
    r"`{3}|~{3}|-{3,}\s*(?:end|begin)|</?\w+>|\]\s*\}|\"\s*\}|\{\s*\"|\"\s*:\s*[\"\[{]|\bEOF\b|={4,}", re.IGNORECASE
)
_ROLE = re.compile(r"(?:^|[\s>\[(#*|])(?:system|assistant|developer|user|admin|root|operator|human)\b\s*[:\]>|]", re.I)
_TOKEN = re.compile(r"<\|[^|<>]{1,40}\|>|\[/?INST\]|<</?SYS>>|^#{1,6} ", re.IGNORECASE | re.MULTILINE)
_MARKUP = re.compile(
    r"<[a-z!/][^<>]{0,200}>?|!?\[[^\]]{0,80}\]\([^)]{1,200}\)|\bon\w{3,20}=[\"']|\{\{|\{%|\$\{|javascript:|data:text|\x1b\[|\\x1b|&#\w+;|&(?:lt|gt|quot);",
    re.I,
)
_FORMULA = re.compile(r"^\s*[=+@\-|](?:[A-Z]{2,}\(|cmd|\d|@)", re.IGNORECASE)
_NUMBER = re.compile(r"\b(?:NaN|Infinity|-?inf)\b|\b\d(?:\.\d+)?[eE]\+?\d{2,}\b|\b[1-9]\d{3,} ?%")
_PART = re.compile(
    r"\b(?:part|step|piece|teil)\s*\d\b|[(\[]\s*\d\s*(?:/|of)\s*\d\s*[)\]]|\bcontinued\b:?|\bcont'd\b", re.I
)
_BASE64, _HEX = re.compile(r"[A-Za-z0-9+/]{16,}={0,2}"), re.compile(r"(?:[0-9a-f]{2}[ :]?){12,}", re.IGNORECASE)
_ESCAPED = re.compile(r"(?:%[0-9a-f]{2}.?){4,}|(?:\\u[0-9a-f]{4}){3,}|(?:\\x[0-9a-f]{2}){3,}", re.IGNORECASE)
_SPACED = re.compile(r"(?:\b\w[ .\-_*]){6,}|(?:[.\-]{1,5} ){3,}")
_LEET = str.maketrans("013457@$", "oieastas")
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def suspicious_texts(items: Sequence[TextItem]) -> tuple[Suspicion, ...]:
    """What is suspicious in the texts of a decision, in their order."""
    crowds, names = Counter((item.source, item.symbol) for item in items), Counter(item.symbol for item in items)
    times = Counter(item.id for item in items)
    found: list[Suspicion] = []
    for item in items:
        text = f"{item.headline}\n{item.body}" if item.body else item.headline
        reasons = set(reasons_in(text)) | set(_in_names(item.id, item.source))
        if crowds[item.source, item.symbol] >= FLOOD_ITEMS or names[item.symbol] >= FLOOD_ITEMS_OF_ALL:
            reasons.add("flood")
        if times[item.id] > 1:
            reasons.add("same_id")
        if reasons:
            found.append(_suspicion("text", item.id, text, reasons))
    return tuple(found)


def suspicious_replies(calls: Sequence[ModelCall], symbols: Collection[str]) -> tuple[Suspicion, ...]:
    """What is suspicious in what models said; the rules are code, and are not looked at."""
    found: list[Suspicion] = []
    for call in calls:
        if call.model in (RulesModel.name, FALLBACK_MODEL) or not call.reply:
            continue
        reasons = _reply_reasons(call.reply, frozenset(symbols))
        if reasons:
            found.append(_suspicion("reply", call.node, call.reply, reasons))
    return tuple(found)


def text_hash(text: str) -> str:
    """What a flagged text or reply is known by where its words are not repeated."""
    return content_hash(text.encode("utf-8", "replace").decode("utf-8"))[:16]


@lru_cache(maxsize=8_192)
def reasons_in(text: str) -> tuple[str, ...]:
    """The names of the rules that a text meets, in the order of the rules; a text is read on three days in a row."""
    looked_at = text[:MAX_CHARS]
    found = [name for name, rule in RULES.items() if rule(looked_at)]
    return (*found, *(["long"] if len(text) > LONG_CHARS else []))


def _is_addressed(text: str) -> bool:
    """It speaks to a machine: the quarantine takes a part out, or it uses the desk's own words."""
    return REMOVED in defused(text) or any(_MACHINE.search(part) for part in _readings(text))


def _readings(text: str) -> Iterator[str]:
    """The text, and what it says once the plainest disguises are off."""
    plain = unicodedata.normalize("NFKC", text)
    yield plain
    yield "".join(char for char in plain if unicodedata.category(char) not in _UNSEEN)
    yield "".join(char for char in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(char))
    yield plain.translate(_LEET)
    yield plain[::-1]
    yield codecs.encode(plain, "rot13")


def _is_unseen(text: str) -> bool:
    return any(unicodedata.category(char) in _UNSEEN and char not in "\t\n\r" for char in text)


def _is_look_alike(text: str) -> bool:
    """A word of two scripts, or letters that only look like ASCII ones."""
    for word in re.findall(r"\w+", text):
        if not word.isascii():
            scripts = {_script(char) for char in word if char.isalpha()}
            if len(scripts) > 1 or unicodedata.normalize("NFKC", word).isascii():
                return True
    return False


def _script(char: str) -> str:
    return unicodedata.name(char, "?").split()[0] if not char.isascii() else "LATIN"


def _is_foreign(text: str) -> bool:
    """Mostly written in another script than the sources are."""
    letters = [char for char in text if char.isalpha()]
    return sum(_script(char) != "LATIN" for char in letters) * 2 > len(letters) > 0


def _is_encoded(text: str) -> bool:
    if _ESCAPED.search(text) or _SPACED.search(text):
        return True
    return any(_says_something(part.group()) for pattern in (_BASE64, _HEX) for part in pattern.finditer(text))


def _says_something(code: str) -> bool:
    """Whether a run of letters and digits is plain text in base 64 or in hexadecimal digits."""
    digits = re.sub(r"[ :]", "", code)
    for decode in (lambda: bytes.fromhex(digits), lambda: base64.b64decode(code + "=" * (-len(code) % 4))):
        try:
            text = decode().decode("ascii")
        except (ValueError, binascii.Error):
            continue
        if text.isprintable() and " " in text:
            return True
    return False


RULES: Mapping[str, Callable[[str], bool]] = {
    "addressed": _is_addressed,
    "order": lambda text: _ORDER.search(text) is not None,
    "fence": lambda text: _FENCE.search(text) is not None,
    "role": lambda text: _ROLE.search(text) is not None or _TOKEN.search(text) is not None,
    "markup": lambda text: _MARKUP.search(text) is not None,
    "formula": lambda text: _FORMULA.search(text) is not None,
    "number": lambda text: _NUMBER.search(text) is not None,
    "part": lambda text: _PART.search(text) is not None,
    "unseen": _is_unseen,
    "look_alike": _is_look_alike,
    "foreign": _is_foreign,
    "encoded": _is_encoded,
}


def _in_names(*names: str) -> Iterable[str]:
    """An id or a source's name that is more than a name."""
    for name in names:
        if _MARKUP.search(name) or _FORMULA.search(name) or _is_unseen(name) or _is_look_alike(name):
            yield "name"


def _reply_reasons(reply: str, symbols: frozenset[str]) -> set[str]:
    """Of a reply that can be read, what its entries are; of another, what its text says."""
    try:
        start, end = reply.find("{"), reply.rfind("}")
        said = json.loads(reply[start : end + 1])
    except (ValueError, RecursionError):
        return {"unreadable", *(reasons_in(reply[:MAX_CHARS]))}
    reasons = {"prose"} if reply.strip() != reply[start : end + 1] else set[str]()
    entries = [row for part in said.values() if isinstance(part, list) for row in part if isinstance(row, dict)]
    if any(str(row["symbol"]) not in symbols for row in entries if "symbol" in row):
        reasons.add("unknown_symbol")
    sure = [row["confidence"] for row in entries if isinstance(row.get("confidence"), int | float)]
    if len(sure) >= MANY_ENTRIES and min(sure) >= NEAR_CERTAIN:
        reasons.add("certain_of_all")
    asked = [str(row.get("id", row.get("symbol", ""))) for row in entries]
    if len(set(asked)) < len(asked):
        reasons.add("said_twice")
    return reasons


def _suspicion(origin: str, name: str, text: str, reasons: set[str]) -> Suspicion:
    """Names what was suspicious and never quotes it: the record is read by people and by programs."""
    known = "".join(char if char.isascii() and (char.isalnum() or char in "-_.:") else "?" for char in name)
    return Suspicion.model_validate(
        {
            "origin": origin,
            "name": known[:80],
            "reasons": sorted(reasons),
            "text_hash": text_hash(text),
        }
    )
