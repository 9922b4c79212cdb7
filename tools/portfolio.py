"""The optimizer's tools: target weights by the default policy, and the plan of whole shares that reaches them."""

from dataclasses import asdict, dataclass
from decimal import ROUND_DOWN, Decimal

import numpy as np
import numpy.typing as npt

from ..domain.canonical import short_id
from ..domain.orders import ParentOrder, Plan, Side
from ..domain.views import AbstainReason, Abstention, SizingStep, TargetWeights
from ..quant.arrays import DAYS_PER_YEAR
from ..quant.black_litterman import equilibrium, posterior
from ..quant.calibration import HORIZON_DAYS, Outlook, tilt_is_open
from ..quant.optimizer import maximize_utility, project
from ..quant.policy import Exposure, NeutralParams, exposure, neutral_book, rebalance_needed, reference_book
from ..quant.weight_limits import GroupLimits
from .errors import CovarianceUnsound
from .ledger import Ledger, figure, figures
from .locates import most_short
from .risk import HEADROOM_FRAC
from .scene import Scene

FloatArray = npt.NDArray[np.float64]

RISK_AVERSION = 5.0
VIEW_UNCERTAINTY = 0.05
EIGENVALUE_TOLERANCE = 1e-9
"""Of the trace: what rounding may take from the smallest eigenvalue of a sound covariance matrix."""
BOOKS = "recorded_quotes"
"""Who says that nothing is ordered in a name whose book is unsound."""
MIN_TRADE_FRAC = 0.0005
"""Legs smaller than this share of equity cost more attention than they are worth."""


@dataclass(frozen=True, slots=True)
class Book:
    """The unscaled book: weights that sum to one, and whether the calibration gate let the scores tilt it."""

    weights: FloatArray
    is_tilted: bool
    expected_gain: float


def target_weights(
    ledger: Ledger, scene: Scene, caps: dict[str, float], max_gross: float, outlook: Outlook | None
) -> tuple[str, TargetWeights]:
    """Reference book, tilt if proven, volatility target, throttle, caps, band: every step in the path."""
    classes = [item.asset_class.value for item in scene.instruments]
    policy = scene.policy
    is_neutral = isinstance(policy, NeutralParams)
    if isinstance(policy, NeutralParams):
        # The scores' views are of a book that is only long.
        book = Book(neutral_book(scene.returns, policy.side_frac), False, 0.0)
    else:
        book = _tilted(scene, reference_book(scene.returns, classes), outlook)
    equity, peak = float(scene.equity), float(scene.peak_equity)
    sizing = exposure(book.weights, scene.returns, scene.vix, equity, peak, scene.policy)
    wanted = sizing.multiplier * book.weights
    upper = np.array([caps[symbol] for symbol in scene.symbols])
    sectors = [f"{item.asset_class.value}/{item.sector}" for item in scene.instruments]
    groups = GroupLimits.of_labels(sectors, _sector_caps(scene, sectors))
    gross = max_gross - _frozen_gross(scene)
    nothing = np.zeros_like(upper)
    lower = -np.minimum(upper, most_short(scene)) if is_neutral else nothing
    target = project(wanted, lower, upper, groups, gross=gross) if gross > 0 else nothing
    held = scene.vector(scene.held_weights())
    rebalance = rebalance_needed(target, held, scene.policy.band)
    path = _path(book, sizing, wanted, target, held, scene)
    body = _body(scene, target, held, book, sectors) | {"rebalance": rebalance}
    inputs = {
        "caps": caps,
        "max_gross": max_gross,
        "held": body["held"],
        "equity": str(scene.equity),
        "peak_equity": str(scene.peak_equity),
        "limits": scene.limits.hash(),
        "policy": asdict(scene.policy),
    }
    output = body | {"path": [step.model_dump(mode="json") for step in path]}
    evidence = ledger.record("target_weights", 1, "fraction of equity", inputs, output)
    says = "drift is past the band: rebalance" if rebalance else "drift is inside the band: keep the book"
    targets = TargetWeights.model_validate(body | {"path": path, "evidence": (evidence.id,), "explanation": says})
    return evidence.id, targets


def _tilted(scene: Scene, reference: FloatArray, outlook: Outlook | None) -> Book:
    """The reference book, or the Black-Litterman book of the scores when their record opens the gate."""
    closed = Book(reference, False, 0.0)
    # Asked first with any gain at no cost: while the record is not proven, the rest need not be solved.
    if outlook is None or not tilt_is_open(outlook, float("inf"), 0.0, 0.0):
        return closed
    cov = scene.covariance * HORIZON_DAYS
    n_names = len(reference)
    prior = equilibrium(cov, reference, RISK_AVERSION)
    goal = prior + outlook.expected_residual_return
    views = posterior(prior_mean=prior, cov=cov, tau=VIEW_UNCERTAINTY, P=np.eye(n_names), q=goal)
    upper = np.full(n_names, scene.policy.name_cap(n_names))
    solved = maximize_utility(views.mean, cov, lower=np.zeros(n_names), upper=upper, gamma=RISK_AVERSION)
    gain = float(outlook.expected_residual_return @ (solved.weights - reference))
    turnover = float(np.abs(solved.weights - reference).sum())
    cost_frac = (scene.costs.half_spread_bps + scene.costs.fee_bps) / 1e4
    if not tilt_is_open(outlook, gain, cost_frac, turnover):
        return closed
    return Book(solved.weights, True, gain)


def _sector_caps(scene: Scene, sectors: list[str]) -> dict[str, float]:
    caps: dict[str, float] = {}
    for instrument, label in zip(scene.instruments, sectors, strict=True):
        caps[label] = scene.limits.max_sector_weight.of(instrument.asset_class) * HEADROOM_FRAC
    return caps


