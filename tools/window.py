"""What every way to build a book starts from: a year of returns, two covariances, the limits, the scores' opinion."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..quant.calibration import tilt_is_open
from ..quant.covariance import shrunk_cov
from ..quant.shrinkage import ledoit_wolf_cov
from ..quant.var import beta
from ..quant.weight_limits import FactorLimits, GroupLimits
from .errors import NotEnoughData
from .estimators import Estimators
from .ledger import Ledger
from .market import scores
from .scene import FloatArray, Scene

_SURE = 0.99


@dataclass(frozen=True, slots=True, eq=False)
class Opinion:
    """What the scores expect of each name over the horizon, and whether their record lets the desk act on it."""

    residual_return: FloatArray
    """(n_names,) beyond the market, over HORIZON_DAYS, as fractions."""
    confidence: FloatArray
    """(n_names,) from 0, no view, to below 1: what the chance of the right sign has beyond a coin's, doubled."""
    is_open: bool


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """What every method builds from: a year of returns, two covariances, the limits, and the scores' opinion."""

    symbols: tuple[str, ...]
    returns: FloatArray
    cov: FloatArray
    """Shrunk: fast volatilities around a slow correlation. Used by every method that does not say otherwise."""
    ledoit_wolf: FloatArray
    intensity: float
    """How far Ledoit and Wolf's estimate was shrunk, 0 to 1."""
    classes: tuple[str, ...]
    max_name_frac: float
    sectors: GroupLimits
    betas: FloatArray
    """(n_names,) slopes on the market over the window."""
    tilts: FactorLimits | None
    """Bounds on the book's exposures that were asked for; None when there are none."""
    opinion: Opinion | None
    no_opinion: str
    """Why there is none; empty when there is."""


@dataclass(frozen=True, slots=True)
class AskedLimits:
    """Limits of the books beyond those of the desk, which they can tighten and never widen."""

    max_sector_frac: float | None = None
    """The most any sector may have, a fraction of equity."""
    beta_low: float | None = None
    beta_high: float | None = None
    """Bounds on the market beta of the book; both are given, or neither."""

    def tilts(self, betas: FloatArray) -> FactorLimits | None:
        """The bound on beta as the optimizer takes it."""
        if self.beta_low is None or self.beta_high is None:
            return None
        return FactorLimits(betas[None, :], np.array([self.beta_low]), np.array([self.beta_high]), ("market beta",))


def window_of(
    ledger: Ledger,
    scene: Scene,
    estimators: Estimators,
    names: Sequence[str] | None = None,
    asked: AskedLimits | None = None,
) -> Window:
    """The window that ends at the scene's close, over `names` or all tradable ones; raises NotEnoughData below two."""
    wanted = asked or AskedLimits()
    symbols = tuple(scene.symbols if names is None else names)
    if len(symbols) < 2:
        raise NotEnoughData(
            f"{len(symbols)} tradable name before {scene.view.as_of:%Y-%m-%d}, building a book needs two",
            remedy="Use a data set with more names, or a later --as-of.",
        )
    places = [scene.symbols.index(symbol) for symbol in symbols]
    returns = scene.returns[:, places]
    instruments = [scene.instruments[place] for place in places]
    labels = [f"{item.asset_class.value}/{item.sector}" for item in instruments]
    most = float("inf") if wanted.max_sector_frac is None else wanted.max_sector_frac
    caps = {
        label: min(scene.limits.max_sector_weight.of(item.asset_class), most)
        for label, item in zip(labels, instruments, strict=True)
    }
    opinion, no_opinion = _opinion(ledger, scene, estimators, places)
    ledoit_wolf, intensity = ledoit_wolf_cov(returns)
    betas = beta(returns, scene.market_returns)
    return Window(
        symbols=symbols,
        returns=returns,
        cov=shrunk_cov(returns),
        ledoit_wolf=ledoit_wolf,
        intensity=intensity,
        classes=tuple(item.asset_class.value for item in instruments),
        max_name_frac=scene.policy.name_cap(len(symbols)),
        sectors=GroupLimits.of_labels(labels, caps),
        betas=betas,
        tilts=wanted.tilts(betas),
        opinion=opinion,
        no_opinion=no_opinion,
    )


def _opinion(ledger: Ledger, scene: Scene, estimators: Estimators, places: Sequence[int]) -> tuple[Opinion | None, str]:
    try:
        outlook = scores(ledger, scene, estimators)[1].outlook
    except NotEnoughData as error:
        return None, error.message
    # A coin's chance of the right sign is no view; a certain sign would be a constraint, so it stops short of that.
    confidence = np.clip(2.0 * outlook.confidence[places] - 1.0, 0.0, _SURE)
    is_open = tilt_is_open(outlook, float("inf"), 0.0, 0.0)
    return Opinion(outlook.expected_residual_return[places], confidence, is_open), ""
