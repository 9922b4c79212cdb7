"""The answer of `performance` as a person reads it: figures with intervals, then what luck explains of them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .console import Console

Figures = Mapping[str, Any]


def print_performance(console: Console, name: str, note: str, document: Figures, html: Path) -> None:
    found, chance = document["performance_figures"], document["luck"]
    console.say(
        f"{name}: {found['first_day']} to {found['last_day']}, {found['days']} days ({found['years']:.1f} years)"
    )
    console.say(f"  {note}")
    console.say(f"  {chance['verdict']}")
    console.table("the record", ("figure", "value", "95 % interval"), _figures(found, chance))
    _print_luck(console, chance)
    _print_benchmark(console, document["against_benchmark"])
    _print_periods(console, found, document["by_period"])
    for tool in ("factor_attribution", "own_attribution"):
        if tool in document:
            _print_factors(console, document[tool])
    _print_selection(console, document["selection_luck"])
    console.say("How it is measured:")
    for tool in ("performance_figures", "luck", "factor_attribution"):
        for name, text in document.get(tool, {}).get("conventions", {}).items():
            console.say(f"  {name.replace('_', ' ')}: {text}")
    console.say(f"\nPage: {html}")


def _figures(found: Figures, chance: Figures) -> list[tuple[str, str, str]]:
    rows = [
        ("total return", _percent(found["total_return"]), ""),
        ("return a year", _percent(found["annual_return"]), _between(chance, "annual_return", _percent)),
        ("volatility a year", _percent(found["annual_volatility"]), ""),
        ("Sharpe ratio", _ratio(found["sharpe"]), _between(found, "sharpe", _ratio)),
        ("Sortino ratio", _ratio(found["sortino"]), ""),
        ("Calmar ratio", _ratio(found["calmar"]), ""),
        ("largest drawdown", _percent(found["max_drawdown"]), _between(chance, "max_drawdown", _percent)),
        ("days under water", _percent(found["under_water_frac"]), ""),
        ("hit rate", _percent(found["hit_rate"]), ""),
        ("tail ratio", _ratio(found["tail_ratio"]), ""),
        ("skewness", _ratio(found["skewness"]), ""),
        ("kurtosis", _ratio(found["kurtosis"]), ""),
        ("turnover a year", f"{found['turnover']:.2f}", ""),
        ("costs of traded value", f"{found['costs_bps']:.1f} bp", ""),
    ]
    return rows + [(f"no {name}", "-", text) for name, text in found["undefined"].items()]


def _print_luck(console: Console, chance: Figures) -> None:
    if "psr" not in chance:
        return
    days, years = chance["min_track_record_days"], chance["min_track_record_years"]
    needed = "no length would do" if days is None else f"{days:,.0f} days ({years:.1f} years)"
    rows = [
        ("chance that the true Sharpe ratio is above zero (PSR)", _percent(chance["psr"])),
        (f"the same, counting trials: {chance['n_trials']:,} (DSR)", _percent(chance["dsr"])),
        ("best annual Sharpe ratio that so many trials without skill show", _ratio(chance["expected_best_sharpe"])),
        ("trials after which it would still pass 95 %", f"{chance['trials_survived']:,}"),
        ("days needed for a PSR of 95 %", needed),
        ("resampled histories with a Sharpe ratio not above zero", _percent(chance["chance_not_above_zero"])),
    ]
    console.table("what luck explains", ("question", "answer"), rows)
    if chance["n_trials"] == 1:
        console.say("  Only this configuration is counted: name all that were ever tried with --trials.")


def _print_benchmark(console: Console, found: Figures) -> None:
    if "refused" in found:
        console.say(f"  No benchmark: {found['refused']}")
        return
    alpha, beta = found["alpha_std_error"], found["beta_std_error"]
    rows = [
        ("alpha a year", _percent(found["alpha_per_year"]), f"error {alpha:.2%}, t {found['alpha_t']:.2f}"),
        ("beta", _ratio(found["beta"]), f"error {beta:.3f}, R2 {found['r_squared']:.2f}"),
        ("tracking error", _percent(found["tracking_error"]), ""),
        ("information ratio", _ratio(found["information_ratio"]), _between(found, "information_ratio", _ratio)),
        ("its Sharpe ratio", _ratio(found["its_sharpe"]), _between(found, "its_sharpe", _ratio)),
        ("Sharpe ratio less its", _ratio(found["sharpe_difference"]), _between(found, "sharpe_difference", _ratio)),
        ("capture of its rising months", _percent(found["up_capture"]), ""),
        ("capture of its falling months", _percent(found["down_capture"]), ""),
    ]
    header = ("figure", "value", f"95 % interval, or Newey-West with {found['newey_west_lags']} lags")
    console.table(f"against {found['benchmark']}", header, rows)


def _print_periods(console: Console, found: Figures, periods: Figures) -> None:
    falls = [
        (
            f"{row['peak_day']} to {row['end_day'] or 'not recovered'}",
            _percent(row["depth"]),
            row["trough_day"],
            str(row["length_days"]),
            "-" if row["recovery_days"] is None else str(row["recovery_days"]),
        )
        for row in found["drawdowns"]
    ]
    console.table("worst drawdowns, in sessions", ("from, to", "depth", "trough", "length", "recovery"), falls)
    header = ("", "days", "return", "benchmark", "volatility", "drawdown")
    console.table("by year", header, [(row["year"], *_stretch(row)) for row in periods["years"]])
    if periods["crises"]:
        rows = [(f"{row['title']}, from {row['first_day']}", *_stretch(row)) for row in periods["crises"]]
        console.table("through crises", header, rows)


def _stretch(row: Figures) -> tuple[str, ...]:
    return (str(row["days"]), *(_percent(row[key]) for key in ("return", "benchmark", "volatility", "max_drawdown")))


def _print_factors(console: Console, found: Figures) -> None:
    if "refused" in found:
        console.say(f"  No factors of its own names: {found['refused']}")
        return
    for title, model in found["models"].items():
        rows = [
            (name, *(f"{model[key][name]:.2f}" for key in ("betas", "t")), f"{model['parts_per_year'][name]:.2%}")
            for name in model["names"]
        ]
        rows.append(("alpha", "", f"{model['alpha_t']:.2f}", f"{model['alpha_part_per_year']:.2%}"))
        rows.append(("total", "", "", f"{model['total_per_year']:.2%}"))
        console.table(f"{title}, R2 {model['r_squared']:.2f}", ("factor", "beta", "t", "return a year"), rows)
    if "sharpe_above_cash" in found and found["has_cash"]:
        said = _between(found, "sharpe_above_cash", _ratio)
        console.say(f"  Sharpe ratio above the return of cash: {found['sharpe_above_cash']:.2f} ({said})")


def _print_selection(console: Console, found: Figures) -> None:
    if "refused" in found:
        console.say(f"  No test of selection: {found['refused']}.")
        return
    console.say(
        f"Choosing the best of {len(found['names'])} ({found['what']}): in {found['probability']:.0%} of "
        f"{found['splits']:,} splits it is below the median out of sample; its Sharpe ratio goes from "
        f"{found['in_sample_median']:.2f} ({_between(found, 'in_sample', _ratio)}) to "
        f"{found['out_of_sample_median']:.2f} ({_between(found, 'out_of_sample', _ratio)})."
    )


def _between(found: Figures, name: str, shown: Any) -> str:
    low, high = found[f"{name}_low"], found[f"{name}_high"]
    return "-" if low is None or high is None else f"{shown(low)} to {shown(high)}"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.2%}"


def _ratio(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
