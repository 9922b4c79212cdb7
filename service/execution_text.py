"""The execution study in words and tables, for a terminal and for docs/execution.md."""

from collections import Counter
from collections.abc import Sequence
from statistics import fmean, median

from ..domain.orders import Tactic
from ..evals.paired_execution import ARMS, EQUITY, N_SLICES, NOTIONALS, TWAP, URGENCY_OVER_SPAN, Trial
from ..evals.paired_statistics import BAND_LEVEL, Calibration, Estimate, Paired
from ..execution.board import FLOW_QUOTES, USUAL_QUOTES
from ..execution.tactics import LEANS_FROM, LEAST_SEEN, WIDE_FROM

PAIRED_HEADER = (
    "recording", "algorithm", "cost", "less TWAP's", "at the touch, less TWAP's", "cheaper", "filled", "refused",
)  # fmt: skip
CALIBRATION_HEADER = ("recording", "predicted", "came", "came less predicted", "slope", "in the 95 % band")
SPREAD_HEADER = (
    "recording", "half spread predicted", "paid less predicted", "slope", "impact predicted", "paid past the touch",
)  # fmt: skip
TIERS = {"T1": "quotes, T1", "T2": "depth, T2"}


def paired_row(row: Paired) -> tuple[str, ...]:
    return (
        row.kind,
        row.arm,
        f"{row.cost_bps:.2f}",
        _shown(row.difference_bps),
        _shown(row.immediate_bps),
        f"{row.better_frac:.0%}",
        f"{row.filled_frac:.1%}",
        f"{row.denied}",
    )


def calibration_row(row: Calibration) -> tuple[str, ...]:
    return (
        row.kind,
        f"{row.predicted_bps:.2f}",
        f"{row.realised_bps:.2f}",
        _shown(row.missed_bps),
        _shown(row.slope, 3),
        _percent(row.covered),
    )


def markdown(
    trials: Sequence[Trial], pairs: Sequence[Paired], calibrations: Sequence[Calibration], routing: str
) -> str:
    """The whole document; every number in it is computed."""
    parts = [
        "# Execution on recorded sessions\n",
        "Made by `parley execution-study --out docs/execution.md` from recordings alone; every number in its tables is "
        "computed. They are basis points of the order's value on arrival, positive when paid, unless they say "
        "otherwise. Every fill is simulated on recorded quotes or depth; none of these was drawn.\n",
        _setting(trials),
        _paired_text(trials, pairs),
        _calibration_text(calibrations),
        _conclusions(pairs, calibrations),
        routing,
    ]
    return "\n".join(part.strip("\n") + "\n" for part in parts)


def _setting(trials: Sequence[Trial]) -> str:
    rows: list[tuple[str, ...]] = []
    for kind, mine in _by_kind(trials).items():
        days = {trial.window.date() for trial in mine}
        windows = {trial.window for trial in mine}
        symbols = sorted({trial.symbol for trial in mine})
        (tier,) = {trial.tier for trial in mine}
        dates = ", ".join(f"{day}" for day in sorted(days))
        rows.append((kind, TIERS[tier], ", ".join(symbols), dates, f"{len(windows)}", f"{len(mine):,}"))
    sizes = " and ".join(f"{size:,}" for size in NOTIONALS)
    return "\n".join(
        (
            "## What was done\n",
            f"The same order ({sizes} in cash, bought and sold) is worked by each algorithm in the same window of a "
            f"recorded session, in {N_SLICES} slices, by the session that a live plan goes through: the gate reviews "
            "each child, and the exchange plays the recording with a retail line's latency and one basis point of "
            f"commission. The account has {EQUITY:,}. Shares left unfilled are charged the last touch and the fee.\n",
            _table(("recording", "fidelity", "symbols", "days", "windows", "orders"), rows),
            "**Out of sample: the predictions.** Volatility and daily volume come from daily bars up to the close "
            "before, spread and volume curve from the recorded sessions before (4 October 2013 for the 7th, the 4th "
            "and 7th for the 8th); in the order books, from the recording's first 75 seconds, in which nothing is "
            "worked. The desk's cost settings are its defaults.\n",
            "**Not blind: the measure.** The trials were run six times, and it was changed after looks at results on "
            "these sessions: TWAP was not given the earlier volume curve; shares left unfilled "
            "were not charged at first (CLOSE was then 0.24 below TWAP on minute quotes); others' volume was "
            "not told to the schedules; calibration left out orders that were not filled; and POV's rate was lowered "
            "to keep to the limit in a lull. Symbols, windows, sizes and the urgency of IS stayed as they were first "
            "set. That advice never pegs was decided with the pegged rows in sight. The leaning rows came later: their "
            "rule and its numbers were set before their first run and not changed after it. That run showed that the "
            "pegged and leaning rows of the order books, where advice is urgent, had never waited: since then these "
            "two are worked at medium urgency there.\n",
            f"IS is shown at an urgency of {URGENCY_OVER_SPAN:g} over the window (Almgren and Chriss's kappa T); at "
            f"the desk's own risk aversion these orders have {_urgencies(trials)}. POV takes the participation limit "
            "of what others were seen to trade, or less where volume is expected to fall. `TWAP, pegged` rests each "
            "slice at its own side first. `TWAP, leaning` lays it down there only where sizes and order flow (over "
            f"{FLOW_QUOTES} quotes) speak for a move its way of {LEANS_FROM:g} usual moves and the spread is "
            f"{WIDE_FROM:g} times the usual (over {USUAL_QUOTES} quotes), crosses as soon as they speak for one away, "
            f"and knows nothing in the first {LEAST_SEEN} quotes of a window.\n",
        )
    )


