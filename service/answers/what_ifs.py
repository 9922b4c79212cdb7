"""What-if questions: a market that moves, correlations and volatility that jump, another position, another limit.

Each is worked out by the desk's own tools on a copy of the book as it stands; nothing is changed by asking.
"""

from collections.abc import Mapping
from typing import Annotated

import numpy as np
from pydantic import Field

from ...domain.decisions import Evidence
from ...domain.model import Model
from ...quant.stress import shocked_cov
from ...quant.var import normal_var
from ...tools.ledger import Ledger, figure
from ...tools.risk import measure
from ...tools.stress import shock_book, stress_book
from .answer import Answer, Kind
from .arguments import AskedSymbol
from .askable import Askable
from .draft import Draft, num, quote, when
from .finding import unknown_symbol
from .reader import Reading
from .reviewing import leg_of, review_of_book
from .risks import nothing_held

LEVEL = 0.99
FAILED_SHOWN = 5


class OfMove(Model):
    """The market's move as a fraction: -0.1 is a fall of a tenth."""

    market: float = Field(default=-0.10, ge=-0.95, le=1.0)


class OfCorrelation(Model):
    """Every pair of names at this correlation."""

    correlation: float = Field(default=0.9, ge=0.0, le=0.999)


class OfTimes(Model):
    """Volatility of everything times this."""

    times: float = Field(default=2.0, gt=0.0, le=10.0)


class OfPosition(Model):
    """One position times this; zero sells it, and one that is not held is bought at a hundredth of equity a time."""

    symbol: AskedSymbol
    times: Annotated[float, Field(ge=0.0, le=10.0)] = 2.0


def shock(reading: Reading, draft: Draft, asked: OfMove) -> Answer:
    """The book through its market beta; beside it the round shocks that the desk always asks."""
    weights = reading.weights
    if not weights:
        return nothing_held(draft)
    found = draft.entries(_stressed(reading, weights))
    beta = found["stress_table"]["beta"]
    equity, move = float(reading.equity), asked.market
    loss = beta.number() * move
    result = draft.derive(
        "shock",
        {"market": move, "return": loss, "cash": loss * equity, "equity": equity, "session": reading.last_session},
        beta=beta.ref,
    )
    draft.say(
        "If the market moves {}, the book moves {}: {} of {}.",
        *(num(result["market"], "frac", 1, sign=True), num(result["return"], "frac", sign=True)),
        *(num(result["cash"], "usd", sign=True), num(result["equity"], "usd")),
    )
    draft.say(
        "That is its beta of {} over the last year at the close of {}; names' own moves come on top.",
        *(num(beta), when(result["session"])),
    )
    limit = draft.derive(
        "daily_loss", reading.limits_in_force.max_daily_loss_frac, limits=reading.limits_in_force.hash()
    )
    if -loss > limit.number():
        draft.say("It passes the loss on a day of {} after which only risk may be taken off.", num(limit, "frac"))
    else:
        draft.say("The loss on a day after which only risk may be taken off is {}.", num(limit, "frac"))
    shocks = [(name, value) for name, value in found["shocks"].items() if name.startswith("market ")]
    rows = draft.derive(
        "shocks", [{"market": float(name.split()[1]) / 100, "return": value.raw} for name, value in shocks], of=beta.ref
    )
    for row in rows.rows():
        draft.say("Market {}: book {}", num(row["market"], "frac", 0, sign=True), num(row["return"], "frac", sign=True))
    draft.table({"market": ("frac", "market"), "book": ("frac", "return")}, rows.rows())
    return draft.answer(Kind.WHAT_IF, more="scenarios, correlations_to or volatility_times")


def correlations_to(reading: Reading, draft: Draft, asked: OfCorrelation) -> Answer:
    """One-day normal VaR and volatility of the book with every pair of names at one correlation."""
    weights = reading.weights
    if not weights:
        return nothing_held(draft)
    if len(reading.scene.symbols) < 2:
        return draft.no_data("a universe of a single name has no correlation.")
    return _worse(reading, draft, "correlations go to", asked.correlation, correlation=asked.correlation)


