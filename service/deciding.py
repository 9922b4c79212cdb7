"""The `decide` command: one decision at the end of one session, from an all-cash book, recorded as a run of it."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from ..desk.book import Book, RunFolder, open_log
from ..desk.errors import DeskHalted, SettingsInvalid
from ..desk.models import price_table
from ..desk.operator import book_post
from ..domain.decisions import Decision
from ..domain.events import DecisionMade
from ..domain.messages import Message, portfolio_message, risk_message, signal_messages
from ..domain.sessions import day_of, session_text
from ..market.cards import DataSet
from ..market.datasets import load_to_decide
from ..market.earlier import earlier_name
from ..market.errors import NoSessions
from ..market.history import History
from ..market.store import book_store
from ..market.texted import texted_name
from .console import Console
from .flagged import flagged_in, print_flagged
from .model_calls import costs_document, print_costs
from .preparing import DEFAULT_DATA, RunRequest, prepare
from .running import play


def perform_decide(as_of: str, request: RunRequest, console: Console, *, with_costs: bool = False) -> bool:
    """False when the desk refused to decide. Of the request, its days and seed do not count."""
    book_path = request.book
    named = texted_name(earlier_name(request.data or DEFAULT_DATA, request.before), request.text)
    name, loaded = load_to_decide(named, request.every, book_store(book_path))
    day = session_at(loaded.history(), as_of).isoformat()
    prepared = prepare(RunRequest(name, day, day, request.model, book=book_path, config=request.config), loaded)
    _refuse_flag(book_path)
    folder = Book(book_path).create(prepared.run_id, is_desk=False)
    stop = play(prepared, folder, Console(as_json=True), is_desk=False)
    if stop is not None:
        _refuse_flag(book_path)
        raise DeskHalted(f"nothing was decided: {stop.reason}", remedy="Decide again.")
    decision, flagged = _decision(folder, loaded)
    history = loaded.history()
    deadline = history.close_time(history.next_session(decision.snapshot.session))
    document = decision_document(decision) | {"messages": decision_messages(decision, deadline), "flagged": flagged}
    costs = costs_document(folder, decision, price_table(prepared.settings.llm)) if with_costs else None
    console.result(document if costs is None else document | {"costs": costs})
    print_decision(decision, folder, console)
    print_flagged(flagged, console)
    if costs is not None:
        print_costs(costs, console)
    return decision.kind != "refused"


def _refuse_flag(book_path: Path) -> None:
    note = book_post(book_path).flag.read()
    if note is not None:
        raise DeskHalted(
            f"nothing was decided: the kill flag is up, {note.by}: {note.reason}",
            remedy="Look at `parley status`, then `parley resume`.",
        )


def session_at(history: History, text: str) -> date:
    """The last session that had closed at a day or moment; a day means its own close.

    A time without a zone is UTC for daily data, and the exchange's own where the data are of within the day. Raises
    NoSessions for a time before the first close, and for one so late that sessions are missing.
    """
    day, moment = _day_or_moment(text)
    missing_from = day_of(history.next_session(history.last_session))
    if day is not None:
        session = history.sessions_between(None, day)[-1]
        is_stale = day >= missing_from
    elif history.interval is not None:
        at = history.on_clock(moment)
        session = history.session_at(at)
        is_stale = at >= history.opening_time(missing_from)
    else:
        session = history.session_at(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
        is_stale = moment.date() > missing_from
    if is_stale:
        raise NoSessions(
            f"--as-of {text}: the data end with {session_text(history.last_session)}, sessions since then are missing",
            remedy="Give an earlier --as-of, or data that reach so far.",
        )
    return session


def _day_or_moment(text: str) -> tuple[date | None, datetime]:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        remedy = "Write --as-of as YYYY-MM-DD, or as a time such as 2022-03-15T20:00:00+00:00."
        raise SettingsInvalid(f"--as-of {text!r} is neither a day nor a time", remedy=remedy) from error
    try:
        return date.fromisoformat(text), moment
    except ValueError:
        return None, moment


def decision_document(decision: Decision) -> dict[str, Any]:
    """The contract of `decide --json`."""
    legs = decision.plan.legs if decision.plan else ()
    verdict = decision.verdict
    reasons = [check.text for check in verdict.reasons] if verdict else []
    return {
        "decision_id": decision.decision_id,
        "run": decision.run_id,
        "as_of": decision.as_of.isoformat(),
        "kind": decision.kind,
        "summary": decision.summary,
        "regime": decision.regime.value,
        "legs": [
            {"symbol": leg.symbol, "side": leg.side.value, "quantity": leg.quantity, "reason": leg.reason}
            for leg in legs
        ],
        "verdict": {
            "approved": decision.kind in ("trade", "no_trade"),
            "reasons": reasons if decision.kind != "refused" else [decision.summary],
        },
        "abstentions": [item.model_dump(mode="json") for item in decision.abstentions],
        "calls": decision.llm_calls,
        "prompt_tokens": decision.prompt_tokens,
    }


def decision_messages(decision: Decision, deadline: datetime) -> list[dict[str, Any]]:
    """The decision in the design document's three message forms, as other programs take it."""
    messages: list[Message] = [*signal_messages(decision)]
    messages += [item for item in (risk_message(decision), portfolio_message(decision, deadline)) if item is not None]
    return [message.model_dump(mode="json") for message in messages]


def print_decision(decision: Decision, folder: RunFolder, console: Console) -> None:
    console.say(f"{decision.kind} at {decision.as_of:%Y-%m-%d %H:%M} UTC: {decision.summary}")
    console.say(f"  regime {decision.regime.value}; {decision.llm_calls} model calls by `{decision.snapshot.model}`")
    for step in decision.targets.path if decision.targets else ():
        console.say(f"  {step.name:<20} {step.value:>9.4f}  {step.text}")
    legs = decision.plan.legs if decision.plan else ()
    rows = [
        (
            leg.symbol,
            leg.side.value,
            f"{leg.quantity:,}",
            f"{leg.notional:,.0f}",
            f"{leg.advice.expected_cost_bps:.1f} bp",
        )
        for leg in legs
    ]
    if rows:
        console.table("", ("symbol", "side", "quantity", "value", "expected cost"), rows)
    for check in decision.verdict.reasons if decision.verdict else ():
        console.say(f"  veto: {check.text}")
    for item in decision.abstentions:
        console.say(f"  {item.who} abstained: {item.text or item.reason.value}")
    console.say(f"\nExplain it: parley explain {decision.decision_id} --run {folder.run_id}")


def _decision(folder: RunFolder, data: DataSet) -> tuple[Decision, list[dict[str, Any]]]:
    """The decision, and what was flagged in it."""
    with open_log(folder, readonly=True) as (log, _):
        made = log.last(DecisionMade)
        payload = made.decoded() if made else None
        assert isinstance(payload, DecisionMade), "a run of one session holds one decision"
        return payload.decision, flagged_in(log, payload.decision.decision_id, data.texts)
