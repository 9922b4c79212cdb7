"""The same market under a mask: other names, other dates and other price levels, with every return as it was.

A model that knows a name's past from its training can not use it here; one that reads its evidence decides the same.
Company names within texts stay, since nothing the desk holds maps them to their symbols.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

import numpy as np

from ...domain.instruments import Universe
from ...domain.market import TextItem
from ...gate.limits import Limits, parse_limits
from ...market.cards import DataSet
from ...market.panel import Panel
from ...market.sessions import session_calendar, utc_moment
from .errors import ArmImpossible

SHIFT_WEEKS = 313
"""Six years back, which is in no cycle of elections or leap years."""
FACTORS = (0.125, 0.25, 0.5, 2.0, 4.0, 8.0)
"""Powers of two: a masked price has the bits of the real one, and returns are the same to the last of them."""
INDEX = "INDEX"


@dataclass(frozen=True, slots=True)
class Mask:
    """What stands for what; `factors` are what prices were multiplied by."""

    symbols: Mapping[str, str]
    factors: Mapping[str, float]
    sessions: Mapping[date, date]
    """From a real session to the one it became."""

    def unmasked(self, legs: Mapping[str, int]) -> dict[str, int]:
        """Signed quantities by masked symbol, as they are in real names and shares: rounded to whole ones."""
        real = {masked: name for name, masked in self.symbols.items()}
        return {real[name]: round(quantity * self.factors[real[name]]) for name, quantity in legs.items()}

    def limits(self, limits: Limits) -> Limits:
        """The same limits of the same instruments."""
        given = limits.model_dump()
        for name in ("restricted_symbols", "allowed_symbols"):
            if not isinstance(given[name], str):
                given[name] = [self.symbols.get(symbol, symbol) for symbol in given[name]]
        return parse_limits(given, "masked limits")


def masked(data: DataSet, seed: int) -> tuple[DataSet, Mask]:
    """The data set under a mask, and the mask; raises ArmImpossible where the mask would tear something apart."""
    if data.recordings is not None or data.recorded is not None or data.actions or data.panel.interval is not None:
        raise ArmImpossible(
            f"{data.card.name}: quotes, books and corporate actions are kept at their real prices and times",
            remedy="Mask daily bars that are adjusted, such as us20; or leave the arm out.",
        )
    panel, rng = data.panel, np.random.default_rng(seed)
    names = {symbol: f"A{place:02d}" for place, symbol in enumerate(panel.symbols, start=1)}
    factors = dict(zip(panel.symbols, rng.choice(FACTORS, len(panel.symbols)).tolist(), strict=True))
    shifted = _masked_panel(panel, names, np.array([factors[symbol] for symbol in panel.symbols]))
    days = dict(zip(panel.sessions.tolist(), shifted.sessions.tolist(), strict=True))
    mask = Mask(names, factors, days)
    joined = None if data.joined_at is None else days[data.joined_at]
    card = replace(
        data.card,
        name="masked",
        title="masked",
        first_session=days[panel.sessions[0].item()],
        last_session=days[panel.sessions[-1].item()],
    )
    texts = _masked_texts(data.texts, panel, shifted, mask)
    universe = _masked_universe(data.universe, names)
    return replace(data, card=card, panel=shifted, universe=universe, texts=texts, joined_at=joined), mask


def _masked_panel(panel: Panel, names: Mapping[str, str], factors: np.ndarray) -> Panel:
    """As many consecutive sessions of the exchange from a day that is whole weeks before: holidays fall as they do."""
    first = panel.sessions[0].item() - timedelta(weeks=SHIFT_WEEKS)
    calendar = session_calendar(panel.calendar, first, panel.sessions[-1].item())
    start = int(np.searchsorted(calendar.days, np.datetime64(first, "D")))
    rows = slice(start, start + len(panel.sessions))
    prices = {
        name: None if (values := getattr(panel, name)) is None else values * factors
        for name in ("open", "high", "low", "close")
    }
    return replace(
        panel,
        symbols=tuple(names[symbol] for symbol in panel.symbols),
        sessions=calendar.days[rows],
        close_times=calendar.closes[rows],
        volume=None if panel.volume is None else panel.volume / factors,
        benchmark_name=None if panel.benchmark_name is None else names.get(panel.benchmark_name, INDEX),
        **prices,
    )


def _masked_universe(universe: Universe, names: Mapping[str, str]) -> Universe:
    benchmark = None if universe.benchmark is None else names.get(universe.benchmark, INDEX)
    items = tuple(item.model_copy(update={"symbol": names[item.symbol]}) for item in universe.instruments)
    return Universe(name="masked", instruments=items, benchmark=benchmark)


def _masked_texts(items: Iterable[TextItem], panel: Panel, shifted: Panel, mask: Mask) -> tuple[TextItem, ...]:
    """Each text as long before the close that first knows it as it was, and after the close before that."""
    words = re.compile(rf"\b({'|'.join(map(re.escape, sorted(mask.symbols, key=len, reverse=True)))})\b")

    def hidden(text: str) -> str:
        return words.sub(lambda found: mask.symbols[found.group()], text)

    found: list[TextItem] = []
    for place, item in enumerate(items):
        moved = _moved(item.available_at, panel, shifted)
        if moved is None or item.symbol not in mask.symbols:
            continue
        update = {
            "id": f"text-{place:06d}",
            "symbol": mask.symbols[item.symbol],
            "ts_event": moved,
            "available_at": moved,
            "headline": hidden(item.headline),
            "body": hidden(item.body),
        }
        found.append(item.model_copy(update=update))
    return tuple(found)


def _moved(moment: datetime, panel: Panel, shifted: Panel) -> datetime | None:
    """None for what came after the last close: no decision knows it."""
    at = np.datetime64(moment.astimezone(UTC).replace(tzinfo=None), "us")
    row = int(np.searchsorted(panel.close_times.astype("datetime64[us]"), at))
    if row == len(panel.close_times):
        return None
    lead = utc_moment(panel.close_times[row]) - moment
    earliest = utc_moment(shifted.close_times[row - 1]) + timedelta(seconds=1) if row else None
    moved = utc_moment(shifted.close_times[row]) - lead
    return moved if earliest is None else max(moved, earliest)
