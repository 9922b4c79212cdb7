"""What `parley portfolio` prints: books, trial, covariances, sizes, factor exposures and the way to a target."""

from datetime import date
from pathlib import Path
from typing import Any

from .console import Console

IN_SAMPLE = (
    "Each book is measured on the year it was built on, which flatters the methods that fit that year hardest. "
    "Out of sample they are built again every month on the year before it."
)
SURE_T = 2.0
RULES = {
    "kelly_sample": "Kelly, sample mean",
    "kelly_calibrated": "Kelly, calibrated",
    "kelly_joint": "Kelly, joint",
    "vol_target": "volatility target",
    "range_unit": "range unit",
    "desk": "the desk's own",
}
"""How people read the sizing rules."""


def print_books(console: Console, document: dict[str, Any], session: date, weights: Path | None, html: Path) -> None:
    books = document["build_books"]["books"]
    console.say(f"Fully invested books at the close of {session}")
    rows = [(name, *_columns(book)) for name, book in books.items() if "refused" not in book]
    header = ("method", "volatility", "VaR 99%", "ES 97.5%", "largest", "risk share", "names", "entry", "beta")
    console.table("in sample", header, rows)
    for name, book in books.items():
        if said := book.get("refused") or book.get("note"):
            console.say(f"  {name}: {said}")
        if book.get("over_limits"):
            console.say(f"  {name}: over the limit in {', '.join(book['over_limits'])}")
    console.say(f"  {IN_SAMPLE}")
    trial = document["out_of_sample"]
    if "refused" in trial:
        console.say(f"  No trial out of sample: {trial['refused']}.")
    else:
        _print_trial(console, trial)
    _print_covariances(console, document["covariance_estimates"])
    _print_sizes(console, document["position_sizes"])
    _print_exposures(console, document["factor_exposures"])
    if "stated_views" in document:
        _print_views(console, document["stated_views"])
    if "rebalancing_plan" in document:
        _print_plan(console, document["rebalancing_plan"])
    if weights:
        console.say(f"\nWeights: {weights}, for `parley risk --weights`")
    console.say(f"\nPage: {html}")


def _print_trial(console: Console, trial: dict[str, Any]) -> None:
    rows = [
        (
            name,
            *(f"{row[key]:.1%}" for key in ("return_annual", "volatility_annual")),
            f"{row['sharpe']:.2f}",
            "-" if row["sharpe_low"] is None else f"{row['sharpe_low']:.2f} to {row['sharpe_high']:.2f}",
            *(f"{row[key]:.2%}" for key in ("max_drawdown", "costs")),
        )
        for name, row in trial["methods"].items()
    ]
    title = f"out of sample, {trial['first_day']} to {trial['last_day']}, net of costs"
    console.table(title, ("method", "return", "volatility", "Sharpe", "interval", "drawdown", "costs"), rows)


def _columns(book: dict[str, Any]) -> tuple[str, ...]:
    keys = ("volatility_annual", "var_99", "es_975", "largest_weight", "largest_risk_share")
    shares = [f"{book[key]:.1%}" for key in keys]
    return (*shares, f"{book['effective_names']:.1f}", f"{book['entry_cost']:.3%}", f"{book['beta']:.2f}")


def _print_covariances(console: Console, estimates: dict[str, Any]) -> None:
    rows = [
        (
            name,
            "singular" if row["condition"] is None else f"{row['condition']:.0f}",
            f"{row['mean_correlation']:.2f}",
            f"{row['forecast_now']:.1%}",
            *(
                (f"{row['forecast']:.1%}", f"{row['realized']:.1%}", f"{row['bias']:.2f}", f"{row['qlike']:.3f}")
                if "periods" in row
                else ("-",) * 4
            ),
        )
        for name, row in estimates.items()
        if "refused" not in row
    ]
    header = ("estimate", "condition", "mean corr", "now", "forecast", "realized", "real/fore", "QLIKE")
    console.table("covariances, by the least-variance book each leads to", header, rows)
    for name, row in estimates.items():
        if "refused" in row:
            console.say(f"  {name}: {row['refused']}")
    short = next((row["no_record"] for row in estimates.values() if "no_record" in row), None)
    console.say(
        f"  No record: {short}."
        if short
        else "  Forecast and realized are volatilities a year over the months after each estimate; QLIKE is best low."
    )


