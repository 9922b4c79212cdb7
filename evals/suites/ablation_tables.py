"""The tables of the ablation: arms, differences, the agents' shares and own measures, inputs, and what calls buy."""

from collections.abc import Mapping

import numpy as np

from ...quant.arrays import FloatArray
from ..arms.agent_figures import AgentFigures
from ..arms.comparing import input_measures
from ..arms.table import AGENTS, ARMS, FULL, MASKED, SHUFFLED
from ..arms.worth import WORTHS, Difference, Shares, path_worths, worth_draws
from ..harness.task import Table
from .ablation_paths import Arms, Pricing, adjusted

Cell = str | float | int | None
SHORT = {"annual return": "return", "Sharpe ratio": "Sharpe", "maximum drawdown": "drawdown"}


def arms_table(arms: Arms, seed: int) -> Table:
    """What each arm came to, and how much of it is another decision than the full desk's."""
    together = np.column_stack([arms.returns[name] for name in arms.names])
    worths = path_worths(together)
    draws = worth_draws(together, np.random.default_rng(seed), path_worths)[:, :, 1]
    low, high = np.quantile(draws, [0.025, 0.975], axis=0)
    header = ("arm", "changes", "return", "Sharpe", "low", "high", "drawdown", "traded", "legs", "vetoes", "flipped")
    rows: list[tuple[Cell, ...]] = []
    for place, name in enumerate(arms.names):
        runs = arms.first(name)
        flips = arms.flips(name, FULL) if FULL in arms.names else None
        rows.append(
            (
                name,
                ARMS[name].changes,
                *_plain(worths[place, :2]),
                float(low[place]),
                float(high[place]),
                float(worths[place, 2]),
                sum(run.traded for run in runs) / sum(float(run.equity.mean()) for run in runs),
                sum(len(legs) for run in runs for legs in run.legs),
                sum(run.vetoed for run in runs),
                flips.rate if flips is not None and flips.legs else None,
            )
        )
    units = ("", "", "frac", "ratio", "ratio", "ratio", "frac", "multiple", "count", "count", "frac")
    note = (
        "Net of costs, cash at zero; Sharpe with its 95 % interval (stationary bootstrap, mean block of a month, the "
        "same draws for all arms). Traded is over mean equity, whole run. Flipped: of the legs that the arm or the "
        "full desk traded, those that went another way or were traded by one alone."
    )
    return Table("Arms", header, units, tuple(rows), note)


def reach_table(arms: Arms) -> Table:
    """Which arms had anything to change: one that had nothing is no evidence either way."""
    rows: list[tuple[Cell, ...]] = []
    for name in arms.names:
        runs = arms.first(name)
        flips = arms.flips(name, FULL) if FULL in arms.names else None
        between = arms.flips_between_epochs(name)
        rows.append(
            (
                name,
                sum(run.decisions for run in runs),
                sum(run.reached for run in runs),
                flips.flipped if flips else None,
                between.rate if between else None,
            )
        )
    header = ("arm", "decisions", "could differ", "legs flipped", "flipped between epochs")
    note = (
        "Could differ: decisions in which what the arm changes was there at all (a vote, a debate, a lesson, other "
        "weights, texts). Where none could, the arm is the full desk under another name, and its row no finding."
    )
    return Table("What the arms could change", header, ("", "count", "count", "count", "frac"), tuple(rows), note)


def differences_table(found: Mapping[str, Difference], reference: str) -> Table:
    """Paired by day, with Holm's correction for having asked of all arms."""
    corrected = adjusted(found)
    rows: list[tuple[Cell, ...]] = []
    for name, item in found.items():
        annual, ratio = item.annual_interval, item.sharpe_interval
        rows.append(
            (
                name,
                item.annual,
                annual.low if annual else None,
                annual.high if annual else None,
                item.sharpe,
                ratio.low if ratio else None,
                ratio.high if ratio else None,
                None if item.is_none else item.p_value,
                corrected.get(name),
                item.days_needed,
            )
        )
    header = ("arm", "return", "low", "high", "Sharpe", "low", "high", "p", "p (Holm)", "days needed")
    units = ("", "frac", "frac", "frac", "ratio", "ratio", "ratio", "num", "num", "count")
    note = (
        f"Each arm less {reference}, on the same days: mean daily difference times 252, and difference of the Sharpe "
        "ratios, with 95 % intervals (stationary bootstrap of paired days). p is two-sided for a mean of zero; Holm's "
        "is of all arms asked. Days needed: to see a difference of this size four times in five. No interval: the same "
        "on every day."
    )
    return Table(f"Differences to {reference}", header, units, tuple(rows), note)


def shares_table(found: Shares) -> Table:
    """The four agents' Shapley values; the last row is what they add up to."""
    names = tuple(AGENTS.values())
    rows: list[tuple[Cell, ...]] = [
        (name, *_triples(found.values[place], found.low[place], found.high[place])) for place, name in enumerate(names)
    ]
    rows.append(("all four less nobody", *(cell for worth in found.whole.tolist() for cell in (worth, None, None))))
    header = ("agent", *(cell for name in WORTHS for cell in (SHORT[name], "low", "high")))
    units = ("", "frac", "frac", "frac", "ratio", "ratio", "ratio", "frac", "frac", "frac")
    note = (
        "Exact over all sixteen teams: the mean of what an agent adds to those before it, over all orders (Shapley "
        "1953). An agent that is switched off abstains; a team without enough voting weight for a quorum buys nothing, "
        "so that much of an agent's share is its right to be heard. A drawdown above zero is one that it made deeper. "
        "95 % intervals by resampling days in blocks."
    )
    return Table("Shares of the agents", header, units, tuple(rows), note)


