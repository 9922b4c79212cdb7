"""What the leakage suite came to: probes by cut, planted bugs one by one, and what random worlds earned."""

from collections.abc import Sequence
from itertools import groupby

import numpy as np

from ...market.cards import DataSet
from ..harness.task import Chart, DatasetCard, Figure, Scored, Summary, Table
from .model_window import model_window
from .plants import PLANTS, PROBES
from .random_walks import expectation

CAUGHT, NOT_CAUGHT = "planted: caught", "planted: NOT CAUGHT"
WORLD_NOTE = "pairs of mirrored worlds, Student's t"
TEXTS: dict[str, str] = {
    "future": "another future, and every event up to the cut equal to the byte",
    "publication": "nothing read before it arrived, restated rows included",
    "memory": "no lesson recalled before its outcome was known",
    "estimators": "estimators that saw later days answer as fresh ones",
    "refit": "paths of estimates, fitted again with another future",
    "order": "the same orders whatever the order of the names",
    "books": "fees, spread, cash and equity reckoned again by hand",
    "failures": "failed model calls are abstentions, and counted",
}


def summary_of(scored: Sequence[Scored], data: DataSet, model: str) -> Summary:
    probed = [item for item in scored if "probe" in item.sample.input]
    planted = [item for item in scored if "plant" in item.sample.input]
    walked = [item for item in scored if "world" in item.sample.input]
    figures = [
        _share("desk_probes_passed", probed, "of the desk as it is"),
        Figure("not_tested", float(sum(item.outcome.passed is None for item in probed)), "count", n=len(probed)),
        _share("planted_bugs_caught", planted, "each by the probe that is meant for it"),
        *(_planted_figure(item) for item in planted),
    ]
    charts: tuple[Chart, ...] = ()
    if len(walked) > 1:
        figures += [_earned(name, walked) for name in ("return_before_costs", "return", "costs")]
        charts = (_histogram([float(item.outcome.scores["return_before_costs"] or 0.0) for item in walked]),)
    return Summary(
        figures=tuple(figures),
        tables=(_planted_table(planted), _probe_table(probed)),
        charts=charts,
        notes=(
            "A planted bug is caught when its probe finds it, and finds nothing in the same desk without it.",
            "In a random world nobody can foresee anything: returns before costs are expected to be nothing, and after "
            "them minus what trading cost. A pair is a world and its mirror image, which takes most of the luck out.",
            "No probe can show that a language model does not remember the days: see the data set's card.",
        ),
        cards=(_card(data, model),),
    )


def _share(name: str, items: Sequence[Scored], note: str) -> Figure:
    """Of what was tested; without anything to test there is no share."""
    tested = [item for item in items if item.outcome.passed is not None]
    share = sum(bool(item.outcome.passed) for item in tested) / len(tested) if tested else None
    return Figure(name, share, "frac", n=len(tested), note=note)


def _planted_figure(item: Scored) -> Figure:
    """A line a plant, so that it is seen without the page, too."""
    plant = PLANTS[str(item.sample.input["plant"])]
    name = str(item.sample.input["plant"]).replace("-", "_")
    share = None if item.outcome.passed is None else float(item.outcome.passed)
    said = CAUGHT if item.outcome.passed else NOT_CAUGHT
    return Figure(f"planted_{name}", share, "frac", n=1, note=f"{said}, {plant.text}, by {plant.caught_by}")


def _earned(name: str, walked: Sequence[Scored]) -> Figure:
    found = expectation([float(item.outcome.scores[name] or 0.0) for item in walked])
    return Figure(f"random_walk_{name}", found.mean, "frac_bps", found.low, found.high, found.n, WORLD_NOTE)


def _planted_table(planted: Sequence[Scored]) -> Table:
    rows = tuple(
        (
            str(item.sample.input["plant"]),
            PLANTS[str(item.sample.input["plant"])].text,
            PLANTS[str(item.sample.input["plant"])].caught_by,
            CAUGHT if item.outcome.passed else NOT_CAUGHT,
            _found(item),
        )
        for item in planted
    )
    return Table("Planted bugs", ("Plant", "Bug", "Probe", "Verdict", "What gave it away"), ("",) * 5, rows)


def _probe_table(probed: Sequence[Scored]) -> Table:
    """A row a probe, all cuts together."""
    order = {name: place for place, name in enumerate(PROBES)}
    by_probe = sorted(probed, key=lambda item: order[str(item.sample.input["probe"])])
    rows: list[tuple[str | float | int | None, ...]] = []
    for probe, group in groupby(by_probe, key=lambda item: str(item.sample.input["probe"])):
        items = list(group)
        wrong = [item for item in items if item.outcome.passed is False]
        untested = [item for item in items if item.outcome.passed is None]
        said = wrong[0].outcome.reason if wrong else untested[0].outcome.reason if untested else _found(items[-1])
        verdict = "LEAKS" if wrong else "not tested" if len(untested) == len(items) else "clean"
        looked = sum(int(item.outcome.scores["looked_at"] or 0) for item in items)
        rows.append((probe, TEXTS[probe.partition("-")[0]], len(items), looked, verdict, said))
    header = ("Probe", "What must hold", "Cuts", "Looked at", "Verdict", "Found")
    return Table("The desk as it is", header, ("", "", "count", "count", "", ""), tuple(rows))


def _found(item: Scored) -> str:
    transcript = item.outcome.transcript
    return str(transcript["found"]) if isinstance(transcript, dict) else item.outcome.reason


def _histogram(values: Sequence[float]) -> Chart:
    counts, edges = np.histogram(np.asarray(values), bins=min(12, len(values)))
    return Chart(
        "Returns before costs in random worlds",
        "histogram",
        "frac",
        tuple(edges.tolist()),
        {"pairs of worlds": tuple(float(count) for count in counts.tolist())},
        mark=float(np.mean(values)),
    )


def _card(data: DataSet, model: str) -> DatasetCard:
    card = data.card
    first, last = card.first_session, card.last_session
    return DatasetCard(
        name=card.name,
        source=card.source,
        licence=card.license,
        first=first.isoformat(),
        last=last.isoformat(),
        fingerprint=data.panel.fingerprint(),
        model_window=model_window(model, first, last),
        notes=(card.survivorship, *card.notes),
    )
