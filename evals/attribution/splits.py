"""A run's profit split every way there is: by name, sector, effect, factor, decision and agent; each to the cent."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from ...agents.consensus import vote_edge
from ...domain.instruments import Universe
from ...memory.agent_scores import CastVote
from .cells import Cell, Session
from .cents import in_cents
from .effects import EFFECTS, Effects, sector_of

NOBODY = "no vote for it"
NOT_DECIDED = "without a decision"


@dataclass(frozen=True, slots=True)
class Split:
    """One way to take the profit apart, largest part first unless the parts have an order of their own."""

    name: str
    title: str
    parts: Mapping[str, Decimal]
    note: str

    @property
    def total(self) -> Decimal:
        return sum(self.parts.values(), Decimal(0))


def by_instrument(sessions: Sequence[Session]) -> Split:
    parts = _gathered(sessions, lambda cell: [(cell.symbol, cell.profit)])
    note = "What was held and traded of each name, after costs, dividends and borrow fees."
    return _split("instrument", "By instrument", parts, _profit(sessions), note)


def by_sector(sessions: Sequence[Session], universe: Universe) -> Split:
    sectors = {cell.symbol: sector_of(cell.symbol, universe) for session in sessions for cell in session.cells}
    parts = _gathered(sessions, lambda cell: [(sectors[cell.symbol], cell.profit)])
    note = "Sectors as the data set has them; kinds of assets where it has none."
    return _split("sector", "By sector", parts, _profit(sessions), note)


def by_decision(sessions: Sequence[Session]) -> Split:
    """A position is the last decision's that traded its name; what trading made and cost is the trader's."""
    parts = _gathered(sessions, _owned)
    note = (
        "Of each name: what it did while the decision that last traded it was in force, and that decision's own costs."
    )
    return _split("decision", "By decision", parts, _profit(sessions), note)


def by_agent(sessions: Sequence[Session], votes: Iterable[CastVote]) -> Split:
    """Of each leg's profit, to the agents that voted for it, by weight times edge, as the consensus counted them."""
    shares = _shares(votes)

    def parts_of(cell: Cell) -> list[tuple[str, Decimal]]:
        return [
            (agent, amount * share)
            for decision_id, amount in _owned(cell)
            for agent, share in shares.get((decision_id, cell.symbol), {NOBODY: Decimal(1)}).items()
        ]

    note = (
        "A leg's profit is shared by those who voted for it, by their weight times their edge over a coin toss. It "
        "says who stood behind what paid, not what the desk would have earned without them: `parley eval run ablation` "
        "plays that, with exact Shapley values."
    )
    return _split("agent", "By agent", _gathered(sessions, parts_of), _profit(sessions), note)


def by_effect(sessions: Sequence[Session], found: Effects) -> Split:
    parts: dict[str, Decimal | float] = {name: float(found.by_effect[name].sum()) for name in EFFECTS}
    first = sessions[0].equity - sessions[0].equity_before
    if first:
        parts["first session"] = first
    note = (
        "Brinson and Fachler (1985) against 1/N of the data set's names, day by day and in currency, interaction "
        f"counted as selection. Mean share of equity invested: {found.mean_exposure:.1%}; cash earns nothing."
    )
    cents = in_cents(parts, _profit(sessions))
    return Split("effect", "By effect", cents, note)


def _owned(cell: Cell) -> list[tuple[str, Decimal]]:
    traded = cell.trading + cell.spread_impact + cell.fees
    held = cell.holding + cell.carry
    return [(cell.decision_id or NOT_DECIDED, held), (cell.traded_by or cell.decision_id or NOT_DECIDED, traded)]


def _shares(votes: Iterable[CastVote]) -> dict[tuple[str, str], dict[str, Decimal]]:
    weights: dict[tuple[str, str], dict[str, float]] = defaultdict(dict)
    for cast in votes:
        weight = cast.weight * vote_edge(cast.vote)
        if cast.vote.value == 1 and weight > 0.0:
            weights[cast.decision_id, cast.vote.symbol][cast.vote.agent.value] = weight
    return {
        leg: {agent: Decimal(weight) / Decimal(sum(found.values())) for agent, weight in found.items()}
        for leg, found in weights.items()
    }


def _gathered(
    sessions: Sequence[Session], parts_of: Callable[[Cell], Iterable[tuple[str, Decimal]]]
) -> dict[str, Decimal]:
    parts: dict[str, Decimal] = defaultdict(Decimal)
    for session in sessions:
        for cell in session.cells:
            for name, amount in parts_of(cell):
                parts[name] += amount
    return {name: amount for name, amount in parts.items() if amount}


def _profit(sessions: Sequence[Session]) -> Decimal:
    return sessions[-1].equity - sessions[0].equity_before


def _split(name: str, title: str, parts: Mapping[str, Decimal], profit: Decimal, note: str) -> Split:
    cents = in_cents(parts, profit) if parts else {}
    return Split(name, title, dict(sorted(cents.items(), key=lambda item: (-item[1], item[0]))), note)