def agents_table(figures: AgentFigures) -> Table:
    """Each agent by the measure of its own work, in the full desk."""
    found = figures
    right = found.signals_right / found.signals if found.signals else None
    exceptions = found.var_exceptions / found.var_days if found.var_days else None
    rows: list[tuple[Cell, ...]] = [
        ("analyst", "signals that beat the average name over 21 days", right, found.signals),
        ("analyst", "low end of that share, a decision counted once", found.signal_low, None),
        ("analyst", "high end", found.signal_high, None),
        ("risk", "days beyond the 99 % value at risk", exceptions, found.var_days),
        ("optimizer", "tracking error to the weights it wanted", found.tracking_error, None),
        ("execution", "filled of what was ordered", found.fill_frac, found.orders),
    ]
    note = (
        f"Sharpe ratio of the analyst's sides, a unit each against the average name, before costs: "
        f"{_said(found.signal_sharpe, '.2f')}. Kupiec's p of the value at risk: {_said(found.var_p, '.3f')}. "
        f"Shortfall of the executions against arrival: {_said(found.shortfall_bps, '.2f')} bp."
    )
    return Table(
        "Agents by their own measures",
        ("agent", "measure", "value", "of"),
        ("", "", "frac", "count"),
        tuple(rows),
        note,
    )


def inputs_table(arms: Arms) -> Table | None:
    """How signals follow what was put in; None where no arm changed the inputs."""
    rows: list[tuple[Cell, ...]] = []
    for name in (MASKED, SHUFFLED):
        found = input_measures(arms.first(FULL), arms.first(name)) if {name, FULL} <= set(arms.names) else None
        if found is not None:
            rows.append(
                (
                    name,
                    found.signals,
                    found.spoken_by_one,
                    found.prediction_consistency,
                    found.confidence_invariance,
                    found.input_dependency,
                )
            )
    if not rows:
        return None
    header = (
        "arm",
        "signals",
        "of one arm only",
        "prediction consistency",
        "confidence invariance",
        "input dependency",
    )
    note = (
        "Signals of the arm beside the full desk's, by name and day. Under the mask a consistency below one says that "
        "names or dates matter to the model; with shuffled texts one of one says that texts do not. Quotes within a "
        "day are drawn by name and date, so that the mask's fills, and then its legs, are others: luck, not leakage."
    )
    return Table(
        "What the signals depend on", header, ("", "count", "count", "frac", "frac", "frac"), tuple(rows), note
    )


def calls_table(arms: Arms, found: Mapping[str, Difference], reference: str, pricing: Pricing) -> Table:
    """Calls and tokens of each arm, and what those beyond the reference's buy."""
    rows: list[tuple[Cell, ...]] = []
    for name in arms.names:
        runs = arms.first(name)
        decisions = max(sum(run.decisions for run in runs), 1)
        read, wrote = (sum(run.tokens[place] for run in runs) for place in (0, 1))
        costs: tuple[Cell, ...] = (None, None, None)
        if name in found:
            bought = arms.bought(name, reference, found[name], pricing)
            costs = (bought.cost_a_year, bought.gain_a_year, bought.breakeven_equity)
        rows.append((name, sum(run.calls for run in runs) / decisions, (read + wrote) / decisions, *costs))
    header = ("arm", "calls a decision", "tokens a decision", "extra calls a year", "extra gain a year", "pays from")
    note = (
        f"At a stated {pricing.prompt_usd:g} USD a million tokens read and {pricing.completion_usd:g} written, whoever "
        f"answered; the rules cost nothing, their tokens are what a model would have been sent. Against {reference}, "
        f"on a book of {pricing.cash:,.0f}. Pays from: the book on which the gain, if it were real, pays for the calls."
    )
    return Table("What the calls buy", header, ("", "num", "num", "usd", "usd", "usd"), tuple(rows), note)


def nodes_table(arms: Arms, name: str) -> Table:
    """Who was asked how much, in one arm."""
    counts: dict[str, list[int]] = {}
    for run in arms.first(name):
        for node, found in run.nodes.items():
            sums = counts.setdefault(node, [0, 0, 0])
            for place, more in enumerate(found):
                sums[place] += more
    rows = tuple((node, *sums) for node, sums in sorted(counts.items()))
    header = ("node", "calls", "prompt tokens", "completion tokens")
    return Table(f"Calls by node, arm {name}", header, ("", "count", "count", "count"), rows)


def _plain(values: FloatArray) -> tuple[float, ...]:
    return tuple(values.tolist())


def _triples(values: FloatArray, low: FloatArray, high: FloatArray) -> tuple[float, ...]:
    return tuple(float(part[place]) for place in range(len(values)) for part in (values, low, high))


def _said(value: float | None, form: str) -> str:
    return "not known" if value is None else format(value, form)
