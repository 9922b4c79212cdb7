"""Option prices: one contract with its Greeks and early exercise, and a whole chain's smiles, skews and flow."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from ..quant.arrays import FloatArray
from ..quant.binomial import Tree, TreeValue, american_value
from ..quant.black_scholes import OptionKind, greeks, price
from ..quant.errors import ParameterError, QuantError
from ..quant.implied_vol import ImpliedVols, VolStatus, implied_volatilities
from ..quant.option_flow import delta_skew, implied_forward, implied_move, put_call_ratio, unusual_volume
from ..quant.vol_surface import Smile, VolSurface, fit_smile
from .errors import NotEnoughData, ToolError
from .ledger import Ledger, figure

Pairs = tuple[FloatArray, FloatArray, FloatArray]
"""Strikes, call prices and put prices."""
Key = tuple[int, float, bool]
"""A contract within a file: its expiry as a day number, its strike, and whether it is a call."""

TIMELESS = datetime.min.replace(tzinfo=UTC)
"""The `as_of` of a price made from given terms alone: no data were seen, so it is true at any moment."""

DAYS_PER_YEAR = 365.0
TREE_STEPS = 501
LEAST_VOL, MOST_VOL = 1e-4, 32.0
LEAST_PRICE = 0.05
"""Closes under five cents are mostly the tick: their volatility says nothing about the smile."""
NEAR_PAIRS = 8
"""Strikes nearest the money from which the forward is read."""
CURVE_POINTS = 61
UNUSUAL_DAYS = 5
"""Earlier days that volume is compared with: the least the measure takes, so that newly listed strikes count soon."""
UNUSUAL_CONTRACTS = 500
"""Fewer contracts than this are never called unusual, however quiet the strike was before."""
UNUSUAL_ROWS = 10

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


@dataclass(frozen=True, slots=True, eq=False)
class Chain:
    """Rows of an option chain, one per contract and day, in parallel arrays.

    `is_traded` is False where the price is no price of that day; an unknown open interest is NaN.
    """

    underlying: str
    day: npt.NDArray[np.datetime64]
    expiry: npt.NDArray[np.datetime64]
    strike: FloatArray
    is_call: npt.NDArray[np.bool_]
    price: FloatArray
    is_traded: npt.NDArray[np.bool_]
    volume: FloatArray
    open_interest: FloatArray
    spot: FloatArray

    def where(self, rows: npt.NDArray[np.bool_] | npt.NDArray[np.intp]) -> "Chain":
        """The rows that a mask or places keep."""
        return Chain(
            self.underlying,
            self.day[rows],
            self.expiry[rows],
            self.strike[rows],
            self.is_call[rows],
            self.price[rows],
            self.is_traded[rows],
            self.volume[rows],
            self.open_interest[rows],
            self.spot[rows],
        )

    def on(self, day: date) -> "Chain":
        """The rows of one day."""
        return self.where(self.day == np.datetime64(day, "D"))


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """The quotes of one expiry that make its smile, by strike, and how many quotes had which status."""

    rows: Chain
    log_strike: FloatArray
    vol: FloatArray
    counts: dict[str, int]


@dataclass(frozen=True, slots=True)
class ExpiryRead:
    """What one expiry said; `smile` and its `quoted` span of log strikes are for comparing expiries."""

    expiry: date
    output: dict[str, object]
    smile: Smile | None
    quoted: tuple[float, float]


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


def read_expiry(ledger: Ledger, chain: Chain, expiry: date, rate: float) -> ExpiryRead:
    """Forward, volatilities, SVI smile, skew, move and ratios of one expiry of one day's chain.

    What cannot be had from these quotes is an object with `refused` that says why.
    """
    rows = chain.where(chain.expiry == np.datetime64(expiry, "D"))
    days = int((rows.expiry[0] - rows.day[0]).astype(int))
    years = days / DAYS_PER_YEAR
    traded = rows.where(rows.is_traded)
    output: dict[str, object] = {
        "expiry": expiry.isoformat(),
        "days": days,
        "years": figure(years),
        "rows": len(rows.strike),
        "traded": len(traded.strike),
        "put_call": _ratios(rows),
    }
    smile, quoted = None, (0.0, 0.0)
    try:
        pairs = _pairs(traded)
        forward = _forward(pairs, math.exp(-rate * years))
    except ToolError as error:
        output["refused"] = error.message
    else:
        output["forward"] = figure(forward)
        output["move"] = _stated(lambda: {"fraction": figure(implied_move(*pairs, forward))})
        points = _points(traded, forward, years, rate)
        output["status"] = points.counts
        output["points"] = _point_rows(points)
        smile, output["smile"] = _smile(points, years)
        if smile is not None:
            quoted = float(points.log_strike[0]), float(points.log_strike[-1])
            output["skew"] = _skew(smile, points, forward, years)
    ledger.record("option_expiry", 1, "as named", {"expiry": expiry.isoformat(), "rate": rate}, output)
    return ExpiryRead(expiry, output, smile, quoted)


def calendar_check(ledger: Ledger, expiries: Sequence[ExpiryRead]) -> list[dict[str, object]]:
    """Each fitted smile against the one before, where both were quoted: total variance must not fall with time."""
    fitted = [(item, item.smile) for item in expiries if item.smile is not None]
    output: list[dict[str, object]] = []
    for (before, near), (after, far) in pairwise(fitted):
        low, high = max(before.quoted[0], after.quoted[0]), min(before.quoted[1], after.quoted[1])
        row: dict[str, object] = {"from": before.expiry.isoformat(), "to": after.expiry.isoformat()}
        if low < high:
            least = VolSurface((near, far)).check(np.linspace(low, high, CURVE_POINTS)).least_calendar
            row |= {"least_growth": figure(least), "is_free": least >= 0.0}
        else:
            row["refused"] = "the two smiles share no quoted strikes"
        output.append(row)
    inputs = {"expiries": [item.expiry.isoformat() for item, _ in fitted]}
    ledger.record("calendar_check", 1, "total variance", inputs, {"rows": output})
    return output


def chain_flow(ledger: Ledger, chain: Chain) -> dict[str, object]:
    """Put/call ratios of one day's chain over all its expiries."""
    output: dict[str, object] = {"spot": figure(float(chain.spot[0])), "rows": len(chain.strike), **_ratios(chain)}
    ledger.record("chain_flow", 1, "ratio", {}, output)
    return output


