"""A run that sells short: what was located, what borrowing it cost each night, and where a reader sees that."""

from datetime import date
from decimal import ROUND_CEILING, Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from parley.desk.book import Book, open_log
from parley.desk.settings import Settings
from parley.domain.events import ChildSubmitted, OrderFilled, PlanApproved, PortfolioMarked, StopFired
from parley.domain.overnight import BorrowCharged
from parley.gate.limits import DEFAULT_LIMITS_PATH
from parley.market.sessions import session_calendar

VOLUME = 150_000


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nine made-up names over 259 sessions: the last six can be decided on."""
    days = session_calendar("XNYS", date(2015, 1, 2), date(2016, 12, 30)).days[:259]
    rng = np.random.default_rng(4)
    moves = rng.normal(0.0004, 0.006, (259, 1)) + rng.normal(0.0, 0.008, (259, 9))
    closes = 40.0 * np.exp(np.cumsum(moves, axis=0))
    lines = ["symbol,date,open,high,low,close,volume"]
    for column in range(9):
        for day, close in zip(days, closes[:, column], strict=True):
            row = f"{close:.2f},{close * 1.006:.2f},{close * 0.994:.2f},{close:.2f},{VOLUME}"
            lines.append(f"N{column},{day},{row}")
    path = tmp_path_factory.mktemp("market") / "nine.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def neutral(tmp_path: Path) -> Path:
    limits = DEFAULT_LIMITS_PATH.read_text(encoding="utf-8")
    (tmp_path / "shorts.toml").write_text(limits.replace("allow_short = false", "allow_short = true"))
    config = tmp_path / "neutral.toml"
    head = f'limits_file = "{tmp_path / "shorts.toml"}"\nbook = "neutral"\n'
    config.write_text(head + "[venue]\nborrow_rate_frac = 0.05\n")
    return config


def of(*kinds: Any) -> list[Any]:
    with open_log(Book(Path("book")).latest(), readonly=True) as (log, _):
        return [event.decoded() for event in log.read(types=kinds)]


@pytest.mark.parametrize("venue", ["exchange", "routed"])
def test_short_positions_are_located_held_and_paid_for(parley: Any, market: Path, neutral: Path, venue: str) -> None:
    done = parley("run", "--data", market, "--venue", venue, "--config", neutral, "--reports", "none", "--json")

    assert done.code == 0, done.out
    assert done.document["vetoes"] == 0
    charged = of(BorrowCharged)
    assert charged
    for item in charged:
        value = (item.price * Decimal("1.02")).to_integral_value(ROUND_CEILING) * -item.quantity
        exact = value * Decimal("0.05") * item.nights / 360
        assert item.amount == exact.quantize(Decimal("0.01"), rounding=ROUND_CEILING)
        # A hundredth of a day's volume can be located at once.
        assert -item.quantity <= VOLUME // 100
    sold = [item.child for item in of(ChildSubmitted) if item.child.side == "SELL"]
    assert {item.symbol for item in charged} <= {child.symbol for child in sold}
    located = [row for item in of(PlanApproved) for row in item.verdict.checks if row.check == "shortable"]
    assert any(row.value for row in located)
    marks = of(PortfolioMarked)
    assert abs(marks[-1].net) < 0.3 * marks[-1].gross
    cost = sum(item.amount for item in charged)
    assert any(f"Shares borrowed for short positions cost {cost:,.2f}" in note for note in done.document["notes"])
    assert parley("verify").code == 0
    assert parley("replay").code == 0


def test_a_short_position_that_reaches_its_stop_is_bought_back(parley: Any, market: Path, neutral: Path) -> None:
    neutral.write_text("stop_loss_frac = 0.01\n" + neutral.read_text())

    done = parley("run", "--data", market, "--venue", "exchange", "--config", neutral, "--reports", "none", "--json")

    assert done.code == 0, done.out
    fired = [item for item in of(StopFired) if item.quantity < 0]
    assert fired
    assert all(item.price >= item.stop_price for item in fired)
    exits = {leg.order_id: (leg, item.quantity) for item in fired for leg in item.exits}
    assert exits
    assert all(leg.side == "BUY" and leg.quantity <= -held for leg, held in exits.values())
    bought = dict.fromkeys(exits, 0)
    for item in of(OrderFilled):
        if item.fill.order_id in bought:
            bought[item.fill.order_id] += item.fill.quantity
    assert any(bought[order_id] == leg.quantity for order_id, (leg, _) in exits.items())
    assert all(bought[order_id] <= leg.quantity for order_id, (leg, _) in exits.items())
    assert parley("verify").code == 0


def test_what_is_located_bounds_the_short_side_before_the_gate_has_to(
    parley: Any, market: Path, neutral: Path, tmp_path: Path
) -> None:
    thin = tmp_path / "thin.csv"
    thin.write_text(market.read_text().replace(f",{VOLUME}\n", ",20000\n"))

    done = parley("run", "--data", thin, "--venue", "exchange", "--config", neutral, "--reports", "none", "--json")

    assert done.document["vetoes"] == 0
    assert 0 < max(-item.quantity for item in of(BorrowCharged)) <= 200


def test_a_neutral_book_under_limits_without_short_sales_is_refused(parley: Any, market: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text('book = "neutral"\n')

    done = parley("run", "--data", market, "--config", tmp_path / "bad.toml", "--json")

    assert done.code == 2
    assert "allow_short" in done.document["error"]["message"]


def test_without_daily_volumes_nothing_is_located_and_nothing_sold_short(
    parley: Any, market: Path, neutral: Path, tmp_path: Path
) -> None:
    rows = [line.split(",") for line in market.read_text().splitlines()]
    bare = tmp_path / "bare.csv"
    bare.write_text("\n".join(",".join(row[:6]) for row in rows) + "\n")

    done = parley("run", "--data", bare, "--venue", "exchange", "--config", neutral, "--reports", "none", "--json")

    assert done.code == 0, done.out
    assert of(BorrowCharged) == []
    assert min((quantity for quantity in positions().values()), default=0) >= 0


def positions() -> dict[str, int]:
    with open_log(Book(Path("book")).latest(), readonly=True) as (_, views):
        return views.portfolio().holdings()


def test_the_settings_of_a_long_book_are_those_of_before_there_was_another() -> None:
    assert "book" not in Settings().public()
    assert Settings(book="neutral").hash() != Settings().hash()
