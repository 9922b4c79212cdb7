"""The emergency procedures as drills: carried out on recorded days, and what must hold is looked up in the log."""

import asyncio
from collections import Counter
from dataclasses import replace

from ..agents.llm.port import ChatReply, ChatRequest
from ..agents.llm.rules import RulesModel
from ..desk.clock import elapsed_s
from ..desk.deadman import look
from ..desk.incidents import bundle_hash_of
from ..desk.operator import DEAD_MAN
from ..domain.control_events import IncidentRecorded, NotificationRaised
from ..domain.events import ChildAccepted, ChildClosed, ChildSubmitted, ChildUnresolved, OrderFilled
from ..domain.orders import Side
from ..domain.trading import Scope, TradingState
from ..execution.flatten_requests import FLATTEN_ENDED
from ..gate.errors import LimitLoosened
from .book_at_rest import BookAtRest, standing_of
from .drill_facts import Problems, ProcedureDrill, at_place, at_rest, held, need, of
from .drill_ground import WHO, Ground, Trouble, play
from .drill_stops import standing_stops
from .drill_venues import acting, changed_tape, moved, unreachable

HALT_WITHIN_S = 1.0


def _soft_stop(ground: Ground) -> Problems:
    play(ground, Trouble(act=at_place(1, lambda: ground.ask("cancel"))))
    first = ground.sessions[1]
    sent = [event for event in ground.events() if event.type == "ChildSubmitted" and event.event_time.date() == first]
    return [
        *need(not sent, f"{len(sent)} orders were sent in the session whose orders were cancelled"),
        *need(bool(of(ground, ChildSubmitted)), "nothing was sent in the sessions after it"),
        *need(standing_of(ground.folder).account is TradingState.ACTIVE, "the account was restricted"),
    ]


def _reduce(ground: Ground) -> Problems:
    play(ground, Trouble(act=at_place(2, lambda: ground.ask("reduce"))))
    later = of(ground, OrderFilled, after="TradingStateChanged")
    bought = [item for item in later if item.fill.side is Side.BUY]
    return [
        *need(standing_of(ground.folder).account is TradingState.REDUCING, "the account is not REDUCING"),
        *need(not bought, f"{len(bought)} buys were filled while REDUCING"),
    ]


def _halt_and_cancel(ground: Ground) -> Problems:
    # One share is offered and the market then leaves the limits behind: orders are open when the halt comes.
    tape = changed_tape(
        lambda quote, first: moved(replace(quote, ask_size=1), "1.03" if quote.ts_event > first else "1")
    )
    stop = play(ground, Trouble(tape_of=tape, venue_of=acting(ground.raise_flag)))
    wanted = {item.child.client_order_id: item.child.quantity for item in of(ground, ChildSubmitted)}
    filled = Counter[str]()
    for item in of(ground, OrderFilled):
        filled[item.fill.client_order_id] += item.fill.quantity
    closed = {item.client_order_id for item in of(ground, ChildClosed)}
    over = closed | {name for name, count in filled.items() if count == wanted[name]}
    return [
        *need(stop is not None and stop.kind == "halted", "the run went on"),
        *need(bool(closed), "no order was open when the halt came"),
        *need({item.client_order_id for item in of(ground, ChildAccepted)} <= over, "an order may still fill"),
        *need(not of(ground, ChildSubmitted, after="TradingStateChanged"), "orders were sent after the halt"),
    ]


def _flatten(ground: Ground) -> Problems:
    play(ground, Trouble(act=at_place(3, lambda: ground.ask("flatten"))))
    ended = [item for item in of(ground, NotificationRaised) if item.code == FLATTEN_ENDED]
    later = [item.fill.side for item in of(ground, OrderFilled, after="OperatorAsked")]
    if not ended:
        return ["it never ended"]
    # On a day that falls out of the price band, to say what is left is right, and to sell it there is wrong.
    is_flat, left = ended[0].text.startswith("flat "), held(ground)
    return [
        *need(is_flat or ended[0].severity == "critical", f"nobody was called though it ended {ended[0].text}"),
        *need(is_flat is not bool(left), f"it ended {ended[0].text}, and held is {left}"),
        *need(Side.SELL in later and Side.BUY not in later, "it sold nothing, or something was bought after it"),
        *need(standing_of(ground.folder).account is not TradingState.ACTIVE, "the account was left ACTIVE"),
    ]


def _scopes(ground: Ground) -> Problems:
    symbol = ground.data.universe.instruments[0].symbol
    scope = Scope(kind="instrument", name=symbol)
    play(ground, Trouble(act=at_place(1, lambda: ground.ask("halt", scope))))
    sent = [item.child.symbol for item in of(ground, ChildSubmitted, after="TradingStateChanged")]
    return [
        *need(symbol not in sent, f"{symbol} was traded while it was halted"),
        *need(bool(sent), "the others were not traded either"),
    ]


