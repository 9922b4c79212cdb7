"""Requests to the desk in two steps: what it would do is shown with a one-time token, and only the token does it."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from starlette.responses import HTMLResponse, Response

from ...domain.levels import in_words
from ...memory.record_pages import OrdersWanted
from ..access.roles import Role
from ..answers.reader import DeskReader
from ..api.callers import Desk
from ..api.desk import ServedDesk
from ..intents.effects import OPEN_STATES
from ..intents.intent import NEEDS, parse_intent
from ..intents.proposing import confirm, propose
from ..intents.protective import stops_among
from ..intents.tokens import LIFE
from .answer_view import answer_view
from .rendering import fragment
from .who import OperatorSent, PageOperator

controls = APIRouter(prefix="/control")

Action = Literal["halt", "reduce", "resume", "flatten", "cancel", "acknowledge", "approve", "reject"]
TITLES: dict[Action, tuple[str, str]] = {
    "halt": ("Halt", "Nothing more is sent; orders that are open are taken back."),
    "reduce": ("Reduce only", "From now on only what takes risk off is sent."),
    "resume": ("Resume", "What was restricted is given free."),
    "flatten": ("Flatten", "What is held is sold in steps, each through the gate."),
    "cancel": ("Cancel orders", "What is left of open orders is taken back."),
    "acknowledge": ("Acknowledge", "Critical notifications were seen by a person."),
    "approve": ("Approve", "The plan is worked at the next open, after the gate has seen it again."),
    "reject": ("Reject", "None of the plan's orders is sent."),
}
DecisionQuery = Annotated[str, Query(max_length=64)]
ORDERS_SHOWN = 100
STOP_WORDS = ", its protective stop"


@dataclass(frozen=True, slots=True)
class FormView:
    """What a request's form offers to choose from."""

    action: Action
    title: str
    says: str
    needs: Role
    symbols: tuple[str, ...]
    sectors: tuple[str, ...]
    orders: tuple[tuple[str, str], ...]
    waiting: tuple[tuple[str, str], ...]
    decision: str


@controls.get("/{action}", include_in_schema=False)
def show_form(action: Action, desk: Desk, _caller: PageOperator, decision: DecisionQuery = "") -> Response:
    """The first step: what is asked, about what, and why."""
    with _operated(desk).reading() as reading:
        instruments = reading.started.universe.instruments
        recent = reading.views.pages.orders(OrdersWanted(), None, ORDERS_SHOWN) if action == "cancel" else ()
        orders = [item for item in recent if item.state in OPEN_STATES]
        stops = stops_among(reading, orders)
        view = FormView(
            action=action,
            title=TITLES[action][0],
            says=TITLES[action][1],
            needs=reading.settings.approval.role if action == "approve" else NEEDS[action],
            symbols=tuple(item.symbol for item in instruments),
            sectors=tuple(sorted({item.sector for item in instruments})),
            orders=tuple(
                (
                    item.order_id,
                    f"{item.side} {item.quantity} {item.symbol}{STOP_WORDS if item.order_id in stops else ''}",
                )
                for item in orders
            ),
            waiting=tuple(
                (name, in_words(item.text)) for name, item in sorted(reading.standing.unacknowledged.items())
            ),
            decision=decision,
        )
    return HTMLResponse(fragment("control_form.html", v=view))


@controls.post("/{action}/preview", include_in_schema=False)
def show_effects(action: Action, desk: Desk, sent: OperatorSent) -> Response:
    """The second step: what it would do. Nothing is done yet."""
    intent = parse_intent(_document(action, sent))
    answer = propose(sent.caller.user, sent.caller.role, intent, _operated(desk))
    life_s = int(LIFE.total_seconds())
    return HTMLResponse(
        fragment("control_effects.html", v=answer_view(answer), action=action, title=TITLES[action][0], life_s=life_s)
    )


@controls.post("/confirm", include_in_schema=False)
def do_it(desk: Desk, sent: OperatorSent) -> Response:
    """Do what the token stands for, once."""
    try:
        answer = confirm(sent.caller.user, sent.caller.role, sent.text("token"), _operated(desk))
    finally:
        desk.changed()
    return HTMLResponse(fragment("control_done.html", v=answer_view(answer)))


def _document(action: Action, sent: OperatorSent) -> dict[str, Any]:
    """The form as a request; what was left empty is left out."""
    named = [part.strip().upper() for part in sent.text("symbol").split(",") if part.strip()]
    found: dict[str, Any] = {"action": action, "reason": sent.text("reason")}
    if action == "flatten":
        found["symbols"] = named
        found["sector"] = sent.text("sector") or None
    elif action == "cancel":
        found["order"] = sent.text("order") or None
    elif action in ("approve", "reject"):
        found["decision"] = sent.text("decision") or None
    elif action == "acknowledge":
        found["notification"] = sent.text("notification") or None
    else:
        found["symbol"] = ",".join(named) or None
    return found


def _operated(desk: ServedDesk) -> DeskReader:
    """The run that people's requests go to, whichever is looked at."""
    return desk.reader(desk.book.operated().run_id)
