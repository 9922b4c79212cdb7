"""The life of a series in regimes and breaks: yearly models carried forward, spells, and when its law changed."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ..quant.arrays import DAYS_PER_YEAR
from ..quant.change_points import RunPrior, cusum, cusum_threshold, detect_changes
from ..quant.errors import QuantError
from ..quant.online_regimes import OnlinePath, OnlineRegimes, learn_path
from ..quant.regimes import RegimeModel, candidate_regimes
from .bars import Bars
from .errors import NotEnoughData
from .estimators import FIT_DAYS, MIN_FIT_DAYS
from .ledger import Ledger, figure, figures
from .scene import FloatArray, Scene

RECORD_YEARS = 10
MEMORY_DAYS = 500
"""Memory of the online update: two years. On the index of us20 in 1994-2022 it gained 0.020 of log-likelihood a day
over waiting for January (0.025 at 250 days, 0.015 at 1000, 0.006 at 4000), in 25 of the 29 years."""
SPELLS_SHOWN = 8
CHANGE_DAYS = 1260
PRIOR_DAYS = 126
RECENT_DAYS = 21
CONFIRM_DAYS = 10
FALSE_ALARM_DAYS = 1000.0
CUSUM_DRIFT = 0.1
MEAN_DAYS = 252
VOL_DAYS = 63


@dataclass(frozen=True, slots=True, eq=False)
class RegimeWalk:
    """The last years day by day: each year's model, fitted on what came before it, then frozen or learning."""

    first_bar: int
    """The bar of the first day; row k is bar ``first_bar + k``."""
    labels: Sequence[str]
    """The likeliest state at each close, by the learning model."""
    probability: FloatArray
    """(n_days,) of that state."""
    frozen: FloatArray
    """(n_days,) log density of each return the close before, with the parameters of January."""
    online: FloatArray
    """(n_days,) the same with parameters that learn."""
    model: RegimeModel
    frozen_now: FloatArray
    """(n_states,) filtered probabilities at the last close under the frozen model."""
    last: OnlineRegimes
    bic: dict[str, float]
    fitted_days: int


def regime_history(ledger: Ledger, scene: Scene, bars: Bars) -> tuple[str, dict[str, object]]:
    """States chosen by BIC, where the series stands, how long regimes last, and whether learning beats waiting."""
    output = scene.once(f"regime_history/{bars.name}", lambda: _stated_history(scene, bars))
    inputs = {"series": bars.name, "memory_days": MEMORY_DAYS, "years": RECORD_YEARS}
    return ledger.record("regime_history", 1, "probability", inputs, output).id, output


def change_points(ledger: Ledger, scene: Scene, bars: Bars) -> tuple[str, dict[str, object]]:
    """Dates on which the mean or volatility of a series changed, by a Bayesian detector, and alarms of its drift."""
    output = scene.once(f"change_points/{bars.name}", lambda: _changes(bars))
    inputs = {"series": bars.name, "days": CHANGE_DAYS, "false_alarm_days": FALSE_ALARM_DAYS}
    return ledger.record("change_points", 1, "probability", inputs, output).id, output


def regime_walk(scene: Scene, bars: Bars) -> RegimeWalk:
    """The walk over the last ten years, worked out once a scene. Each January's model saw earlier days only.

    Raises NotEnoughData for fewer than 504 days before this year, and SampleError for a series that never moves.
    """
    return scene.once(f"regime_walk/{bars.name}", lambda: _walk(bars))


