"""What the figures of a recording mean, in plain words made by code: one reading per tool."""

from collections.abc import Mapping
from typing import Any

Output = Mapping[str, Any]

BALANCED = 0.1
"""An imbalance, or a share of buyers this close to a half, is called balanced."""
T_SEEN, T_SURE = 2.0, 3.0
SMALL_GAIN = 0.02
"""A micro-price whose error is not smaller by this share is no better than the mid."""
FAR_FROM_QUOTED = 3.0
HIGH, LOW = 0.9, 0.1
SIGNERS = {
    "recorded": "The exchange names the aggressor",
    "lee_ready": "Sides are those of Lee and Ready",
    "tick_rule": "Sides are those of the tick rule, for no quotes were recorded",
}


def pressure_reading(output: Output) -> str:
    said = [_lean(output["imbalance"]), _micro(output["micro"])]
    fits = [row for row in output["flow"] if "next" in row]
    if not fits:
        return " ".join((*said, "Too few windows for the flow to say anything."))
    row = max(fits, key=lambda item: item["same"]["r_squared"])
    said.append(
        f"Order flow goes with {row['same']['r_squared']:.0%} of the mid's moves over the same {row['window_s']} s."
    )
    row = max(fits, key=lambda item: abs(item["next"]["t_stat"] or 0.0))
    way = "same" if row["next"]["price_per_size"] > 0.0 else "other"
    said.append(
        f"Of the next {row['window_s']} s it tells {row['next']['r_squared']:.1%}, pointing the {way} way: "
        f"{certainty(row['next']['t_stat'])} among {len(fits)} windows tried."
    )
    return " ".join(said)


def signs_reading(output: Output) -> str:
    share, volume = output["buy_share"], output["buy_volume_share"]
    said = [f"{SIGNERS[output['source']]}: buyers began {share:.0%} of the trades and {volume:.0%} of the volume."]
    persistence = output["persistence"]
    if persistence:
        lag = list(persistence)[-1]
        held = "sides come in long runs" if persistence[lag] > BALANCED else "sides do not last"
        said.append(f"{lag} trades on, the correlation of sides is {persistence[lag]:.2f}: {held}.")
    against = output["against_aggressor"]
    if against:
        said.append(
            f"Lee and Ready name the aggressor right in {against['lee_ready']:.1%} of {against['trades']} trades, "
            f"the tick rule in {against['tick_rule']:.1%}, the commoner side always in "
            f"{against['always_the_commoner']:.1%}."
        )
    return " ".join(said)


def costs_reading(output: Output) -> str:
    said: list[str] = []
    quoted, effective = output["quoted"], output["effective"]
    if "now" in quoted:
        said.append(f"The spread is quoted at {_bps(quoted['now'])} now and at {_bps(quoted['by_time'])} by time.")
    if "mean" in effective:
        said.append(f"Trades paid {_bps(effective['by_volume'])} for a round trip, by volume.")
        if "now" in quoted and effective["by_volume"] > FAR_FROM_QUOTED * quoted["by_time"]:
            said.append(
                "That is far more than was quoted: the quotes are "
                f"{1000 * effective['median_quote_age_s']:.0f} ms old at the median trade, and much of it is the price "
                "running through the book since."
            )
    ripe = [row for row in output["horizons"] if "realized" in row]
    if ripe:
        row = ripe[-1]
        kept = "the market maker lost it again" if row["realized"] < 0.0 else f"{_bps(row['realized'])} were kept"
        said.append(
            f"{row['horizon_s']} s later the price had gone {_bps(row['impact'])} of the {_bps(row['effective'])} "
            f"against the maker: {kept}."
        )
    fits = [row for row in output["kyle"] if "t_stat" in row]
    if fits:
        row = max(fits, key=lambda item: abs(item["t_stat"] or 0.0))
        said.append(
            f"Buying one million moves the mid by {_bps(row['move_per_million'])} within {row['window_s']} s "
            f"(R2 {row['r_squared']:.0%}, {certainty(row['t_stat'])})."
        )
    if "per_million" in output["amihud"]:
        said.append(f"By Amihud, a million goes with a move of {_bps(output['amihud']['per_million'])}.")
    return " ".join(said) or "The recording tells neither quotes nor trades."


def toxicity_reading(output: Output) -> str:
    place = output["percentile"]
    level = "among its highest" if place >= HIGH else "among its lowest" if place <= LOW else "within its usual range"
    said = (
        f"VPIN is {output['now']:.2f}, {level} here: not below {place:.0%} of {output['values']} overlapping readings."
    )
    sides = output.get("of_sides")
    if sides:
        said += f" By the recorded sides it is {sides['now']:.2f}, not below {sides['percentile']:.0%} of them."
    return said


def shape_reading(output: Output) -> str:
    last, area = output["last_price"], output["area"]
    place = "above" if last > area["high"] else "below" if last < area["low"] else "inside"
    said = (
        f"The last price, {last:g}, is {place} the prices between which {area['share']:.0%} of the volume was traded, "
        f"{area['low']:g} to {area['high']:g}."
    )
    if isinstance(output["by_clock"], list) and len(output["by_clock"]) > 1:
        rows = output["by_clock"]
        top = max(rows, key=lambda item: item["share"])
        said += (
            f" By the clock most, {top['share']:.0%}, was traded in the {top['minutes']} min from {top['from']}: "
            f"{top['share'] * len(rows):.1f} times an even share."
        )
    return said


def certainty(t_stat: float | None) -> str:
    """What a t statistic allows to say; None is that of a perfect fit."""
    if t_stat is None:
        return "without any error"
    if abs(t_stat) >= T_SURE:
        return f"beyond doubt, t {t_stat:.1f}"
    return f"{'likely' if abs(t_stat) >= T_SEEN else 'not to be told from chance'}, t {t_stat:.1f}"


def _lean(imbalance: Output) -> str:
    parts = []
    for depth, row in imbalance.items():
        now = row["now"]
        side = "balanced" if abs(now) < BALANCED else "heavier on the bid" if now > 0.0 else "heavier on the ask"
        levels = "the best level is" if depth == "1" else f"{depth} levels are"
        parts.append(f"{levels} {side} ({now:+.2f})")
    text = ", ".join(parts)
    return f"{text[0].upper()}{text[1:]}."


def _micro(micro: Output) -> str:
    if "error_ratio" not in micro:
        return "A micro-price could not be learned."
    gain = 1.0 - micro["error_ratio"]
    if gain < SMALL_GAIN:
        return "The micro-price has foretold the mid no better than the mid itself."
    return (
        f"The micro-price is {_bps(micro['lean'], sign=True)} off the mid; learned before, it cut the mid's error "
        f"afterwards by {gain:.0%}."
    )


def _bps(fraction: float, *, sign: bool = False) -> str:
    value = 1e4 * fraction
    digits = 1 if abs(value) >= 1.0 else 3
    return f"{value:+.{digits}f} bp" if sign else f"{value:.{digits}f} bp"