def _dead_man(ground: Ground) -> Problems:
    play(ground, Trouble())
    post = ground.post
    post.heartbeat.beat()
    fresh = look(post.heartbeat, post.flag, 60.0, DEAD_MAN)
    cold = look(post.heartbeat, post.flag, -1.0, DEAD_MAN)
    again = look(post.heartbeat, post.flag, -1.0, DEAD_MAN)
    with BookAtRest(ground.folder, post) as resting:
        resting.take_flag()
    waits_for = standing_of(ground.folder).waits_for
    return [
        *need(not fresh.is_raised, "a beating desk was halted"),
        *need(cold.raised_now and not again.raised_now, "a cold heartbeat did not raise the flag just once"),
        *need(waits_for is not None and waits_for.cause == "dead_man", "the halt is not in the log"),
    ]


class _Hangs(RulesModel):
    """A model that raises the flag when it is first asked, as a person would, and then never answers."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self.asked_s: float | None = None

    async def complete(self, request: ChatRequest) -> ChatReply:
        if self.asked_s is None:
            self.asked_s = elapsed_s()
            self._ground.raise_flag()
        await asyncio.sleep(60)
        return await super().complete(request)


def _kill(ground: Ground) -> Problems:
    model = _Hangs(ground)
    stop = play(ground, Trouble(model=model, is_watched=True))
    took_s = elapsed_s() - (model.asked_s or 0.0)
    waits_for = standing_of(ground.folder).waits_for
    return [
        *need(stop is not None and stop.kind == "halted", "the run went on"),
        *need(took_s < HALT_WITHIN_S, f"it took {took_s:.2f} s"),
        *need(waits_for is not None and waits_for.cause == "kill_flag", "the halt is not in the log"),
    ]


def _restart(ground: Ground) -> Problems:
    play(ground, Trouble(act=at_place(2, ground.raise_flag)))
    ground.post.flag.lower()
    again = play(ground, Trouble(), resumes=True)
    refused = at_rest(ground, "resume", reason=" ")
    freed = at_rest(ground, "resume")
    return [
        *need(again is not None and again.kind == "halted", "it traded again without a person"),
        *need(bool(refused), "it was armed again without a reason"),
        *need(not freed, f"a person could not arm it: {freed}"),
        *need(play(ground, Trouble(), resumes=True) is None, "it did not go on to its end"),
    ]


def _disconnect(ground: Ground) -> Problems:
    play(ground, Trouble(venue_of=unreachable))
    submitted = of(ground, ChildSubmitted)
    unresolved = {item.client_order_id for item in of(ground, ChildUnresolved)}
    ids = [item.child.client_order_id for item in submitted]
    return [
        *need(bool(unresolved), "no order is UNKNOWN"),
        *need(len(ids) == len(set(ids)), "an order was sent again under another id"),
        *need(
            not {item.client_order_id for item in of(ground, ChildClosed)} & unresolved, "an UNKNOWN order was closed"
        ),
        *need(standing_of(ground.folder).account is not TradingState.ACTIVE, "the desk went on as if nothing was"),
    ]


def _limits(ground: Ground) -> Problems:
    play(ground, Trouble())
    try:
        ground.limits.tighten(max_gross=ground.limits.max_gross * 2)
    except LimitLoosened:
        return []
    return ["a limit was loosened while the desk runs"]


def _incident(ground: Ground) -> Problems:
    play(ground, Trouble(act=at_place(2, ground.raise_flag)))
    recorded = of(ground, IncidentRecorded)
    if not recorded:
        return ["no incident is in the log"]
    bundle = ground.post.incidents / recorded[0].incident_id
    return need(bundle_hash_of(bundle) == recorded[0].bundle_hash, "the bundle is not the one in the log")


def _notification(ground: Ground) -> Problems:
    play(ground, Trouble(act=at_place(2, ground.raise_flag)))
    told = [item for item in of(ground, NotificationRaised) if item.code == "kill_flag"]
    return need(len(told) == 1 and WHO in told[0].text, "nobody was told who halted the desk, once")


PROCEDURE_DRILLS: tuple[ProcedureDrill, ...] = (
    ProcedureDrill("soft_stop", "cancel the plan in hand, restrict nothing", _soft_stop),
    ProcedureDrill("reduce", "only take risk off", _reduce),
    ProcedureDrill("halt", "halt in mid-session with open orders", _halt_and_cancel),
    ProcedureDrill("flatten", "sell everything in steps, through the gate", _flatten),
    ProcedureDrill("scopes", "halt one instrument and trade the others", _scopes),
    ProcedureDrill("dead_man", "the desk's heartbeat goes cold", _dead_man),
    ProcedureDrill("kill", "halt while a model call hangs", _kill),
    ProcedureDrill("restart", "start again after a kill: HALTED until a person says why not", _restart),
    ProcedureDrill("stops", "die in mid-session, then a kill flag: stops stand at the venue", standing_stops),
    ProcedureDrill("disconnect", "the line to the venue is lost with orders out", _disconnect),
    ProcedureDrill("limits", "loosen a limit while the desk runs", _limits),
    ProcedureDrill("incident", "a bundle of log, state and versions is written at a halt", _incident),
    ProcedureDrill("notification", "a person is told of a halt", _notification),
)
