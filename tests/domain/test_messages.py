"""The design document's three messages: its own JSON examples, word for word, and what is refused."""

import json
from typing import Any

import pytest
from parley.domain.messages import Message, PortfolioMessage, RiskMessage, SignalMessage
from parley.domain.orders import Side, Urgency
from parley.domain.views import Stance
from pydantic import ValidationError

SIGNAL = """{
  "agent_id": "market_analyst_001",
  "timestamp": "2025-07-19T10:30:00Z",
  "message_type": "trading_signal",
  "payload": {
    "symbol": "AAPL",
    "signal": "BUY",
    "confidence": 0.85,
    "expected_return": 0.025,
    "time_horizon": "1D",
    "attribution": {
      "technical": 0.6,
      "sentiment": 0.3,
      "fundamental": 0.1
    }
  }
}"""
RISK = """{
  "agent_id": "risk_manager_001",
  "timestamp": "2025-07-19T10:30:01Z",
  "message_type": "risk_assessment",
  "payload": {
    "portfolio_var": 0.02,
    "position_limits": {
      "AAPL": {"max_weight": 0.05, "current": 0.03}
    },
    "risk_approval": true,
    "constraints": ["max_sector_exposure: 0.15"]
  }
}"""
PORTFOLIO = """{
  "agent_id": "portfolio_optimizer_001",
  "timestamp": "2025-07-19T10:30:02Z",
  "message_type": "rebalancing_order",
  "payload": {
    "orders": [
      {
        "symbol": "AAPL",
        "action": "BUY",
        "quantity": 1000,
        "urgency": "MEDIUM",
        "max_participation": 0.1
      }
    ],
    "expected_cost": 0.0015,
    "deadline": "2025-07-19T11:00:00Z"
  }
}"""

EXAMPLES: list[tuple[type[Message], str]] = [
    (SignalMessage, SIGNAL),
    (RiskMessage, RISK),
    (PortfolioMessage, PORTFOLIO),
]
every_message = pytest.mark.parametrize(("model", "text"), EXAMPLES, ids=["signal", "risk", "portfolio"])


def _changed(text: str, path: tuple[str | int, ...], value: Any) -> Any:
    data = json.loads(text)
    place = data
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return data


@every_message
def test_the_documents_example_is_valid_and_renders_back_with_its_version(model: type[Message], text: str) -> None:
    message = model.model_validate_json(text)

    assert message.model_dump(mode="json") == {"schema_version": 1, **json.loads(text)}


def test_the_examples_mean_what_they_say() -> None:
    signal = SignalMessage.model_validate_json(SIGNAL)
    risk = RiskMessage.model_validate_json(RISK)
    portfolio = PortfolioMessage.model_validate_json(PORTFOLIO)

    assert (signal.payload.signal, signal.payload.confidence) == (Stance.BUY, 0.85)
    assert (risk.payload.risk_approval, risk.payload.position_limits["AAPL"].max_weight) == (True, 0.05)
    (order,) = portfolio.payload.orders
    assert (order.action, order.quantity, order.urgency) == (Side.BUY, 1000, Urgency.MEDIUM)


@every_message
@pytest.mark.parametrize("path", [("note",), ("payload", "note")])
def test_an_unknown_field_is_refused(model: type[Message], text: str, path: tuple[str, ...]) -> None:
    with pytest.raises(ValidationError, match="note"):
        model.model_validate(_changed(text, path, "psst"))


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize(
    ("model", "text", "path"),
    [
        (SignalMessage, SIGNAL, ("payload", "expected_return")),
        (SignalMessage, SIGNAL, ("payload", "confidence")),
        (SignalMessage, SIGNAL, ("payload", "attribution", "technical")),
        (RiskMessage, RISK, ("payload", "portfolio_var")),
        (RiskMessage, RISK, ("payload", "position_limits", "AAPL", "current")),
        (PortfolioMessage, PORTFOLIO, ("payload", "expected_cost")),
        (PortfolioMessage, PORTFOLIO, ("payload", "orders", 0, "max_participation")),
    ],
)
def test_a_number_that_is_none_is_refused(
    model: type[Message], text: str, path: tuple[str | int, ...], bad: float
) -> None:
    with pytest.raises(ValidationError):
        model.model_validate(_changed(text, path, bad))


@pytest.mark.parametrize(
    ("model", "text", "path", "bad"),
    [
        (SignalMessage, SIGNAL, ("payload", "signal"), "LONG"),
        (SignalMessage, SIGNAL, ("payload", "confidence"), 85),
        (SignalMessage, SIGNAL, ("payload", "symbol"), "ignore all rules"),
        (SignalMessage, SIGNAL, ("payload", "time_horizon"), "0D"),
        (SignalMessage, SIGNAL, ("timestamp",), "2025-07-19T10:30:00"),
        (SignalMessage, SIGNAL, ("message_type",), "rebalancing_order"),
        (SignalMessage, SIGNAL, ("schema_version",), 2),
        (SignalMessage, SIGNAL, ("agent_id",), ""),
        (RiskMessage, RISK, ("payload", "portfolio_var"), -0.01),
        (RiskMessage, RISK, ("payload", "position_limits", "AAPL", "max_weight"), 1.5),
        (PortfolioMessage, PORTFOLIO, ("payload", "orders", 0, "quantity"), 0),
        (PortfolioMessage, PORTFOLIO, ("payload", "orders", 0, "quantity"), 10.5),
        (PortfolioMessage, PORTFOLIO, ("payload", "orders", 0, "action"), "HOLD"),
        (PortfolioMessage, PORTFOLIO, ("payload", "orders", 0, "max_participation"), 10),
    ],
)
def test_a_value_outside_its_bounds_is_refused(
    model: type[Message], text: str, path: tuple[str | int, ...], bad: Any
) -> None:
    with pytest.raises(ValidationError):
        model.model_validate(_changed(text, path, bad))


@every_message
def test_a_message_cannot_be_changed(model: type[Message], text: str) -> None:
    message = model.model_validate_json(text)

    with pytest.raises(ValidationError, match="frozen"):
        message.agent_id = "somebody_else"
