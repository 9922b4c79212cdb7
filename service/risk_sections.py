"""What the `risk` command prints, section by section: a screen each at most, all from the ledger's outputs."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..desk.errors import SettingsInvalid
from .console import Console

Document = Mapping[str, Any]
"""The outputs of the risk tools by the name of the tool."""

PARTS_SHOWN = 8
SCAN_STEP = 3


def chosen_sections(names: Sequence[str]) -> tuple[str, ...]:
    """The sections asked for, in the order they are printed; all when none is named."""
    unknown = [name for name in names if name not in SECTIONS]
    if unknown:
        raise SettingsInvalid(
            f"--section {', '.join(unknown)}: there is no such section", remedy=f"Choose from {', '.join(SECTIONS)}."
        )
    return tuple(name for name in SECTIONS if not names or name in names)


def print_sections(console: Console, document: Document, level: float, names: Sequence[str]) -> None:
    for name in names:
        SECTIONS[name](console, document, level)


def _tail(console: Console, document: Document, level: float) -> None:
    tails = document["tail_by_method"]
    rows = [(name, *(_percent(tail.get(key)) for key in ("var", "es"))) for name, tail in tails.items()]
    console.table(f"one day, {level:.1%}", ("method", "VaR", "ES"), rows)
    for name, tail in tails.items():
        if "refused" in tail:
            console.say(f"  {name}: {tail['refused']}")


def _parts(console: Console, document: Document, level: float) -> None:
    found = document["var_components"]
    largest = sorted(found["by_name"].items(), key=lambda item: -item[1])[:PARTS_SHOWN]
    columns = ("es_by_name", "marginal", "when_sold")
    rows = [(name, f"{part:.3%}", *(f"{found[column][name]:.3%}" for column in columns)) for name, part in largest]
    header = ("largest parts", "of the VaR", "of the ES", "per 100 % more", "if sold")
    console.table(
        f"who carries it: normal VaR {found['normal_var']:.2%}, historical ES {found['historical_es']:.2%}",
        header,
        rows,
    )


def _simulation(console: Console, document: Document, level: float) -> None:
    found = document["simulated_book"]
    if _refused(console, "simulation", found):
        return
    rows = [("normal, exactly", *(f"{found['exact_normal'][key]:.3%}" for key in ("var", "es")), "0", "0")]
    rows += [
        (name, *(f"{row[key]:.3%}" for key in ("var", "es")), *(f"{row[f'{key}_error']:.3%}" for key in ("var", "es")))
        for name, row in found["rows"].items()
    ]
    title = f"{found['paths']:,} simulated days, t of {found['degrees_of_freedom']:.1f} degrees of freedom"
    console.table(title, ("draws", "VaR", "ES", "± VaR", "± ES"), rows)


def _extreme(console: Console, document: Document, level: float) -> None:
    found = document["extreme_tail"]
    if _refused(console, "extremes", found):
        return
    chosen = found["chosen"]
    rows = [
        (
            f"{row['level']:.0%}{' *' if row['level'] == chosen['level'] else ''}",
            f"{row['threshold']:.2%}",
            f"{row['shape']:.2f} ± {row['shape_error']:.2f}",
            _percent(row["var"]),
            _percent(row["es"]),
        )
        for place, row in enumerate(found["scan"])
        if place % SCAN_STEP == 0 or row["level"] == chosen["level"]
    ]
    header = ("threshold at", "loss", "shape", "VaR 99.5%", "ES 99.5%")
    console.table(f"the far tail: {found['days']} days, thresholds of a Pareto law", header, rows)
    hill = min(found["hill"], key=lambda row: abs(row["tail"] - chosen["excesses"]))
    console.say(f"  * chosen: {found['rule']}")
    console.say(f"  Hill: 1 / {hill['alpha']:.2f} = {1.0 / hill['alpha']:.2f} from the {hill['tail']} largest losses")


def _dependence(console: Console, document: Document, level: float) -> None:
    joint, choice, moving = document["joint_tail"], document["copula_choice"], document["correlation_path"]
    if not _refused(console, "falling together", joint):
        pair = f"{joint['closest_pair']}, tail dependence {joint['tail_dependence']:.2f}"
        console.say(f"  falling together (t copula): VaR {joint['var']:.2%}, ES {joint['es']:.2%}; closest {pair}")
    if not _refused(console, "copulas", choice):
        rows = [
            (name, f"{choice['log_likelihood'][key]:.1f}", f"{choice['aic'][key]:.1f}", crash)
            for name, key, crash in (
                ("Gaussian", "gaussian", f"{choice['joint_crash']['gaussian']:.3%}"),
                (f"t, {choice['degrees_of_freedom']:.1f} dof", "t", f"{choice['joint_crash']['t']:.3%}"),
            )
        ]
        rows.append(("independent", "-", "-", f"{choice['joint_crash']['independent']:.3%}"))
        rows.append(("counted in the year", "-", "-", f"{choice['joint_crash']['counted']:.3%}"))
        crash = f"{choice['crashing']} of {choice['names']} crash"
        console.table("copulas", ("copula", "log-likelihood", "AIC", crash), rows)
    if not _refused(console, "correlation", moving):
        console.say(
            f"  average correlation {moving['now']:.2f}, above {moving['rank']:.0%} of the last {moving['days']} days "
            f"(mean {moving['mean']:.2f}, {moving['low']:.2f} to {moving['high']:.2f})"
            f"{': high' if moving['is_high'] else ''}"
        )


def _drivers(console: Console, document: Document, level: float) -> None:
    drivers, broken = document["risk_drivers"], document["recent_break"]
    console.say(
        f"  {drivers['market_share']:.0%} of the variance is the market's, at a beta of {drivers['market_beta']:.2f}"
    )
    console.say(f"  chance that the market changed its ways within a month: {broken['probability']:.0%}")
    if broken["vix"] is not None:
        console.say(f"  volatility index {broken['vix']:.1f}: {broken['vix_regime']}")


def _stress(console: Console, document: Document, level: float) -> None:
    stressed = document["stress_table"]["rows"]
    rows = [(row["title"], row["first_day"], f"{row['market']:.1%}", f"{row['return']:.1%}") for row in stressed]
    console.table("dated scenarios, through the market beta", ("scenario", "from", "market", "book"), rows)
    shocks = [
        (name, f"{value:.2f}" if "standard" in name else f"{value:.2%}") for name, value in document["shocks"].items()
    ]
    console.table("round shocks", ("shock", "book"), shocks)


def _reverse(console: Console, document: Document, level: float) -> None:
    found = document["reverse_stress"]
    if _refused(console, "reverse stress", found):
        return
    rows = [
        (
            f"{row['loss']:.0%} of equity",
            "-" if row["market"] is None else f"{row['market']:.1%}",
            f"{row['distance']:.1f}",
            f"{row['normal_probability']:.2g}",
            ", ".join(f"{name} {move:.0%}" for name, move in list(row["moves"].items())[:3]),
        )
        for row in found["rows"]
    ]
    header = ("loses in a month", "market alone", "deviations", "normal chance", "least unlikely moves")
    console.table("what would have to happen", header, rows)
    for row in found["expected"]:
        console.say(
            f"  if {row['given']} {row['move']:.0%}: expect the market at {row['market']:.1%}, the book at "
            f"{row['book']:.1%}, most of it from {row['hardest_hit']}"
        )


def _liquidity(console: Console, document: Document, level: float) -> None:
    out, profile = document["exit_costs"], document["liquidity_profile"]
    rows = [(name, f"{out[name]['last_day']:.2f}", f"{out[name]['cost']:.3%}") for name in ("now", "stressed")]
    console.table("selling everything", ("market", "days", "cost"), rows)
    sold = [(f"{row['day']:.3g} days", *(f"{row[key]:.0%}" for key in ("now", "stressed"))) for row in profile["sold"]]
    console.table("share sold after", ("time", "now", "stressed"), sold)
    console.say(
        f"  VaR 99%: price {profile['price_var_99']:.2%}, with the spread {profile['liquidity_var_99']:.2%}, with "
        f"one {profile['spread_deviations']:g} deviations wide {profile['wide_liquidity_var_99']:.2%}"
    )
    if out["volume_is_assumed"]:
        console.say("  The data set records no volume: exits rest on an assumed daily value.")


def _hedges(console: Console, document: Document, level: float) -> None:
    hedges = [
        (row["hedge"], f"{row['notional']:,.0f}", f"{row['cost']:.3%}", row["note"])
        for row in document["hedges"]["rows"]
    ]
    console.table("hedges", ("hedge", "notional", "cost", "leaves"), hedges)
    ratios = document["hedge_ratios"]
    if _refused(console, "hedge ratios", ratios):
        return
    rows = [
        (name, f"{row['ratio']:.2f}", f"{row['residual_vol']:.2%}", f"{row['removed']:.0%}", f"{row['cost']:.3%}")
        for name, row in ratios["rows"].items()
    ]
    header = ("index to sell", "ratio now", "volatility left", "variance removed", "cost of turning")
    console.table(f"hedge ratios on {ratios['days']} days they had not seen", header, rows)


def _backtest(console: Console, document: Document, level: float) -> None:
    found = document["book_backtest"]
    if _refused(console, "backtest", found):
        return
    rows = [
        (
            name,
            f"{row['exceptions']} of {found['expected']:.1f}",
            f"{row['kupiec_p']:.3f}",
            f"{row['coverage_p']:.3f}",
            f"{row['last_year']} {row['zone']}",
            f"{row['last_year_or_fewer']:.1%}",
            f"{row['multiplier']:.2f}",
        )
        for name, row in found["rows"].items()
    ]
    title = f"this book's VaR 99%, {found['days']} days from {found['first_day']}"
    header = ("over 252 days", "exceptions", "Kupiec", "Christoff.", "last 250", "this or fewer", "multiplier")
    console.table(title, header, rows)


def _refused(console: Console, what: str, found: Mapping[str, Any]) -> bool:
    if "refused" in found:
        console.say(f"  {what}: {found['refused']}")
        return True
    return False


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.2%}"


SECTIONS: Mapping[str, Callable[[Console, Document, float], None]] = {
    "tail": _tail,
    "parts": _parts,
    "simulation": _simulation,
    "extreme": _extreme,
    "dependence": _dependence,
    "drivers": _drivers,
    "stress": _stress,
    "reverse": _reverse,
    "liquidity": _liquidity,
    "hedges": _hedges,
    "backtest": _backtest,
}
"""By the name that `--section` takes, in the order they are printed."""
