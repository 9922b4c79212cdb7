"""The four source nodes, side by side: technical, sentiment, microstructure and macro views of the snapshot."""

from collections.abc import Sequence
from datetime import timedelta

from ..agents.budget import Budget
from ..agents.llm.rules import RulesModel
from ..agents.sentiment import NODE as SENTIMENT
from ..agents.sentiment import Answers, TextsRead, model_readings, prompt_hash, read_texts
from ..agents.views import View
from ..domain.market import TextItem
from ..domain.views import AbstainReason, Abstention, Source, SourceView
from ..tools.bar_basis import bar_basis
from ..tools.conditions import money_flow, trading_frictions, volatility_weather
from ..tools.errors import NotEnoughData
from ..tools.ledger import Ledger
from ..tools.market import scores, technical_indicators, technical_score
from ..tools.text_readings import text_readings
from ..tools.text_sentiment import TextFigures, text_sentiment, unrepeated
from .ports import Ports
from .state import DeskState, Step
from .text_source import TextSource

TEXT_WINDOW = timedelta(days=3)


class SourceNodes:
    """Each node writes one SourceView and its evidence; a source without data abstains."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._texts = TextSource(ports.log, ports.encoder)

    async def technical(self, state: DeskState) -> DeskState:
        """Indicators and scores from prices; abstains when no name has enough history."""
        snapshot = state["snapshot"]
        ledger = Ledger(snapshot.as_of, snapshot.data_fingerprint)
        scene = self._ports.scene(snapshot)
        indicators_id, _ = technical_indicators(ledger, scene)
        bar_basis(ledger, scene)
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

    def further(self, view: View) -> Step:
        """The node of a further view."""

        async def node(state: DeskState) -> DeskState:
            snapshot = state["snapshot"]
            ledger = Ledger(snapshot.as_of, snapshot.data_fingerprint)
            found = view.measure(ledger, self._ports.scene(snapshot))
            if found is None:
                silent = Abstention(who=view.name, reason=AbstainReason.NO_DATA)
                seen = SourceView(source=view.source, name=view.name, abstention=silent)
            else:
                seen = SourceView(source=view.source, name=view.name, scores=dict(found[1]), evidence=(found[0],))
            return {"views": [seen], "evidence": list(ledger.entries)}

        return node

    async def sentiment(self, state: DeskState) -> DeskState:
        """What the newest texts say by the encoder, and by a tool-less model call where there is a language model."""
        snapshot = state["snapshot"]
        ledger = Ledger(snapshot.as_of, snapshot.data_fingerprint)
        view = self._ports.history.as_of(snapshot.as_of)
        symbols = set(snapshot.symbols)
        items = [item for item in view.texts(since=snapshot.as_of - TEXT_WINDOW) if item.symbol in symbols]
        if not items:
            return {"views": [_abstained(Source.SENTIMENT, AbstainReason.NO_DATA, "no text items in the window")]}
        read, answers = await self._read(state, ledger, items)
        record = self._texts.record
        figures = TextFigures(
            encoder=record.encoder.fingerprint,
            polarities=record.polarities(items),
            sources=record.sources(view),
            readings=model_readings(answers),
        )
        scored = text_sentiment(ledger, snapshot.as_of, items, figures)
        assert scored is not None, "there are items"
        view = SourceView(source=Source.SENTIMENT, scores=dict(scored[1]), evidence=(scored[0],))
        silent = [] if read.abstention is None else [read.abstention]
        return {"views": [view], "calls": list(read.calls), "abstentions": silent, "evidence": list(ledger.entries)}

    async def _read(self, state: DeskState, ledger: Ledger, items: Sequence[TextItem]) -> tuple[TextsRead, Answers]:
        """What a language model reads now, and with it what it read of these texts before.

        The rules read no prose, and are not asked to.
        """
        asking, snapshot = self._ports.asking, state["snapshot"]
        if asking.names.get(SENTIMENT, asking.model.name) == RulesModel.name:
            return TextsRead({}, None, ()), {}
        asked_before = self._texts.answered(prompt_hash(), snapshot.as_of, [item.id for item in items])
        fresh = [item for item in unrepeated(items) if item.id not in asked_before]
        budget = Budget.left(len(snapshot.symbols), state.get("calls", []))
        read = await read_texts(asking, budget, snapshot.as_of, snapshot.symbols, fresh)
        if read.answers:
            text_readings(ledger, prompt_hash(), read.answers)
        return read, {**asked_before, **read.answers}

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