def _walk(bars: Bars) -> RegimeWalk:
    returns, years = bars.returns, bars.sessions.astype("datetime64[Y]")
    starts = [int(np.searchsorted(years, year)) for year in np.unique(years)[-RECORD_YEARS:]]
    starts = [start for start in starts if start - 1 >= MIN_FIT_DAYS]
    if not starts or starts[-1] != int(np.searchsorted(years, years[-1])):
        raise NotEnoughData(
            f"{bars.name}: {int(np.searchsorted(years, years[-1]))} bars before this year, regimes need {MIN_FIT_DAYS}",
            remedy="Give a later --as-of, or a longer history.",
        )
    ends = [*starts[1:], len(bars.close)]
    lived = [_lived(returns, start, end) for start, end in zip(starts, ends, strict=True)]
    latest = lived[-1]
    return RegimeWalk(
        first_bar=starts[0],
        labels=[label for year in lived for label in year.labels],
        probability=np.concatenate([year.online.probability.max(axis=1) for year in lived]),
        frozen=np.concatenate([year.frozen.log_density for year in lived]),
        online=np.concatenate([year.online.log_density for year in lived]),
        model=latest.model,
        frozen_now=latest.frozen.probability[-1],
        last=latest.online.last,
        bic={str(len(each.vol)): figure(each.bic) for each in latest.candidates},
        fitted_days=latest.model.n_rows,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Year:
    candidates: tuple[RegimeModel, ...]
    model: RegimeModel
    frozen: OnlinePath
    online: OnlinePath

    @property
    def labels(self) -> list[str]:
        return [self.model.labels[state] for state in self.online.probability.argmax(axis=1).tolist()]


def _lived(returns: FloatArray, start: int, end: int) -> _Year:
    """The year of bars ``start`` to ``end - 1``: a model of the returns before it, and the year's own under it."""
    fitted, lived = returns[max(0, start - 1 - FIT_DAYS) : start - 1], returns[start - 1 : end - 1]
    candidates = candidate_regimes(fitted)
    model = min(candidates, key=lambda each: each.bic)
    return _Year(
        candidates,
        model,
        frozen=learn_path(model, fitted, lived, 0.0),
        online=learn_path(model, fitted, lived, 1.0 / MEMORY_DAYS),
    )


def _stated_history(scene: Scene, bars: Bars) -> dict[str, object]:
    try:
        walk = regime_walk(scene, bars)
    except (QuantError, NotEnoughData) as error:
        return {"series": bars.name, "refused": error.message}
    names = walk.model.labels
    gain = walk.online - walk.frozen
    spread = float(gain.std(ddof=1)) / len(gain) ** 0.5 if len(gain) > 1 else 0.0
    return {
        "series": bars.name,
        "states": len(names),
        "bic": walk.bic,
        "fitted_days": walk.fitted_days,
        "label": walk.labels[-1],
        "now": figures(names, walk.last.probability.tolist()),
        "now_frozen": figures(names, walk.frozen_now.tolist()),
        "annual_vol": figures(names, _yearly(walk.last.vol)),
        "annual_vol_frozen": figures(names, _yearly(walk.model.vol)),
        "dwell_days": _dwell(names, walk.last.transition),
        "spells": _spells(bars, walk)[-SPELLS_SHOWN:][::-1],
        "by_label": _by_label(bars, walk),
        "learning": {
            "days": len(gain),
            "memory_days": MEMORY_DAYS,
            "frozen_per_day": figure(float(walk.frozen.mean())),
            "online_per_day": figure(float(walk.online.mean())),
            "gain_per_day": figure(float(gain.mean())),
            "t_stat": figure(float(gain.mean()) / spread) if spread > 0.0 else None,
        },
    }


def _yearly(vol: FloatArray) -> list[float]:
    return (vol * DAYS_PER_YEAR**0.5).tolist()


def _dwell(names: Sequence[str], transition: FloatArray) -> dict[str, float | None]:
    """Days a regime is expected to last once it is there; None for one that is never left."""
    leaves = [1.0 - float(stay) for stay in np.diag(transition)]
    return {name: figure(1.0 / leave) if leave > 1e-9 else None for name, leave in zip(names, leaves, strict=True)}


def _spells(bars: Bars, walk: RegimeWalk) -> list[dict[str, object]]:
    spells: list[dict[str, object]] = []
    bar = walk.first_bar
    for label, days in groupby(walk.labels):
        length = len(list(days))
        spells.append({"label": label, "first": bars.day(bar), "last": bars.day(bar + length - 1), "days": length})
        bar += length
    return spells


def _by_label(bars: Bars, walk: RegimeWalk) -> list[dict[str, object]]:
    """For each label its share of days, and the yearly volatility of the days *after* those so labeled."""
    after = bars.returns[walk.first_bar :]
    called = np.array(walk.labels[: len(after)])
    counts = Counter(walk.labels)
    rows: list[dict[str, object]] = []
    for label in ("calm", "stressed", "crisis"):
        next_days = after[called == label]
        if counts[label]:
            rows.append(
                {
                    "label": label,
                    "days": counts[label],
                    "share": figure(counts[label] / len(walk.labels)),
                    "next_day_annual_vol": figure(_yearly(next_days.std(ddof=1, keepdims=True))[0])
                    if len(next_days) > 1
                    else None,
                }
            )
    return rows


def _changes(bars: Bars) -> dict[str, object]:
    returns = bars.returns[-CHANGE_DAYS:]
    first_bar = len(bars.close) - len(returns)
    if len(returns) < MEAN_DAYS + VOL_DAYS or returns[:PRIOR_DAYS].std() <= 0.0:
        wanted = MEAN_DAYS + VOL_DAYS
        return {
            "series": bars.name,
            "refused": f"{len(returns)} days of moves, a change needs {wanted} to show against",
        }
    path = detect_changes(RunPrior(vol=float(returns[:PRIOR_DAYS].std(ddof=1))), returns, RECENT_DAYS)
    return {
        "series": bars.name,
        "days": len(returns),
        "recent_days": RECENT_DAYS,
        "probability": figure(float(path.recent_change[-1])),
        "likeliest_run_days": int(path.likeliest_run_days[-1]),
        "changes": [
            _change_row(bars, returns, first_bar, *found) for found in _confirmed(path.likeliest_run_days.tolist())
        ][::-1],
        "cusum": _drift_alarms(bars),
    }


def _confirmed(run_days: Sequence[int]) -> list[tuple[int, int]]:
    """(began, known) rows: a beginning counts once it was the likeliest for ten closes in a row, and only once."""
    began = [row + 1 - days for row, days in enumerate(run_days)]
    found: list[tuple[int, int]] = []
    row = 0
    for start, rows in groupby(began):
        length = len(list(rows))
        is_new = start > 0 and all(abs(start - earlier) > RECENT_DAYS for earlier, _ in found)
        if length >= CONFIRM_DAYS and is_new:
            found.append((start, row + CONFIRM_DAYS - 1))
        row += length
    return found


def _change_row(bars: Bars, returns: FloatArray, first_bar: int, began: int, known: int) -> dict[str, object]:
    before, after = returns[max(0, began - VOL_DAYS) : began], returns[began : known + 1]
    vols = {
        name: figure(_yearly(days.std(ddof=1, keepdims=True))[0]) if len(days) > 1 else None
        for name, days in (("vol_before", before), ("vol_after", after))
    }
    return {"began": bars.day(first_bar + began), "known": bars.day(first_bar + known), **vols}


def _drift_alarms(bars: Bars) -> dict[str, object]:
    """Page's sums over surprises: each day's return less last year's mean, over last quarter's volatility."""
    returns = bars.returns
    start = max(MEAN_DAYS, len(returns) - CHANGE_DAYS)
    mean = sliding_window_view(returns, MEAN_DAYS).mean(axis=1)[start - MEAN_DAYS : -1]
    vol = sliding_window_view(returns, VOL_DAYS).std(axis=1, ddof=1)[start - VOL_DAYS : -1]
    if len(vol) == 0 or vol.min() <= 0.0:
        return {"refused": "a quarter without any move leaves nothing to measure surprises by"}
    threshold = cusum_threshold(FALSE_ALARM_DAYS, CUSUM_DRIFT)
    path = cusum((returns[start:] - mean) / vol, threshold, CUSUM_DRIFT)
    alarms = [
        {"session": bars.day(start + 1 + row), "side": 1 if path.upper[row] > path.lower[row] else -1}
        for row in path.alarms.tolist()
    ]
    return {
        "days": len(vol),
        "threshold": figure(threshold),
        "false_alarms_expected": figure(len(vol) / FALSE_ALARM_DAYS),
        "alarms": alarms[::-1],
    }
