"""Errors of the agents and their models.

ParleyError
└── AgentError
    ├── ModelFailed     the model or its endpoint failed: time-out, refusal, connection, HTTP error
    │   ├── WireFailed      one request got no usable reply; says whether another try can help
    │   └── BudgetSpent     the money, tokens, calls or seconds set aside for a decision or a day are spent
    ├── ReplayMiss      a replay asked for a reply that was never recorded
    ├── ModelMissing    a model file that is not there, or that can't be loaded
    ├── PricesInvalid   a price table that cannot be read
    └── PriceUnknown    a bound in money was set, and the price table does not know the model
"""

from .. import ParleyError


class AgentError(ParleyError):
    code = "agent_error"


class ModelFailed(AgentError):
    code = "model_failed"


class WireFailed(ModelFailed):
    """`status` is 0 where no answer came; `complaint` is the server's own words: for code, never for the log."""

    code = "wire_failed"

    def __init__(
        self,
        message: str,
        *,
        status: int = 0,
        is_transient: bool = False,
        retry_after_s: float | None = None,
        complaint: str = "",
    ) -> None:
        super().__init__(message, remedy="Check the endpoint, the key and the model's name; `parley doctor` asks it.")
        self.status = status
        self.is_transient = is_transient
        self.retry_after_s = retry_after_s
        self.complaint = complaint


class BudgetSpent(ModelFailed):
    code = "budget_spent"


class ReplayMiss(AgentError):
    code = "replay_miss"


class ModelMissing(AgentError):
    code = "model_missing"


class PricesInvalid(AgentError):
    code = "prices_invalid"


class PriceUnknown(AgentError):
    code = "price_unknown"
