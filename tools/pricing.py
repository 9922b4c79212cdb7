"""Option prices: one contract with its Greeks, its parity partner, early exercise and implied volatility."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from ..quant.binomial import Tree, TreeValue, american_value
from ..quant.black_scholes import OptionKind, greeks, price
from ..quant.errors import ParameterError
from ..quant.implied_vol import implied_volatilities
from .errors import ToolError
from .ledger import Ledger, figure

TIMELESS = datetime.min.replace(tzinfo=UTC)
"""The `as_of` of a price made from given terms alone: no data were seen, so it is true at any moment."""

DAYS_PER_YEAR = 365.0
TREE_STEPS = 501
LEAST_VOL, MOST_VOL = 1e-4, 32.0
GREEK_UNITS: Mapping[str, tuple[str, float, str]] = {
    "delta": ("cash per 1.00 of spot", 1.0, "per 1.00 of spot"),
    "gamma": ("delta per 1.00 of spot", 1.0, "per 1.00 of spot"),
    "vega": ("cash per 1.00 of volatility", 0.01, "per volatility point"),
    "theta": ("cash per year that passes", 1.0 / DAYS_PER_YEAR, "per calendar day"),
    "rho": ("cash per 1.00 of the rate", 0.0001, "per basis point"),
    "epsilon": ("cash per 1.00 of the dividend yield", 0.0001, "per basis point"),
    "vanna": ("delta per 1.00 of volatility", 0.01, "per volatility point"),
    "volga": ("vega per 1.00 of volatility", 0.0001, "cash per squared point"),
    "charm": ("delta per year that passes", 1.0 / DAYS_PER_YEAR, "per calendar day"),
}
"""By Greek: its unit, the factor to the unit a desk quotes, and that unit."""


@dataclass(frozen=True, slots=True)
class Contract:
    """The terms of one option; years to expiry, rates continuously compounded fractions a year."""

    kind: OptionKind
    spot: float
    strike: float
    years: float
    rate: float = 0.0
    dividend_yield: float = 0.0

    @property
    def partner(self) -> "Contract":
        """The put of a call and the call of a put, all else equal."""
        other: OptionKind = "put" if self.kind == "call" else "call"
        return Contract(other, self.spot, self.strike, self.years, self.rate, self.dividend_yield)

    def value(self, vol: float) -> float:
        """The European value at a volatility."""
        return float(price(self.kind, self.spot, self.strike, self.years, self.rate, vol, self.dividend_yield))


def price_option(ledger: Ledger, contract: Contract, vol: float) -> dict[str, float]:
    """The Black-Scholes-Merton value, in the currency of spot and strike."""
    output = {"price": figure(contract.value(vol))}
    ledger.record("option_price", 1, "currency of spot", asdict(contract) | {"vol": vol}, output)
    return output


def option_greeks(ledger: Ledger, contract: Contract, vol: float) -> dict[str, dict[str, float]]:
    """All Greeks of a long European position, raw (`by_unit`) and as desks quote them (`by_point`)."""
    found = greeks(
        contract.kind, contract.spot, contract.strike, contract.years, contract.rate, vol, contract.dividend_yield
    )
    raw = {name: float(getattr(found, name)) for name in GREEK_UNITS}
    output = {
        "by_unit": {name: figure(value) for name, value in raw.items()},
        "by_point": {name: figure(value * GREEK_UNITS[name][1]) for name, value in raw.items()},
    }
    ledger.record("option_greeks", 1, "as GREEK_UNITS says", asdict(contract) | {"vol": vol}, output)
    return output


def parity_partner(ledger: Ledger, contract: Contract, vol: float) -> dict[str, float | str]:
    """The option on the other side of put-call parity, and call less put both ways; `gap` is rounding only."""
    partner = contract.partner
    own, other = contract.value(vol), partner.value(vol)
    call, put = (own, other) if contract.kind == "call" else (other, own)
    carried = contract.spot * math.exp(-contract.dividend_yield * contract.years)
    bond = contract.strike * math.exp(-contract.rate * contract.years)
    output: dict[str, float | str] = {
        "kind": partner.kind,
        "price": figure(other),
        "call_less_put": figure(call - put),
        "spot_less_strike": figure(carried - bond),
        "gap": figure((call - put) - (carried - bond)),
    }
    ledger.record("parity_partner", 1, "currency of spot", asdict(contract) | {"vol": vol}, output)
    return output


def implied_vol(ledger: Ledger, contract: Contract, market: float, *, american: bool = False) -> dict[str, float]:
    """The volatility at which the option is worth its market price; an American one is inverted on the tree.

    Raises ToolError for a price that no volatility reaches, with the bounds it lies outside of.
    """
    vol = _american_vol(contract, market) if american else _european_vol(contract, market)
    worth = _tree(contract, vol)[0].price if american else contract.value(vol)
    output = {"vol": figure(vol), "market": figure(market), "repriced": figure(worth)}
    inputs = asdict(contract) | {"market": market, "american": american}
    ledger.record("implied_vol", 1, "fraction a year", inputs, output)
    return output


def american_price(ledger: Ledger, contract: Contract, vol: float) -> dict[str, float | str]:
    """The value with early exercise, by a Leisen-Reimer tree, and what that right adds to the European value."""
    found, tree = _tree(contract, vol)
    output: dict[str, float | str] = {
        "price": figure(found.price),
        "delta": figure(found.delta),
        "gamma": figure(found.gamma),
        # A right is worth nothing or more: below zero is the tree's own error, about its steps squared.
        "early_exercise": figure(max(found.price - contract.value(vol), 0.0)),
        "steps": TREE_STEPS,
        "tree": tree,
    }
    ledger.record("american_price", 1, "currency of spot", asdict(contract) | {"vol": vol}, output)
    return output


def _european_vol(contract: Contract, market: float) -> float:
    terms = (contract.spot, contract.strike, contract.years, contract.rate, contract.dividend_yield)
    found = implied_volatilities(contract.kind, market, *terms)
    if not found.is_solved:
        raise _out_of_bounds(contract, market, *_european_bounds(contract))
    return float(found.vol)


def _european_bounds(contract: Contract) -> tuple[float, float]:
    """The value without volatility and without end of it."""
    carried = contract.spot * math.exp(-contract.dividend_yield * contract.years)
    bond = contract.strike * math.exp(-contract.rate * contract.years)
    if contract.kind == "call":
        return max(carried - bond, 0.0), carried
    return max(bond - carried, 0.0), bond


def _american_vol(contract: Contract, market: float) -> float:
    """Brent's method on the tree: its value rises with the volatility, from the worth of exercise now."""
    from scipy.optimize import root_scalar

    gain = contract.spot - contract.strike if contract.kind == "call" else contract.strike - contract.spot
    bottom, top = _european_bounds(contract)
    bottom, top = max(bottom, gain), max(top, contract.spot if contract.kind == "call" else contract.strike)
    if not bottom < market < top:
        raise _out_of_bounds(contract, market, bottom, top)

    def miss(vol: float) -> float:
        return _tree(contract, vol)[0].price - market

    high = 0.25
    while high < MOST_VOL and miss(high) < 0.0:
        high *= 2.0
    low = high
    while low > LEAST_VOL and miss(low) >= 0.0:
        low *= 0.5
    if miss(high) < 0.0 or miss(low) >= 0.0:
        raise _out_of_bounds(contract, market, bottom, top)
    return float(root_scalar(miss, bracket=(low, high), method="brentq", xtol=1e-12).root)


def _out_of_bounds(contract: Contract, market: float, low: float, high: float) -> ToolError:
    return ToolError(
        f"market price {market:g} of this {contract.kind} has no implied volatility: "
        f"expected more than {low:.6g}, its worth without time value, and less than {high:.6g}",
        remedy="Check the price, and that spot, rate and dividends are of the same moment.",
    )


def _tree(contract: Contract, vol: float) -> tuple[TreeValue, str]:
    """Leisen-Reimer; where strike and spot are too far apart for its probabilities, Cox-Ross-Rubinstein."""
    terms = (contract.spot, contract.strike, contract.years, contract.rate, vol, contract.dividend_yield)
    trees: tuple[Tree, Tree] = ("leisen-reimer", "cox-ross-rubinstein")
    reasons: list[str] = []
    for tree in trees:
        try:
            return american_value(contract.kind, *terms, n_steps=TREE_STEPS, tree=tree), tree
        except ParameterError as error:
            reasons.append(error.message)
    raise ToolError(
        f"no tree of {TREE_STEPS} steps values this {contract.kind} at volatility {vol:g}: {'; '.join(reasons)}",
        remedy="Give less extreme terms, or leave --american out.",
    )