def unusual_contracts(ledger: Ledger, chain: Chain, day: date) -> dict[str, object]:
    """The contracts whose volume stands out most from the five recorded days before; uses nothing later."""
    at = np.datetime64(day, "D")
    earlier = np.unique(chain.day[chain.day < at])[-UNUSUAL_DAYS:]
    output: dict[str, object] = (
        {"refused": f"the file holds {len(earlier)} earlier days, {UNUSUAL_DAYS} are needed"}
        if len(earlier) < UNUSUAL_DAYS
        else _unusual(chain, at, earlier)
    )
    ledger.record("unusual_volume", 1, "contracts", {"days": UNUSUAL_DAYS}, output)
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


def _stated(measure: Callable[[], dict[str, object]]) -> dict[str, object]:
    try:
        return measure()
    except QuantError as error:
        return {"refused": error.message}


def _ratios(rows: Chain) -> dict[str, object]:
    """Put/call of volume and of open interest; contracts of unknown open interest are left out and counted."""
    known = np.isfinite(rows.open_interest)
    sides = {"volume": rows.volume, "open_interest": np.where(known, rows.open_interest, 0.0)}
    ratios = {name: _ratio(counts * ~rows.is_call, counts * rows.is_call) for name, counts in sides.items()}
    return {**ratios, "contracts": int(rows.volume.sum()), "open_interest_unknown": int((~known).sum())}


def _ratio(puts: FloatArray, calls: FloatArray) -> float | None:
    return figure(put_call_ratio(puts, calls)) if calls.sum() > 0.0 else None


def _pairs(traded: Chain) -> Pairs:
    """Strikes at which call and put both traded, ascending, with their prices."""
    strikes, at_call, at_put = np.intersect1d(
        traded.strike[traded.is_call], traded.strike[~traded.is_call], assume_unique=True, return_indices=True
    )
    if len(strikes) < 2:
        raise NotEnoughData(
            f"{len(strikes)} strikes have both a traded call and a traded put, 2 are needed for a forward",
            remedy="Choose another day, or read this expiry off its neighbors.",
        )
    return strikes, traded.price[traded.is_call][at_call], traded.price[~traded.is_call][at_put]


def _forward(pairs: Pairs, discount: float) -> float:
    """By parity, at the strikes where call and put are worth most nearly the same: no spot is needed for that."""
    strikes, calls, puts = pairs
    nearest = np.sort(np.argsort(np.abs(calls - puts), kind="stable")[:NEAR_PAIRS])
    return implied_forward(strikes[nearest], calls[nearest], puts[nearest], discount)


def _points(traded: Chain, forward: float, years: float, rate: float) -> Points:
    """A volatility for every traded quote on the forward; those out of the money and not all tick make the smile."""
    # Discounted to today, the forward is the spot of an asset that pays nothing until expiry.
    found = _vols(traded, forward * math.exp(-rate * years), years, rate)
    is_otm = traded.is_call == (traded.strike >= forward)
    kept = np.flatnonzero(found.is_solved & is_otm & (traded.price >= LEAST_PRICE))
    kept = kept[np.argsort(traded.strike[kept], kind="stable")]
    counts = {status.name.lower(): int((found.status == status).sum()) for status in VolStatus}
    counts |= {"in_the_money": int((~is_otm).sum()), "in_smile": len(kept)}
    return Points(traded.where(kept), np.log(traded.strike[kept] / forward), found.vol[kept], counts)


