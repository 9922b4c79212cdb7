"""Plays one attack: a real decision and a real session over it, through the whole desk, in a folder of its own."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ...agents.llm.port import ChatModel, ChatRequest
from ...agents.llm.recorded import ReplayModel
from ...domain.decisions import Decision, ModelCall
from ...domain.events import DecisionMade
from ...market.cards import DataSet
from ..faults.evidence import Evidence, evidence_of
from ..faults.runner import live_through
from ..faults.stage import Stage
from .cases import MODEL_CHANNELS, AttackCase
from .ground import POLARITIES, TIMEOUT_S, attacked_world
from .worst import Overheard, ScriptedModel, honest_model, obeyed, worst_model

Arm = Literal["worst", "honest"]
LOG = "log.db"


@dataclass(frozen=True, slots=True)
class Played:
    """What one attack left behind; `asked` is every question that a model was put, in order.

    `usual` is all that the questions of the clean run show: what stands there came from nobody else.
    """

    case: AttackCase | None
    seen: Evidence
    asked: tuple[ChatRequest, ...]
    log_path: Path
    data: DataSet
    usual: str

    @property
    def decision(self) -> Decision | None:
        """The decision that the session worked."""
        return next((item.decision for _, item in self.seen.events if isinstance(item, DecisionMade)), None)


def play_attack(
    case: AttackCase | None,
    model: ScriptedModel | Overheard,
    folder: Path,
    usual: str = "",
    timeout_s: float = TIMEOUT_S,
) -> Played:
    """One attack over one model; without a case, the clean run."""
    world = attacked_world(case, model.name, timeout_s)
    stage = Stage(world, (), folder / LOG)
    stage.model = model if case is None or case.channel != "recorded" else _recorded(case, model)
    if case is not None and case.channel == "operator":
        _put(case, stage.post.inbox.folder)
    outcome = live_through(stage)
    return Played(case, evidence_of(outcome), tuple(model.asked), stage.path, world.data, usual)


def model_of(arm: Arm, case: AttackCase) -> ScriptedModel:
    """An attack that comes in past the models has to be noticed without their help: there they are honest."""
    return worst_model(case) if arm == "worst" and case.channel in MODEL_CHANNELS else honest_model(POLARITIES)


class _Poisoned:
    """Recordings in which somebody has written: to each question they hold what the attacker wants said."""

    def __init__(self, case: AttackCase, asked: Callable[[ChatRequest], None]) -> None:
        self._case, self._asked = case, asked

    def find(self, request: ChatRequest, occurrence: int) -> ModelCall | None:
        self._asked(request)
        return ModelCall(
            node=request.node,
            prompt=request.prompt.name,
            prompt_version=request.prompt.version,
            prompt_hash=request.prompt.hash,
            model="worst",
            request_hash=request.hash,
            reply=obeyed(self._case, request),
            prompt_tokens=1,
            completion_tokens=1,
        )


def _recorded(case: AttackCase, model: ScriptedModel | Overheard) -> ChatModel:
    return ReplayModel(_Poisoned(case, model.asked.append), "worst")


def _put(case: AttackCase, folder: Path) -> None:
    """A file in the desk's inbox, as whoever can write there would leave it."""
    new = folder / "new"
    new.mkdir(parents=True)
    (new / f"{0:012d}.json").write_text(case.content * case.repeat, encoding="utf-8")


def shown_in(request: ChatRequest) -> Iterable[str]:
    """Everything a question shows a model that is not the prompt's own text."""
    yield from _strings_in(request.facts)
    yield request.repair
    yield from (turn.text for turn in request.turns)


def _strings_in(facts: str) -> Iterable[str]:
    """Every string of a question's facts, names of fields included."""
    pending: list[object] = [json.loads(facts)] if facts else []
    while pending:
        value = pending.pop()
        match value:
            case str():
                yield value
            case dict():
                pending += [*value, *value.values()]
            case list():
                pending += value
            case _:
                pass
