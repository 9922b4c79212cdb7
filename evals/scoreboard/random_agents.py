"""Agents without any skill that trade on the desk's days, in the desk's size and at the desk's price."""

from dataclasses import dataclass

import numpy as np

from ...quant.arrays import FloatArray
from .day_path import DayPath

SEEDS = 200
"""Fewest for a percentile: its standard error is then at most 3.5 points."""


@dataclass(frozen=True, slots=True, eq=False)
class Flows:
    """What an agent trades at each close, (n_days,) fractions of its equity there, and what a unit of it costs."""

    buys: FloatArray
    sells: FloatArray
    cost_frac: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class RandomPaths:
    """Equity (n_agents, n_days), all starting alike, and what each paid and traded in all."""

    net: FloatArray
    gross: FloatArray
    """The same trades without costs."""
    costs: FloatArray
    """(n_days,) mean over agents of costs paid over the equity of the close before."""
    exposure: FloatArray
    """(n_days,) mean over agents of the fraction invested, net of costs."""


def flows_of(path: DayPath) -> Flows:
    """What the desk bought, sold and paid, as fractions."""
    return Flows(
        buys=path.bought / path.equity,
        sells=path.sold / path.equity,
        cost_frac=np.divide(path.costs, path.traded, out=np.zeros_like(path.costs), where=path.traded > 0.0),
    )


def random_agents(closes: FloatArray, flows: Flows, rng: np.random.Generator, n_agents: int = SEEDS) -> RandomPaths:
    """Each close buys so much of names drawn at random and sells so much of holdings drawn at random, as `flows` say.

    `closes` (n_days, n_names) without gaps. Buys are split over the names by uniform draws from the simplex; sells
    empty randomly ordered holdings one after the other. Cash earns nothing, and no agent borrows or sells short.
    """
    n_days, n_names = closes.shape
    books = {name: _Book(np.zeros((n_agents, n_names)), np.ones(n_agents)) for name in ("net", "gross")}
    paths = {name: np.ones((n_agents, n_days)) for name in books}
    paid, exposure = np.zeros(n_days), np.zeros(n_days)
    for day in range(1, n_days):
        growth = closes[day] / closes[day - 1]
        is_trading = flows.buys[day] + flows.sells[day] > 0.0
        order = np.argsort(rng.random((n_agents, n_names)), axis=1) if is_trading else None
        shares = rng.standard_exponential((n_agents, n_names)) if is_trading else None
        for name, book in books.items():
            book.held *= growth
            before = paths[name][:, day - 1]
            if order is not None and shares is not None:
                cost_frac = flows.cost_frac[day] if name == "net" else 0.0
                costs = book.trade(order, shares, flows.buys[day], flows.sells[day], cost_frac)
                if name == "net":
                    paid[day] = float((costs / before).mean())
            paths[name][:, day] = book.held.sum(axis=1) + book.cash
        exposure[day] = float((books["net"].held.sum(axis=1) / paths["net"][:, day]).mean())
    return RandomPaths(paths["net"], paths["gross"], paid, exposure)


class _Book:
    """Holdings (n_agents, n_names) and cash (n_agents,) in money."""

    def __init__(self, held: FloatArray, cash: FloatArray) -> None:
        self.held, self.cash = held, cash

    def trade(
        self, order: np.ndarray, shares: FloatArray, buys_frac: float, sells_frac: float, cost_frac: float
    ) -> FloatArray:
        """Sells, then buys with what there is; what it cost (n_agents,)."""
        equity = self.held.sum(axis=1) + self.cash
        sorted_held = np.take_along_axis(self.held, order, axis=1)
        reached = np.cumsum(sorted_held, axis=1)
        wanted = (sells_frac * equity)[:, None]
        sold_sorted = np.clip(wanted - (reached - sorted_held), 0.0, sorted_held)
        sold = np.zeros_like(self.held)
        np.put_along_axis(sold, order, sold_sorted, axis=1)
        sold_sum = sold.sum(axis=1)
        room = self.cash + sold_sum * (1.0 - cost_frac)
        bought_sum = np.minimum(buys_frac * equity, np.maximum(room, 0.0) / (1.0 + cost_frac))
        self.held += shares / shares.sum(axis=1, keepdims=True) * bought_sum[:, None] - sold
        costs = cost_frac * (sold_sum + bought_sum)
        self.cash = self.cash + sold_sum - bought_sum - costs
        return costs


def percentile_of(value: float, others: FloatArray) -> float:
    """The share of the others below it, ties by half."""
    return float((others < value).mean() + 0.5 * (others == value).mean())
