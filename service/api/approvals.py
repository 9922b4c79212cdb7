"""Plans that wait for a person, as lists; a yes or no is an intent, in the two steps of POST /intents."""

from fastapi import APIRouter, Request
from pydantic import JsonValue
from starlette.responses import Response

from ...domain.decisions import CheckResult
from ...domain.events import PlanApproved
from ...domain.model import Model
from ..answers.approvals import ApprovalLine, approval_lines
from ..answers.reader import Reading
from ..intents.answering import plan_legs
from .at_head import list_at_head, read_at_head
from .callers import CursorQuery, Desk, IdPath, LimitQuery, RunQuery, Viewer
from .errors import NotFound
from .replies import Page

approvals = APIRouter(tags=["approvals"])


class ApprovalWhole(Model):
    """One plan that was asked about, with its legs and the gate's table."""

    approval: ApprovalLine
    legs: tuple[dict[str, JsonValue], ...]
    checks: tuple[CheckResult, ...]
    role: str
    """The least role that may approve it; an operator may reject it."""


@approvals.get("/approvals", response_model=Page[ApprovalLine])
async def list_approvals(
    request: Request,
    desk: Desk,
    _caller: Viewer,
    run: RunQuery = None,
    cursor: CursorQuery = 0,
    limit: LimitQuery = 100,
) -> Response:
    """Every plan of the run that a person was asked about, in order; `state` is waiting while nobody has answered."""
    return await list_at_head(request, desk, run, approval_lines, Page[ApprovalLine], cursor, limit)


@approvals.get("/approvals/{decision_id}", response_model=ApprovalWhole)
async def show_approval(
    request: Request, desk: Desk, _caller: Viewer, decision_id: IdPath, run: RunQuery = None
) -> Response:
    """One of them with what would be worked, and what the gate found. Answer it with POST /intents."""

    def make(reading: Reading) -> bytes:
        line = next((item for item in approval_lines(reading) if item.decision_id == decision_id), None)
        event = next(reading.read(PlanApproved, decision_id=decision_id), None)
        if line is None or event is None:
            raise NotFound(
                f"this run has asked nobody about a plan of {decision_id!r}",
                remedy="GET /api/v1/approvals lists those it did.",
            )
        legs = tuple(leg for leg in plan_legs(reading, decision_id) if isinstance(leg, dict))
        checks = PlanApproved.model_validate(event.payload).verdict.checks
        role = reading.settings.approval.role
        return ApprovalWhole(approval=line, legs=legs, checks=checks, role=role).model_dump_json().encode()

    return await read_at_head(request, desk, run, make)
