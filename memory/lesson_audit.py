"""Holds every lesson of a log to the decision and the order it is of, while the log is walked."""

from ..domain.decisions import Decision
from ..domain.events import DecisionMade, Event, OrderClosed, Payload, ReflectionWritten
from ..domain.reflections import Reflection, lesson_id
from .findings import Finding
from .reflections import cost_bps


class LessonAudit:
    """A lesson that no decision made, that was written too early, or that says other than the log does, is found.

    Prices are not in the log: whether the returns are those of the data, `parley replay` tells.
    """

    def __init__(self) -> None:
        self._decisions: dict[str, Decision] = {}
        self._closed: dict[str, OrderClosed] = {}
        self._seen: set[str] = set()
        self._found: list[Finding] = []

    @property
    def lessons(self) -> int:
        return len(self._seen)

    def take(self, event: Event, payload: Payload) -> None:
        match payload:
            case DecisionMade():
                if payload.decision.memory is not None and payload.decision.plan is not None:
                    self._decisions[payload.decision.decision_id] = payload.decision
            case OrderClosed():
                self._closed[payload.order_id] = payload
            case ReflectionWritten():
                for fault in self._faults(event, payload.reflection):
                    self._found.append(
                        Finding("lesson_differs", event.seq, f"{payload.reflection.reflection_id} {fault}")
                    )
            case _:
                pass

    def findings(self) -> tuple[Finding, ...]:
        return tuple(self._found)

    def _faults(self, event: Event, lesson: Reflection) -> list[str]:
        is_repeated = lesson.reflection_id in self._seen
        self._seen.add(lesson.reflection_id)
        decision = self._decisions.get(lesson.decision_id)
        legs = decision.plan.legs if decision is not None and decision.plan is not None else ()
        leg = next((leg for leg in legs if leg.symbol == lesson.symbol), None)
        if decision is None or leg is None:
            return ["is of a leg that no earlier decision has"]
        order = self._closed.get(leg.order_id)
        said = next((signal.side for signal in decision.signals if signal.symbol == lesson.symbol), None)
        memory = decision.memory
        checks = {
            "is written a second time": not is_repeated,
            "has another id than its leg's": lesson.reflection_id == lesson_id(lesson.decision_id, lesson.symbol),
            "is dated otherwise than its event": lesson.available_at == event.event_time,
            "is known before its decision": lesson.decided_at == decision.as_of < lesson.available_at,
            "has another setup than its decision": memory is not None
            and memory.setups.get(lesson.symbol) == lesson.setup,
            "has another side than its leg": lesson.action is leg.side,
            "has another signal than its decision": lesson.said is said,
            "has other costs than its order": order is not None
            and order.filled > 0
            and cost_bps(order) == lesson.cost_bps,
        }
        return [text for text, holds in checks.items() if not holds]
