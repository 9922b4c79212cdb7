"""What else a decision could have been, as rows: without the language model, without each agent, smallest changes."""

from .case import AGENT_WORDS
from .twin import Fact

SILENT_WORDS = {"language_model": "Language model", **AGENT_WORDS}
MOST_FLIPS = 4


def without_rows(found: Fact | None, symbol: str | None, recorded: int | None) -> list[dict[str, object]]:
    """One row per arm: whether the decision stays, and for one leg its quantity without somebody."""
    rows: list[dict[str, object]] = []
    for arm in found["without"].rows() if found else []:
        quantity = arm["legs"].maybe(symbol) if symbol else None
        is_same = arm["is_same"].raw is True
        if symbol is not None:
            is_same = (quantity.raw if quantity else None) == recorded
        rows.append(
            {
                "who": SILENT_WORDS[arm["without"].string()],
                "arm": arm,
                "quantity": quantity,
                "is_same": is_same,
                "has_leg": quantity is not None,
            }
        )
    return rows


def flip_rows(found: Fact | None, symbol: str | None) -> list[dict[str, object]]:
    """The smallest changes that turn it; for one leg its own vote and the whole plan, else the nearest votes."""
    flips = found["flips"].rows() if found else []
    votes = [flip for flip in flips if flip["what"].raw == "vote"]
    others = [flip for flip in flips if flip["what"].raw != "vote"]
    if symbol is not None:
        votes = [flip for flip in votes if flip["symbol"].raw == symbol]
    else:
        votes = sorted((flip for flip in votes if flip["agent"].raw), key=lambda flip: flip["points"].number())[:1]
    return [
        {"flip": flip, "what": flip["what"].string(), "who": AGENT_WORDS.get(str(_raw(flip, "agent")), "")}
        for flip in [*others[: MOST_FLIPS - len(votes)], *votes]
    ]


def _raw(flip: Fact, key: str) -> object:
    found = flip.maybe(key)
    return found.raw if found else None


def before_of(found: Fact | None) -> dict[str, Fact]:
    """The gate's measures of the book before the plan, by check."""
    return {row["check"].string(): row["value"] for row in found["before"].rows()} if found else {}
