"""What model calls may use up per decision and per day: calls, tokens, seconds and money."""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

from ..errors import BudgetSpent
from .prices import PriceTable


@dataclass(frozen=True, slots=True)
class Spent:
    """What some calls came to."""

    calls: int = 0
    tokens: int = 0
    seconds: float = 0.0
    cost: Decimal = Decimal(0)

    def __add__(self, other: "Spent") -> "Spent":
        return Spent(
            self.calls + other.calls,
            self.tokens + other.tokens,
            self.seconds + other.seconds,
            self.cost + other.cost,
        )

    def __sub__(self, other: "Spent") -> "Spent":
        return self + Spent(-other.calls, -other.tokens, -other.seconds, -other.cost)


@dataclass(frozen=True, slots=True)
class Bounds:
    """The most that may be spent; None where there is no bound."""

    calls: int | None = None
    tokens: int | None = None
    seconds: float | None = None
    cost: Decimal | None = None

    def crossed_by(self, spent: Spent) -> str:
        """The bounds that this would cross, in words; empty when there are none.

        How long a call takes nobody knows before: the seconds are crossed once they are used up.
        """
        crossed = {
            f"{self.calls} calls": self.calls is not None and spent.calls > self.calls,
            f"{self.tokens} tokens": self.tokens is not None and spent.tokens > self.tokens,
            f"{self.seconds} seconds": self.seconds is not None and spent.seconds >= self.seconds,
            f"{self.cost} in money": self.cost is not None and spent.cost > self.cost,
        }
        return ", ".join(bound for bound, is_crossed in crossed.items() if is_crossed)


def _nothing() -> Spent:
    return Spent()


@dataclass(slots=True)
class Meter:
    """Admits a call only when even its longest reply stays inside every bound; what it really took is put in after.

    `today` names the day; `elsewhere` is what other runs of the book have spent on it so far.
    """

    decision: Bounds = Bounds()
    day: Bounds = Bounds()
    prices: PriceTable | None = None
    today: Callable[[], str] = str
    elsewhere: Callable[[], Spent] = _nothing
    _in_decision: Spent = field(default=Spent(), init=False)
    _in_day: Spent = field(default=Spent(), init=False)
    _others: Spent = field(default=Spent(), init=False)
    _day: str = field(default="", init=False)

    def begin_decision(self) -> None:
        """A new decision has its whole budget; a new day too."""
        self._in_decision, self._others = Spent(), self.elsewhere()
        if self._day != (today := self.today()):
            self._day, self._in_day = today, Spent()

    def admit(self, model: str, prompt_tokens: int, max_tokens: int) -> Spent:
        """Sets aside what a call may use at most; raises BudgetSpent when that is more than there is."""
        most = self._spent(model, prompt_tokens, max_tokens, 0.0)
        for name, bounds, spent in (
            ("this decision", self.decision, self._in_decision),
            ("the day", self.day, self._in_day + self._others),
        ):
            if crossed := bounds.crossed_by(spent + most):
                raise BudgetSpent(
                    f"not asked: the model budget of {name} is {crossed}, and this call could cross it",
                    remedy="Raise the bound under [llm.decision] or [llm.day], or ask a cheaper model.",
                )
        self._in_decision, self._in_day = self._in_decision + most, self._in_day + most
        return most

    def settle(self, held: Spent, model: str, prompt_tokens: int, completion_tokens: int, seconds: float) -> None:
        """Puts what a call really took in the place of what was set aside for it."""
        change = self._spent(model, prompt_tokens, completion_tokens, seconds) - held
        self._in_decision, self._in_day = self._in_decision + change, self._in_day + change

    def cost(self, model: str, prompt_tokens: int, completion_tokens: int) -> Decimal | None:
        """In the table's currency; None without a table. A table that lacks the model raises PriceUnknown."""
        return None if self.prices is None else self.prices.cost(model, prompt_tokens, completion_tokens)

    def _spent(self, model: str, prompt_tokens: int, completion_tokens: int, seconds: float) -> Spent:
        cost = self.cost(model, prompt_tokens, completion_tokens) or Decimal(0)
        return Spent(1, prompt_tokens + completion_tokens, seconds, cost)
