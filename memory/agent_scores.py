"""What the agents voted and asked for: a read model of the log, and the same fold for a decision that is being made."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ..domain.decisions import Decision
from ..domain.events import DecisionMade, Event, ModelReplied, Payload
from ..domain.views import Agent, Vote
from ..storage.sql import Database
from .event_table import utc_text
from .projection import Table, View


@dataclass(frozen=True, slots=True)
class CastVote:
    """One agent's vote on one leg, as it was recorded. `buys` is the leg's side, `weight` what the agent counted."""

    decision_id: str
    seq: int
    as_of: datetime
    buys: bool
    vote: Vote
    weight: float


@dataclass(frozen=True, slots=True)
class NodeCost:
    """What one node's model calls came to."""

    node: str
    calls: int
    prompt_tokens: int
    completion_tokens: int


class VoteSource(Protocol):
    """The part of the log that is folded."""

    def read(self, after: int = 0, *, types: Sequence[type[Payload]] = ()) -> Iterable[Event]: ...

    def head(self) -> tuple[int, str]: ...


class VoteRecord:
    """Every vote up to the log's head, kept up to date by reading what was added; a rewound log shows less of it."""

    def __init__(self, log: VoteSource) -> None:
        self._log = log
        self._votes: list[CastVote] = []
        self._seq = 0

    def votes(self) -> tuple[CastVote, ...]:
        """In the order they were cast; never any from past the writer's place."""
        head, _ = self._log.head()
        if head > self._seq:
            for event in self._log.read(self._seq, types=(DecisionMade,)):
                payload = event.decoded()
                if isinstance(payload, DecisionMade):
                    self._votes.extend(votes_of(payload.decision, event.seq))
            self._seq = head
        return tuple(vote for vote in self._votes if vote.seq <= head)


def votes_of(decision: Decision, seq: int) -> Iterator[CastVote]:
    """The votes of one decision; none where nothing was voted on."""
    if decision.consensus is None or not decision.drafts:
        return
    buys = {leg.symbol: leg.side.value == "BUY" for leg in decision.drafts[0].legs}
    weights = decision.consensus.weights
    for vote in decision.votes:
        if vote.symbol in buys:
            weight = weights.get(vote.agent, 0.0)
            yield CastVote(decision.decision_id, seq, decision.as_of, buys[vote.symbol], vote, weight)


_VOTE_COLUMNS = "decision_id, seq, as_of, symbol, buys, agent, vote, weight"
_CALL_COLUMNS = "decision_id, node, calls, prompt_tokens, completion_tokens"


def read_votes(database: Database) -> tuple[CastVote, ...]:
    """All votes, in the order of their decisions, then by symbol and agent."""
    rows = database.rows(f"SELECT {_VOTE_COLUMNS} FROM view_votes ORDER BY seq, symbol, agent")
    return tuple(
        CastVote(
            decision_id, seq, datetime.fromisoformat(as_of), bool(buys), Vote.model_validate_json(vote), float(weight)
        )
        for decision_id, seq, as_of, _, buys, _, vote, weight in rows
    )


def read_costs(database: Database) -> tuple[NodeCost, ...]:
    """Calls and tokens of each node of the graph, by name."""
    rows = database.rows(
        "SELECT node, sum(calls), sum(prompt_tokens), sum(completion_tokens) FROM view_node_calls "
        "GROUP BY node ORDER BY node"
    )
    return tuple(NodeCost(node, int(calls), int(asked), int(said)) for node, calls, asked, said in rows)


def _add_votes(database: Database, event: Event, payload: DecisionMade) -> None:
    rows = [
        (
            cast.decision_id,
            cast.seq,
            utc_text(cast.as_of),
            cast.vote.symbol,
            int(cast.buys),
            Agent(cast.vote.agent).value,
            cast.vote.model_dump_json(),
            cast.weight,
        )
        for cast in votes_of(payload.decision, event.seq)
    ]
    if rows:
        database.execute_many(
            f"INSERT INTO view_votes ({_VOTE_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (decision_id, symbol, agent) DO NOTHING",
            rows,
        )


def _add_calls(database: Database, event: Event, payload: ModelReplied) -> None:
    costs: dict[str, list[int]] = {}
    for call in payload.calls:
        sums = costs.setdefault(call.node, [0, 0, 0])
        for place, more in enumerate((1, call.prompt_tokens, call.completion_tokens)):
            sums[place] += more
    database.execute_many(
        f"INSERT INTO view_node_calls ({_CALL_COLUMNS}) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT (decision_id, node) DO NOTHING",
        [(payload.decision_id, node, *sums) for node, sums in costs.items()],
    )


AGENT_SCORES = View(
    name="agent_scores",
    version=1,
    tables=(
        Table(
            "view_votes",
            "decision_id TEXT NOT NULL, seq INTEGER NOT NULL, as_of TEXT NOT NULL, symbol TEXT NOT NULL, "
            "buys INTEGER NOT NULL, agent TEXT NOT NULL, vote TEXT NOT NULL, weight DOUBLE PRECISION NOT NULL, "
            "PRIMARY KEY (decision_id, symbol, agent)",
            "decision_id, symbol, agent",
            indexed="seq",
        ),
        Table(
            "view_node_calls",
            "decision_id TEXT NOT NULL, node TEXT NOT NULL, calls INTEGER NOT NULL, prompt_tokens INTEGER NOT NULL, "
            "completion_tokens INTEGER NOT NULL, PRIMARY KEY (decision_id, node)",
            "decision_id, node",
        ),
    ),
    handlers={DecisionMade: _add_votes, ModelReplied: _add_calls},
)