def _paired_text(trials: Sequence[Trial], pairs: Sequence[Paired]) -> str:
    usual = {
        kind: fmean(trial.cost_bps for trial in mine if trial.arm == TWAP.name)
        for kind, mine in _by_kind(trials).items()
    }
    costs = ", ".join(f"{kind} {cost:.2f}" for kind, cost in usual.items())
    return "\n".join(
        (
            "## Each algorithm against TWAP, order by order\n",
            f"TWAP itself cost: {costs}. A negative difference is a gain on TWAP. Intervals are 95 %, from a "
            "stationary bootstrap of whole windows in blocks of two on average. `At the touch` is the part paid to "
            "and past the touch, without the drift of the price. `Refused` are children that the gate turned down; "
            f"the checks that failed: {_failed(trials)}.\n",
            _table(PAIRED_HEADER, [paired_row(row) for row in pairs]),
        )
    )


def _calibration_text(calibrations: Sequence[Calibration]) -> str:
    rows = [
        (
            row.kind,
            f"{row.predicted_spread_bps:.2f}",
            _shown(row.spread_missed_bps),
            "one symbol" if row.spread_slope is None else _shown(row.spread_slope),
            f"{row.predicted_impact_bps:.2f}",
            f"{row.paid_impact_bps:.2f}",
        )
        for row in calibrations
    ]
    return "\n".join(
        (
            "## Predicted cost against realised cost\n",
            "A buy and a sell in the same window are taken together: their drifts cancel, and what is left is what "
            f"trading cost. The slope is that of realised on predicted costs, one if they grow together; the band is "
            f"the prediction and 1.96 of its standard deviations, which should hold {BAND_LEVEL:.0%} of single orders. "
            "All algorithms together.\n",
            _table(CALIBRATION_HEADER, [calibration_row(row) for row in calibrations]),
            "The parts. The spread is what a replay can show; impact is not, since the recorded market never saw "
            "the order and does not answer it.\n",
            _table(SPREAD_HEADER, rows),
        )
    )


def _conclusions(pairs: Sequence[Paired], calibrations: Sequence[Calibration]) -> str:
    clear = [row for row in pairs if row.difference_bps.is_clear]
    chance = (1.0 - BAND_LEVEL) * len(pairs)
    named = "; ".join(f"{row.arm} on {row.kind} {_shown(row.difference_bps)}" for row in clear) or "none"
    spread = "; ".join(f"{row.kind} {_shown(row.spread_missed_bps)}" for row in calibrations)
    return "\n".join(
        (
            "## What follows, and what does not\n",
            f"- Of {len(pairs)} differences to TWAP, {len(clear)} have an interval without zero, where about "
            f"{chance:.0f} would by chance alone: {named}.",
            _tactics(pairs),
            f"- Paid less predicted half spread: {spread}.",
            "- Nothing here measures impact. A replayed market does not move against an order, so the prediction's "
            "impact is neither confirmed nor refuted by the gap above, and an algorithm that hurries looks as cheap "
            "as one that waits. The desk's coefficients are left as they are: they were not tuned on these sessions.",
            "- The prediction is made for orders that take a session. Over a part of one its passing impact grows "
            "with one over the root of that part: for a minute of a day it is a law used far outside of where it was "
            "measured, and the largest numbers above are that.",
            "- Intervals from four or six windows are narrower than what is not known: they tell how much these "
            "windows differ, not how much days do.",
            "- Minute and second recordings hold volume but no single trades, so an order at rest is filled there "
            "only when the other side's quote comes to its price: the worst case for pegging. Ticks and books hold "
            "trades, on one name of one day and on minutes of one market.",
            "- **It can not be concluded that any of these algorithms is better than another for the next order.** "
            "Two days of October 2013 in four symbols and six minutes of one night in August 2024 are a test that "
            "the parts work and an order of magnitude of the spread, not a sample of markets. Minute, second and tick "
            "rows overlap in time and are not independent of each other.\n",
        )
    )


def _tactics(pairs: Sequence[Paired]) -> str:
    """Where the ways of placing a slice differ from placing it at once, and that none of them is used for it."""
    said: list[str] = []
    for arm in ARMS:
        if arm.tactic is not Tactic.MARKETABLE:
            clear = [row for row in pairs if row.arm == arm.name and row.difference_bps.is_clear]
            cheaper = ", ".join(row.kind for row in clear if row.difference_bps.value < 0.0) or "nothing"
            dearer = ", ".join(row.kind for row in clear if row.difference_bps.value > 0.0) or "nothing"
            said.append(f"{arm.name}, is clearly cheaper on {cheaper}, clearly dearer on {dearer}")
    return f"- Against placing each slice at once: {'; '.join(said)}. Advice names neither: slices go at once."


def _urgencies(trials: Sequence[Trial]) -> str:
    found = [trial.usual_kappa_span for trial in trials]
    return f"{min(found):.3f} to {max(found):.3f}, half of them below {median(found):.3f}, and 0 is TWAP"


def _failed(trials: Sequence[Trial]) -> str:
    counts = Counter(name for trial in trials for name in trial.failed_checks)
    return ", ".join(f"{name} {count:,}" for name, count in counts.most_common()) or "none"


def _by_kind(trials: Sequence[Trial]) -> dict[str, list[Trial]]:
    kinds = dict.fromkeys(trial.kind for trial in trials)
    return {kind: [trial for trial in trials if trial.kind == kind] for kind in kinds}


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(header) + " |", "|---" * len(header) + "|"]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)]) + "\n"


def _shown(found: Estimate, digits: int = 2) -> str:
    interval = found.interval
    return f"{found.value:.{digits}f} ({interval.low:.{digits}f} to {interval.high:.{digits}f})"


def _percent(found: Estimate) -> str:
    return f"{found.value:.0%} ({found.interval.low:.0%} to {found.interval.high:.0%})"
