"""What the portfolio could lose: tails by method, who carries them, crises, and how much of each limit is left."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import JsonValue

from ...domain.decisions import Evidence
from ...domain.levels import BREAKER_UNITS, in_words
from ...execution.breaker_rules import FloorRule
from ...execution.breakers import BREAKERS, rule_of
from ...tools.exits import exit_costs
from ...tools.ledger import Ledger
from ...tools.stress import shock_book, stress_book
from ...tools.tails import components, tail_by_method
from ..answers.draft import Draft
from ..answers.places import BOOK
from ..answers.reader import Reading
from ..answers.reviewing import probe_legs, review_of_book
from ..answers.risks import BOOK_CHECKS
from ..pages.charts import bar
from ..pages.limit_units import Written, limit_title, limit_unit
from ..pages.twin import Fact, Twin
from .parts import Asked

LEVEL = 0.99
NEAR_FRAC = 0.8
"""From this share of a limit on it is called near."""
UNITS = {"frac": "frac", "bps": "bps", "count": "count", "of limit": "frac", "corr": "ratio", "s": "count"}
SECONDS = "s"


@dataclass(frozen=True, slots=True)
class Tails:
    """What the tools measured of the portfolio."""

    twin: Twin
    methods: list[dict[str, Any]]
    parts: list[dict[str, Any]]
    whole: Fact
    """Normal VaR and historical shortfall, which the parts sum to."""
    scenarios: list[dict[str, Any]]
    moves: list[tuple[str, Fact]]
    """Round moves of the market, through the beta."""
    worse: list[tuple[str, Fact]]
    """The normal VaR in a worse market, and how far a large loss is."""
    beta: Fact
    exits: Fact
    level: Fact


@dataclass(frozen=True, slots=True)
class NowView:
    """Equity, gross, net and drawdown at the last close; None before one."""

    twin: Twin
    now: Fact | None


@dataclass(frozen=True, slots=True)
class LimitsView:
    """The gate's bounds of the portfolio, the one with the least room first, and what people made tighter."""

    twin: Twin
    rows: list[dict[str, Any]]
    reviewed: Fact | None
    tightened: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class BreakersView:
    """Each circuit breaker, and what is restricted now."""

    twin: Twin
    rows: list[dict[str, Any]]
    restricted: list[dict[str, Any]]


def now_view(asked: Asked) -> NowView:
    """How the portfolio stood at the last close."""
    reading = asked.reading
    draft = reading.draft("risk_now", {})
    if not reading.sessions:
        return NowView(draft.twin, None)
    last = reading.sessions[-1]
    about: dict[str, JsonValue] = {
        "session": last.session.isoformat(),
        "equity": str(last.equity),
        "gross": last.gross,
        "net": last.net,
        "drawdown": last.drawdown_frac,
        "names": len(reading.portfolio.holdings()),
    }
    return NowView(draft.twin, draft.derive("risk_now", about, seq=last.seq))


def tails_view(asked: Asked) -> Tails | None:
    """Of what is held now; None where all is cash. It takes a tenth of a second, so that while fills and closes
    come all the time it may be of a moment ago."""
    return asked.reading.seldom("risk page", lambda: _measured(asked.reading), of=BOOK)


def limits_view(asked: Asked) -> LimitsView:
    """How much of each limit the portfolio uses."""
    draft = asked.reading.draft("limits", {})
    rows, reviewed = _limits(asked.reading, draft)
    return LimitsView(draft.twin, rows, reviewed, _tightened(asked.reading, draft))


def breakers_view(asked: Asked) -> BreakersView:
    """Where each breaker stands."""
    draft = asked.reading.draft("breakers", {})
    return BreakersView(draft.twin, _breakers(asked.reading, draft), _restricted(asked.reading, draft))


def _measured(reading: Reading) -> Tails | None:
    weights = reading.weights if reading.sessions else {}
    if not weights:
        return None

    def measure(ledger: Ledger) -> None:
        tail_by_method(ledger, reading.scene, weights, LEVEL)
        components(ledger, reading.scene, weights, LEVEL)
        stress_book(ledger, reading.scene, weights)
        shock_book(ledger, reading.scene, weights)
        exit_costs(ledger, reading.scene, weights)

    return _tails(reading.draft("risk", {"level": LEVEL}), reading.measured("risk page", measure), weights)


def _tails(draft: Draft, entries: Sequence[Evidence], weights: Mapping[str, float]) -> Tails:
    found = draft.entries(entries)
    methods = [{"name": name, "tail": tail} for name, tail in found["tail_by_method"].items()]
    largest = max((row["tail"]["es"].number() for row in methods if row["tail"].maybe("es")), default=1.0)
    whole = found["var_components"]
    parts = sorted(whole["by_name"].items(), key=lambda item: -item[1].number())
    scale = max((abs(part.number()) for _, part in parts), default=0.0)
    is_mixed = any(part.number() < 0 for _, part in parts)
    scenarios = found["stress_table"]["rows"].rows()
    worst = max((abs(row["return"].number()) for row in scenarios), default=1.0)
    held = draft.derive("weights", dict(weights))
    shocks = [(name.replace("-", "\N{MINUS SIGN}").replace(" %", "%"), fact) for name, fact in found["shocks"].items()]
    return Tails(
        twin=draft.twin,
        methods=[row | {"bar": _bar(row["tail"].maybe("es"), largest)} for row in methods],
        parts=[
            {
                "symbol": symbol,
                "part": part,
                "weight": held.maybe(symbol),
                "es": whole["es_by_name"][symbol],
                "sold": whole["when_sold"][symbol],
                "bar": bar(part.number(), scale, signed=is_mixed),
            }
            for symbol, part in parts
        ],
        whole=whole,
        scenarios=[{"row": row, "bar": _bar(row["return"], worst, "c1", signed=True)} for row in scenarios],
        moves=[item for item in shocks if item[0].startswith("market")],
        worse=[item for item in shocks if not item[0].startswith("market")],
        beta=found["stress_table"]["beta"],
        exits=found["exit_costs"],
        level=draft.derive("level", LEVEL),
    )


