"""What the desk may do now, for the whole account or a part of it: the strictest state that applies counts."""

from enum import StrEnum
from typing import Literal

from .model import Model


class TradingState(StrEnum):
    """ACTIVE: all that limits allow; REDUCING: only what takes risk off; HALTED: nothing new at all."""

    ACTIVE = "ACTIVE"
    REDUCING = "REDUCING"
    HALTED = "HALTED"

    @property
    def severity(self) -> int:
        """0 for ACTIVE, 1 for REDUCING, 2 for HALTED."""
        return _SEVERITY[self]


_SEVERITY = {TradingState.ACTIVE: 0, TradingState.REDUCING: 1, TradingState.HALTED: 2}

ScopeKind = Literal["account", "strategy", "venue", "instrument"]
Cause = Literal["breaker", "operator", "kill_flag", "dead_man", "reconciliation", "restart", "preflight"]


class Scope(Model):
    """The part of the desk a state is about; `name` is empty for the account."""

    kind: ScopeKind
    name: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.name}".rstrip()


ACCOUNT = Scope(kind="account")


class TradingStates(Model):
    """Every scope that is not ACTIVE, in one order; the empty value is a desk that may do all limits allow."""

    restricted: tuple[tuple[Scope, TradingState], ...] = ()

    def of(self, symbol: str = "", *, venue: str = "", strategy: str = "") -> TradingState:
        """The strictest state over the account and the named instrument, venue and strategy."""
        names = {"account": "", "instrument": symbol, "venue": venue, "strategy": strategy}
        found = [state for scope, state in self.restricted if names[scope.kind] == scope.name]
        return max(found, key=lambda state: state.severity, default=TradingState.ACTIVE)

    def with_state(self, scope: Scope, state: TradingState) -> "TradingStates":
        """The same with one scope's state replaced; an ACTIVE scope is not listed."""
        rows = {str(item[0]): item for item in self.restricted if item[0] != scope}
        if state is not TradingState.ACTIVE:
            rows[str(scope)] = (scope, state)
        return TradingStates(restricted=tuple(rows[key] for key in sorted(rows)))


UNRESTRICTED = TradingStates()
