"""The page of a book's risk: methods side by side, parts, scenarios, exits and hedges, all from ledger entries."""

from collections.abc import Mapping

from ...market.cards import DataCard
from .charts import bar
from .render import render
from .twin import Fact, Twin


def risk_page(twin: Twin, entries: Mapping[str, Fact], name: str, session: str, card: DataCard) -> str:
    """The HTML; `entries` are ledger entries by the name of their tool."""
    methods = [{"name": key, "tail": tail} for key, tail in entries["tail_by_method"]["output"].items()]
    largest = max((row["tail"]["es"].number() for row in methods if row["tail"].maybe("es")), default=1.0)
    parts = list(entries["var_components"]["output"]["by_name"].items())
    parts.sort(key=lambda item: -item[1].number())
    scenarios = entries["stress_table"]["output"]["rows"].rows()
    worst = max((abs(row["return"].number()) for row in scenarios), default=1.0)
    return render(
        "risk.html",
        title="Risk",
        name=name,
        session=session,
        methods=[row | {"bar": _bar(row["tail"].maybe("es"), largest)} for row in methods],
        parts=[{"symbol": symbol, "part": part, "bar": _bar(part, parts[0][1].number())} for symbol, part in parts],
        normal_var=entries["var_components"]["output"]["normal_var"],
        beta=entries["stress_table"]["output"]["beta"],
        scenarios=[{"row": row, "bar": _bar(row["return"], worst, tone="c1")} for row in scenarios],
        joint=entries["joint_tail"]["output"],
        drivers=entries["risk_drivers"]["output"],
        broken=entries["recent_break"]["output"],
        shocks=list(entries["shocks"]["output"].items()),
        exits=entries["exit_costs"]["output"],
        hedges=entries["hedges"]["output"]["rows"].rows(),
        survivorship=twin.derive("survivorship", card.name, card.survivorship),
        evidence=list(entries.values()),
    )


def _bar(value: Fact | None, scale: float, tone: str = "c0") -> object:
    """A bar from the middle when a value can be negative; nothing where a method refused."""
    if value is None or scale <= 0.0:
        return ""
    return bar(value.number(), scale, signed=True, tone=tone)
