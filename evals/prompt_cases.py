"""Seeded questions for every prompt of a decision, in equal parts good, bad and mixed, so that a collapse shows."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random

from ..agents.analyst import Reasoning
from ..agents.opinions import DraftFigures, LegFigures
from ..domain.market import TextItem
from ..domain.orders import Algorithm, ExecutionAdvice, ParentOrder, Side
from ..domain.views import Regime, Source, SourceView

SYMBOLS = ("PAA", "PBB", "PCC", "PDD", "PEE", "PFF")
LEANINGS = (1, -1, 0)
"""Good, bad, mixed: each question has two instruments of each."""
AS_OF = datetime(2024, 3, 4, 21, tzinfo=UTC)
HEADLINES = {
    1: ("raises its outlook after record sales", "wins a large order, profits climb"),
    -1: ("cuts its outlook as sales collapse", "faces a fraud inquiry, losses widen"),
    0: ("holds its annual meeting", "names a new head of the archive"),
}


@dataclass(frozen=True, slots=True)
class PromptCase:
    """What one imagined day asks of every prompt."""

    reasoning: Reasoning
    views: tuple[SourceView, ...]
    draft: DraftFigures
    texts: tuple[TextItem, ...]


def prompt_case(seed: int) -> PromptCase:
    """The same seed is the same case, to the byte of its questions."""
    rng = Random(seed)
    leanings: dict[str, int] = dict(zip(SYMBOLS, rng.sample(LEANINGS * 2, len(SYMBOLS)), strict=True))
    return PromptCase(
        reasoning=Reasoning(
            as_of=AS_OF,
            regime=Regime.CALM,
            horizon_days=21,
            scores={symbol: _scores(rng, leaning) for symbol, leaning in leanings.items()},
            indicators={symbol: _indicators(rng, leaning) for symbol, leaning in leanings.items()},
            evidence=(),
        ),
        views=(
            SourceView(source=Source.TECHNICAL, scores={s: _score(rng, leaning) for s, leaning in leanings.items()}),
            # The texts say the opposite, so that each instrument that leans anywhere can be argued over.
            SourceView(source=Source.SENTIMENT, scores={s: _score(rng, -leaning) for s, leaning in leanings.items()}),
        ),
        draft=_draft(rng, leanings),
        texts=tuple(_text(rng, symbol, leaning) for symbol, leaning in leanings.items()),
    )


def _scores(rng: Random, leaning: int) -> dict[str, float]:
    size = round(rng.uniform(0.9, 1.6), 3)
    return {
        "composite": leaning * size,
        "expected_return": leaning * round(rng.uniform(0.005, 0.02), 4),
        "confidence": round(rng.uniform(0.53, 0.56), 2) if leaning else 0.5,
        "residual_vol_horizon": 0.05,
    }


def _indicators(rng: Random, leaning: int) -> dict[str, float]:
    level = round(rng.uniform(20, 200), 2)
    return {"sma_200": level, "sma_50": round(level * (1 + 0.06 * leaning), 2), "rsi_14": round(rng.uniform(40, 60), 1)}


def _score(rng: Random, leaning: int) -> float:
    return round(leaning * rng.uniform(0.3, 0.5), 3)


def _draft(rng: Random, leanings: Mapping[str, int]) -> DraftFigures:
    """A leg for each instrument: with room and cheap, over its cap and dear, or nearly full and fairly dear."""
    shares, costs = {1: 0.5, -1: 1.3, 0: 0.95}, {1: 4.0, -1: 32.0, 0: 18.0}
    legs = [
        LegFigures(
            leg=ParentOrder(
                order_id=f"par-{symbol}",
                decision_id="dec-prompts",
                symbol=symbol,
                side=Side.BUY,
                quantity=100 * rng.randint(1, 9),
                reference_price=Decimal(50),
                reason="toward target",
                advice=ExecutionAdvice(algorithm=Algorithm.TWAP, slices=4, expected_cost_bps=costs[leaning]),
            ),
            adds_risk=True,
            weight_held=0.01,
            weight_after=round(0.095 * shares[leaning], 4),
            max_weight=0.095,
            cost_bps=costs[leaning],
            participation=0.001,
        )
        for symbol, leaning in leanings.items()
    ]
    return DraftFigures(AS_OF, Regime.CALM, 0.6, 0.3, 1.5, 25.0, tuple(legs))


def _text(rng: Random, symbol: str, leaning: int) -> TextItem:
    arrived = AS_OF - timedelta(minutes=rng.randint(30, 600))
    return TextItem(
        id=f"text-{symbol}",
        symbol=symbol,
        source="wire",
        ts_event=arrived,
        available_at=arrived,
        headline=f"{symbol} {rng.choice(HEADLINES[leaning])}",
    )
