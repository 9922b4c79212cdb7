"""The venue of each session of a run, by its settings: paper, the matching exchange, or a router over several.

The exchange works at the best fidelity the day's tape allows, and each fill says which; where quotes are drawn, so is
everything that is learnt from them. What the router knows of its venues is a fold of the log before the session.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

from ..desk.desk import Desk
from ..desk.settings import ROUTER, VenueSettings
from ..domain.events import EvidenceRecorded
from ..domain.orders import TimeInForce
from ..domain.portfolio import Portfolio
from ..execution.hours import SessionHours
from ..execution.recorder import Emit
from ..execution.routing.board import slice_of
from ..execution.routing.learning import Folding
from ..execution.routing.routed_venue import RoutedVenue
from ..execution.routing.spreading import Destination
from ..execution.routing.state import RoutingState, RoutingTerms, new_state
from ..execution.venues.account import Account
from ..execution.venues.bands import BandRule
from ..execution.venues.exchange import Exchange
from ..execution.venues.fees import FeeModel, FeeSchedule
from ..execution.venues.latency import Latency
from ..execution.venues.rules import ExchangeRules, Outage
from ..execution.venues.several import several_exchanges
from ..execution.venues.venue import Venue
from ..execution.venues.worked_order import carried
from ..execution.watching import SessionWatch
from ..gate.approval import ApprovedPlan
from ..gate.limits import Limits
from ..gate.state import Borrow
from ..memory.log import EventLog
from ..memory.sent_orders import SentOrder
from ..tools.venues import ROUTED_FROM
from .recorded_exchange import exchange_venue, listed, played
from .tape import Tape
from .venues import VenueOf, paper_venue

UNIT_SHARES = 10
"""What the router learns sizes in: children of a daily plan are tens of shares."""
OUT_FRAC, OUT_FOR = 0.05, timedelta(minutes=45)
"""An unsteady exchange is out in one session of twenty, once, for longer than quotes of bars are apart."""


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be worked in a session, as a router has to know it; `before` are the account's earlier orders."""

    approved: ApprovedPlan
    limits: Limits
    emit: Emit
    watch: SessionWatch
    before: tuple[SentOrder, ...]


@dataclass(frozen=True, slots=True)
class Character:
    """One of the exchanges: `fee_bps` beside the broker's, `pace` times the line's delay."""

    shown_frac: float
    fee_bps: str
    pace: float = 1.0
    hidden_frac: float = 0.0
    fade_frac: float = 0.0
    is_unsteady: bool = False


CHARACTERS: Mapping[str, Character] = {
    "lit": Character(0.5, "0.30", fade_frac=0.1),
    "inverted": Character(0.2, "-0.15", fade_frac=0.3),
    "reserve": Character(0.1, "0.10", pace=1.5, hidden_frac=2.0),
    "regional": Character(0.2, "0.20", pace=3.0, is_unsteady=True),
}
"""Assumed, and unlike each other where US exchanges are: fees for taking in bps (so that they hold at adjusted prices),
shares of the market as a large, a middling and two small ones have, hidden size, fading quotes, delay and outages."""


class Venues:
    """One for a run: a new venue for every session, or for every part of one that is worked on its own."""

    def __init__(self, desk: Desk, usual: VenueOf | None = None) -> None:
        """`usual` is a suite's own venue, whatever the settings say."""
        self._desk, self._usual = desk, usual
        self._made = _maker(desk)
        self._learning: Learning | None = None

    def of(self, hours: SessionHours, tape: Tape, portfolio: Portfolio, work: Work) -> Venue:
        if self._usual is not None:
            return self._usual(hours, tape, portfolio)
        if self._desk.settings.venue.kind == "routed":
            return self._routed(hours, tape, portfolio, work)
        venue = self._made(hours, tape, portfolio, borrowable(portfolio, work.approved))
        if isinstance(venue, Exchange):
            venue.take_over(carried(sent) for sent in work.before if _stands(sent))
        return venue

    @property
    def delays_orders(self) -> bool:
        """Whether what is sent at one moment is only there at the next."""
        chosen = self._desk.settings.venue
        return self._usual is None and chosen.kind in ("exchange", "routed") and chosen.order_ms + chosen.jitter_ms > 0

    def _routed(self, hours: SessionHours, tape: Tape, portfolio: Portfolio, work: Work) -> RoutedVenue:
        desk = self._desk
        characters = {name: _rules_of(desk, name, item, hours) for name, item in CHARACTERS.items()}
        account = Account(portfolio, borrowable(portfolio, work.approved))
        places = several_exchanges(hours, listed(tape), characters, account, tape=played(desk, hours, tape))
        if self._learning is None:
            terms = RoutingTerms(rule=desk.settings.venue.policy, unit_shares=UNIT_SHARES)
            self._learning = Learning(desk.log, new_state(terms, CHARACTERS))
        routed = RoutedVenue(
            work.approved,
            [Destination(venue) for venue in places],
            self._learning.state(),
            work.limits,
            work.emit,
            run_id=desk.run_id,
            name=ROUTER,
            watch=work.watch,
        )
        standing = [(sent, self._learning.place_of(sent)) for sent in work.before if _stands(sent)]
        for place in places:
            slices = [_slice(sent, venue) for sent, venue in standing if venue == place.name]
            place.take_over(carried(item) for item in slices)
        routed.take_over(standing)
        return routed


