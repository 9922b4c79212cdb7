"""What the calibration came to: speakers, regimes, sources, value at risk and the reader of texts, with diagrams."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from ...quant.calibration import HORIZON_DAYS
from ...quant.side_record import wilson_interval
from ...quant.var_backtests import BASEL_DAYS, MIN_DAYS, christoffersen, kupiec, traffic_light
from ...tools.encoders import shipped_encoder
from ..arms.cards import dataset_card
from ..arms.judging import ANALYST_SIGNALS
from ..harness.task import Chart, Figure, Scored, Summary, Table
from .calibration_scores import Draws, Quality, Ranged, Said, diagram, quality, said_by

if TYPE_CHECKING:
    from .calibration import Calibration

Cell = str | float | int | None
MODELS = ("historical", "filtered", "parametric")
VAR_LEVEL = 0.99


def summary_of(task: "Calibration", scored: Sequence[Scored]) -> Summary:
    """The whole report."""
    calls, n_days = said_by(scored)
    cards = (dataset_card(task.dataset(), task.model),)
    tests = _var_rows(scored)
    common = (_var_table(tests), _encoder_table())
    if not calls:
        return Summary(_var_figures(tests), common, notes=("Nobody said anything that could be judged.",), cards=cards)
    draws = Draws(n_days, task.seed)
    found = {_named(who): quality(said, draws) for who, said in calls.items()}
    tables = (
        *_quality_tables("Who said how much", "who", found),
        _parts_table(found),
        *_by("regime", "By market regime", calls, draws, lambda said: said.regime),
        *_by("source", "Signals by what moved them most", _only_signals(calls), draws, lambda said: said.source),
        _sources_table(scored),
        *common,
    )
    return Summary(
        figures=(*_figures(found), *_var_figures(tests)),
        tables=tables,
        charts=tuple(_chart(said, draws) for said in calls.values()),
        notes=(*_notes(found, n_days), *_one_value(calls)),
        cards=cards,
    )


def _figures(found: Mapping[str, Quality]) -> list[Figure]:
    """Of the analyst's signals, which are the desk's one claim about the future."""
    signals = found.get(ANALYST_SIGNALS)
    if signals is None:
        return []
    n = signals.calls
    return [
        Figure("signals", n, "count", note=f"on {signals.days} days, each judged {HORIZON_DAYS} days on"),
        _figure("signal_brier", signals.brier, "num", n),
        _figure("signal_brier_skill", signals.skill, "frac", n),
        _figure("signal_ece", signals.error, "frac", n),
        Figure("signal_log_loss", signals.log_loss, "num", n=n, note="nats; a coin has 0.693"),
        _figure("signal_hit_rate", signals.hit_rate, "frac", n),
        _figure("signal_gain", signals.gain, "frac", n),
        *(
            _figure(f"{who.replace(' ', '_')}_brier", item.brier, "num", item.calls)
            for who, item in found.items()
            if item is not signals
        ),
    ]


def _figure(name: str, item: Ranged, unit: str, n: int) -> Figure:
    return Figure(name, item.value, unit, item.low, item.high, n)


def _quality_tables(title: str, first: str, found: Mapping[str, Quality]) -> tuple[Table, Table]:
    """How often they were right and what it brought, and how well what they said fit: together too wide for a page."""
    ends = ("low", "high")
    right = tuple(
        (name, item.calls, item.days, item.said, *_cells(item.hit_rate), *_cells(item.gain))
        for name, item in found.items()
    )
    fit = tuple((name, *_cells(item.brier), *_cells(item.error)) for name, item in found.items())
    return (
        Table(
            title,
            (first, "calls", "days", "said", "right", *ends, "gain", *ends),
            ("", "count", "count", *["frac"] * 7),
            right,
            f"Said: the mean probability. Right: the likelier side came, {HORIZON_DAYS} days on and beyond the average "
            "name. Gain: return beyond the average name's on the side taken, before costs. 95 % intervals draw "
            "stretches of days, a quarter on average, with all that was said in them; under 20 days there is none.",
        ),
        Table(
            f"{title}: the fit",
            (first, "Brier", *ends, "ECE", *ends),
            ("", *["num"] * 3, *["frac"] * 3),
            fit,
            "Brier: 0.25 for always saying one half. ECE: mean distance of said from came true over ten bins of equal "
            "mass; above zero by chance alone in small samples.",
        ),
    )


def _parts_table(found: Mapping[str, Quality]) -> Table:
    rows = tuple(
        (who, item.log_loss, item.reliability, item.resolution, item.uncertainty, *_cells(item.skill))
        for who, item in found.items()
    )
    header = ("who", "log loss", "reliability", "resolution", "uncertainty", "skill", "low", "high")
    note = (
        "Brier = reliability - resolution + uncertainty (Murphy 1973), and what the ten bins hide. Skill: one less "
        "Brier over 0.25; below zero, always saying one half would have done better."
    )
    return Table("Parts of the Brier score", header, ("", *["num"] * 4, *["frac"] * 3), rows, note)


def _by(
    first: str, title: str, calls: Mapping[str, Said], draws: Draws, key: Callable[[Said], tuple[str, ...]]
) -> tuple[Table, Table]:
    """The same scores, speaker by speaker, of each value of something."""
    found: dict[str, Quality] = {}
    for who, said in calls.items():
        values = key(said)
        for value in sorted(set(values)):
            found[f"{_named(who)}, {value}"] = quality(said.where([item == value for item in values]), draws)
    return _quality_tables(title, first, found)


def _only_signals(calls: Mapping[str, Said]) -> Mapping[str, Said]:
    return {who: said for who, said in calls.items() if who == ANALYST_SIGNALS}


def _sources_table(scored: Sequence[Scored]) -> Table:
    counts: dict[str, list[int]] = {}
    for item in scored:
        told = cast("Mapping[str, Any]", item.outcome.transcript)
        for name, (n, right) in told["sources"].items():
            sums = counts.setdefault(name, [0, 0])
            sums[0] += n
            sums[1] += right
    rows = tuple((name, n, right / n) for name, (n, right) in sorted(counts.items()))
    note = (
        f"Every score with a sign, by name and day, against the sign of the return beyond the average name's over "
        f"{HORIZON_DAYS} days. They overlap and fall together: far fewer are independent than are counted."
    )
    return Table("Signs of the sources", ("source", "scores", "right"), ("", "count", "frac"), rows, note)


def _var_rows(scored: Sequence[Scored]) -> Mapping[str, np.ndarray]:
    """By model, whether each day's loss was beyond its forecast, in the order of days; epochs tell the same days."""
    first = min((item.epoch for item in scored), default=0)
    days = [
        row
        for item in sorted(scored, key=lambda one: str(one.sample.input["first"]))
        if item.epoch == first
        for row in cast("Mapping[str, Any]", item.outcome.transcript)["var"]
    ]
    return {
        model: np.array([row[1] > row[2 + place] for row in days if row[2 + place] is not None], dtype=bool)
        for place, model in enumerate(MODELS)
    }


