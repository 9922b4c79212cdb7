"""The table of arms: what each changes about the desk, its inputs, its model or its limits."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from typing import Literal

from ...domain.views import Agent
from .errors import ArmUnknown

Inputs = Literal["as recorded", "shuffled texts", "masked"]
Reach = Literal["voted", "debated", "remembered", "reweighed", "recalibrated", "texted", "all", "drafted", "asked"]
"""Which decisions an arm can change: those that came to a vote, that had a debate, that saw lessons, and so on."""

AGENTS: Mapping[Agent, str] = {
    Agent.ANALYST: "analyst",
    Agent.RISK: "risk",
    Agent.OPTIMIZER: "optimizer",
    Agent.EXECUTION: "execution",
}
"""What an agent is called in the settings and in the names of arms, in the order of their weights."""
FULL, NO_LLM, NOBODY, VETO_OFF, MASKED, SHUFFLED = "full", "rules", "nobody", "veto-off", "masked", "texts-shuffled"


@dataclass(frozen=True, slots=True)
class Arm:
    """The desk with something changed. `settings` are laid over those of the evaluation, by dotted name."""

    name: str
    changes: str
    """In words, for the report."""
    reach: Reach
    settings: Mapping[str, str] = field(default_factory=dict[str, str])
    inputs: Inputs = "as recorded"
    is_no_llm: bool = False
    """The rules answer in the place of the evaluation's model."""
    has_widest_limits: bool = False
    """No limit stands in the way: only ever in an evaluation."""


def coalition_name(members: Iterable[Agent]) -> str:
    """The arm in which exactly these agents speak."""
    inside = set(members)
    names = [name for agent, name in AGENTS.items() if agent in inside]
    if len(names) == len(AGENTS):
        return FULL
    if len(names) == len(AGENTS) - 1:
        return f"without-{next(name for agent, name in AGENTS.items() if agent not in inside)}"
    return f"only-{'.'.join(names)}" if names else NOBODY


def coalitions() -> tuple[str, ...]:
    """The sixteen arms of the four agents, each at its place: bit p is set where the p-th agent of AGENTS speaks."""
    agents = tuple(AGENTS)
    return tuple(
        coalition_name(agent for place, agent in enumerate(agents) if row >> place & 1)
        for row in range(1 << len(agents))
    )


def find_arm(name: str) -> Arm:
    """The arm of the table by its name."""
    arm = ARMS.get(name)
    if arm is None:
        raise ArmUnknown(f"there is no arm {name!r}", remedy=f"Use one of: {', '.join(ARMS)}.")
    return arm


def _coalition(members: Iterable[Agent]) -> Arm:
    inside = set(members)
    name = coalition_name(inside)
    off = [word for agent, word in AGENTS.items() if agent not in inside]
    changes = f"switched off: {', '.join(off)}" if off else "nothing: the desk as it is set"
    settings = {f"agents.{word}": "on" if agent in inside else "off" for agent, word in AGENTS.items()}
    return Arm(name, changes, "voted", settings)


def _arms() -> dict[str, Arm]:
    agents = tuple(AGENTS)
    # Largest teams first: the full one, what it is without each agent, pairs, single agents, and nobody.
    teams = [_coalition(team) for size in range(len(agents), -1, -1) for team in combinations(agents, size)]
    others = [
        Arm(NO_LLM, "the rules answer every question: no language model at all", "asked", is_no_llm=True),
        Arm("debate-on", "a bull and a bear argue where sources disagree", "debated", {"agents.debate": "on"}),
        Arm("debate-off", "nobody argues where sources disagree", "debated", {"agents.debate": "off"}),
        Arm("memory-on", "lessons of earlier decisions are shown", "remembered", {"memory": "on"}),
        Arm("memory-off", "no lessons are shown", "remembered", {"memory": "off"}),
        Arm("weights-frozen", "votes weigh what they were set to", "reweighed", {"consensus.weights": "frozen"}),
        Arm("weights-adapted", "votes weigh what they were worth", "reweighed", {"consensus.weights": "adapted"}),
        Arm(
            "confidence-calibrated",
            "votes count for what such confidence was worth",
            "recalibrated",
            {"consensus.confidence": "calibrated"},
        ),
        Arm("regime-switched", "voting weights follow the regime", "reweighed", {"consensus.regime": "switched"}),
        Arm(SHUFFLED, "each text is one of two weeks before, or older", "texted", inputs="shuffled texts"),
        Arm(MASKED, "names, dates and price levels are made up", "all", inputs="masked"),
        Arm(
            VETO_OFF,
            "caps and veto as wide as limits can be; never outside an evaluation",
            "drafted",
            has_widest_limits=True,
        ),
    ]
    return {arm.name: arm for arm in (*teams, *others)}


ARMS: Mapping[str, Arm] = _arms()