class Learning:
    """What the router knows by the log so far; each event is read once."""

    def __init__(self, log: EventLog, state: RoutingState) -> None:
        self._log, self._folding, self._seq = log, Folding(state), 0

    def state(self) -> RoutingState:
        head = self._log.head()[0]
        for event in self._log.read(self._seq, until=head, types=ROUTED_FROM):
            # A decision's evidence belongs to no order; where a child goes belongs to its own.
            if event.order_id is not None or event.type != EvidenceRecorded.__name__:
                self._folding.take(event.decoded())
        self._folding.forget_ended()
        self._seq = head
        return self._folding.state

    def place_of(self, sent: SentOrder) -> str:
        """Where an order that stands was sent: it is whole at one venue."""
        (venue,) = self._folding.orders[sent.child.client_order_id].parts
        return venue


def _slice(sent: SentOrder, venue: str) -> SentOrder:
    return replace(sent, child=slice_of(sent.child, venue, sent.child.quantity))


def borrowable(portfolio: Portfolio, approved: ApprovedPlan) -> dict[str, Borrow]:
    """What the gate has seen located of each name, and what is borrowed already."""
    legs = approved.terms.legs.values()
    held = portfolio.holdings()
    return {
        leg.symbol: Borrow(leg.shortable + max(-held.get(leg.symbol, 0), 0), 0.0)
        for leg in legs
        if leg.shortable is not None
    }


def _maker(desk: Desk) -> Callable[[SessionHours, Tape, Portfolio, Mapping[str, Borrow]], Venue]:
    """Where nobody says: the exchange where the data are a recording, else the paper venue."""
    kind = desk.settings.venue.kind
    if kind == "paper" or (kind == "usual" and desk.data.recordings is None):
        paper = paper_venue(desk)
        return lambda hours, tape, portfolio, borrow: paper(hours, tape, portfolio)
    rules = None if kind == "usual" else _rules(desk)
    return lambda hours, tape, portfolio, borrow: exchange_venue(desk, rules, borrow)(hours, tape, portfolio)


def _rules(desk: Desk) -> ExchangeRules:
    """Bands need quotes closer together than bars give: drawn at half hours, every wild day would be one long halt."""
    chosen, data = desk.settings.venue, desk.data
    return ExchangeRules(
        fees=FeeSchedule(FeeModel(value_bps=_fee_bps(desk))),
        latency=_latency(chosen),
        participation_frac=desk.limits.max_participation_frac,
        bands=BandRule(chosen.band_frac) if data.recordings or data.recorded else None,
    )


def _rules_of(desk: Desk, name: str, character: Character, hours: SessionHours) -> ExchangeRules:
    fee_bps = max(_fee_bps(desk) + Decimal(character.fee_bps), Decimal(0))
    return ExchangeRules(
        fees=FeeSchedule(FeeModel(value_bps=fee_bps)),
        latency=_latency(desk.settings.venue, character.pace),
        participation_frac=desk.limits.max_participation_frac,
        shown_frac=character.shown_frac,
        hidden_frac=character.hidden_frac,
        fade_frac=character.fade_frac,
        outages=tuple(_outages(name, hours)) if character.is_unsteady else (),
    )


def _outages(name: str, hours: SessionHours) -> Iterable[Outage]:
    happens, when = _uniforms(name, hours.opens_at.date())
    if happens < OUT_FRAC:
        start = hours.opens_at + when * (hours.closes_at - hours.opens_at)
        yield Outage(start, start + OUT_FOR)


def _uniforms(name: str, day: date) -> tuple[float, float]:
    """Two numbers from 0 to 1 that belong to a venue and a day: the same ones in every run."""
    digest = hashlib.sha256(f"{name}\x1f{day}".encode()).digest()
    return int.from_bytes(digest[:7], "big") / (1 << 56), int.from_bytes(digest[7:14], "big") / (1 << 56)


def _latency(chosen: VenueSettings, pace: float = 1.0) -> Latency:
    """The seed is fixed: a message is as slow in every run."""
    feed_ms, order_ms, ack_ms = (pace * value for value in (chosen.feed_ms, chosen.order_ms, chosen.ack_ms))
    return Latency(feed_ms, order_ms, ack_ms, jitter_ms=pace * chosen.jitter_ms)


def _fee_bps(desk: Desk) -> Decimal:
    return Decimal(repr(desk.ports.costs.fee_bps))


def _stands(sent: SentOrder) -> bool:
    return sent.open_quantity > 0 and sent.child.time_in_force in (TimeInForce.GTC, TimeInForce.GTD)