def _frozen_gross(scene: Scene) -> float:
    """What is held in names that are not fit to trade now: it takes up room that the targets must leave."""
    fit = set(scene.symbols)
    return sum(abs(weight) for symbol, weight in scene.held_weights().items() if symbol not in fit)


def _path(
    book: Book, sizing: Exposure, wanted: FloatArray, target: FloatArray, held: FloatArray, scene: Scene
) -> tuple[SizingStep, ...]:
    """The chain of sizes as gross exposure, from the unscaled book to what is held and wanted."""
    tilt = "tilted by the scores" if book.is_tilted else "untilted: the scores' record does not open the gate"
    steps = (
        ("reference book", float(book.weights.sum()), tilt),
        ("volatility forecast", sizing.vol_forecast, "annual, of the unscaled book"),
        ("volatility target", sizing.k_vol, "multiplier that brings the forecast to the target"),
        ("vix rule", sizing.k_vix, "multiplier; one where the source has no volatility index"),
        ("drawdown", sizing.drawdown, "fall of equity from its peak"),
        ("drawdown throttle", sizing.k_dd, "multiplier"),
        ("wanted gross", float(np.abs(wanted).sum()), "reference book times the multipliers"),
        ("capped gross", float(np.abs(target).sum()), "after caps per name, sector and account"),
        ("held gross", float(np.abs(held).sum()), "what is held now"),
        ("drift", float(np.abs(target - held).sum()), "sum of the moves to the target"),
        ("band", scene.policy.band * max(float(np.abs(target).sum()), 0.1), "drift that is worth trading"),
    )
    return tuple(SizingStep(name=name, value=figure(value), text=text) for name, value, text in steps)


def _body(scene: Scene, target: FloatArray, held: FloatArray, book: Book, sectors: list[str]) -> dict[str, object]:
    """The figures of the target, as the ledger and the decision both keep them."""
    exposures: dict[str, float] = {}
    for label, weight in zip(sectors, target.tolist(), strict=True):
        exposures[label] = exposures.get(label, 0.0) + weight
    variance_annual = _variance(scene, target) * DAYS_PER_YEAR
    return {
        "weights": figures(scene.symbols, target.tolist()),
        "held": figures(scene.symbols, held.tolist()),
        "gross": figure(float(np.abs(target).sum())),
        "turnover": figure(float(np.abs(target - held).sum())),
        "volatility_annual": figure(variance_annual**0.5),
        "expected_return": figure(book.expected_gain),
        "exposures": {label: figure(value) for label, value in sorted(exposures.items())},
    }


def _variance(scene: Scene, weights: FloatArray) -> float:
    """Of one session. Raises CovarianceUnsound: no book is sized by a matrix that is none."""
    cov = scene.covariance
    least = float(np.linalg.eigvalsh(cov)[0]) if np.isfinite(cov).all() else float("nan")
    if not least >= -EIGENVALUE_TOLERANCE * float(np.trace(cov)):
        found = "holes" if least != least else f"an eigenvalue of {least:.3g}"
        raise CovarianceUnsound(
            f"the covariance matrix as of {scene.view.as_of:%Y-%m-%d} has {found}",
            remedy="Run `parley data check` on this source; no decision is made on such a matrix.",
        )
    return max(float(weights @ cov @ weights), 0.0)


def draft_plan(scene: Scene, targets: TargetWeights, decision_id: str) -> Plan:
    """Whole shares from held to target, sells first so that they can pay; none when the drift is in the band."""
    symbols = targets.weights if targets.rebalance else ()
    legs = [leg for symbol in symbols if (leg := _leg(scene, targets, symbol, decision_id)) is not None]
    legs.sort(key=lambda leg: leg.side is Side.BUY)
    return Plan(
        plan_id=short_id("plan", decision_id), decision_id=decision_id, as_of=scene.view.as_of, legs=tuple(legs)
    )


def on_sound_books(scene: Scene, plan: Plan) -> tuple[Plan, list[Abstention]]:
    """The plan without new orders in names whose book is locked or crossed now, and who is left out for that."""
    left_out = sorted({leg.symbol for leg in plan.legs} & scene.view.unsound)
    if not left_out:
        return plan, []
    legs = tuple(leg for leg in plan.legs if leg.symbol not in left_out)
    text = f"no order in {', '.join(left_out)}: the newest quote is locked or crossed"
    silent = Abstention(who=BOOKS, reason=AbstainReason.UNSOUND_BOOK, text=text)
    return plan.model_copy(update={"legs": legs}), [silent]


def _leg(scene: Scene, targets: TargetWeights, symbol: str, decision_id: str) -> ParentOrder | None:
    price = scene.prices[symbol]
    held = scene.portfolio.quantity(symbol)
    lot = scene.instrument(symbol).lot
    value = scene.equity * Decimal(repr(targets.weights[symbol]))
    wanted = int((value / price / lot).to_integral_value(rounding=ROUND_DOWN)) * lot
    # Whole lots, except that a target of nothing sells the odd ones too.
    change = wanted - held if wanted == 0 else int(Decimal(wanted - held) / lot) * lot
    if change == 0 or abs(change) * price < scene.equity * Decimal(repr(MIN_TRADE_FRAC)):
        return None
    side = Side.BUY if change > 0 else Side.SELL
    return ParentOrder(
        order_id=short_id("par", decision_id, symbol),
        decision_id=decision_id,
        symbol=symbol,
        side=side,
        quantity=abs(change),
        reference_price=price,
        reason="toward target" if side is Side.BUY else "back to target",
    )
