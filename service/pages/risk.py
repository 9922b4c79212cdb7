"""The page of a book's risk: methods, parts, far tail, dependence, scenarios, exits, hedges and a backtest."""

from collections.abc import Mapping

from ...market.cards import DataCard
from .charts import bar
from .render import render
from .risk_pictures import (
    backtest_picture,
    correlation_picture,
    extreme_pictures,
    liquidity_picture,
    ratio_picture,
)
from .twin import Fact, Twin


def risk_page(twin: Twin, entries: Mapping[str, Fact], name: str, session: str, card: DataCard) -> str:
    """The HTML; `entries` are ledger entries by the name of their tool."""
    methods = [{"name": key, "tail": tail} for key, tail in entries["tail_by_method"]["output"].items()]
    largest = max((row["tail"]["es"].number() for row in methods if row["tail"].maybe("es")), default=1.0)
    found = entries["var_components"]["output"]
    parts = sorted(found["by_name"].items(), key=lambda item: -item[1].number())
    output = {name: entry["output"] for name, entry in entries.items()}
    scenarios = entries["stress_table"]["output"]["rows"].rows()
    worst = max((abs(row["return"].number()) for row in scenarios), default=1.0)
    return render(
        "risk.html",
        title="Risk",
        name=name,
        session=session,
        methods=[row | {"bar": _bar(row["tail"].maybe("es"), largest)} for row in methods],
        parts=[_part(found, symbol, parts[0][1].number()) for symbol, _ in parts],
        found=found,
        beta=output["stress_table"]["beta"],
        simulated=output["simulated_book"],
        extreme=output["extreme_tail"],
        extreme_charts=extreme_pictures(twin, entries["extreme_tail"]),
        copulas=output["copula_choice"],
        crashes=_crashes(output["copula_choice"]),
        moving=output["correlation_path"],
        correlation_chart=correlation_picture(twin, entries["correlation_path"]),
        reverse=output["reverse_stress"],
        profile=output["liquidity_profile"],
        liquidity_chart=liquidity_picture(twin, entries["liquidity_profile"]),
        ratios=output["hedge_ratios"],
        ratio_chart=ratio_picture(twin, entries["hedge_ratios"]),
        backtest=output["book_backtest"],
        backtest_chart=backtest_picture(twin, entries["book_backtest"]),
        scenarios=[{"row": row, "bar": _bar(row["return"], worst, tone="c1")} for row in scenarios],
        joint=output["joint_tail"],
        drivers=output["risk_drivers"],
        broken=output["recent_break"],
        shocks=list(output["shocks"].items()),
        exits=output["exit_costs"],
        hedges=output["hedges"]["rows"].rows(),
        survivorship=twin.derive("survivorship", card.name, card.survivorship),
        evidence=list(entries.values()),
    )


def _part(found: Fact, symbol: str, largest: float) -> dict[str, object]:
    part = found["by_name"][symbol]
    return {
        "symbol": symbol,
        "part": part,
        "bar": _bar(part, largest),
        "es": found["es_by_name"][symbol],
        "marginal": found["marginal"][symbol],
        "sold": found["when_sold"][symbol],
    }


def _crashes(choice: Fact) -> list[dict[str, object]]:
    """The chances of a joint crash with their bars; nothing where the copulas were refused."""
    if not choice.maybe("joint_crash"):
        return []
    chances = dict(choice["joint_crash"].items())
    largest = max(chance.number() for chance in chances.values()) or 1.0
    titles = {"independent": "Independent", "gaussian": "Gaussian copula", "t": "t copula", "counted": "Counted"}
    return [
        {"title": title, "chance": chances[key], "bar": bar(chances[key].number(), largest)}
        for key, title in titles.items()
    ]


def _bar(value: Fact | None, scale: float, tone: str = "c0") -> object:
    """A bar from the middle when a value can be negative; nothing where a method refused."""
    if value is None or scale <= 0.0:
        return ""
    return bar(value.number(), scale, signed=True, tone=tone)
