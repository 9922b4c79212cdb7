"""The shared state of one pass: frozen values, reducers where nodes write side by side, and no arrays."""

import operator
from collections.abc import Coroutine
from typing import Annotated, Any, Protocol, TypedDict

from ..domain.decisions import Decision, Evidence, Intent, ModelCall, Snapshot, Verdict
from ..domain.orders import Plan
from ..domain.reflections import Recollection
from ..domain.views import (
    Abstention,
    Assessment,
    Consensus,
    Debate,
    Regime,
    Signal,
    SourceView,
    TargetWeights,
    Vote,
)


class DeskState(TypedDict, total=False):
    """What the nodes pass on. Lists with a reducer grow; of the rest, each has at most one writer in a step."""

    decision_id: str
    snapshot: Snapshot
    intent: Intent | None
    refusal: str
    views: Annotated[list[SourceView], operator.add]
    regime: Regime
    signals: tuple[Signal, ...]
    debate: Debate | None
    memory: Recollection | None
    assessment: Assessment
    targets: TargetWeights
    drafts: Annotated[list[Plan], operator.add]
    votes: tuple[Vote, ...]
    consensus: Consensus
    plan: Plan
    verdicts: Annotated[list[Verdict], operator.add]
    evidence: Annotated[list[Evidence], operator.add]
    calls: Annotated[list[ModelCall], operator.add]
    abstentions: Annotated[list[Abstention], operator.add]
    decision: Decision


class Step(Protocol):
    """Reads the state and gives what it adds to it."""

    def __call__(self, state: DeskState) -> Coroutine[Any, Any, DeskState]: ...
