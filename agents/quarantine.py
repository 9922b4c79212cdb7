"""Takes out of a stranger's text what is addressed to a model, before a model reads it: roles, orders, markup.

This only lowers the number of attempts that reach the reader. What holds is that the reader has no tools, answers in a
closed form, and that nothing it says moves a figure past its cap.
"""

import re

REMOVED = "[removed]"
SHOWN_CHARS = 48
"""Of a text that looks like an attempt, so much is shown to people: enough to know it again, too little to argue."""

MARKUP = re.compile(r"<\|?[/\w][^<>]{0,60}\|?>|\[/?(?:INST|SYS)\]|<</?SYS>>|`{2,}|#{3,}|\{[^{}]*\}|[{}]", re.IGNORECASE)
ROLE = re.compile(
    r"(?<![@\w])(?:system|assistant|developer|user|human|ai)\b[^\w.!?]{0,3}(?:(?:override|prompt|message|note)\b|:)",
    re.IGNORECASE,
)
"""`@USER:` is how a data set hides whom a tweet answers, and no role."""
ORDERS = (
    r"\b(?:ignore|disregard|forget|override|bypass)\b.{0,40}\b(?:instruction|rule|limit|prompt|previous|above|prior|all)",
    r"\byou (?:are|must|should|will|have to|need to)\b",
    r"\b(?:act|behave|pretend|respond|reply|answer) (?:as|with|only|in|by)\b",
    r"\b(?:output|print|return|set|add|raise|lower|call|invoke|execute)\b.{0,40}"
    r"\b(?:json|confidence|polarity|symbols?|readings?|tools?|function|limits?|sizes?|schema)\b",
    r"\bas an? (?:ai|assistant|language model)\b",
    r"\b(?:new|your|these|following) (?:instructions?|task|role|orders?)\b",
    r"\b(?:approved|authori[sz]ed) by (?:the )?(?:risk|gate|operator|admin|compliance)\b",
    r"\b(?:buy|sell|short|vote|liquidate)\b.{0,40}\b(?:everything|all positions|immediately|at any price|now!)",
)
ORDER = re.compile("|".join(ORDERS), re.IGNORECASE)
SENTENCE_END = re.compile(r"(?<=[.!?;])\s+")


def defused(text: str) -> str:
    """The text without markup, and without the sentences that speak to a model or give orders."""
    plain = MARKUP.sub(" ", text)
    kept = [REMOVED if _is_addressed(part) else part for part in SENTENCE_END.split(plain)]
    line = " ".join(" ".join(kept).split())
    return re.sub(rf"(?:{re.escape(REMOVED)} ?){{2,}}", f"{REMOVED} ", line).strip()


def first_words(text: str, limit_chars: int = SHOWN_CHARS) -> str:
    """How a text begins, for a person: plain ASCII, so that nothing in it is unseen, look-alike or a control code."""
    plain = " ".join(text[: 4 * limit_chars].split()).encode("unicode_escape").decode("ascii")
    return plain if len(plain) <= limit_chars else plain[: limit_chars - 3].rstrip() + "..."


def _is_addressed(sentence: str) -> bool:
    return ROLE.search(sentence) is not None or ORDER.search(sentence) is not None
