"""The decision graph as a table: its steps, and where each one leads. LangGraph and the plain walk are made from it."""

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

from .commit import EndNodes
from .nodes import AgentNodes
from .ports import Ports
from .state import DeskState, Step
from .views import SourceNodes

Chooser = Callable[[DeskState], Coroutine[Any, Any, list[str]]]

FIRST = "observe"
MAX_DRAFTS = 2
"""One plan, and at most one that was scaled after a veto."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A way that depends on the state: `choose` names some of `among`."""

    choose: Chooser
    among: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wiring:
    """Steps by name, and behind each of them the next one, a choice, or the end (None).

    Steps that one choice names run side by side, each on the state as it was before them. They all lead to the same
    step, which waits for all of them.
    """

    steps: Mapping[str, Step]
    ways: Mapping[str, str | Choice | None]


def wiring_of(ports: Ports) -> Wiring:
    """The decision graph over these ports."""
    ends, sources, agents = EndNodes(ports), SourceNodes(ports), AgentNodes(ports)
    views: dict[str, Step] = {
        "technical": sources.technical,
        "sentiment": sources.sentiment,
        "microstructure": sources.microstructure,
        "macro": sources.macro,
        **{view.name: sources.further(view) for view in ports.views},
    }

    async def after_observe(state: DeskState) -> list[str]:
        """A refusal ends the pass; an intent goes straight to the gate with no model on its way."""
        if state.get("refusal"):
            return ["commit"]
        return ["gate"] if state.get("intent") is not None else list(views)

    steps: dict[str, Step] = {
        FIRST: ends.observe,
        **views,
        "analyst": agents.analyst,
        "risk": agents.risk,
        "optimizer": agents.optimizer,
        "execution": agents.execution,
        "consensus": agents.consensus,
        "gate": agents.gate,
        "commit": ends.commit,
    }
    ways: dict[str, str | Choice | None] = {
        FIRST: Choice(after_observe, (*views, "gate", "commit")),
        **dict.fromkeys(views, "analyst"),
        "analyst": "risk",
        "risk": "optimizer",
        "optimizer": Choice(after_optimizer, ("execution", "commit")),
        "execution": Choice(after_execution, ("consensus", "gate")),
        "consensus": Choice(after_consensus, ("gate", "commit")),
        "gate": Choice(after_gate, ("optimizer", "commit")),
        "commit": None,
    }
    return Wiring(steps, ways)


# The choices are asynchronous like the steps: LangGraph would take a plain function to a thread and back.


async def after_optimizer(state: DeskState) -> list[str]:
    """On most days nothing needs trading: then there is nothing to advise on, to vote on or to review."""
    return ["execution"] if state["drafts"][-1].legs else ["commit"]


async def after_execution(state: DeskState) -> list[str]:
    """A plan that was scaled after a veto has had its votes: it can only have become smaller since."""
    return ["gate"] if state.get("verdicts") else ["consensus"]


async def after_consensus(state: DeskState) -> list[str]:
    """A plan whose every leg lost its support is no plan."""
    return ["gate"] if state["plan"].legs else ["commit"]


async def after_gate(state: DeskState) -> list[str]:
    """A first veto of an agents' plan goes back once to be scaled; everything else is committed."""
    verdicts = state.get("verdicts", [])
    if state.get("intent") is not None or not verdicts or verdicts[-1].approved:
        return ["commit"]
    return ["optimizer"] if len(state["drafts"]) < MAX_DRAFTS else ["commit"]
