"""The market analyst: merges the sources' views into one signal per instrument, in words it must not count in."""

from collections import defaultdict
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
from ..prompts.loader import load_prompt
from ..tools.lessons import Similar
from . import worded
from .ask import Asking, ask
from .attribution import signed_parts
from .budget import Budget
from .examples import question
from .lessons import lesson_rows, with_lessons
from .regimes import REGIME_RULES
from .replies import AnalystReply, ViewReply
from .views import View, with_views

NODE, PROMPT = "analyst", "analyst/views"
LEANS = {
    "technical": "the technical scores",
    "sentiment": "the texts",
    "flow": "the flow of money",
    "macro": "the market's weather",
    "none": "nothing in particular",
}
FACT_NAMES = {
    Source.TECHNICAL: "technical",
    Source.SENTIMENT: "sentiment",
    Source.MICROSTRUCTURE: "flow",
    Source.MACRO: "macro",
}
"""What a source is called in the facts and by a driver."""

NO_LESSONS: Mapping[str, Similar] = {}

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


async def form_signals(
    asking: Asking,
    budget: Budget,
    reasoning: Reasoning,
    views: Sequence[SourceView],
    further: Sequence[View] = (),
    similar: Mapping[str, Similar] = NO_LESSONS,
) -> Signals:
    """One signal per instrument that has scores; none, and an abstention, when the model gives no usable reply.

    An instrument that the reply left out, or spoke of twice, has no signal and is an abstention of its own.
    """
    if not reasoning.scores:
        missing = Abstention(who=NODE, reason=AbstainReason.SHORT_HISTORY, text="no instrument has scores")
        return Signals((), (missing,), ())
    prompt = with_lessons(with_views(load_prompt(PROMPT), further), similar)
    facts = analyst_facts(reasoning, views)
    if similar:
        facts["lessons"] = lesson_rows(similar)
    answer = await ask(asking, budget, question(NODE, prompt, facts, AnalystReply))
    if answer.value is None:
        return Signals((), (answer.abstention,) if answer.abstention else (), answer.calls)
    return signals_of(answer.value, reasoning, views, answer.calls)


def signals_of(
    reply: AnalystReply, reasoning: Reasoning, views: Sequence[SourceView], calls: tuple[ModelCall, ...]
) -> Signals:
    """A reply as signals; what it left out, said twice, or copied wrong is an abstention."""
    said: defaultdict[str, list[ViewReply]] = defaultdict(list)
    for view in reply.views:
        said[view.symbol].append(view)
    signals, abstentions = list[Signal](), list[Abstention]()
    for symbol in reasoning.scores:
        fault = _fault(said[symbol], reasoning)
        if fault is None:
            signals.append(_signal(reasoning, said[symbol][0], views))
        else:
            abstentions.append(Abstention(who=f"{NODE}:{symbol}", reason=fault[0], text=fault[1]))
    return Signals(tuple(signals), tuple(abstentions), calls)


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


def analyst_facts(reasoning: Reasoning, views: Sequence[SourceView]) -> dict[str, object]:
    """The evidence in words, one row per instrument; a source that said nothing at all takes no tokens."""
    rows = [
        {
            "symbol": symbol,
            "trend": worded.trend(reasoning.indicators.get(symbol, {})),
            "outlook": worded.outlook(row.get("expected_return", 0.0)),
            "oscillator": worded.oscillator(reasoning.indicators.get(symbol, {})),
            "composite": _brief(row.get("composite")),
            "confidence": round(100 * row.get("confidence", 0.5)),
            **_source_words(symbol, views),
        }
        for symbol, row in reasoning.scores.items()
    ]
    macro = next((score for view in views if view.source is Source.MACRO for score in view.scores.values()), None)
    return {
        "as_of": reasoning.as_of.isoformat(),
        "regime": REGIME_RULES[reasoning.regime].framing,
        "horizon_days": reasoning.horizon_days,
        # The weather is one figure for the whole market; said once, it costs no tokens per row.
        "macro": worded.score(macro),
        "rows": rows,
    }


def _source_words(symbol: str, views: Sequence[SourceView]) -> dict[str, str | None]:
    return {
        view.name or FACT_NAMES[view.source]: worded.score(view.scores.get(symbol))
        for view in views
        if view.scores and (view.name or view.source is not Source.MACRO)
    }


def _fault(said: Sequence[ViewReply], reasoning: Reasoning) -> tuple[AbstainReason, str] | None:
    """Why what was said of an instrument is no view; None when it is one."""
    if len(said) != 1:
        text = "the reply speaks of it more than once" if said else "the reply left it out"
        return AbstainReason.UNPARSABLE, text
    (reply,) = said
    row, indicators = reasoning.scores[reply.symbol], reasoning.indicators.get(reply.symbol, {})
    shown = {
        "trend": worded.fact(worded.trend(indicators)),
        "outlook": worded.fact(worded.outlook(row.get("expected_return", 0.0))),
    }
    for name, copied in (("trend", reply.trend), ("outlook", reply.outlook)):
        if copied != shown[name]:
            return AbstainReason.COPIED_WRONG, f"the {name} is {shown[name]}, the reply says {copied}"
    return None


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
    score, parts = signed_parts(reply.symbol, views)
    return Signal(
        symbol=reply.symbol,
        side=side,
        confidence=reply.confidence,
        horizon_days=reasoning.horizon_days,
        expected_return=expected,
        risk_adjusted_return=round(expected / risk, 10) if risk > 0 else 0.0,
        regime=reasoning.regime,
        attribution=_attribution(reply.symbol, views),
        score=score,
        parts=parts,
        evidence=reasoning.evidence,
        explanation=_explain(reply, row, reasoning),
    )


def _attribution(symbol: str, views: Sequence[SourceView]) -> dict[Source, float]:
    """Each source's share of the absolute score, all its views together; a source that abstained has none."""
    sizes = dict[Source, float]()
    for view in views:
        if symbol in view.scores:
            sizes[view.source] = sizes.get(view.source, 0.0) + abs(view.scores[symbol])
    total = sum(sizes.values())
    return {source: round(size / total, 10) for source, size in sizes.items()} if total > 0 else {}


def _explain(reply: ViewReply, row: Row, reasoning: Reasoning) -> str:
    """A template, not the model's prose: words from outside never travel further into the desk."""
    if reply.side == "HOLD":
        return f"{reply.symbol}: no side, the figures are mixed in the regime {reasoning.regime.value}"
    direction = "above" if row.get("composite", 0.0) > 0 else "below"
    return (
        f"{reply.symbol}: {reply.side} leaning on {LEANS[reply.driver]}; its composite score stands "
        f"{direction} its peers' in the regime {reasoning.regime.value}"
    )
