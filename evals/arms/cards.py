"""The card of the data that an evaluation rests on, as it is printed beside every figure."""

from ...agents.llm.rules import RulesModel
from ...market.cards import DataSet
from ..harness.task import DatasetCard
from ..leakage.model_window import model_window
from .models import STOCHASTIC, model_label


def dataset_card(data: DataSet, model: str) -> DatasetCard:
    """Which rows, from where, and whether the model may have seen them in training."""
    card = data.card
    window = (
        f"out: {model} is code and was trained on nothing"
        if model in (RulesModel.name, STOCHASTIC)
        else model_window(model_label(model), card.first_session, card.last_session)
    )
    return DatasetCard(
        name=card.name,
        source=card.source,
        licence=card.license,
        first=card.first_session.isoformat(),
        last=card.last_session.isoformat(),
        fingerprint=data.panel.fingerprint(),
        model_window=window,
        notes=(f"survivorship: {card.survivorship}", *card.notes),
    )