def _print_sizes(console: Console, sizes: dict[str, Any]) -> None:
    if "refused" in sizes:
        console.say(f"  No sizes: {sizes['refused']}.")
        return
    rows = [
        (RULES[name], *(f"{row[key]:.1%}" for key in ("gross", "largest", "volatility_annual", "growth_annual")))
        for name, row in sizes["rules"].items()
    ]
    console.table("sizes by rule", ("rule", "gross", "largest", "volatility", "growth"), rows)
    record = sizes["calibration"]
    if "refused" in record:
        console.say(f"  No calibrated expectation: {record['refused']}")
    else:
        console.say(
            f"  The scores' IC over {record['weeks']} weeks is {record['ic_raw']:.4f}, shrunk to "
            f"{record['ic_shrunk']:.4f} (t {record['t_stat']:.2f}); growth is beyond the market's."
        )
    if sizes["range_from_closes"]:
        console.say("  The data set has no highs and lows: ranges are from closes, which show less than there is.")


def _print_exposures(console: Console, exposures: dict[str, Any]) -> None:
    if "refused" in exposures:
        console.say(f"  No factor exposures: {exposures['refused']}.")
        return
    factors = exposures["factors"]
    rows = [
        (
            name,
            *(f"{book['betas'][factor]:.2f}{'*' if abs(book['t'][factor]) >= SURE_T else ''}" for factor in factors),
            f"{book['r_squared']:.0%}",
            f"{book['own_share']:.0%}",
        )
        for name, book in exposures["books"].items()
        if "refused" not in book
    ]
    title = (
        f"factor exposures, * where t is at least {SURE_T:g}, {exposures['days']} days, factors {exposures['source']}"
    )
    console.table(title, ("method", *factors, "explained", "own risk"), rows)


def _print_views(console: Console, found: dict[str, Any]) -> None:
    stated = {row["symbol"]: row for row in found["views"]}
    books = {name: book for name, book in found["books"].items() if "refused" not in book}
    rows = [
        (
            symbol,
            f"{stated[symbol]['return_annual']:.1%} at {stated[symbol]['confidence']:.0%}" if symbol in stated else "",
            f"{prior:.1%}",
            f"{found['posterior_annual'][symbol]:.1%}",
            *(f"{book['after'][symbol]:.1%} ({round(book['tilt'][symbol], 3) + 0.0:+.1%})" for book in books.values()),
        )
        for symbol, prior in found["prior_annual"].items()
    ]
    console.table("your views", ("name", "stated", "prior", "posterior", *books), rows)
    for name, book in found["books"].items():
        if "refused" in book:
            console.say(f"  {name}: {book['refused']}")
    console.say(f"  {found['convention']} In brackets: how far the views tilt the book.")


def _print_plan(console: Console, plan: dict[str, Any]) -> None:
    rows = [
        (
            name,
            f"{row['turnover']:.1%}",
            f"{row['names_traded']}",
            f"{row['cost']:.3%}",
            f"{row['tracking_annual']:.2%}",
            *(
                (f"{plan['year'][name]['cost_annual']:.3%}", f"{plan['year'][name]['tracking_annual']:.2%}")
                if name in plan["year"]
                else ("-", "-")
            ),
        )
        for name, row in plan["ways"].items()
    ]
    header = ("way", "turnover", "names", "cost", "tracking", "a year: cost", "tracking")
    console.table(f"from {plan['source']} to {plan['method']}", header, rows)
    says = "trade" if plan["policy_says_trade"] else "keep the book"
    console.say(f"  The policy's band is {plan['band']:.0%} of the target: it says {says}.")
