"""Folds of a run that go on from where they stopped: its closes, its decisions, and how the desk stands."""

from collections.abc import Sequence
from copy import deepcopy

from ...desk.control_log import CONTROL_FACTS
from ...domain.events import PortfolioMarked
from ...execution.breaker_rules import BreakerRules
from ...execution.standing import Standing
from ...memory.decisions_view import DecisionRecord
from ...memory.performance_view import SessionRecord
from ...memory.record_pages import DecisionsWanted
from .growing import Gathered
from .look import Look

DECISIONS_PER_READ = 50


def closes(look: Look) -> Sequence[SessionRecord]:
    """All closed sessions, oldest first, as the read model has them."""

    def further(known: Gathered[SessionRecord], after: int) -> Gathered[SessionRecord]:
        for event in look.read(PortfolioMarked, after=after):
            payload = event.decoded()
            assert isinstance(payload, PortfolioMarked)
            if not known or known[-1].session != payload.session:  # a session closes once
                known = known.with_item(_close(event.seq, payload))
        return known

    return look.onward("closes", lambda: Gathered(list(look.views.performance())), further)


def decisions(look: Look) -> Sequence[DecisionRecord]:
    """All decisions, in the order they were made."""

    def further(known: Gathered[DecisionRecord], after: int) -> Gathered[DecisionRecord]:
        for record in _decisions_after(look, after):
            known = known.with_item(record)
        return known

    return look.onward("decisions", lambda: Gathered(list(look.views.decisions())), further)


def standing(look: Look, rules: BreakerRules) -> Standing:
    """Restrictions, alerts and notifications in force."""

    def further(known: Standing, after: int) -> Standing:
        facts = [event.decoded() for event in look.read(*CONTROL_FACTS, after=after)]
        if not facts:
            return known
        moved = deepcopy(known)
        moved.resume(facts)
        return moved

    return look.onward("standing", lambda: further(Standing(rules), 0), further)


def _close(seq: int, payload: PortfolioMarked) -> SessionRecord:
    equity, peak = payload.equity, payload.peak_equity
    return SessionRecord(
        session=payload.session,
        seq=seq,
        equity=equity,
        peak_equity=peak,
        drawdown_frac=float(1 - equity / peak) if peak > 0 else 0.0,
        cash=payload.cash,
        gross=payload.gross,
        net=payload.net,
        traded=payload.traded,
        fees=payload.fees,
        benchmark=payload.benchmark,
    )


def _decisions_after(look: Look, after: int) -> list[DecisionRecord]:
    """Those made after a place; the read model is asked from its end, where they are."""
    found: list[DecisionRecord] = []
    before: int | None = None
    while True:
        page = look.views.pages.decisions(DecisionsWanted(), before, DECISIONS_PER_READ)
        new = [record for record in page if record.seq > after]
        found += new
        if len(new) < DECISIONS_PER_READ:
            return found[::-1]
        before = new[-1].seq