def _vols(rows: Chain, spot: float, years: float, rate: float) -> ImpliedVols:
    kinds = np.where(rows.is_call, "call", "put")
    return implied_volatilities(kinds, rows.price, spot, rows.strike, years, rate)


def _point_rows(points: Points) -> list[dict[str, object]]:
    rows = points.rows
    return [
        {
            "strike": figure(float(rows.strike[place])),
            "kind": "call" if rows.is_call[place] else "put",
            "price": figure(float(rows.price[place])),
            "volume": int(rows.volume[place]),
            "vol": figure(float(points.vol[place])),
        }
        for place in range(len(rows.strike))
    ]


def _smile(points: Points, years: float) -> tuple[Smile | None, dict[str, object]]:
    """Raw SVI weighted by vega, its errors, a butterfly check where quotes are, and a curve to draw."""
    k, vols = points.log_strike, points.vol
    try:
        # Vega, up to a factor that all points of one expiry share.
        d1 = -k / (vols * math.sqrt(years)) + 0.5 * vols * math.sqrt(years)
        smile = fit_smile(k, vols, years, np.exp(-0.5 * d1 * d1))
        grid = np.linspace(k[0], k[-1], CURVE_POINTS)
        least = VolSurface((smile,)).check(grid).least_butterfly
    except QuantError as error:
        return None, {"refused": error.message}
    miss = smile.vol(k) - vols
    forward = float(points.rows.strike[0] / math.exp(k[0]))
    return smile, {
        "parameters": {name: figure(value) for name, value in asdict(smile).items()},
        "at_the_money": figure(float(smile.vol(0.0))),
        "rmse": figure(float(np.sqrt(np.mean(miss**2)))),
        "worst": figure(float(np.abs(miss).max())),
        "least_butterfly": figure(least),
        "is_free": least >= 0.0,
        "curve": {
            "strike": [figure(value) for value in (forward * np.exp(grid)).tolist()],
            "vol": [figure(value) for value in smile.vol(grid).tolist()],
        },
    }


def _skew(smile: Smile, points: Points, forward: float, years: float) -> dict[str, object]:
    """The 25-delta put less the 25-delta call, on the fitted smile at the quoted strikes, which never extrapolates."""
    fitted = smile.vol(points.log_strike)
    return _stated(lambda: {"fraction": figure(delta_skew(points.rows.strike, fitted, forward, years))})


def _unusual(chain: Chain, at: np.datetime64, earlier: npt.NDArray[np.datetime64]) -> dict[str, object]:
    """Only contracts listed on each of the earlier days are compared; the others are counted."""
    today = chain.where(chain.day == at)
    past = [_volumes(chain, day) for day in earlier]
    keys = _keys(today)
    listed = [place for place, key in enumerate(keys) if all(key in volumes for volumes in past)]
    output: dict[str, object] = {"compared": len(listed), "left_out": len(keys) - len(listed), "rows": []}
    if not listed:
        return output
    before = np.array([[volumes[keys[place]][0] for place in listed] for volumes in past])
    interest = np.nan_to_num(np.array([past[-1][keys[place]][1] for place in listed]))
    found = unusual_volume(today.volume[listed], before, interest)
    busy = [row for row, place in enumerate(listed) if today.volume[place] >= UNUSUAL_CONTRACTS]
    order = sorted(busy, key=lambda row: (-found.z_score[row], keys[listed[row]]))[:UNUSUAL_ROWS]
    output["rows"] = [
        {
            "expiry": str(today.expiry[listed[row]]),
            "strike": figure(float(today.strike[listed[row]])),
            "kind": "call" if today.is_call[listed[row]] else "put",
            "volume": int(today.volume[listed[row]]),
            "usual": int(np.median(before[:, row])),
            "z_score": figure(float(found.z_score[row])),
            "turnover": figure(float(found.turnover_frac[row])),
        }
        for row in order
    ]
    return output


def _keys(rows: Chain) -> list[Key]:
    return list(zip(rows.expiry.astype(int).tolist(), rows.strike.tolist(), rows.is_call.tolist(), strict=True))


def _volumes(chain: Chain, day: np.datetime64) -> dict[Key, tuple[float, float]]:
    """Volume and open interest by contract, of one day."""
    rows = chain.where(chain.day == day)
    counts = zip(rows.volume.tolist(), rows.open_interest.tolist(), strict=True)
    return dict(zip(_keys(rows), counts, strict=True))
