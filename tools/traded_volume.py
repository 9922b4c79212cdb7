"""Tools on recorded volume: how one-sided it is (VPIN), and its shape over the day and over prices."""

from collections.abc import Mapping

import numpy as np

from ..market.order_books import NANOSECONDS, Times
from ..market.recordings import Recording
from ..quant.arrays import FloatArray
from ..quant.errors import SampleError
from ..quant.tape import Toxicity, volume_at_price, volume_profile, vpin, vpin_of_sides
from .errors import NotEnoughData
from .ledger import Ledger, figure
from .readings import shape_reading, toxicity_reading
from .recorded_flow import clocks, stated

BUCKETS = 100
"""Volume buckets in a recording; the paper's fifty a day suit a day, and need a month of them for a percentile."""
WINDOW_BUCKETS = 50
PRICE_BUCKETS = 16
AREA_FRAC = 0.7
CLOCK_BUCKETS = 30
"""At most so many buckets of the clock are shown."""
SESSION_BUCKET_MINUTES = 30
DAY_MINUTES = 24 * 60


def toxicity(ledger: Ledger, recording: Recording) -> Mapping[str, object]:
    """VPIN over the recording, where it stands now in its own record, and the same by recorded sides where told.

    The buckets are a hundredth of the volume up to now, so that an earlier moment has other buckets.
    """
    ends, price, volume = _volume_bars(recording)
    bucket = float(volume.sum()) / BUCKETS
    try:
        found = vpin(price, volume, bucket_volume=bucket, window=WINDOW_BUCKETS)
    except SampleError as error:
        raise NotEnoughData(f"no VPIN: {error.message}", remedy=error.remedy) from error
    output: dict[str, object] = {
        **_standing(found),
        "buckets": BUCKETS,
        "window_buckets": WINDOW_BUCKETS,
        "bucket_volume": figure(bucket),
        "path": {
            "time": clocks(recording, ends[found.known_at]),
            "value": [figure(float(value)) for value in found.value],
        },
    }
    trades = recording.trades
    if trades is not None and trades.side is not None:
        bought = np.where(trades.side > 0.0, trades.size, 0.0)
        sides = vpin_of_sides(bought, trades.size, bucket_volume=bucket, window=WINDOW_BUCKETS)
        output["of_sides"] = _standing(sides) | {"path": [figure(float(value)) for value in sides.value]}
    output["reading"] = toxicity_reading(output)
    ledger.record("toxicity", 1, "as named", {"symbol": recording.symbol, "buckets": BUCKETS}, output)
    return output


def volume_shape(ledger: Ledger, recording: Recording) -> Mapping[str, object]:
    """Volume by time of day with its running total, and by price with the busiest price and the value area."""
    ts, price, volume = _prints(recording)
    try:
        profile = volume_at_price(price, volume, n_buckets=PRICE_BUCKETS, area_frac=AREA_FRAC)
    except SampleError as error:
        raise NotEnoughData(f"no volume profile: {error.message}", remedy=error.remedy) from error
    busiest = int(profile.share.argmax())
    output: dict[str, object] = {
        "volume": figure(float(volume.sum())),
        "average_price": figure(float(price @ volume / volume.sum())),
        "last_price": figure(float(price[-1])),
        "busiest_price": figure(float(profile.edges[busiest] + profile.edges[busiest + 1]) / 2.0),
        "area": {
            "low": figure(profile.value_area[0]),
            "high": figure(profile.value_area[1]),
            "share": AREA_FRAC,
        },
        "by_price": [
            {"low": figure(float(low)), "high": figure(float(high)), "share": figure(float(share))}
            for low, high, share in zip(profile.edges[:-1], profile.edges[1:], profile.share, strict=True)
        ],
        "by_clock": _by_clock(recording, ts, volume),
    }
    output["reading"] = shape_reading(output)
    ledger.record("volume_shape", 1, "as named", {"symbol": recording.symbol}, output)
    return output


def _standing(found: Toxicity) -> dict[str, object]:
    """The last value, and the share of the recording's values that are not above it."""
    now = float(found.value[-1])
    return {
        "now": figure(now),
        "percentile": figure(float((found.value <= now).mean())),
        "mean": figure(float(found.value.mean())),
        "values": len(found.value),
    }


def _volume_bars(recording: Recording) -> tuple[Times, FloatArray, FloatArray]:
    """When each bar was known, its last price and its volume; trades make bars of a second."""
    if recording.bars is not None:
        return recording.bars.ts, recording.bars.close, recording.bars.volume
    trades = recording.trades
    if trades is None:
        raise NotEnoughData("neither trades nor bars were recorded", remedy="Give a recording with volume.")
    bar = (trades.ts - trades.ts[0]).astype(np.int64) // NANOSECONDS
    lasts = np.flatnonzero(np.append(np.diff(bar) > 0, True))
    return trades.ts[lasts], trades.price[lasts], np.add.reduceat(trades.size, np.append(0, lasts[:-1] + 1))


def _prints(recording: Recording) -> tuple[Times, FloatArray, FloatArray]:
    """Times, prices and sizes; a bar counts at its start, since it traded after that."""
    if recording.trades is not None:
        return recording.trades.ts, recording.trades.price, recording.trades.size
    bars = recording.bars
    if bars is None:
        raise NotEnoughData("neither trades nor bars were recorded", remedy="Give a recording with volume.")
    return bars.ts - np.timedelta64(bars.span_s * NANOSECONDS, "ns"), bars.close, bars.volume


def _by_clock(recording: Recording, ts: Times, volume: FloatArray) -> list[dict[str, object]] | dict[str, object]:
    offset = np.timedelta64(recording.utc_offset_s * NANOSECONDS, "ns")
    seconds = ((ts + offset).astype(np.int64) // NANOSECONDS).astype(np.float64)
    minutes = seconds / 60.0 % DAY_MINUTES
    start, end, width = _clock_span(recording, ts, minutes)
    try:
        shares = volume_profile(minutes, volume, bucket_minutes=width, open_minute=start, close_minute=end)
    except SampleError as error:
        return stated(error)
    running = np.cumsum(shares)
    return [
        {
            "from": f"{(start + place * width) // 60:02d}:{(start + place * width) % 60:02d}",
            "minutes": width,
            "share": figure(float(share)),
            "so_far": figure(min(float(total), 1.0)),
        }
        for place, (share, total) in enumerate(zip(shares, running, strict=True))
    ]


def _clock_span(recording: Recording, ts: Times, minutes: FloatArray) -> tuple[int, int, int]:
    """First minute, last minute and width of the buckets: the session so far, or the span that was recorded."""
    if recording.session is not None:
        opened = recording.session[0] + np.timedelta64(recording.utc_offset_s * NANOSECONDS, "ns")
        start = int(opened.astype("datetime64[m]").astype(np.int64)) % DAY_MINUTES
        n_buckets = int((minutes[-1] - start) // SESSION_BUCKET_MINUTES) + 1
        return start, start + n_buckets * SESSION_BUCKET_MINUTES, SESSION_BUCKET_MINUTES
    if minutes[-1] < minutes[0] or (ts[-1] - ts[0]).astype(np.int64) >= DAY_MINUTES * 60 * NANOSECONDS:
        return 0, DAY_MINUTES, 60
    start, end = int(minutes[0]), int(minutes[-1]) + 1
    width = next(width for width in (1, 5, 15, 30, 60) if (end - start) <= width * CLOCK_BUCKETS)
    start -= start % width
    return start, start + -(-(end - start) // width) * width, width