def _var_table(tests: Mapping[str, np.ndarray]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for model, hits in tests.items():
        n, hit = len(hits), int(hits.sum())
        if n < MIN_DAYS:
            rows.append((model, n, hit, n * (1.0 - VAR_LEVEL), hit / n if n else None, None, None, None, ""))
            continue
        last = hits[-BASEL_DAYS:]
        coverage = christoffersen(hits, VAR_LEVEL)
        rows.append(
            (
                model,
                n,
                hit,
                n * (1.0 - VAR_LEVEL),
                hit / n,
                kupiec(hit, n, VAR_LEVEL).p_value,
                coverage.independence.p_value,
                coverage.conditional.p_value,
                f"{traffic_light(int(last.sum()), len(last), VAR_LEVEL).value} ({int(last.sum())} of {len(last)})",
            )
        )
    header = ("model", "days", "exceptions", "expected", "share", "Kupiec p", "independence p", "both p", "last year")
    units = ("", "count", "count", "num", "frac", "frac", "frac", "frac", "")
    note = (
        "Of the book held at a close, its 99 % value at risk against the loss to the next close. Kupiec (1995), "
        "Christoffersen (1998), traffic light of the Basel Committee (1996) on the last 250 days."
    )
    return Table("Value at risk of the risk manager", header, units, tuple(rows), note)


def _var_figures(tests: Mapping[str, np.ndarray]) -> tuple[Figure, ...]:
    return tuple(
        Figure(
            f"var_exceptions_{model}",
            float(hits.mean()),
            "frac",
            *wilson_interval(int(hits.sum()), len(hits)),
            len(hits),
        )
        for model, hits in tests.items()
        if len(hits)
    )


def _encoder_table() -> Table:
    """From the card of the encoder that the desk reads texts with: what it was never trained on, by domain."""
    encoder = shipped_encoder()
    rows: list[tuple[Cell, ...]] = []
    for row in encoder.card.get("results", ()):
        n = int(row["texts"])
        low, high = wilson_interval(round(row["accuracy"] * n), n)
        rows.append(
            (row["domain"], row["kind"], n, row["accuracy"], low, high, row["majority_accuracy"], row["log_loss"])
        )
    header = ("domain", "texts are", "texts", "accuracy", "low", "high", "commonest label", "log loss")
    units = ("", "", "count", "frac", "frac", "frac", "frac", "num")
    note = f"{encoder.name}, weights {encoder.fingerprint[:16]}; from its card: scored on texts it was not trained on."
    return Table("Reader of texts, by domain", header, units, tuple(rows), note)


def _chart(said: Said, draws: Draws) -> Chart:
    found = diagram(said, draws)
    x, share, low, high = (tuple(column.tolist()) for column in (found.said, found.came_true, found.low, found.high))
    return Chart(f"Said and came true: {_named(said.who)}", "reliability", "frac", x, {"came true": share}, low, high)


def _notes(found: Mapping[str, Quality], n_days: int) -> list[str]:
    """What the intervals allow to be said of each speaker, in a sentence."""
    notes = [
        f"{n_days:,} days; what was said of neighboring days shares most of its outcome.",
        "Risk manager, optimizer and execution agent vote on whether a leg is safe, due and cheap, not on whether it "
        "will beat the average name; their confidence is judged by that all the same, since it weighs the analyst's.",
    ]
    for who, item in found.items():
        skill = item.skill
        if skill.low is not None and skill.low > 0.0:
            verdict = "knows more than a coin"
        elif skill.high is not None and skill.high < 0.0:
            verdict = "would score better by always saying one half: it is sure of too much, or of something else"
        else:
            verdict = "can not be told from a coin"
        notes.append(f"{who}: {verdict}.")
    return notes


def _one_value(calls: Mapping[str, Said]) -> list[str]:
    """Who always says the same: there is nothing to calibrate, and the diagram has one point."""
    return [
        f"{_named(who)}: every call says the same, {said.said[0]:.1%}: nothing tells a sure one from another."
        for who, said in calls.items()
        if np.ptp(said.said) == 0.0
    ]


def _named(who: str) -> str:
    return who.replace("_", " ")


def _cells(item: Ranged) -> tuple[float | None, float | None, float | None]:
    return item.value, item.low, item.high
