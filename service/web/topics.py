"""What pages can be about: each kind of event, and each file beside the log, touches some topics and no others."""

from collections.abc import Iterable

Topic = str

OF_EVENTS: dict[Topic, frozenset[str]] = {
    "marks": frozenset({"PortfolioMarked", "RunStarted", "RunFinished"}),
    "fills": frozenset({"OrderFilled", "FillBusted"}),
    "orders": frozenset(
        {"PlanApproved", "OrderOpened", "OrderClosed", "OrderAdjusted", "OrderPaced", "ChildSubmitted", "ChildAccepted"}
        | {
            "ChildDenied",
            "ChildClosed",
            "ChildUnresolved",
            "CancelRequested",
            "CancelRefused",
            "StopArmed",
            "StopFired",
        }
    ),
    "decisions": frozenset({"DecisionMade", "EvidenceRecorded", "ReflectionWritten"}),
    "market": frozenset({"RegimeChanged", "UntrustedTextFlagged", "QuotesDropped"}),
    "controls": frozenset(
        {"TradingStateChanged", "OperatorAsked", "BookReconciled", "IncidentRecorded", "NotificationRaised"}
        | {"NotificationAcknowledged", "RunStarted", "RunFinished", "StepHeld"}
    ),
    "approvals": frozenset({"ApprovalAsked", "ApprovalAnswered"}),
    "alerts": frozenset({"NotificationRaised", "NotificationAcknowledged"}),
    "models": frozenset({"ModelReplied"}),
    "overnight": frozenset(
        {"DividendBooked", "BorrowCharged", "SharesSplit", "PositionRenamed", "PositionCashedOut"},
    ),
}
OF_FILES: dict[str, tuple[Topic, ...]] = {
    "HALT": ("controls",),
    "inbox/new": ("controls", "approvals"),
    "alerts.db": ("alerts",),
    "alerts.db-wal": ("alerts",),
    "jobs.db": ("jobs",),
    "jobs.db-wal": ("jobs",),
    "trading.json": ("jobs",),
    "evals": ("evaluations",),
}
"""What stands in the book beside the logs and is shown as well."""
BESIDE: frozenset[Topic] = frozenset(topic for topics in OF_FILES.values() for topic in topics)
"""The topics that files move as well."""
LOG = "log"
"""Touched by every event."""
ALL: frozenset[Topic] = frozenset({*OF_EVENTS, LOG, *BESIDE})


def touched(kinds: Iterable[str]) -> set[Topic]:
    """The topics of these kinds of events."""
    found = set(kinds)
    return {topic for topic, names in OF_EVENTS.items() if names & found} | ({LOG} if found else set())
