"""Whether the desk's models answer, found out before an open: each of the endpoint's is asked something tiny."""

from collections.abc import Callable
from datetime import datetime, timedelta

from ...agents.llm.port import ChatModel
from ...agents.llm.rules import RulesModel
from ...desk.llm_settings import LlmSettings
from ...desk.models import is_remote
from ..model_probe import unanswered
from .troubles import is_answering

GOOD_FOR = timedelta(hours=1)
"""An answer is believed for so long on the market's clock: checks that are made again and again cost nothing."""


class ModelCheck:
    """Asked by the pre-flight alone: a replay has none, and what is replayed is not asked."""

    def __init__(self, name: str, llm: LlmSettings, model: ChatModel, is_called: Callable[[], bool]) -> None:
        """`model` is the desk's as it stands, a drill's trouble around it; `is_called` breaks off what hangs."""
        self._llm, self._model, self._is_called = llm, model, is_called
        names = dict.fromkeys((name, *llm.nodes.values()))
        is_asked = llm.mode in ("live", "record")
        self._names = tuple(item for item in names if is_remote(item)) if is_asked else ()
        self._answered_at: datetime | None = None

    @property
    def refuses(self) -> bool:
        """Without a model only rules can stand in, and only where the settings say so."""
        return self._llm.fallback != RulesModel.name

    def complaint(self, now: datetime) -> str:
        """Why a model does not answer, and what that comes to; empty when all do."""
        found = self._trouble(now)
        if not found:
            return ""
        return f"{found}: {'its agents would abstain' if self.refuses else 'rules stand in'}"

    def _trouble(self, now: datetime) -> str:
        if not is_answering(self._model):
            return f"{self._model.name} does not answer"
        if not self._names or (self._answered_at is not None and now - self._answered_at < GOOD_FOR):
            return ""
        found = unanswered(self._names, self._llm, self._is_called)
        self._answered_at = None if found else now
        return found
