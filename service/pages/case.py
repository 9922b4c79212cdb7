"""All that the log holds on one decision, and the table rows that trade and decision pages share."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup
from pydantic import JsonValue

from ...domain.events import Event
from ...market.cards import DataCard
from ...tools.toolbox import TOOLS
from . import charts
from .errors import UnknownRecord
from .twin import Fact, Twin, check_known, payload_of

VOTE_WORDS = {1: "for", 0: "neutral", -1: "against", None: "abstained"}
GROSS_STEPS = ("reference book", "wanted gross", "capped gross")
FACTOR_STEPS = ("volatility target", "vix rule", "drawdown throttle")
"""The steps of the sizing path that are gross exposures, and those that multiply it; the rest explain them."""
AGENT_WORDS = {
    "market_analyst": "Market analyst",
    "risk_manager": "Risk manager",
    "portfolio_optimizer": "Portfolio optimizer",
    "execution_agent": "Execution agent",
}


@dataclass(frozen=True, slots=True)
class Case:
    """One decision with its evidence and model calls; every fact is already in the page's twin."""

    twin: Twin
    started: Fact | None
    decision: Fact
    evidence: tuple[Fact, ...]
    calls: tuple[Fact, ...]
    chain: tuple[Fact, ...]
    """The events this page rests on, for the footer."""
    regime_change: Fact | None = None
    """What the decision saw change in the market's regime."""
    flags: Fact | None = None
    """What it read or was told that looks like an attempt to steer it."""
    asked: Fact | None = None
    """The event by which a person was asked for its plan."""
    answered: Fact | None = None
    """And the event of the answer, a time-out among them."""

    @property
    def is_within_day(self) -> bool:
        """Whether its session is a span of a day, so that its data set's rows are bars of one."""
        return len(self.decision["snapshot"]["session"].string()) > len("YYYY-MM-DD")

    @classmethod
    def of(cls, twin: Twin, started: Event | None, events: Iterable[Event]) -> "Case":
        """Sort a decision's events; raises UnknownRecord when the decision itself is not among them."""
        run = twin.event(started) if started else None
        chain = [run] if run else []
        decision: Fact | None = None
        evidence: list[Fact] = []
        calls: list[Fact] = []
        change: Fact | None = None
        flags: Fact | None = None
        asked: Fact | None = None
        answered: Fact | None = None
        for event in events:
            if event.type == "EvidenceRecorded":
                check_known(event.type, event.schema_version)
                entries = Fact(event.payload, event.id)["entries"]
                evidence += twin.evidence([row.raw for row in entries.rows()])
                continue
            fact = twin.event(event)
            chain.append(fact)
            if event.type == "DecisionMade":
                decision = payload_of(fact)["decision"]
            elif event.type == "ModelReplied":
                calls += payload_of(fact)["calls"].rows()
            elif event.type == "RegimeChanged":
                change = payload_of(fact)
            elif event.type == "UntrustedTextFlagged":
                flags = payload_of(fact)
            elif event.type == "ApprovalAsked":
                asked = fact
            elif event.type == "ApprovalAnswered":
                answered = fact
        if decision is None:
            raise UnknownRecord(
                f"{twin.record_id}: the log holds no DecisionMade event for it",
                remedy="List the decisions of the run, and check that this is the run's own log.",
            )
        begun = payload_of(run) if run else None
        return cls(twin, begun, decision, tuple(evidence), tuple(calls), tuple(chain), change, flags, asked, answered)

    @property
    def uses_rules(self) -> bool:
        return self.decision["snapshot"]["model"].raw == "rules"

    def signal(self, symbol: str) -> Fact | None:
        return next(iter(self.decision["signals"].where(symbol=symbol)), None)


def gate_tables(decision: Fact, *, brief: bool = False) -> list[dict[str, object]]:
    """Each review of the gate, failed checks first; `brief` only names those that passed with nothing to measure."""
    tables: list[dict[str, object]] = []
    for verdict in decision["verdicts"].rows():
        checks = sorted(verdict["checks"].rows(), key=lambda row: row["passed"].raw is True)
        idle = [row for row in checks if brief and row["passed"].raw is True and row["value"].raw in (None, 0)]
        names = {row.pointer for row in idle}
        tables.append(
            {
                "verdict": verdict,
                "rows": [{"check": row, "bar": _headroom_bar(row)} for row in checks if row.pointer not in names],
                "idle": ", ".join(row["check"].string() for row in idle),
            }
        )
    return tables


def _headroom_bar(check: Fact) -> Markup:
    """How much of the limit is used; for a lower bound (a passing value above its limit) the reverse."""
    if check["value"].raw is None or check["limit"].raw is None:
        return Markup("")
    value, limit = abs(check["value"].number()), abs(check["limit"].number())
    passed = check["passed"].raw is True
    used, whole = (limit, value) if passed and value > limit else (value, limit)
    return charts.bar(used, whole if whole > 0 else max(used, 1.0), tone="good" if passed else "bad")


