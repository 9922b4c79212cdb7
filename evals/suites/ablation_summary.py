"""What the ablation came to: the figures a reader wants first, the tables behind them, and what they do not say."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ...quant.performance import deflated_sharpe, is_distinguishable_from_luck
from ..arms.cards import dataset_card
from ..arms.table import AGENTS, FULL, NO_LLM, VETO_OFF
from ..arms.worth import Difference, Shares, path_worths, worth_draws
from ..harness.task import Chart, Figure, Scored, Summary
from .ablation_paths import Arms, adjusted, arms_of
from .ablation_tables import (
    agents_table,
    arms_table,
    calls_table,
    differences_table,
    inputs_table,
    nodes_table,
    reach_table,
    shares_table,
)

if TYPE_CHECKING:
    from .ablation import Ablation

LEVEL = 0.05
DRAWN = (FULL, NO_LLM, "nobody", *(f"without-{name}" for name in AGENTS.values()))
SHARE_NAMES = ("", "_sharpe", "_drawdown")
SHARE_UNITS = ("frac", "ratio", "frac")


def summary_of(task: "Ablation", scored: Sequence[Scored]) -> Summary:
    """The whole report; arms that did not run over all windows and epochs are in none of it, and named."""
    arms = arms_of(scored, task.seed)
    missing = [name for name in task.arms if name not in arms.names]
    notes = [f"Not played to the end, and so compared with nothing: {', '.join(missing)}."] if missing else []
    cards = (dataset_card(task.dataset(), task.model),)
    if FULL not in arms.names:
        return Summary(
            (), notes=("The full desk was not played, so there is nothing to compare with.", *notes), cards=cards
        )
    against = {reference: arms.against(reference) for reference in (FULL, NO_LLM) if reference in arms.names}
    parts = arms.shares()
    priced = NO_LLM if NO_LLM in against else FULL
    tables = [
        arms_table(arms, task.seed),
        *(differences_table(found, reference) for reference, found in _told(against, task.model)),
        reach_table(arms),
        *([] if parts is None else [shares_table(parts)]),
        agents_table(arms.first(FULL)[-1].agents),
        *(table for table in [inputs_table(arms)] if table is not None),
        calls_table(arms, against[priced], priced, task.pricing()),
        nodes_table(arms, FULL),
    ]
    return Summary(
        figures=tuple(_figures(arms, against, parts, task.seed)),
        tables=tuple(tables),
        charts=tuple(_charts(arms, against[FULL], parts)),
        notes=(*_notes(task, arms, against), *notes),
        cards=cards,
    )


def _told(against: Mapping[str, Mapping[str, Difference]], model: str) -> list[tuple[str, Mapping[str, Difference]]]:
    """By the rules the full desk and the one without a model are the same; one table says it all."""
    return [(reference, found) for reference, found in against.items() if reference == FULL or model != NO_LLM]


def _figures(
    arms: Arms, against: Mapping[str, Mapping[str, Difference]], parts: Shares | None, seed: int
) -> list[Figure]:
    full = arms.returns[FULL]
    n_days = len(full)
    draws = worth_draws(full[:, None], np.random.default_rng(seed), path_worths)[:, 0]
    low, high = np.quantile(draws, [0.025, 0.975], axis=0)
    annual, ratio, fall = path_worths(full[:, None])[0].tolist()
    corrected = adjusted(against[FULL])
    found = [
        Figure("days", n_days, "count", note="paired days of every arm"),
        Figure("full_annual_return", annual, "frac", float(low[0]), float(high[0]), n_days, "net of costs"),
        Figure("full_sharpe", ratio, "ratio", float(low[1]), float(high[1]), n_days, "cash at zero"),
        Figure("full_max_drawdown", fall, "frac", float(low[2]), float(high[2]), n_days),
        _best_deflated(arms),
        Figure("arms", len(arms.names), "count", note="each one more trial"),
        Figure(
            "smallest_holm_p", min(corrected.values(), default=None), "num", n=len(corrected), note="arms that differ"
        ),
    ]
    if NO_LLM in against:
        found.append(_difference("full_less_rules", against[NO_LLM][FULL], n_days))
    if parts is not None:
        for place, name in enumerate(AGENTS.values()):
            for worth, (ending, unit) in enumerate(zip(SHARE_NAMES, SHARE_UNITS, strict=True)):
                low_high = float(parts.low[place, worth]), float(parts.high[place, worth])
                value = float(parts.values[place, worth])
                found.append(Figure(f"shapley_{name}{ending}", value, unit, *low_high, n_days))
    return found


def _best_deflated(arms: Arms) -> Figure:
    """How likely the best arm's ratio is more than the best of so many without skill."""
    together = np.column_stack([arms.returns[name] for name in arms.names])
    deviation = together.std(axis=0, ddof=1)
    moving = deviation > 0.0
    ratios = together[:, moving].mean(axis=0) / deviation[moving]
    best = int(ratios.argmax())
    name = [arm for arm, moves in zip(arms.names, moving.tolist(), strict=True) if moves][best]
    z = (together[:, moving][:, best] - together[:, moving][:, best].mean()) / deviation[moving][best]
    chance = deflated_sharpe(
        float(ratios[best]),
        len(together),
        float((z**3).mean()),
        float((z**4).mean()),
        n_trials=len(arms.names),
        trial_variance=float(ratios.var(ddof=1)) if len(ratios) > 1 else 0.0,
    )
    note = f"of {name}, the best of {len(arms.names)} arms by its Sharpe ratio"
    return Figure("best_arm_deflated_sharpe", chance, "frac", n=len(together), note=note)


