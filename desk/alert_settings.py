"""Settings of alerts: which rules hold to which limits, and the secret addresses that messages go to."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, SecretStr

from ..domain.model import Model
from ..watch.escalation import ChannelKind, Ladder, usual_ladder
from ..watch.rules import AlertRules, Severity, usual_rules


def _split(value: object) -> object:
    """An environment variable holds several addresses with spaces between them."""
    return value.split() if isinstance(value, str) else value


Urls = Annotated[tuple[SecretStr, ...], BeforeValidator(_split)]
"""Addresses as `apprise` writes them; each holds a password or a token."""


class AlertSettings(Model):
    """None of this changes what the desk decides, and so none of it is in a run's settings or their hash."""

    watch: Literal["on", "off"] = "on"
    limits: dict[str, float] = {}
    """Other limits than the table's, by rule."""
    severities: dict[str, Severity] = {}
    off: tuple[str, ...] = ()
    """Rules that nobody wants to hear of."""
    webhook: Urls = ()
    """Slack and its like: `slack://...`, or `json://host/path`."""
    email: Urls = ()
    """`mailtos://user:password@host?to=...`."""
    sms: Urls = ()
    """`twilio://...`, or any webhook that wakes a person."""
    everyone: Urls = ()
    sms_after_minutes: float = Field(default=5.0, ge=0)
    everyone_after_minutes: float = Field(default=15.0, ge=0)
    quiet_minutes: float = Field(default=60.0, ge=0)
    """An alert that comes back within this is the same one again: counted, and not told anew."""

    def rules(self) -> AlertRules:
        """The table as these settings have it. Raises RuleUnknown."""
        return usual_rules().changed(self.limits, self.severities, self.off)

    def ladder(self) -> Ladder:
        return usual_ladder(timedelta(minutes=self.sms_after_minutes), timedelta(minutes=self.everyone_after_minutes))

    def urls(self) -> dict[ChannelKind, tuple[SecretStr, ...]]:
        """The addresses by what they are for."""
        return {"webhook": self.webhook, "email": self.email, "sms": self.sms, "everyone": self.everyone}
