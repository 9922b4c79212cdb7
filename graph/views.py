"""The four source nodes, side by side: technical, sentiment, microstructure and macro views of the snapshot."""

from datetime import timedelta

from ..agents.budget import Budget
from ..agents.sentiment import read_texts
from ..domain.views import AbstainReason, Abstention, Source, SourceView
from ..tools.conditions import money_flow, trading_frictions, volatility_weather
from ..tools.errors import NotEnoughData
from ..tools.ledger import Ledger
from ..tools.market import scores, technical_indicators, technical_score
from .ports import Ports
from .state import DeskState

TEXT_WINDOW = timedelta(days=3)


class SourceNodes:
    """Each node writes one SourceView and its evidence; a source without data abstains."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    async def technical(self, state: DeskState) -> DeskState:
        """Indicators and scores from prices; abstains when no name has enough history."""
        snapshot = state["snapshot"]
        ledger = Ledger(snapshot.as_of, snapshot.data_fingerprint)
        scene = self._ports.scene(snapshot)
        indicators_id, _ = technical_indicators(ledger, scene)
        try:
            scores_id, scored = scores(ledger, scene, self._ports.estimators)
        except NotEnoughData as error:
            view = _abstained(Source.TECHNICAL, AbstainReason.SHORT_HISTORY, error.message)
            return {"views": [view], "evidence": list(ledger.entries)}
        view = SourceView(
            source=Source.TECHNICAL,
            scores={symbol: technical_score(row) for symbol, row in scored.rows.items()},
            evidence=(indicators_id, scores_id),
        )
        return {"views": [view], "evidence": list(ledger.entries)}

    async def sentiment(self, state: DeskState) -> DeskState:
        """What the newest texts say, through one tool-less model call; abstains when there are none."""
        snapshot = state["snapshot"]
        view = self._ports.history.as_of(snapshot.as_of)
        items = view.texts(since=snapshot.as_of - TEXT_WINDOW)
        budget = Budget.left(len(snapshot.symbols), state.get("calls", []))
        read = await read_texts(self._ports.asking, budget, snapshot.as_of, snapshot.symbols, items)
        return {"views": [read.view], "calls": list(read.calls)}

    async def microstructure(self, state: DeskState) -> DeskState:
        """Buying and selling pressure from recorded volume; abstains where the source has prices alone."""
        snapshot = state["snapshot"]
        ledger = Ledger(snapshot.as_of, snapshot.data_fingerprint)
        scene = self._ports.scene(snapshot)
        flow, frictions = money_flow(ledger, scene), trading_frictions(ledger, scene)
        if flow is None:
            text = "the source records no volume with its day's high and low, and no order books"
            view = _abstained(Source.MICROSTRUCTURE, AbstainReason.NO_DATA, text)
            return {"views": [view], "evidence": list(ledger.entries)}
        evidence = (flow[0],) if frictions is None else (flow[0], frictions[0])
        view = SourceView(source=Source.MICROSTRUCTURE, scores=dict(flow[1]), evidence=evidence)
        return {"views": [view], "evidence": list(ledger.entries)}

    async def macro(self, state: DeskState) -> DeskState:
        """The market's weather from the volatility index; abstains where the source has none."""
        snapshot = state["snapshot"]
        ledger = Ledger(snapshot.as_of, snapshot.data_fingerprint)
        weather = volatility_weather(ledger, self._ports.scene(snapshot))
        if weather is None:
            text = "the source has neither a volatility index nor an economic calendar"
            return {"views": [_abstained(Source.MACRO, AbstainReason.NO_DATA, text)]}
        scores = dict.fromkeys(snapshot.symbols, weather[1])
        view = SourceView(source=Source.MACRO, scores=scores, evidence=(weather[0],))
        return {"views": [view], "evidence": list(ledger.entries)}


def _abstained(source: Source, reason: AbstainReason, text: str) -> SourceView:
    abstention = Abstention(who=source.value, reason=reason, text=text)
    return SourceView(source=source, abstention=abstention)
