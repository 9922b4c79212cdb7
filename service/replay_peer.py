"""The peer of the replay bench, hftbacktest: the same feed, the same steps and the same market maker in its engine.

It is no dependency of ours: it asks for an older numpy than we use, though it runs with ours.
"""

import contextlib
import io
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..quant.event_replay import MakerTerms, ReplayTerms

PACKAGE, VERSION = "hftbacktest", "2.4.4"
HOW_TO_INSTALL = f"pip install --no-deps {PACKAGE}=={VERSION}"

_NO_PRICE = 2**60
_GOOD_TILL_CROSSING, _LIMIT = 1, 0

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class PeerResult:
    """What its engine says of a run: what was held after each step, and the totals of all fills."""

    positions: Floats
    trades: int
    volume: float
    fees: float


class Peer:
    """The peer's engine behind three functions; its kernels are compiled once, at the first call of each."""

    def __init__(self) -> None:
        from ..quant.compiler import compiled_here

        self._count: Callable[..., Any] = compiled_here(_count)
        self._make: Callable[..., Any] = compiled_here(_make)

    def convert(self, path: Path) -> Any:
        """Its event array of a raw feed; what it prints on the way is not ours to show."""
        from hftbacktest.data.utils import binancefutures  # pyright: ignore[reportMissingImports]

        with contextlib.redirect_stdout(io.StringIO()):
            return binancefutures.convert(str(path), buffer_size=2_000_000)

    def count(self, rows: Any, terms: ReplayTerms) -> tuple[int, int, float, float]:
        """Steps, those with both sides, and the sums of its best bids and asks."""
        with _engine(rows, terms) as engine:
            return self._count(engine, terms.step_ns)

    def make(self, rows: Any, terms: ReplayTerms, maker: MakerTerms, quote_from_ns: int, n_steps: int) -> PeerResult:
        """The market maker of `making_kernel`, written against its interface."""
        positions = np.zeros(n_steps)
        quoted = (maker.half_spread_ticks, maker.skew_ticks, maker.size, maker.most_held)
        with _engine(rows, terms) as engine:
            steps = self._make(engine, terms.step_ns, terms.tick, quote_from_ns, quoted, positions)
            totals = engine.state_values(0)
            return PeerResult(positions[:steps], int(totals.num_trades), totals.trading_volume, totals.fee)


def found_version() -> str | None:
    """The version of the peer that is installed here, whichever it is."""
    try:
        return version(PACKAGE)
    except PackageNotFoundError:
        return None


def installed() -> bool:
    """Whether the version that the comparison was written for is here."""
    return found_version() == VERSION


def repeated(rows: Any, times: int) -> Any:
    """Its array `times` over, apart as our own `repeated` sets the copies apart."""
    first = min(int(rows["exch_ts"].min()), int(rows["local_ts"].min()))
    last = max(int(rows["exch_ts"].max()), int(rows["local_ts"].max()))
    copies = np.tile(rows, times)
    shift = np.repeat(np.arange(times, dtype=np.int64) * (last - first + 1_000_000_000), len(rows))
    copies["exch_ts"] += shift
    copies["local_ts"] += shift
    return copies


@contextlib.contextmanager
def _engine(rows: Any, terms: ReplayTerms) -> Any:
    """Its engine with the models nearest to ours: a queue averse to risk, constant latencies, whole fills.

    Its exchange model with partial fills ends this run early with an error of its own (code 14).
    """
    from hftbacktest import BacktestAsset, HashMapMarketDepthBacktest  # pyright: ignore[reportMissingImports]

    asset = (
        BacktestAsset()
        .data([rows])
        .linear_asset(1.0)
        .constant_order_latency(terms.order_latency_ns[0], terms.report_latency_ns[0])
        .risk_adverse_queue_model()
        .no_partial_fill_exchange()
        .trading_value_fee_model(terms.maker_fee, terms.taker_fee)
        .tick_size(terms.tick)
        .lot_size(0.001)
        .last_trades_capacity(0)
    )
    engine = HashMapMarketDepthBacktest([asset])
    try:
        yield engine
    finally:
        engine.close()


def _count(engine: Any, step_ns: int) -> tuple[int, int, float, float]:
    steps, two_sided, bids, asks = 0, 0, 0.0, 0.0
    while engine.elapse(step_ns) == 0:
        steps += 1
        depth = engine.depth(0)
        if depth.best_bid_tick > -_NO_PRICE and depth.best_ask_tick < _NO_PRICE:
            two_sided += 1
            bids += depth.best_bid
            asks += depth.best_ask
    return steps, two_sided, bids, asks


def _make(
    engine: Any, step_ns: int, tick: float, quote_from_ns: int, quoted: tuple[float, ...], positions: Floats
) -> int:
    half_spread, skew, size, most = quoted
    steps, last_id = 0, 0
    ids = np.zeros(2, dtype=np.int64)
    while engine.elapse(step_ns) == 0 and steps < len(positions):
        engine.clear_inactive_orders(0)
        held = engine.position(0)
        positions[steps] = held
        steps += 1
        depth = engine.depth(0)
        bid, ask = depth.best_bid_tick, depth.best_ask_tick
        if engine.current_timestamp < quote_from_ns or not -_NO_PRICE < bid < ask < _NO_PRICE:
            continue
        center = (bid + ask) / 2.0 - skew * held / size
        for side in range(2):
            if side == 0:
                want = min(int(np.floor(center - half_spread)), bid)
                wanted = held + size <= most + 1e-9
            else:
                want = max(int(np.ceil(center + half_spread)), ask)
                wanted = held - size >= -most - 1e-9
            order = engine.orders(0).get(ids[side])
            if order is not None:
                if order.cancellable and (order.price_tick != want or not wanted):
                    engine.cancel(0, ids[side], False)
            elif wanted:
                last_id += 1
                ids[side] = last_id
                if side == 0:
                    engine.submit_buy_order(0, last_id, want * tick, size, _GOOD_TILL_CROSSING, _LIMIT, False)
                else:
                    engine.submit_sell_order(0, last_id, want * tick, size, _GOOD_TILL_CROSSING, _LIMIT, False)
    return steps
