"""Who answers in an arm: the rules, a scripted model that wavers, a recording, or whatever the settings reach."""

from pathlib import PurePath

from ...agents.llm.local_model import PREFIX
from ...agents.llm.port import ChatModel
from ...agents.llm.prices import is_unbilled
from ...agents.llm.recorded import ReplayModel
from ...agents.llm.rules import RulesModel
from ...desk.llm_settings import LlmSettings
from ...desk.models import build_model, price_table
from ..determinism import StochasticModel
from .errors import ArmUnpriced
from .recording import RECORDED, recording_of

STOCHASTIC = "stochastic"


def model_named(name: str, llm: LlmSettings, seed: int) -> ChatModel:
    """The model of an evaluation, made anew for each run, so that no run hears what another asked."""
    if name == RulesModel.name:
        return RulesModel()
    if name == STOCHASTIC:
        return StochasticModel(seed)
    if name.startswith(RECORDED):
        recording = recording_of(name)
        return ReplayModel(recording.calls, recording.model)
    return build_model(name, llm)


def model_label(name: str) -> str:
    """Who answers, wherever the recording or the weights lie on this machine."""
    said = recording_of(name).model if name.startswith(RECORDED) else name
    return PurePath(said.removeprefix(PREFIX)).name if said.startswith(PREFIX) else said


def cost_usd(name: str, llm: LlmSettings, prompt_tokens: int, completion_tokens: int) -> float:
    """What the calls cost; nothing for code and recordings, and never for a model whose price nobody wrote down."""
    if name == STOCHASTIC or name.startswith(RECORDED) or is_unbilled(name):
        return 0.0
    prices = price_table(llm)
    if prices is None:
        raise ArmUnpriced(
            f"model {name!r}: no price table is set, and an unknown price is not zero",
            remedy="Set llm.prices_file, or evaluate rules, stochastic, local:PATH or recorded:BOOK.",
        )
    return float(prices.cost(name, prompt_tokens, completion_tokens))
