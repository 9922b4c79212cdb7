"""The timeline of decisions: a page of them at a time, the newest first, by how they came out and by name."""

from dataclasses import dataclass
from typing import Literal, cast

from pydantic import JsonValue

from ...memory.decisions_view import DecisionRecord
from ...memory.record_pages import DecisionsWanted
from ..answers.reader import Reading
from ..pages.twin import Fact, Twin
from .lists import choice_of, place_of, symbol_of
from .parts import Asked

Shown = Literal["all", "trade", "no_trade", "vetoed", "refused", "abstained"]
SHOWN: dict[Shown, str] = {
    "all": "All",
    "trade": "Traded",
    "no_trade": "No trade",
    "vetoed": "Vetoed",
    "refused": "Refused",
    "abstained": "Somebody abstained",
}
KINDS = ("trade", "no_trade", "vetoed", "refused")
PER_PAGE = 40


@dataclass(frozen=True, slots=True)
class Timeline:
    """One page of decisions. `older` is the cursor of the next page; `before` that of this one."""

    twin: Twin
    counts: Fact
    rows: tuple[Fact, ...]
    show: Shown
    symbol: str | None
    symbols: tuple[str, ...]
    before: int | None
    older: int | None

    @property
    def filters(self) -> dict[str, str]:
        """What an address of this list carries on."""
        return {"show": self.show} | ({"symbol": self.symbol} if self.symbol else {})

    @property
    def tabs(self) -> list[tuple[Shown, str, Fact | None]]:
        """What can be shown, with how many there are of it in the whole run."""
        return [(show, says, self.counts.maybe(show)) for show, says in SHOWN.items()]


def decisions_part(asked: Asked) -> Timeline:
    """As its address asks for it."""
    query = asked.query
    return decision_timeline(asked.reading, choice_of(query, "show", SHOWN, "all"), symbol_of(query), place_of(query))


def decision_timeline(reading: Reading, show: Shown, symbol: str | None, before: int | None) -> Timeline:
    """Decisions before an event of the log; without one the newest. A cursor stays good while the log grows."""
    pages = reading.views.pages
    kind = show if show in KINDS else None
    wanted = DecisionsWanted(kind, symbol, show == "abstained")
    found = pages.decisions(wanted, before, PER_PAGE + 1)
    kinds = pages.decision_kinds()
    draft = reading.draft("decisions", {"show": show, "symbol": symbol, "before": before})
    counts: dict[str, JsonValue] = {"all": sum(kinds.values()), **dict.fromkeys(KINDS, 0), **kinds}
    rows = draft.derive("decisions", [decision_row(item) for item in found[:PER_PAGE]]).rows()
    return Timeline(
        twin=draft.twin,
        counts=draft.derive("decisions_counted", counts),
        rows=tuple(rows),
        show=show,
        symbol=symbol,
        symbols=reading.symbols,
        before=before,
        older=found[PER_PAGE - 1].seq if len(found) > PER_PAGE else None,
    )


def decision_row(item: DecisionRecord) -> JsonValue:
    """A decision's line as it stands in the read model."""
    return cast(
        "dict[str, JsonValue]",
        {
            "decision_id": item.decision_id,
            "as_of": item.as_of,
            "kind": item.kind,
            "summary": item.summary,
            "legs": item.legs,
            "abstentions": item.abstentions,
            "llm_calls": item.llm_calls,
            "prompt_tokens": item.prompt_tokens,
        },
    )