def _limits(reading: Reading, draft: Draft) -> tuple[list[dict[str, Any]], Fact | None]:
    """The gate's bounds of the portfolio with one lot more of each name, the one with the least room first."""
    review = review_of_book(reading, probe_legs(reading)) if reading.sessions else None
    if review is None:
        return [], None
    rows: list[JsonValue] = []
    for check in review.verdict.checks:
        if check.check not in BOOK_CHECKS or check.value is None or check.limit is None or check.limit <= 0:
            continue
        row = check.model_dump(mode="json", include={"check", "symbol", "value", "limit", "unit", "passed"})
        used = max(check.value, 0.0) / check.limit
        rows.append({**row, "used": used, "left": check.limit - check.value})
    found = draft.derive("limits", rows, decision=review.decision_id, limits=review.limits_hash).rows()
    found.sort(key=lambda row: -row["used"].number())
    about: dict[str, JsonValue] = {"decision_id": review.decision_id, "limits_hash": review.limits_hash}
    return [
        {
            "row": row,
            "bar": bar(row["used"].number(), 1.0, tone=_tone(row)),
            "state": _state(row),
            "is_ratio": row["check"].raw == "beta",
        }
        for row in found
    ], draft.derive("reviewed", about)


def _state(row: Fact) -> str:
    if row["passed"].raw is not True:
        return "over"
    return "near" if row["used"].number() >= NEAR_FRAC else "inside"


def _tone(row: Fact) -> str:
    return {"over": "bad", "near": "more", "inside": "good"}[_state(row)]


def _breakers(reading: Reading, draft: Draft) -> list[dict[str, Any]]:
    """Each breaker with its levels, what the last close says of its figure, and whether it holds anything now."""
    rules, standing, figures = reading.settings.breakers, reading.standing, _figures(reading)
    tripped = {change.name: change for change in standing.all_causes}
    below = {breaker.name for breaker in BREAKERS if isinstance(rule_of(rules, breaker.name), FloorRule)}
    rows: list[JsonValue] = []
    for breaker in BREAKERS:
        rule = rule_of(rules, breaker.name)
        change = tripped.get(breaker.name)
        state = "tripped" if change else "alerting" if breaker.name in standing.alerted else "armed"
        rows.append(
            {
                "name": breaker.name,
                "what": breaker.what,
                "unit": breaker.unit,
                "trip": rule.trip,
                "rearm": rule.rearm,
                "action": rule.action,
                "state": state,
                "figure": figures.get(breaker.name),
                "tripped_at": change.figure if change else None,
            }
        )
    return [
        {
            "row": row,
            "written": _written(row["unit"].string()),
            "way": "<" if row["name"].raw in below else ">",
            "state": row["state"].string(),
        }
        for row in draft.derive("breakers", rows, settings=reading.settings.hash()).rows()
    ]


def _figures(reading: Reading) -> dict[str, float]:
    """Of the breakers whose figure a session's close tells."""
    if not reading.sessions:
        return {}
    last, earlier = reading.sessions[-1], reading.sessions[-2:-1]
    before = earlier[0].equity if earlier else reading.started.cash
    loss, fallen = max(0.0, float(1 - last.equity / before)), last.drawdown_frac
    waiting = float(len(reading.standing.unacknowledged))
    return {"daily_loss": loss, "drawdown_alert": fallen, "drawdown": fallen, "unacknowledged": waiting}


def _restricted(reading: Reading, draft: Draft) -> list[dict[str, Any]]:
    """What is not free now by every cause that stands, with the unit of a breaker's figure."""
    rows: list[JsonValue] = [
        {
            "scope": str(change.scope),
            **change.model_dump(mode="json", include={"after", "cause", "name", "figure", "limit"}),
            "reason": in_words(change.reason),
        }
        for change in reading.standing.all_causes
    ]
    found = draft.derive("restricted", rows).rows()
    return [{"row": row, "written": _written(BREAKER_UNITS.get(row["name"].string(), ""))} for row in found]


def _written(unit: str) -> Written:
    """How a breaker's unit is written."""
    return Written(UNITS.get(unit, "num"), "\N{NO-BREAK SPACE}s" if unit == SECONDS else "")


def _tightened(reading: Reading, draft: Draft) -> list[dict[str, Any]]:
    """Limits that people made tighter, beside what the file says; a table's one is not told by one number."""
    asked = dict(sorted(reading.standing.tightened.items()))
    if not asked:
        return []
    whole = reading.limits.model_dump(mode="json", include=set(asked))
    of_file: dict[str, JsonValue] = {key: value for key, value in whole.items() if not isinstance(value, dict)}
    found = draft.derive("tightened", {"asked": {**asked}, "file": of_file}, limits=reading.limits.hash())
    pairs = {name: (found["asked"][name], found["file"].maybe(name)) for name in asked}
    return [
        {
            "title": limit_title(name),
            "asked": bound,
            "of_file": of_file,
            "written": limit_unit(name, bound.number(), of_file.number() if of_file else None),
        }
        for name, (bound, of_file) in pairs.items()
    ]


def _bar(value: Fact | None, scale: float, tone: str = "c0", *, signed: bool = False) -> object:
    """Nothing where a method refused; from the middle where values can be negative."""
    return "" if value is None or scale <= 0.0 else bar(value.number(), scale, signed=signed, tone=tone)