def volatility_times(reading: Reading, draft: Draft, asked: OfTimes) -> Answer:
    """The same with every volatility multiplied; what a doubled volatility index would say where the data has none."""
    if not reading.weights:
        return nothing_held(draft)
    return _worse(reading, draft, "every volatility is multiplied by", asked.times, vol_multiple=asked.times)


def _worse(reading: Reading, draft: Draft, says: str, to: float, **change: float) -> Answer:
    scene, vector = reading.scene, reading.scene.vector(reading.weights)
    now, then = scene.covariance, shocked_cov(scene.covariance, **change)
    found = {name: _spread(vector, cov) for name, cov in (("now", now), ("then", then))}
    equity = float(reading.equity)
    facts = draft.derive(
        "worse_covariance",
        {**found, "to": to, "times": _ratio(found), "cash": found["then"]["var"] * equity, "level": LEVEL}
        | {"limit": reading.limits_in_force.max_var_99_frac, "session": reading.last_session},
        weights={name: figure(value) for name, value in sorted(reading.weights.items())},
        data=scene.view.fingerprint,
    )
    draft.say(
        "If " + says + " {}, the one-day VaR at {} goes from {} to {} of equity ({}), {} as much.",
        *(num(facts["to"], "ratio"), num(facts["level"], "frac", 0), num(facts["now"]["var"], "frac")),
        *(num(facts["then"]["var"], "frac"), num(facts["cash"], "usd"), num(facts["times"], "multiple")),
    )
    draft.say(
        "Volatility a year goes from {} to {}.",
        *(num(facts["now"]["volatility"], "frac"), num(facts["then"]["volatility"], "frac")),
    )
    over = facts["then"]["var"].number() > facts["limit"].number()
    draft.say(
        "The gate's limit on this VaR is {}: "
        + ("the book would be over it." if over else "the book stays inside it."),
        num(facts["limit"], "frac"),
    )
    draft.say("By the normal distribution over the shrunk covariance at the close of {}.", when(facts["session"]))
    draft.table(
        {"": ("text", "name"), "VaR": ("frac", "var"), "volatility a year": ("frac", "volatility")},
        draft.derive("compared", [{"name": name, **row} for name, row in found.items()], to=to, of=says).rows(),
    )
    return draft.answer(Kind.WHAT_IF, more="shock, scenarios or tail_risk")


def doubled_position(reading: Reading, draft: Draft, asked: OfPosition) -> Answer:
    """Risk before and after, and what the gate would say to the order that does it."""
    if asked.symbol not in reading.symbols:
        return unknown_symbol(reading, draft)
    scene = reading.scene
    if asked.symbol not in scene.symbols:
        return draft.no_data(
            "{} has too little history at the last close to be measured.", quote(draft.asked["symbol"])
        )
    price, held = scene.prices[asked.symbol], reading.portfolio.quantity(asked.symbol)
    lot = scene.instrument(asked.symbol).lot
    unit = held or int(reading.equity / 100 / price / lot) * lot
    change = int((unit * asked.times - held) / lot) * lot
    before = reading.weights
    after = before | {asked.symbol: float((held + change) * price / reading.equity)}
    entries = reading.measured(
        "position",
        lambda to: (measure(to, scene, before, "held"), measure(to, scene, after, "asked")),
        asked.symbol,
        change,
    )
    facts = [draft.entries([entry])["portfolio_risk"] for entry in entries]
    was, would = facts[0], facts[-1]
    row = draft.derive(
        "position",
        {
            "symbol": asked.symbol,
            "held": held,
            "then": held + change,
            "change": change,
            "notional": float(change * price),
        }
        | {"weight": before.get(asked.symbol, 0.0), "weight_then": after[asked.symbol]},
        entry=entries[-1].id,
    )
    draft.say(
        "{} from {} to {} shares: weight {} to {}, an order of {}.",
        *(quote(row["symbol"]), num(row["held"], "count"), num(row["then"], "count")),
        *(num(row["weight"], "frac"), num(row["weight_then"], "frac"), num(row["notional"], "usd", sign=True)),
    )
    for says, key, unit_name in MEASURES:
        if was.maybe(key) is not None and would.maybe(key) is not None:
            draft.say(says + " {} to {}", num(was[key], unit_name), num(would[key], unit_name))
    _say_gate(reading, draft, asked.symbol, change)
    compared = [{"name": says, "now": was[key].raw, "then": would[key].raw} for says, key, _ in MEASURES]
    draft.table(
        {"measure": ("text", "name"), "now": ("num", "now"), "then": ("num", "then")},
        draft.derive("compared", [*compared], entry=entries[-1].id).rows(),
    )
    return draft.answer(Kind.WHAT_IF, more="other_limits, or why symbol=" + asked.symbol)


