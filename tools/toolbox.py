"""Every tool that writes to the ledger, declared once: name, version, unit, function, what it says, who asks it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from types import MappingProxyType
from typing import Literal

Node = Literal["technical", "microstructure", "macro", "analyst", "risk", "optimizer", "execution", "consensus"]

ACCOUNT_CURRENCY = "account currency"
"""The one unit that is known only at the call: the ledger entry names the currency itself."""


@dataclass(frozen=True, slots=True)
class Tool:
    """One door from words to numbers, as its ledger entries name it."""

    name: str
    version: int
    """Raised when the same inputs would give another output; it is part of every entry's address."""
    unit: str
    home: str
    """Module and function inside the package. A name, so that a list of tools need not load them all."""
    says: str
    nodes: tuple[Node, ...] = ()
    """Nodes of the decision graph that ask it; none where only commands do."""

    @property
    def function(self) -> Callable[..., object]:
        """The function itself; it takes a ledger first and leaves one entry there."""
        module, _, function = self.home.rpartition(".")
        found: Callable[..., object] = getattr(import_module(f"{_PACKAGE}.{module}"), function)
        return found


_PACKAGE = __name__.split(".")[0]
_FRACTION = "fraction of equity"

_MARKET = (
    Tool(
        "technical_indicators",
        1,
        "as named",
        "tools.market.technical_indicators",
        "Indicators of every name at the last close, such as RSI, MACD and ATR.",
        ("technical", "analyst"),
    ),
    Tool(
        "scores",
        1,
        "z and fractions",
        "tools.market.scores",
        "How each name ranks against the others, and what return the record of such ranks allows to expect.",
        ("technical", "analyst", "optimizer"),
    ),
    Tool(
        "money_flow",
        1,
        "score",
        "tools.conditions.money_flow",
        "Whether a month of recorded volume came with closes near the high or near the low of the day.",
        ("microstructure",),
    ),
    Tool(
        "volatility_weather",
        1,
        "index points",
        "tools.conditions.volatility_weather",
        "How calm the market is by its volatility index.",
        ("macro",),
    ),
    Tool(
        "regime",
        1,
        "probability",
        "tools.market.regime",
        "The likeliest volatility regime now, by a filter that saw only the past.",
        ("analyst",),
    ),
)

_DECISION = (
    Tool(
        "portfolio_risk",
        1,
        _FRACTION,
        "tools.risk.measure",
        "One-day VaR and ES, volatility, beta and gross of a book over the last year.",
        ("risk", "consensus"),
    ),
    Tool(
        "position_caps",
        1,
        _FRACTION,
        "tools.risk.position_caps",
        "The largest weight each name may have.",
        ("risk",),
    ),
    Tool(
        "beta_hedge",
        1,
        ACCOUNT_CURRENCY,
        "tools.risk.suggest_hedge",
        "How much of the index to sell to take the market's part out of the book.",
        ("risk",),
    ),
    Tool(
        "worst_scenarios",
        1,
        _FRACTION,
        "tools.risk.worst_scenarios",
        "What the worst crisis known by then would cost the book through its beta, and the worst sudden one.",
        ("risk",),
    ),
    Tool(
        "exit_costs",
        1,
        "days, fraction of equity",
        "tools.exits.exit_costs",
        "Days and cost of selling everything at the participation limit, now and in a bad market.",
        ("risk",),
    ),
    Tool(
        "target_weights",
        1,
        _FRACTION,
        "tools.portfolio.target_weights",
        "The weights to hold, with every step of their size.",
        ("optimizer",),
    ),
    Tool(
        "execution_preview",
        1,
        "bps of leg value",
        "tools.execution.advise",
        "How each leg should be sliced and what that is expected to cost.",
        ("execution",),
    ),
)

_BOOKS = (
    Tool(
        "tail_by_method",
        1,
        _FRACTION,
        "tools.tails.tail_by_method",
        "One-day VaR and ES of a book by every method.",
    ),
    Tool(
        "var_components",
        1,
        _FRACTION,
        "tools.tails.components",
        "Which share of the VaR comes from each name.",
    ),
    Tool(
        "stress_table",
        1,
        _FRACTION,
        "tools.stress.stress_book",
        "The book in every dated crisis, through its market beta.",
    ),
    Tool(
        "shocks",
        1,
        _FRACTION,
        "tools.stress.shock_book",
        "The book under round shocks of the market and of its covariance.",
    ),
    Tool(
        "risk_drivers",
        1,
        "share of variance",
        "tools.structure.risk_drivers",
        "How much of a book's variance is the market's, its own, and that of the leading components.",
    ),
    Tool(
        "joint_tail",
        1,
        _FRACTION,
        "tools.structure.joint_tail",
        "VaR and ES when the names crash together, and the pair most likely to.",
    ),
    Tool(
        "recent_break",
        1,
        "probability",
        "tools.structure.recent_break",
        "The chance that the market's mean or volatility changed within the last month.",
    ),
    Tool(
        "hedges",
        1,
        _FRACTION,
        "tools.hedges.hedge_book",
        "Ways to take risk off without selling, with their cost and what they leave.",
    ),
    Tool(
        "build_books",
        1,
        _FRACTION,
        "tools.construction.build_books",
        "Books by every construction method over the same window.",
    ),
    Tool(
        "efficient_frontier",
        1,
        "fraction a year",
        "tools.construction.frontier",
        "Volatility and return of the efficient books under the same limits.",
    ),
    Tool(
        "out_of_sample",
        1,
        _FRACTION,
        "service.allocating.out_of_sample",
        "Every construction method built again each month on the year before, net of costs.",
    ),
)

_OPTIONS = (
    Tool(
        "option_price",
        1,
        "currency of spot",
        "tools.pricing.price_option",
        "The Black-Scholes-Merton value of a European option.",
    ),
    Tool(
        "option_greeks",
        1,
        "as GREEK_UNITS says",
        "tools.pricing.option_greeks",
        "How an option's value moves with spot, time, volatility and rates.",
    ),
    Tool(
        "parity_partner",
        1,
        "currency of spot",
        "tools.pricing.parity_partner",
        "The option on the other side of put-call parity.",
    ),
    Tool(
        "implied_vol",
        1,
        "fraction a year",
        "tools.pricing.implied_vol",
        "The volatility at which an option is worth its market price.",
    ),
    Tool(
        "american_price",
        1,
        "currency of spot",
        "tools.pricing.american_price",
        "The value of an option that may be exercised early, and what that right adds.",
    ),
    Tool(
        "option_expiry",
        1,
        "as named",
        "tools.chains.read_expiry",
        "Forward, smile, skew and expected move of one expiry of a chain.",
    ),
    Tool(
        "calendar_check",
        1,
        "total variance",
        "tools.chains.calendar_check",
        "Whether total variance grows from each fitted expiry to the next, as it must.",
    ),
    Tool(
        "chain_flow",
        1,
        "ratio",
        "tools.chains.chain_flow",
        "Put/call ratios of one day's chain over all its expiries.",
    ),
    Tool(
        "unusual_volume",
        1,
        "contracts",
        "tools.chains.unusual_contracts",
        "The contracts whose volume stands out most from the days before.",
    ),
)

TOOLS: Mapping[str, Tool] = MappingProxyType({tool.name: tool for tool in (*_MARKET, *_DECISION, *_BOOKS, *_OPTIONS)})
"""By name, as ledger entries carry it."""