def vote_rows(case: Case, symbol: str) -> list[dict[str, object]]:
    """Each agent's vote on one leg, its weight, and a bar of weight times confidence."""
    consensus = case.decision.maybe("consensus")
    rows: list[dict[str, object]] = []
    for vote in case.decision["votes"].where(symbol=symbol):
        agent = vote["agent"].string()
        weights = consensus["weights"] if consensus else None
        weight = weights.maybe(agent) if weights else None
        value = vote["value"].raw
        pull = 0.0
        if isinstance(value, int) and weight:
            pull = value * weight.number() * vote["confidence"].number() / 100
        rows.append(
            {
                "agent": AGENT_WORDS.get(agent, agent),
                "vote": vote,
                "word": VOTE_WORDS[value if isinstance(value, int) else None],
                "weight": weight,
                "bar": charts.bar(pull, 0.5, signed=True, tone="good" if pull >= 0 else "bad"),
            }
        )
    return rows


def leg_consensus(case: Case, symbol: str) -> Fact | None:
    consensus = case.decision.maybe("consensus")
    found = consensus["legs"].where(symbol=symbol) if consensus else []
    return found[0] if found else None


def dissenters(leg: Fact | None) -> str:
    """Who was against, in words; empty when nobody was."""
    names = [row.string() for row in leg["dissent"].rows()] if leg else []
    return ", ".join(AGENT_WORDS.get(name, name) for name in names)


def sizing_rows(decision: Fact) -> list[dict[str, object]]:
    """The optimizer's path from the raw book to the final size; bars follow the gross exposure through it."""
    targets = decision.maybe("targets")
    steps = targets["path"].rows() if targets else []
    before: float | None = None
    rows: list[dict[str, object]] = []
    for step in steps:
        name, value = step["name"].string(), step["value"].number()
        after = (
            value if name in GROSS_STEPS else before * value if name in FACTOR_STEPS and before is not None else None
        )
        bar = charts.step_bar(after if before is None else before, after, 1.0) if after is not None else Markup("")
        before = before if after is None else after
        rows.append({"step": step, "bar": bar})
    return rows


def evidence_rows(case: Case, symbol: str | None = None) -> list[dict[str, object]]:
    """The ledger: each tool call with a few of its numbers, those of the page's symbol first."""
    as_of = case.decision["as_of"].raw
    return [
        {
            "entry": entry,
            "says": _says(entry),
            "values": _preview(entry, symbol),
            "is_dated": entry["as_of"].raw != as_of,
        }
        for entry in case.evidence
    ]


def _says(entry: Fact) -> str:
    """What the tool's figures mean; a log may name tools of another version of Parley."""
    tool = TOOLS.get(str(entry["tool"].raw))
    return tool.says if tool else ""


def _preview(entry: Fact, symbol: str | None) -> list[dict[str, object]]:
    output = entry["output"]
    if symbol is not None:
        output = output.maybe(symbol) or output
    if _is_number(output.raw):
        return [{"name": None, "value": output, "unit": None}]
    own: list[dict[str, object]] = []
    other: list[dict[str, object]] = []
    for name, value in output.items():
        nested = value.maybe(symbol) if symbol and isinstance(value.raw, dict) else None
        found = nested or value
        if _is_number(found.raw):
            (own if nested else other).append({"name": name, "value": found, "unit": _unit_of(name, found)})
    return (own + other)[: 2 if symbol else 3]


def _unit_of(name: str, value: Fact) -> str:
    """Outputs of many figures mix units, so each is shown as it is, unless its own name says more."""
    return "bps" if name.endswith("_bps") else "count" if isinstance(value.raw, int) else "num"


def _is_number(raw: JsonValue) -> bool:
    return isinstance(raw, (int, float)) and not isinstance(raw, bool)


def card_facts(twin: Twin, card: DataCard | None, *, brief: bool = False) -> list[dict[str, object]]:
    """What is known about the data set, as rows of label and text; `brief` keeps what a trade depends on."""
    if card is None:
        return []
    texts: dict[str, JsonValue] = {
        "Data set": card.title,
        "Prices": "adjusted for splits and dividends" if card.adjusted else "as traded, not adjusted",
        "Fields": "close only: no open, high, low or volume" if card.close_only else "open, high, low, close, volume",
        "Survivorship": card.survivorship,
    }
    if not brief:
        texts["Sessions"] = f"{card.first_session} to {card.last_session}, {card.frequency}"
        texts |= {"Source": card.source, "License": card.license, "Notes": "; ".join(card.notes)}
    kept = twin.derive("data_card", card.name, {label: text for label, text in texts.items() if text})
    return [{"label": label, "text": fact} for label, fact in kept.items()]


def provenance(case: Case, card: DataCard | None, order_events: Sequence[Fact] = ()) -> dict[str, object]:
    """The footer: run, data, hashes and the chain positions of the events behind the page."""
    return {
        "started": case.started,
        "decision": case.decision,
        "chain": [*case.chain, *order_events],
        "is_trade": bool(order_events),
        "card": card_facts(case.twin, card, brief=bool(order_events)),
        "uses_rules": case.uses_rules,
    }