MEASURES = (
    ("VaR, one day, historical:", "var_99_historical", "frac"),
    ("Expected shortfall, historical:", "es_975_historical", "frac"),
    ("Volatility a year:", "volatility_annual", "frac"),
    ("Beta:", "beta", "num"),
    ("Gross:", "gross", "frac"),
)


def _say_gate(reading: Reading, draft: Draft, symbol: str, change: int) -> None:
    if not change:
        draft.say("That is no order at all.")
        return
    review = review_of_book(reading, (leg_of(reading, symbol, change),))
    if review is None:
        draft.say("Nothing was decided in this run yet, so the gate has no state to review it against.")
        return
    verdict = review.verdict
    failed = [check.model_dump(mode="json") for check in verdict.reasons]
    found = draft.derive("gate", {"reasons": [*failed], "checks": len(verdict.checks)}, decision=review.decision_id)
    if verdict.approved:
        draft.say("The gate would let it through: all {} checks pass.", num(found["checks"], "count"))
        return
    draft.say("The gate would veto it:")
    for row in found["reasons"].rows()[: min(FAILED_SHOWN, draft.room)]:
        draft.say("{}", quote(row["text"]))


def _stressed(reading: Reading, weights: Mapping[str, float]) -> tuple[Evidence, ...]:
    def ask(ledger: Ledger) -> None:
        stress_book(ledger, reading.scene, weights)
        shock_book(ledger, reading.scene, weights)

    return reading.measured("shocks", ask)


def _spread(vector: np.ndarray, cov: np.ndarray) -> dict[str, float]:
    daily = float(np.sqrt(max(float(vector @ cov @ vector), 0.0)))
    return {"var": figure(normal_var(0.0, daily, LEVEL)), "volatility": figure(daily * 252**0.5)}


def _ratio(found: Mapping[str, Mapping[str, float]]) -> float:
    return figure(found["then"]["var"] / found["now"]["var"]) if found["now"]["var"] else 0.0


WHAT_IFS = (
    Askable(
        name="shock",
        says="What a move of the market would do to the book.",
        parameters=OfMove,
        answer=shock,
        kind=Kind.WHAT_IF,
        examples=("What if the market falls 10% tomorrow?",),
    ),
    Askable(
        name="correlations_to",
        says="The book's risk with all correlations at one level.",
        parameters=OfCorrelation,
        answer=correlations_to,
        kind=Kind.WHAT_IF,
        examples=("What if correlations go to 0.9?",),
    ),
    Askable(
        name="volatility_times",
        says="The book's risk with every volatility multiplied, as when the volatility index doubles.",
        parameters=OfTimes,
        answer=volatility_times,
        kind=Kind.WHAT_IF,
        examples=("What if the VIX doubles?",),
    ),
    Askable(
        name="doubled_position",
        says="Risk, and the gate's answer, with one position doubled or changed by another factor.",
        parameters=OfPosition,
        answer=doubled_position,
        kind=Kind.WHAT_IF,
        examples=("What if we doubled JPM?",),
    ),
)
