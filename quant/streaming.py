"""What the top of one order book says quote by quote: usual spread, move and depth, imbalance and order flow.

All state is there from the start and one update is plain float arithmetic, a microsecond or so. The batch forms of
imbalance and order flow are in `quant/order_book.py`; on the same quotes these are the same.
"""

from __future__ import annotations

import math

from .errors import ParameterError, SampleError

_INF = math.inf


class StreamingTop:
    """Exponential means over the quotes of one name, and its last quote.

    The n-th value of a mean weighs ``1 / n`` (a plain mean) until n is ``usual_quotes`` or, for the flow,
    ``flow_quotes``, and one over that from then on. Means are over quotes, not over time; before the first quote (of
    moves and flow: the second) they are 0. ``update`` takes prices in any currency and sizes in any unit.

    Raises
    ------
    ParameterError : a count of quotes below 1
    SampleError : a NaN or infinity, a price not above 0, a crossed quote, a size below 0 or none on either side; the
        state is then as before the call

    Source: Cont, Kukanov and Stoikov (2014), J. Financial Econometrics 12(1), section 2.1 (order flow imbalance); J. P.
    Morgan/Reuters (1996), RiskMetrics Technical Document, section 5.2 (mean squared move, about zero).
    """

    __slots__ = (
        "_ask", "_ask_size", "_bid", "_bid_size", "_flow_quotes", "_square", "_usual_quotes", "n_quotes", "usual_depth",
        "usual_flow", "usual_spread",
    )  # fmt: skip

    def __init__(self, usual_quotes: int, flow_quotes: int) -> None:
        for name, found in (("usual_quotes", usual_quotes), ("flow_quotes", flow_quotes)):
            if found < 1:
                raise ParameterError(f"{name}: found {found}, expected at least 1")
        self._usual_quotes, self._flow_quotes = usual_quotes, flow_quotes
        self._bid = self._ask = self._bid_size = self._ask_size = self._square = 0.0
        self.n_quotes = 0
        self.usual_spread = 0.0
        """Mean of ask less bid, in price."""
        self.usual_depth = 0.0
        """Mean of the sizes at the two touches."""
        self.usual_flow = 0.0
        """Mean size added to the buying side by one quote, net: above 0 it pushes the price up."""

    def update(self, bid: float, ask: float, bid_size: float, ask_size: float) -> None:
        """One quote, newer than all before it."""
        # The last comparison is false for a NaN of either size as well.
        if not (0.0 < bid <= ask < _INF and bid_size >= 0.0 <= ask_size and 0.0 < bid_size + ask_size < _INF):
            raise _refused(bid, ask, bid_size, ask_size)
        seen, most = self.n_quotes, self._usual_quotes
        self.n_quotes = seen + 1
        count = seen + 1 if seen < most else most
        self.usual_spread += (ask - bid - self.usual_spread) / count
        self.usual_depth += (0.5 * (bid_size + ask_size) - self.usual_depth) / count
        if seen:
            last_bid, last_ask = self._bid, self._ask
            move = 0.5 * (bid + ask - last_bid - last_ask)
            self._square += (move * move - self._square) / (seen if seen < most else most)
            flow = (bid_size if bid >= last_bid else 0.0) - (self._bid_size if bid <= last_bid else 0.0)
            flow -= (ask_size if ask <= last_ask else 0.0) - (self._ask_size if ask >= last_ask else 0.0)
            most = self._flow_quotes
            self.usual_flow += (flow - self.usual_flow) / (seen if seen < most else most)
        self._bid, self._ask, self._bid_size, self._ask_size = bid, ask, bid_size, ask_size

    @property
    def usual_move(self) -> float:
        """Root of the mean squared move of the mid from one quote to the next, in price."""
        return math.sqrt(self._square)

    @property
    def imbalance(self) -> float:
        """Of the last quote's sizes, from -1 (all asks) to 1 (all bids)."""
        total = self._bid_size + self._ask_size
        return (self._bid_size - self._ask_size) / total if total else 0.0


def _refused(bid: float, ask: float, bid_size: float, ask_size: float) -> SampleError:
    return SampleError(
        f"quote: found {bid_size:g} at {bid:g} against {ask_size:g} at {ask:g}, expected finite prices above 0 that do "
        "not cross and sizes of at least 0, one of them above",
        remedy="Drop the quote at the feed; the stream keeps the state it had before.",
    )
