"""Settings of human approval: which plans wait for a person, how long, and who may say yes."""

from typing import Literal

from pydantic import Field

from ..domain.model import Model
from .errors import SettingsInvalid


class ApprovalSettings(Model):
    """`large` asks for plans above a size or new to the run, `all` for every plan that adds risk.

    What only takes risk off never waits. Saying no takes an operator, whatever `role` is.
    """

    mode: Literal["off", "large", "all"] = "off"
    turnover_frac: float = Field(default=0.25, ge=0, le=10)
    """The legs that add risk, taken together, may come to so many equities unasked."""
    leg_frac: float = Field(default=0.10, ge=0, le=10)
    """And one of them to so many."""
    novelty: bool = True
    """Ask for the run's first plan, for a name it never held, for the first plan in another regime of the market, and
    where a model failed on the way to the decision."""
    timeout_minutes: float | None = Field(default=None, ge=0)
    """How long after the decision; never past the open at which the plan would be worked, which is the default."""
    role: Literal["operator", "risk_officer"] = "operator"
    """Who may approve. Whoever may halt and flatten at any time can be trusted with a plan that the gate has passed; a
    house whose rules want a second line of defense for what adds risk names the risk officer."""


def require_time_to_answer(settings: ApprovalSettings, *, is_daily: bool) -> None:
    """Raises SettingsInvalid where a plan is worked the moment it is decided, so that nobody could be asked."""
    if settings.mode != "off" and not is_daily:
        raise SettingsInvalid(
            f"setting approval.mode is {settings.mode}, and the run decides within the day, where a plan is worked at "
            "once; expected daily sessions, with a night between a decision and its work",
            remedy="Run it on daily sessions, or leave approval.mode at off.",
        )
