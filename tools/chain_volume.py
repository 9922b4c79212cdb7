"""What the volume of an option chain says: put/call ratios, and the contracts that stand out from the days before."""

from datetime import date

import numpy as np
import numpy.typing as npt

from ..quant.arrays import FloatArray
from ..quant.option_flow import put_call_ratio, unusual_volume
from .chain_rows import Chain
from .ledger import Ledger, figure

Key = tuple[int, float, bool]
"""A contract within a file: its expiry as a day number, its strike, and whether it is a call."""

UNUSUAL_DAYS = 5
"""Earlier days that volume is compared with: the least the measure takes, so that newly listed strikes count soon."""
UNUSUAL_CONTRACTS = 500
"""Fewer contracts than this are never called unusual, however quiet the strike was before."""
UNUSUAL_ROWS = 10


def chain_flow(ledger: Ledger, chain: Chain) -> dict[str, object]:
    """Put/call ratios of one day's chain over all its expiries."""
    output: dict[str, object] = {"spot": figure(float(chain.spot[0])), "rows": len(chain.strike), **ratios(chain)}
    ledger.record("chain_flow", 1, "ratio", {}, output)
    return output


def unusual_contracts(ledger: Ledger, chain: Chain, day: date) -> dict[str, object]:
    """The contracts whose volume stands out most from the five recorded days before; uses nothing later."""
    at = np.datetime64(day, "D")
    earlier = np.unique(chain.day[chain.day < at])[-UNUSUAL_DAYS:]
    output: dict[str, object] = (
        {"refused": f"the file holds {len(earlier)} earlier days, {UNUSUAL_DAYS} are needed"}
        if len(earlier) < UNUSUAL_DAYS
        else _unusual(chain, at, earlier)
    )
    ledger.record("unusual_volume", 1, "contracts", {"days": UNUSUAL_DAYS}, output)
    return output


def ratios(rows: Chain) -> dict[str, object]:
    """Put/call of volume and of open interest; contracts of unknown open interest are left out and counted."""
    known = np.isfinite(rows.open_interest)
    sides = {"volume": rows.volume, "open_interest": np.where(known, rows.open_interest, 0.0)}
    found = {name: _ratio(counts * ~rows.is_call, counts * rows.is_call) for name, counts in sides.items()}
    return {**found, "contracts": int(rows.volume.sum()), "open_interest_unknown": int((~known).sum())}


def _ratio(puts: FloatArray, calls: FloatArray) -> float | None:
    return figure(put_call_ratio(puts, calls)) if calls.sum() > 0.0 else None


def _unusual(chain: Chain, at: np.datetime64, earlier: npt.NDArray[np.datetime64]) -> dict[str, object]:
    """Only contracts listed on each of the earlier days are compared; the others are counted."""
    today = chain.where(chain.day == at)
    past = [_volumes(chain, day) for day in earlier]
    keys = _keys(today)
    listed = [place for place, key in enumerate(keys) if all(key in volumes for volumes in past)]
    output: dict[str, object] = {"compared": len(listed), "left_out": len(keys) - len(listed), "rows": []}
    if not listed:
        return output
    before = np.array([[volumes[keys[place]][0] for place in listed] for volumes in past])
    interest = np.nan_to_num(np.array([past[-1][keys[place]][1] for place in listed]))
    found = unusual_volume(today.volume[listed], before, interest)
    busy = [row for row, place in enumerate(listed) if today.volume[place] >= UNUSUAL_CONTRACTS]
    order = sorted(busy, key=lambda row: (-found.z_score[row], keys[listed[row]]))[:UNUSUAL_ROWS]
    output["rows"] = [
        {
            "expiry": str(today.expiry[listed[row]]),
            "strike": figure(float(today.strike[listed[row]])),
            "kind": "call" if today.is_call[listed[row]] else "put",
            "volume": int(today.volume[listed[row]]),
            "usual": int(np.median(before[:, row])),
            "z_score": figure(float(found.z_score[row])),
            "turnover": figure(float(found.turnover_frac[row])),
        }
        for row in order
    ]
    return output


def _keys(rows: Chain) -> list[Key]:
    return list(zip(rows.expiry.astype(int).tolist(), rows.strike.tolist(), rows.is_call.tolist(), strict=True))


def _volumes(chain: Chain, day: np.datetime64) -> dict[Key, tuple[float, float]]:
    """Volume and open interest by contract, of one day."""
    rows = chain.where(chain.day == day)
    counts = zip(rows.volume.tolist(), rows.open_interest.tolist(), strict=True)
    return dict(zip(_keys(rows), counts, strict=True))
