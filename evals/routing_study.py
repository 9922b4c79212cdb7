"""How much a router loses to whoever knew the venues: each rule against the best fixed venue and the oracle.

Every rule is the desk's own (`execution.routing`), fed as a session feeds it: it sees what it sent and what was filled,
and nothing of what was there beyond. Ganchev, Kearns, Nevmyvaka and Wortman (2010), Communications of the ACM 53(5),
found that the Kaplan-Meier rule beats equal shares and a bandit and comes near the oracle; so it should here.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..execution.routing.allocation import allocate
from ..execution.routing.state import RoutingTerms, Rule, SliceOutcome, new_state, observe
from ..quant.arrays import FloatArray, IntArray
from ..quant.bandits import lai_robbins_regret, thompson_draws, ucb1_indices, ucb1_regret_bound
from ..quant.bootstrap import Interval, percentile_interval, stationary_rows
from ..quant.survival import greedy_allocation
from .routing_worlds import DARK_POOLS, MARKETS, SimulatedVenue, World, recorded_sizes, recorded_world, simulated_world

N_SIZES = 64
CHECKPOINTS = (25, 50, 100, 200, 400, 800)
BLOCK_WINDOWS = 20.0
"""Ten minutes of the recorded day stay together when it is resampled."""
N_DRAWS = 2000
ARM_MEANS = (0.9, 0.8, 0.7, 0.6)

MakeWorld = Callable[[np.random.Generator], World]


@dataclass(frozen=True, slots=True, eq=False)
class Regrets:
    """One world, every rule on the same rounds of each seed: (n_seeds, n_rounds) of value brought in, cumulated.

    `value` is by rule; `fixed` is the venue that was best in hindsight, taking everything; `oracle` knows the true
    sizes' distributions; `ceiling` sees the sizes themselves.
    """

    names: tuple[str, ...]
    value: Mapping[Rule, FloatArray]
    fixed: FloatArray
    oracle: FloatArray
    ceiling: FloatArray


def study(make: MakeWorld, n_seeds: int, units: tuple[int, int], seed: int = 0) -> Regrets:
    """Every rule over `n_seeds` draws of a world; each round brings between `units` of 100 shares to place."""
    streams = [np.random.default_rng([seed, place]) for place in range(n_seeds)]
    worlds = [make(stream) for stream in streams]
    wanted = [
        stream.integers(units[0], units[1] + 1, len(world.sizes)) for stream, world in zip(streams, worlds, strict=True)
    ]
    pairs = list(zip(worlds, wanted, strict=True))
    return Regrets(
        names=worlds[0].names,
        value={
            rule: np.stack([_played(world, asked, rule, place) for place, (world, asked) in enumerate(pairs)])
            for rule in Rule
        },
        fixed=np.stack([_fixed(world, asked) for world, asked in pairs]),
        oracle=np.stack([_oracle(world, asked) for world, asked in pairs]),
        ceiling=np.stack([_ceiling(world, asked) for world, asked in pairs]),
    )


def worths(world: World, terms: RoutingTerms) -> FloatArray:
    """What a filled unit is worth at each venue, in [0, 1], on the scale the router learns in."""
    return np.clip(0.5 + world.net_bps / (2 * terms.quality_range_bps), 0.0, 1.0)


def _played(world: World, wanted: IntArray, rule: Rule, seed: int) -> FloatArray:
    """(n_rounds,) cumulated value of one rule; a venue that did not answer last time is left out until it does."""
    terms = RoutingTerms(rule=rule, unit_shares=1, n_sizes=N_SIZES, quality_range_bps=5, seed=seed)
    state, rng = new_state(terms, world.names), np.random.default_rng([1, seed])
    worth = worths(world, terms)
    value, silent = np.zeros(len(wanted)), set[str]()
    place_of = {name: place for place, name in enumerate(world.names)}
    for row, units in enumerate(wanted.tolist()):
        open_to = [name for name in world.names if name not in silent] or list(world.names)
        for name, sent in allocate(state, units, 1, open_to, rng).items():
            place = place_of[name]
            filled = min(sent, int(world.sizes[row, place]))
            value[row] += filled * worth[place]
            state = observe(state, SliceOutcome(name, sent, filled, float(world.net_bps[place])))
        silent = {name for name in world.names if world.is_out[row, place_of[name]]}
    return np.cumsum(value)


def _fixed(world: World, wanted: IntArray) -> FloatArray:
    each = np.minimum(world.sizes, wanted[:, None]) * worths(world, _TERMS)
    return np.cumsum(each[:, int(each.sum(axis=0).argmax())])


def _oracle(world: World, wanted: IntArray) -> FloatArray:
    worth = worths(world, _TERMS)
    best = {units: greedy_allocation(world.tails * worth[:, None], units) for units in set(wanted.tolist())}
    sent = np.stack([best[units] for units in wanted.tolist()])
    return np.cumsum((np.minimum(sent, world.sizes) * worth).sum(axis=1))


def _ceiling(world: World, wanted: IntArray) -> FloatArray:
    """The dearest units that were there, as many as were wanted."""
    worth = worths(world, _TERMS)
    left, value = wanted.copy(), np.zeros(len(wanted))
    for place in np.argsort(-worth, kind="stable").tolist():
        taken = np.minimum(left, world.sizes[:, place])
        value += taken * worth[place]
        left = left - taken
    return np.cumsum(value)


_TERMS = RoutingTerms(unit_shares=1, n_sizes=N_SIZES, quality_range_bps=5)


def mean_interval(values: FloatArray, seed: int = 0) -> tuple[float, Interval]:
    """Mean over seeds with a bootstrap interval: seeds are independent, so they are resampled one by one."""
    rows = np.random.default_rng(seed).integers(0, len(values), (N_DRAWS, len(values)))
    return float(values.mean()), percentile_interval(values[rows].mean(axis=1))


def arm_regret(means: Sequence[float], n_rounds: int, n_seeds: int, *, thompson: bool) -> FloatArray:
    """(n_seeds,) regret on yes-or-no arms of the two bandits, beside which theory has a bound."""
    truth, lost = np.array(means), np.zeros(n_seeds)
    for seed in range(n_seeds):
        rng = np.random.default_rng([2, seed])
        rewards, trials = np.zeros(len(means)), np.zeros(len(means))
        for uniform in rng.random(n_rounds).tolist():
            scores = thompson_draws(rewards, trials, rng) if thompson else ucb1_indices(rewards, trials)
            arm = int(scores.argmax())
            trials[arm] += 1
            rewards[arm] += uniform < truth[arm]
        lost[seed] = ((truth.max() - truth) * trials).sum()
    return lost


def resampled(sizes: IntArray, names: tuple[str, ...]) -> MakeWorld:
    """A recorded day in another order: blocks of it drawn anew for every seed."""

    def make(rng: np.random.Generator) -> World:
        rows = stationary_rows(len(sizes), 1, BLOCK_WINDOWS, rng)[0]
        return recorded_world(sizes[rows], names, N_SIZES)

    return make


def routing_section(ticks: Path | None = None, *, n_seeds: int = 20, n_rounds: int = 800) -> str:
    """The study as Markdown; `ticks` is a recorded day of trades by exchange, left out where there is none."""
    pools = study(lambda rng: simulated_world(DARK_POOLS, n_rounds, N_SIZES, rng), n_seeds, (5, 40))
    markets = study(lambda rng: simulated_world(MARKETS, n_rounds, N_SIZES, rng), n_seeds, (5, 40))
    parts = [
        "## Routing\n",
        "Each rule spreads 500 to 4,000 shares a round over the venues and sees only what was filled. Value is units "
        "of 100 shares, each times its worth in [0, 1]; 95 % intervals are over seeds. Regret is what was missed, "
        "negative where a rule did better.\n",
        _world_text("Dark pools alike in price, sizes hidden (simulated)", _venue_rows(DARK_POOLS), pools),
        _world_text("Venues unlike in fees, fade, speed and failures (simulated)", _venue_rows(MARKETS), markets),
    ]
    if ticks is not None:
        sizes, names = recorded_sizes(ticks)
        found = study(resampled(sizes, names), n_seeds, (2, 12))
        about = (
            f"Recorded: a tenth of what printed on each exchange in each of {len(sizes)} half minutes of `{ticks.name}`"
            ", drawn anew in ten-minute blocks; prices alike. 200 to 1,200 shares a round. One name on one day.\n"
        )
        parts.append(_world_text("Exchanges of a recorded day", about, found))
    return "\n".join([*parts, _arms_text(n_seeds)])


def _venue_rows(venues: Sequence[SimulatedVenue]) -> str:
    fields = ("name", "improvement_bps", "fee_bps", "fade_bps", "latency_ms", "empty_frac", "exponent",
              "reject_frac", "outage_frac")  # fmt: skip
    rows = ["| " + " | ".join(name.replace("_", " ") for name in fields) + " |", "|---" * len(fields) + "|"]
    rows += ["| " + " | ".join(str(getattr(venue, name)) for name in fields) + " |" for venue in venues]
    return "\n".join(rows) + "\n"


def _world_text(title: str, about: str, found: Regrets) -> str:
    """What each rule brought in and lost, and how its regret against the oracle grows."""
    n_rounds = found.oracle.shape[1]
    marks = [mark for mark in CHECKPOINTS if mark <= n_rounds]
    late = n_rounds // 4
    lines = [
        f"### {title}\n", about,
        "| rule | of the oracle's value, all rounds | of it, last quarter | regret against the best fixed venue | "
        "regret against the oracle |",
        "|---|---|---|---|---|",
    ]  # fmt: skip
    for rule, value in found.value.items():
        share = value[:, -1] / found.oracle[:, -1]
        recent = (value[:, -1] - value[:, -late]) / (found.oracle[:, -1] - found.oracle[:, -late])
        fixed, oracle = found.fixed[:, -1] - value[:, -1], found.oracle[:, -1] - value[:, -1]
        shown = " | ".join((_text(share, 3), _text(recent, 3), _text(fixed, 0), _text(oracle, 0)))
        lines.append(f"| {rule.value} | {shown} |")
    best = found.fixed[:, -1] / found.oracle[:, -1]
    ceiling = found.ceiling[:, -1] / found.oracle[:, -1]
    lines.append(f"| best fixed venue | {_text(best, 3)} | | | |")
    lines.append(f"| sees all sizes | {_text(ceiling, 3)} | | | |\n")
    lines.append("Regret a round against the oracle, up to round:\n")
    lines.append("| rule | " + " | ".join(f"{mark}" for mark in marks) + " |")
    lines.append("|---" * (len(marks) + 1) + "|")
    for rule, value in found.value.items():
        gaps = [_text((found.oracle[:, mark - 1] - value[:, mark - 1]) / mark, 2) for mark in marks]
        lines.append(f"| {rule.value} | " + " | ".join(gaps) + " |")
    return "\n".join(lines) + "\n"


def _arms_text(n_seeds: int, n_rounds: int = 2000) -> str:
    """The bandits where theory knows what to expect of them."""
    ucb = arm_regret(ARM_MEANS, n_rounds, n_seeds, thompson=False)
    thompson = arm_regret(ARM_MEANS, n_rounds, n_seeds, thompson=True)
    means = ", ".join(f"{mean:g}" for mean in ARM_MEANS)
    return (
        f"### The bandits on arms of known means ({means}), {n_rounds:,} rounds\n\n"
        "| rule | regret | theory |\n|---|---|---|\n"
        f"| UCB1 | {_text(ucb, 1)} | at most {ucb1_regret_bound(ARM_MEANS, n_rounds):.1f} (Auer et al. 2002) |\n"
        f"| Thompson | {_text(thompson, 1)} | {lai_robbins_regret(ARM_MEANS, n_rounds):.1f} in the long run "
        "(Lai and Robbins 1985) |\n"
    )


def _text(values: FloatArray, digits: int) -> str:
    mean, interval = mean_interval(values)
    return f"{mean:,.{digits}f} ({interval.low:,.{digits}f} to {interval.high:,.{digits}f})"
