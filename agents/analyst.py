"""The market analyst: merges the sources' views into one signal per instrument, in words it must not count in."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from ..domain.decisions import ModelCall
from ..domain.orders import ParentOrder
from ..domain.views import (
    AbstainReason,
    Abstention,
    Agent,
    Regime,
    Signal,
    Source,
    SourceView,
    Stance,
    Vote,
)
from .ask import Asking, Question, ask
from .budget import Budget
from .replies import AnalystReply, ViewReply

NODE = "analyst"
Row = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Reasoning:
    """The evidence the analyst merges: calibrated figures per instrument, with the ledger ids they come from."""

    as_of: datetime
    regime: Regime
    horizon_days: int
    scores: Mapping[str, Row]
    indicators: Mapping[str, Row]
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Signals:
    signals: tuple[Signal, ...]
    abstentions: tuple[Abstention, ...]
    calls: tuple[ModelCall, ...]


async def form_signals(asking: Asking, budget: Budget, reasoning: Reasoning, views: Sequence[SourceView]) -> Signals:
    """One signal per instrument that has scores; none, and an abstention, when the model gives no usable reply.

    An instrument that the reply left out, or spoke of twice, has no signal and is an abstention of its own.
    """
    if not reasoning.scores:
        missing = Abstention(who=NODE, reason=AbstainReason.SHORT_HISTORY, text="no instrument has scores")
        return Signals((), (missing,), ())
    question = Question(NODE, "analyst/views", _facts(reasoning, views), AnalystReply)
    answer = await ask(asking, budget, question)
    if answer.value is None:
        return Signals((), (answer.abstention,) if answer.abstention else (), answer.calls)
    times = Counter(reply.symbol for reply in answer.value.views)
    replies = {reply.symbol: reply for reply in answer.value.views if times[reply.symbol] == 1}
    signals = tuple(_signal(reasoning, replies[symbol], views) for symbol in reasoning.scores if symbol in replies)
    abstentions = tuple(
        Abstention(
            who=f"{NODE}:{symbol}",
            reason=AbstainReason.UNPARSABLE,
            text="the reply speaks of it more than once" if times[symbol] else "the reply left it out",
        )
        for symbol in reasoning.scores
        if symbol not in replies
    )
    return Signals(signals, abstentions, answer.calls)


def signal_votes(signals: Sequence[Signal], legs: Sequence[ParentOrder]) -> tuple[Vote, ...]:
    """The analyst's vote on each leg: its signal for or against the leg's side; a HOLD abstains."""
    by_symbol = {signal.symbol: signal for signal in signals}
    votes: list[Vote] = []
    for leg in legs:
        signal = by_symbol.get(leg.symbol)
        if signal is None or signal.side is Stance.HOLD:
            reason = AbstainReason.NO_EDGE if signal else AbstainReason.NO_DATA
            votes.append(Vote(agent=Agent.ANALYST, symbol=leg.symbol, value=None, abstention=reason))
            continue
        agrees = signal.side.value == leg.side.value
        value = 1 if agrees else -1
        votes.append(Vote(agent=Agent.ANALYST, symbol=leg.symbol, value=value, confidence=signal.confidence))
    return tuple(votes)


def _facts(reasoning: Reasoning, views: Sequence[SourceView]) -> dict[str, object]:
    said = {view.source: view.scores for view in views}
    technical, sentiment, flow = (
        said.get(source, {}) for source in (Source.TECHNICAL, Source.SENTIMENT, Source.MICROSTRUCTURE)
    )
    rows = [
        {
            "symbol": symbol,
            "technical": _brief(technical.get(symbol)),
            "trend": _brief(row.get("trend")),
            "rsi_14": _brief(reasoning.indicators.get(symbol, {}).get("rsi_14")),
            "composite": _brief(row.get("composite")),
            "expected_return": _brief(row.get("expected_return")),
            "confidence": round(100 * row.get("confidence", 0.5)),
            "sentiment": _brief(sentiment.get(symbol)),
            "flow": _brief(flow.get(symbol)),
        }
        for symbol, row in reasoning.scores.items()
    ]
    return {
        "as_of": reasoning.as_of.isoformat(),
        "regime": reasoning.regime.value,
        "horizon_days": reasoning.horizon_days,
        # The weather is one figure for the whole market; said once, it costs no tokens per row.
        "macro": _brief(next(iter(said.get(Source.MACRO, {}).values()), None)),
        "rows": rows,
    }


def _brief(value: float | None) -> float | None:
    """Three significant digits: enough to argue with, cheap in tokens."""
    return None if value is None else float(f"{value:.3g}")


def _signal(reasoning: Reasoning, reply: ViewReply, views: Sequence[SourceView]) -> Signal:
    row = reasoning.scores[reply.symbol]
    side = Stance(reply.side)
    expected = row.get("expected_return", 0.0)
    # Words against the numbers carry no expected return: the model may doubt a figure, not invent one.
    agrees = (side is Stance.BUY and expected > 0) or (side is Stance.SELL and expected < 0)
    expected = expected if agrees else 0.0
    risk = row.get("residual_vol_horizon", 0.0)
    return Signal(
        symbol=reply.symbol,
        side=side,
        confidence=reply.confidence,
        horizon_days=reasoning.horizon_days,
        expected_return=expected,
        risk_adjusted_return=round(expected / risk, 10) if risk > 0 else 0.0,
        regime=reasoning.regime,
        attribution=_attribution(reply.symbol, views),
        evidence=reasoning.evidence,
        explanation=_explain(reply, row, reasoning),
    )


def _attribution(symbol: str, views: Sequence[SourceView]) -> dict[Source, float]:
    """Each source's share of the absolute score; a source that abstained has none."""
    sizes = {view.source: abs(view.scores[symbol]) for view in views if symbol in view.scores}
    total = sum(sizes.values())
    return {source: round(size / total, 10) for source, size in sizes.items()} if total > 0 else {}


def _explain(reply: ViewReply, row: Row, reasoning: Reasoning) -> str:
    """A template, not the model's prose: words from outside never travel further into the desk."""
    if reply.side == "HOLD":
        return f"{reply.symbol}: no side, the figures are mixed in a {reasoning.regime.value} market"
    lean = {"technical": "the technical scores", "sentiment": "the texts", "none": "nothing in particular"}
    direction = "above" if row.get("composite", 0.0) > 0 else "below"
    return (
        f"{reply.symbol}: {reply.side} leaning on {lean[reply.driver]}; its composite score stands "
        f"{direction} its peers' in a {reasoning.regime.value} market"
    )