def _difference(name: str, item: Difference, n_days: int) -> Figure:
    interval = item.annual_interval
    ends = (interval.low, interval.high) if interval else (0.0, 0.0)
    return Figure(
        name, item.annual, "frac", *ends, n_days, "a year, paired days" if interval else "the same on every day"
    )


def _charts(arms: Arms, found: Mapping[str, Difference], parts: Shares | None) -> list[Chart]:
    days = tuple(day for path in arms.first(FULL) for day in path.days[1:])
    lines = {name: tuple(np.cumprod(1.0 + arms.returns[name]).tolist()) for name in DRAWN if name in arms.names}
    named = {name: item for name, item in found.items() if item.annual_interval is not None}
    charts = [Chart("What one unit became", "lines", "multiple", days, lines)]
    if named:
        charts.append(
            Chart(
                "Annual return less the full desk's, 95 %",
                "bars",
                "frac",
                tuple(named),
                {"difference": tuple(item.annual for item in named.values())},
                tuple(item.annual_interval.low if item.annual_interval else None for item in named.values()),
                tuple(item.annual_interval.high if item.annual_interval else None for item in named.values()),
            )
        )
    if parts is not None:
        columns = (parts.values[:, 0], parts.low[:, 0], parts.high[:, 0])
        value, low, high = (tuple(column.tolist()) for column in columns)
        title = "Shares of the agents in the annual return, 95 %"
        charts.append(Chart(title, "bars", "frac", tuple(AGENTS.values()), {"share": value}, low, high))
    return charts


def _notes(task: "Ablation", arms: Arms, against: Mapping[str, Mapping[str, Difference]]) -> list[str]:
    n_days = len(arms.returns[FULL])
    notes: list[str] = []
    if task.model == NO_LLM:
        notes.append("The model is rules: the full desk is the arm without a language model, under two names.")
    if not is_distinguishable_from_luck(n_days):
        notes.append(f"{n_days} days: shorter than three years, no result here can be told from luck.")
    notes += [_conclusion(reference, found, n_days) for reference, found in _told(against, task.model)]
    idle = [name for name in arms.names if not sum(path.reached for path in arms.first(name))]
    if idle:
        notes.append(f"No decision could differ in {', '.join(idle)}: nothing is shown of them either way.")
    if VETO_OFF in arms.names:
        notes.append("veto-off plays with the widest limits there can be. No command but an evaluation can do so.")
    notes.append("Index, 1/N and other baselines of the same days are in the suite days.")
    return notes


def _conclusion(reference: str, found: Mapping[str, Difference], n_days: int) -> str:
    corrected = adjusted(found)
    clear = [name for name, p in corrected.items() if p <= LEVEL]
    unclear = [found[name] for name, p in corrected.items() if p > LEVEL]
    needed = [item.days_needed for item in unclear if item.days_needed is not None]
    text = f"Against {reference}, at 5 % over {len(corrected)} arms that differ: "
    text += f"clear are {', '.join(clear)}. " if clear else "none is clear. "
    if needed:
        text += (
            f"That {len(unclear)} others differ in mean can not be concluded from {n_days} days: seeing the largest of "
            f"their differences takes {min(needed):,}, the smallest {max(needed):,}."
        )
    return text
