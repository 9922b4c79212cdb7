"""An alert as JSON: for the API, for commands, and for whoever reads them."""

from ...desk.alert_records import Alert
from ...domain.model import Model, UtcTime
from ...watch.escalation import ChannelKind
from ...watch.rules import Severity


class DeliveryDocument(Model):
    """One message: of what, to which channel, and what came of it."""

    notice: str
    kind: ChannelKind
    channel: str
    state: str
    tries: int
    at: UtcTime
    said: str


class AlertDocument(Model):
    """One alert, from its beginning to its end."""

    alert_id: str
    code: str
    severity: Severity
    state: str
    subject: str
    text: str
    figure: float | None
    limit: float | None
    run_id: str
    raised_at: UtcTime
    last_at: UtcTime
    happened_at: UtcTime
    count: int
    level: int
    acknowledged_by: str
    reason: str
    acknowledged_at: UtcTime | None
    cleared_at: UtcTime | None
    deliveries: tuple[DeliveryDocument, ...]


def alert_document(alert: Alert) -> AlertDocument:
    found = {name: getattr(alert, name) for name in AlertDocument.model_fields if name != "deliveries"}
    deliveries = tuple(
        DeliveryDocument(**{name: getattr(item, name) for name in DeliveryDocument.model_fields})
        for item in alert.deliveries
    )
    return AlertDocument(**found, deliveries=deliveries)
