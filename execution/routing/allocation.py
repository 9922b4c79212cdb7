"""Spreads a quantity over venues by a rule and what is known of them: pure, and the same for the same rng."""

from collections.abc import Collection

import numpy as np

from ...quant.arrays import IntArray
from ...quant.bandits import thompson_draws, ucb1_indices
from ...quant.survival import greedy_allocation, optimistic_tails
from .errors import RoutingRefused
from .state import RoutingState, Rule, VenueRecord


def allocate(
    state: RoutingState, quantity: int, lot: int, open_to: Collection[str], rng: np.random.Generator
) -> dict[str, int]:
    """Shares by venue, summing to `quantity`, each but one in whole units; venues that get none are left out.

    `open_to` are the venues that may be asked now. Nothing is held back: what no venue is thought to have is spread
    equally, since asking is how one learns.
    """
    venues = [record for record in state.venues if record.venue in open_to]
    if quantity < 1 or lot < 1 or not venues:
        raise RoutingRefused(
            f"{quantity} shares in lots of {lot} over {len(venues)} venues, expected at least one of each",
            remedy="Route a positive quantity while a venue can be reached.",
        )
    unit = -(-state.terms.unit_shares // lot) * lot
    units = allocated_units(state, venues, max(quantity // unit, 1), rng)
    shares = units * unit
    # The rest is less than a unit (or the child is): it goes along where most goes.
    shares[int(shares.argmax())] += quantity - int(shares.sum())
    return {record.venue: int(count) for record, count in zip(venues, shares, strict=True) if count > 0}


def allocated_units(state: RoutingState, venues: list[VenueRecord], units: int, rng: np.random.Generator) -> IntArray:
    """(n_venues,) whole units, summing to `units`."""
    match state.terms.rule:
        case Rule.EQUAL:
            return _equally(units, len(venues))
        case Rule.UCB | Rule.THOMPSON:
            return _by_bandit(state, venues, units, rng)
        case Rule.CENSORED:
            return _by_tails(state, venues, units)


def _equally(units: int, places: int) -> IntArray:
    whole, rest = divmod(units, places)
    return whole + (np.arange(places) < rest).astype(np.int64)


def _by_bandit(state: RoutingState, venues: list[VenueRecord], units: int, rng: np.random.Generator) -> IntArray:
    """Chunk by chunk to the venue with the best index or draw; one chunk counts as one trial for the next."""
    chunks = _equally(units, min(state.terms.n_chunks, units))
    rewards = np.array([record.reward_sum for record in venues])
    trials = np.array([float(record.slices) for record in venues])
    means = np.divide(rewards, trials, out=np.full(len(venues), 0.5), where=trials > 0)
    given = np.zeros(len(venues), dtype=np.int64)
    for chunk in chunks.tolist():
        draws = state.terms.rule is Rule.THOMPSON
        scores = thompson_draws(rewards, trials, rng) if draws else ucb1_indices(rewards, trials)
        best = int(scores.argmax())
        given[best] += chunk
        if not draws:
            # Until it is known what this one brings, it counts as one more of the mean: the bound comes down.
            trials[best] += 1.0
            rewards[best] += means[best]
    return given


def _by_tails(state: RoutingState, venues: list[VenueRecord], units: int) -> IntArray:
    """Every unit where a fill, times what a fill there is worth, is to be expected most."""
    at_risk, ended = [record.at_risk for record in venues], [record.ended for record in venues]
    worths = np.array([max(record.worth, 1e-6) for record in venues])
    tails = optimistic_tails(at_risk, ended, state.terms.min_trials) * worths[:, None]
    given = greedy_allocation(tails, units)
    return given + _equally(units - int(given.sum()), len(venues))
